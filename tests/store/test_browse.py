from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from kb.errors import StoreError
from kb.store import Store
from kb.store.browse import Browser


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "kb.db"
    with Store(path) as store:
        for number, (title, kind) in enumerate(
            [("WARNING in foo", "warning"), ("KASAN: use-after-free in bar", "kasan"), ("100% of foo_bar", "oops")]
        ):
            for times in range(number + 1):
                store.record(
                    f"kb1:{number}", title=title, kind=kind, kernel=f"6.{number}.{times}",
                    seen=f"2026-01-0{9 - number}T00:00:0{times}Z",
                )  # fmt: skip
    return path


def order(browser: Browser, *args: str, descending: bool = True, words: str = "") -> list[str]:
    ids = [number for piece in browser.ids(*args, descending=descending, words=words) for number in piece]  # type: ignore[arg-type]
    return [row.signature for row in browser.rows(ids)]


def test_ids_come_in_every_order(path: Path) -> None:
    browser = Browser(path)
    assert order(browser, "last") == ["kb1:0", "kb1:1", "kb1:2"]
    assert order(browser, "count") == ["kb1:2", "kb1:1", "kb1:0"]
    assert order(browser, "title", descending=False) == ["kb1:2", "kb1:1", "kb1:0"]
    assert order(browser, "kind", descending=False) == ["kb1:1", "kb1:2", "kb1:0"]


def test_words_are_looked_for_literally_in_title_and_kind(path: Path) -> None:
    browser = Browser(path)
    assert order(browser, words="FOO") == ["kb1:0", "kb1:2"]
    assert order(browser, words="foo kind:oops") == ["kb1:2"]
    assert order(browser, words="0%") == ["kb1:2"]
    assert order(browser, words="foo_") == ["kb1:2"]
    assert order(browser, words="%") == ["kb1:2"]
    assert order(browser, words="' or 1=1 --") == []


def test_a_row_tells_the_kernel_it_was_seen_on_last(path: Path) -> None:
    (row,) = Browser(path).rows([3])
    assert (row.title, row.count, row.kernel, row.case) == ("100% of foo_bar", 3, "6.2.2", None)


def test_rows_come_in_the_order_asked_and_absent_ones_are_left_out(path: Path) -> None:
    assert [row.id for row in Browser(path).rows([3, 99, 1])] == [3, 1]


def test_it_cannot_write(path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        Browser(path).connection.execute("delete from signatures")


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"no database at all, but some bytes" * 40)
    with pytest.raises(StoreError):
        Browser(tmp_path / "x")
