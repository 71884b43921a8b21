"""Rules of the linter for claims, ``KB2xx``: who says so, where it can be read, what it costs. Drafts are excused."""

import re
from collections.abc import Iterator
from typing import Any

from kb.cases.format import PRACTICE, Document
from kb.cases.rules import SEEN, rule
from kb.cases.wording import instructs, points_elsewhere
from kb.model.case import CHECKS, Case

_COMMIT = re.compile(r"[0-9a-f]{12,40}")
_DAY = re.compile(r"20\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")
_WORDS = 4
"""Words that a caveat has at least: "None." and "Down time." tell nobody whether to dare it."""
_CHINESE = re.compile(r"[\u3400-\u9fff]")


@rule("KB201")
def _caveats(document: Document, case: Case) -> Iterator[tuple[str, int, str]]:
    """Every workaround says what it costs and where it does not help: somebody will run it at night."""
    for index, workaround in enumerate(case.workarounds):
        line = document.line(f"workaround[{index}].caveat", f"workaround[{index}]")
        if not workaround.caveat.strip():
            yield "a workaround without a caveat", line, 'add caveat = "..."'
        elif len(workaround.caveat.split()) < _WORDS and not _CHINESE.search(workaround.caveat):
            yield f"{workaround.caveat!r} says nothing", line, "how long, for whom, what is lost?"


@rule("KB202")
def _by(document: Document, case: Case) -> Iterator[tuple[str, int, str]]:
    """Every claim names who says so: a source of the case, or of a workaround `practice`, which nobody measured."""
    known = {source.id for source in case.sources}
    claims: dict[str, tuple[Any, ...]] = {
        "affected": case.affected, "fix": case.fixes, "workaround": case.workarounds, "dispute": case.disputes,
    }  # fmt: skip
    for table, rows in claims.items():
        for index, row in enumerate(rows):
            line = document.line(f"{table}[{index}].by", f"{table}[{index}]")
            if not row.by:
                yield f"[[{table}]] does not say who claims it", line, 'add by = "<id of a [[source]]>"'
            elif row.by not in known and not (table == "workaround" and row.by == PRACTICE):
                yield (
                    f"by = {row.by!r} is no source of this case",
                    line,
                    f"sources: {', '.join(sorted(known)) or 'none'}",
                )


@rule("KB203")
def _commits(document: Document, case: Case) -> Iterator[tuple[str, int, str]]:
    """Commits are cited by 12 to 40 hex digits with their subject."""
    for index, fix in enumerate(case.fixes):
        line = document.line(f"fix[{index}].commit")
        for commit in (fix.commit, *fix.prerequisites):
            if not _COMMIT.fullmatch(commit):
                yield f"{commit!r} is no commit id", line, "12 to 40 lower-case hex digits"


@rule("KB204")
def _sources(document: Document, case: Case) -> Iterator[tuple[str, int, str]]:
    """A case has a source; each has a URL, or a file and the release of the kernel that it is of."""
    from kb.kernel.release import Release

    if not case.sources:
        yield "no source", document.line("source[0]"), 'add [[source]] with an id and a url, or file = "mm/oom_kill.c"'
    for index, source in enumerate(case.sources):
        line = document.line(f"source[{index}]")
        if case.status == "imported":  # cited as its importer found it
            if not (source.text or source.url or source.file):
                yield f"the source {source.id!r} says nothing", line, "add text or url"
        elif not source.url and not (source.file and source.release):
            yield f"the source {source.id!r} has no place to read it", line, "add a url, or a file and its release"
        for name in source.release.split(","):
            if source.release and Release.parse(name.strip()) is None and not re.fullmatch(r"el\d{1,2}", name.strip()):
                line = document.line(f"source[{index}].release", f"source[{index}]")
                yield f"{name.strip()!r} is no kernel release", line, '"6.12", "5.10, 6.1", or "el7"'


@rule("KB206")
def _severities(document: Document, case: Case) -> Iterator[tuple[str, int, str]]:
    """A case says what it asks of who is on call: harmless, watch, act or stop."""
    if case.status in SEEN and not case.severity:
        yield "no severity", document.line("status"), "add severity = harmless, watch, act or stop"


@rule("KB207")
def _checks(document: Document, case: Case) -> Iterator[tuple[str, int, str]]:
    """A check has a day and what it was held against; a reviewed case had all four."""
    for index, check in enumerate(case.checked):
        line = document.line(f"checked[{index}]", "checked")
        if not _DAY.fullmatch(check.on):
            yield f"on = {check.on!r} is no day", line, "on = 2026-11-29"
    missing = [what for what in CHECKS if what not in {check.what for check in case.checked}]
    if case.status == "reviewed" and missing:
        help_ = "check it and say so in checked, or let the status be sighted or unsighted"
        yield f"reviewed without a check of {', '.join(missing)}", document.line("status"), help_


@rule("KB208")
def _causes(document: Document, case: Case) -> Iterator[tuple[str, int, str]]:
    """A summary begins with the cause: what to do stands behind it. An answer shows its first sentence as the cause."""
    if case.status in SEEN and instructs(case.summary):
        help_ = "say first what is wrong and why, then what to do"
        yield "the summary begins with an instruction", document.line("summary"), help_


@rule("KB209")
def _alone(document: Document, case: Case) -> Iterator[tuple[str, int, str]]:
    """What is shown alone points at no table, row or text of the file: title, summary, workarounds, checks."""
    shown = [("title", case.title), ("summary", case.summary)]
    for index, way in enumerate(case.workarounds):
        shown += [(f"workaround[{index}].do", way.do), (f"workaround[{index}].caveat", way.caveat)]
    for index, step in enumerate(case.verify):
        shown += [(f"verify[{index}].expect", step.expect), (f"verify[{index}].means", step.means)]
    for place, text in shown:
        if points_elsewhere(text):
            line = document.line(place, place.partition(".")[0])
            yield "a text that is shown alone points at another", line, "say what stands there"


_TWO = re.compile(r"\d+\.\d+(?:\.\d+)?-\d+\.\d+(?:\.\d+)?|.*\.[xy]")
"""What people write for a range: 5.2-5.2.14, 5.4.y."""


@rule("KB205")
def _ranges(document: Document, case: Case) -> Iterator[tuple[str, int, str]]:
    """Kernel ranges can be read (kb.kernel.release has their grammar)."""
    from kb.kernel.release import Release

    ranges = [(f"affected[{i}]", row.kernel) for i, row in enumerate(case.affected)]
    ranges += [(f"verify[{i}]", row.kernel) for i, row in enumerate(case.verify)]
    for place, text in ranges:
        for part in re.split(r"[,;]", text):
            name = part.strip().lstrip("<>=").strip()
            distribution = name in ("debian", "ubuntu", "suse", "fedora", "amazon", "oracle", "rhel", "android")
            if not name or distribution or re.fullmatch(r"el\d{1,2}", name):
                continue
            line = document.line(f"{place}.kernel")
            if Release.parse(name) is None:
                yield f"{name!r} is no kernel release", line, '">= 3.10, < 4.4" or "el7"'
            elif len(name.split()) > 1 or _TWO.fullmatch(name):
                yield f"{name!r} is no range", line, 'write ">= 5.2, <= 5.2.14"'
