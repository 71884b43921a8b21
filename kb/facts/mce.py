"""Machine checks: what a bank's status says.

Bits: Intel SDM volume 3B, chapter "Machine-Check Architecture", "IA32_MCi_STATUS MSRS" and "Compound Error Codes"; for
AMD arch/x86/include/asm/mce.h MCI_STATUS_*, MCI_STATUS_DEFERRED, and drivers/edac/mce_amd.c (v6.1).
"""

import re

from kb.facts.finding import Finding, at, hexadecimal, spans
from kb.model.report import Report
from kb.words.speak import said

_OVER, _UC, _PCC, _DEFERRED = 1 << 62, 1 << 61, 1 << 57, 1 << 44
_INTEL = re.compile(r"Machine Check: ?[^:]{0,20}:? ")
# arch/x86 print_mce() to 2.6.3x "Bank %d: %016Lx"; drivers/edac/mce_amd.c "MC%d_STATUS[...]: 0x%016llx"
_BANK = re.compile(
    r"\b(?:Bank |(?P<amd>MC))(?P<bank>\d{1,3})(?:_STATUS\[[^\]]{0,80}\])?: (?:0x)?(?P<status>[0-9a-f]{16})\b"
)
_LINES = 64
"""Lines of a report among which the status of its bank stands."""
_SEVERITIES = {
    "corrected": said("mce.corrected"),
    "deferred": said("mce.deferred"),
    "uncorrected": said("mce.uncorrected"),
    "fatal": said("mce.fatal"),
}
_REQUESTS = ("error", "read", "write", "data read", "data write", "instruction fetch", "prefetch", "eviction", "snoop")
_KINDS = ("instruction", "data", "generic", "?")
_LEVELS = ("L0", "L1", "L2", "L3 or generic")
_MEMORY = ("generic error", "read error", "write error", "address or command error", "scrubbing error")
_SIMPLE = {
    0: "no code",
    1: "unclassified",
    2: "microcode ROM parity error",
    3: "external error",
    4: "functional redundancy check error",
    5: "internal parity error",
    0x400: "internal timer error (a CPU made no progress)",
}


def mce_facts(report: Report) -> Finding:
    """Bank, severity and code of the error that the headline's status tells."""
    out = Finding()
    fields, where = report.fields, at(report, "status")
    status, bank, amd = hexadecimal(fields.get("status")), fields.get("bank"), report.subtype == "uncorrected"
    for line in report.lines[:_LINES] if status is None or bank is None else ():
        found = _BANK.search(line.text)
        if found is not None:
            status, bank, amd = hexadecimal(found["status"]), found["bank"], found["amd"] is not None
            where = spans([(line.number, line.number)])
            break
    if status is None or bank is None:
        return out
    severity, code = severity_of(status, amd=amd), code_of(status & 0xFFFF, amd=amd)
    out.add("mce_bank", int(bank), where)
    out.add("mce_severity", severity, where)
    out.add("mce_code", code, where)
    out.add("mce_overflow", bool(status & _OVER) or None, where)
    out.add("mce_unit", fields.get("unit"), at(report, "unit"))
    unit = fields.get("unit")
    told = said("part.mce_unit", unit=unit, meaning=fields.get("meaning", "?")) if unit else None
    lost = said("mce.lost") if status & _OVER else None
    why = said("mce.status", status=f"{status:#018x}", unit=told)
    says = said("mce.bank_says", bank=bank, severity=severity, code=code)
    out.say(says, (_SEVERITIES[severity], why, lost), where)
    return out


def severity_of(status: int, *, amd: bool) -> str:
    """Whether the error was corrected; bit 44 is the deferred error of AMD's, a part of the model's code on Intel's."""
    if status & _UC:
        return "fatal" if status & _PCC else "uncorrected"
    return "deferred" if amd and status & _DEFERRED else "corrected"


def code_of(code: int, *, amd: bool) -> str:
    """The low 16 bits in words; bit 12 (corrected errors are filtered) says nothing of the error."""
    code &= 0xEFFF
    if code in _SIMPLE:
        return _SIMPLE[code]
    request = (code >> 4) & 15
    what = _REQUESTS[request] if request < len(_REQUESTS) else "?"
    if code & 0xF800 == 0x0800:
        return f"bus: {what}"
    if code & 0xFF00 == 0x0100:
        kind = _KINDS[(code >> 2) & 3]
        said_once = what if what.startswith(f"{kind} ") else f"{kind} {what}"
        return f"{'memory' if amd else 'cache'}: {said_once}, {_LEVELS[code & 3]}"
    if not amd and code & 0xFF80 == 0x0080:
        access, channel = (code >> 4) & 7, code & 15
        name = _MEMORY[access] if access < len(_MEMORY) else "?"
        return f"memory controller: {name}, channel {'not told' if channel == 15 else channel}"
    if code & 0xFFF0 == 0x0010:
        return f"TLB: {_KINDS[(code >> 2) & 3]}, {_LEVELS[code & 3]}"
    if code & 0xFFFC == 0x000C:
        return f"cache hierarchy, {_LEVELS[code & 3]}"
    return "internal error" if amd or code & 0xFC00 == 0x0400 else f"{code:#06x}"
