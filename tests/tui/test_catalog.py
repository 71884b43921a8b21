from __future__ import annotations

import time
from pathlib import Path

from kb.store.browse import Order
from kb.tui.catalog import PAGE, PAGES, StoreCatalog
from kb.tui.desk import Doc
from tests.tui.test_triage import filled


def waited(catalog: StoreCatalog, index: int) -> str:
    """A row's title, once its page has come."""
    for _ in range(500):
        item = catalog.at(index)
        if item is not None:
            return item.title
        time.sleep(0.01)
    raise AssertionError(f"row {index} never came")


def ready(path: Path, words: str = "", order: Order = "last") -> StoreCatalog:
    catalog = StoreCatalog(path, lambda: None, lambda error: None)
    catalog.look(words, order, True)
    for _ in range(500):
        if not catalog.busy:
            return catalog
        time.sleep(0.01)
    raise AssertionError("never ready")


def test_every_row_is_there_whatever_is_asked_first(tmp_path: Path) -> None:
    catalog = ready(filled(tmp_path / "kb.db", 3 * PAGE + 7))
    assert len(catalog) == catalog.total == 3 * PAGE + 7
    for index in (3 * PAGE + 6, 0, PAGE, PAGE - 1, 2 * PAGE + 1):
        assert waited(catalog, index) == f"WARNING in func_{3 * PAGE + 6 - index:04}"
    assert catalog.at(3 * PAGE + 7) is None
    catalog.close()


def test_pages_are_not_kept_for_ever(tmp_path: Path) -> None:
    catalog = ready(filled(tmp_path / "kb.db", 20))
    for page in range(PAGES + 5):
        catalog._pages[1000 + page] = []
    assert waited(catalog, 0)
    assert len(catalog._pages) == PAGES
    catalog.close()


def test_a_newer_search_wins(tmp_path: Path) -> None:
    catalog = ready(filled(tmp_path / "kb.db", 300))
    for words in ("func_0", "func_00", "func_001", "func_0017"):
        catalog.look(words, "last", True)
    for _ in range(500):
        if not catalog.busy:
            break
        time.sleep(0.01)
    assert (len(catalog), catalog.total, waited(catalog, 0)) == (1, 300, "WARNING in func_0017")
    catalog.close()


def test_a_document_knows_its_lines() -> None:
    doc = Doc.of("-", b"one\r\n\ntwo\xff\nthree")
    assert [doc.text(number) for number in range(1, len(doc) + 1)] == ["one", "", "two\udcff", "three"]
    assert doc.raw(1) == b"one\r\n"
    assert len(Doc.of("-", b"")) == 0
    assert len(Doc.of("-", b"a\n")) == 1
