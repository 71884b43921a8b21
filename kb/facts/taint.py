"""What a report's taint letters say about the report: damage done before it, code that is not the kernel's own."""

import re

from kb.facts.finding import Finding, at
from kb.kernel.taint import TAINTS, explain, weighty
from kb.model.report import Report

# kernel/module/main.c print_modules() "Modules linked in:" " %s%s" with module_flags(): taints and "+-" of loading
_MODULE = re.compile(r"(?P<name>[A-Za-z]\w{0,62})\((?P<flags>[A-Z]{1,8})[+-]?\)")
_MODULES = "Modules linked in:"
_QUIET = frozenset({"warning"})
"""Kinds of which one follows another as a rule: an earlier warning says little about this one."""

_BRIEF = {
    "P": "proprietary",
    "F": "force loaded",
    "C": "of the staging tree",
    "O": "built outside the tree",
    "E": "unsigned",
    "K": "a live patch",
}


def taint_facts(report: Report) -> Finding:
    """``taint_words`` and ``taint_modules``; a line of reasoning for letters of weight, none for ``G`` alone."""
    out = Finding()
    letters = report.taint or ""
    where = at(report, "taint")
    out.add("taint_words", explain(letters), where)
    _module(report, out)
    damage = weighty(letters, "damage")
    if damage and not (report.kind in _QUIET and damage == ("W",)):
        words = ", ".join(f"{TAINTS[letter].words} ({letter})" for letter in damage)
        out.ask("this report may be a consequence", f"before it {words}", where)
    foreign = weighty(letters, "foreign")
    if foreign and "module_taint" not in out.values:
        words = ", ".join(f"{_BRIEF[letter]} ({letter})" for letter in foreign)
        out.ask("modules that are not this kernel's own are loaded", words, where)
    return out


def _module(report: Report, out: Finding) -> None:
    """Whether the blamed module itself is one of those, by the flags in the list of modules."""
    flagged: dict[str, tuple[str, int]] = {}
    listing = False
    for entry in report.lines:
        text = entry.text[:4096]
        listing = _MODULES in text or (listing and entry.continued)
        if listing:
            for found in _MODULE.finditer(text):
                flagged.setdefault(found["name"], (found["flags"], entry.number))
    lines = tuple(sorted({(line, line) for _, line in flagged.values()}))
    out.add("taint_modules", tuple(f"{name}({flags})" for name, (flags, _) in flagged.items()), lines)
    own = flagged.get((report.module or "").replace("-", "_"))
    if own is None:
        return
    flags, line = own
    words = ", ".join(f"{_BRIEF[letter]} ({letter})" for letter in weighty(flags, "foreign"))
    if words:
        out.add("module_taint", flags, ((line, line),))
        out.say(f"{report.module}, which is blamed, is not this kernel's own", words, ((line, line),))
