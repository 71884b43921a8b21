"""Diagnosis -> what to do now and where to look next, with what the report tells filled in."""

import re
from pathlib import PurePath

from kb.kernel.disks import BLOCK, whole
from kb.model.case import Workaround
from kb.model.report import Report
from kb.model.verdict import Diagnosis, Match, Verdict
from kb.syntax.frames import plain
from kb.words.speak import Words

DEVICES = ("device", "device2", "disk", "from")
"""Fields of a headline that name what it is about."""


def remedy(found: Diagnosis) -> tuple[Match, Workaround] | None:
    """The one thing to do now: the first workaround of the first case that has one; a yes goes before a maybe."""
    for verdict in (Verdict.YES, Verdict.MAYBE):
        for match in found.matches:
            if match.verdict is verdict and match.workarounds:
                return match, match.workarounds[0]
    return None


def next_steps(found: Diagnosis, words: Words) -> tuple[str, ...]:
    """What to look at next, the best first: what the facts ask for, else the first check of the case.

    Of what nobody knows, how to find out more, in more and in fewer words; what follows from another report is looked
    for there. The remedy is not said again.
    """
    way = remedy(found)
    asked = map(words.say, found.facts.steps)
    steps = tuple(filled(step, found.report) for step in asked if way is None or bare(step) != bare(way[1].do))
    checks = found.best.case.verify if found.best is not None else ()
    booting = found.facts.values.get("booting")
    if booting is not None and booting.value is True:  # what the machine had then is gone, and nobody could look
        checks = tuple(check for check in checks if not _RUNNING.search(check.run))
    steps += tuple(
        words("next.expect", command=filled(check.run, found.report), expect=check.expect) for check in checks
    )
    fixed = any(fix.verdict is Verdict.YES for fix in found.known_fixes)
    if steps or found.best is not None or fixed or found.report.follows is not None:
        return steps
    return _search(found.report, words)


def _search(report: Report, words: Words) -> tuple[str, ...]:
    """Where to look for a report that no case explains; of a stack without source lines, how it gets them, too."""
    if report.kind == "notice":
        return ()
    if report.function is None and report.damage:
        return words("next.whole_log"), words("next.whole_log_short")
    if report.kind == "oom_kill" and report.memory is None:
        return words("next.mem_info"), words("next.mem_info_short")
    by_title = words("next.search_title", title=report.title)
    if report.function is None or report.function not in {plain(frame.function) for frame in report.frames}:
        return words("next.search", title=report.title), by_title
    by_name = words("next.search_name", function=report.function)
    if any(frame.source for frame in report.frames):
        return words("next.search_function", function=report.function, title=report.title), by_title, by_name
    return words("next.source_lines", function=report.function), by_name


_RUNNING = re.compile(r"/proc/(?:buddyinfo|pagetypeinfo|zoneinfo|vmstat|meminfo|slabinfo)\b")
"""The state of memory of a machine that runs."""


def bare(step: str) -> str:
    """A command without the note behind it."""
    return step.partition("  # ")[0].strip()


# ---- what a command leaves open, filled from the report

_PCI = re.compile(r"(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")
_NET = re.compile(r"[a-zA-Z][\w.-]{1,14}")
_PORT = re.compile(r"(ata\d{1,3})(?:\.\d{1,2})?")
_NAME = re.compile(r"\w[\w.+@-]{0,200}")
_THREAD = re.compile(r"jbd2/([\w-]{1,30})-8|xfsaild/([\w-]{1,30})|(md\d{1,3})_\w{1,8}|(loop\d{1,3})")
"""Kernel threads that are named after their device: fs/jbd2/journal.c, fs/xfs/xfs_trans_ail.c, drivers/md/md.c."""
_OPEN = re.compile(r"/proc/PID/|\bLOG\b|\bataN\b|\bsdX1?\b|\bDEV\b|\bDRIVER\b")
_SHARED = re.compile(r"(?:mac|cfg|lib)80211|libipw|mhi|qmi_helpers|mt76|(?:[a-z0-9]{1,20}[-_]){1,3}(?:core|common|lib)")
"""Modules that several drivers use: it is the driver that is unloaded."""
_OF_PCI = re.compile(r"\blspci\b|/bus/pci/")
_OFBLOCK = re.compile(r"/dev/$|/sys/(?:block|kernel/debug/block|fs/\w+)/$")
_OF_NET = re.compile(r"\b(?:ethtool|ip(?: -\w{1,9}){0,3} (?:link|addr)|iw dev|tcpdump)\b|/class/net/|\.conf\.")
_OF_DISK = re.compile(r"\b(?:e2fsck|dumpe2fs|tune2fs|xfs_\w+|u?mount|blockdev|fsck)\b")


def filled(text: str, report: Report) -> str:
    """A command with what the report tells put where it is left open: ``DEV``, ``sdX``, ``/proc/PID/``, ``LOG``.

    A value is put in only where it can be nothing but what the command asks for: log text is no command.
    """
    last = 0
    out = []
    for slot in _OPEN.finditer(text):
        start = max(text.rfind(mark, 0, slot.start()) for mark in (";", "|", "&", ",", "`"))
        out += [text[last : slot.start()], _fill(slot[0], text[start + 1 : slot.start()], report) or slot[0]]
        last = slot.end()
    return "".join([*out, text[last:]])


def _fill(slot: str, before: str, report: Report) -> str:
    """What stands for a slot, by the command before it; empty where the report does not tell."""
    if slot == "/proc/PID/":
        return f"/proc/{report.pid}/" if report.pid else ""
    if slot == "LOG":
        name = PurePath(report.source).name  # an answer tells no path
        return name if name != "-" and _NAME.fullmatch(name) else ""
    if slot == "ataN":
        return _named(report, _PORT)
    if slot == "DRIVER":
        named = report.module is not None and _NET.fullmatch(report.module) and not _SHARED.fullmatch(report.module)
        return report.module or "" if named else ""
    if slot != "DEV" or _OFBLOCK.search(before):
        disk = _disk(report)
        return whole(disk) if slot == "sdX" or before.endswith("/sys/block/") else disk
    if _OF_PCI.search(before):
        return _named(report, _PCI)
    if _OF_NET.search(before):
        name = _named(report, _NET)
        return "" if BLOCK.fullmatch(name) or _PORT.fullmatch(name) else name
    disk = _disk(report) if _OF_DISK.search(before) else ""
    return f"/dev/{disk}" if disk else ""


def _named(report: Report, pattern: "re.Pattern[str]") -> str:
    """The first device that a report names in such a form: all of it, or the part that the pattern takes."""
    texts = (report.fields[key].partition(": ")[0] for key in DEVICES if report.fields.get(key))
    found = (match for text in texts if (match := pattern.fullmatch(text)) is not None)
    return next((match[match.lastindex or 0] for match in found), "")


def _disk(report: Report) -> str:
    """The block device that a report names, or that its task is the thread of."""
    named = _named(report, BLOCK)
    if named or report.comm is None:
        return named
    thread = _THREAD.fullmatch(report.comm)
    name = next(filter(None, thread.groups()), "") if thread is not None else ""
    return name if BLOCK.fullmatch(name) else ""
