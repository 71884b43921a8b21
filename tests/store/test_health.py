"""A store is examined without being made or changed, and what is wrong with it is said."""

import sqlite3
from pathlib import Path

import pytest

from kb.store import Store
from kb.store.health import examine
from kb.store.migrate import VERSION


def listed(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Store(tmp_path / "kb.db") as store:
        store.record("kb1:00", title="t", kind="k", host="db17")
    return tmp_path / "kb.db"


def test_a_sound_store_is_private_writable_and_left_alone(path: Path) -> None:
    before = listed(path.parent)
    health = examine(path)
    assert (health.there, health.private, health.writable, health.sound, health.problem) == (
        True,
        True,
        True,
        True,
        None,
    )
    assert (health.schema, health.known, health.mode, health.size) == (VERSION, VERSION, "0600", path.stat().st_size)
    assert listed(path.parent) == before


def test_one_that_others_write_to_is_read_as_it_is_now(path: Path) -> None:
    with Store(path) as store:
        store.record("kb1:01", title="t", kind="k")
        health = examine(path)
        assert health.size == path.stat().st_size + Path(f"{path}-wal").stat().st_size
        assert (health.sound, health.problem) == (True, None)


def test_an_absent_one_is_not_made(tmp_path: Path) -> None:
    health = examine(tmp_path / "deep" / "kb.db")
    assert (health.there, health.writable, health.problem) == (False, True, None)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    assert examine(tmp_path / "file" / "kb.db").problem is not None


def test_what_others_may_read_is_not_private(path: Path) -> None:
    path.chmod(0o644)
    assert (examine(path).private, examine(path).mode, examine(path).problem) == (False, "0644", None)


def test_what_is_no_store_is_a_problem(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    connection = sqlite3.connect(other)
    connection.execute("create table t (a)")
    connection.close()
    assert "not a store of kb" in (examine(other).problem or "")
    other.write_bytes(b"nothing of SQLite's" * 100)
    assert "not a database" in (examine(other).problem or "")
    assert examine(tmp_path).problem is not None
    connection = sqlite3.connect(path)
    connection.execute(f"pragma user_version = {VERSION + 1}")
    connection.close()
    assert f"schema {VERSION + 1}" in (examine(path).problem or "")


def test_damage_inside_is_found(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for page in range(2 * 4096, len(data), 4096):
        data[page : page + 64] = b"\xff" * 64
    path.write_bytes(data)
    health = examine(path)
    assert (health.sound in (False, None), bool(health.problem)) == (True, True)


def test_a_large_one_is_not_examined_for_ever(path: Path) -> None:
    with Store(path) as store:
        rows = [("a" * 20 + str(number),) for number in range(50_000)]
        with store.writing() as db:
            db.executemany("insert into frames (name) values (?)", rows)
    health = examine(path, seconds=-1)
    assert (health.schema, health.sound, health.problem) == (VERSION, None, None)
