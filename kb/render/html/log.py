"""The log of a page: its lines, or those of its reports where it is long."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from kb.identity.group import Group
from kb.log.kept import Kept
from kb.model.log import Span
from kb.render.answer import evidence
from kb.render.safe import spans as in_brackets

_WHOLE = 4000
"""Lines of a log that is shown whole."""
_MOST = 12000
"""Lines of all logs of a page."""
_AROUND = 15
"""Lines before and behind a report of a longer one."""
_WIDEST = 4000
"""Characters of a line that are shown."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line, or where ``number`` is 0 a gap of ``skipped`` lines."""

    number: int
    text: str
    marked: bool = False
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Link:
    """A place in the log."""

    text: str
    target: str
    """Id of the element; empty where the page does not show the line."""


@dataclass(slots=True)
class Log:
    """One input."""

    source: str
    name: str
    """Without the folders that all inputs have in common: no path of the machine that kb ran on."""
    prefix: str
    """Of the ids of its lines: nothing for the first input."""
    rows: list[Row] = field(default_factory=list)
    partly: bool = False
    shown: set[int] = field(default_factory=set)

    def links(self, spans: Iterable[Span], most: int = 6) -> list[Link]:
        """Links to lines; of a span to its first line that is shown."""
        return [self._link(span) for span in list(dict.fromkeys(spans))[:most]]

    def _link(self, span: Span) -> Link:
        first, last = span
        there = first if first in self.shown else min((n for n in self.shown if first < n <= last), default=0)
        return Link(in_brackets((span,))[1:-1], f"{self.prefix}L{there}" if there else "")


def logs(groups: list[Group], kept: Kept | None) -> dict[str, Log]:
    """The inputs of some groups by their names, in the order of the groups.

    Args:
        groups: Whose reports are shown.
        kept: The lines of the inputs; without them the reports' own are shown.
    """
    found: dict[str, Log] = {}
    room = _MOST
    names = dict.fromkeys(each.source for group in groups for each in group.seen)
    above = _folder(list(names))
    for name in names:
        own = [group for group in groups if any(each.source == name for each in group.seen)]
        log = found[name] = Log(name, name.removeprefix(above), f"f{len(found) + 1}-" if found else "")
        _fill(log, own, kept, max(0, room))
        room -= len(log.rows)
    return found


def _folder(names: list[str]) -> str:
    """What the paths of all inputs begin with, up to the last separator."""
    folders = [os.path.dirname(name) for name in names if name != "-"]
    try:
        common = os.path.commonpath(folders) if folders else ""
    except ValueError:  # some from the root, some from here
        return ""
    return common if common in ("", os.sep) else common + os.sep


def _fill(log: Log, groups: list[Group], kept: Kept | None, room: int) -> None:
    firsts = [group for group in groups if group.first.report.source == log.source]
    marked = {line.number for group in firsts for line in evidence(group.first)}
    marked |= {each.span[0] for group in groups for each in group.seen if each.source == log.source}
    own = {line.number: line.raw for group in firsts for line in group.first.report.lines}
    count = kept.count(log.source) if kept is not None else 0
    wanted = None if 0 < count <= min(_WHOLE, room) else _wanted(log.source, groups, room)
    lines = dict(kept.lines(log.source, wanted)) if kept is not None else {}
    for number, raw in own.items():  # of an input that was not kept, or not to its end
        if wanted is None or number in wanted:
            lines.setdefault(number, raw.rstrip(b"\r\n"))
    log.rows = list(_rows(lines, marked, count))
    log.shown = set(lines)
    log.partly = any(row.skipped for row in log.rows)


def _wanted(name: str, groups: list[Group], room: int) -> set[int]:
    """Lines of a long log: of the first report of each group all, of its repeats the first, and what stands around."""
    wanted: set[int] = set()
    firsts = [group.first.report.span for group in groups if group.first.report.source == name]
    repeats = [(each.span[0], each.span[0]) for group in groups for each in group.seen if each.source == name]
    for around, spans in ((_AROUND, firsts), (0, repeats)):
        for first, last in spans:
            if len(wanted) >= room:
                return wanted
            end = min(last + around, first + room - len(wanted))
            wanted.update(range(max(1, first - around), end + 1))
    return wanted


def _rows(lines: dict[int, bytes], marked: set[int], count: int) -> Iterator[Row]:
    before = 0
    for number in sorted(lines):
        if number > before + 1:
            yield Row(0, "", skipped=number - before - 1)
        text = lines[number].decode("utf-8", "surrogateescape")
        yield Row(number, text if len(text) <= _WIDEST else text[:_WIDEST] + "…", number in marked)
        before = number
    if count > before:
        yield Row(0, "", skipped=count - before)
