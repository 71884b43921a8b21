"""The linter of cases: a rule is a function, its docstring the rule. Findings have reason, place and help.

``KB0xx`` is the format, ``KB1xx`` predicates, ``KB2xx`` claims, ``KB3xx`` samples. Drafts are held to the format only.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kb.cases.format import PRACTICE, SECTIONS, Document, load
from kb.cases.library import files, samples
from kb.cases.wording import instructs, points_elsewhere
from kb.errors import CaseError
from kb.facts.vocabulary import known, names
from kb.log.files import read_regular
from kb.model.case import CHECKS, Case, Predicate, Severity
from kb.model.verdict import Diagnosis, Verdict
from kb.words.speak import words

TITLE = 100
"""Characters of the longest title: one line of a terminal beside the id."""

SUMMARY = 300
"""Characters of the longest summary."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a case should mend."""

    rule: str
    """``KB101``."""
    reason: str
    path: str
    line: int = 1
    help: str = ""

    def __str__(self) -> str:
        text = f"error[{self.rule}]: {self.reason}\n  --> {self.path}:{self.line}"
        return f"{text}\n  help: {self.help}" if self.help else text

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


Rule = Callable[[Document, Case], Iterator[tuple[str, int, str]]]
"""Yields reason, line and help of each finding."""

RULES: dict[str, Rule] = {}
"""Rules by number; their docstrings are docs/case-format.md's list."""

_COMMIT = re.compile(r"[0-9a-f]{12,40}")
_ID = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*")


def rule(number: str) -> Callable[[Rule], Rule]:
    """Register a rule under its number."""

    def register(function: Rule) -> Rule:
        RULES[number] = function
        return function

    return register


def lint(path: Path) -> list[Finding]:
    """All findings on a case file, a case's folder, or a folder of cases."""
    findings: list[Finding] = []
    seen: dict[str, str] = {}
    for file in files(path):
        try:
            document = load(file)
        except CaseError as error:
            findings.append(Finding("KB001", error.reason, str(file)))
            continue
        findings += [
            Finding("KB001", error.reason, str(file), error.line or 1, error.help or "") for error in document.errors
        ]
        if document.case is None:
            continue
        findings += _apply(document, document.case)
        other = seen.setdefault(document.case.id, str(file))
        if other != str(file):
            findings.append(Finding("KB003", f"the id is taken by {other}", str(file), document.line("id")))
    return findings


def _apply(document: Document, case: Case) -> Iterator[Finding]:
    for number, function in RULES.items():
        if case.status == "draft" and number >= "KB2":
            continue
        for reason, line, help_ in function(document, case):
            yield Finding(number, reason, document.path, line, help_)


def _predicates(case: Case) -> Iterator[tuple[str, Predicate]]:
    yield from (("require", p) for p in case.require)
    yield from (("any", p) for group in case.any for p in group)
    yield from (("refute", p) for p in case.refute)
    yield from (("support", p) for p in case.support)
    yield from (("missing_when", p) for fix in case.fixes for p in fix.missing_when)
    yield from (("when", p) for way in case.workarounds for p in way.when)


@rule("KB002")
def _names(document: Document, case: Case) -> Iterator[tuple[str, int, str]]:
    """The id is lower case with dashes and is the folder's name, so that a case is found by either."""
    if not _ID.fullmatch(case.id):
        yield f"the id {case.id!r} is not lower-case words with dashes", document.line("id"), "e.g. nvme-timeout-ebs"
    folder = Path(document.path).resolve().parent.name
    if folder != case.id:
        yield f"the id is {case.id!r}, the folder {folder!r}", document.line("id"), "name both alike"


@rule("KB004")
def _lengths(document: Document, case: Case) -> Iterator[tuple[str, int, str]]:
    """Title and summary fit where they are shown: 100 and 300 characters, the title without a full stop."""
    if len(case.title) > TITLE:
        yield f"the title has {len(case.title)} characters", document.line("title"), f"at most {TITLE}"
    if case.title.endswith("."):
        yield "the title ends in a full stop", document.line("title"), "leave it out"
    if len(case.summary) > SUMMARY:
        help_ = f"at most {SUMMARY}; the rest belongs under ## Why"
        yield f"the summary has {len(case.summary)} characters", document.line("summary"), help_


@rule("KB005")
def _sections(document: Document, case: Case) -> Iterator[tuple[str, int, str]]:
    """The prose has a heading and the sections What happens, Why, What to do and Notes, Notes last."""
    last = max(document.text.count("\n"), 1)
    if document.heading is None:
        yield "the prose has no heading", last, f"# {case.title}"
    for name in SECTIONS:
        if name not in document.sections:
            yield (
                f"the section {name!r} is missing",
                last,
                f"add ## {name}" + (", at the end" if name == "Notes" else ""),
            )
    if document.sections and "Notes" in document.sections and list(document.sections)[-1] != "Notes":
        yield "Notes is not the last section", document.sections["Notes"], "notes are appended to the end of the file"


@rule("KB101")
def _demands(document: Document, case: Case) -> Iterator[tuple[str, int, str]]:
    """A case demands something (require or match.any), or links by signatures when it was imported."""
    if case.status != "withdrawn" and not case.require and not case.any and not case.signatures:
        yield "no predicate decides the case", document.line("match"), 'add [match] require = ["..."]'


@rule("KB102")
def _versions(document: Document, case: Case) -> Iterator[tuple[str, int, str]]:
    """A kernel version only supports: distributions backport, so a version neither demands nor rules out."""
    for role, predicate in _predicates(case):
        if predicate.fact == "kernel" and role != "support":
            help_ = "move it to support, and say the range in [[affected]]; find the evidence that tells kernels apart"
            yield f"a kernel version decides: {predicate.text}", predicate.line, help_


@rule("KB103")
def _facts(document: Document, case: Case) -> Iterator[tuple[str, int, str]]:
    """Predicates name facts that some report bears."""
    import difflib

    for _, predicate in _predicates(case):
        name = predicate.fact
        if known(name):
            continue
        near = difflib.get_close_matches(name, names(), 1)
        help_ = f"did you mean {near[0]!r}?" if near else "docs/facts.md lists them"
        yield f"no fact is called {name!r}", predicate.line, help_


@rule("KB105")
def _kinds(document: Document, case: Case) -> Iterator[tuple[str, int, str]]:
    """The kinds of a case are kinds that a report may have (docs/kinds.md)."""
    import difflib

    kinds = _known_kinds()
    for kind in case.kind:
        if kind not in kinds:
            near = difflib.get_close_matches(kind, sorted(kinds), 1)
            help_ = f"did you mean {near[0]!r}?" if near else "docs/kinds.md lists them"
            yield f"no kind is called {kind!r}", document.line("kind"), help_


def _known_kinds() -> set[str]:
    from kb.syntax.kinds import kinds

    return set(kinds())


@rule("KB104")
def _ordered(document: Document, case: Case) -> Iterator[tuple[str, int, str]]:
    """What is ordered by < <= > >= is a number (or a kernel release); anything else would be unknown for ever."""
    for _, predicate in _predicates(case):
        if predicate.op in ("<", "<=", ">", ">=") and predicate.fact != "kernel":
            text = str(predicate.value)
            if isinstance(predicate.value, bool | tuple) or not re.fullmatch(r"-?[0-9.]{1,20}", text):
                yield f"{text!r} is no number: {predicate.text}", predicate.line, "compare it with == or matches"


@rule("KB107")
def _untouched(document: Document, case: Case) -> Iterator[tuple[str, int, str]]:
    """Nothing is left of the template of `kb case new`: what the case says is said by who wrote it."""
    from kb.cases.new import TEMPLATE_PREDICATE, TEMPLATE_SUMMARY, TEMPLATE_TITLE

    for key, value, template in (
        ("title", case.title, TEMPLATE_TITLE), ("summary", case.summary, TEMPLATE_SUMMARY),
    ):  # fmt: skip
        if value == template:
            yield f"the {key} is that of the template", document.line(key), "say it in your own words"
    for predicate in (*case.require, *(one for group in case.any for one in group)):
        if predicate.text == TEMPLATE_PREDICATE:
            yield f"{predicate.text} is the template's", predicate.line, "docs/facts.md lists what can be demanded"


_VERDICTS = ("holds", "excluded", "unknown")


@rule("KB106")
def _reasons(document: Document, case: Case) -> Iterator[tuple[str, int, str]]:
    """A reason is compared with a verdict (holds, excluded, unknown), what it rests on with the name of a sentence."""
    for _, predicate in _predicates(case):
        if not predicate.fact.startswith("reason.") or predicate.op in ("present", "absent", "matches"):
            continue
        values = predicate.value if isinstance(predicate.value, tuple) else (predicate.value,)
        if predicate.fact.endswith(".because"):
            wrong = [value for value in values if not words("en").has(str(value))]
            help_ = "kb/words/en.toml lists the names"
        else:
            wrong = [value for value in values if value not in _VERDICTS]
            help_ = f"one of {', '.join(_VERDICTS)}"
        for value in wrong:
            yield f"{str(value)!r} is nothing that {predicate.fact} can be", predicate.line, help_


@rule("KB201")
def _caveats(document: Document, case: Case) -> Iterator[tuple[str, int, str]]:
    """Every workaround says what it costs and where it does not help: somebody will run it at night."""
    for index, workaround in enumerate(case.workarounds):
        if not workaround.caveat.strip():
            yield "a workaround without a caveat", document.line(f"workaround[{index}]"), 'add caveat = "..."'


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


_SEEN = ("unsighted", "sighted", "reviewed")
"""Statuses of cases that are told to others."""
_DAY = re.compile(r"20\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")


@rule("KB206")
def _severities(document: Document, case: Case) -> Iterator[tuple[str, int, str]]:
    """A case says what it asks of who is on call: harmless, watch, act or stop."""
    if case.status in _SEEN and not case.severity:
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
    if case.status in _SEEN and instructs(case.summary):
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


@rule("KB301")
def _samples(document: Document, case: Case) -> Iterator[tuple[str, int, str]]:
    """A case that others are told has a log that must match and a near miss that must not."""
    folder = Path(document.path).parent
    if case.status not in _SEEN:
        return
    for pattern, what in (("match-*.log", "log that must match"), ("near-*.log", "near miss")):
        if not samples(folder, pattern):
            yield f"no {what}", document.line("id"), f"put a {pattern} beside the file"


@rule("KB305")
def _recorded(document: Document, case: Case) -> Iterator[tuple[str, int, str]]:
    """A sighted or reviewed case names logs that a machine printed (`recorded`), or has its predicates checked."""
    folder = Path(document.path).parent
    for name in case.recorded:
        if not (folder / name).is_file():
            yield f"the recorded log {name!r} is not there", document.line("recorded"), "name files beside case.md"
    seen = any(name.startswith("match-") for name in case.recorded)
    seen = seen or any(check.what == "predicates" for check in case.checked)
    if case.status in ("sighted", "reviewed") and not seen:
        help_ = 'status = "unsighted", or recorded = ["match-x.log"] where a machine printed it'
        yield f"{case.status}, but every log is written from the formats", document.line("status"), help_
    if case.status == "unsighted" and seen:
        yield "unsighted, but a machine printed such a report", document.line("status"), 'status = "sighted"'


Explain = Callable[[Case, list[Diagnosis]], tuple[int, str]]
"""Why a case does not say yes to these diagnoses: a line of its file (0: none in particular), and the sentence."""


def run_case(
    case: Case,
    diagnose: Callable[[bytes], list[Diagnosis]],
    baseline: Path | None = None,
    *,
    explain: Explain | None = None,
    told: Callable[[str], None] | None = None,
) -> list[Finding]:
    """Run a case on its samples: match-*.log say yes, near-*.log do not, good logs are silent.

    Of a case with ``provided`` match-*.log say maybe, and near-*.log no.

    Args:
        case: The case, its ``path`` telling where the samples lie.
        diagnose: A log's diagnoses against the library, as :func:`kb.match` gives them.
        baseline: Folder of good logs, in which only a case that says harmless may say yes or maybe.
        explain: Tells why a log that must match does not.
        told: Takes what each sample says, e.g. ``near-x.log: no``.
    """
    findings: list[Finding] = []
    folder = Path(case.path).parent
    best = Verdict.MAYBE if case.provided else Verdict.YES
    for path in samples(folder, "match-*.log", "near-*.log"):
        diagnoses = diagnose(read_regular(path))
        found = _verdicts(case, diagnoses)
        said = " and ".join(dict.fromkeys(verdict.value for verdict in found)) or "no"
        if told is not None:
            told(f"{path.name}: {said}" if diagnoses else f"{path.name}: no report in it")
        if path.name.startswith("match-"):
            if best not in found:
                line, why = explain(case, diagnoses) if explain is not None else (0, _WHY)
                reason = f"{path.name} must match, the case says {said}"
                findings.append(Finding("KB302", reason, case.path if line else str(path), line or 1, why))
        elif best in found:
            reason = f"{path.name} must not match, the case says {best.value}"
            findings.append(Finding("KB303", reason, str(path), 1, _NEAR))
    good = sorted(baseline.glob("*.log")) if baseline is not None and case.severity != Severity.HARMLESS else ()
    for path in good:
        if _verdicts(case, diagnose(read_regular(path))):
            findings.append(Finding("KB304", f"{case.id} speaks up on a good log", str(path), 1, _WHY))
    return findings


_NEAR = "no predicate tells it from the logs that match: require or refute what differs (`kb case facts` on both)"
_WHY = "`kb match -v` shows each predicate with its verdict"


def _verdicts(case: Case, diagnoses: list[Diagnosis]) -> list[Verdict]:
    return [match.verdict for found in diagnoses for match in found.matches if match.case.id == case.id]
