"""The samples that hold the rows of notices.toml, of tests/parse/notices.tsv.

A row has a terminal, a message of it, a near miss, and what kb makes of the message: how grave it is, whether it is
an event, what it is called, and by which fields two of them are told apart. ``pytest --update`` rewrites the last.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

from kb.model.log import Line
from kb.parse.notice import classify

PLACE = Path(__file__).with_name("notices.tsv")


class Sample(NamedTuple):
    """One row."""

    row: str
    text: str
    near: str
    told: str


@cache
def samples() -> tuple[Sample, ...]:
    """All rows."""
    rows = (row.split("\t") for row in PLACE.read_text("utf-8").splitlines() if not row.startswith("#"))
    return tuple(Sample(row, text, near, told[0] if told else "") for row, text, near, *told in rows)


def told(text: str) -> str:
    """What kb makes of a message; empty where it is no notice."""
    found = classify(Line(text, 1, 1, text.encode("utf-8", "surrogateescape")))
    if found is None:
        return ""
    row, fields = found.row, found.fields
    apart = "".join(f", {name} {fields.get(name, '-')}" for name in row.by)
    return f"{row.severity} {'event ' if row.event else ''}{row.subtype}{apart}: {row.title}"


def update() -> None:
    """Rewrite what kb makes of the messages."""
    head = [row for row in PLACE.read_text("utf-8").splitlines() if row.startswith("#")]
    rows = ["\t".join((row, text, near, told(text))) for row, text, near, _ in samples()]
    PLACE.write_text("\n".join([*head, *rows]) + "\n", "utf-8")
