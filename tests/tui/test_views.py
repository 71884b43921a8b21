"""Each view shows what decides about a report of its kind, with the lines that it rests on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import kb
from kb.render.safe import width as cells
from kb.tui.desk import KIN
from kb.tui.doc import Doc
from kb.tui.panes.rows import Entry, text_of
from kb.tui.views.allocation import AllocationView
from kb.tui.views.choose import view_of
from kb.tui.views.oom import OomView
from kb.tui.views.view import Scene, View
from kb.tui.widgets.log_view import LogView
from kb.tui.widgets.view_pane import ViewPane
from tests.kinds.samples import KINDS, logs
from tests.pictures.test_pictures import HUNG, KASAN, STUCK
from tests.tui.driving import Flow, drive, seed

CASES = Path(__file__).resolve().parents[2] / "cases"
LOCKDEP = """\
======================================================
WARNING: possible circular locking dependency detected
6.1.0 #1 Not tainted
------------------------------------------------------
cat/4242 is trying to acquire lock:
ffff88800123a0a8 (&a->lock){+.+.}-{3:3}, at: foo_take_a+0x20/0x60

but task is already holding lock:
ffff88800123a1a8 (&b->lock){+.+.}-{3:3}, at: foo_take_b+0x1a/0x40

which lock already depends on the new lock.

the existing dependency chain (in reverse order) is:

-> #1 (&b->lock){+.+.}-{3:3}:
       __mutex_lock+0x99/0x950
       foo_other+0x33/0x60

-> #0 (&a->lock){+.+.}-{3:3}:
       __lock_acquire+0x1235/0x2f00
       lock_acquire+0xd1/0x2e0
       __mutex_lock+0x99/0x950
       foo_take_a+0x20/0x60

other info that might help us debug this:

 Possible unsafe locking scenario:

       CPU0                    CPU1
       ----                    ----
  lock(&b->lock);
                               lock(&a->lock);
                               lock(&b->lock);
  lock(&a->lock);

 *** DEADLOCK ***

1 lock held by cat/4242:
 #0: ffff88800123a1a8 (&b->lock){+.+.}-{3:3}, at: foo_take_b+0x1a/0x40
"""
OOPS = """\
[   12.000000] BUG: kernel NULL pointer dereference, address: 0000000000000018
[   12.000001] #PF: supervisor read access in kernel mode
[   12.000002] #PF: error_code(0x0000) - not-present page
[   12.000003] Oops: 0000 [#1] PREEMPT SMP
[   12.000004] CPU: 1 PID: 77 Comm: cat Not tainted 6.1.0 #1
[   12.000005] RIP: 0010:foo_read+0x10/0x20 [foo]
[   12.000006] Code: 90 90 90 90 0f 1f 44 00 00 48 89 f0 <48> 8b 47 18 c3 90 90 90 90
[   12.000007] RSP: 0018:ffffc900001b7e10 EFLAGS: 00010246
[   12.000008] RAX: dead000000000100 RBX: ffff888003a41000 RCX: 0000000000000000
[   12.000009] RDX: 0000000000000001 RSI: ffffc900001b7e98 RDI: 0000000000000000
[   12.000010] Call Trace:
[   12.000011]  <TASK>
[   12.000012]  bar_read+0x33/0x60 [foo]
[   12.000013]  vfs_read+0x9c/0x310
[   12.000014]  </TASK>
[   12.000015] CR2: 0000000000000018
"""
RCU = """\
[  100.000000] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
[  100.000001] rcu: \t1-...0: (1 GPs behind) idle=a6b4/1/0x4000000000000000 softirq=215/216 fqs=1736
[  100.000002] \t(detected by 0, t=4007 jiffies, g=-767, q=23 ncpus=2)
[  100.000003] Sending NMI from CPU 0 to CPUs 1:
[  100.000004] NMI backtrace for cpu 1
[  100.000005] CPU: 1 PID: 77 Comm: spinner Not tainted 6.1.0 #1
[  100.000006] RIP: 0010:foo_spin+0x10/0x20 [foo]
[  100.000007] Call Trace:
[  100.000008]  <TASK>
[  100.000009]  foo_loop+0x33/0x60 [foo]
[  100.000010]  kthread+0xda/0x100
[  100.000011]  </TASK>
"""


def scene(log: str | bytes | Path, at: int = 0) -> Scene:
    """A report of a log as the screen hands it to its view."""
    data = log.read_bytes() if isinstance(log, Path) else log.encode() if isinstance(log, str) else log
    found = kb.match(data)
    report = found[at].report
    kin = tuple(each for each in found if each.report.kind in KIN.get(report.kind, ()))
    return Scene(found[at], Doc.of("-", data), kin or (found[at],))


def shown(view: View, width: int = 100) -> list[str]:
    return [text_of(entry.row).rstrip() for entry in view.content(width)]


def entry(view: View, text: str, width: int = 100) -> Entry:
    """The first row that holds a text."""
    return next(each for each in view.content(width) if text in text_of(each.row))


def between(rows: list[str], first: str, last: str | None = None) -> list[str]:
    """The rows under a heading, up to another one."""
    start = next(at for at, row in enumerate(rows) if row.startswith(first)) + 1
    end = next((at for at, row in enumerate(rows) if last is not None and at > start and row.startswith(last)), None)
    return rows[start:end]


# ---- allocation


def slid(view: View, name: str, key: str, times: int = 1) -> list[str]:
    """The rows once a slider was moved."""
    for _ in range(times):
        assert view.press(key, entry(view, f" {name} "))
    return shown(view)


def test_a_slider_replays_the_walk_and_r_puts_it_back() -> None:
    view = view_of(scene(seed()))
    before = shown(view)
    assert any("✗ refused by every zone" in row and "as in the report" in row for row in before)
    # 9593 pages are left after order 2, 6416 are needed: the walk for order 3 ends there and admits
    after = slid(view, "order", "left", 2)
    assert any(row.startswith(" ✓ admitted by Node 1 Normal") for row in after)
    assert any("✓ Node 1 Normal (tried second)  admits" in row for row in after)
    assert "(report: 5)" in next(row for row in after if row.startswith(" order "))
    assert view.press("reset", None)
    assert shown(view) == before
    assert not view.press("reset", None)


def test_another_kernel_s_rule_becomes_the_one_that_decides() -> None:
    view = view_of(scene(seed()))
    after = slid(view, "kernel", "right")  # 4.4-4.13
    assert any(row == " ✓ admitted by Node 1 Normal, by the rules of 4.4-4.13" for row in after)
    assert any("free-block, this kernel: 4.4-4.13" in row for row in after)


def test_a_mask_below_normal_tries_other_zones_and_more_min_free_kbytes_refuses_more() -> None:
    view = view_of(scene(seed()))
    assert isinstance(view, AllocationView)
    assert view.sliders is not None
    masks = view.sliders.request.masks
    after = slid(view, "mask", "right", masks.index("GFP_DMA32"))
    assert not any("Node 1 Normal (tried" in row for row in after)
    assert any(row.startswith(" ✓ admitted by Node 0 DMA") for row in after)
    view.press("reset", None)
    less = slid(view, "order", "left", 2)
    assert any(row.startswith(" ✓ admitted") for row in less)
    more = slid(view, "min_free_kbytes", "right")  # 102662 >> 3 = 12832 pages needed for order 2, 9593 left
    assert any(row.startswith(" ✗ refused by every zone") for row in more)


def test_a_slider_stops_at_its_ends() -> None:
    view = view_of(scene(seed()))
    assert slid(view, "order", "left", 40) == slid(view, "order", "left")
    assert " ▶ 0" in next(row for row in shown(view) if row.startswith(" order "))


# ---- OOM


def oom() -> Scene:
    return scene(CASES / "oom-global-memory-short/match-anon.log")


def test_the_task_table_is_sorted_and_the_victim_has_its_arithmetic() -> None:
    view = view_of(oom())
    assert isinstance(view, OomView)
    assert view.scores is not None
    killed = [row for row in view.scores.tasks if row.victim]
    assert len(killed) == 1
    rows = shown(view, 140)
    at = next(index for index, row in enumerate(rows) if row.startswith(" ✗ ") and killed[0].name in row)
    sums = " ".join(rows[at + 1 : at + 3])
    assert "└ killed: rss" in sums
    assert str(killed[0].points) in sums
    points = [row.points for row in view._sorted(view.scores) if row.points is not None]
    assert points == sorted(points, reverse=True)
    assert view.press("sort", None)
    sizes = [row.rss for row in view._sorted(view.scores)]
    assert sizes == sorted(sizes, reverse=True)
    assert "tasks by rss" in next(row for row in shown(view) if " tasks by " in row)
    assert view.press("reverse", None)
    assert [row.rss for row in view._sorted(view.scores)] == sizes[::-1]
    assert entry(view, f" ✗ {killed[0].name} ").evidence == ((killed[0].line, killed[0].line),)


def test_bars_of_holders_grow_with_what_they_hold() -> None:
    bars = between(shown(view_of(oom())), "Who holds the memory")
    lengths = []
    for row in bars:
        if "█" not in row:
            break
        lengths.append(row.count("█"))
    assert len(lengths) > 3
    assert lengths == sorted(lengths, reverse=True)


# ---- stalls and waits


def test_who_is_stuck_and_who_only_reports() -> None:
    view = view_of(scene(RCU))
    rows = between(shown(view), "Who is stuck", "Why")
    assert re.match(r" ✗ CPU 1 +stuck 4007 jiffies +spinner:77 +foo_spin|foo_loop", rows[0])
    assert re.match(r" ▸ CPU 0 +reports", rows[1])
    assert "it is not stuck" in entry(view, "▸ CPU 0").more


def test_stuck_cpus_stand_in_time() -> None:
    log = STUCK.format(100, 1, 22) + STUCK.format(128, 1, 48) + STUCK.format(130, 2, 22)
    rows = between(shown(view_of(scene(log))), "CPUs by time", "Why")
    one, two = (next(row for row in rows if row.startswith(f" CPU {cpu}")) for cpu in (1, 2))
    assert one.endswith("48 s")
    assert two.endswith("22 s")
    assert one.index("█") < two.index("█")  # CPU 1 was stuck first


def test_who_waits_for_whom_is_a_chain_and_a_circle_is_told() -> None:
    log = HUNG.format("alice", 10, "bob", 20) + HUNG.format("bob", 20, "alice", 10)
    rows = between(shown(view_of(scene(log))), "Who waits for whom", "Why")
    assert rows[0] == " ✗ alice/10  (this report)"
    assert rows[1].strip().startswith("└─ waits for mutex")
    assert "└─ held by bob/20" in rows[2]
    assert "held by alice/10  ↺" in rows[4]
    assert entry(view_of(scene(log)), "held by bob/20").evidence == ((17, 17),)


def test_a_task_whose_stack_tells_no_wait_is_shown_with_where_it_is() -> None:
    log = HUNG.format("carol", 30, "dave", 40).split("[  246.000011]")[0].replace("__mutex_lock", "bar_wait")
    rows = between(shown(view_of(scene(log))), "Who waits for whom")
    assert rows[0].startswith(" ✗ carol/30")
    assert "waits in bar_wait" in rows[1]


# ---- faults, objects, locks


def test_the_bad_pointer_its_instruction_and_its_register_are_told() -> None:
    pytest.importorskip("capstone")
    view = view_of(scene(OOPS))
    rows = shown(view)
    assert any("a read of 0x18 failed" in row for row in between(rows, "The access", "Code"))
    trapped = [" ".join(row.split()) for row in between(rows, "Code", "Registers") if row.startswith(" ▶")]
    assert trapped == ["▶ 48 8b 47 18 movq 0x18(%rdi), %rax ◀ faulted: RDI + 0x18"]
    registers = between(rows, "Registers", "Stack")
    assert registers[0].startswith(" ! RAX  dead000000000100")
    assert registers[1].startswith(" ▶ RDI  0000000000000000  the bad pointer")
    assert entry(view, "▶ RDI").evidence == ((10, 10),)


def test_bytes_are_shown_where_they_cannot_be_disassembled(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "capstone", None)
    rows = between(shown(view_of(scene(OOPS))), "Code", "Registers")
    assert "▶48◀ 8b 47 18" in rows[0]
    assert any("accessed RDI + 0x18" in row for row in rows)
    assert any("capstone" in row for row in rows)


@pytest.mark.parametrize(("width", "hit"), [(100, "[fb]"), (76, "▶fb"), (60, "▶f")])
def test_the_memory_map_marks_the_access(width: int, hit: str) -> None:
    view = view_of(scene(KASAN))
    rows = between(shown(view, width), "Memory map", "Stack")
    assert [row.startswith(" ▶") for row in rows[:3]] == [False, True, False]
    assert rows[1].count(hit) == 1
    # three granules of 8 bytes in: 0x...818 is 24 bytes behind 0x...800
    assert rows[1].split("ffff888019442800 ")[1].index(hit) // len(hit) == 3
    assert rows[3] == " ▶ the access met fb: freed"
    assert entry(view, "▶ ffff888019442800").evidence == ((9, 9),)


def test_the_stacks_that_allocated_and_freed_stand_before_the_others() -> None:
    log = KASAN.replace(
        "[   46.000006] Memory",
        "[   46.000005] Allocated by task 77:\n[   46.000005]  kasan_save_stack+0x10/0x20\n"
        "[   46.000005]  foo_open+0x10/0x20\n[   46.000005] Freed by task 78:\n[   46.000005]  kfree+0x10/0x20\n"
        "[   46.000005]  foo_close+0x10/0x20\n[   46.000005] The buggy address is located 24 bytes inside of\n"
        "[   46.000005]  64-byte region [ffff888019442800, ffff888019442840)\n[   46.000006] Memory",
    )
    rows = shown(view_of(scene(log)))
    allocated, freed, stack = (
        next(i for i, r in enumerate(rows) if r.startswith(n)) for n in ("Allocated by", "Freed by", "Stack")
    )
    assert allocated < freed < stack
    assert any("foo_open" in row for row in rows[allocated:freed])
    assert any("foo_close" in row for row in rows[freed:stack])
    drawn = next(row for row in rows if "[■" in row)
    cells_ = drawn[drawn.index("[") + 1 : drawn.index("]")]
    assert cells_.index("▼") == pytest.approx(24 / 64 * len(cells_), abs=1)


def test_the_circle_of_locks_closes_and_tells_who_takes_each() -> None:
    view = view_of(scene(LOCKDEP))
    rows = between(shown(view), "The circle", "How it deadlocks")
    assert rows == [
        " ┌─▶ &a->lock",
        " │     held while the next is taken in foo_other",
        " │   &b->lock",
        " │     held by cat/4242, which now takes the first in foo_take_a",
        " └── back to &a->lock",
    ]
    scenario = between(shown(view), "How it deadlocks", "Held")
    left = [row.startswith(" lock") for row in scenario[1:-1]]
    assert left == [True, False, False, True]


# ---- all kinds


@pytest.mark.parametrize("kind", KINDS)
def test_no_view_is_empty_and_none_is_wider_than_its_pane(kind: str) -> None:
    for log in logs(kind):
        data = log.whole.encode()
        for found in kb.match(data):
            view = view_of(Scene(found, Doc.of("-", data), (found,)))
            for width in (38, 76, 116):
                content = view.content(width)
                assert sum(not each.plain for each in content) >= 2, (kind, log.shows)
                assert any(each.evidence for each in content)
                assert max(cells(text_of(each.row)) for each in content) <= width


def test_what_stands_around_a_report_is_shown() -> None:
    log = b"before it\n" + OOPS.encode() + b"[   13.000000] behind it\n"
    rows = shown(view_of(scene(log)))
    assert any(row.endswith("before it") for row in between(rows, "Just before"))
    assert any(row.endswith("behind it") for row in between(rows, "Just behind"))


# ---- on the screen


def test_at_80x24_one_pane_is_shown_and_escape_leads_back(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.keys("enter")
        await here.shows("order_walk_refusal")
        view = here.app.screen.query_one(LogView)
        assert "╭─ Log" not in here.text()
        await here.keys(*["down"] * 7, "enter")
        await here.shows("╭─ Log: lines 1 to 43 of 43", "Esc: back", "33 ▶ Node 0 Normal")
        assert "╭─ Claims" not in here.text()
        assert view.in_sight(min(first for first, _ in view.lit))
        await here.keys("escape")
        await here.shows("╭─ Claims")
        await here.keys("tab")
        await here.shows("╭─ Log")
        await here.keys("tab", "escape")
        await here.shows("1 report")

    drive(flow, stdin=seed(), size=(80, 24))


@pytest.mark.parametrize(("size", "log"), [((80, 24), False), ((120, 40), True), ((200, 50), True)])
def test_the_log_beside_a_view_follows_its_cursor(size: tuple[int, int], log: bool, tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.keys("enter")
        await here.shows("order_walk_refusal")
        await here.keys("2")
        await here.shows("╭─ Allocation: page allocation failure")
        assert ("╭─ Log" in here.text()) is log
        await here.keys(*["down"] * 4)
        view = here.app.screen.query_one(LogView)
        await here.until(lambda: sorted(view.lit) == [(33, 33), (34, 34), (39, 39)], "the zone's lines are lit")
        await here.shows("this kernel's rule): refuses at order 0")  # all of what the row says
        if log:
            await here.shows("33 ▶ Node 0 Normal")

    drive(flow, stdin=seed(), size=size)


def test_keys_move_a_slider_and_sort_a_table_on_the_screen() -> None:
    async def flow(here: Flow) -> None:
        await here.keys("enter")
        await here.shows("order_walk_refusal")
        await here.keys("2")
        await here.shows("✗ refused by every zone")
        await here.keys("left", "minus")
        await here.shows("✓ admitted by Node 1 Normal", "order: 3; the report's own is 5")
        await here.keys("r")
        await here.shows("✗ refused by every zone")
        assert here.app.screen.query_one(ViewPane).cursor == 1

    drive(flow, stdin=seed(), size=(120, 40))


def test_the_question_mark_shows_the_keys_of_the_view_first() -> None:
    async def flow(here: Flow) -> None:
        await here.keys("enter")
        await here.shows("order_walk_refusal")
        await here.keys("2", "question_mark")
        await here.shows("Report: allocation", "the walk is")
        assert "file the note into case.md" not in here.text()
        await here.keys("escape", "1", "question_mark")
        await here.shows("report before, next report")
        assert "Report: allocation" not in here.text()

    drive(flow, stdin=seed(), size=(100, 30))


def test_every_tab_is_called_by_what_it_shows() -> None:
    async def flow(here: Flow) -> None:
        await here.keys("enter")
        await here.shows("1 Evidence  2 Fault  3 Case  4 Similar")

    drive(flow, stdin=OOPS.encode())
