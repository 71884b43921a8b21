"""GFP masks: which bits mean what in which kernel, and how the kernel would have printed them.

The tables (``gfp.json``) were read in the headers of each release (``source`` of each row). A table is chosen by the
printed release, else by fingerprints of the report's text (``era.py``), and always by whether the names the kernel
printed beside the mask decode to it: that is a checksum of the guess.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import Any

from kb.kernel.era import Span, candidates, name_range, points
from kb.kernel.release import Release
from kb.model.said import Said
from kb.words.speak import said

COMPOSITES = (
    "GFP_TRANSHUGE_LIGHT", "GFP_TRANSHUGE", "GFP_HIGHUSER_MOVABLE", "GFP_HIGHUSER", "GFP_USER", "GFP_TEMPORARY",
    "GFP_KERNEL", "GFP_NOFS", "GFP_NOIO", "GFP_ATOMIC", "GFP_NOWAIT", "GFP_IOFS", "GFP_DMA", "GFP_DMA32",
)  # fmt: skip
"""Names a caller writes, largest first; what else a caller adds (``__GFP_NOWARN``) is named beside them."""

_SLAB_ADDS = frozenset({"__GFP_COMP", "__GFP_KMEMCG"})
"""What kmalloc_order() adds to the caller's mask: COMP, and KMEMCG as long as there was one (3.8 - 3.15, RHEL 7.0 -
7.7). Source: include/linux/slub_def.h:115 of 3.10.0-514.el7; later mm/slab_common.c adds COMP alone."""

_NAME = re.compile(r"[A-Za-z_]\w{2,40}|0x[0-9a-fA-F]{1,16}")


@dataclass(frozen=True, eq=False)
class Table:
    """The meaning of a mask's bits in one stretch of kernels, under one configuration."""

    label: str
    since: str
    until: str
    el: int | None
    config: frozenset[str]
    """Options on which conditional bits exist; empty: a distribution's usual build."""
    bits: Mapping[str, int]
    masks: Mapping[str, int]
    prints: tuple[tuple[str, int], ...]
    """Print table in the kernel's order (``%pGg``, or ``show_gfp_flags()`` of tracepoints)."""
    source: str
    note: str = ""

    def covers(self, release: Release) -> bool:
        """Whether the table is that release's."""
        el = release.el
        low, high = Release.parse(self.since), Release.parse(self.until) if self.until else None
        assert low is not None
        if self.el is not None:
            if el is None or el[0] != self.el:
                return False
            return _build(self.since) <= el[1] and (not self.until or el[1] < _next_build(self))
        if el is not None and any(el[0] == table.el for table in tables()):
            return False
        return low.base <= release.base and (high is None or release.base <= high.base)

    def shown(self, mask: int) -> tuple[str, ...]:
        """Names as ``%pGg`` prints them: greedy over the print table, the rest as hex."""
        names: list[str] = []
        for name, value in self.prints:
            if value and mask & value == value:
                names.append(name)
                mask &= ~value
        return (*names, *([f"{mask:#x}"] if mask else []))

    def flags(self, mask: int) -> tuple[str, ...]:
        """Raw flag names of the bits that are set, lowest bit first; unknown bits as hex."""
        names: list[str] = []
        for name, value in sorted(self.bits.items(), key=lambda item: item[1]):
            if value and mask & value:
                names.append(name)
                mask &= ~value
        return (*names, *([f"{mask:#x}"] if mask else []))

    def value(self, names: Iterable[str]) -> int | None:
        """The mask that names stand for, None when the table lacks one of them."""
        mask = 0
        for name in names:
            known = self._value(name)
            if known is None:
                return None
            mask |= known
        return mask

    def _value(self, name: str) -> int | None:
        if name.startswith("0x"):
            return int(name, 16)
        for spelling in (name, f"__{name}"):
            if spelling in self.bits:
                return self.bits[spelling]
            if spelling in self.masks:
                return self.masks[spelling]
        return dict(self.prints).get(name)

    def composite(self, mask: int) -> str | None:
        """The largest name a caller writes that the mask contains (``GFP_NOFS``), None when it contains none."""
        best = max(
            (name for name in COMPOSITES if (value := self.masks.get(name)) and mask & value == value),
            key=lambda name: self.masks[name].bit_count(),
            default=None,
        )
        return best


@dataclass(frozen=True)
class Decoded:
    """A mask over every table that the evidence leaves."""

    mask: int
    tables: tuple[Table, ...]
    releases: tuple[Release, ...]
    """Candidate kernels; one when the report names its release."""
    certain: tuple[str, ...]
    """Flags set in every candidate table, lowest bit first."""
    possible: tuple[str, ...]
    """Flags set in some candidate tables only."""
    absent: frozenset[str]
    """Flags set in no candidate table."""
    caller: tuple[str, ...]
    """``certain`` without what the slab layer added."""
    slab_layer: tuple[str, ...]
    name: str | None
    """Composite name of the caller's part (``GFP_NOFS``) where all tables agree."""
    era: str
    """Label of the table; two are joined by "or", more are named by their releases."""
    agree: bool | None
    """Whether printed names decode to the hex; None where no names are printed."""
    assumed: Said | None = None
    """What had to be assumed to decode it."""
    flag_sets: tuple[frozenset[str], ...] = ()
    """Flags under each candidate table: for questions whose answer may agree although names differ."""

    @property
    def assumption(self) -> str | None:
        """What had to be assumed to decode it, in English."""
        return str(self.assumed) if self.assumed is not None else None

    def has(self, flag: str) -> bool | None:
        """Whether a flag is set: True, False, or None where the candidate tables disagree."""
        if flag in self.certain:
            return True
        return None if flag in self.possible else False


def decode(
    mask: int | None,
    *,
    names: str | None = None,
    release: Release | None = None,
    traits: frozenset[str] = frozenset(),
    slab: bool = False,
) -> Decoded | None:
    """Decode a mask, or the names printed for it.

    Args:
        mask: the printed hex, None when only names are known.
        names: names as printed between parentheses, joined by ``|`` (or written by a person, joined by ``+`` or ``,``).
        release: the kernel, where the log tells it.
        traits: fingerprints of the text (keys of ``era.TRAITS``).
        slab: True when the stack shows that the slab layer asked for the pages (kmalloc of more than two pages).

    Returns:
        None when neither the mask nor any of the names can be read.
    """
    words = tuple(word for word in _NAME.findall(names) if word != "none") if names else ()
    left = candidates(release, traits)
    found = _fitting(mask, words, left)
    if not found and release is None:
        found = _fitting(mask, words, points())
    agree = None if not words or mask is None else bool(found)
    assumed = None
    if not found:  # printed names beat the hex: an unknown kernel, or a damaged number
        found = _by_names(words, left) or tuple(_first(left))
        assumed = said("assumed.names_taken") if words else None
    if not found or (mask is None and not words):
        return None
    value = mask if mask is not None else (found[0].value(words) or 0)
    if agree is False or mask is None:
        per_table = {table: table.value(words) if words else value for table in found}
    else:
        per_table = dict.fromkeys(found, value)
    readable = {table: known for table, known in per_table.items() if known is not None}
    if not readable and mask is not None:  # names of no kernel: the hex is all there is
        readable = dict.fromkeys(found, mask)
    return _decoded(value, readable, left, slab, agree, assumed) if readable else None


def _decoded(
    mask: int,
    masks: dict[Table, int],
    releases: tuple[Release, ...],
    slab: bool,
    agree: bool | None,
    assumed: Said | None,
) -> Decoded:
    sets = {table: table.flags(value) for table, value in masks.items()}
    first = next(iter(sets.values()))
    certain = tuple(flag for flag in first if all(flag in flags for flags in sets.values()))
    seen = dict.fromkeys(flag for flags in sets.values() for flag in flags)
    possible = tuple(flag for flag in seen if flag not in certain)
    absent = frozenset(name for table in tables() for name in table.bits) - set(seen)
    added = tuple(flag for flag in certain if slab and flag in _SLAB_ADDS)
    caller = tuple(flag for flag in certain if flag not in added)
    names = {table.composite(value & ~(table.value(added) or 0)) for table, value in masks.items()}
    if not releases or not any(table.covers(release) for table in masks for release in releases):
        releases = tuple(point for point in points() if any(table.covers(point) for table in masks))
    elif len(releases) > 1:
        releases = tuple(release for release in releases if any(table.covers(release) for table in masks))
    labels = list(dict.fromkeys(table.label for table in masks))
    era = " or ".join(labels) if len(labels) < 3 else name_range(releases)
    name = names.pop() if len(names) == 1 else None
    options = sorted({option for table in masks for option in table.config})
    if options and assumed is None:
        assumed = said("assumed.built_with", options=options)
    return Decoded(mask, tuple(masks), releases, certain, possible, absent, caller, added, name, era, agree, assumed,
                   tuple(frozenset(flags) for flags in sets.values()))  # fmt: skip


def _fitting(mask: int | None, words: tuple[str, ...], releases: tuple[Release, ...]) -> tuple[Table, ...]:
    """Tables of the releases under which mask and names agree, builds without debug options preferred."""
    wanted = _covering(releases)
    for config_size in range(3):
        kept = [table for table in wanted if len(table.config) == config_size and _agrees(table, mask, words)]
        if kept:
            return tuple(kept)
    return ()


def _agrees(table: Table, mask: int | None, words: tuple[str, ...]) -> bool:
    if mask is None:
        return table.value(words) is not None
    if not words:
        return not any(flag.startswith("0x") for flag in table.flags(mask))
    return set(table.shown(mask)) == set(words)


def _by_names(words: tuple[str, ...], releases: tuple[Release, ...]) -> tuple[Table, ...]:
    if not words:
        return ()
    for pool in (_covering(releases), tables()):
        kept = [table for table in pool if table.value(words) is not None]
        if kept:
            return (kept[0],) if pool is not tables() else (kept[-1],)
    return ()


def _first(releases: tuple[Release, ...]) -> list[Table]:
    return [table for table in _covering(releases) if not table.config]


@lru_cache(maxsize=256)
def _covering(releases: tuple[Release, ...]) -> tuple[Table, ...]:
    return tuple(table for table in tables() if any(table.covers(release) for release in releases))


def _build(text: str) -> int:
    release = Release.parse(text + ".el0")
    return release.build[0] if release and release.build else 0


def _next_build(table: Table) -> int:
    """First build of the next table of the same RHEL major; builds between two trees read belong to the lower."""
    later = [
        _build(other.since) for other in tables() if other.el == table.el and _build(other.since) > _build(table.since)
    ]
    return min(later, default=1 << 30)


@lru_cache(maxsize=1)
def tables() -> tuple[Table, ...]:
    """All tables, oldest first, mainline before RHEL; one a configuration."""
    with open(Path(__file__).with_name("gfp.json"), encoding="ascii") as file:
        rows = json.load(file)
    return tuple(table for row in rows for table in _variants(row))


def _variants(row: Mapping[str, Any]) -> list[Table]:
    options = sorted(set(row.get("conditional", {}).values()) - {"CONFIG_SLAB_OBJ_EXT"})
    chosen = [frozenset(subset) for size in range(len(options) + 1) for subset in combinations(options, size)]
    return [_table(row, config) for config in chosen]


def _table(row: Mapping[str, Any], config: frozenset[str]) -> Table:
    """One row under one configuration: bits that the configuration lacks are zero, enum tails move down."""
    conditional = row.get("conditional", {})
    missing = {name for name, option in conditional.items() if option not in config and option != "CONFIG_SLAB_OBJ_EXT"}
    full = {name: int(value, 16) for name, value in row["bits"].items()}
    bits = {name: value for name, value in full.items() if name not in missing}
    if "bits_plain" in row:  # 6.9+: an enum counts the bits, so those after ZEROTAGS move down
        tail = [name for name, value in sorted(bits.items(), key=lambda item: item[1]) if value > 0x800000]
        bits |= {name: 0x1000000 << index for index, name in enumerate(tail)}
    prints: list[tuple[str, int]] = []
    masks = {name: _moved(int(value, 16), full, bits) for name, value in row["masks"].items()}
    for name, value in row["prints"]:
        moved = _moved(int(value, 16), full, bits)
        if moved and name not in missing:
            prints.append((name, moved))
    return Table(row["label"], row["since"], row["until"], row.get("el"), config, bits, masks, tuple(prints),
                 row["source"], row["note"])  # fmt: skip


def _moved(value: int, full: Mapping[str, int], bits: Mapping[str, int]) -> int:
    """A mask of the all-options layout in another layout."""
    result = value & ~sum(set(full.values()))
    for name, bit in full.items():
        if value & bit:
            result |= bits.get(name, 0)
    return result


__all__ = ["COMPOSITES", "Decoded", "Span", "Table", "decode", "name_range", "tables"]
