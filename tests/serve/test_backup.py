"""What docs/serve.md says of backups: a copy that was made while the service writes is a store."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import kb
from tests.serve.conftest import Server
from tests.serve.test_api import OOPS


def test_a_copy_made_while_it_is_served_has_what_was_acknowledged(serve: Callable[..., Server], tmp_path: Path) -> None:
    server = serve("--workers", "1")
    copy = tmp_path / "copy.db"
    with server.client() as http:
        for number in range(3):
            assert http.post("/v1/record", content=OOPS, params={"key": str(number)}).status_code == 201
        here, there = sqlite3.connect(server.db), sqlite3.connect(copy)
        here.backup(there)  # what sqlite3's .backup does
        here.close()
        there.close()
        http.post("/v1/record", content=OOPS, params={"key": "later"})
        with kb.KnowledgeBase(server.db) as base:  # forgetting rebuilds the file (VACUUM) beside the service
            base.forget(before="2000-01-01")
        assert http.post("/v1/record", content=OOPS, params={"key": "after"}).status_code == 201
    with kb.KnowledgeBase(copy) as base:
        assert base.store.check() == []
        assert base.store.rows("select count from signatures") == [(3,)]
