"""Signatures say "same problem", whatever the build, and are readable before they are hashed."""

import itertools

import pytest

from kb import api
from kb.identity.signature import identifier, signature
from kb.model.log import Line, Splat
from kb.model.report import Signature
from kb.parse.report import parse
from kb.syntax.engine import split
from tests.kinds import samples

TEXT = """\
BUG: unable to handle page fault for address: ffffc90ffff00008
Oops: 0002 [#1] PREEMPT SMP NOPTI
CPU: 0 PID: 98 Comm: kt Tainted: G           OE      6.1.0-56-amd64 #1
RIP: 0010:wild_write+0xf/0x20 [mod]
Call Trace:
 <TASK>
 proc_handler+0x733/0x7b7 [mod]
 vfs_write+0xc7/0x3f0
 ksys_write+0x6b/0xf0
 </TASK>
---[ end trace 0000000000000000 ]---"""


def made(text: str) -> Splat:
    lines: tuple[Line, ...] = tuple(split(text))
    return Splat("-", lines, 0)


def test_the_key_is_kind_and_title_and_the_id_its_hash() -> None:
    mark = signature(parse(made(TEXT)))
    assert mark.key == "oops|BUG: unable to handle kernel paging request in wild_write"
    assert mark.id == identifier(mark.key)
    assert mark.id.startswith("kb1:")
    assert len(mark.id) == len("kb1:") + 16


def test_offsets_sizes_addresses_compiler_suffixes_and_taint_do_not_matter() -> None:
    other = (
        TEXT.replace("+0xf/0x20", ".isra.0+0x4f/0x230")
        .replace("ffffc90ffff00008", "ffff88801234beef")
        .replace("proc_handler+0x733/0x7b7", "proc_handler.constprop.0+0x1/0x2")
        .replace("Tainted: G           OE     ", "Not tainted")
        .replace("6.1.0-56-amd64", "5.14.0-427.el9")
    )
    first, second = signature(parse(made(TEXT))), signature(parse(made(other)))
    assert (first.id, first.alt, first.stack) == (second.id, second.alt, second.stack)


def test_another_function_is_another_problem() -> None:
    assert signature(parse(made(TEXT.replace("wild_write", "tame_write")))).id != signature(parse(made(TEXT))).id


def test_the_alternative_key_joins_a_fault_with_what_a_sanitizer_says_of_it() -> None:
    kasan = """\
BUG: KASAN: use-after-free in wild_write+0xf/0x20 [mod]
Read of size 8 at addr ffff888 by task kt/98
Call Trace:
 wild_write+0xf/0x20 [mod]"""
    first, second = signature(parse(made(TEXT))), signature(parse(made(kasan)))
    assert first.id != second.id
    assert set(first.alt) & set(second.alt)


def marks(text: str) -> list[Signature]:
    return [signature(report) for report in samples.reports(text)]


def test_where_no_function_is_known_file_and_line_are_the_key() -> None:
    """A place is one bug in one build; what was noted when the file alone was the key is found, and links nothing."""
    (here,) = marks("kernel BUG at fs/ext4/inode.c:100!\nModules linked in: a\n")
    (moved,) = marks("kernel BUG at /build/linux-6.1/fs/ext4/inode.c:102!\nModules linked in: a\n")
    (other,) = marks("kernel BUG at net/core/skbuff.c:100!\nModules linked in: a\n")
    assert len({here.id, moved.id, other.id}) == 3
    assert set(here.former) & set(moved.former)
    assert not set(here.alt) & set(moved.alt)
    assert here.title == moved.title == "kernel BUG at fs/ext4/inode.c"
    assert here.key == "kernel_bug|kernel BUG at fs/ext4/inode.c|100"


def test_bugs_that_an_older_version_called_the_same_share_no_key_that_links() -> None:
    texts = [
        "kernel BUG at fs/ext4/inode.c:100!\nModules linked in: a\n",
        "kernel BUG at fs/ext4/inode.c:2000!\nModules linked in: a\n",
        "kernel BUG at net/core/skbuff.c:100!\nModules linked in: a\n",
    ]
    found = [mark for text in texts for mark in marks(text)]
    linking = [{mark.id, *mark.alt} for mark in found]
    assert set.intersection(*(set(mark.former) for mark in found))
    assert all(not one & two for one, two in itertools.combinations(linking, 2))


def test_where_a_function_is_known_the_line_is_no_part_of_the_key() -> None:
    stack = "CPU: 1 PID: 7 Comm: cat Not tainted 6.1.0 #1\nRIP: 0010:foo_read+0x1/0x2\nCall Trace:\n foo_read+0x1/0x2\n"
    (one,) = marks(f"kernel BUG at fs/ext4/inode.c:100!\n{stack}")
    (two,) = marks(f"kernel BUG at fs/ext4/inode.c:102!\n{stack}")
    assert one.id == two.id
    assert (one.version, one.id[:4]) == (1, "kb1:")


@pytest.mark.parametrize(
    "text",
    [
        "WARNING: CPU: 0 PID: 1 at fs/foo.c:{line}\nModules linked in: a\n",
        "UBSAN: array-index-out-of-bounds in fs/foo.c:{line}:3\nindex 9 is out of range for type 'int [4]'\n",
        "rust_kernel: panicked at fs/foo.rs:{line}:58:\ncalled `Option::unwrap()` on a `None` value\n"
        "------------[ cut here ]------------\nkernel BUG at rust/helpers/bug.c:7!\n",
        "RTNL: assertion failed at fs/foo.c ({line})\n",
    ],
)
def test_two_places_are_two_keys(text: str) -> None:
    (one,), (two,), (again,) = (marks(text.format(line=line)) for line in (10, 20, 10))
    assert one.id != two.id
    assert one == again
    assert "fs/foo." in one.title
    assert "corrupted" not in one.title


def test_the_reporters_own_file_is_no_place() -> None:
    (mark,) = marks("kernel BUG at lib/list_debug.c:53!\nModules linked in: a\n")
    assert mark.title == "BUG: corrupted list in corrupted"


def test_a_verifiers_buffer_is_part_of_the_key() -> None:
    at = "XFS (sda1): Metadata corruption detected at xfs_buf_ioend+0x1/0x2 [xfs], "
    keys = {mark.id for what in ("xfs_agf block 0x1", "xfs_agi block 0x2", "block 0x1") for mark in marks(at + what)}
    assert len(keys) == 3
    assert marks(at + "xfs_agf block 0x1") == marks(at + "xfs_agf block 0x77")


def test_two_assertions_of_one_function_are_two_keys() -> None:
    at = "{} failed (1 == 0)\nPANIC at zio.c:341:zio_data_buf_alloc()\nShowing stack for process 7\n"
    (one,), (two,) = (marks(at.format(text)) for text in ("VERIFY3(c < a)", "VERIFY0(b)"))
    assert one.id != two.id
    assert one.title == two.title == "zfs panic in zio_data_buf_alloc"


@pytest.mark.parametrize(
    ("file", "place_"),
    [
        ("/root/kernel/linux/mm/slab.c", "mm/slab.c"),
        ("/var/lib/jenkins/ws/linux-6.1.90/mm/slab.c", "mm/slab.c"),
        ("/usr/src/kernel-source-6.4/mm/slab.c", "mm/slab.c"),
        ("/build/include/linux/mm.h", "include/linux/mm.h"),
        ("./include/linux/io_uring/cmd.h", "include/linux/io_uring/cmd.h"),
        ("/usr/src/linux-6.12/include/linux/io_uring/cmd.h", "include/linux/io_uring/cmd.h"),
        ("/build/drivers/x/lib/a.c", "drivers/x/lib/a.c"),
        ("mm/slab.c", "mm/slab.c"),
    ],
)
def test_where_a_tree_was_built_is_no_part_of_a_place(file: str, place_: str) -> None:
    from kb.parse.title import place

    assert place(file) == place_


def test_a_kernel_threads_name_holds_a_colon() -> None:
    log = b"EXT4-fs error (device sda1): ext4_lookup:1602: inode #2: comm kworker/u8:3: deleted inode referenced: 12\n"
    (report,) = api.read(log)
    assert report.comm == "kworker/u8:3"
