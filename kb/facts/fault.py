"""A fault explained: what was accessed, why the processor refused, and which register held the bad pointer.

The number that the processor gives is read by the tables of its architecture (:mod:`kb.kernel.fault`), the address by
what no pointer can be (:mod:`kb.kernel.address`). A register is believed only where the operand of the trapping
instruction and the printed registers add up to the faulting address.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kb.facts.finding import Finding, at, hexadecimal, spans
from kb.kernel import fault as tables
from kb.kernel.address import Meaning, canonical, error_name, flipped_bit, meaning, null_offset, shadowed
from kb.kernel.code.dump import Code, is_bug_trap, operand, parse_code
from kb.kernel.code.operand import Operand
from kb.kernel.fault import Fault
from kb.model.log import Span
from kb.model.report import Report
from kb.model.said import Said
from kb.parse.details.registers import Dump, general, read
from kb.parse.details.registers import code as code_line
from kb.words.speak import said

_SMAP, _LA57 = 1 << 21, 1 << 12
"""Bits of CR4 (arch/x86/include/uapi/asm/processor-flags.h)."""
_POISON = frozenset({"list-poison", "slab-poison", "page-poison", "poison"})
_PAGE = 4096
_FIRST_PAGE = said("address.first_page_s390")
_WHY = {"not present": said("fault.no_page"), "protection": said("fault.page_forbids")}


@dataclass(frozen=True)
class _Study:
    """Everything read from a report."""

    report: Report
    dump: Dump
    arch: str | None
    fault: Fault | None
    fault_lines: tuple[Span, ...]
    address: int | None
    address_lines: tuple[Span, ...]
    computed: bool
    """True where the address is the sum of the operand, because the log prints none."""
    code: Code | None
    code_lines: tuple[Span, ...]
    operand: Operand | None
    """Only one that explains the address."""

    @property
    def bits(self) -> int:
        return 32 if self.arch in ("i386", "arm") else 64


def fault_facts(report: Report) -> Finding:
    """Facts of an oops: ``access``, ``fault_mode``, ``fault_why``, ``address_means``, ``fault_register`` ..."""
    study, out = _study(report), Finding()
    out.add("address", f"{study.address:#x}" if study.address is not None else None, study.address_lines)
    if study.fault is not None:
        out.add("access", study.fault.access, study.fault_lines)
        out.add("access", report.fields.get("access"), at(report, "access"))
        out.add("fault_mode", study.fault.mode, study.fault_lines)
        out.add("fault_why", study.fault.why, study.fault_lines)
        out.add("fault", study.fault.words, study.fault_lines)
    else:
        out.add("access", report.fields.get("access"), at(report, "access"))
    _address(study, out)
    _poisoned(study, out)
    if report.subtype == "trap" and report.headline.removeprefix("Oops: ").startswith("divide"):
        out.say(said("fault.division"), (), at(report))
    if study.code is not None and is_bug_trap(study.code, study.arch):
        out.add("trap", "bug", study.code_lines)
        if report.kind == "oops":
            out.say(said("fault.bug_trap"), (said("fault.asked_for"),), study.code_lines)
    return out


# ---- reading


def _study(report: Report) -> _Study:
    dump = read(report.lines)
    arch = report.arch
    fault, lines = _fault(report, dump, arch)
    text = code_line(report.lines)
    code = parse_code(text[0]) if text is not None else None
    code_lines = spans([(text[1], text[1])]) if text is not None else ()
    found = operand(code, arch) if code is not None else None
    address, where = _printed_address(report, dump)
    computed = False
    if found is not None:
        reached = found.address(dump.values, 32 if arch in ("i386", "arm") else 64)
        if address is None and _protects(report, dump, reached):
            address, where, computed = reached, code_lines, True
        elif not _explains(found, reached, address):
            found = None
    return _Study(report, dump, arch, fault, lines, address, where, computed, code, code_lines, found)


def _protects(report: Report, dump: Dump, reached: int | None) -> bool:
    """Whether an address is why x86_64 raised #GP: of one that is canonical the instruction faulted otherwise."""
    la57 = bool(dump.values.get("CR4", 0) & _LA57)
    return report.subtype == "general-protection" and reached is not None and not canonical(reached, la57=la57)


def _explains(found: Operand, reached: int | None, address: int | None) -> bool:
    """Whether an operand explains an address.

    An access of up to 64 bytes may fault behind its first. Where the register is not printed, a displacement that is
    the whole of a small address leaves nothing but NULL for it.
    """
    if address is None:
        return False
    if reached is None:
        return found.by is None and found.displacement == address < _PAGE
    return 0 <= address - reached < 64


def _printed_address(report: Report, dump: Dump) -> tuple[int | None, tuple[Span, ...]]:
    text = report.fields.get("address", "")
    value = 0 if "null" in text else hexadecimal(text)
    if value is not None:
        return value, at(report, "address")
    for name in ("DAR", "badaddr", "BadVA", "BADV"):
        if name in dump.values:
            return dump.values[name], ((dump.where[name], dump.where[name]),)
    return None, ()


def _fault(report: Report, dump: Dump, arch: str | None) -> tuple[Fault | None, tuple[Span, ...]]:
    """The fault by the numbers of its architecture, and the lines they stand on."""

    def lines(*names: str) -> tuple[Span, ...]:
        return spans((dump.where[name], dump.where[name]) for name in names if name in dump.where)

    code = hexadecimal(report.fields.get("error_code"))
    if code is not None:
        return tables.page_fault(code), at(report, "error_code")
    if arch in ("x86_64", "i386") and dump.code is not None and report.subtype in ("null-deref", "page-fault"):
        return tables.page_fault(dump.code), lines("Oops")
    esr = hexadecimal(report.fields.get("esr")) or dump.values.get("ESR")
    if arch == "arm64" and (number := esr or dump.code):  # "Oops - BUG: 0": none is given
        return tables.syndrome(number), at(report, "esr") if "esr" in report.field_lines else lines("ESR", "Oops")
    if arch == "arm" and dump.code is not None:
        return tables.arm_status(dump.code), lines("Oops")
    if report.subtype == "unhandled-fault" and (status := hexadecimal(report.fields.get("code"))) is not None:
        return tables.arm_status(status), at(report, "code")
    values = dump.values
    if arch == "ppc64" and "TRAP" in values:
        return tables.powerpc(values["TRAP"], values.get("DSISR")), lines("TRAP", "DSISR")
    if arch == "riscv" and "cause" in values:
        return tables.riscv(values["cause"]), lines("cause")
    if "ExcCode" in values:
        return _mips(values), lines("ExcCode")
    if "ECode" in values:
        return tables.loongarch(values["ECode"]), lines("ECode")
    if arch == "s390x" and dump.code is not None:
        return tables.s390(dump.code, values.get("TEID")), lines("Oops", "TEID")
    return None, ()


def _mips(values: Mapping[str, int]) -> Fault | None:
    """A load's code stands for a fetch as well: that is of the program counter."""
    found = tables.mips(values["ExcCode"])
    if found is None or found.access != "read" or "epc" not in values or values["epc"] != values.get("BadVA"):
        return found
    return found._replace(access="execute", parts=(found.why or "", "execute"))


# ---- the address


def _address(study: _Study, out: Finding) -> None:
    """What the address means, and the register that held the pointer."""
    cr4 = study.dump.values.get("CR4")
    la57 = bool(cr4 & _LA57) if cr4 is not None else None
    found = meaning(study.address, study.arch, la57=la57) if study.address is not None else None
    holder, held, sums = _holder(study)
    if holder is not None and held is not None:
        out.add("fault_register", holder, _register_lines(study, holder))
        base = meaning(held, study.arch, la57=la57)
        if base is not None and base.kind in _POISON:
            found = base
    if held == 0 and found is None and study.address:
        found = Meaning("null", null_offset(study.address), 0)
    if study.operand is not None and study.operand.by is None and study.operand.base is not None:
        out.add("fault_offset", study.operand.displacement, study.code_lines)
    elif found is not None and found.kind == "null" and study.address and "fault_offset" not in out.values:
        out.add("fault_offset", study.address, study.address_lines, said("assumed.pointer_null"))
    if found is not None:
        out.add("kasan_address", _shadowed(found, study), study.address_lines)
        out.add("address_kind", found.kind, study.address_lines)
        out.add("address_means", found.words, study.address_lines)
        if study.address is not None:
            out.add("flipped_bit", flipped_bit(study.address, study.arch, la57=la57), study.address_lines)
    _page_number(study, out)
    _say(study, out, found, holder, held, sums)


def _shadowed(found: Meaning, study: _Study) -> str | None:
    real = shadowed(study.address, study.arch) if found.kind == "kasan-shadow" and study.address is not None else None
    return f"{real:#x}" if real is not None else None


def _page_number(study: _Study, out: Finding) -> None:
    """s390 tells the page of the failing address, not the address."""
    if study.address is None and (page := study.dump.values.get("Failing address")) is not None:
        line = study.dump.where["Failing address"]
        out.add("fault_page", f"{page:#x}", ((line, line),))
        if page == 0:
            out.add("address_kind", "null", ((line, line),))
            out.add("address_means", str(_FIRST_PAGE), ((line, line),))


def _register_lines(study: _Study, name: str) -> tuple[Span, ...]:
    line = study.dump.where.get(name)
    return spans((*study.code_lines, *(((line, line),) if line else ())))


def _holder(study: _Study) -> tuple[str | None, int | None, tuple[Said, ...]]:
    """The register that held the pointer and its value: by the instruction, else the only one that is the address.

    With an index register the sum explains the address and neither of the two is to blame alone.
    """
    values = study.dump.values
    found = study.operand
    if found is not None and found.base is not None and found.base not in values:
        zero = said("sum.operand_of_zero", operand=found.text, address=study.address, register=found.base)
        return found.base, 0, (zero,)
    if found is not None and found.base is not None:
        reached = found.address(values, study.bits) or 0
        registers = [f"{name} = {values[name]:#x}" for name in (found.base, found.by) if name]
        sums = (said("sum.operand", operand=found.text, registers=registers, address=reached),)
        return (found.base, values[found.base], sums) if found.by is None else (None, None, sums)
    if found is not None or study.address is None:
        return None, None, ()
    same = [name for name, value in general(values).items() if value == study.address]
    if len(same) == 1 and study.address >= _PAGE:
        return same[0], study.address, (said("sum.only_register", register=same[0], address=study.address),)
    return None, None, ()


def _say(
    study: _Study, out: Finding, found: Meaning | None, holder: str | None, held: int | None, sums: tuple[Said, ...]
) -> None:
    """One line: what was done to which address, why it failed, and where the pointer was."""
    access = (out.values["access"].value if "access" in out.values else None) or "access"
    if study.address is None and (study.fault is None or study.fault.access is None):
        if study.fault is not None and study.report.kind == "oops":
            out.say(said("fault.trapped", fault=study.fault.parts), (), study.fault_lines)
        return
    why = [found.says if found is not None else None]
    if found is not None and found.kind == "error-pointer" and holder is not None:
        why = []
    if found is not None and found.kind == "null" and access == "execute":
        why = [said("fault.null_function")]
    if "fault_page" in out.values and "address_means" in out.values:
        why = [_FIRST_PAGE]
    if holder is not None and held is not None and (found is None or found.kind != "kasan-shadow"):
        why.append(_holds(study, holder, held))
    why.append(_policy(study, found))
    lines = (*study.address_lines, *study.fault_lines, *(_register_lines(study, holder) if holder else ()))
    out.say(_failed(study, access), why, lines, sums)


def _failed(study: _Study, access: str) -> Said:
    """What was tried at which address, and why the processor refused."""
    where = f"{study.address:#x}" if study.address is not None else said("fault.memory")
    reason = study.fault.why if study.fault is not None else None
    mode = said("part.in_user_mode") if study.fault is not None and study.fault.mode == "user" else None
    because = said("part.comma_because", because=_WHY.get(reason, reason)) if reason else None
    computed = said("part.address_by_instruction") if study.computed else None
    tried = {"execute": said("fault.fetch"), "write": said("fault.write"), "read": said("fault.read")}
    what = tried.get(access, said("fault.access"))
    return said("fault.failed", what=what, where=where, mode=mode, because=because, computed=computed)


def _holds(study: _Study, holder: str, held: int) -> Said:
    name = error_name(held, study.bits)
    if name is not None:
        below = (1 << study.bits) - held
        return said("fault.held_error", register=holder, below=below, errno=name)
    if held == study.address:
        return said("fault.pointer_in", register=holder)
    return said("fault.held", register=holder, value="NULL" if held == 0 else f"{held:#x}")


def _policy(study: _Study, found: Meaning | None) -> Said | None:
    """Why an address that may be mapped was refused all the same."""
    if study.dump.note is not None:
        return said("fault.smep") if "SMEP" in study.dump.note else said("fault.nx")
    if found is None or found.kind != "user" or study.fault is None or study.fault.mode != "kernel":
        return None
    cr4 = study.dump.values.get("CR4")
    if study.fault.why != "protection":
        return None
    if study.fault.access == "read" and cr4 is not None and cr4 & _SMAP:
        return said("fault.smap")
    return said("fault.use_copy_user")


def _poisoned(study: _Study, out: Finding) -> None:
    """Registers that hold the poison of freed memory or of deleted list entries."""
    found: dict[str, Meaning] = {}
    for name, value in general(study.dump.values).items():
        told = meaning(value, study.arch) if study.arch not in ("mips", "s390x") else None
        if told is not None and told.kind == "list-poison" and study.bits == 32 and value != told.base:
            continue  # 0x00200246 near LIST_POISON2 is a saved EFLAGS
        if told is not None and (told.kind == "list-poison" or told.symbol == "POISON_FREE"):
            found[name] = told
    if not found:
        return
    lines = spans((study.dump.where[name], study.dump.where[name]) for name in found)
    out.add("poisoned_registers", tuple(found), lines)
    kinds = {told.kind for told in found.values()}
    if "address_kind" in out.values and out.values["address_kind"].value in kinds:
        return
    first = next(iter(found.values()))
    out.say(said("fault.registers_poisoned", registers=tuple(found)), (first.says,), lines)
