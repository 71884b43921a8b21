"""The numbers of a register dump, and of the lines that say why the processor trapped.

Read on demand by the facts of a fault: most reports never need them. The first dump of a report is its own; what the
kernel prints behind the stack is the user's registers, or the same once more.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kb.model.log import Line

# x86 "RAX: %016lx RBX: ...", "RSP: 0018:%016lx EFLAGS: %08lx"; arm "r10: %08x  r9 : %08x", "pc : [<%08lx>]"; arm64
# "x29: %016llx x28: ..."; ppc "CFAR: %016lx DAR: %016lx DSISR: %08lx", "TRAP: %04lx"; riscv " gp : %016lx tp : ...";
# mips "epc   : %0*lx", "BadVA : "; loongarch " BADV: %016lx", " ra: %016lx"; s390 "TEID: %016lx"
_PAIR = re.compile(
    r"(?<![\w/])(?P<name>[A-Za-z]\w{0,5}|ORIG_\w{2,4}|badaddr|Failing address) {0,4}[:=] {0,2}"
    r"(?:[0-9a-f]{4}:)?(?:\[<)?(?P<value>0x[0-9a-f]{1,16}|[0-9a-f]{8,16}|(?<=TRAP: )[0-9a-f]{3,4})\b(?!:)"
)
# ppc "GPR00: %016lx %016lx %016lx %016lx"; mips "$ 0   : %0*lx %0*lx %0*lx %0*lx"; s390 "Krnl GPRS: ..."
_ROW = re.compile(r"\s*(?:GPR(?P<gpr>\d{2})|\$ ?(?P<mips>\d{1,2}) *) ?: (?P<values>(?:[0-9a-f]{8,16} ?){1,8})")
# arch/x86/kernel/dumpstack.c __die() "%s: %04lx [#%d]"; arch/s390/kernel/dumpstack.c "Oops: %04x ilc:%d [#%d]";
# arch/arm and arm64 traps.c __die() "Internal error: %s: %x [#%d]"
_OOPS = re.compile(
    r"(?:Oops|Internal error: [^:\[]{1,60}): (?:Oops: )?(?P<code>[0-9a-f]{1,16})\b(?: ilc:\d)? ?\[#\d+\]"
)
# arch/mips/kernel/traps.c __show_regs() "Cause : %08x (ExcCode %02x)"
_EXC_CODE = re.compile(r"\(ExcCode (?P<code>[0-9a-f]{2})\)")
# arch/loongarch/kernel/traps.c "ESTAT: %08x [%s] (IS=%.*s ECode=%ld EsubCode=%ld)"
_ECODE = re.compile(r"ECode=(?P<code>\d{1,3})\b")
# arch/x86/mm/fault.c show_fault_oops()
_NX = re.compile(r"(?:kernel tried to execute NX-protected page|unable to execute userspace code \(SMEP\?\))")
_STOP = re.compile(r"\s*(?:[Cc]all [Tt]race|Backtrace|---\[ end trace|Stack: ?|RIP: 0033|user pgtable: none)")
_MOST = 200


@dataclass(slots=True)
class Dump:
    """What the lines of a dump hold, each number with its physical line."""

    values: dict[str, int] = field(default_factory=dict)
    """Registers and the like under the names that the kernel prints: ``RAX``, ``x0``, ``DAR``, ``badaddr``."""
    where: dict[str, int] = field(default_factory=dict)
    code: int | None = None
    """The number behind ``Oops:`` or ``Internal error: Oops:``."""
    note: str | None = None
    """What x86 says of an instruction fetch: NX or SMEP."""

    def keep(self, name: str, value: int, line: int) -> None:
        """Take a number; the first of a name stands."""
        if name not in self.values:
            self.values[name] = value
            self.where[name] = line


def read(lines: Sequence[Line]) -> Dump:
    """The numbers of the first dump among the lines of a report."""
    dump = Dump()
    for line in lines[:_MOST]:
        text = line.text[:400]
        if _STOP.match(text):
            if len(dump.values) > 3:
                break
            continue
        _line(dump, text, line.number)
    return dump


def _line(dump: Dump, text: str, number: int) -> None:
    found = _OOPS.search(text)
    if found is not None and dump.code is None:
        dump.code = int(found["code"], 16)
        dump.where["Oops"] = number
    if dump.note is None and (found := _NX.search(text)) is not None:
        dump.note = found[0]
        dump.where["note"] = number
    for pattern, name, base in ((_EXC_CODE, "ExcCode", 16), (_ECODE, "ECode", 10)):
        if (found := pattern.search(text)) is not None:
            dump.keep(name, int(found["code"], base), number)
    row = _ROW.match(text)
    if row is not None:
        first, prefix = int(row["gpr"] or row["mips"]), "r" if row["gpr"] else "$"
        for index, value in enumerate(row["values"].split()):
            dump.keep(f"{prefix}{first + index}", int(value, 16), number)
        return
    for pair in _PAIR.finditer(text):
        dump.keep(pair["name"], int(pair["value"], 16), number)


# arch/x86/kernel/dumpstack.c show_ip() "RIP: 0033:0x432b10": the segment tells user mode (0x33, 32-bit programs 0x23).
# From v4.18 its bytes follow on the next line; before, the kernel's own stood behind all registers, the user's too.
_USER = re.compile(r"\s*[RE]?IP:? +(?:0033|0023|0073|33|23|73):")
_BEHIND = re.compile(r"\s*[RE]SP:")
_CODE = re.compile(r"\s*(?:Kernel )?Code: ?(?P<dump>[<(]?[0-9a-f]{2,8}\b.*)")


def code(lines: Sequence[Line]) -> tuple[str, int] | None:
    """What the first ``Code:`` line of the kernel holds, and its line; the program's own is no part of a report."""
    user = False
    for line in lines[: 10 * _MOST]:
        text = line.text[:2048]
        if _USER.match(text):
            user = True
        elif _BEHIND.match(text):
            user = False
        elif not user and (found := _CODE.match(text)) is not None:
            return found["dump"].strip(), line.number
    return None


def general(values: Mapping[str, int]) -> dict[str, int]:
    """Those that hold pointers: without flags, control registers, segment bases and what describes the fault."""
    return {name: value for name, value in values.items() if _GENERAL.fullmatch(name)}


_GENERAL = re.compile(r"[RE](?:[ABCD]X|[SD]I|BP)|[RrxaAtsS]\d{1,2}|\$\d{1,2}|ip|fp|lr|u0")
