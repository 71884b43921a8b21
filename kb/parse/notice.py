"""Notices: single messages that open no report, by grammars/notice.lark and the rows of notices.toml.

They stand beside the reports of a log and never among them: nothing here changes what a report is, where it ends or how
it is called. The same notice again (rate-limited, or of each packet) is one report with a count: its first line, its
last, and some between.
"""

import functools
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kb.log.scan import NOTICES, line_test
from kb.model.kept import toml
from kb.model.log import Line
from kb.model.report import Report
from kb.syntax.formats import is_format
from kb.syntax.lines import fields, grammar
from kb.words.speak import said

KIND = "notice"
_LIMIT = 1024
"""Characters of a message that are looked at: printk's own bound."""
_KEPT = 8
"""Lines of a notice that are kept besides its last."""
_BEHIND = 2
"""Lines behind a report at which its end may stand: another CPU prints, too."""
_APART = 2
"""Lines by which two of one printk may stand apart: another CPU prints, too."""
_GROUPS = 256
"""Notices of one row that are told apart: a bound for logs that name a new device in each line."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of notices.toml; the fields are explained at its top."""

    name: str
    subtype: str
    title: str
    severity: str
    by: tuple[str, ...] = ()
    after: str = ""
    event: bool = False
    of: str = ""
    fewer: tuple[str, ...] = ()

    def holds(self, values: Mapping[str, str]) -> bool:
        """Whether the numbers of a line are such that it tells anything (``fewer``)."""
        return not self.fewer or int(values[self.fewer[0]]) < int(values[self.fewer[1]])


_LISTS = ("by", "fewer")


@dataclass(frozen=True, slots=True)
class Notice:
    """A line that is a notice: its row and the named groups of its terminal."""

    row: Row
    fields: Mapping[str, str]


@functools.cache
def table() -> Mapping[str, Mapping[str, Any]]:
    """notices.toml as it stands."""
    return toml(Path(__file__).with_name("notices.toml"))


@functools.cache
def rows() -> Mapping[str, Row]:
    """All rows of notices.toml by the name of their terminal."""
    listed = {name: {key: tuple(row.get(key, ())) for key in _LISTS} for name, row in table().items()}
    return {name: Row(name=name, **{**row, **listed[name]}) for name, row in table().items()}


@functools.cache
def _begins() -> frozenset[str]:
    """Names of the rows whose printk goes on in a second line."""
    return frozenset(row.of for row in rows().values())


def classify(line: Line) -> Notice | None:
    """The notice that a line is, or None."""
    text = line.text[:_LIMIT]
    found = _classify(text.strip()) if line_test(NOTICES)(text) else None
    return None if found is not None and is_format(line, found.fields) else found


@functools.lru_cache(maxsize=4096)
def _classify(text: str) -> Notice | None:
    found = grammar("notice").match(text)
    if found is None:
        return None
    row, values = rows()[found[0]], {name: value for name, value in fields(found[1]).items() if value}
    return Notice(row, values) if row.holds(values) else None


@dataclass(slots=True)
class _Group:
    """One notice and its repetitions."""

    notice: Notice
    lines: list[Line]
    count: int = 1
    last: Line | None = None
    told: bool = field(default=False)
    numbers: list[int] = field(default_factory=list)
    """Of all lines, where a report may end in them."""
    second: Line | None = None
    """The line of the first one in which its printk goes on."""

    def add(self, line: Line) -> None:
        self.count += 1
        if self.notice.row.after:
            self.numbers.append(line.number)
        if len(self.lines) < _KEPT:
            self.lines.append(line)
            self.last = None
        else:
            self.last = line


def _value(fields: Mapping[str, str], name: str) -> str:
    """What a wording calls ``device``, or ``device2`` where a pattern has it in several places."""
    others = (value for other, value in fields.items() if other.startswith(name) and other[len(name) :].isdecimal())
    return fields.get(name) or next(others, "")


class Collector:
    """Feed it the lines of one input; it gives back its notices, each once.

    Args:
        source: Name of the input.
        release_at: Kernel release of the boot that a line (its number) belongs to.
        most: Lines of one row that are looked at, where a hint will do; None: all.
        reported: Lines of the reports of the input, by their kind; it grows.
    """

    def __init__(
        self,
        source: str,
        release_at: Callable[[int], str | None] | None = None,
        most: int | None = None,
        reported: Mapping[str, Container[int]] | None = None,
    ):
        self._source = source
        self._most = most
        self._reported = {} if reported is None else reported
        self._release_at = release_at or (lambda _number: None)
        self._groups: dict[tuple[str, ...], _Group] = {}
        self._sizes: dict[str, int] = {}
        self._seen: dict[str, int] = {}
        self._begun: tuple[Notice, Line] | None = None

    def feed(self, line: Line) -> bool:
        """Take a line; tells whether it is a notice, of which more are wanted."""
        notice = classify(line)
        if notice is None:
            return False
        row = notice.row
        if self._most is not None:
            seen = self._seen.get(row.name, 0)
            if seen >= self._most:
                return False
            self._seen[row.name] = seen + 1
        begun, self._begun = self._begun, None
        if begun is not None:
            if row.of == begun[0].row.name and 0 < line.number - begun[1].last <= _APART:
                self._add(Notice(begun[0].row, {**begun[0].fields, **notice.fields}), begun[1], line)
                return True
            self._add(*begun)
        if row.name in _begins():
            self._begun = notice, line
        else:
            self._add(notice, line)
        return True

    def _add(self, notice: Notice, line: Line, second: Line | None = None) -> None:
        """Count a notice, with the line in which it goes on."""
        row = notice.row
        key = (row.name, line.host or "", *(_value(notice.fields, name) for name in row.by))
        group = self._groups.get(key)
        if group is None and self._sizes.get(row.name, 0) >= _GROUPS:
            key = (row.name,)  # too many to tell apart: the rest is one
            group = self._groups.get(key)
        if group is None:
            lines = [line] if second is None else [line, second]
            self._groups[key] = _Group(notice, lines, second=second)
            self._sizes[row.name] = self._sizes.get(row.name, 0) + 1
        else:
            group.add(line)

    def told(self) -> Iterator[Report]:
        """The notices that were not told yet, in the order of their first lines."""
        if self._begun is not None:
            self._add(*self._begun)
            self._begun = None
        for group in self._groups.values():
            if not group.told:
                group.told = True
                if not self._ends_reports(group):
                    yield self._report(group)

    def _ends_reports(self, group: _Group) -> bool:
        """Whether each line is what the kernel prints at the end of a report, which says more."""
        lines = self._reported.get(group.notice.row.after)
        return lines is not None and all(
            any(number in lines for number in range(last - _BEHIND, last + 1))
            for last in (group.lines[0].number, *group.numbers)
        )

    def _report(self, group: _Group) -> Report:
        row, first = group.notice.row, group.lines[0]
        fields = {**group.notice.fields, "count": str(group.count)}
        places = dict.fromkeys(fields, first.number)
        if group.second is not None and (found := classify(group.second)) is not None:
            places |= dict.fromkeys(found.fields, group.second.number)
        return Report(
            source=self._source,
            lines=(*group.lines, *([group.last] if group.last is not None else [])),
            kind=KIND,
            subtype=row.subtype,
            headline=first.text.strip(),
            headline_line=first.number,
            title=row.title.format_map(_Values(fields)),
            guilt=(said("guilty.notice"),),
            kernel=self._release_at(first.number),
            comm=fields.get("comm"),
            pid=_number(fields.get("pid")),
            cpu=_number(fields.get("cpu")),
            time=first.time,
            wall=first.wall,
            host=first.host,
            fields=fields,
            field_lines=places,
            understood=tuple(line.number for line in group.lines),
        )


class _Values(dict[str, str]):
    """Fields for a title; an absent one is left out."""

    def __missing__(self, name: str) -> str:
        return ""


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None
