"""Whether an imported fix that shares a key with a report is of the report's problem.

A key is a kind and a function. Where the function only waits, reports or dispatches, or where several fixes share the
key, it tells one bug from no other; and a function that many reach fails for reasons that lie with its callers. So a
link is sure only where key, stack and place agree and nothing in the log speaks against it:

* *key*: no other fix that the kernel may lack has it, or none whose stack is as near; its function does work of
  its own, or all of the way to it is the same;
* *stack*: the alignment with a stack that the fix quotes; where that has callers, so must the log's;
* *place*: the log's stack holds what the fix's files are about: names in the kernel begin with that of their
  driver, file system or protocol, which is that of its folder or file (``fs/ext4/inode.c``: ``ext4_writepages``);
* *kernel*: the release lies in no range known to be free of the problem, the architecture is that of the fix's files.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

from kb.cases.fixstatus import cite, mended
from kb.identity.common import is_generic
from kb.identity.rank import Query, judge
from kb.kernel.release import Release
from kb.model.case import Case
from kb.model.report import Report
from kb.model.said import Said
from kb.model.stack import Stack
from kb.model.verdict import Verdict
from kb.syntax.kinds import Family, family
from kb.words.speak import said

OWN, ALIKE, WHOLE, SAME = 0.4, 0.5, 0.7, 0.85
"""Scores of an alignment from which stacks agree: the blamed function itself is of the fix's files, some other function
of the stack is, none tells. Half is what another compiler's inlining and a cut end leave of a stack; less is
left where a softirq came upon another task; without the place the callers must be there, too. Where the blamed function
is one that many reach, nothing of the way there may differ but what an unwinder guesses (``?``)."""
APART = 0.15
"""What a stack must agree better than those of all other fixes that share the key, to tell it from them."""
_CALLED = 2
"""Functions that stacks must have, and share where no name among them tells the place: one alone has no caller."""
_PLACED = ("memory_leak", "fs_error")
"""Kinds whose stack says who asked for what was lost, and who gave up for what went wrong elsewhere."""
_DRIVERS = ("drivers/", "sound/")
_HEADLESS, _COMPLAINT = "unknown", "warning"
_SHORTEST = 3
"""Letters of a name that others begin with; one of two is a part of them (``xe_vm_rebind``)."""
_STEM = 4
"""Letters from which a part of a function's name may stand for a longer word of a path (``hclge`` for ``hclgevf``)."""
_EVERYWHERE = frozenset(
    # what many folders and files are called says nothing of where one is
    "kernel drivers driver net core main common init base dev device devices file inode super lib include linux uapi"
    " asm arch mm fs sound block security ipc virt tools misc util utils ops api mgmt hw generic internal private debug"
    " test page pages memory mem data list queue sys ioctl read write open close alloc free map get set add del put"
    " lock table cache cpu irq io ip of rx tx id".split()
)
_FOLDERS = {"x86_64": "x86", "i386": "x86", "ppc64": "powerpc", "s390x": "s390", "sparc64": "sparc"}
"""Folders under arch/ of the architectures that are called otherwise."""


def link(
    query: Query,
    report: Report,
    case: Case,
    stacks: Sequence[Stack],
    rarity: Mapping[str, float],
    sharing: int,
    rival: float = 1.0,
    least: float = 0.0,
) -> tuple[Verdict, tuple[Said, ...]]:
    """Whether a case that a key of a report links to explains it.

    Args:
        query: The report as similarity sees it.
        report: The report itself.
        case: An imported case.
        stacks: What it quotes.
        rarity: :func:`kb.identity.align.idf` of every frame of both.
        sharing: How many imported cases the key links to, this one included, that the kernel may have.
        rival: :func:`nearest` of the others among them: how well the best of their stacks agrees with the report's.
        least: What the stacks must agree at least: the more fixes a report is held against, the more of them will share
            its key and half of its stack by chance; above 0 those whose stack tells nothing of the place are sure only
            where the report's kind says whose fault it is.

    Returns:
        YES without a doubt, MAYBE with the reasons of the doubt, NO with what contradicts.
    """
    against = _elsewhere(report, case)
    if against:
        return Verdict.NO, tuple(against)
    alike, closest = nearest(query, stacks, rarity)
    known, there = _place(query.frames, report, case, closest)
    if known and not there and alike < ALIKE:
        return Verdict.NO, (said("link.other_place"),)
    shared = sharing > 1 and (alike < WHOLE or alike - rival < APART)
    doubts = [said("link.shared", others=sharing - 1)] if shared else []
    unknown = query.function is None
    # a function that many reach tells no bug from others; all of the way to it, through the fix's own files, does
    reached = not unknown and there and alike >= SAME and query.kind not in family(Family.STALL)
    if unknown or (is_generic(query.function or "") and not reached):
        doubts.append(said("link.no_function") if unknown else said("link.generic", function=query.function))
        if not there and alike < WHOLE:
            return Verdict.NO, tuple(doubts)
    if not there:
        few = closest is None or len({*closest.frames} & {*query.frames}) < _CALLED
        elsewhere = few or query.kind in _PLACED or query.kind in family(Family.STALL)
        elsewhere = elsewhere or (query.kind == _COMPLAINT and _of_a_driver(case))
        doubts += [said("link.other_place")] if known or alike < WHOLE or (least and elsewhere) else []
    elif alike < max(least, _enough(query, case)) or (query.kind in _PLACED and len(query.frames) < _CALLED):
        doubts.append(said("link.other_stack", percent=alike))
    if not doubts and len(query.frames) < min(_CALLED, len(closest.frames) if closest is not None else 0):
        doubts.append(said("link.key_only"))  # the fix tells who called the function, the log does not
    doubts += another_time(report, case)
    return (Verdict.MAYBE if doubts else Verdict.YES), tuple(doubts)


def nearest(query: Query, stacks: Iterable[Stack], rarity: Mapping[str, float]) -> tuple[float, Stack | None]:
    """The stack of a case that agrees best with a report's, and how well it does: 0..1.

    A single function is in no agreement with a stack, whatever it is.
    """
    fit = [stack for stack in stacks if len(stack.frames) > 1 or len(query.frames) <= 2]
    return max(
        ((judge(query, stack, rarity).alignment.score, stack) for stack in fit),
        key=lambda pair: pair[0],
        default=(0.0, None),
    )


def _of_a_driver(case: Case) -> bool:
    """Whether all of the fix is in drivers: where the core warns, any other of them may have had it do so."""
    return bool(case.files) and all(path.startswith(_DRIVERS) for path in case.files)


def _enough(query: Query, case: Case) -> float:
    """How much of the stack must agree where the place does."""
    if query.kind == _HEADLESS or query.kind in family(Family.STALL):
        # a stack without its headline names a function and no fault; who waits or is slow is seldom whose bug it is:
        # the whole way there must be the same
        return WHOLE
    return OWN if _about(query.function or "", _paths(case)) else ALIKE


def _place(frames: Iterable[str], report: Report, case: Case, stack: Stack | None) -> tuple[bool, bool]:
    """Whether a stack of the case tells where its fix is, and whether the log's is there too."""
    words = _paths(case)
    own = {name for name in (stack.frames if stack is not None else ()) if _about(name, words)}
    modules = {frame.module for trace in report.traces for frame in trace.frames if frame.module}
    there = not own.isdisjoint(frames) or any(_about(module.replace("-", "_"), words) for module in modules)
    return bool(own), there


def _paths(case: Case) -> frozenset[str]:
    """The words of the fix's files; of its subsystem where they are not known."""
    return _words(case.files or (case.subsystem,))


@lru_cache(maxsize=1024)
def _words(paths: tuple[str, ...]) -> frozenset[str]:
    """What folders and files are called, without what many are called."""
    parts = (part for path in paths for part in re.split(r"[/_.-]", re.sub(r"\.[a-z]{1,4}$", "", path.lower())))
    return frozenset(part for part in parts if len(part) >= _SHORTEST - 1 and part not in _EVERYWHERE)


def _about(name: str, words: Collection[str]) -> bool:
    """Whether a part of a function's or module's name begins like a word of the paths."""
    parts = [part for part in name.lower().split("_") if len(part) >= _SHORTEST - 1]
    return any(
        part == word
        or (len(word) >= _SHORTEST and part.startswith(word))
        or (len(part) >= _STEM and word.startswith(part))
        for part in parts
        for word in words
    )


def _elsewhere(report: Report, case: Case) -> list[Said]:
    """All files of the fix are of architectures that this machine is not."""
    own = _FOLDERS.get(report.arch or "", report.arch)
    places = {path.split("/")[1] if path.startswith("arch/") else None for path in case.files}
    if own is None or not places or None in places or own in places:
        return []
    return [said("link.other_arch", arch=report.arch, places=sorted(filter(None, places)))]


def another_time(report: Report, case: Case) -> list[Said]:
    """The release has the fix by its number, or no range that is known to have the problem can hold it."""
    release = Release.parse(report.kernel) if report.kernel else None
    if release is None:
        return []
    fix = mended(case, release)
    if fix is not None:
        return [said("fix.there", release=release.name, fix=cite(fix))]
    if not case.affected or any(release.within(each.kernel) is not Verdict.NO for each in case.affected):
        return []
    return [said("fix.outside_ranges", release=release.name)]
