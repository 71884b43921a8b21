"""The allocator's state from /proc: zoneinfo, buddyinfo and pagetypeinfo, live or captured. All sizes in pages.

Sources: mm/vmstat.c ``zoneinfo_show_print()``, ``frag_show_print()``, ``pagetypeinfo_showfree_print()``, 2.6.32 .. 7.3.
These are files, not logs: what cannot be read is left out, and nothing raises.
"""

from dataclasses import dataclass, field

from kb.model.memory import FreeBlocks, Zone
from kb.model.number import number

_LETTERS = {
    "Unmovable": "U",
    "Movable": "M",
    "Reclaimable": "E",
    "HighAtomic": "H",
    "Reserve": "R",
    "CMA": "C",
    "Isolate": "I",
}
_MARKS = ("boost", "min", "low", "high", "spanned", "present", "managed", "cma")

Key = tuple[int, str]


@dataclass(slots=True)
class _Pages:
    """What pagetypeinfo tells: free blocks by type and order, pageblocks by type."""

    free: dict[Key, dict[str, tuple[int, ...]]] = field(default_factory=dict)
    blocks: dict[Key, dict[str, int]] = field(default_factory=dict)
    per_block: int = 512


def read_zones(zoneinfo: str = "", buddyinfo: str = "", pagetypeinfo: str = "") -> tuple[Zone, ...]:
    """Zones of a machine, populated ones only.

    Args:
        zoneinfo: text of /proc/zoneinfo; without it the marks are unknown and no zone is returned.
        buddyinfo: text of /proc/buddyinfo; without it free lists come from pagetypeinfo.
        pagetypeinfo: text of /proc/pagetypeinfo (root only from 4.15): exact blocks by migrate type, and the number of
            high-order atomic pageblocks.
    """
    buddy = parse_buddyinfo(buddyinfo)
    types = _pagetypes(pagetypeinfo)
    return tuple(_zone(key, values, buddy.get(key), types) for key, values in _zoneinfo(zoneinfo).items()
                 if values.get("present", values.get("managed", 1)))  # fmt: skip


def parse_buddyinfo(text: str) -> dict[Key, tuple[int, ...]]:
    """Free blocks by order of each (node, zone)."""
    found: dict[Key, tuple[int, ...]] = {}
    for line in text.splitlines():
        key, rest = _head(line)
        if key is not None and rest and all(word.isdecimal() for word in rest):
            found[key] = tuple(map(_int, rest))
    return found


def _head(line: str) -> tuple[Key | None, list[str]]:
    """``Node 0, zone DMA32 rest ...`` taken apart; None when the line does not start so."""
    words = line.replace(",", " ").split()
    if len(words) < 4 or words[0] != "Node" or words[2] != "zone" or number(words[1]) is None:
        return None, []
    return (_int(words[1]), words[3]), words[4:]


def _zoneinfo(text: str) -> dict[Key, dict[str, int]]:
    zones: dict[Key, dict[str, int]] = {}
    current: dict[str, int] = {}
    open_marks = False
    for line in text.splitlines():
        key, _ = _head(line)
        if key is not None:
            current = zones.setdefault(key, {})
            open_marks = False
            continue
        words = line.replace("(", " ").replace(")", " ").replace(",", " ").replace(":", " ").split()
        if words[:2] == ["pages", "free"] and len(words) > 2:
            current["free"], open_marks = _int(words[2]), True
        elif words[:1] == ["protection"]:
            for index, word in enumerate(words[1:64]):
                current[f"protection{index}"] = _int(word)
            open_marks = False
        elif open_marks and len(words) == 2 and words[0] in _MARKS:
            current[words[0]] = _int(words[1])
        elif len(words) == 2 and (words[0].startswith("nr_") or words[0] in ("free_highatomic", "reserved_highatomic")):
            # a populated zone has its own counters below; the per-node ones at the top are of the node
            current[words[0]] = _int(words[1])
        elif len(words) == 2 and words[0] == "count":  # a line a CPU, behind "pagesets"
            current["pcp"] = current.get("pcp", 0) + _int(words[1])
    return {key: values for key, values in zones.items() if "free" in values}


def _int(text: str) -> int:
    return number(text) or 0


def _pagetypes(text: str) -> _Pages:
    found = _Pages()
    columns: list[str] = []
    for line in text.splitlines():
        if line.startswith("Pages per block"):
            found.per_block = _int(line.split()[-1]) or 512
        elif line.startswith("Number of blocks type"):
            columns = line.split()[4:]
        else:
            key, rest = _head(line)
            if key is None:
                continue
            if rest[:1] == ["type"] and len(rest) > 2:
                counts = tuple(_int(word.lstrip(">")) for word in rest[2:])
                found.free.setdefault(key, {})[rest[1]] = counts
            elif columns and len(rest) == len(columns):
                found.blocks[key] = dict(zip(columns, map(_int, rest), strict=True))
    return found


def _zone(key: Key, values: dict[str, int], counts: tuple[int, ...] | None, types: _Pages) -> Zone:
    by_type, blocks = types.free.get(key), types.blocks.get(key)
    if counts is None and by_type:
        width = max(len(row) for row in by_type.values())
        counts = tuple(sum(row[order] for row in by_type.values() if order < len(row)) for order in range(width))
    listed = None
    if counts is not None:
        letters = tuple(_letters(by_type, order) if by_type else "" for order in range(len(counts)))
        listed = FreeBlocks(counts, letters, sum(count << order for order, count in enumerate(counts)), 0)
    reserve = tuple(values[name] for index in range(64) if (name := f"protection{index}") in values)
    reserved = values.get("reserved_highatomic")
    if reserved is None and blocks is not None and "HighAtomic" in blocks:
        reserved = blocks["HighAtomic"] * types.per_block
    free_high = values.get("free_highatomic", values.get("nr_free_highatomic"))
    if free_high is None and by_type is not None and "HighAtomic" in by_type:
        free_high = sum(count << order for order, count in enumerate(by_type["HighAtomic"]))
    counters = {name: value for name, value in values.items() if name.startswith("nr_") or name == "pcp"}
    return Zone(
        node=key[0], name=key[1], free=values["free"], min=values.get("min", 0), low=values.get("low", 0),
        high=values.get("high", 0), reserve=reserve, boost=values.get("boost"), reserved_highatomic=reserved,
        free_highatomic=free_high, free_cma=values.get("nr_free_cma"), managed=values.get("managed"),
        present=values.get("present"), blocks=listed, blocks_by_type=by_type, counters=counters,
    )  # fmt: skip


def _letters(by_type: dict[str, tuple[int, ...]], order: int) -> str:
    return "".join(
        letter for name, letter in _LETTERS.items() if order < len(row := by_type.get(name, ())) and row[order]
    )
