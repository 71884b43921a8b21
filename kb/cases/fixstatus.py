"""Is the fix of a case in the kernel at hand? Evidence decides, versions inform, and "unknown" says why.

The order of the tests is the argument:

1. What the report itself shows (``missing_when`` of a fix) beats every version: distributions backport and revert.
2. A release that has the fix by its number is "fixed", unless the evidence says the case is here: then "unknown".
3. A release inside a range known to be affected, or before the fix on its own branch, is "affected".
4. The rest is "unknown": no release in the log, a distribution that may have backported it, no fix known.

Of several fixes on one branch the first decides; the others complete it.
"""

from typing import NamedTuple

from kb.cases.predicate import both, evaluate
from kb.kernel.release import Release
from kb.model.case import Case, Fix
from kb.model.said import Said
from kb.model.verdict import Facts, Verdict
from kb.words.speak import said


class FixStatus(NamedTuple):
    """``affected``, ``fixed`` or ``unknown``, and the sentence that says why."""

    status: str
    why: Said

    @property
    def reason(self) -> str:
        """Why, in English."""
        return str(self.why)


def fix_status(
    case: Case, kernel: str | None, facts: Facts | None = None, verdict: Verdict = Verdict.MAYBE
) -> FixStatus:
    """Whether a kernel has the fix of a case.

    Args:
        case: The case.
        kernel: Release as ``uname -r`` prints it, None where it is not known.
        facts: What a report bears, for the evidence; None to ask about a release alone.
        verdict: What the case's predicates say of that report.
    """
    for fix in case.fixes:
        if facts is not None and fix.missing_when and (shown := _shown_missing(fix, facts)):
            return FixStatus("affected", said("fix.shown_missing", fix=cite(fix), shown=shown))
    if kernel is None:
        return FixStatus("unknown", said("fix.release_not_known"))
    release = Release.parse(kernel)
    if release is None:
        return FixStatus("unknown", said("fix.release_unreadable", release=repr(kernel)))
    return by_version(case, release, verdict)


def by_version(case: Case, release: Release, verdict: Verdict = Verdict.MAYBE) -> FixStatus:
    """The same from the release's number alone."""
    answers = [(fix, has(fix, release)) for fix in _deciding(case)]
    for fix, answer in answers:
        if answer is Verdict.YES:
            if verdict is Verdict.YES:
                return FixStatus("unknown", said("fix.there_yet_matches", release=release.name, fix=cite(fix)))
            return FixStatus("fixed", said("fix.there", release=release.name, fix=cite(fix)))
    for fix, answer in answers:
        if answer is Verdict.MAYBE and (_own_branch(fix, release) or _candidate(fix, release)):
            return FixStatus("unknown", said("fix.may_be_there", release=release.name, fix=cite(fix)))
    ranges = [(affected, release.within(affected.kernel)) for affected in case.affected]
    for affected, answer in ranges:
        if answer is Verdict.YES:
            if not case.fixes and not _ends(affected.kernel):
                break  # "all kernels" of what nothing mends says nothing of this one
            by = said("part.says", who=affected.by) if affected.by else None
            return FixStatus("affected", said("fix.in_range", release=release.name, range=affected.kernel, by=by))
    for fix, answer in answers:
        if answer is Verdict.NO and (not ranges or any(inside is Verdict.MAYBE for _, inside in ranges)):
            return FixStatus("affected", said("fix.comes_later", release=release.name, fix=cite(fix)))
    if ranges and all(answer is Verdict.NO for _, answer in ranges):
        return FixStatus("unknown", said("fix.outside_ranges", release=release.name))
    if not case.fixes:
        return FixStatus("unknown", said("fix.none_known"))
    return FixStatus("unknown", said("fix.may_be_backported", release=release.name))


def _ends(range_text: str) -> bool:
    """Whether a range ends, or names releases and distributions."""
    return "<" in range_text or ">" not in range_text


def mended(case: Case, release: Release, facts: Facts | None = None) -> Fix | None:
    """The fix that a release has by its own number, unless the report shows it to be missing.

    None too where a range without an end holds the release: the fix cures one of the case's causes.
    """
    if any(not _ends(one.kernel) and release.within(one.kernel) is Verdict.YES for one in case.affected):
        return None
    if facts is not None and any(fix.missing_when and _shown_missing(fix, facts) for fix in case.fixes):
        return None
    return next((fix for fix in _deciding(case) if has(fix, release) is Verdict.YES), None)


def has(fix: Fix, release: Release) -> Verdict:
    """Whether a release has a fix, by the number of its branch; MAYBE where the branch is not this release's."""
    if fix.since is None:
        return Verdict.MAYBE
    if _candidate(fix, release):
        return Verdict.MAYBE
    if fix.branch == "mainline":
        return release.within(f">= {fix.since}")
    since = Release.parse(fix.since)
    if since is None or since.base != release.base:
        return Verdict.MAYBE
    inside = release.within(f">= {fix.since}")
    if since.family == release.family or release.family == "local":
        return inside
    # a distribution that follows the stable branch has what its point release has, and may have more
    return inside if inside is Verdict.YES and since.family == "mainline" else Verdict.MAYBE


def _own_branch(fix: Fix, release: Release) -> bool:
    """Whether a fix is of the stable branch that a release is made from."""
    since = Release.parse(fix.since) if fix.since is not None and fix.branch != "mainline" else None
    return since is not None and since.family == "mainline" and since.base == release.base


def _candidate(fix: Fix, release: Release) -> bool:
    """Whether a release is a candidate of the one that a fix came with: it may have come in any of them."""
    since = Release.parse(fix.since) if fix.since is not None else None
    return since is not None and since.rc is None and release.rc is not None and release.version == since.version


def cite(fix: Fix) -> str:
    """A commit as kernel developers cite it: ``97a16fc82a7c ("mm, page_alloc: ...") (in v4.4)``."""
    text = f'{fix.commit[:12]} ("{fix.subject}")' if fix.subject else fix.commit[:12]
    if fix.since is None:
        return text
    return f"{text} (in {'v' if fix.since[:1].isdigit() and '-' not in fix.since else ''}{fix.since})"


def _deciding(case: Case) -> list[Fix]:
    """The first fix of each branch, stable branches and distributions before mainline: they know better."""
    first: dict[str, Fix] = {}
    for fix in case.fixes:
        first.setdefault(fix.branch, fix)
    return sorted(first.values(), key=lambda fix: fix.branch == "mainline")


def _shown_missing(fix: Fix, facts: Facts) -> tuple[Said, ...]:
    """Why the report shows the fix to be missing; empty when it does not."""
    judged = [evaluate(predicate, facts) for predicate in fix.missing_when]
    if both([found.verdict for found in judged]) is not Verdict.YES:
        return ()
    return tuple(
        said("fix.shown", predicate=predicate.text, why=judgement.why)
        for predicate, judgement in zip(fix.missing_when, judged, strict=True)
    )
