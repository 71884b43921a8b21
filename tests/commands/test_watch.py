"""``kb watch``: what is being written is told while it is written, whoever writes it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kb.commands import watch
from tests.waiting import LIMIT

ROOT = Path(__file__).resolve().parents[2]
LOG = (ROOT / "cases/softlockup-generic/match-6.1.log").read_bytes()
TITLE = "BUG: soft lockup in ext4_mb_good_group"


@contextmanager
def watching(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "kb", "watch", *words]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line(process: subprocess.Popen[bytes]) -> str:
    """The next line of its answer; a process that says none is ended, so that the test fails and does not hang."""
    assert process.stdout is not None
    timer = threading.Timer(LIMIT, process.kill)
    timer.start()
    try:
        return process.stdout.readline().decode()
    finally:
        timer.cancel()


def test_a_report_on_standard_input_is_told_before_the_input_ends() -> None:
    with watching("-") as process:
        assert process.stdin is not None
        process.stdin.write(LOG)
        process.stdin.flush()
        assert line(process).startswith(TITLE)
        process.stdin.close()
        process.stdin = None
        assert process.wait(LIMIT) == 0


def test_a_repeat_is_one_line_and_nothing_known_is_exit_code_1() -> None:
    with watching("-") as process:
        out, _err = process.communicate(LOG + LOG.replace(b"512.0", b"612.0"), timeout=LIMIT)
    told = out.decode().split("\n\n")
    assert told[0].startswith(TITLE)
    assert told[-1].strip().count("\n") == 0


@pytest.mark.skipif(shutil.which("tail") is None, reason="no tail here")
def test_of_a_file_that_grows_what_is_added_is_told(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    path.write_bytes(b"[    1.000000] before\n" * 3 + LOG.replace(b"ext4_mb_good_group", b"older"))
    with watching(str(path)) as process:
        done = threading.Event()

        def append() -> None:  # tail may not have opened it yet: what is there before that is not told
            while not done.wait(1):
                with path.open("ab") as stream:
                    stream.write(LOG)

        writer = threading.Thread(target=append)
        writer.start()
        try:
            assert line(process).startswith(TITLE)
        finally:
            done.set()
            writer.join()
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT) == 130


def test_a_hook_gets_the_report_as_json_and_one_that_fails_is_told(tmp_path: Path) -> None:
    kept = tmp_path / "report.json"
    with watching("--exec", f"cat > {kept}; exit 3", "-") as process:
        _out, err = process.communicate(LOG, timeout=LIMIT)
    assert json.loads(kept.read_text())["title"] == TITLE
    assert "hook failed: exit code 3" in err.decode()


def test_a_file_that_is_not_there_is_told() -> None:
    with watching("no/such.log") as process:
        _out, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 4
    assert "no such file" in err.decode()


def test_a_journal_counts_where_it_has_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert not watch._has_journal([str(tmp_path / "none"), str(tmp_path)])
    (tmp_path / "4f3c").mkdir()
    (tmp_path / "4f3c/system.journal").write_bytes(b"LPKSHHRH")
    assert watch._has_journal([str(tmp_path)])
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert not watch._has_journal([str(tmp_path)])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no fifos here")
def test_records_of_a_device_are_read_as_they_come(tmp_path: Path) -> None:
    path = str(tmp_path / "kmsg")
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: Path(path).write_bytes(b"6,1,100,-;one\n6,2,200,-;two\n"))
    writer.start()
    with watch._records(path) as stream:
        end = time.monotonic() + LIMIT
        found = b""
        while found.count(b"\n") < 2 and time.monotonic() < end:
            found += stream.readline()
    writer.join()
    assert found == b"6,1,100,-;one\n6,2,200,-;two\n"
