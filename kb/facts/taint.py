"""What a report's taint letters say about the report: damage done before it, code that is not the kernel's own."""

import re

from kb.facts.finding import Finding, at
from kb.kernel.taint import TAINTS, explain, weighty
from kb.model.report import Report
from kb.model.said import Said
from kb.words.speak import said

# kernel/module/main.c print_modules() "Modules linked in:" " %s%s" with module_flags(): taints and "+-" of loading
_MODULE = re.compile(r"(?P<name>[A-Za-z]\w{0,62})\((?P<flags>[A-Z]{1,8})[+-]?\)")
_MODULES = "Modules linked in:"
_QUIET = frozenset({"warning"})
"""Kinds of which one follows another as a rule: an earlier warning says little about this one."""

_BRIEF = {
    "P": said("module.proprietary"),
    "F": said("module.force_loaded"),
    "C": said("module.staging"),
    "O": said("module.out_of_tree"),
    "E": said("module.unsigned"),
    "K": said("module.live_patch"),
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
        before = [said("taint.lettered", means=TAINTS[letter].says, letter=letter) for letter in damage]
        out.ask(said("taint.consequence"), (said("taint.before", before=before),), where)
    foreign = weighty(letters, "foreign")
    if foreign and "module_taint" not in out.values:
        out.ask(said("taint.foreign_modules"), (_foreign(foreign),), where)
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
    if foreign := weighty(flags, "foreign"):
        out.add("module_taint", flags, ((line, line),))
        out.say(said("taint.blamed_module", module=report.module), (_foreign(foreign),), ((line, line),))


def _foreign(letters: tuple[str, ...]) -> Said:
    how = [said("taint.lettered", means=_BRIEF[letter], letter=letter) for letter in letters]
    return said("taint.how_foreign", how=how)
