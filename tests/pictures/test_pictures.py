"""Pictures hold the numbers of the report, and say nothing that it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from kb import api
from kb.identity.group import Group, Groups
from kb.model.verdict import Diagnosis
from kb.pictures.blocks import blocks
from kb.pictures.choose import overview, pictures
from kb.pictures.draw import Box, Label, Picture
from kb.pictures.holders import holders, tasks
from kb.pictures.lockup import lockups
from kb.pictures.shadow import shadow
from kb.pictures.timeline import timeline
from kb.pictures.waits import waits
from kb.pictures.walk import walk
from kb.render.picture import LINES, lines
from kb.words.speak import LANGUAGES, words

ROOT = Path(__file__).resolve().parents[2]
LOGS = sorted(ROOT.glob("cases/*/match-*.log"))
KASAN = """\
[   46.000000] ==================================================================
[   46.000001] BUG: KASAN: slab-use-after-free in foo_read+0x10/0x20
[   46.000002] Read of size 8 at addr ffff888019442818 by task cat/77
[   46.000003] CPU: 1 PID: 77 Comm: cat Not tainted 6.10.0 #1
[   46.000004] Call Trace:
[   46.000005]  foo_read+0x10/0x20
[   46.000006] Memory state around the buggy address:
[   46.000007]  ffff888019442780: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 04
[   46.000008] >ffff888019442800: fa fb fb fb fc fc fc fc f8 fc fc fc fc fc fc fc
[   46.000009]                             ^
[   46.000010]  ffff888019442880: fc fc fc fc fc fc fc fc fc fc fc fc fc fc fc fc
[   46.000011] ==================================================================
"""
HUNG = """\
[  246.000000] INFO: task {0}:{1} blocked for more than 120 seconds.
[  246.000001]       Not tainted 6.16.0 #1
[  246.000003] task:{0}           state:D stack:0     pid:{1}     tgid:{1}     ppid:1      task_flags:0x0 flags:0x0
[  246.000004] Call Trace:
[  246.000005]  <TASK>
[  246.000006]  __schedule+0x10/0x20
[  246.000007]  schedule+0x10/0x20
[  246.000008]  __mutex_lock+0x10/0x20
[  246.000009]  foo_{0}+0x10/0x20
[  246.000010]  </TASK>
[  246.000011] INFO: task {0}:{1} is blocked on a mutex likely owned by task {2}:{3}.
[  246.000012] task:{2}           state:D stack:0     pid:{3}     tgid:{3}     ppid:1      task_flags:0x0 flags:0x0
[  246.000013] Call Trace:
[  246.000014]  <TASK>
[  246.000015]  bar_{2}+0x10/0x20
[  246.000016]  </TASK>
"""
STUCK = """\
[{0:5}.000000] watchdog: BUG: soft lockup - CPU#{1} stuck for {2}s! [cc:{1}]
[{0:5}.000001] CPU: {1} PID: {1} Comm: cc Not tainted 6.1.0 #1
[{0:5}.000002] RIP: 0010:foo_loop+0x10/0x20
[{0:5}.000003] Call Trace:
[{0:5}.000004]  foo_call+0x10/0x20
"""


def grouped(log: str | bytes | Path) -> list[Group]:
    groups = Groups()
    for report in api.read(log.encode() if isinstance(log, str) else log):
        groups.add(api.diagnose(report, ()))
    return list(groups.take())


def first(log: str | bytes | Path) -> Diagnosis:
    return grouped(log)[0].first


def rows(picture: Picture | None) -> list[tuple[str, ...]]:
    assert picture is not None
    return picture.rows(words("en"))


def test_the_walk_is_that_of_the_facts_and_refuses_where_they_do(example: Path) -> None:
    found = first(example)
    shown = walk(found)
    assert shown is not None
    assert [(zone.name, zone.steps[-1].place, zone.steps[-1].holds) for zone in shown.zones] == [
        ("Node 0 Normal", "0", False),
        ("Node 1 Normal", "3", False),
        ("Node 0 DMA32", "1", False),
        ("Node 0 DMA", "base", False),
    ]
    drawn = shown.drawn(words("en")).shapes
    assert sum(isinstance(shape, Box) and shape.role == "bad" for shape in drawn) == 4 + 1  # and its legend
    assert "1673 ≤ 3208" in [shape.text for shape in drawn if isinstance(shape, Label)]


def test_a_zone_that_only_lacks_a_block_says_so() -> None:
    found = first(ROOT / "tests/render/data/page-64k.log")
    assert [row[:2] for row in rows(walk(found))] == [
        ("Node 0 Normal", "✗ no block"),
        ("Node 0 DMA", "✗ base: -16 <= 8640"),
    ]


def test_bars_of_all_zones_are_on_one_scale(example: Path) -> None:
    """Of two bars the higher one stands for more pages, whatever their zones."""
    shown = walk(first(example))
    assert shown is not None
    boxes = [shape for shape in shown.drawn(words("en")).shapes if isinstance(shape, Box) and shape.tip]
    pages = [max(0, step.left if at == 0 else step.needs) for z in shown.zones for step in z.steps for at in (0, 1)]
    ranked = sorted(zip(pages, (box.height for box in boxes), strict=True))
    assert [height for _, height in ranked] == sorted(height for _, height in ranked)


def test_free_blocks_are_those_of_the_log(example: Path) -> None:
    shown = blocks(first(example))
    assert shown is not None
    assert shown.asked == 5
    assert {zone.name: zone.counts for zone in shown.zones}["Node 1 Normal"][:7] == (
        241701, 240734, 24010, 990, 175, 20, 3,
    )  # fmt: skip


def test_the_victim_is_marked_among_the_largest_tasks() -> None:
    found = first(oom())
    shown = tasks(found)
    assert shown is not None
    assert [task.pid for task in shown.tasks if task.victim] == [found.facts.values["oom.victim_pid"].value]
    assert [task.rss for task in shown.tasks] == sorted((task.rss for task in shown.tasks), reverse=True)


def oom() -> Path:
    return sorted((ROOT / "cases/oom-global-memory-short").glob("match-*.log"))[0]


def test_holders_add_up_to_all_memory() -> None:
    shown = holders(first(oom()))
    assert shown is not None
    assert shown.total is not None
    assert sum(kb for _, kb in shown.parts) == pytest.approx(shown.total, rel=0.01)


def test_the_memory_map_tells_the_access_by_its_address() -> None:
    shown = shadow(first(KASAN))
    assert shown is not None
    assert shown.here == 1
    assert shown.cell is not None
    assert shown.rows_[1].address + 8 * shown.cell == 0xFFFF888019442818
    assert [means for _, means in shown.rows_[1].states[:9]] == ["freed"] * 4 + ["redzone"] * 4 + ["gone"]
    assert shown.rows_[0].states[-1] == (4, "part")
    assert "[f]" in rows(shown)[1][1]


def test_tags_of_the_tag_based_modes_are_no_redzones() -> None:
    log = KASAN.replace("by task cat/77", "by task cat/77\n[   46.000002] Pointer tag: [fb], memory tag: [fe]", 1)
    shown = shadow(first(log.replace("fc fc fc fc f8", "fe fe fe 12 f8")))
    assert shown is not None
    assert [means for _, means in shown.rows_[1].states[:9]] == [
        "other", "good", "good", "good", "freed", "freed", "freed", "other", "other",
    ]  # fmt: skip


def test_a_pointer_beyond_its_row_is_no_access() -> None:
    shown = shadow(first(KASAN.replace("                            ^", " " * 150 + "^")))
    assert shown is not None
    assert shown.cell is None


def test_waits_are_followed_from_task_to_task() -> None:
    log = HUNG.format("one", 1, "two", 2) + HUNG.format("two", 2, "three", 3)
    shown = waits(group.first for group in grouped(log))
    assert shown is not None
    assert shown.chains == (("one/1", "mutex", "two/2", "mutex", "three/3"),)
    assert shown.circular == (False,)


def test_a_circle_of_waits_ends_where_it_began() -> None:
    log = HUNG.format("one", 1, "two", 2) + HUNG.format("two", 2, "one", 1)  # one chain, whichever is asked first
    shown = waits(group.first for group in grouped(log))
    assert shown is not None
    assert shown.chains == (("one/1", "mutex", "two/2", "mutex", "one/1"),)
    assert shown.circular == (True,)


def test_one_task_that_waits_for_nobody_is_no_picture() -> None:
    log = HUNG.format("one", 1, "two", 2).split("[  246.000011]")[0]
    assert waits(group.first for group in grouped(log)) is None


def test_a_stuck_cpu_has_been_stuck_before_its_report() -> None:
    shown = lockups(grouped(STUCK.format(100, 3, 20) + STUCK.format(120, 5, 40)))
    assert shown is not None
    assert shown.seconds == 40
    assert [(each.cpu, each.start, each.end) for each in shown.stuck] == [(3, 0.0, 0.5), (5, 0.0, 1.0)]


def test_a_length_that_no_watchdog_can_have_seen_is_not_drawn() -> None:
    shown = lockups(grouped(STUCK.format(100, 3, 17163091968) + STUCK.format(120, 5, 40)))
    assert shown is not None
    assert [each.seconds for each in shown.stuck] == [None, 40]


def test_a_timeline_has_a_lane_a_group_and_ends_with_the_log() -> None:
    shown = timeline(grouped(STUCK.format(100, 3, 20) + STUCK.format(110, 3, 43) + KASAN.replace("46.0", "300.0")))
    assert shown is not None
    assert [lane.places for lane in shown.lanes] == [(0.0, 0.05), (1.0,)]
    assert (shown.first, shown.last) == ("100.000 s", "300.000 s")


def test_stamps_of_two_boots_are_no_axis() -> None:
    assert timeline(grouped(STUCK.format(100, 3, 20) + STUCK.format(5, 4, 20))) is None


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("log", LOGS, ids=lambda log: f"{log.parent.name}-{log.stem}")
def test_a_picture_takes_at_most_eight_lines(log: Path, language: str) -> None:
    for group in grouped(log):
        for picture in (*pictures(group.first), *overview([group])):
            shown = list(lines(picture, words(language)))
            assert 2 <= len(shown) <= LINES == 8


@pytest.mark.parametrize("log", LOGS, ids=lambda log: f"{log.parent.name}-{log.stem}")
def test_nothing_is_drawn_outside_of_a_drawing(log: Path) -> None:
    for group in grouped(log):
        for picture in (*pictures(group.first), *overview([group])):
            drawing = picture.drawn(words("en"))
            for shape in drawing.shapes:
                assert -1 <= shape.x <= drawing.width
                assert -1 <= shape.y <= drawing.height
                if isinstance(shape, Box):
                    assert shape.x + shape.width <= drawing.width
                    assert shape.y + shape.height <= drawing.height + 2
