"""Goldens of titles: tests/parse/data/<kind>.txt holds what kb makes of a report, a blank line, and the report.

The reports are written after the printk formats of the kernels that they name; ``pytest --update`` rewrites the part
above the blank line, to be reviewed as a diff.
"""

from pathlib import Path

import pytest

from kb.model.report import Report
from kb.parse.report import parse
from kb.split.windows import split_lines
from kb.syntax import engine

DATA = Path(__file__).with_name("data")
FILES = sorted(DATA.glob("*.txt"))


def reports(text: str) -> list[Report]:
    return [parse(splat) for splat in split_lines(engine.split(text))]


def summary(report: Report) -> str:
    lines = [
        f"title: {report.title}",
        f"kind: {report.kind}" + (f"/{report.subtype}" if report.subtype else ""),
        f"function: {report.function or '-'}" + (f" [{report.module}]" if report.module else ""),
        f"because: {report.chosen_because}",
    ]
    lines += [f"alt: {title}" for title in report.alt_titles]
    if report.corrupted:
        lines.append(f"corrupted: {report.corrupted}")
    who = f"{report.comm}/{report.pid}" if report.comm else None
    cpu = f"cpu {report.cpu}" if report.cpu is not None else None
    lines.append("on: " + " ".join(part for part in (who, cpu, report.kernel, report.arch) if part))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_report_is_named_as_its_golden_says(path: Path, update: bool) -> None:
    said, _, log = path.read_text(encoding="utf-8").partition("\n\n")
    found = "".join(summary(report) for report in reports(log))
    if update:
        path.write_text(found + "\n" + log, encoding="utf-8")
        return
    assert said + "\n" == found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_report_cut_at_any_line_is_still_read(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").partition("\n\n")[2].split("\n")
    for end in range(len(lines)):
        for report in reports("\n".join(lines[:end])):
            assert report.title
            assert report.kind


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_report_has_the_same_title_among_ordinary_lines(path: Path) -> None:
    log = path.read_text(encoding="utf-8").partition("\n\n")[2]
    before = "audit: type=1400 apparmor=DENIED\nusb 1-1: new high-speed USB device number 2 using xhci_hcd\n"
    after = "\n" + "".join(f"eth0: link is up, attempt {number}\n" for number in range(60))
    assert [report.title for report in reports(before + log + after)] == [report.title for report in reports(log)]


@pytest.mark.parametrize(
    ("line", "title", "function"),
    [
        (
            "XFS (sda1): Metadata corruption detected at xfs_agf_read_verify+0x1a/0xe0 [xfs], xfs_agf block 0x1",
            "XFS corruption in xfs_agf_read_verify", "xfs_agf_read_verify",
        ),
        (
            "XFS (dm-0): Internal error xfs_btree_check at line 9 of file fs/xfs/xfs_btree.c.  Caller 0xffffffffa012",
            "XFS internal error xfs_btree_check in fs/xfs/xfs_btree.c", None,
        ),
        (
            "XFS (sda1): Corruption detected. Unmount and run xfs_repair",
            "XFS: Corruption detected. Unmount and run xfs_repair", None,
        ),
        (
            "BTRFS error (device sda1) in btrfs_run_delayed_refs:2149: errno=-5 IO failure",
            "BTRFS error in btrfs_run_delayed_refs", "btrfs_run_delayed_refs",
        ),
        (
            "BTRFS error (device sda1): bdev /dev/sda1 errs: wr 1, rd 0, flush 0, corrupt 0, gen 7",
            "BTRFS: bdev /dev/sda1 errs: wr NUM, rd NUM, flush NUM, corrupt NUM, gen NUM", None,
        ),
    ],
)  # fmt: skip
def test_an_error_of_a_file_system_is_named_by_its_function_or_by_its_words(
    line: str, title: str, function: str | None
) -> None:
    (report,) = reports(line)
    assert (report.title, report.function, report.corrupted) == (title, function, None)


def test_the_mark_at_the_end_of_a_stack_makes_no_kernel_one_without_symbols() -> None:
    log = """unreferenced object 0xffff888012345678 (size 96):
  comm "foo", pid 7, jiffies 4294948000 (age 60.000s)
  hex dump (first 32 bytes):
    00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ................
  backtrace:
    [<00000000b5c6d8aa>] kmemleak_alloc+0x21/0x40
    [<0000000091d2c3b4>] kmem_cache_alloc+0x1/0x2
"""
    (whole,), (marked,) = reports(log), reports(log + "    [<ffffffffffffffff>] 0xffffffffffffffff\n")
    assert (marked.title, marked.damage) == (whole.title, whole.damage)


def test_a_place_in_a_function_is_no_part_of_a_title() -> None:
    (found,) = reports("INFO: Freed in fasync_free_rcu+0x15/0x20 age=5 cpu=1 pid=900\n")
    assert found.title == "INFO: Freed in fasync_free_rcu age=NUM cpu=NUM pid=NUM"


def test_what_slub_found_belongs_to_the_report_whose_border_comes_after_it() -> None:
    """mm/slub.c check_bytes_and_report() prints the bytes before object_err() draws the border (v6.16)."""
    (report,) = reports(
        "[Right Redzone overwritten] 0xffff888012345678-0xffff88801234567f @offset=1. First byte 0x41 instead of 0xcc\n"
        "=============================================================================\n"
        "BUG kmalloc-64 (Not tainted): Object corrupt\n"
        "-----------------------------------------------------------------------------\n"
        "Call Trace:\n check_object+0x1/0x2\n kfree+0x1/0x2\n foo_free+0x1/0x2 [foo]\n"
    )
    assert (report.span, report.headline_line, report.function) == ((1, 8), 3, "foo_free")
