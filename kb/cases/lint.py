"""The linter of cases: a rule is a function, its docstring the rule. Findings have reason, place and help.

``KB0xx`` is the format, ``KB1xx`` predicates, ``KB2xx`` claims, ``KB3xx`` samples. Drafts are held to the format only.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import kb.cases.claims  # noqa: F401 (its rules register themselves)
from kb.cases.format import SECTIONS, Document, load
from kb.cases.library import files, samples
from kb.cases.rules import RULES, SEEN, Finding, rule
from kb.errors import CaseError
from kb.facts.vocabulary import known, names
from kb.log.files import read_regular
from kb.model.case import Case, Predicate, Severity
from kb.model.verdict import Diagnosis, Verdict
from kb.words.speak import words

TITLE = 100
"""Characters of the longest title: one line of a terminal beside the id."""

SUMMARY = 300
"""Characters of the longest summary."""


_ID = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*")


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


def owed(path: Path) -> list[Finding]:
    """What a draft is excused from and still lacks: the findings that it will have once its status says more."""
    document = load(path)
    if document.case is None or document.case.status != "draft":
        return []
    now = set(_apply(document, document.case))
    return [each for each in _apply(document, replace(document.case, status="unsighted")) if each not in now]


def _apply(document: Document, case: Case) -> Iterator[Finding]:
    for number, function in sorted(RULES.items()):
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
    """The prose has the title as heading, and says What happens, Why, What to do. Notes, last, may be empty."""
    last = max(document.text.count("\n"), 1)
    if document.heading is None:
        yield "the prose has no heading", last, f"# {case.title}"
    elif document.heading[0] != case.title and case.status != "imported":
        yield "the heading is not the title", document.heading[1], f"# {case.title}"
    for name in SECTIONS:
        if name not in document.sections:
            help_ = f"add ## {name}" + (", at the end" if name == "Notes" else "")
            yield f"the section {name!r} is missing", last, help_
        elif name != "Notes" and not _written(document, name):
            yield f"the section {name!r} is empty", document.sections[name], _SAYS[name]
    if document.sections and "Notes" in document.sections and list(document.sections)[-1] != "Notes":
        yield "Notes is not the last section", document.sections["Notes"], "notes are appended to the end of the file"


_SAYS = {
    "What happens": "say what the operator sees",
    "Why": "say the mechanism, with the numbers of the sample",
    "What to do": "say what is done first, what it costs and when to stop",
}


def _written(document: Document, section: str) -> str:
    """The text of a section without comments."""
    start = document.sections[section]
    end = min((line for line in document.sections.values() if line > start), default=document.text.count("\n") + 2)
    first, *rest = "\n".join(document.text.split("\n")[start : end - 1]).split("<!--")
    return "".join([first, *(part.partition("-->")[2] for part in rest)]).strip()


@rule("KB006")
def _subsystem(document: Document, case: Case) -> Iterator[tuple[str, int, str]]:
    """A case says where kernel developers file it (`subsystem`): the index and the search go by it."""
    if not case.subsystem and case.status not in ("imported", "withdrawn"):
        yield "no subsystem", document.line("subsystem", "status"), 'e.g. subsystem = "mm/page_alloc"'


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
    """Nothing is left of the draft of `kb case new`: no text of the template, no proposal still marked `# to do:`."""
    from kb.cases.new import TEMPLATE_PREDICATE, TEMPLATE_SUMMARY, TEMPLATE_TITLE, TO_DO

    for key, value, template in (
        ("title", case.title, TEMPLATE_TITLE), ("summary", case.summary, TEMPLATE_SUMMARY),
    ):  # fmt: skip
        if value == template:
            yield f"the {key} is that of the template", document.line(key), "say it in your own words"
    for predicate in (*case.require, *(one for group in case.any for one in group)):
        if predicate.text == TEMPLATE_PREDICATE:
            yield f"{predicate.text} is the template's", predicate.line, "docs/facts.md lists what can be demanded"
    lines = document.text.split("\n")
    for key, line in document.lines.items():
        said, mark, task = lines[line - 1].partition(TO_DO)
        if mark and said.lstrip().startswith((key, f"[{key}]")):
            yield f"{key} is as it was proposed", line, f"{task.strip()}; then take the mark away ({TO_DO})"


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


@rule("KB301")
def _samples(document: Document, case: Case) -> Iterator[tuple[str, int, str]]:
    """A case that others are told has a log that must match and a near miss that must not."""
    if case.status in SEEN:
        for reason, help_ in _lacking(Path(document.path).parent):
            yield reason, document.line("id"), help_


def _lacking(folder: Path) -> Iterator[tuple[str, str]]:
    for pattern, what, why in (
        ("match-*.log", "log that must match", "the report that the case is about"),
        ("near-*.log", "near miss", "the match log with the one thing changed that makes it another problem"),
    ):
        if not samples(folder, pattern):
            yield f"no {what}", f"put a {pattern} beside the file: {why}"


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

    Of a case with ``provided`` match-*.log say maybe, and near-*.log no. A sample of either sort that is missing is a
    finding, of drafts too: nothing was tested then.

    Args:
        case: The case, its ``path`` telling where the samples lie.
        diagnose: A log's diagnoses against the library, as :func:`kb.match` gives them.
        baseline: Folder of good logs, in which only a case that says harmless may say yes or maybe.
        explain: Tells why a log that must match does not.
        told: Takes what each sample says, e.g. ``near-x.log: no``.
    """
    folder = Path(case.path).parent
    findings = [Finding("KB301", reason, case.path, 1, help_) for reason, help_ in _lacking(folder)]
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
