from __future__ import annotations

from pathlib import Path

from kb.tui.widgets.log_view import LogView
from kb.tui.widgets.virtual_list import Entries
from tests.tui.driving import Flow, drive, log, seed


async def opened(here: Flow) -> LogView:
    """The seed's report, second of the log: its line 1 is the log's line 16."""
    await here.keys("down", "enter")
    await here.shows("order_walk_refusal")
    return here.app.screen.query_one(LogView)


def test_choosing_a_claim_lights_its_lines_and_no_others(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        view = await opened(here)
        claims = here.app.screen.query_one("#claims", Entries)
        index = next(i for i, e in enumerate(claims.entries) if "Node 1 Normal refuses" in "".join(t for t, _ in e.row))
        claims.cursor = index
        await here.shows("1673 pages are left")
        assert sorted(view.lit) == [(50, 50), (51, 51), (55, 55)]  # 35, 36 and 40 of the seed
        lit = lambda: [line.split("▶ ")[1].strip()[:14] for line in here.text().split("\n") if "▶ " in line]  # noqa: E731
        await here.until(lambda: lit()[:2] == ["Node 1 Normal ", "lowmem_reserve"], "both are lit")

    drive(flow, files=[log(tmp_path)], size=(160, 50))


def test_a_line_stands_where_it_would_in_a_pane_that_was_always_that_high(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        view = await opened(here)
        before = view.tall
        await here.keys("3")
        await here.until(lambda: 0 < view.tall < before, "the log has less room below the case")
        await here.until(lambda: view.cursor - round(view.scroll_y) == view.tall // 3, "a third lies before the line")

    drive(flow, files=[log(tmp_path)], size=(120, 40))


def test_predicates_zones_and_frames_point_at_their_lines(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await opened(here)
        claims = here.app.screen.query_one("#claims", Entries)
        rows = {"".join(text for text, _ in entry.row).strip(): entry for entry in claims.entries}
        assert rows["✓ gfp lacks __GFP_FS"].evidence == ((16, 16),)
        assert next(e for name, e in rows.items() if name.startswith("✗ Node 0 DMA32")).evidence == (
            (46, 46),
            (47, 47),
            (53, 53),
        )
        assert rows["→ osdmap_set_max_osd+0x76/0x1d0 [libceph]"].evidence == ((31, 31),)

    drive(flow, files=[log(tmp_path)])


def test_what_was_not_understood_is_plain(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.keys("enter")
        await here.shows(
            "· [  101.000005] a line that nobody understands",
            "│ [  101.000008]  foo_caller+0x33/0x40 [foo]",
            "1   [  100.000001] usb 1-1: new",
        )

    drive(flow, files=[log(tmp_path)], size=(160, 60))


def test_log_text_is_shown_and_never_obeyed(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.keys("enter")
        await here.shows(r"\x1b]0;title\x07", r"\x1b[31mred\x1b[0m [bold]markup[/b")
        assert not {char for char in here.raw() if char < " " or "\x7f" <= char < "\xa0"}
        assert "\x1b" not in here.app.export_screenshot()

    drive(flow, files=[log(tmp_path)], size=(160, 60))


def test_search_goes_from_hit_to_hit_and_round(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        view = await opened(here)
        await here.keys("slash")
        await here.type("LOWMEM_RESERVE")
        await here.keys("enter")
        assert view.line == 45
        await here.keys("n", "n")
        assert view.line == 49
        await here.keys("n", "n")
        assert view.line == 45
        await here.keys("N")
        assert view.line == 51
        await here.keys("slash")
        await here.type("qqq\n")
        await here.shows("is not in the log")

    drive(flow, files=[log(tmp_path)])


def test_walking_from_report_to_report(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await opened(here)
        await here.keys("left_square_bracket")
        await here.shows("WARNING: CPU: 1 PID: 77")
        await here.keys("left_square_bracket")
        await here.shows("no report before")
        await here.keys("right_square_bracket")
        await here.shows("order_walk_refusal")

    drive(flow, files=[log(tmp_path)])


def test_wrapping_keeps_the_line_and_shows_all_of_it(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        view = await opened(here)
        await here.keys("tab")
        assert view.has_focus
        view.reveal(48)
        await here.keys("w")
        assert view.line == 48
        whole = seed().decode().split("\n")[32]
        room = view.size.width - 5
        assert len(whole) > room
        await here.shows(whole[room : room + 20].strip())
        before = view.count
        await here.keys("w")
        assert (view.line, view.count < before) == (48, True)

    drive(flow, files=[log(tmp_path)])


def test_a_block_is_copied_as_it_stands_in_the_log(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        view = await opened(here)
        await here.keys("tab")
        view.reveal(17)
        await here.keys("v", "down", "down", "y")
        assert here.app.clipboard == "\n".join(seed().decode().split("\n")[1:4])

    drive(flow, files=[log(tmp_path)])


def test_tabs_show_allocation_and_case_and_enter_leads_back_to_the_lines(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        view = await opened(here)
        await here.keys("2")
        await here.shows("Left against needed")
        await here.keys(*["down"] * 4, "enter")
        assert view.has_focus
        assert sorted(view.lit) == [(48, 48), (49, 49), (54, 54)]  # Node 0 Normal, tried first
        await here.shows("Log: lines 16 to 58 of 58", "Esc: back")
        await here.keys("escape")
        await here.shows("Left against needed")
        await here.keys("3")
        await here.shows("Predicates")
        await here.keys("4")
        await here.shows("Neighbours by similarity")  # among the known fixes
        await here.keys("escape")
        await here.shows("2 reports")

    drive(flow, files=[log(tmp_path)])


def test_the_mouse_chooses_a_tab_and_a_row(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.pilot.click("#list", offset=(10, 1))
        assert here.app.triage.list.cursor == 1
        await here.pilot.click("#list", offset=(10, 1))
        await here.shows("1 Evidence")
        await here.pilot.click("TabBar", offset=(20, 0))
        await here.shows("Left against needed")

    drive(flow, files=[log(tmp_path)])


def test_a_report_beyond_those_kept_is_read_again_from_its_lines(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        here.app.desk._diagnoses.clear()
        item = here.app.triage.catalog.at(1)
        assert item is not None
        found = await here.app.desk.do(here.app.desk.diagnosis, item)
        assert found is not None
        assert (found.report.span, found.signature.id) == (item.span, item.signature)
        assert found.matches[0].marks[0].evidence == ((16, 16),)

    drive(flow, files=[log(tmp_path)])


def test_neighbours_are_shown_with_their_stacks_and_declared_the_same_or_different(tmp_path: Path) -> None:
    from kb.api import KnowledgeBase
    from kb.store.duplicates import Duplicates

    other = seed().replace(b"osdmap_set_max_osd", b"osdmap_set_min_osd")
    with KnowledgeBase(tmp_path / "kb.db") as base:
        (theirs,) = [base.record(report).signature for report in base.read(other)]

    async def flow(here: Flow) -> None:
        await here.keys("enter")
        await here.shows("order_walk_refusal")
        await here.keys("4")
        await here.shows(theirs, "osdmap_set_max_osd", "> osdmap_set_min_osd")
        await here.keys("d")
        await here.shows("declared the same")
        await here.keys("x")
        await here.shows("declared different")

    drive(flow, stdin=seed(), db=tmp_path / "kb.db")
    with KnowledgeBase(tmp_path / "kb.db") as base:
        history = Duplicates(base.store).history("kb1:35cb166c9cbb7e74", theirs)
        assert [(each.same, each.author) for each in history] == [(True, "tester"), (False, "tester")]


def test_every_view_survives_every_size(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        view = await opened(here)
        await here.keys("tab", "w")
        for size in ((20, 5), (300, 90), (40, 10), (80, 24)):
            for tab in "1234":
                await here.keys(tab)
                await here.pilot.resize_terminal(size[0] + 7, size[1] + 3)
                await here.pilot.resize_terminal(*size)
        await here.keys("1")
        assert view._tops is not None
        assert len(view._tops) == len(view.doc) + 1

    drive(flow, files=[log(tmp_path)], db=tmp_path / "kb.db")


def test_a_signature_without_a_log_can_be_opened_and_annotated(tmp_path: Path) -> None:
    from kb.store import Store

    with Store(tmp_path / "kb.db") as store:
        store.record("kb1:0000000000000001", title="WARNING in x", kind="warning")

    async def flow(here: Flow) -> None:
        await here.shows("WARNING in x")
        await here.keys("enter")
        await here.shows("the store keeps no log of it")
        await here.keys("2", "3", "4", "1", "y", "tab", "w", "v", "n", "right_square_bracket", "a")
        await here.type("hm")
        await here.keys("ctrl+s")
        await here.shows("saved ")

    drive(flow, db=tmp_path / "kb.db")


def test_a_line_of_ten_megabytes_and_bytes_of_all_kinds_are_shown(tmp_path: Path) -> None:
    hostile = b"A" * 10_000_000 + b"\n" + seed() + b"\0" * 5000 + b"\xff\xfe\n" * 100 + bytes(range(256))

    async def flow(here: Flow) -> None:
        await here.keys("enter")
        await here.shows("order_walk_refusal")
        await here.keys("tab", "home", "w")
        await here.shows("│      AAAA")  # wrapped: what takes longer than a key is done by a thread
        await here.keys(*["pagedown"] * 6)
        await here.shows("characters more")
        await here.keys("end", "w")
        assert not {char for char in here.raw() if char < " " or "\x7f" <= char < "\xa0"}

    drive(flow, stdin=hostile, db=tmp_path / "kb.db")
