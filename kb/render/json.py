"""Diagnosis -> the ``kb.report/1`` object. Fields may be added, never changed."""

import json
import math
from collections.abc import Callable, Iterable
from typing import Any

from kb.model.case import Case
from kb.model.report import Frame, Report
from kb.model.said import Said
from kb.model.verdict import Diagnosis, Fact, Match, Reason

SCHEMA = "kb.report/1"


def line(value: Any, default: Callable[[Any], Any] | None = None) -> str:
    """A value as one line of JSON in ASCII: exact, and nothing in it can drive a terminal.

    Args:
        value: Plain values.
        default: What makes plain values of others.
    """
    return json.dumps(value, ensure_ascii=True, default=default).replace("\x7f", "\\u007f")


def case_line(case: Case) -> dict[str, Any]:
    """A case in a list (``kb.case-line/1``)."""
    return {
        "schema": "kb.case-line/1",
        "id": case.id,
        "status": case.status,
        "severity": case.severity,
        "kind": list(case.kind),
        "title": case.title,
    }


def to_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """Plain values only: dict, list, str, int, float, bool, None."""
    report, facts, mark = diagnosis.report, diagnosis.facts, diagnosis.signature
    return {
        "schema": SCHEMA,
        "source": report.source,
        "sources": list(report.sources or (report.source,)),
        "lines": list(report.span),
        "kind": report.kind,
        "subtype": report.subtype,
        "title": report.title,
        "alt_titles": list(report.alt_titles),
        "function": report.function,
        "module": report.module,
        "corrupted": report.corrupted,
        "corrupted_named": _named(report.damage),
        "kernel": report.kernel,
        "arch": report.arch,
        "comm": report.comm,
        "pid": report.pid,
        "cpu": report.cpu,
        "time": report.time,
        "wall": report.wall,
        "host": report.host,
        "taint": report.taint,
        "headline": report.headline,
        "follows": report.follows,
        "input_notes": list(report.input_notes),
        "frames": [_frame(frame) for frame in report.frames],
        "traces": _traces(report),
        "signature": {
            "id": mark.id,
            "version": mark.version,
            "key": mark.key,
            "chosen_because": mark.chosen_because,
            "chosen_because_named": _named(mark.guilt),
            "alt": list(mark.alt),
            "former": list(mark.former),
            "stack": mark.stack,
        },
        "facts": plain(facts.detail),
        "diagnosis": {
            "cause": facts.cause,
            "summary": facts.summary,
            "summary_named": facts.conclusion.to_json() if facts.conclusion is not None else None,
            "reasoning": [_reason(reason) for reason in facts.reasoning],
            "unknown": list(facts.unknown),
            "unknown_named": _named(facts.missing),
            "next_steps": list(facts.next_steps),
            "next_steps_named": _named(facts.steps),
        },
        "matches": [_match(match) for match in diagnosis.matches],
        "known_fixes": [_known_fix(match) for match in diagnosis.known_fixes],
        "similar": similar(diagnosis),
        "group": diagnosis.group,
        "of": diagnosis.of,
        "incident": diagnosis.incident,
    }


def similar(diagnosis: Diagnosis) -> list[dict[str, Any]]:
    """The neighbours that similarity suggests."""
    return [
        {"case": other.case, "signature": other.signature, "score": round(other.score, 3), "title": other.title}
        for other in diagnosis.similar
    ]


def _frame(frame: Frame) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "function": frame.function,
        "offset": frame.offset,
        "size": frame.size,
        "module": frame.module,
        "reliable": frame.reliable,
        "line": frame.line,
    }
    if frame.source is not None:
        shown["source"] = frame.source
    if frame.inline:
        shown["inline"] = True
    return shown


def _traces(report: Report) -> list[dict[str, Any]]:
    return [
        {
            "role": trace.role,
            "title": trace.title,
            "line": trace.line,
            "cpu": trace.cpu,
            "frames": [_frame(frame) for frame in trace.frames],
        }
        for trace in report.traces
        if trace.role != "main"
    ]


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        **reason.says.to_json(),
        "claim": reason.claim,
        "verdict": reason.verdict,
        "because": reason.because,
        "because_named": _named(reason.why),
        "evidence": [list(span) for span in reason.evidence],
        "numbers": list(reason.numbers),
    }


def _match(match: Match) -> dict[str, Any]:
    case = match.case
    return {
        "case": case.id,
        "title": case.title,
        "status": case.status,
        "severity": match.severity,
        "verdict": match.verdict.value,
        "score": round(match.score, 3),
        "how": match.how,
        "type_only": match.type_only,
        "doubts": [str(doubt) for doubt in match.doubts],
        "doubts_named": _named(match.doubts),
        "predicates": [
            {
                "text": mark.predicate.text,
                "role": mark.role,
                "verdict": mark.verdict.value,
                "because": mark.because,
                "because_named": mark.why.to_json() if mark.why is not None else None,
                "evidence": [list(span) for span in mark.evidence],
            }
            for mark in match.marks
        ],
        "fixes": [
            {"commit": fix.commit, "since": fix.since, "subject": fix.subject, "branch": fix.branch}
            for fix in case.fixes
        ],
        "fix_status": match.fix_status,
        "fix_reason": match.fix_reason,
        "fix_reason_named": match.fix_why.to_json() if match.fix_why is not None else None,
        "workarounds": [{"do": way.do, "caveat": way.caveat} for way in match.workarounds],
        "verify": [{"run": step.run, "expect": step.expect, "means": step.means} for step in case.verify],
        "disputes": [{"claim": dispute.claim, "finding": dispute.finding} for dispute in case.disputes],
    }


def _known_fix(match: Match) -> dict[str, Any]:
    fixes = match.case.fixes
    return {
        "id": match.case.id.upper(),
        "title": match.case.title,
        "verdict": match.verdict.value,
        "score": round(match.score, 3),
        "commit": next((fix.commit for fix in fixes if fix.branch == "mainline"), fixes[0].commit if fixes else None),
        "fixed_in": [fix.since for fix in fixes if fix.since is not None],
        "fix_status": match.fix_status,
        "fix_reason": match.fix_reason,
        "fix_reason_named": match.fix_why.to_json() if match.fix_why is not None else None,
        "how": match.how,
        "doubts": [str(doubt) for doubt in match.doubts],
        "doubts_named": _named(match.doubts),
        "files": list(match.case.files),
    }


def _named(sentences: Iterable[Said]) -> list[dict[str, Any]]:
    """Sentences by name and values, for who reads no English."""
    return [sentence.to_json() for sentence in sentences]


def plain(value: Any) -> Any:
    """A value of facts made of plain types: tuples and sets are lists, facts their value."""
    if isinstance(value, Fact):
        return plain(value.value)
    if isinstance(value, dict) or hasattr(value, "items"):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(plain(item) for item in value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:  # arithmetic over a damaged report
        return None
    return value
