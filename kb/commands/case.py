"""``kb case``: the case library from the command line."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from kb import api
from kb.cli import OK, UNUSABLE
from kb.errors import UsageError


def list_cases(options: argparse.Namespace) -> int:
    """One line a case."""
    cases = api.library(options.cases).cases
    if options.json:
        _json({"id": case.id, "status": case.status, "kind": list(case.kind), "title": case.title} for case in cases)
        return OK
    size = max((len(case.id) for case in cases), default=0)
    for case in cases:
        print(f"{case.id:<{size}}  {case.status:<9}  {', '.join(case.kind)}  {case.title}")
    return OK


def show(options: argparse.Namespace) -> int:
    """One case whole."""
    with api.KnowledgeBase(options.db, cases=options.cases) as base:
        case = base.case(options.id)
    if case is None:
        raise UsageError(
            f"no case {options.id!r}", help="`kb case list` names them all, `kb case search` imported ones"
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
    from kb.cases.lint import lint as check

    findings = [finding for path in _paths(options) for finding in check(path)]
    return _report(findings, options.json)


def test(options: argparse.Namespace) -> int:
    """Run cases on their samples."""
    from kb.cases.lint import test_case

    cases = api.library(options.cases).cases
    wanted = [Path(path).resolve() for path in options.paths]
    findings, run = [], 0
    for case in cases:
        if wanted and not any(Path(case.path).resolve().is_relative_to(path) for path in wanted):
            continue
        run += 1
        findings += test_case(case, lambda data: api.match(data, cases=cases, notices=True))
    print(f"kb: {run} cases run", file=sys.stderr)
    return _report(findings, options.json)


def new(options: argparse.Namespace) -> int:
    """Start a case folder."""
    from kb.cases.new import new_case

    diagnosis = None
    if options.log:
        diagnosis = next(iter(api.match(Path(options.log), cases=(), notices=True)), None)
        if diagnosis is None:
            raise UsageError(f"no report in {options.log}", help="give a log that holds the report, or none")
    print(new_case(Path(options.into), options.id, diagnosis))
    return OK


def index(options: argparse.Namespace) -> int:
    """The generated index of the cases."""
    from kb.cases.library import origins
    from kb.cases.new import index_markdown

    text = index_markdown(api.library(options.cases).cases)
    if options.write:
        place = origins([options.cases] if options.cases else [])[-1] / "README.md"
        place.write_text(text, encoding="utf-8")
        print(place)
    else:
        print(text, end="")
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
            print(finding)
    return UNUSABLE if findings else OK


def _json(objects: Iterable[object]) -> None:
    import json

    for each in objects:
        print(json.dumps(each, ensure_ascii=True, default=str))
