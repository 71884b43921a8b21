"""How process 1 ended: ``Attempted to kill init! exitcode=0x%08x``, kernel/exit.c do_exit() (v6.12)."""

import re

from kb.facts.finding import Finding, at
from kb.model.report import Report
from kb.words.speak import said

_CODE = re.compile(r"exitcode=0x(?P<code>[0-9a-f]{1,8})\b")
# include/uapi/asm-generic/signal.h; alpha, mips, parisc and sparc number 7, 10, 12 and above 16 otherwise
_SIGNALS = {1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE",
            9: "SIGKILL", 11: "SIGSEGV", 13: "SIGPIPE", 15: "SIGTERM", 31: "SIGSYS"}  # fmt: skip
_MEANS = {
    4: said("init.sigill"),
    7: said("init.sigbus"),
    9: said("init.sigkill"),
    11: said("init.sigsegv"),
}
_STATUS = {0: said("init.ended"), 127: said("init.not_found"), 126: said("init.not_executable")}
"""exit(3) of a shell: 126 and 127 are what it says of a command that it could not run."""


def init_facts(report: Report) -> Finding:
    """``init_status`` or ``init_signal``; nothing for other panics."""
    out = Finding()
    found = _CODE.search(report.fields.get("what", "")) if report.subtype == "init" else None
    if found is None:
        return out
    code, where = int(found["code"], 16), at(report, "what")
    signal, status = code & 0x7F, (code >> 8) & 0xFF
    if signal:
        name = _SIGNALS.get(signal)
        out.add("init_signal", name or str(signal), where)
        out.say(said("init.killed", signal=name or f"signal {signal}"), (_MEANS.get(signal),), where)
    else:
        out.add("init_status", status, where)
        out.say(said("init.exited", status=status), (_STATUS.get(status),), where)
    return out
