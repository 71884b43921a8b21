"""Diagnoses -> what the machinery around a job reads: annotations, a code quality report, SARIF, JUnit XML.

Each form is a function over the groups of a run, whose first reports stand for all; log text in it is escaped by the
rules of the form.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from kb.identity.group import Group
from kb.render.answer import answer, in_module, severity
from kb.render.safe import safe
from kb.words.speak import Words

Form = Callable[[Iterable[Group], Words, str], str]

_GITHUB = {"stop": "error", "act": "error", "watch": "warning", "harmless": "notice"}
_GITLAB = {"stop": "blocker", "act": "critical", "watch": "minor", "harmless": "info"}
_SARIF = {"stop": "error", "act": "error", "watch": "warning", "harmless": "note"}


def github(groups: Iterable[Group], words: Words, version: str) -> str:
    """Workflow commands of GitHub Actions: an annotation a group.

    Args:
        groups: Of a run.
        words: Of the language to say it in.
        version: Of kb.
    """
    return "".join(f"{row}\n" for row in (_annotation(group, words) for group in groups))


def _annotation(group: Group, words: Words) -> str:
    report = group.first.report
    first, last = report.span
    place = f"file={_property(_path(group))},line={first},endLine={last}" if report.source != "-" else ""
    title = f"title={_property(_title(group))}"
    where = ",".join(part for part in (place, title) if part)
    return f"::{_GITHUB[severity(group.first)]} {where}::{_data(_message(group, words))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(safe(text)).replace(":", "%3A").replace(",", "%2C")


def gitlab(groups: Iterable[Group], words: Words, version: str) -> str:
    """A code quality report of GitLab: an array of problems.

    Args:
        groups: Of a run.
        words: Of the language to say it in.
        version: Of kb.
    """
    rows = [
        {
            "description": _message(group, words),
            "check_name": group.first.report.kind,
            "fingerprint": group.first.signature.id,
            "severity": _GITLAB[severity(group.first)],
            "location": {
                "path": _path(group),
                "lines": {"begin": group.first.report.span[0], "end": group.first.report.span[1]},
            },
        }
        for group in groups
    ]
    return json.dumps(rows, indent=1) + "\n"


def sarif(groups: Iterable[Group], words: Words, version: str) -> str:
    """SARIF 2.1.0: one run, a rule a kind, a result a group.

    Args:
        groups: Of a run.
        words: Of the language to say it in.
        version: Of kb.
    """
    from kb.syntax.kinds import kind_of

    held = list(groups)
    kinds = list(dict.fromkeys(group.first.report.kind for group in held))
    rules = [{"id": kind, "shortDescription": {"text": kind_of(kind).means}} for kind in kinds]
    tool = {"driver": {"name": "kb", "version": version, "rules": rules}}
    run = {"tool": tool, "results": [_result(group, words, kinds) for group in held]}
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _result(group: Group, words: Words, kinds: list[str]) -> Mapping[str, Any]:
    from urllib.parse import quote

    report = group.first.report
    region = {"startLine": report.span[0], "endLine": report.span[1]}
    place = {"artifactLocation": {"uri": quote(_path(group))}, "region": region}
    return {
        "ruleId": report.kind,
        "ruleIndex": kinds.index(report.kind),
        "level": _SARIF[severity(group.first)],
        "message": {"text": _message(group, words)},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"kbSignature/v1": group.first.signature.id},
        "occurrenceCount": group.count,
    }


def junit(groups: Iterable[Group], words: Words, version: str) -> str:
    """JUnit XML: a failed test case a group; where there is none, one that passed.

    Args:
        groups: Of a run.
        words: Of the language to say it in.
        version: Of kb.
    """
    from xml.etree import ElementTree as tree

    held = list(groups)
    counts = {"tests": str(len(held) or 1), "failures": str(len(held)), "errors": "0"}
    root = tree.Element("testsuites", {"name": "kb", **counts})
    suite = tree.SubElement(root, "testsuite", {"name": "kernel log", **counts})
    for group in held:
        report = group.first.report
        names = {"classname": report.kind, "name": _title(group), "file": _path(group)}
        case = tree.SubElement(suite, "testcase", {**names, "line": str(report.span[0])})
        failure = tree.SubElement(case, "failure", {"message": _title(group), "type": report.kind})
        failure.text = _message(group, words)
    if not held:
        tree.SubElement(suite, "testcase", {"classname": "kernel log", "name": "no report"})
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tree.tostring(root, encoding="unicode") + "\n"


FORMS: Mapping[str, Form] = {"github": github, "gitlab": gitlab, "sarif": sarif, "junit": junit}


def _path(group: Group) -> str:
    """The input as the places of a repository are named: GitLab finds none that begins with ``./``."""
    return safe(group.first.report.source).removeprefix("./")


def _title(group: Group) -> str:
    report = group.first.report
    return safe(report.title + in_module(report)) + (f" x {group.count}" if group.count > 1 else "")


def _message(group: Group, words: Words) -> str:
    return "\n".join((_title(group), *_rows(group, words)))


def _rows(group: Group, words: Words) -> Iterator[str]:
    for part in answer(group.first, words, group, paths=True):
        yield f"{safe(part.label)}: {safe(part.text)}"
