"""A scan: what is named, read by an engine, kept, and made into tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from kb.fleet.item import Block, Item, Settings
from kb.fleet.result import Journal, Totals

Engine: TypeAlias = Callable[[list[Item], Settings], Iterator[tuple[Item, Block]]]
"""What maps files to blocks, in the order of the files."""


def scan(
    items: Iterable[Item],
    out: Path,
    settings: Settings,
    engine: Engine,
    *,
    form: str,
    resume: bool = False,
    told: Callable[[Totals], None] = lambda totals: None,
) -> Totals:
    """Read files, and leave the results in a folder.

    Stopped by an exception, it leaves what was read, to be gone on with; results that are there stay until then.

    Args:
        items: The files.
        out: The folder, made if it is not there.
        settings: How the files are read.
        engine: Who reads them.
        form: ``parquet`` or ``ndjson``.
        resume: Go on with a scan that was stopped.
        told: Called behind each file.
    """
    journal = Journal(out, settings, resume=resume)
    try:
        left = [item for item in items if item.source not in journal.done]
        told(journal.totals)
        if left:
            for item, block in engine(left, settings):
                journal.add(item, block)
                told(journal.totals)
        journal.publish(settings.sample, form)
    finally:
        journal.close()
    return journal.totals
