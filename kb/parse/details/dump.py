"""Objects that a report dumps or names: a struct page, the object of a user copy, the bounds of a fortified copy.

Read on demand by the facts of the kinds that print them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from kb.model.log import Line

_MOST = 2000
_WIDTH = 600

# ---- mm/debug.c __dump_page() "page:%px refcount:%d mapcount:%d mapping:%px index:%#lx pfn:%#lx", v6.x "page: ",
# v4.x "count:" and "mapping:          (null)"
_PAGE = re.compile(
    r"\s*page: ?(?P<address>[0-9a-f]{8,16})? ?(?:ref)?count:(?P<refcount>-?\d{1,11}) mapcount:(?P<mapcount>-?\d{1,11})"
    r" mapping: {0,20}(?P<mapping>[0-9a-f]{8,16}|\(null\)|\(_*ptrval_*\))? {0,4}index:(?P<index>0x[0-9a-f]{1,16})"
)
_HEAD = re.compile(r"\s*head: ?(?:[0-9a-f]{8,16} )?order:(?P<order>\d{1,2})\b")
# "flags: %#lx(%pGp)%s", older "page flags: 0x%lx("; the last parts name node, zone, section, lastcpupid, kasantag
_FLAGS = re.compile(r"\s*(?:\w{1,12} )?flags: (?P<value>0x[0-9a-f]{1,16})\((?P<names>[\w|=.]{0,300})\)(?P<cma> CMA)?")
# "page_type: %#x(%pGt)", v6.12+ "page_type: f%u(%s)"
_TYPE = re.compile(r"\s*page_type: (?:0x|f)[0-9a-f]{1,8}\((?P<type>[\w|]{0,60})\)")
# "page dumped because: %s"; bad_page() before v4.x "bad because of flags: ..."
_REASON = re.compile(r"\s*page dumped because: (?P<reason>\S.{0,200})")
_BAD_FLAGS = re.compile(r"\s*bad because of flags: 0x[0-9a-f]{1,16}\((?P<names>[\w|]{0,200})\)")
_PLACES = ("node", "zone", "section", "lastcpupid", "kasantag")


@dataclass(slots=True)
class Page:
    """A struct page as it was dumped."""

    refcount: int | None = None
    mapcount: int | None = None
    mapping: str | None = None
    """In hexadecimal, None for NULL."""
    order: int | None = None
    flags: tuple[str, ...] | None = None
    """Names of the set flags; where the page lies (node, zone) is left out."""
    bad_flags: tuple[str, ...] = ()
    type: str | None = None
    reason: str | None = None
    where: dict[str, int] = field(default_factory=dict)


def page(lines: Sequence[Line]) -> Page | None:
    """The first page that a report dumps, None where it dumps none."""
    out = Page()
    for line in lines[:_MOST]:
        text = line.text[:_WIDTH]
        if "page" in text or "flags:" in text or text.lstrip().startswith("head:"):
            _page_line(out, text, line.number)
    return out if out.where.keys() & {"page", "reason"} else None


def _page_line(out: Page, text: str, number: int) -> None:
    if (found := _PAGE.match(text)) is not None and "page" not in out.where:
        out.refcount, out.mapcount = int(found["refcount"]), int(found["mapcount"])
        digits = (found["mapping"] or "").strip("(_)")
        out.mapping = (
            f"{int(digits, 16):#x}" if digits and digits not in ("null", "ptrval") and int(digits, 16) else None
        )
        out.where["page"] = number
    elif (found := _FLAGS.match(text)) is not None and out.flags is None and "page" in out.where:
        names = (name for name in found["names"].split("|") if name)
        out.flags = tuple(name for name in names if name.partition("=")[0] not in _PLACES)
        out.where["flags"] = number
    elif (found := _TYPE.match(text)) is not None and out.type is None:
        out.type = found["type"] or None
        out.where["type"] = number
    elif (found := _HEAD.match(text)) is not None and out.order is None:
        out.order = int(found["order"])
    elif (found := _REASON.match(text)) is not None and out.reason is None:
        out.reason = found["reason"].strip()
        out.where["reason"] = number
    elif (found := _BAD_FLAGS.match(text)) is not None and not out.bad_flags:
        out.bad_flags = tuple(name for name in found["names"].split("|") if name)


# ---- mm/usercopy.c usercopy_abort() "Kernel memory %s attempt detected %s %s%s%s%s (offset %lu, size %lu)!"; older
# report_usercopy() "kernel memory %s attempt detected %s %p (%s) (%lu bytes)"
_USERCOPY = re.compile(
    r"[Kk]ernel memory (?P<way>exposure|overwrite) attempt detected (?:from|to) (?P<what>[^'(]{1,60}?)"
    r"(?: '(?P<name>[^']{0,80})')? \(offset (?P<offset>\d{1,20}), size (?P<size>\d{1,20})\)"
)
_USERCOPY_OLD = re.compile(
    r"[Kk]ernel memory (?P<way>exposure|overwrite) attempt detected (?:from|to) \S{1,20} \((?P<name>[^)]{1,80})\)"
    r" \((?P<size>\d{1,20}) bytes\)"
)

# ---- include/linux/fortify-string.h "%s: detected field-spanning write (size %zu) of single %s (size %zu)"; v6.8+
# lib/string_helpers.c __fortify_report() "%s: detected buffer overflow: %zu byte %s of buffer size %zu"
_SPANNING = re.compile(
    r"(?P<fn>mem\w{2,8}): detected field-spanning write \(size (?P<size>\d{1,20})\) of single "
    r"(?P<field>.{1,160}?)(?: at \S{1,160}:\d+)? \(size (?P<room>\d{1,20})\)"
)
_OVERFLOW = re.compile(
    r"\w{3,20}: detected buffer overflow: (?P<size>\d{1,20}) byte (?P<way>read|write) of buffer size (?P<room>\d{1,20})"
)


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that was refused, or that ran over its field."""

    line: int
    size: int
    way: str | None = None
    """``exposure`` (kernel to user), ``overwrite`` (user to kernel), ``read`` or ``write``."""
    object: str | None = None
    """Name of the slab cache or the field."""
    place: str | None = None
    """``SLUB object``, ``process stack``, ``kernel text``, ``vmalloc`` ... as the kernel says."""
    offset: int | None = None
    room: int | None = None


def copy(lines: Sequence[Line]) -> Copy | None:
    """The copy that a report complains of."""
    for line in lines[:_MOST]:
        text = line.text[:_WIDTH]
        if "detected" not in text:
            continue
        if (found := _USERCOPY.search(text)) is not None:
            return Copy(
                line.number,
                int(found["size"]),
                found["way"],
                found["name"] or None,
                found["what"].strip(),
                int(found["offset"]),
            )
        if (found := _USERCOPY_OLD.search(text)) is not None:
            return Copy(line.number, int(found["size"]), found["way"], found["name"])
        if (found := _SPANNING.search(text)) is not None:
            name = found["field"].strip().removeprefix('field "').strip('"')
            return Copy(line.number, int(found["size"]), "write", name, None, None, int(found["room"]))
        if (found := _OVERFLOW.search(text)) is not None:
            return Copy(line.number, int(found["size"]), found["way"], None, None, None, int(found["room"]))
    return None
