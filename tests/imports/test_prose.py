"""Reports quoted in prose: what people do to a splat, and what is left of it."""

import pytest

from kb.imports.prose import identifies, splats

PLAIN = """\
foo: fix the reset path

The reset handler runs after the ring was freed:

BUG: KASAN: slab-use-after-free in foo_ring_poll+0x1a4/0x260 [foo]
Read of size 8 at addr ffff888012345678 by task kworker/0:1/17

Call Trace:
 <TASK>
 dump_stack_lvl+0x5d/0x80
 print_report+0x16b/0x4b0
 kasan_report+0xd5/0x110
 foo_ring_poll+0x1a4/0x260 [foo]
 foo_reset_work+0x88/0x130 [foo]
 process_one_work+0x1f0/0x3e0
 </TASK>

Cancel the work before the ring goes.
"""
TITLE = "KASAN: slab-use-after-free Read in foo_ring_poll"


def titles(text: str) -> list[str]:
    return [report.title for report in splats(text)]


def frames(text: str) -> list[str]:
    return [frame.function for frame in splats(text)[0].frames]


def damaged(how: str) -> str:
    out = []
    for index, line in enumerate(PLAIN.splitlines()):
        if index < 4 or not line.strip() or line.startswith("Cancel"):
            out.append(line)
        elif how == "indented":
            out.append("    " + line)
        elif how == "tabs":
            out.append("\t" + line)
        elif how == "quoted":
            out.append("> > " + line)
        elif how == "piped":
            out.append("| " + line)
        elif how == "stamped":
            out.append(f"[   12.{index:06d}] {line}")
        elif how == "caller":
            out.append(f"[   12.{index:06d}][   T17] {line}")
        elif how == "indented stamps":
            out.append(f"  [   12.{index:06d}] {line}")
        elif how == "bare stamps":
            out.append(f"  12.{index:06d}: {line}")
        elif how == "cut stamps":
            out.append(f" 12.{index:06d}] {line}")
        elif how == "emptied stamps":
            out.append(f"[] {line}")
        elif how == "dotted stamps":
            out.append(f"[...] {line}")
        elif how == "syslog":
            out.append(f"Nov 22 03:04:05 db17 kernel: {line}")
        elif how == "masked":
            out.append(line.replace("+0x88/0x130", "+0x.../0x..."))
    return "\n".join(out)


@pytest.mark.parametrize(
    "how",
    [
        "indented", "tabs", "quoted", "piped", "stamped", "caller", "indented stamps", "bare stamps", "cut stamps",
        "emptied stamps", "dotted stamps", "syslog", "masked",
    ],
)  # fmt: skip
def test_a_quoted_splat_keeps_its_title_and_frames(how: str) -> None:
    assert titles(damaged(how)) == [TITLE]
    assert frames(damaged(how))[-3:] == ["foo_ring_poll", "foo_reset_work", "process_one_work"]


def test_frames_without_offsets_are_frames_and_have_no_offset() -> None:
    text = (
        "A walk over the freed chain oopses:\n\n"
        "  BUG: kernel NULL pointer dereference, address: 0000000000000020\n"
        "  RIP: foo_hash_remove\n  Call Trace:\n    foo_change_state\n    foo_evict_impl\n    ...\n"
        "    foo_evict [foo]\n\n"
        "Take the lock.\n"
    )
    (report,) = splats(text)
    assert report.title == "BUG: unable to handle kernel NULL pointer dereference in foo_hash_remove"
    assert [frame.function for frame in report.frames] == [
        "foo_hash_remove", "foo_change_state", "foo_evict_impl", "foo_evict",
    ]  # fmt: skip
    assert {(frame.offset, frame.size) for frame in report.frames} == {(None, None)}
    assert report.frames[-1].module == "foo"


def test_frames_of_decode_stacktrace_are_frames() -> None:
    text = (
        "WARNING: CPU: 1 PID: 7 at net/foo/bar.c:12 bar_send (net/foo/bar.c:12 net/foo/bar.c:8)\n"
        "RIP: 0010:bar_send (net/foo/bar.c:12 net/foo/bar.c:8) foo\n"
        "Call Trace:\n <TASK>\n bar_xmit (net/foo/bar.c:99)\n"
        " ? bar_odd (net/foo/bar.c:7)\n dev_xmit (net/core/dev.c:3)\n"
    )
    (report,) = splats(text)
    assert report.title == "WARNING in bar_send"
    named = [(frame.function, frame.source, frame.reliable) for frame in report.frames]
    assert ("bar_xmit", "net/foo/bar.c:99", True) in named
    assert ("bar_odd", "net/foo/bar.c:7", False) in named


def test_the_crash_utility_s_backtrace_is_a_stack() -> None:
    text = (
        "The dump shows:\n\n"
        'PID: 4711   TASK: ffff8800bb4c0000  CPU: 3   COMMAND: "foo"\n'
        " #0 [ffff8800bb4c3a90] machine_kexec at ffffffff81059cdb\n"
        " #1 [ffff8800bb4c3ba0] oops_end at ffffffff816a6e98\n"
        " #2 [ffff8800bb4c3ca0] page_fault at ffffffff816a6008\n"
        "    [exception RIP: foo_release+18]\n"
        " #3 [ffff8800bb4c3d50] foo_close at ffffffffa02a1234 [foo]\n"
        " #4 [ffff8800bb4c3e00] __fput at ffffffff8121fc5a\n"
    )
    (report,) = splats(text)
    assert [frame.function for frame in report.frames] == [
        "machine_kexec", "oops_end", "page_fault", "foo_release", "foo_close", "__fput",
    ]  # fmt: skip
    assert report.frames[3].offset == 18


def test_a_stack_without_its_head_is_found() -> None:
    text = (
        "It hangs here:\n\n foo_wait+0x10/0x20 [foo]\n foo_stop+0x1/0x2 [foo]\n foo_exit+0x3/0x4 [foo]\n\nSo do not.\n"
    )
    assert frames(text) == ["foo_wait", "foo_stop", "foo_exit"]


def test_old_arm_backtraces_without_offsets_name_their_callers() -> None:
    text = (
        "Backtrace:\n[<c067865c>] (foo_show) from [<c05222e8>] (dev_foo_show)\n"
        "[<c05222c0>] (dev_foo_show) from [<c02c66e0>] (kf_seq_show)\n"
    )
    assert frames(text) == ["foo_show", "dev_foo_show", "kf_seq_show"]


def test_a_wrapped_headline_is_whole_again() -> None:
    text = (
        "BUG: KASAN: slab-out-of-bounds in\nfoo_fill+0x1/0x20 [foo]\nWrite of size 4 at addr ffff88 by task a/1\n"
        "Call Trace:\n foo_fill+0x1/0x20 [foo]\n"
    )
    assert titles(text) == ["KASAN: slab-out-of-bounds Write in foo_fill"]


def test_two_splats_of_one_text_are_two_reports() -> None:
    other = PLAIN.replace("slab-use-after-free", "slab-out-of-bounds").replace("foo_ring_poll", "bar_poll")
    assert titles(PLAIN + "\nAnd then:\n\n" + other) == [TITLE, "KASAN: slab-out-of-bounds Read in bar_poll"]


@pytest.mark.parametrize(
    "text",
    [
        "mm: fix a comment\n\nNo change in behaviour.\n",
        "foo: avoid a NULL pointer dereference\n\nThe BUG was found by reading the code; a WARNING would do.\n",
        "A call trace:\n\nfoo() calls bar(), which calls baz().\n",
        "\n" * 500,
        "+0x" * 5000,
        "> " * 20000,
        "[ 12.3] " * 9000,
    ],
)
def test_prose_without_a_splat_gives_none(text: str) -> None:
    assert [report.title for report in splats(text) if identifies(report)] == []


def test_a_report_without_a_function_does_not_identify() -> None:
    (report,) = splats("Unable to handle kernel NULL pointer dereference at virtual address 0000000000000030\n")
    assert not identifies(report)


def test_paragraphs_of_a_report_are_no_prose() -> None:
    text = PLAIN.replace(
        " process_one_work+0x1f0/0x3e0\n </TASK>\n",
        " process_one_work+0x1f0/0x3e0\n </TASK>\n\nAllocated by task 9:\n save_stack+0x1/0x2\n foo_open+0x1/0x2\n"
        "\nThe buggy address belongs to the object at ffff888012345600\n which belongs to the cache kmalloc-1k\n"
        "\nThe buggy address belongs to the physical page:\npage last allocated via order 3, migratetype x\n"
        " prep_new_page+0x1/0x2\n get_page_from_freelist+0x1/0x2\n alloc_slab_page+0x1/0x2\n",
    )
    assert titles(text) == [TITLE]


@pytest.mark.parametrize("before", ["root@localhost:~# [   14.851538] ", "[name:core&]", "db17 kernel: "])
def test_what_a_shell_or_a_vendor_puts_before_a_headline_is_taken_off(before: str) -> None:
    text = f"{before}BUG: scheduling while atomic: bash/223/0x00000002\nCall Trace:\n foo_read+0x1/0x2\n"
    assert titles(text) == ["BUG: scheduling while atomic in foo_read"]


def test_kmemleak_s_count_does_not_hide_the_object() -> None:
    text = (
        "kmemleak: 12 new suspected memory leaks\n\nunreferenced object 0xffff8880138ce000 (size 2048):\n"
        '  comm "modprobe", pid 390, jiffies 4295040478 (age 238.976s)\n  backtrace:\n'
        "    [<000000006a94f1d5>] kmalloc_trace+0x26/0x60\n    [<00000000a9c44622>] foo_create+0x5d/0x970\n"
    )
    assert titles(text) == ["memory leak in foo_create"]
