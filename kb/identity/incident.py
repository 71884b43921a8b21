"""Which groups of a run are one incident: one stands for it, and its advice goes before that of the others.

Two reports are of one incident where the kernel's own order of things says so, never for being alike in words:

- a task that reports twice within seconds, or two reports of one function: the second is of what the first began;
- CPUs, tasks and workers that were stuck at the same time, where something that was printed ties them;
- a device that answers no more, and who waits for it or keeps a file system on it;
- errors that hardware reports at once;
- errors of one file system, and the warnings that its code prints with them;
- reports that one known problem explains, printed close together.

What began it stands first; among reports of which none began the others, the gravest, then what lies lowest. Of the
advice that there is, that of the gravest case wins: it loses nothing that the others would save.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from kb.identity.entry import Group, Seen
from kb.identity.stalls import for_a_lock, linked
from kb.kernel.disks import BLOCK, whole
from kb.model.case import Severity
from kb.model.report import Report
from kb.model.verdict import Diagnosis, Match, Verdict
from kb.syntax.kinds import Family, Form, Trait, family, kind_of

_BEFORE = 64
"""Groups before it that a group is compared with: a bound for runs of thousands."""
_SECONDS, _LINES = 5.0, 60
"""How far behind what began it a report of the same task, function or file system stands."""
_WAVE_SECONDS, _WAVE_LINES = 60.0, 400
"""How far apart reports of one stall may be: watchdogs look every few seconds, and a console needs some, too."""
_GRAVITY = {name: -index for index, name in enumerate(one.value for one in Severity)}
_STALLS = ("hard_lockup", "soft_lockup", "csd_lock", "rcu_stall", "workqueue_lockup", "hung_task")
"""From what keeps a CPU from all to what only waits: the ones before may be why of the ones behind."""
_HARDWARE = ("mce", "hardware_error")
"""Kinds in which hardware reports an error by itself."""
_ANSWERS = ("block_timeout", "io_error")
"""Kinds of a device that did not do what it was asked for."""
_LAYERS = (
    re.compile(r"(?:md_|mddev|raid\d|dm_|blk_|bio_|submit_bio|rq_qos|wbt_|nvme|scsi_|sd_|loop_|virtblk)"),
    re.compile(r"(?:jbd2_|do_get_write_access|start_this_handle|wait_transaction|xlog_|xfs_log|btrfs_commit)"),
)
"""Functions by how low they lie: who is in block devices waits for the device, who is in a journal for those, and
file systems for the journal."""
_LOWEST = len(_LAYERS)


def join(groups: Sequence[Group]) -> None:
    """Set ``lead``, ``beside`` and ``advice`` of groups that are of one incident.

    Args:
        groups: Of a run, in its order.
    """
    began: dict[int, bool] = {}
    parent = {id(group): group for group in groups}

    def root(group: Group) -> Group:
        while parent[id(group)] is not group:
            group = parent[id(group)] = parent[id(parent[id(group)])]
        return group

    lasting = [_lasts(group.first.report) for group in groups]
    for index, group in enumerate(groups):
        report = group.first.report
        for under in group.under:
            if id(under) in parent:
                began[id(under)] = True
                parent[id(root(under))] = root(group)
        for place in range(max(0, index - _BEFORE), index):
            other = groups[place]
            if not (lasting[index] or lasting[place] or _near(other.first.report, report, _WAVE_SECONDS, _WAVE_LINES)):
                continue  # hundreds of others, of most reports
            link = _link(other, group)
            if link is not None:
                began[id(group)] = began.get(id(group), False) or link
                parent[id(root(group))] = root(other)
    for group, holder in _behind_locks(groups, root):
        parent[id(root(group))] = root(holder)
    members: dict[int, list[Group]] = {}
    for group in groups:
        members.setdefault(id(root(group)), []).append(group)
    for incident in members.values():
        if len(incident) > 1:
            _led(incident, began)


def _behind_locks(groups: Sequence[Group], root: Callable[[Group], Group]) -> Iterator[tuple[Group, Group]]:
    """Who waits for a lock, and what was stuck at the same time: its holder is, where no other report is tied to it."""
    waiting = {id(group) for group in groups if for_a_lock(group.first)}
    if not waiting:
        return
    stalls = family(Family.STALL)
    other = [group for group in groups if group.first.report.kind in stalls and id(group) not in waiting]
    explained = {id(root(group)) for group in other}
    for index, group in enumerate(groups):
        if id(group) in waiting and id(root(group)) not in explained:
            for place in range(max(0, index - _BEFORE), min(len(groups), index + _BEFORE)):
                first, second = sorted((group, groups[place]), key=lambda one: one.number)
                if first is not second and _may_link(first, second) and _at_once(first, second):
                    yield group, groups[place]


def _led(incident: list[Group], began: dict[int, bool]) -> None:
    lead = min((one for one in incident if not began.get(id(one))), key=_rank, default=incident[0])
    advising = [one for one in incident if (way := _way(one.first)) is not None and (one is lead or not way.type_only)]
    lead.beside = [one for one in incident if one is not lead and one not in lead.under]
    lead.advice = min(advising, key=lambda one: (_of_way(one.first), one is not lead, one.number), default=None)
    for one in incident:
        one.lead = None if one is lead else lead


def misused(report: Report) -> bool:
    """Whether a report says that the kernel's own memory was misused: nothing that it says later need be so."""
    return Trait.OBJECTS in kind_of(report.kind).has and kind_of(report.kind).severity == Severity.STOP


def printed_beside(notice: Diagnosis, seen: Seen) -> bool:
    """Whether a notice of something that came or went was printed just before a report, or while it lasted."""
    report = notice.report
    if report.source != seen.source or not notice.facts.detail.get("event"):
        return False
    last = report.lines[-1]
    if report.time is not None and seen.time is not None:
        times = report.time, last.time if last.time is not None else report.time
        return any(-(seen.lasted or 0.0) <= seen.time - time <= _WAVE_SECONDS for time in times)
    return any(
        seen.span[1] - number >= 0 and seen.span[0] - number <= _LINES for number in (report.span[0], last.number)
    )


def _rank(group: Group) -> tuple[bool, int, int, int, bool, int]:
    """What stands first: misused memory, the gravest, what keeps most from running, the lowest, the first."""
    found, report = group.first, group.first.report
    best = found.best
    sure = best is not None and best.verdict is Verdict.YES
    grave = best.severity if best is not None and sure else kind_of(report.kind).severity.value
    stall = _STALLS.index(report.kind) if report.kind in _STALLS else -1
    return not misused(report), _GRAVITY.get(grave, 0), stall, _layer(report), not sure, group.number


def _layer(report: Report) -> int:
    """How low the function that waits lies, 0 the lowest."""
    if report.kind != "hung_task":
        return 0
    name = report.function or ""
    return next((index for index, pattern in enumerate(_LAYERS) if pattern.match(name)), _LOWEST)


def _way(found: Diagnosis) -> Match | None:
    """The match whose workaround is the report's advice, where one is sure."""
    return next((one for one in found.matches if one.verdict is Verdict.YES and one.workarounds), None)


def _of_way(found: Diagnosis) -> tuple[int, bool]:
    match = _way(found)
    assert match is not None
    return _GRAVITY.get(match.severity, 0), match.type_only


# ---- what links two reports


def _may_link(before: Group, group: Group) -> bool:
    """Whether they are reports of one machine."""
    a, b = before.first.report, group.first.report
    if a.source != b.source or Form.NOTICE in (kind_of(a.kind).form, kind_of(b.kind).form):
        return False
    return not a.host or not b.host or a.host == b.host


def _link(before: Group, group: Group) -> bool | None:
    """Whether a report began (True) or accompanies (False) a later one; None where it has nothing to do with it.

    Asked of those that are near, and of what lasts.
    """
    if not _may_link(before, group):
        return None
    rules = (_same_task, _stuck, _unanswered, _file_system, _hardware, _one_case)
    return next((found for rule in rules if (found := rule(before, group)) is not None), None)


def _lasts(report: Report) -> bool:
    """Whether a report may be linked to one that is not near: of what is stuck, and of what stays broken."""
    return report.kind == "fs_error" or report.kind in _ANSWERS or report.kind in family(Family.STALL)


def _near(a: Report, b: Report, seconds: float, lines: int) -> bool:
    if a.time is not None and b.time is not None:
        return 0 <= b.time - a.time <= seconds
    return 0 <= b.span[0] - a.span[1] <= lines


def _same_task(before: Group, group: Group) -> bool | None:
    """One task, or one function: a warning and the fault behind it, KASAN and the oops of the same access."""
    a, b = before.first.report, group.first.report
    stalls = family(Family.STALL)
    if a.kind in stalls or b.kind in stalls or not _near(a, b, _SECONDS, _LINES):
        return None
    task = a.pid is not None and a.pid == b.pid and a.pid > 1 and a.comm == b.comm
    place = a.function is not None and a.function == b.function and a.kind != b.kind
    return False if task or place else None


def _stuck(before: Group, group: Group) -> bool | None:
    """Both stuck in the same time; or a task died of an oops, with all that it held, and others wait ever since."""
    a, b = before.first.report, group.first.report
    stalls = family(Family.STALL)
    if b.kind not in stalls or a.kind not in {*stalls, *family(Family.OOPS)}:
        return None
    if a.kind in stalls:
        if a.function is not None and (a.function, a.pid) == (b.function, b.pid):
            return False
        return False if _at_once(before, group) and linked(before.first, group.first) else None
    spans = _window(before), _window(group)
    if spans[0] is None or spans[1] is None:
        return True if _close(before, group) else None
    return True if 0 <= spans[1][0] + _WAVE_SECONDS - spans[0][0] <= 2 * _WAVE_SECONDS else None


def _close(before: Group, group: Group) -> bool:
    """By their lines, where their times are not known."""
    first, last = group.first.report.span[0], before.seen[-1].span[1]
    return first <= last + _WAVE_LINES


def _at_once(before: Group, group: Group) -> bool:
    """Whether two stalls lasted at the same time."""
    stalls = family(Family.STALL)
    if not {before.first.report.kind, group.first.report.kind} <= set(stalls):
        return False
    spans = _window(before), _window(group)
    if spans[0] is None or spans[1] is None:
        return _close(before, group)
    return max(spans[0][0], spans[1][0]) - min(spans[0][1], spans[1][1]) <= _WAVE_SECONDS


def _window(group: Group) -> tuple[float, float] | None:
    """From when to when something was stuck, in seconds since boot; of a fault when it was."""
    first, last = group.seen[0].time, group.seen[-1].time
    if first is None or last is None:
        return None
    return first - _waited(group.first), last


def _waited(found: Diagnosis) -> float:
    facts = (found.facts.get(name) for name in ("waited_seconds", "stuck_seconds"))
    return next((float(fact.value) for fact in facts if fact is not None), 0.0)


def _unanswered(before: Group, group: Group) -> bool | None:
    """A device that did not answer, and who waits for it: a task, a file system, another request."""
    a, b = before.first.report, group.first.report
    if a.kind not in _ANSWERS:
        return None
    near = _near(a, b, _WAVE_SECONDS + _waited(group.first), _WAVE_LINES)
    if b.kind == "hung_task":
        return True if near else None
    if b.kind in (*_ANSWERS, "fs_error"):
        ours, theirs = _disks(a), _disks(b)
        return True if near and (not ours or not theirs or ours & theirs) else None
    return None


def _disks(report: Report) -> set[str]:
    """Disks that a report names, partitions left out."""
    named = (report.fields.get(name, "") for name in ("device", "device2", "disk"))
    found = (BLOCK.fullmatch(text.partition(": ")[0]) for text in named)
    return {whole(match[1]) for match in found if match is not None}


def _file_system(before: Group, group: Group) -> bool | None:
    """Errors of one file system on one device, however far apart; what its code warns of beside them."""
    a, b = before.first.report, group.first.report
    if "fs_error" not in (a.kind, b.kind):
        return None
    if a.kind == b.kind:
        ours, theirs = _disks(a), _disks(b)
        same = a.subtype == b.subtype and (ours == theirs if ours and theirs else _near(a, b, _SECONDS, _LINES))
        return False if same else None
    error, other = (a, b) if a.kind == "fs_error" else (b, a)
    if not _near(a, b, _SECONDS, _LINES) or other.kind in family(Family.STALL):
        return None
    own = error.function is not None and error.function == other.function
    task = bool(error.comm) and error.comm == other.comm
    of_it = bool(error.subtype) and (other.module or other.function or "").startswith(str(error.subtype))
    return False if own or task or of_it else None


def _hardware(before: Group, group: Group) -> bool | None:
    """Errors that hardware reports at once: one part that fails is seen by several."""
    a, b = before.first.report, group.first.report
    both = a.kind in _HARDWARE and b.kind in _HARDWARE
    return False if both and _near(a, b, _WAVE_SECONDS, _LINES) else None


def _one_case(before: Group, group: Group) -> bool | None:
    """One known problem, which is more than a type, explains both."""
    a, b = before.first, group.first
    if not _near(a.report, b.report, _WAVE_SECONDS, _WAVE_LINES):
        return None
    return False if not set(_known(a)).isdisjoint(_known(b)) else None


def _known(found: Diagnosis) -> Iterator[str]:
    return (one.case.id for one in found.matches[:1] if one.verdict is Verdict.YES and not one.type_only)
