"""Pushes to Loki (grafana.com/docs/loki, POST /loki/api/v1/push): streams of labels and values, read in one go.

What a push is can be said at its end alone: a stream's labels may stand behind its values. So a long one is read where
logs are, by a worker, which gives it back as rows that need no more than one of them to be read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from kb.serve.intake.arrived import Arrived, Boot, of_record

HELP = 'Loki takes {"streams": [{"stream": {LABEL: VALUE}, "values": [["NANOSECONDS", "LINE"]]}]}'
_STAMP = re.compile("[0-9]{1,19}")


def rows(body: bytes) -> bytes | None:
    """A push as rows of JSON, a line each: the labels of a stream, then its values. None: it is no push.

    The rows take four times the bytes of the body at most.
    """
    try:
        return b"".join(
            json.dumps(row, separators=(",", ":")).encode("ascii") + b"\n" for row in _rows(json.loads(body))
        )
    except (ValueError, RecursionError):
        return None


def _rows(push: Any) -> Iterator[dict[str, str] | list[Any]]:
    for stream in _each(push, "streams"):
        labels = stream.get("stream", {}) if isinstance(stream, dict) else None
        if not isinstance(labels, dict) or not all(isinstance(value, str) for value in labels.values()):
            raise ValueError("labels")
        yield labels
        for value in _each(stream, "values"):
            if not _is_value(value):
                raise ValueError("a value")
            yield value


def _each(outer: Any, name: str) -> list[Any]:
    found = outer.get(name) if isinstance(outer, dict) else None
    if not isinstance(found, list):
        raise ValueError(name)
    return found


def _is_value(value: Any) -> bool:
    """Whether it is a time, a line and, at most, what is said of that line alone: names and texts, none in another."""
    return (
        isinstance(value, list)
        and 2 <= len(value) <= 3
        and all(isinstance(part, str) for part in value[:2])
        and _STAMP.fullmatch(value[0]) is not None
        and all(isinstance(part, dict) and all(isinstance(one, str) for one in part.values()) for part in value[2:])
    )


class Rows:
    """Reads rows as records.

    Args:
        sender: Whose they are where the labels name nobody.
    """

    def __init__(self, sender: Boot):
        self._sender = sender
        self._labels: dict[str, Any] = {}
        self._parts: list[bytes] = []

    def feed(self, piece: bytes) -> Iterator[Arrived]:
        """The records whose rows end in a piece."""
        first, *others = piece.split(b"\n")
        self._parts.append(first)
        for start in others:
            yield from self._row(json.loads(b"".join(self._parts)))
            self._parts = [start]

    def _row(self, row: Any) -> tuple[Arrived, ...]:
        if isinstance(row, dict):
            self._labels = row
            return ()
        stamp, line, *beside = row
        return of_record({"line": line, "ts": stamp}, self._labels | (beside[0] if beside else {}), self._sender) or ()
