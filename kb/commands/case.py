"""``kb case``: the case library from the command line."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from kb import api
from kb.cli import OK, UNUSABLE, note
from kb.commands import did_you_mean, opened
from kb.errors import UsageError
from kb.render.json import case_line
from kb.render.safe import safe, safe_lines

if TYPE_CHECKING:
    from kb.model.case import Case
    from kb.model.verdict import Diagnosis


def list_cases(options: argparse.Namespace) -> int:
    """One line a case."""
    with opened(options) as base:
        cases = base.cases
    if options.json:
        _json(map(case_line, cases))
        return OK
    size = max((len(case.id) for case in cases), default=0)
    for case in cases:
        print(safe(f"{case.id:<{size}}  {case.status:<9}  {', '.join(case.kind)}  {case.title}"))
    return OK


def show(options: argparse.Namespace) -> int:
    """One case whole."""
    with opened(options) as base:
        case = base.case(options.id)
    if case is None:
        raise UsageError(
            f"no case {options.id!r}",
            help=did_you_mean(options.id, base) or "`kb case list` names them all, `kb case search` imported ones",
        )
    if options.json:
        from dataclasses import asdict

        _json([{"schema": "kb.case/1", **asdict(case)}])
    else:
        from kb.render.case import case_text

        print(case_text(case), end="")
    return OK


def lint(options: argparse.Namespace) -> int:
    """Findings of the linter, lnav's way: what, where, why, what to do."""
    from kb.cases.library import files
    from kb.cases.lint import lint as check
    from kb.cases.lint import owed

    findings = [finding for path in _paths(options) for finding in check(path)]
    for path in (file for given in options.paths for file in files(Path(given))):
        if owing := owed(path):
            told = "; ".join(f"{finding.rule} {finding.reason}" for finding in owing)
            note(f"{path.parent.name} is a draft, excused from KB201 and above; before its status says more: {told}")
    return _report(findings, options.json)


def verify_sources(options: argparse.Namespace) -> int:
    """What cases cite, against the facts of known fixes and against git trees."""
    from kb.cases.format import load
    from kb.cases.library import files
    from kb.imports.verify import History, Pack, Tree, verify
    from kb.known.pack import PACKED

    histories: list[History] = [Tree(Path(path)) for path in options.git]
    if options.pack or PACKED.is_file():
        histories.append(Pack(Path(options.pack) if options.pack else PACKED))
    if not histories:
        raise UsageError("nothing to check against", help="give a clone of the kernel: --git DIR, or --pack FILE")
    tally = verify([load(file) for path in _paths(options) for file in files(path)], histories)
    wrong, unknown = len(tally.findings), tally.cited - tally.confirmed
    note(f"{tally.cited} fixes cited, {tally.confirmed} confirmed, {unknown} not; {wrong} contradictions")
    return _report(tally.findings, options.json)


def test(options: argparse.Namespace) -> int:
    """Run cases on their samples; one without a log that must match or a near miss is not tested, and fails."""
    from kb.cases.lint import run_case

    with opened(options) as base:
        known = {case.id: case for case in base.cases}
    chosen = _named(options.paths) if options.paths else list(known.values())
    cases = tuple({**known, **{case.id: case for case in chosen}}.values())
    findings = []
    for case in chosen:
        told: list[str] = []
        findings += run_case(
            case, lambda data: api.match(data, cases=cases, notices=True), explain=_why_not, told=told.append
        )
        if options.paths:
            print(safe(f"{case.id}: {', '.join(told) or 'no sample'}"), file=sys.stderr)
    note(f"{len(chosen)} cases run")
    return _report(findings, options.json)


def _named(paths: Iterable[str]) -> "list[Case]":
    """The cases in folders or files, wherever these lie."""
    from kb.cases.format import load
    from kb.cases.library import files
    from kb.errors import CaseError

    found = []
    for path in paths:
        places = files(Path(path))
        if not places:
            raise CaseError("no case in it", path=path, help="a case is a folder with a case.md")
        for place in places:
            document = load(place)
            if document.errors or document.case is None:
                raise document.errors[0]
            found.append(document.case)
    return found


def _why_not(case: "Case", diagnoses: "list[Diagnosis]") -> tuple[int, str]:
    """What keeps a case from a log that it must match: the first predicate that does not hold, with its line."""
    from kb.matcher import deciding, judge
    from kb.render.safe import spans

    if not diagnoses:
        return 0, "kb finds no report in the log"
    for found in diagnoses:
        judged = judge(case, found.facts, found.signature, found.report.kind)
        if judged is None:
            continue
        marks = [f"{mark.predicate.text}: {mark.because} {spans(mark.evidence)}".rstrip() for mark in deciding(judged)]
        line = next((mark.predicate.line for mark in deciding(judged)), 0)
        return line, "; ".join(marks[:_REASONS]) or "`kb match -v` shows each predicate with its verdict"
    kinds = {found.report.kind for found in diagnoses}
    kinds = kinds - {"notice"} or kinds  # single messages beside the report are not what the log is there for
    named = ", ".join(sorted(kinds))
    return 1, f"the case is about {', '.join(case.kind)}, the report is of kind {named}"


_LISTED = 12
"""Reports that an error lists."""
_REASONS = 3
"""Predicates that a finding names."""


def facts(options: argparse.Namespace) -> int:
    """The facts of a log's reports as predicates."""
    from kb.cases.paste import predicates
    from kb.render.safe import spans

    diagnoses = api.match(Path(options.log), cases=(), notices=True, kernel=options.kernel, told=note)
    if not diagnoses:
        raise UsageError(f"no report in {options.log}", help="give a log that holds the report")
    for diagnosis in diagnoses:
        print(safe(f"# {diagnosis.report.title}   {spans((diagnosis.report.span,))}"))
        for text, evidence in predicates(diagnosis.facts):
            print(safe(f"{text}   {spans(evidence)}".rstrip()))
    return OK


def new(options: argparse.Namespace) -> int:
    """Start a case folder."""
    from kb.cases.new import new_case

    diagnosis, found = None, []
    if options.log:
        found = api.match(Path(options.log), cases=(), notices=True, told=note)
        if not found:
            raise UsageError(f"no report in {options.log}", help="give a log that holds the report, or none")
        if not 1 <= options.report <= len(found):
            titles = "; ".join(f"{number} {each.report.title}" for number, each in enumerate(found[:_LISTED], 1))
            raise UsageError(f"no report {options.report} in {options.log}: it holds {len(found)}", help=titles)
        diagnosis = found[options.report - 1]
        if len(found) > 1:
            note(f"report {options.report} of {len(found)}, {diagnosis.report.title}: --report N takes another")
    print(new_case(Path(options.into), options.id, diagnosis, found))
    return OK


def index(options: argparse.Namespace) -> int:
    """The generated index of the cases."""
    from kb.cases import library
    from kb.cases.new import index_markdown

    with opened(options) as base:
        text = index_markdown(base.cases)
    if options.write:
        folder = library.origins([options.cases] if options.cases else [])[-1]
        if folder.resolve() == library.folder("cases") and (folder.parent / "cli.py").exists():  # inside the package
            raise UsageError("these are the cases that kb was installed with", help="name your own: --cases DIR")
        place = folder / "README.md"
        place.write_text(text, encoding="utf-8")
        print(place)
    else:
        print(safe_lines(text), end="")
    return OK


def _paths(options: argparse.Namespace) -> list[Path]:
    if options.paths:
        return [Path(path) for path in options.paths]
    from kb.cases.library import origins

    return origins([options.cases] if options.cases else [])


def _report(findings: Iterable, as_json: bool) -> int:  # type: ignore[type-arg]
    findings = list(findings)
    if as_json:
        _json(finding.to_json() for finding in findings)
    else:
        for finding in findings:
            print(safe_lines(str(finding)))
    return UNUSABLE if findings else OK


def _json(objects: Iterable[object]) -> None:
    from kb.render.json import line

    for each in objects:
        print(line(each, default=str))
