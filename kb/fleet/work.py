"""What a worker does: one file, its reports as rows. A pure function of the file, the cases and the settings."""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kb import api
from kb.errors import KbError, NoLog
from kb.fleet.day import UNKNOWN, day_of
from kb.fleet.item import Block, Item, Settings
from kb.model.text import plain

if TYPE_CHECKING:
    from kb.model.verdict import Diagnosis

_EVIDENCE = 1 << 16
"""Bytes of a report's text that are kept."""
_PACKED = (".gz", ".xz", ".bz2", ".zst")


def read(item: Item, settings: Settings) -> Block:
    """The reports of a file as rows, and what of it could not be read."""
    from kb.render.json import line

    _hook(item, settings)
    errors: list[tuple[str, str]] = []
    rows, count = bytearray(), 0
    kept: Counter[tuple[str, str]] = Counter()
    path = item.place
    try:
        with _local(item) as path:
            for row, text in _rows(item, path, settings, errors):
                key = row["signature"], row["day"]
                kept[key] += 1
                row["evidence"] = text() if kept[key] <= settings.sample else None
                rows += line(row).encode() + b"\n"
                count += 1
    except (KbError, OSError) as error:
        reason = error.reason if isinstance(error, KbError) else error.strerror or str(error)
        if not (item.found and _no_log(item, error)):
            named = error.path if isinstance(error, KbError) else None
            errors.append((plain((named or path).replace(path, item.source, 1)), plain(reason)))
    return Block(bytes(rows), count, item.size, tuple(dict.fromkeys(errors)))


def _no_log(item: Item, error: Exception) -> bool:
    """Whether a file that nobody named is simply none that kb reads: a picture or a store beside the logs is no error.

    One whose name says that it is a log, or packed, is.
    """
    from kb.log.containers.roles import says_log

    told = says_log(item.source) or item.source.endswith(_PACKED)
    return isinstance(error, NoLog) and not told


def _rows(
    item: Item, path: str, settings: Settings, errors: list[tuple[str, str]]
) -> Iterator[tuple[dict[str, Any], Any]]:
    for name, log, host in _logs(item, path, settings):
        told: list[str] = []
        for number, found in enumerate(_diagnoses(log, told, settings)):
            report = found.report
            source = name + report.source.removeprefix(path) if isinstance(log, Path) else name
            row = as_row(found, source, number, host)
            if settings.kinds and row["kind"] not in settings.kinds:
                continue
            if settings.since is not None and UNKNOWN != row["day"] < settings.since:
                continue
            yield row, functools.partial(_text, found)
        errors += _unread(told, path, name)


def _logs(item: Item, path: str, settings: Settings) -> Iterator[tuple[str, Any, str | None]]:
    """The logs in a file: itself, or one a host where columns of a table are named."""
    if settings.columns is None:
        yield item.source, Path(path), None
        return
    from kb.fleet.columns import logs

    for host, data in logs(path, settings.columns):
        yield item.source + (f"!{host}" if host else ""), data, host


def _diagnoses(log: Any, told: list[str], settings: Settings) -> Iterator[Diagnosis]:
    once = None
    for report in api.read(log, told=told.append):
        if once is None:
            from kb.diagnose import Once

            once = Once()
        yield once(api.with_known_fixes(api.diagnose(report, cases(settings.cases))))


def warm(settings: Settings) -> None:
    """Load what the first report needs: grammars and cases."""
    for found in _diagnoses(b"BUG: unable to handle page fault for address: 0\n", [], settings):
        assert found.report


@functools.lru_cache(maxsize=1)
def cases(folder: str | None) -> Any:
    """The cases that reports are matched against, loaded once a worker."""
    return api.library(folder).cases


def as_row(found: Diagnosis, source: str, number: int, host: str | None = None) -> dict[str, Any]:
    """A diagnosis as a row of the results (docs/fleet.md lists its columns).

    Args:
        found: The diagnosis.
        source: Name of the file, and of the member in it.
        number: The report's place among those of its file, from 0.
        host: Where the log names none.
    """
    report, mark, best = found.report, found.signature, found.best
    known = best if best is not None and best.verdict.value == "yes" else None
    fix = next((match for match in found.known_fixes if match.verdict.value == "yes"), None)
    named = report.host or host
    return {
        "source": plain(source),
        "number": number,
        "lines": list(report.span),
        "kind": report.kind,
        "title": plain(report.title),
        "function": plain(report.function) if report.function else None,
        "module": plain(report.module) if report.module else None,
        "signature": mark.id,
        "key": plain(mark.key),
        "alt": list(mark.alt),
        "case": known.case.id if known is not None else None,
        "fix": fix.case.id.upper() if fix is not None else None,
        "kernel": plain(report.kernel) if report.kernel else None,
        "host": plain(named) if named else None,
        "time": report.time,
        "wall": plain(report.wall) if report.wall else None,
        "day": day_of(report.wall),
        "corrupted": plain(report.corrupted) if report.corrupted else None,
        "headline": plain(report.headline),
    }


def _text(found: Diagnosis) -> str:
    return api.raw_text(found.report)[:_EVIDENCE].decode("utf-8", "surrogateescape")


def _unread(told: list[str], path: str, source: str) -> Iterator[tuple[str, str]]:
    """What notes on an input say of what could not be read: members left out, and data that ends in damage."""
    for text in told:
        name, _, reason = text.partition(": ")
        if reason.startswith("not read: ") or "cut or damaged" in reason:
            yield plain(name.replace(path, source, 1)), plain(reason.removeprefix("not read: "))


@contextlib.contextmanager
def _local(item: Item) -> Iterator[str]:
    """The path of a file on this machine; one from elsewhere is fetched for as long as it is read."""
    if "://" not in item.place:
        yield item.place
        return
    from kb.fleet.files import fetch

    with tempfile.TemporaryDirectory(prefix="kb-scan-") as folder:
        path = os.path.join(folder, item.place.rsplit("/", 1)[-1] or "log")
        fetch(item.place, path)
        yield path


def _hook(item: Item, settings: Settings) -> None:
    if settings.hook is not None:
        module, _, name = settings.hook.partition(":")
        getattr(importlib.import_module(module), name)(item.source)
