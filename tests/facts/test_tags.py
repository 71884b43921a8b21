"""Memory by the places that allocated it (mm/show_mem.c, v6.10+)."""

from kb import api
from kb.model.log import Line
from kb.parse.memory.tags import Tag, tags

ROWS = """\
Memory allocations:
     1.55 GiB   406000 mm/memory.c:1063 func:folio_prealloc
      120 MiB    30720 drivers/leak/leak.c:88 [leak] func:leak_alloc
         64 B        1 mm/slub.c:2420 func:alloc_slab_page
"""


def lines(text: str) -> list[Line]:
    return [Line(row, number, number, row.encode()) for number, row in enumerate(text.splitlines(), 1)]


def test_a_row_has_its_size_calls_and_place() -> None:
    assert tags(lines(ROWS)) == (
        Tag(1664299827, 406000, "mm/memory.c:1063", "folio_prealloc", None, 2),
        Tag(125829120, 30720, "drivers/leak/leak.c:88", "leak_alloc", "leak", 3),
        Tag(64, 1, "mm/slub.c:2420", "alloc_slab_page", None, 4),
    )


def test_what_is_no_row_is_none() -> None:
    assert tags(lines("120 MiB of func:foo\n 12 KiB 3 a.c:x func:f\nCall func:f\n")) == ()


def test_the_module_that_holds_memory_is_said_with_its_line() -> None:
    log = f"java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\nMem-Info:\n{ROWS}"
    (found,) = api.match(log.encode())
    assert found.facts.values["allocations_in_modules"].value == ("leak",)
    (held,) = (step for step in found.facts.reasoning if "leak_alloc" in str(step.claim))
    assert (str(held.claim), held.evidence) == ("leak_alloc [leak] holds 122880 kB that it allocated", ((5, 5),))


def test_a_report_without_them_says_nothing_of_it() -> None:
    (found,) = api.match(b"java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\nMem-Info:\n")
    assert "allocations" not in found.facts.values
