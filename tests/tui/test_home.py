from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from kb.api import KnowledgeBase
from kb.store import home
from kb.store.browse import Browser
from tests.tui.driving import WARNING, Flow, drive, seed

NOW = datetime.now(UTC)


def ago(days: float) -> str:
    return (NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def filled(path: Path) -> Path:
    """One that is new, one that rises, one that is old and steady."""
    steady, rising = WARNING.replace(b"foo_bar", b"foo_steady"), WARNING.replace(b"foo_bar", b"foo_rising")
    with KnowledgeBase(path) as base:
        for text, days in ((WARNING, [1.0]), (rising, [10, 3, 2, 1.5]), (steady, [60, 12, 10, 5]), (seed(), [40])):
            for number, each in enumerate(days):
                for report in base.read(text):
                    key = f"{report.title}{number}"
                    base.record(report, source="ticket:1", host=f"db{17 + number}", seen=ago(each), key=key)
        base.store.annotate("signature:kb1:35cb166c9cbb7e74", "the disk team knows", author="ann")
    return path


def test_the_home_tells_new_from_rising_from_frequent(tmp_path: Path) -> None:
    browser = Browser(filled(tmp_path / "kb.db"))
    titles = lambda ids: [row.title for row in browser.rows(ids)]  # noqa: E731
    assert titles(home.new(browser, ago(7))) == ["WARNING in foo_bar"]
    assert titles(home.rising(browser, ago(7), ago(14))) == ["WARNING in foo_rising"]
    assert set(titles(home.top(browser, 2))) == {"WARNING in foo_rising", "WARNING in foo_steady"}
    assert {place.name for place in home.places(browser, "host", ago(7))} == {"db17", "db18", "db19", "db20"}
    assert [note.body for note in home.notes(browser)] == ["the disk team knows"]
    browser.close()


def test_the_store_begins_with_its_home_and_a_signature_has_a_page(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.shows("New this week  1", "Rising  1", "the disk team knows")
        await here.keys("enter")
        await here.shows("Samples of its logs: 1", "Kernels: 1", "6.1.0-18-amd64", "Neighbours by similarity")
        await here.keys("enter")
        await here.shows("1 Evidence", "WARNING: CPU: 1 PID: 77")
        await here.keys("escape", "escape", "l")
        await here.shows("4 signatures")
        await here.keys("escape")
        await here.shows("New this week")

    drive(flow, db=filled(tmp_path / "kb.db"), home=True, size=(120, 40))


def test_a_section_that_is_full_says_that_there_may_be_more(tmp_path: Path) -> None:
    with KnowledgeBase(tmp_path / "kb.db") as base:
        for number in range(home.MOST + 1):
            for report in base.read(WARNING.replace(b"foo_bar", b"foo_%d_work" % number)):
                base.record(report, source="ticket:1", seen=ago(1))

    async def flow(here: Flow) -> None:
        await here.shows(f"New this week  {home.MOST}+")

    drive(flow, db=tmp_path / "kb.db", home=True, size=(120, 40))


def test_a_host_leads_to_what_was_seen_there(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.shows("New this week  1", "db20")
        await here.keys("tab", "end", "home", "enter")
        await here.shows("host:db", "signatures")

    drive(flow, db=filled(tmp_path / "kb.db"), home=True, size=(120, 40))


def test_an_empty_store_says_what_fills_it(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.shows("nothing yet: kb match --record fills the store")
        await here.keys("enter", "tab", "enter", "y", "a", "W", "M")  # nothing to act on, nothing breaks

    drive(flow, db=tmp_path / "kb.db", home=True)
    assert not (tmp_path / "kb.db").exists()


def test_seen_on_a_kernel_that_has_the_fix_is_told(tmp_path: Path) -> None:
    path = tmp_path / "kb.db"
    with KnowledgeBase(path) as base:
        for report in base.read(WARNING.replace(b"6.1.0-18-amd64", b"6.1.0")):
            base.record(report, host="db17")
        with base.store.writing() as db:
            db.execute("insert into case_signatures select signature, 'nofs-high-order-watermark' from signatures")

    async def flow(here: Flow) -> None:
        await here.shows("Seen again on a kernel that has the fix  1", "6.1.0: nofs-high-order-watermark")

    drive(flow, db=path, home=True, size=(120, 40))
