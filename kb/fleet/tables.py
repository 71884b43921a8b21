"""The tables of a scan's results, as Parquet or as NDJSON: rows in, files out."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Protocol

COLUMNS = {
    "source": "string",
    "number": "int32",
    "lines": "list",
    "kind": "string",
    "title": "string",
    "function": "string",
    "module": "string",
    "signature": "string",
    "key": "string",
    "alt": "strings",
    "case": "string",
    "fix": "string",
    "kernel": "string",
    "host": "string",
    "time": "double",
    "wall": "string",
    "corrupted": "string",
    "headline": "string",
    "evidence": "binary",
}
"""The columns of a report, beside ``day``, which the folder is named by."""
REPORT, SIGNATURE, ERROR = "kb.scan-report/1", "kb.scan-signature/1", "kb.scan-error/1"
"""The schemas of the tables' rows: NDJSON names it in each row, Parquet in the metadata of a file."""
_HELD = 50_000
"""Rows that are held, over all days, before they are written."""


class Tables(Protocol):
    """Where rows go."""

    def report(self, row: dict[str, Any]) -> None:
        """A report."""

    def signature(self, key: tuple[str, str, str], named: tuple[str, str], count: int) -> None:
        """A count of a signature, host (empty for none) and day; ``named`` its kind and title."""

    def error(self, source: str, why: str) -> None:
        """What could not be read."""


@contextlib.contextmanager
def tables(folder: Path, form: str) -> Iterator[Tables]:
    """Tables in a folder; all of them are there at the end, also those without rows."""
    (folder / "reports").mkdir()
    made = _Parquet(folder) if form == "parquet" else _Lines(folder)
    try:
        yield made
        made.end()
    finally:
        made.close()


class _Lines:
    """NDJSON: one object a row."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._files: dict[str, IO[str]] = {}

    def _write(self, name: str, schema: str, row: dict[str, Any]) -> None:
        if name not in self._files:
            path = self._folder / name
            path.parent.mkdir(exist_ok=True)
            if len(self._files) > 100:  # a log of many days must not end at the bound of open files
                self.close()
            self._files[name] = path.open("a", encoding="ascii")
        self._files[name].write(json.dumps({"schema": schema, **row}) + "\n")

    def report(self, row: dict[str, Any]) -> None:
        self._write(f"reports/day={row['day']}/part-0.ndjson", REPORT, {name: row[name] for name in COLUMNS})

    def signature(self, key: tuple[str, str, str], named: tuple[str, str], count: int) -> None:
        self._write("signatures.ndjson", SIGNATURE, _signature(key, named, count))

    def error(self, source: str, why: str) -> None:
        self._write("errors.ndjson", ERROR, {"source": source, "error": why})

    def end(self) -> None:
        for name in ("signatures.ndjson", "errors.ndjson"):
            (self._folder / name).touch()

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()


class _Parquet:
    """Parquet: within a file of a day, sorted by signature and host."""

    def __init__(self, folder: Path):
        import pyarrow as pa

        self._folder = folder
        kinds = {"list": pa.list_(pa.int64()), "strings": pa.list_(pa.string()), "double": pa.float64()}
        schema = [(name, kinds.get(kind) or getattr(pa, kind)()) for name, kind in COLUMNS.items()]
        self._schema = pa.schema(schema, {"schema": REPORT})
        self._days: dict[str, list[dict[str, Any]]] = {}
        self._parts: dict[str, int] = {}
        self._held = 0
        self._signatures: list[dict[str, Any]] = []
        self._errors: list[dict[str, Any]] = []

    def report(self, row: dict[str, Any]) -> None:
        if row["evidence"] is not None:
            row["evidence"] = row["evidence"].encode("utf-8", "surrogateescape")
        self._days.setdefault(row["day"], []).append(row)
        self._held += 1
        if self._held >= _HELD:
            self._flush()

    def signature(self, key: tuple[str, str, str], named: tuple[str, str], count: int) -> None:
        self._signatures.append(_signature(key, named, count))

    def error(self, source: str, why: str) -> None:
        self._errors.append({"source": source, "error": why})

    def _flush(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        for day, rows in self._days.items():
            rows.sort(key=lambda row: (row["signature"], row["host"] or ""))
            part = self._parts.get(day, 0)
            path = self._folder / "reports" / f"day={day}" / f"part-{part}.parquet"
            path.parent.mkdir(exist_ok=True)
            pq.write_table(pa.Table.from_pylist(rows, schema=self._schema), path)
            self._parts[day] = part + 1
        self._days, self._held = {}, 0

    def end(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._flush()
        text = pa.string()
        counts = pa.schema([*((name, text) for name in _NAMES), ("count", pa.int64())], {"schema": SIGNATURE})
        errors = pa.schema([("source", text), ("error", text)], {"schema": ERROR})
        pq.write_table(pa.Table.from_pylist(self._signatures, schema=counts), self._folder / "signatures.parquet")
        pq.write_table(pa.Table.from_pylist(self._errors, schema=errors), self._folder / "errors.parquet")

    def close(self) -> None:
        pass


_NAMES = ("signature", "kind", "title", "host", "day")


def _signature(key: tuple[str, str, str], named: tuple[str, str], count: int) -> dict[str, Any]:
    signature, host, day = key
    return {
        "signature": signature,
        "kind": named[0],
        "title": named[1],
        "host": host or None,
        "day": day,
        "count": count,
    }


def stored(folder: Path) -> Iterator[dict[str, Any]]:
    """The reports of results, with their days, in the order of days and parts; texts are bytes.

    Raises:
        ImportError: They are Parquet, and pyarrow is not there.
    """
    for path in sorted((folder / "reports").glob("day=*/part-*"), key=_place):
        day = path.parent.name.removeprefix("day=")
        for row in _rows(path):
            yield {**row, "day": day}


def _place(path: Path) -> tuple[str, int]:
    return path.parent.name, int(path.stem.removeprefix("part-"))


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        for batch in pq.ParquetFile(path).iter_batches(batch_size=1000):
            yield from batch.to_pylist()
        return
    with path.open(encoding="ascii") as file:
        for row in map(json.loads, file):
            row.pop("schema", None)  # Parquet's rows have none either
            if row["evidence"] is not None:
                row["evidence"] = row["evidence"].encode("utf-8", "surrogateescape")
            yield row
