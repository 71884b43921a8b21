"""The object that a memory error is about: KASAN's, SLUB's and the list debugger's lines. Read on demand."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from kb.model.log import Line

_MOST = 3000
_WIDTH = 400
# mm/kasan/report.c describe_object_addr() "The buggy address is located %d bytes %s of\n %s%zu-byte region [%px, %px)"
_LOCATED = re.compile(
    r"The buggy address is located (?P<offset>\d{1,12}) bytes (?P<side>inside of|to the right of|to the left of)"
)
_REGION = re.compile(r"(?P<state>allocated|freed)? ?\b(?P<size>\d{1,12})-byte region \[")
# " which belongs to the cache %s of size %d"
_CACHE = re.compile(r"which belongs to the cache (?P<cache>\S{1,80}) of size (?P<size>\d{1,12})")
# mm/slub.c print_track() "%s in %pS age=%lu cpu=%u pid=%d", older releases with "INFO: " before
_TRACK = re.compile(
    r"\s*(?:INFO: )?(?P<what>Allocated|Freed) in (?P<fn>[A-Za-z_.$][\w.$]*)(?:\+0x[0-9a-f]{1,8}/0x[0-9a-f]{1,8})?"
    r"(?: \[(?P<module>[^\]\s]{1,60})[^\]]{0,60}\])? age=(?P<age>\d{1,20}) cpu=\d{1,6} pid=(?P<pid>-?\d{1,9})"
)
# check_bytes_and_report() "[%s overwritten] 0x%p-0x%p @offset=%tu. First byte 0x%x instead of 0x%x"; in older releases
# the name stands in the headline
_BYTES = re.compile(
    r"(?:\[(?P<what>[\w ]{3,30}?) overwritten\] )?0x[0-9a-f]{8,16}-0x[0-9a-f]{8,16}(?: @offset=\d{1,12})?\. "
    r"First byte 0x(?P<got>[0-9a-f]{1,2}) instead of 0x(?P<wanted>[0-9a-f]{1,2})"
)
# lib/list_debug.c "list_del corruption. prev->next should be %px, but was %px. (prev=%px)", "list_del corruption,
# %px->next is LIST_POISON1 (%px)", "list_add corruption. next->prev should be prev (%px), but was %px. (next=%px).",
# "list_add double add: new=%px, prev=%px, next=%px."
_LIST = re.compile(
    r"list_(?P<verb>add|del) (?P<how>corruption|double add)[.,:] ?(?:(?P<field>prev->next|next->prev) should be "
    r"(?:\w{4} )?\(?(?P<should>[0-9a-f]{8,16})\)?, but was (?P<was>[0-9a-f]{8,16}|\(null\))"
    r"|[0-9a-f]{8,16}->(?P<own>next|prev) is (?P<poison>LIST_POISON\d|NULL))?"
)


@dataclass(slots=True)
class Object:
    """What is known of the object; every member with its line in ``where``."""

    cache: str | None = None
    size: int | None = None
    """Bytes of the object as it was asked for, or of the cache's objects."""
    offset: int | None = None
    side: str | None = None
    """``inside``, ``behind`` or ``before``."""
    allocated: tuple[str, str | None, int] | None = None
    """Function, module, pid."""
    freed: tuple[str, str | None, int] | None = None
    overwritten: str | None = None
    got: int | None = None
    wanted: int | None = None
    where: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListEntry:
    """A list whose pointers do not fit together."""

    verb: str
    """``add`` or ``del``."""
    double: bool
    field: str | None
    """``prev->next``, ``next->prev``, ``next`` or ``prev``."""
    should: int | None
    """What belongs there."""
    was: int | None
    poison: str | None
    line: int


_SIDES = {"inside of": "inside", "to the right of": "behind", "to the left of": "before"}


def memory_object(lines: Sequence[Line]) -> Object:
    """The object of a report, empty where none is told."""
    out = Object()
    region = False
    for line in lines[:_MOST]:
        text = line.text[:_WIDTH]
        if (found := _LOCATED.search(text)) is not None and out.side is None:
            out.offset, out.side = int(found["offset"]), _SIDES[found["side"]]
            out.where["side"] = line.number
            region = True
        if region and (found := _REGION.search(text)) is not None:
            out.size, out.where["size"], region = int(found["size"]), line.number, False
        if (found := _CACHE.search(text)) is not None and out.cache is None:
            out.cache, out.where["cache"] = found["cache"], line.number
            if out.size is None:
                out.size, out.where["size"] = int(found["size"]), line.number
        _slub_line(out, text, line.number)
    return out


def _slub_line(out: Object, text: str, number: int) -> None:
    if (found := _TRACK.match(text)) is not None:
        track = (found["fn"], found["module"], int(found["pid"]))
        if found["what"] == "Allocated" and out.allocated is None:
            out.allocated, out.where["allocated"] = track, number
        elif found["what"] == "Freed" and out.freed is None:
            out.freed, out.where["freed"] = track, number
    elif out.got is None and (found := _BYTES.search(text)) is not None:
        out.overwritten = found["what"]
        out.got, out.wanted = int(found["got"], 16), int(found["wanted"], 16)
        out.where["bytes"] = number


def list_entry(lines: Sequence[Line]) -> ListEntry | None:
    """The list corruption that a report is about."""
    for line in lines[:_MOST]:
        if "list_" not in line.text[:_WIDTH]:
            continue
        found = _LIST.search(line.text[:_WIDTH])
        if found is not None:
            was = 0 if found["was"] == "(null)" else int(found["was"], 16) if found["was"] else None
            where = found["field"] or found["own"]
            should = int(found["should"], 16) if found["should"] else None
            double = found["how"] == "double add"
            return ListEntry(found["verb"], double, where, should, was, found["poison"], line.number)
    return None
