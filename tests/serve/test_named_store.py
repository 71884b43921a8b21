"""A store that somebody named is opened before anybody is served."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import kb
from tests.serve.conftest import CLI, ROOT, Server, start
from tests.serve.test_api import OOPS
from tests.waiting import LIMIT, wait_for


def absent(place: Path) -> Path:
    return place / "nowhere" / "kb.db"


def folder(place: Path) -> Path:
    return place


def other(place: Path) -> Path:
    path = place / "letter.txt"
    path.write_text("Dear all,\n" * 100)
    return path


@pytest.mark.parametrize("named", [absent, folder, other])
@pytest.mark.parametrize("variable", [False, True])
def test_one_that_cannot_be_used_ends_the_start(named: object, variable: bool, tmp_path: Path) -> None:
    db = str(named(tmp_path))  # type: ignore[operator]
    told = subprocess.run(
        [sys.executable, "-c", CLI, "serve", "--port", "0", *(() if variable else ("--db", db))],
        cwd=ROOT, env={**os.environ, "KB_DB": db if variable else ""}, capture_output=True, text=True, timeout=LIMIT,
    )  # fmt: skip
    assert told.returncode == 4
    assert "serving on" not in told.stderr
    assert f"--> {db}" in told.stderr
    assert "help: " in told.stderr


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Server]:
    with kb.KnowledgeBase(tmp_path / "kb.db") as base:
        base.record(next(iter(base.read(OOPS))))
    (tmp_path / "stderr").touch()
    (tmp_path / "kb.db").chmod(0o400)
    tmp_path.chmod(0o500)
    if os.access(tmp_path, os.W_OK):
        pytest.skip("root may write anything")
    server = start(tmp_path, "--workers", "1")
    yield server
    server.stop()
    tmp_path.chmod(0o700)


def test_one_that_may_only_be_read_serves_those_who_read(read_only: Server) -> None:
    with read_only.client() as http:
        wait_for(lambda: http.get("/readyz").status_code == 200, "ready")
        assert http.post("/v1/match", content=OOPS).status_code == 200
        assert len(http.get("/v1/signatures").json()["signatures"]) == 1
        refused = http.post("/v1/record", content=OOPS.replace(b"foo_read", b"bar_read"))
        assert refused.status_code >= 400
        assert "may only be read" in refused.text
