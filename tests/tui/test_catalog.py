from __future__ import annotations

from pathlib import Path

from kb.store.browse import Order
from kb.tui.lists.stored import PAGE, PAGES, StoreCatalog
from tests.tui.test_triage import filled
from tests.waiting import wait_for


def waited(catalog: StoreCatalog, index: int) -> str:
    """A row's title, once its page has come."""
    item = wait_for(lambda: catalog.at(index), f"row {index} comes")
    assert item is not None
    return item.title


def ready(path: Path, words: str = "", order: Order = "last") -> StoreCatalog:
    catalog = StoreCatalog(path, lambda: None, lambda error: None)
    catalog.look(words, order, True)
    wait_for(lambda: not catalog.busy, "all ids are there")
    return catalog


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
    wait_for(lambda: not catalog.busy, "the last search ends")
    assert (len(catalog), catalog.total, waited(catalog, 0)) == (1, 300, "WARNING in func_0017")
    catalog.close()


def test_a_search_before_all_was_read_knows_how_many_there_are(tmp_path: Path) -> None:
    catalog = ready(filled(tmp_path / "kb.db", 300), "func_0017")
    assert (len(catalog), catalog.total) == (1, 300)
    catalog.close()
