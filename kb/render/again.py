"""Lines of JSON, those of equal reports by a form: a storm of equal reports is put into words once.

What the diagnoses of equal reports say differs in line numbers, and in what does not come from the text. The form of
such a line is made of a diagnosis moved so far that no other number is like its line numbers, and used if it gives what
the diagnosis itself gives.
"""

import re
from collections.abc import Hashable
from typing import Any, NamedTuple

from kb.model.moved import moved_diagnosis, moved_report, origin
from kb.model.verdict import Diagnosis, Match
from kb.render.json import line, similar, to_json

_FAR = 10**15
"""Lines that a diagnosis is moved by: no input has so many."""
_FORMS = 256
"""Forms that are remembered."""
_NUMBER = re.compile(r"\b1\d{15}\b")
_OWN = frozenset(
    {"source", "sources", "lines", "time", "wall", "host", "follows", "input_notes", "similar", "group", "of"}
)
"""Members that do not come from the text."""


class _Form(NamedTuple):
    text: str
    """For ``%``."""
    fills: tuple[str | int, ...]
    """What goes in: names of members, and line numbers from the report's first on."""

    def fill(self, found: Diagnosis) -> str:
        base, own = found.report.lines[0].number, _own(found)
        return self.text % tuple([own[each] if isinstance(each, str) else base + each for each in self.fills])


class Lines:
    """Diagnoses to lines of JSON."""

    def __init__(self) -> None:
        self._forms: dict[Hashable, tuple[object, _Form | None]] = {}
        """By what a diagnosis was moved from, which is held so that nothing else can take its place."""

    def line(self, found: Diagnosis) -> str:
        """The ``kb.report/1`` object, as :func:`kb.render.json.line` writes it."""
        first = origin(found)
        if first is None:
            return line(to_json(found))
        key = (id(first), *map(_said_of, found.matches), None, *map(_said_of, found.known_fixes))
        if key not in self._forms:
            if len(self._forms) >= _FORMS:
                self._forms.clear()
            text, form = line(to_json(found)), _form(found)
            self._forms[key] = first, form if form.fill(found) == text else None
            return text
        form_ = self._forms[key][1]
        return form_.fill(found) if form_ is not None else line(to_json(found))


def _said_of(match: Match) -> Hashable:
    """What is said of a case beside what the text says: a store and a distribution have a word in it."""
    return match.case.id, match.verdict, match.score, match.fix_status, match.doubts


def _form(found: Diagnosis) -> _Form:
    base = found.report.lines[0].number + _FAR
    far = tuple(each._replace(number=each.number + _FAR, last=each.last + _FAR) for each in found.report.lines)
    members: list[str] = []
    fills: list[str | int] = []
    for name, value in to_json(moved_diagnosis(found, moved_report(found.report, far))).items():
        if name in _OWN:
            members.append(f'"{name}": %s')
            fills.append(name)
        else:
            text = f'"{name}": {line(value)}'
            fills += [int(number) - base for number in _NUMBER.findall(text)]
            members.append(_NUMBER.sub("%d", text.replace("%", "%%")))
    return _Form("{" + ", ".join(members) + "}", tuple(fills))


def _own(found: Diagnosis) -> dict[str, str]:
    """The members that do not come from the text, as JSON."""
    report = found.report
    own: dict[str, Any] = {
        "source": report.source,
        "sources": list(report.sources or (report.source,)),
        "lines": list(report.span),
        "time": report.time,
        "wall": report.wall,
        "host": report.host,
        "follows": report.follows,
        "input_notes": list(report.input_notes),
        "similar": similar(found),
        "group": found.group,
        "of": found.of,
    }
    return {name: _json(value) for name, value in own.items()}


def _json(value: Any) -> str:
    """A value as :func:`kb.render.json.line` writes it; most are nothing, or a number."""
    if value is None or value == []:
        return "null" if value is None else "[]"
    return str(value) if type(value) is int else line(value)
