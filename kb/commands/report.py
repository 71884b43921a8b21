"""``kb report``: hand in what a crash left behind."""

from __future__ import annotations

import argparse
import os
import platform

from kb.cli import EMPTY, OK, UNUSABLE, note
from kb.errors import InputError, UsageError
from kb.render.safe import safe

PLACES = ("/var/crash", "/var/lib/systemd/pstore", "/sys/fs/pstore")
"""Where kdump and pstore leave logs."""


def run(options: argparse.Namespace) -> int:
    """Hand in all that was not handed in before; a line for each report."""
    from kb.serve.handin import Done, Service, crashes

    service = Service(options.to, _token(options.token), options.wait)
    done = Done(options.done)
    paths = options.paths or [path for path in PLACES if os.path.isdir(path)]
    found = failed = 0
    for crash in crashes(paths, note):
        found += 1
        if crash in done:
            continue
        try:
            rows = service.record(crash, host=options.host or platform.node() or "-", source=f"crash:{crash.name}")
        except InputError as error:  # the others may be taken
            note(str(error))
            failed += 1
            continue
        done.add(crash)
        for row in rows:
            seen = "new" if row["count"] == 1 else f"seen {row['count']}"
            print(safe(f"{crash.name}: {row['title']} ({row['signature']}, {seen})"))
        if not rows:
            note(f"{crash.name}: handed in; no report is in it")
    return UNUSABLE if failed else OK if found else EMPTY


def _token(path: str | None) -> str | None:
    if path is None:
        return None
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip() or None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the token cannot be read: {getattr(error, 'strerror', error)}", path=path) from None
