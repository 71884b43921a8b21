"""The memory state around an address that KASAN found bad: a row of bytes for each piece of memory. Read on demand."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kb.model.log import Line
from kb.model.number import number

_HEAD = "Memory state around the buggy address"
# mm/kasan/report.c print_memory_metadata() ">%px: ", " %px: " and print_hex_dump() of META_BYTES_PER_ROW bytes
_ROW = re.compile(r"\s{0,8}(?P<here>>?)(?P<address>[0-9a-f]{8,16}): (?P<bytes>[0-9a-f]{2}(?: [0-9a-f]{2}){0,31})\s*$")
# pr_err("%*c\n", meta_pointer_offset(row, addr), '^')
_POINTER = re.compile(r"(?P<before>\s*)\^\s*$")
# mm/kasan/report_sw_tags.c, report_hw_tags.c kasan_print_tags() "Pointer tag: [%02x], memory tag: [%02x]"
_TAGS = re.compile(r"Pointer tag: \[(?P<tag>[0-9a-f]{2})\]")
_FAR = 40
"""Lines behind the head among which the rows stand, those of other reports between them."""
_ROWS = 16


@dataclass(frozen=True, slots=True)
class Row:
    """The state of one piece of memory."""

    address: int
    states: tuple[int, ...]
    """A byte for each granule: what of it may be accessed (generic mode), or its tag."""
    line: int


@dataclass(frozen=True, slots=True)
class Shadow:
    """What KASAN printed."""

    rows: tuple[Row, ...]
    here: int | None
    """Index of the row that holds the address; None where it is not in the log."""
    cell: int | None
    """Index of the granule in that row."""
    tag: int | None
    """The pointer's tag in the tag-based modes, None in the generic one."""


def shadow(lines: Sequence[Line]) -> Shadow | None:
    """The memory state of a report, None where it prints none."""
    start = next((index for index, line in enumerate(lines) if _HEAD in line.text[:200]), None)
    if start is None:
        return None
    rows: list[Row] = []
    here = cell = None
    column = 0
    for line in lines[start + 1 : start + _FAR]:
        text = line.text[:200]
        if (found := _ROW.match(text)) is not None and len(rows) < _ROWS:
            if found["here"]:
                here, column = len(rows), found.start("bytes")
            rows.append(Row(int(found["address"], 16), tuple(bytes.fromhex(found["bytes"])), line.number))
        elif (mark := _POINTER.fullmatch(text)) is not None and here is not None and cell is None:
            at = (len(mark["before"]) - column) // 3
            cell = at if 0 <= at < len(rows[here].states) else None
    if not rows:
        return None
    tags = (found for line in lines[:start] if (found := _TAGS.search(line.text[:200])) is not None)
    told = next(tags, None)
    return Shadow(tuple(rows), here, cell, number(told["tag"], 16) if told is not None else None)
