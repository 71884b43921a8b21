"""``kb watch``: the log of a running kernel, each report told when it is over."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from kb import api
from kb.cli import EMPTY, OK, UNKNOWN, note

if TYPE_CHECKING:
    from kb.model.verdict import Diagnosis

KMSG = "/dev/kmsg"
JOURNALS = ("/run/log/journal", "/var/log/journal")
"""Where journald keeps its files (systemd-journald.service(8))."""
_RECORD = 8192
"""Bytes of a record of /dev/kmsg, at most (Documentation/ABI/testing/dev-kmsg)."""
_PATIENCE = 60
"""Seconds that a hook may take."""


def run(options: argparse.Namespace) -> int:
    """Follow, and tell; the exit code is that of ``kb match``."""
    from kb.commands.output import colored, width, write
    from kb.diagnose import Once
    from kb.identity.group import Groups
    from kb.render.text import again, page

    look = {"color": colored(options.color), "width": width(), "lang": options.lang}
    groups, once, known = Groups(), Once(), 0
    with api.KnowledgeBase(options.db, cases=options.cases) as base, _followed(options) as stream:
        for report in api.read_live(stream, told=note):
            found = once(base.diagnose(report, kernel=options.kernel))
            group = groups.add(found)
            known += found.known
            write(page(found, group, **look) + "\n" if group.count == 1 else again(group, options.lang) + "\n")
            _tell(found, options)
    return OK if known else UNKNOWN if groups.count else EMPTY


@contextmanager
def _followed(options: argparse.Namespace) -> Iterator[BinaryIO]:
    """What is being written, as a binary file that tells when nothing comes."""
    if options.file == "-":
        yield sys.stdin.buffer
        return
    if options.kmsg or (options.file is None and not _has_journal()):
        with _records(KMSG) as stream:
            yield stream
        return
    if options.file is not None:
        if not os.path.exists(options.file):
            from kb.errors import InputError

            raise InputError("no such file", path=options.file, help="kb watch without FILE follows this machine")
        command = ["tail", "-n", "0", "-F", "--", options.file]
    else:
        command = ["journalctl", "--dmesg", "--follow", "--lines=0", "--output=short-monotonic", "--no-pager"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    assert process.stdout is not None
    try:
        yield process.stdout  # type: ignore[misc]
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def _has_journal(folders: Iterable[str] = JOURNALS) -> bool:
    """Whether journald writes one here: in a container journalctl may be there and have nothing to say."""
    return shutil.which("journalctl") is not None and any(
        name.endswith(".journal") for folder in folders for _path, _folders, names in os.walk(folder) for name in names
    )


@contextmanager
def _records(path: str) -> Iterator[BinaryIO]:
    """The records of /dev/kmsg from now on: a read gives one, and a device is no pipe that one could wait for."""
    try:
        device = os.open(path, os.O_RDONLY)
    except OSError as error:
        from kb.errors import InputError

        raise InputError(
            f"cannot be read: {error.strerror}", path=path, help="run it as root, or with CAP_SYSLOG"
        ) from error
    with contextlib.suppress(OSError):
        os.lseek(device, 0, os.SEEK_END)
    out, in_ = os.pipe()

    def pump() -> None:
        while True:
            try:
                record = os.read(device, _RECORD)
                if not record:  # a fifo whose writer has left: no device ends
                    os.close(in_)
                    return
                os.write(in_, record)
            except BrokenPipeError:  # of kmsg: records were overwritten before they were read; of the pipe: it is over
                if closed.is_set():
                    return
            except OSError:
                return

    closed = threading.Event()
    threading.Thread(target=pump, daemon=True).start()
    with os.fdopen(out, "rb") as stream:
        try:
            yield stream
        finally:
            closed.set()


def _tell(found: Diagnosis, options: argparse.Namespace) -> None:
    """Call the hooks; one that fails is noted, and the watch goes on."""
    if options.hook:
        from kb.render.json import line

        _call(options.hook, line(found.to_json()) + "\n", shell=True)
    if options.desktop:
        known = f"known: {found.best.case.id}" if found.known and found.best is not None else "no known case"
        _call(["notify-send", "--app-name=kb", "--urgency=critical", "--", found.report.title, known], "", shell=False)


def _call(command: str | list[str], text: str, *, shell: bool) -> None:
    try:
        done = subprocess.run(command, input=text.encode(), shell=shell, timeout=_PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        note(f"hook failed: {error}")
        return
    if done.returncode:
        note(f"hook failed: exit code {done.returncode}")
