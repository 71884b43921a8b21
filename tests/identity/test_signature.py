"""Signatures say "same problem", whatever the build, and are readable before they are hashed."""

from kb.identity.signature import identifier, signature
from kb.model.log import Line, Splat
from kb.parse.report import parse
from kb.syntax.engine import split

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
