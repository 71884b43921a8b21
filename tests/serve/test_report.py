"""``kb report``: what a crash left behind, handed in once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.serve.conftest import CLI, ROOT, SECRETS, Server
from tests.serve.test_api import OOPS
from tests.serve.test_live import seen


def report(*args: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("KB_")}
    command = [sys.executable, "-c", CLI, "report", *args]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=env, timeout=120)


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """What two crashes leave: kdump's folder with a core, and a dump of pstore in parts with what it was joined to."""
    one = tmp_path / "crash" / "127.0.0.1-2026-11-28"
    two = tmp_path / "crash" / "1790000000"
    one.mkdir(parents=True)
    two.mkdir()
    (one / "vmcore-dmesg.txt").write_bytes(OOPS)
    (one / "vmcore").write_bytes(b"KDUMP   " + b"\0" * 1000)
    again = OOPS.replace(b"foo_read", b"bar_read").splitlines(keepends=True)
    (two / "dmesg.txt").write_bytes(b"".join(again))
    (two / "dmesg-efi-1").write_bytes(b"Oops#1 Part1\n" + b"".join(again[4:]))
    (two / "dmesg-efi-2").write_bytes(b"Oops#1 Part2\n" + b"".join(again[:4]))
    return tmp_path / "crash"


def test_what_lies_in_a_folder_is_one_crash_and_is_handed_in_once(
    serve: Callable[..., Server], tokens: Path, left: Path, tmp_path: Path
) -> None:
    server = serve("--workers", "1", "--tokens", str(tokens))
    token, done = tmp_path / "token", tmp_path / "done"
    token.write_text(SECRETS["record"] + "\n")
    how = ("--to", server.url, "--token", str(token), "--host", "db17", str(left))
    first = report(*how, "--done", str(done))
    assert first.returncode == 0, first.stderr
    assert [line.split(" (kb")[0] for line in first.stdout.splitlines()] == [
        "127.0.0.1-2026-11-28: BUG: unable to handle kernel NULL pointer dereference in foo_read",
        "1790000000: BUG: unable to handle kernel NULL pointer dereference in bar_read",
    ]
    assert len(done.read_text().split()) == 2
    assert report(*how, "--done", str(done)).stdout == ""
    assert report(*how).returncode == 0  # nothing is remembered, and nothing is counted
    with server.client("read") as http:
        assert seen(http) == [
            ("db17", "crash:127.0.0.1-2026-11-28", 1),
            ("db17", "crash:1790000000", 1),
        ]


def test_one_who_may_not_record_is_told_why(serve: Callable[..., Server], tokens: Path, left: Path) -> None:
    server = serve("--workers", "1", "--tokens", str(tokens))
    done = report("--to", server.url, "--wait", "5", str(left))
    assert done.returncode == 4
    assert "401" in done.stderr
    assert "help" in done.stderr


def test_a_service_that_is_not_there_is_told_and_nothing_is_remembered(left: Path, tmp_path: Path) -> None:
    done = report("--to", "http://127.0.0.1:1", "--wait", "0", "--done", str(tmp_path / "done"), str(left))
    assert done.returncode == 4
    assert "cannot be reached" in done.stderr
    assert not (tmp_path / "done").exists()


def test_nothing_left_is_no_error_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("no log\n")
    assert report("--to", "http://127.0.0.1:1", str(tmp_path)).returncode == 3
    assert report("--to", "nowhere", str(tmp_path)).returncode == 2
    assert report(str(tmp_path)).returncode == 2


def test_it_loads_nothing_that_serves() -> None:
    code = "import sys, kb.commands.report, kb.serve.handin; print({'fastapi', 'anyio', 'asyncio'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("named", [True, False])
def test_a_log_that_is_too_long_is_told_and_not_cut(tmp_path: Path, named: bool) -> None:
    from kb.serve.handin import crashes

    log = tmp_path / "dmesg.txt"
    with log.open("wb") as file:
        file.truncate((64 << 20) + 1)
    told: list[str] = []
    assert list(crashes([str(log if named else tmp_path)], told.append)) == []
    assert told == [f"{log}: not handed in: longer than {64 << 20} bytes"]
