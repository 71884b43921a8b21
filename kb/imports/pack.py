"""``kb import vulns DIR --pack FILE``: the records of the kernel CVE team as the pack of facts that comes with kb."""

import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from kb.identity.frames import names
from kb.identity.signature import VERSION as KEYS
from kb.imports import build, vulns
from kb.known.pack import Header, Splat, entry, subject_id, write
from kb.model.report import Report


def pack(folder: Path, target: Path, *, bad: build.Bad | None = None, told: Callable[[int, int], None]) -> int:
    """Write the pack of a checkout of the records; returns how many are in it.

    Args:
        folder: See :func:`kb.imports.vulns.records`.
        target: The pack.
        bad: Takes what cannot be used, rather than let it raise.
        told: Takes the records read and those packed so far.

    Raises:
        InputError: There are no records, or the pack cannot be written.
    """
    rows = list(_rows(folder, bad, told))
    commit, date = source(folder)
    write(target, Header(commit, date, KEYS, build.VERSION, len(rows)), rows)
    return len(rows)


def _rows(folder: Path, bad: build.Bad | None, told: Callable[[int, int], None]) -> Iterator[dict[str, Any]]:
    made = 0
    for read, path in enumerate(vulns.records(folder), 1):
        row = build.guarded(partial(_row, path, folder), path.stem, bad)
        if row is not None:
            made += 1
            yield row
        told(read, made)


def _row(path: Path, folder: Path) -> dict[str, Any] | None:
    text, dyad, commit = vulns.parts(path, folder)
    reports = vulns.quoted(path.stem, text)
    known = vulns.known(path.stem, text, dyad, commit, reports=reports)
    if known is None:
        return None
    return entry(known, dict.fromkeys(map(splat, reports)), subject_id(vulns.subject_of(path.stem, text)))


def splat(report: Report) -> Splat:
    """What a pack says of a quoted report."""
    return Splat(report.kind, report.title, build.links([report]), names(report), report.function, report.module)


def source(folder: Path) -> tuple[str | None, str | None]:
    """The commit of a checkout and its date, None where the folder is none."""
    run = ["git", "-C", str(folder), "log", "-1", "--format=%H %cI"]
    try:
        done = subprocess.run(run, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.SubprocessError):
        return None, None
    commit, _, date = done.stdout.strip().partition(" ")
    return (commit, date) if done.returncode == 0 and date else (None, None)
