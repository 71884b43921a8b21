"""The results of a scan, into a store: each report once, by its source and its lines."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kb.errors import InputError, UsageError
from kb.fleet.day import moment_of
from kb.fleet.result import finished
from kb.fleet.tables import stored

if TYPE_CHECKING:
    from kb.store import Store

_FORM = "%Y-%m-%dT%H:%M:%S.%fZ"
_ROWS = 1000
"""Reports of one transaction: the write lock is held for less than a second."""


class Loaded(NamedTuple):
    """How many reports there are, and how many of them the store did not know."""

    reports: int
    new: int


def load(store: Store, folder: Path) -> Loaded:
    """Record what a scan found. Loaded again, it changes nothing.

    Args:
        store: Where to.
        folder: What ``kb scan --out`` wrote.

    Raises:
        InputError: There are no results.
        UsageError: They are Parquet, and pyarrow is not there.
        StoreError: The store cannot be written.
    """
    if finished(folder) is None:
        help_ = "kb scan SRC --out DIR writes them; --resume ends a scan that was stopped"
        raise InputError("holds no results of a whole scan", path=str(folder), help=help_)
    reports = new = 0
    rows = stored(folder)
    try:
        while some := list(itertools.islice(rows, _ROWS)):
            reports += len(some)
            new += _record(store, some)
    except ImportError as error:
        raise UsageError("Parquet needs pyarrow", help="pip install 'kernel-kb[fleet]'") from error
    return Loaded(reports, new)


def _record(store: Store, rows: list[dict[str, Any]]) -> int:
    """Record reports in one transaction; returns how many are new."""
    from kb.store import sightings
    from kb.store.notes import now

    moment, new = now(), 0
    packed = [sightings.pack(row["evidence"] or b"") for row in rows]
    fresh = []
    with store.writing() as db:
        for row, text in zip(rows, packed, strict=True):
            event, seen = sightings.number(event_of(row)), _seen(row) or moment
            if sightings.recorded(db, event) is not None:
                continue
            new += 1
            _, owner = sightings.add(
                db, row["signature"], title=row["title"], kind=row["kind"], key=row["key"], alt=row["alt"], former=(),
                source=row["source"], host=row["host"], kernel=row["kernel"], seen=seen, event=event,
            )  # fmt: skip
            if text:
                fresh.append(row)
                sightings.sample(db, owner, seen, row["host"], row["source"], row["evidence"], text)
    _remember(store, fresh)
    return new


def event_of(row: dict[str, Any]) -> str:
    """The name of the event that a row is: its place, and what tells that a file of that name is another one."""
    return f"scan {(row['source'], row['lines'][0], row['host'], row['wall'], row['time'], row['headline'])}"


def _seen(row: dict[str, Any]) -> str | None:
    """When it was, as a store has it; None where the log does not tell."""
    moment = moment_of(row["wall"])
    return moment.strftime(_FORM) if moment is not None else None


def _remember(store: Store, rows: Iterable[dict[str, Any]]) -> None:
    """Keep the stacks of those reports whose text is there, so that what resembles them is found."""
    from kb.recall import remember

    for row, report in _read(rows):
        from kb.identity.signature import signature

        mark = signature(report)
        if mark.id == row["signature"]:
            remember(store, report, mark)


def _read(rows: Iterable[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], Any]]:
    from kb.api import reports

    for row in rows:
        report = next(reports(row["evidence"], row["source"]), None)
        if report is not None:
            yield row, report
