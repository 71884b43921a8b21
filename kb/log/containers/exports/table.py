"""Logs exported as a table: CSV with a head that names a column of messages, or a table of Markdown."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from kb.log.containers.exports.records import TEXT, YEARS, Record, is_called, nanoseconds, ordered, record
from kb.log.containers.exports.unnamed import is_words
from kb.log.containers.walk import Member, Walk, lines_of, pieces
from kb.log.unpack import Read

_COLUMNS = {name.casefold(): name for name in reversed(TEXT)} | {
    "_source.message": "message", "event.original": "message", "jsonpayload.message": "message",
    "log message": "message",
    "log line": "message",
}  # fmt: skip
_TICKET = re.compile(r"(?:description|comments?|notes|details|body)$")
"""Columns of trackers' tables that may hold a log, where none is called a message."""
_TIMES = {
    "@timestamp": "@timestamp", "timestamp": "timestamp", "time": "time", "date": "date", "_time": "_time", "ts": "ts",
    "timegenerated": "time", "tsns": "ts",
}  # fmt: skip
_HOSTS = {
    "host": "host",
    "hostname": "host",
    "host.name": "host",
    "host.hostname": "host",
    "computer": "host",
    "node": "host",
}
_NAME = re.compile(r"[\w .@\[\]()-]{1,63}")
_CLOCK = re.compile(r"\d{1,2}:\d\d")
"""A time whose day stands in a column of its own."""
_REST = re.compile(r"\d{1,9}(?:Z|[+-]\d\d:?\d\d)? ")
"""The rest of a stamp with a decimal comma."""
_RULE = re.compile(rb"[ \t:|-]{3,4000}\r?\n?$")
"""The line under a table's head."""
_DELIMITERS = (",", "\t", ";", "|")
_SNIFFED = 60
"""Rows by which a table is told whose columns have no names that are known."""
_NOTE = "line numbers are those of the exported messages, a line each, the oldest first"


def needed(head: bytes) -> bool:
    """Whether a text begins with a table of messages."""
    return _delimiter(head) is not None or _markdown(head) or sniffed(head) is not None


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The messages."""
    rows = lines_of(read)
    first = next(rows, b"")
    delimiter = _delimiter(first)
    if delimiter is None and not _markdown(first):
        head = [first, *itertools.islice(rows, _SNIFFED)]
        columns = sniffed(b"".join(head))
        rows = itertools.chain(head[1:], rows)
        if columns is not None:
            found = columns.records(itertools.chain([first], rows))
            yield Member("", pieces(ordered(found, walk, name)), text=True, note=_NOTE)
            return
    if delimiter is None:
        yield Member("", pieces(_cells(first, rows)), text=True)
    else:
        yield Member("", pieces(ordered(_csv(first, rows, delimiter), walk, name)), text=True, note=_NOTE)


# ---- CSV


def _delimiter(head: bytes) -> str | None:
    """What stands between the columns whose names are in the first line; None where none is called a message."""
    line = head.split(b"\n", 1)[0].decode("utf-8", "replace").removeprefix("\ufeff").strip()
    for delimiter in _DELIMITERS:
        if delimiter == "|" and " |" in line:
            continue  # a table as psql draws it
        names = [name.strip(' "').casefold() for name in line.split(delimiter)]
        if len(names) > 1 and len(line) < 2000 and any(map(_told, names)) and all(map(_is_name, names)):
            return delimiter
    return None


class Columns(NamedTuple):
    """A table whose columns have no names, or none that is known."""

    delimiter: str
    time: int
    text: int

    def records(self, rows: Iterator[bytes]) -> Iterator[Record]:
        """Its rows, the head aside."""
        for values in _values(rows, self.delimiter):
            if len(values) > max(self.time, self.text) and nanoseconds(values[self.time]) is not None:
                found = record({"message": values[self.text], "time": values[self.time]})
                if found is not None:
                    yield found


def sniffed(head: bytes) -> Columns | None:
    """The columns of a table, the newest row first or with cells in quotes: one of dates, one of words that differ.

    Of any other, what is before the messages is a prefix like any other.
    """
    lines = head.split(b"\n", _SNIFFED + 1)[: _SNIFFED + 1][:-1]
    for delimiter in _DELIMITERS:
        quoted = any(line.startswith(b'"') or f'{delimiter}"'.encode() in line for line in lines)
        rows = list(_values(iter(lines), delimiter))
        body = rows[1:]
        if len(body) < 3 or len({len(row) for row in rows}) != 1 or len(rows[0]) < 2:
            continue
        columns = list(zip(*body, strict=True))
        times = [at for at, each in enumerate(columns) if all((nanoseconds(one) or 0) > YEARS for one in each)]
        words = [len(set(filter(is_words, each))) * (at not in times) for at, each in enumerate(columns)]
        if not times or max(words) * 4 < len(body):
            continue
        found = Columns(delimiter, times[0], words.index(max(words)))
        falls = (nanoseconds(body[0][found.time]) or 0) > (nanoseconds(body[-1][found.time]) or 0)
        if quoted or (falls and not any(map(_REST.match, columns[found.text]))):
            return found
    return None


def _message(name: str) -> str | None:
    """The field of :func:`kb.log.containers.exports.records.record` that a column of messages is."""
    return _COLUMNS.get(name) or ("message" if is_called(name) else None)


def _told(name: str) -> str | None:
    return _message(name) or ("message" if _TICKET.search(name) else None)


def _time(name: str) -> str | None:
    return _TIMES.get(name) or ("time" if name.endswith(("time", "timems", "timestamp")) else None)


def _is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None and any(map(str.isalnum, text))


def _csv(first: bytes, rows: Iterator[bytes], delimiter: str) -> Iterator[Record]:
    names = next(csv.reader([_text(first).removeprefix("\ufeff")], delimiter=delimiter))
    keys = _keys(names)
    for values in _values(rows, delimiter):
        found = _row(keys, values)
        if found is not None:
            yield found


def _values(rows: Iterator[bytes], delimiter: str) -> Iterator[list[str]]:
    """The cells of each row."""
    reader = csv.reader((_text(row) for row in rows), delimiter=delimiter)
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error:  # a NUL, a field of more than 128 kB
            continue


def records(rows: Iterator[list[str]]) -> Iterator[Record]:
    """The messages of a sheet: of the column that its head calls so, else each row as it is."""
    first = next(rows, [])
    names = [name.strip().casefold() for name in first]
    head = len(names) > 1 and any(map(_told, names)) and all(_is_name(name) for name in names if name)
    keys = _keys(first) if head else []
    for row in itertools.chain([] if head else [first], rows):
        found = _row(keys, row) if head else None
        if found is not None:
            yield found
        elif any(row):
            yield Record("", None, None, "\t".join(filter(None, row)).encode("utf-8", "replace") + b"\n")


def _keys(names: list[str]) -> list[str]:
    """The fields of :func:`kb.log.containers.exports.records.record` that columns are."""
    names = [name.strip().casefold() for name in names]
    message = _message if any(map(_message, names)) else _told
    return [message(name) or _time(name.partition(" [")[0]) or _HOSTS.get(name) or f"-{name}" for name in names]


def _row(keys: list[str], values: list[str]) -> Record | None:
    """A row's record: of several columns that may hold its text, the longest does."""
    cells = sorted(zip(keys, values, strict=False), key=lambda cell: len(cell[1]) if cell[0] == "message" else 0)
    found = dict(cells)
    if _CLOCK.match(found.get("time", "")) is not None and "date" in found:
        found["time"] = f"{found.pop('date')} {found['time']}"
    return record(found)


def _text(row: bytes) -> str:
    return row.decode("utf-8", "replace").replace("\0", "")


# ---- Markdown


def _markdown(head: bytes) -> bool:
    rows = head.split(b"\n", 40)[:40]
    return any(
        row.lstrip().startswith(b"|") and _RULE.match(rule) and b"|" in rule and b"--" in rule
        for row, rule in itertools.pairwise(rows)
    )


def _cells(first: bytes, rows: Iterator[bytes]) -> Iterator[bytes]:
    """The same lines; of a table's rows the cell that is the message."""
    before, column = first, -1
    yield first
    for row in rows:
        if _RULE.match(row) and b"|" in row and b"--" in row and before.lstrip().startswith(b"|"):
            column = _column(before)
            yield row
        elif column >= 0 and row.lstrip().startswith(b"|"):
            cells = _split(row)
            cell = cells[column] if column < len(cells) else max(cells, key=len, default="")
            yield cell.encode("utf-8", "surrogateescape") + b"\n"
        else:
            column = -1
            yield row
        before = row


def _column(head: bytes) -> int:
    """Which column is the message: by its name, else the last."""
    names = [name.strip(" `*").casefold() for name in _split(head)]
    return next((at for at, name in enumerate(names) if name in _COLUMNS), len(names) - 1)


def _split(row: bytes) -> list[str]:
    text = row.decode("utf-8", "surrogateescape").strip().removeprefix("|").removesuffix("|")
    cells = re.split(r"(?<!\\)\|", text)
    return [_plain(cell) for cell in cells]


def _plain(cell: str) -> str:
    cell = cell.replace("\\|", "|")
    cell = cell[1:] if cell.startswith(" ") else cell
    cell = cell[:-1] if cell.endswith(" ") else cell
    return cell.strip("`") if cell.startswith("`") and cell.endswith("`") and len(cell) > 1 else cell
