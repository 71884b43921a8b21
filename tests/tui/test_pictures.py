from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

import kb
from kb.model.verdict import Diagnosis
from kb.render.safe import width as cells
from kb.tui.doc import Doc
from kb.tui.panes.case_view import aligned, case_entries
from kb.tui.panes.claims import claims
from kb.tui.panes.rows import Entry, clip, ending, input_name, paragraph, squeeze, text_of, wrap
from kb.tui.panes.summary import summary
from kb.tui.views.blocks import human, shade, short_count
from kb.tui.views.choose import view_of
from kb.tui.views.view import Scene
from tests.tui.driving import seed


@pytest.fixture(scope="module")
def found() -> Diagnosis:
    (only,) = kb.match(seed())
    return only


def seen(found: Diagnosis, width: int) -> list[Entry]:
    """The rows of its view."""
    doc = Doc.of(found.report.source, b"".join(line.raw for line in found.report.lines))
    return view_of(Scene(found, doc, (found,))).content(width)


def lines(entries: list[Entry]) -> list[str]:
    return [text_of(entry.row).rstrip() for entry in entries]


@pytest.mark.parametrize("width", [60, 79, 103, 119, 170, 300])
def test_no_row_is_wider_than_the_screen(found: Diagnosis, width: int) -> None:
    for entries in (seen(found, width), case_entries(found, width, ["a", "b"])):
        assert max(map(cells, lines(entries))) <= width


def test_the_failing_step_is_marked_and_the_new_rule_stands_beside_the_old(found: Diagnosis) -> None:
    shown = lines(seen(found, 120))
    start = shown.index(" ✗ Node 1 Normal (tried second)  refuses at order 3: 1673 ≤ 3208")
    assert shown[start + 1].split("   ")[1].startswith("order-walk, this kernel: 3.16-4.3, RHEL 7")
    assert "free-block, compare: 4.4-4.13" in shown[start + 1]
    # 9593 - 990 * 8 = 1673 pages are left after order 3, and 51331 >> 4 = 3208 are needed
    assert shown[start + 6].startswith(" ✗ 3 ")
    assert shown[start + 6].endswith("1673 ≤ 3208 ◀")
    assert "✓ block  of order 5 is free" in shown[start + 3]


def test_bars_of_all_zones_stand_on_one_scale_and_end_before_the_mark_where_the_walk_refuses(found: Diagnosis) -> None:
    bars = []
    for line in lines(seen(found, 60)):
        part = line[9:].split(" ")[0]
        if "┃" in part and line[:3] in (" ✓ ", " ✗ "):
            left, than, needs = line[9 + len(part) :].split()[:3]
            bars.append((int(left), than, int(needs), part))
    assert len(bars) == 11 + 4
    for left, than, needs, bar in bars:
        before, behind = bar.split("┃")
        assert (than == ">") == (left > needs)
        assert ("·" not in before) if left > needs else ("█" not in behind)
    ends = {">": "█┃", "≤": "█"}  # where it holds, the mark may be the last cell of what is left
    ranked = sorted((left, max(map(bar.rfind, ends[than]))) for left, than, _, bar in bars)
    lengths = [length for _, length in ranked]
    assert all(a <= b + 1 for a, b in pairwise(lengths))


def test_the_heat_map_shows_counts_shades_and_migrate_letters(found: Diagnosis) -> None:
    shown = lines(seen(found, 110))
    head = next(line for line in shown if line.startswith(" order") and "[5]" in line)
    assert head.split() == ["order", "0", "1", "2", "3", "4", "[5]", "6", "7", "8", "9", "10"]
    row = next(index for index, line in enumerate(shown) if line.startswith(" Node 1 Normal") and "242k" in line)
    assert shown[row].split()[3:] == ["▓242k", "█241k", "▒24k", "░990", "░175", "░20", "░3", "-", "-", "-", "-"]
    assert shown[row + 1].split() == ["UEM", "UEM", "UEM", "UEM", "UEM", "UEM", "EM"]


def test_rows_of_the_picture_point_at_the_zone_s_lines(found: Diagnosis) -> None:
    evidence = {
        text_of(entry.row).split("(")[0].strip(): entry.evidence
        for entry in seen(found, 110)
        if "(tried" in text_of(entry.row)
    }
    assert evidence["✗ Node 1 Normal"] == ((35, 35), (36, 36), (40, 40))


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0"), (999, "999"), (1000, "1k"), (241701, "242k"), (999_499, "999k"), (12_000_000, "12M")]
)
def test_counts_fit_four_characters(count: int, shown: str) -> None:
    assert short_count(count) == shown


def test_shades_grow_with_the_share_of_the_free_pages() -> None:
    assert [shade(pages, 100) for pages in (0, 1, 5, 6, 25, 26, 50, 51, 100)] == list(" ░░▒▒▓▓██")
    assert shade(1, 0) == " "


def test_sizes_are_said_as_a_person_says_them() -> None:
    assert [human(pages, 4) for pages in (32, 3966, 828833, 16514229)] == ["128 kB", "15 MB", "3238 MB", "63.0 GB"]


def test_what_refutes_a_case_and_does_not_hold_reads_as_good_news(found: Diagnosis) -> None:
    shown = lines(claims(found))
    assert " ✓ not: zones.admitted_by_order_walk >= 1" in shown
    assert " ? support: kernel < 4.4" in shown
    assert not any(line.startswith(" ✗ not:") for line in shown)


def test_the_case_tab_gives_workarounds_with_their_caveats_and_checks_with_what_to_expect(found: Diagnosis) -> None:
    shown = lines(case_entries(found, 100))
    case = found.matches[0].case
    assert sum(line.startswith("   but: ") for line in shown) == len(case.workarounds)
    assert sum(line.startswith("   expect: ") for line in shown) == len(case.verify)
    assert any('97a16fc82a7c ("mm, page_alloc: only enforce watermarks' in line for line in shown)
    copies = {entry.copies for entry in case_entries(found, 100)}
    assert {way.do for way in case.workarounds} <= copies


def test_stacks_are_aligned_frame_by_frame() -> None:
    entries = aligned(["a", "b", "c", "d"], ["a", "x", "c", "d", "e"], 43, [7, 8, 9, 10])
    assert [line.split() for line in lines(entries)] == [
        ["a", "=", "a"], ["b", "<"], [">", "x"], ["c", "=", "c"], ["d", "=", "d"], [">", "e"],
    ]  # fmt: skip
    assert [entry.evidence for entry in entries[:2]] == [((7, 7),), ((8, 8),)]


def test_the_summary_of_a_signature_without_a_log_says_so() -> None:
    from kb.tui.lists.item import Item

    shown = lines(summary(Item(1, "kb1:0", "WARNING in foo", "warning"), None, 80))
    assert shown == ["WARNING in foo", "the store keeps no log of it: there is nothing to diagnose"]


def test_text_is_cut_to_cells_and_shown_without_what_drives_a_terminal() -> None:
    assert clip("abc", 5) == "abc  "
    assert clip("abcdef", 4) == "abc…"
    assert clip("日本語", 5) == "日本…"
    assert clip("a\x1b[0m", 9) == r"a\x1b[0m "
    assert clip("abc", 0) == ""


def test_a_title_that_is_cut_keeps_what_tells_it_from_others() -> None:
    title = "page allocation failure: order:5 in osdmap_set_max_osd"
    assert squeeze(title, 54) == title
    assert squeeze(title, 48) == "page allocation f… order:5 in osdmap_set_max_osd"
    assert squeeze(title, 36) == "page allocati… in osdmap_set_max_osd"
    assert squeeze(title, 20) == "page allocation fai…"
    assert squeeze("kernel panic: Fatal exception", 12) == "kernel pani…"
    assert squeeze("日本語日本語日本語日本語 in f", 20) == "日本語日本語日… in f"


def test_a_path_that_is_cut_keeps_its_end() -> None:
    assert ending("/var/log/kern.log", 17) == "/var/log/kern.log"
    assert ending("/var/log/kern.log", 9) == "…kern.log"


def test_the_name_of_a_member_keeps_that_of_its_archive_and_its_end() -> None:
    name = "/tickets/4711/sos-db17.tar.xz!sos-db17/sos_commands/kernel/dmesg"
    assert input_name(name, 90) == name
    assert input_name(name, 34) == "sos-db17.tar.xz!…ands/kernel/dmesg"
    assert cells(input_name(f"日本語.zip!{name}", 24)) <= 24
    assert input_name(name, 20) == ending(name, 20)  # no room for both
    assert input_name("/var/log/kern.log", 9) == "…kern.log"


def test_prose_wraps_at_blanks_and_hangs() -> None:
    assert list(wrap("aaa bbb ccc ddd", 11, 2)) == ["aaa bbb ccc", "  ddd"]
    assert list(wrap("x" * 25, 10)) == ["x" * 10, "x" * 10, "x" * 5]
    assert [text_of(row) for row in paragraph("one two three", 11, "", [("> ", "dim")])] == ["> one two", "  three"]


def test_a_damaged_report_is_told_as_such(tmp_path: Path) -> None:
    cut = seed()[:1200]
    for found in kb.match(cut):
        shown = lines(claims(found))
        assert found.report.corrupted is None or any("corrupted" in line for line in shown)
        assert seen(found, 80)


def test_every_report_of_the_labelled_logs_can_be_drawn(corpus: Path) -> None:
    drawn = 0
    for path in sorted(corpus.glob("vm/*.log")):
        for found in kb.match(path):
            drawn += 1
            for width in (40, 79, 200):
                view = seen(found, width)
                assert len(view) >= 3, (path.name, found.report.kind)
                for entries in (view, case_entries(found, width)):
                    assert all(cells(line) <= max(width, 60) for line in lines(entries)), (path.name, width)
            shown = lines(claims(found))
            assert not {char for line in shown for char in line if char < " " or "\x7f" <= char < "\xa0"}
            lit = [span for entry in claims(found) for span in entry.evidence]
            last = path.read_bytes().count(b"\n") + 1
            assert all(1 <= first <= end <= last for first, end in lit), path.name
    assert drawn >= 100
