"""Objects of memory errors; our own logs, and reports after KASAN's, SLUB's and the list debugger's print functions."""

from pathlib import Path

import pytest

from kb import api
from kb.facts.object import list_facts
from kb.model.verdict import Diagnosis
from kb.parse.report import parse
from kb.split.windows import split_lines
from kb.syntax.engine import split

KASAN = b"""\
==================================================================
BUG: KASAN: slab-out-of-bounds in foo_parse+0x2d/0x40
Write of size 8 at addr ffff8880020cf033 by task kt/64

CPU: 0 PID: 64 Comm: kt Not tainted 6.12.1 #1
Call Trace:
 <TASK>
 dump_stack_lvl+0x7c/0x90
 print_report+0xcf/0x670
 kasan_report+0xb0/0x100
 foo_parse+0x2d/0x40
 foo_write+0x21/0x50

Allocated by task 60:
 kasan_save_stack+0x30/0x50
 __kmalloc_cache_noprof+0x120/0x2a0
 foo_open+0x20/0x40

The buggy address belongs to the object at ffff8880020cf000
 which belongs to the cache kmalloc-64 of size 64
The buggy address is located 0 bytes to the right of
 allocated 51-byte region [ffff8880020cf000, ffff8880020cf033)

The buggy address belongs to the physical page:
page: refcount:1 mapcount:0 mapping:0000000000000000 index:0x0 pfn:0x20cf
"""


def diagnose(log: bytes) -> Diagnosis:
    return api.match(log, cases=())[0]


def facts(found: Diagnosis, *prefixes: str) -> dict[str, object]:
    return {name: fact.value for name, fact in found.facts.values.items() if name.startswith(prefixes)}


def test_an_access_behind_an_object_names_its_cache_size_and_owner() -> None:
    found = diagnose(KASAN)
    assert facts(found, "object_", "allocated_in", "freed_in") == {
        "object_cache": "kmalloc-64",
        "object_size": 51,
        "object_offset": 0,
        "object_side": "behind",
        "allocated_in": "foo_open",
    }
    reasons = {reason.claim: reason.because for reason in found.facts.reasoning}
    claim = "the access was 0 bytes beyond the end of an object of 51 bytes of kmalloc-64"
    assert reasons[claim] == "allocated in foo_open"


def test_our_own_use_after_free_names_both_sides(corpus: Path) -> None:
    found = api.match(corpus / "vm/183-dbg-pair-caller.log", cases=())
    (kasan,) = (one for one in found if one.report.kind == "kasan")
    assert facts(kasan, "object_", "allocated_in", "freed_in") == {
        "object_cache": "kblab_obj",
        "object_size": 120,
        "object_offset": 24,
        "object_side": "inside",
        "allocated_in": "kblab_slab_uaf_read",
        "freed_in": "kblab_slab_uaf_read",
    }


SLUB = b"""\
=============================================================================
BUG foo_obj (Not tainted): Poison overwritten
-----------------------------------------------------------------------------

0xffff888001a2b040-0xffff888001a2b043 @offset=64. First byte 0x11 instead of 0x6b
Allocated in foo_alloc.isra.0+0x12/0x20 [foo] age=10 cpu=0 pid=12
Freed in foo_drop+0x1/0x20 [foo] age=5 cpu=1 pid=13
CPU: 0 PID: 148 Comm: foo Not tainted 6.1.0 #1
Call Trace:
 <TASK>
 check_bytes_and_report.cold+0x6d/0x85
 foo_reuse+0x21/0x40
"""


def test_an_overwritten_poison_is_a_write_after_free() -> None:
    found = diagnose(SLUB)
    assert facts(found, "object_", "allocated_in", "freed_in", "slab_") == {
        "object_cache": "foo_obj",
        "allocated_in": "foo_alloc",
        "freed_in": "foo_drop",
        "slab_first_byte": "0x11",
        "slab_expected_byte": "0x6b",
    }
    reasons = {reason.claim: reason.because for reason in found.facts.reasoning}
    claim = "a freed object was written to (use after free), first with 0x11"
    assert reasons[claim] == "allocated in foo_alloc, last freed in foo_drop"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "list_del corruption. prev->next should be ffff8880012a4008, but was dead000000000100. (prev=ffff88800)",
            {"list_field": "prev->next", "list_was": "0xdead000000000100"},
        ),
        ("list_del corruption, ffff8880012a4008->next is LIST_POISON1 (dead000000000100)", {"list_field": "next"}),
        (
            "list_add corruption. next->prev should be prev (ffffffffc020e3e0), but was ffff888000001000. (next=f0.",
            {"list_field": "next->prev", "list_was": "0xffff888000001000"},
        ),
        ("list_add double add: new=ffff8880012a4008, prev=ffff8880012a4008, next=ffff8880012a4108.", {}),
    ],
)
def test_a_list_corruption_is_read(text: str, expected: dict[str, object]) -> None:
    lines = f"{text}\nkernel BUG at lib/list_debug.c:59!\nRIP: 0010:__list_del_entry_valid+0x8e/0xc0\n"
    out = list_facts(parse(next(iter(split_lines(split(lines))))))
    assert {name: fact.value for name, fact in out.values.items() if name != "list_means"} == expected
    assert ("list_means" in out.values) == ("dead" in text)


def test_an_entry_deleted_twice_is_called_so() -> None:
    log = (Path(__file__).parent.parent / "parse/data/list-corruption.txt").read_bytes().partition(b"\n\n")[2]
    reasons = {reason.claim: reason.because for reason in diagnose(log).facts.reasoning}
    assert reasons["prev->next was LIST_POISON1"] == "the entry was taken off its list before"


def test_reports_cut_anywhere_say_less_and_never_raise() -> None:
    for log in (KASAN, SLUB):
        lines = log.splitlines(keepends=True)
        for end in range(1, len(lines)):
            api.match(b"".join(lines[:end]), cases=())
