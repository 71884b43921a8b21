"""``kb forget``: says what goes, asks on a terminal, and refuses where it cannot ask."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kb.store import Store
from tests.test_cli import ROOT, kb


@pytest.fixture
def db(tmp_path: Path) -> str:
    path = tmp_path / "kb.db"
    with Store(path) as store:
        for number in range(8):
            store.record(
                f"kb1:0{number}", title=f"WARNING in \x1bfoo{number}", kind="warning", host="db17", source="ticket:1"
            )
    return str(path)


def left(db: str) -> int:
    with Store(db) as store:
        return len(store.signatures())


def answered(answer: str, *args: str) -> "subprocess.CompletedProcess[bytes]":
    """The command with a terminal as its standard input, on which somebody answers."""
    ours, theirs = os.openpty()
    try:
        os.write(ours, answer.encode() + b"\n")
        run = [sys.executable, "-m", "kb", "forget", *args]
        return subprocess.run(run, cwd=ROOT, stdin=theirs, capture_output=True, check=False)
    finally:
        os.close(ours)
        os.close(theirs)


def test_without_a_criterion_or_a_terminal_it_is_usage(db: str) -> None:
    for args in ((), ("--yes",), ("--host", "db17"), ("--before", "soon", "--yes")):
        done = kb("forget", "--db", db, *args)
        assert (done.returncode, done.stdout) == (2, b"")
        assert b"help: " in done.stderr
    assert left(db) == 8


def test_a_dry_run_names_counts_and_the_first_subjects_and_takes_nothing(db: str) -> None:
    done = kb("forget", "--db", db, "--host", "db17", "--dry-run")
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 0
    assert lines[1:4] == [
        "        8  sightings, as counted",
        "        8  rows of sightings",
        "        8  rows of signatures",
    ]
    assert lines[4] == r"    kb1:00  WARNING in \x1bfoo0"
    assert lines[-1] == "    and 3 more"
    assert left(db) == 8


def test_with_yes_it_asks_nobody(db: str) -> None:
    done = kb("forget", "--db", db, "--source", "ticket:1", "--yes")
    assert (done.returncode, left(db)) == (0, 0)
    assert done.stdout.startswith(b"kb forget took out of")


@pytest.mark.parametrize(("answer", "code", "stays"), [("y", 0, 0), ("yes", 0, 0), ("n", 1, 8), ("", 1, 8)])
def test_on_a_terminal_it_shows_then_asks(db: str, answer: str, code: int, stays: int) -> None:
    done = answered(answer, "--db", db, "--host", "db17")
    assert (done.returncode, left(db)) == (code, stays)
    assert done.stdout.startswith(b"kb forget would take out of")
    assert b"[y/N]" in done.stderr


def test_where_nothing_matches_it_says_so_and_does_not_ask(db: str) -> None:
    done = answered("n", "--db", db, "--host", "db18")
    assert (done.returncode, done.stdout) == (0, f"nothing in {db} matches\n".encode())


def test_it_makes_no_store(tmp_path: Path) -> None:
    assert kb("forget", "--db", str(tmp_path / "kb.db"), "--host", "a", "--yes").returncode == 2
    assert list(tmp_path.iterdir()) == []
