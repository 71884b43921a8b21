"""``kb scan``: a fleet's logs, read by many processes into tables."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kb.cli import EMPTY, OK, UNUSABLE, note
from kb.errors import UsageError

if TYPE_CHECKING:
    from kb.fleet.item import Block, Item, Settings
    from kb.fleet.result import Totals

_EVERY = 10.0
"""Seconds between two lines of progress where nobody looks at a terminal."""
_SOON = 0.5
"""On a terminal, where a line replaces the one before."""


def run(options: argparse.Namespace) -> int:
    """Scan; the exit code is 0 when all files were read, 4 when one was not, 3 when no report is in any."""
    from kb.fleet.files import items
    from kb.fleet.result import WORK, finished
    from kb.fleet.scan import scan

    settings, out = _settings(options), Path(options.out)
    if options.resume and not (out / WORK).exists() and (summary := finished(out)) is not None:
        note(f"nothing to go on with: {out} holds the results of a whole scan")
        return _code(summary["reports"], summary["errors"])
    files = items(options.sources)
    progress = _Progress(len(files), sum(item.size for item in files))
    try:
        totals = scan(
            files, out, settings, _engine(options), form=_form(options), resume=options.resume, told=progress.told
        )
    except KeyboardInterrupt:
        progress.end()
        note("stopped: the same command with --resume goes on")
        raise
    progress.end(totals)
    if options.record:
        from kb.commands.store import load_results

        load_results(options, out)
    return _code(totals.reports, totals.errors)


def _code(reports: int, errors: int) -> int:
    return UNUSABLE if errors else OK if reports else EMPTY


def _settings(options: argparse.Namespace) -> Settings:
    from kb.fleet.item import Columns, Settings

    if options.since is not None and re.fullmatch(r"\d{4}-\d\d-\d\d", options.since) is None:
        raise UsageError(f"--since cannot be {options.since!r}", help="a day: 2026-01-31")
    if min(options.jobs or 1, 1 + options.sample, options.timeout) < 1:
        raise UsageError("--jobs and --timeout count from 1, --sample from 0")
    if options.column is None and (options.host_column or options.time_column):
        raise UsageError("--host-column and --time-column need --column, which holds the messages")
    return Settings(
        kinds=tuple(sorted({kind for each in options.kind for kind in each.split(",")})),
        since=options.since,
        sample=options.sample,
        columns=Columns(options.column, options.host_column, options.time_column) if options.column else None,
        cases=os.path.abspath(options.cases) if options.cases else None,
        timeout=options.timeout,
        hook=os.environ.get("KB_SCAN_HOOK"),
    )


def _form(options: argparse.Namespace) -> str:
    """Parquet where it can be written."""
    there = find_spec("pyarrow") is not None
    if options.format == "parquet" and not there:
        raise UsageError("Parquet needs pyarrow", help="pip install 'kernel-kb[fleet]', or give --format ndjson")
    return options.format or ("parquet" if there else "ndjson")


def _engine(options: argparse.Namespace) -> Any:
    if options.dask is not None:
        from kb.fleet.cluster import blocks as far

        return lambda items, settings: far(items, settings, options.dask)
    from kb.fleet.pool import blocks

    jobs = options.jobs or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)

    def here(items: list[Item], settings: Settings) -> Iterator[tuple[Item, Block]]:
        return blocks(items, settings, min(jobs, len(items)))

    return here


class _Progress:
    """How far a scan is, on stderr: files, MB, reports, errors, and how long it will take."""

    def __init__(self, files: int, size: int):
        self._files, self._size = files, size
        self._terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._started = self._last = time.monotonic()
        self._before: Totals | None = None
        """What an earlier run had read."""

    def told(self, totals: Totals) -> None:
        """Another file was read."""
        self._before = self._before or totals
        now = time.monotonic()
        if now - self._last >= (_SOON if self._terminal else _EVERY):
            self._last = now
            self._show(f"{self._text(totals)}, {self._left(totals, now)}")

    def end(self, totals: Totals | None = None) -> None:
        """The last line."""
        if self._terminal:
            with contextlib.suppress(OSError):
                sys.stderr.write("\r\x1b[K")
        if totals is not None:
            note(f"{self._text(totals)}, {time.monotonic() - self._started:.1f} s")

    def _text(self, totals: Totals) -> str:
        errors = f", {totals.errors} not read" if totals.errors else ""
        return f"{totals.files} of {self._files} files, {totals.size / 1e6:.1f} MB, {totals.reports} reports{errors}"

    def _left(self, totals: Totals, now: float) -> str:
        assert self._before is not None
        done, size = totals.files - self._before.files, totals.size - self._before.size
        part = size / max(self._size - self._before.size, 1) if size else done / max(self._files, 1)
        return f"ETA {(now - self._started) * (1 - part) / part:.0f} s" if part else "ETA unknown"

    def _show(self, text: str) -> None:
        if not self._terminal:
            note(text)
            return
        with contextlib.suppress(OSError):
            sys.stderr.write(f"\rkb: {text}\x1b[K")
            sys.stderr.flush()
