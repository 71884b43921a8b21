"""The samples that hold the rows of kinds.toml: a file a kind, read here.

``tests/kinds/<kind>.txt`` has wordings and logs. ``= TERMINAL message`` is a message that is this headline as the
kernel prints it, ``! TERMINAL message`` one that looks like it and is not. A log begins with ``== what it shows``; then
comes what kb makes of it, a blank line, and the log. In a log a line ``@name`` stands for the lines of that name in
bodies.txt: what one architecture prints behind a headline. ``pytest --update`` rewrites what kb makes of them, to be
reviewed as a diff; ``bears`` is written by hand: facts that the report must have.
"""

import functools
import re
from dataclasses import dataclass
from pathlib import Path

from kb.facts.report import facts_of
from kb.model.log import Line
from kb.model.report import Report
from kb.parse.follow import follow
from kb.parse.report import parse
from kb.split.windows import split_lines
from kb.syntax import engine

HERE = Path(__file__).parent
STAMP = re.compile(r"\[ *(\d+\.\d{6})\] ")
"""Of the few logs in which time matters."""
KINDS = sorted(path.stem for path in HERE.glob("*.txt") if path.stem != "bodies")


@dataclass(frozen=True)
class Wording:
    """A message, and whether it is the headline."""

    terminal: str
    text: str
    fits: bool


@dataclass(frozen=True)
class Log:
    """A log and what kb makes of it."""

    kind: str
    shows: str
    said: str
    bears: tuple[str, ...]
    text: str
    """As it stands in the file, with ``@name`` for bodies."""

    @property
    def whole(self) -> str:
        """The log with the bodies in it."""
        rows = (bodies()[row[1:]] if row.startswith("@") else row for row in self.text.split("\n"))
        return "\n".join(rows)


@functools.cache
def bodies() -> dict[str, str]:
    """What stands for ``@name``."""
    parts = (HERE / "bodies.txt").read_text("utf-8").split("\n== ")[1:]
    return {name: body.strip("\n") for name, _, body in (part.partition("\n") for part in parts)}


@functools.cache
def wordings(kind: str) -> tuple[Wording, ...]:
    """The wordings of a kind's file."""
    rows = (row.split(" ", 2) for row in _text(kind).split("\n") if row[:2] in ("= ", "! "))
    return tuple(Wording(terminal, text, mark == "=") for mark, terminal, text in rows)


@functools.cache
def logs(kind: str) -> tuple[Log, ...]:
    """The logs of a kind's file."""
    return tuple(_log(kind, part) for part in _text(kind).split("\n== ")[1:])


def _text(kind: str) -> str:
    return (HERE / f"{kind}.txt").read_text("utf-8")


def _log(kind: str, part: str) -> Log:
    head, _, text = part.partition("\n\n")
    shows, *said = head.split("\n")
    bears = [row.removeprefix("bears: ").split(", ") for row in said if row.startswith("bears: ")]
    rest = "".join(row + "\n" for row in said if not row.startswith("bears: "))
    return Log(kind, shows, rest, tuple(name for names in bears for name in names), text.rstrip("\n"))


def reports(text: str) -> list[Report]:
    """The reports of a bare text."""
    return list(follow(parse(splat) for splat in split_lines(map(_timed, engine.split(text)))))


def _timed(line: Line) -> Line:
    """A line whose stamp, where the log has it, is its time."""
    found = STAMP.match(line.text)
    return line if found is None else line._replace(text=line.text[found.end() :], time=float(found[1]))


def said(log: Log) -> str:
    """What kb makes of a log."""
    return "".join(summary(report) for report in reports(log.whole))


def lacking(log: Log) -> set[str]:
    """Facts that a log must bear and does not."""
    if not log.bears:
        return set()
    return set(log.bears).difference(*(facts_of(report).values for report in reports(log.whole)))


def summary(report: Report) -> str:
    """A report in some lines: what the rows of kinds.toml decide."""
    rows = [f"{report.kind}{f'/{report.subtype}' if report.subtype else ''} {report.title}"]
    rows += [f"  alt {title}" for title in report.alt_titles]
    module = f" [{report.module}]" if report.module else ""
    rows.append(f"  {report.function or '-'}{module}: {report.chosen_because}")
    numbers = [line.number for line in report.lines]
    rows.append(f"  lines {_spans(numbers)}")
    rows += [f"  corrupted: {report.corrupted}"] if report.corrupted else []
    rows += [f"  follows {report.follows}"] if report.follows is not None else []
    rows += ["  memory"] if report.memory is not None else []
    rows += [f"  apart {', '.join(report.apart)}"] if report.apart else []
    return "\n".join(rows) + "\n"


def _spans(numbers: list[int]) -> str:
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(f"{first}-{last}" if last > first else str(first) for first, last in spans)


def update(kind: str) -> None:
    """Rewrite what kb makes of the logs of a kind."""
    head = _text(kind).split("\n== ")[0]
    parts = [head.rstrip("\n")]
    for log in logs(kind):
        bears = f"bears: {', '.join(log.bears)}\n" if log.bears else ""
        parts.append(f"\n== {log.shows}\n{bears}{said(log)}\n{log.text}")
    (HERE / f"{kind}.txt").write_text("\n".join(parts) + "\n", encoding="utf-8")
