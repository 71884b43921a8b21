"""``Memory allocations:`` of show_mem(): who holds memory, by the place that allocated it.

mm/show_mem.c __show_mem() (v6.10+, CONFIG_MEM_ALLOC_PROFILING): ``%12s %8llu %s:%u [%s] func:%s`` with the size from
string_get_size(), STRING_UNITS_2.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from kb.model.log import Line

_ROW = re.compile(
    r"\s*(?P<size>\d{1,4}(?:\.\d{1,3})?) (?P<unit>[KMGTPE]i)?B +(?P<calls>\d{1,20}) "
    r"(?P<file>[^\s:]{1,160}):(?P<line>\d{1,9}) (?:\[(?P<module>[\w-]{1,64})\] )?func:(?P<function>[\w.]{1,128})\s*"
)
_UNITS = {None: 0, "Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_MOST = 64


@dataclass(frozen=True, slots=True)
class Tag:
    """Memory of one place in the source."""

    bytes: int
    """As printed: three digits are certain."""
    calls: int
    place: str
    """``drivers/foo/foo.c:88``."""
    function: str
    module: str | None
    line: int
    """Physical line."""


def tags(lines: Iterable[Line]) -> tuple[Tag, ...]:
    """The rows in their order: largest first."""
    out: list[Tag] = []
    for line in lines:
        found = _ROW.fullmatch(line.text[:512]) if "func:" in line.text else None
        if found is not None and len(out) < _MOST:
            size = int(float(found["size"]) * 1024 ** _UNITS[found["unit"]])
            place = f"{found['file']}:{found['line']}"
            out.append(Tag(size, int(found["calls"]), place, found["function"], found["module"], line.number))
    return tuple(out)
