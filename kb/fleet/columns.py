"""Tables of log lines (Parquet, JSON, NDJSON): the columns that are named, as logs, one a host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from kb.errors import InputError
from kb.fleet.item import Columns

_ROWS = 10_000


def logs(path: str, columns: Columns) -> Iterator[tuple[str | None, bytes]]:
    """The messages of each host, in the order of the table, with the host's name.

    A message is a line or several. Where a column of times is named, they are the prefix of its lines.

    Args:
        path: Of the table.
        columns: Its columns.

    Raises:
        InputError: It is no such table, or has no such column.
    """
    found: dict[str | None, list[str]] = {}
    for row in _rows(path, columns):
        message = row.get(columns.message)
        if message is None:
            continue
        host = row.get(columns.host) if columns.host is not None else None
        before = _prefix(row.get(columns.time), host) if columns.time is not None else ""
        text = message.decode("utf-8", "surrogateescape") if isinstance(message, bytes) else str(message)
        lines = found.setdefault(None if host is None else str(host), [])
        lines.extend(f"{before}{line}" for line in text.splitlines())
    for name, lines in sorted(found.items(), key=lambda each: each[0] or ""):
        yield name, "\n".join([*lines, ""]).encode("utf-8", "surrogateescape")


def _prefix(time: Any, host: Any) -> str:
    """What syslog would have put before a line."""
    if time is None:
        return ""
    if hasattr(time, "isoformat"):
        time = time.isoformat()
    return f"{time} {host or '-'} kernel: "


def _rows(path: str, columns: Columns) -> Iterator[dict[str, Any]]:
    with open(path, "rb") as file:
        parquet = file.read(4) == b"PAR1"
    return _parquet(path, columns) if parquet else _json(path, columns)


def _parquet(path: str, columns: Columns) -> Iterator[dict[str, Any]]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise InputError("Parquet needs pyarrow", path=path, help="pip install 'kernel-kb[fleet]'") from error
    try:
        file = pq.ParquetFile(path)
        names = [name for name in columns if name is not None]
        if lacking := [name for name in names if name not in file.schema_arrow.names]:
            raise InputError(f"has no column {lacking[0]}", path=path)
        for batch in file.iter_batches(batch_size=_ROWS, columns=names):
            yield from batch.to_pylist()
    except pa.ArrowException as error:
        raise InputError(f"is no valid Parquet file: {error}", path=path) from error


def _json(path: str, columns: Columns) -> Iterator[dict[str, Any]]:
    """An object a line, or an array of objects; packed ones, too."""
    from kb.log.files import opened
    from kb.log.stream import Stream

    seen = False
    with opened(path) as file:
        read = Stream(path, file.read).all()
        data = b"".join(iter(lambda: read(1 << 20), b""))
    for row in _objects(data, path):
        seen = seen or columns.message in row
        yield row
    if not seen:
        raise InputError(f"has no column {columns.message}", path=path)


def _objects(data: bytes, path: str) -> Iterator[dict[str, Any]]:
    text = data.decode("utf-8", "surrogateescape")
    try:
        rows = (
            json.loads(text) if text.lstrip().startswith("[") else map(json.loads, filter(str.strip, text.split("\n")))
        )
        yield from (row for row in rows if isinstance(row, dict))
    except (ValueError, RecursionError) as error:
        raise InputError(f"is no table of JSON: {error}", path=path) from error
