"""What a scan leaves: rows as they come in a journal, and at the end tables, each of them whole or not there.

``DIR/reports/day=YYYY-MM-DD/``, ``DIR/signatures``, ``DIR/errors`` and ``DIR/scan.json``, which comes last. Until then
what was read stands in ``DIR/.scan/journal``, from which a scan that was stopped goes on.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from kb import __version__
from kb.errors import UsageError
from kb.fleet.item import Block, Item, Settings

SUMMARY = "scan.json"
WORK = ".scan"
_JOURNAL = "journal"
_SCHEMA = "kb.scan/1"
_LARGEST = 1 << 16
"""Bytes of a summary that are read: it is some numbers, and any log may lie under its name."""
_NAMES = (
    SUMMARY,
    "reports",
    *(f"{table}.{form}" for table in ("signatures", "errors") for form in ("parquet", "ndjson")),
)
"""What a scan leaves in its folder; the summary tells that the rest is whole."""


class Totals(NamedTuple):
    """What was read."""

    files: int = 0
    size: int = 0
    """Bytes of the files."""
    reports: int = 0
    errors: int = 0

    def plus(self, block: Block) -> Totals:
        """The same and one file more."""
        return Totals(
            self.files + 1, self.size + block.size, self.reports + block.reports, self.errors + len(block.errors)
        )


class Journal:
    """What came of each file, as it comes: the rows, and behind them a line that says they are complete.

    Args:
        folder: Of the results.
        settings: Of the scan.
        resume: Go on with what is there.

    Raises:
        UsageError: It was written with other settings, or the folder cannot be made.
    """

    def __init__(self, folder: Path, settings: Settings, *, resume: bool):
        self._work = folder / WORK
        self._path = self._work / _JOURNAL
        self.done: set[str] = set()
        """Sources that were read."""
        self.totals = Totals()
        if not resume:
            shutil.rmtree(self._work, ignore_errors=True)
        try:
            self._work.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = self._path.open("r+b" if self._path.exists() else "w+b")
        except OSError as error:
            raise UsageError(f"cannot write there: {error.strerror}", path=str(folder)) from error
        self._begin(json.dumps([__version__, *settings._replace(timeout=0.0, hook=None)]).encode() + b"\n")

    def _begin(self, head: bytes) -> None:
        """Read what is there: what has no end is left out."""
        first = self._file.readline()
        if first.endswith(b"\n") and first != head:
            self._file.close()
            help_ = "give the same options, or leave out --resume to begin anew"
            raise UsageError("that scan was begun with other options, or by another version", help=help_)
        if first != head:
            self._file.seek(0)
            self._file.write(head)
            self._file.flush()
        end = self._file.tell()
        for row in iter(self._file.readline, b""):
            if not row.endswith(b"\n"):
                break
            if row.startswith(b'{"done": '):
                told = json.loads(row)
                self.done.add(told["done"])
                self.totals = self.totals.plus(Block(b"", told["reports"], told["size"], tuple(told["errors"])))
                end = self._file.tell()
        self._file.seek(end)
        self._file.truncate()

    def add(self, item: Item, block: Block) -> None:
        """Keep what came of a file."""
        end = {"done": item.source, "reports": block.reports, "size": block.size, "errors": block.errors}
        self._file.write(block.rows + json.dumps(end).encode() + b"\n")
        self._file.flush()
        self.totals = self.totals.plus(block)

    def rows(self) -> Iterator[dict[str, Any]]:
        """All reports, in the order in which they were kept."""
        return (row for row in self._lines() if "done" not in row)

    def errors(self) -> Iterator[tuple[str, str]]:
        """What could not be read: source and why."""
        return ((source, why) for row in self._lines() for source, why in row.get("errors", ()))

    def _lines(self) -> Iterator[dict[str, Any]]:
        with self._path.open("rb") as file:
            file.readline()
            yield from map(json.loads, file)

    def close(self) -> None:
        """Close it; it stays."""
        self._file.close()

    def publish(self, sample: int, form: str) -> Counter[tuple[str, str, str]]:
        """Make the tables, under temporary names, and put them in place; then the journal goes.

        Args:
            sample: Reports of a signature and day whose text is kept.
            form: ``parquet`` or ``ndjson``.

        Returns:
            Reports by signature, host and day.
        """
        from kb.fleet.tables import tables

        made, folder = self._work / "made", self._work.parent
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        titles: dict[str, tuple[str, str]] = {}
        counts: Counter[tuple[str, str, str]] = Counter()
        with tables(made, form) as table:
            for row in self._sampled(sample):
                titles.setdefault(row["signature"], (row["kind"], row["title"]))
                counts[row["signature"], row["host"] or "", row["day"]] += 1
                table.report(row)
            for key, count in sorted(counts.items()):
                table.signature(key, titles[key[0]], count)
            for source, why in self.errors():
                table.error(source, why)
        summary = {"schema": _SCHEMA, "version": __version__, "format": form, **self.totals._asdict()}
        summary["signatures"] = len(titles)
        (made / SUMMARY).write_text(json.dumps(summary) + "\n", encoding="utf-8")
        _replace(made, folder, self._work / "former")
        self.close()
        shutil.rmtree(self._work)
        return counts

    def _sampled(self, sample: int) -> Iterator[dict[str, Any]]:
        """The reports, the text of the first of each signature and day with them."""
        kept: Counter[tuple[str, str]] = Counter()
        for row in self.rows():
            if row["evidence"] is not None:
                key = row["signature"], row["day"]
                kept[key] += 1
                if kept[key] > sample:
                    row["evidence"] = None
            yield row


def _replace(made: Path, folder: Path, former: Path) -> None:
    """Put new results where older ones may be; the summary goes first and comes last."""
    shutil.rmtree(former, ignore_errors=True)
    former.mkdir()
    for name in _NAMES:
        if (folder / name).exists():
            os.replace(folder / name, former / name)
    for path in sorted(made.iterdir(), key=lambda path: path.name == SUMMARY):
        os.replace(path, folder / path.name)


def finished(folder: Path) -> dict[str, Any] | None:
    """What a scan that came to its end says of itself; None where there is none."""
    try:
        if not (folder / SUMMARY).is_file():  # a pipe would be waited for
            return None
        with (folder / SUMMARY).open("rb") as file:
            found = json.loads(file.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.get("schema") == _SCHEMA else None


def left(folder: Path) -> frozenset[str]:
    """The names in a folder of what a scan left there, whether it came to its end or not; none in any other folder."""
    begun = os.path.isfile(folder / WORK / _JOURNAL)
    return frozenset((*_NAMES, WORK)) if begun or finished(folder) is not None else frozenset()
