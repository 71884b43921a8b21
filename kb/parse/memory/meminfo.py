"""The block that follows ``Mem-Info:``, as show_mem() printed it from 2.6.32 to today (mm/page_alloc.c, mm/show_mem.c).

:func:`parse_meminfo` takes the lines of a whole report and reads the first such block in it. Cut ends, foreign lines,
lines that KERN_CONT or a mail program broke: what is there is kept, what is missing is named in ``faults``.

``traits`` of the result are fingerprints of the kernel that printed the text: :mod:`kb.parse.memory.traits` lists them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from kb.model.log import Line
from kb.model.memory import FreeBlocks, MemInfo, Zone
from kb.model.said import Said
from kb.parse.memory.records import bounded, prepare
from kb.parse.memory.traits import of_absence, of_lists, of_node, of_zone
from kb.syntax.lines import grammar
from kb.syntax.lines import words as word_grammar
from kb.words.speak import said

_NO_UNIT = frozenset({"pages_scanned"})
_NATIVE_KB = frozenset({"kernel_stack", "shadow_call_stack"})
_OWN = frozenset(
    "free min low high boost reserved_highatomic free_highatomic free_cma managed present all_unreclaimable".split()
)
_ZONE_HEADS = ("ZONE", "FREE_LIST", "NODE", "HUGEPAGES", "PERCPU_HEAD")


@dataclass(slots=True)
class _Head:
    """A head line and the text of the pieces that belong to it."""

    role: str
    line: int
    node: int
    zone: str
    text: str
    reserve: str | None = None
    reserve_line: int | None = None


@dataclass(slots=True)
class _Raw:
    """What the lines say, before units are known."""

    heads: list[_Head] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    field_lines: dict[str, int] = field(default_factory=dict)
    traits: set[str] = field(default_factory=set)
    faults: list[Said] = field(default_factory=list)
    first: int = 0
    last: int = 0


@dataclass(slots=True)
class _Words:
    """The inside of one line."""

    pairs: dict[str, int] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    counts: list[int] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    page: int | None = None
    total: int | None = None
    numbers: list[int] = field(default_factory=list)


def parse_meminfo(lines: Sequence[Line]) -> MemInfo | None:
    """Read the first show_mem() block among the lines; None when there is none."""
    raw = _collect(lines)
    if not raw.heads and not raw.counters:
        return None
    words = [(head, _words(head.text)) for head in raw.heads]
    page_kb = next((w.page for head, w in words if head.role == "FREE_LIST" and w.page), None) or 4
    nodes = _nodes([item for item in words if item[0].role == "NODE"], page_kb, raw)
    zones = _zones(words, page_kb, raw)
    hugepages = tuple(_hugepage(head, w) for head, w in words if head.role == "HUGEPAGES")
    if hugepages:
        raw.traits.add("hugepages")
    raw.traits |= of_absence(raw.counters, zones, raw.traits)
    return MemInfo(
        zones=zones,
        page_kb=page_kb,
        counters=raw.counters,
        nodes=nodes,
        hugepages=hugepages,
        field_lines=raw.field_lines,
        line=raw.first,
        last=raw.last,
        faults=tuple(raw.faults[:4]),
        traits=frozenset(raw.traits),
    )


def _collect(lines: Sequence[Line]) -> _Raw:
    """Roles of the lines, pieces put to their heads; stops where a second block begins."""
    raw = _Raw()
    node, zone = 0, ""
    head: _Head | None = None
    started = bare = False
    named: dict[str, bool] = {}
    for token in grammar("meminfo").tokens(prepare(lines)):
        role, fields, number = token.type, token.fields, token.line.number
        if role == "MEM_INFO":
            if started:
                break
            raw = _Raw(first=number)  # what stood before is the tail of an older block
            started, head = True, None
        elif role in _ZONE_HEADS:
            node = int(fields.get("node") or fields.get("node_of_cut") or node)
            zone = fields.get("zone") or fields.get("zone_of_cut") or ""
            head = _Head(role, number, node, zone, fields.get("rest", ""))
            raw.heads.append(head)
            if role in ("ZONE", "FREE_LIST"):
                named[role] = named.get(role, False) or "node" in fields or "node_of_cut" in fields
        elif role == "NODE_BARE":
            node, head, bare = int(fields["node"]), None, True
        elif role == "GLOBAL":
            head = None
            _global(raw, token.line)
        elif role in ("FIELDS", "BLOCKS", "NUMBERS", "HUGEPAGES_REST", "RESERVE", "PERCPU"):
            head = _piece(raw, head, role, token.line, node, fields.get("rest"))
        elif role not in ("ALLOC_ROW",):
            head = None
            _tail(raw, role, fields, number)
        raw.first = raw.first or number
        raw.last = max(raw.last, token.line.last)
    if named and not bare and not any(named.values()):
        raw.traits.add("no_node")
    return raw


def _piece(raw: _Raw, head: _Head | None, role: str, line: Line, node: int, rest: str | None) -> _Head | None:
    """Put a line that begins in the middle to the head it belongs to."""
    if role == "RESERVE":
        owner = head if head is not None and head.role == "ZONE" else None
        if owner is None:
            owner = next((h for h in reversed(raw.heads) if h.role == "ZONE" and h.reserve is None), None)
        if owner is not None and owner.reserve is None:
            owner.reserve, owner.reserve_line = rest or "", line.number
        return owner
    if role == "PERCPU":
        raw.traits.add("per_cpu_lists")
        return head
    if head is None:
        if role == "FIELDS" and line.text.startswith("active_anon:"):  # a node line behind its bare "Node 0"
            head = _Head("NODE", line.number, node, "", line.text)
            raw.heads.append(head)
        return head
    if role == "NUMBERS":
        if head.reserve is not None:
            head.reserve += " " + line.text
    elif (role == "BLOCKS") == (head.role == "FREE_LIST") and len(head.text) < 16384:
        head.text += " " + line.text
    return head


def _global(raw: _Raw, line: Line) -> None:
    """A line of the global block: counters in pages, no unit."""
    pairs = {key.lower(): value for key, value in _words(line.text).pairs.items()}
    seen = raw.counters
    if "free" in pairs and "slab_reclaimable" in pairs:
        raw.traits.add("global:free_slab")
    elif "free" in pairs and "bounce" in seen:
        raw.traits.add("global:free_last")
    if "slab" in pairs:
        raw.traits.add("global:slab")
    raw.traits |= {"free_pcp", "free_cma", "unstable", "kernel_misc_reclaimable", "sec_pagetables"} & set(pairs)
    for key, value in pairs.items():
        if key not in seen:
            seen[key] = value
            raw.field_lines[key] = line.number


def _tail(raw: _Raw, role: str, fields: "dict[str, str] | object", number: int) -> None:
    """A line of the tail: its group names are the names of the counters."""
    assert isinstance(fields, dict)
    traits = {
        "SWAP_STATS": "swap_cache_stats",
        "SHARED": "pages_shared",
        "CMA_RESERVED": "cma_reserved",
        "HWPOISONED": "hwpoisoned",
        "PAGETABLE_CACHE": "pagetable_cache",
        "ALLOC_HEAD": "alloc_profiling",
        "PROTECTION": "memcg_protection",
    }
    if role in traits:
        raw.traits.add(traits[role])
    if "profiling" in fields:
        raw.traits.add("alloc_profiling:state")
    if "movable" in fields:
        raw.traits.add("highmem:movable_only")
    for key, value in fields.items():
        if key not in raw.counters and value.lstrip("-").isdecimal():
            raw.counters[key] = bounded(value)
            raw.field_lines[key] = number


def _words(text: str) -> _Words:
    """Read the inside of a line by the grammar of fields."""
    words = _Words()
    if not text:
        return words
    for kind, match, found in word_grammar("fields").find(text):
        if kind == "PAIR":
            key = match["key"]
            if key in words.pairs:
                continue
            words.pairs[key] = bounded(match["value"])
            words.units[key] = match.get("unit", "")
        elif kind == "ENTRY":
            size = int(match["size"])
            words.page = words.page or size
            words.counts.append(bounded(match["count"]))
            words.types.append("")
        elif kind == "LETTERS":
            if words.types:
                words.types[-1] = match["types"]
        elif kind == "TOTAL":
            words.total = bounded(match["total"])
        elif kind == "NUMBER":
            words.numbers.append(bounded(found[0]))
        else:
            words.pairs[match["key"]] = int(match["answer"] == "yes") if "answer" in match else bounded(match["value"])
    return words


def _pages(words: _Words, page_kb: int) -> dict[str, int]:
    """Values of kB fields in pages. A field without its unit was cut in its number and is left out."""
    result = {}
    for key, value in words.pairs.items():
        unit = words.units.get(key)
        if key in _NO_UNIT or unit is None:  # None: all_unreclaimable
            result[key] = value
        elif unit:
            result[key] = value if key in _NATIVE_KB else value // page_kb
    return result


def _nodes(items: list[tuple[_Head, _Words]], page_kb: int, raw: _Raw) -> dict[int, dict[str, int]]:
    """Per-node counters (4.8+)."""
    nodes: dict[int, dict[str, int]] = {}
    for head, words in items:
        values = _pages(words, page_kb)
        nodes.setdefault(head.node, values)
        raw.traits |= of_node(values, head.text)
    _unshift(nodes, raw)
    return nodes


def _unshift(nodes: dict[int, dict[str, int]], raw: _Raw) -> None:
    """Put the THP values of 4.8 - 4.10 under their right names.

    show_free_areas() of those kernels passes the values in another order than its text: ``shmem:`` is shmem_thp,
    ``shmem_thp:`` shmem_pmdmapped, ``shmem_pmdmapped:`` anon_thp, ``anon_thp:`` shmem. 4.9.y stable and 4.11 are right
    and print the same text, so the global ``shmem:`` decides: the node values must add up to it.
    """
    names = ("shmem", "shmem_thp", "shmem_pmdmapped", "anon_thp")
    if "pages_scanned_node" not in raw.traits or any(key not in n for n in nodes.values() for key in names):
        return
    total = raw.counters.get("shmem")
    if total is None or sum(n["shmem"] for n in nodes.values()) == total:
        return
    if sum(n["anon_thp"] for n in nodes.values()) == total:
        raw.traits.add("thp_shifted")
        for n in nodes.values():
            n["shmem_thp"], n["shmem_pmdmapped"], n["anon_thp"], n["shmem"] = (n[key] for key in names)


def _zones(items: list[tuple[_Head, _Words]], page_kb: int, raw: _Raw) -> tuple[Zone, ...]:
    """Zones in the order of their lines, each with its reserve and its free list."""
    lists: dict[tuple[int, str], FreeBlocks] = {}
    for head, words in items:
        if head.role == "FREE_LIST":
            blocks = _blocks(head, words, page_kb, raw)
            if blocks is not None:
                lists.setdefault((head.node, head.zone), blocks)
    raw.traits |= of_lists(lists.values())
    zones: dict[tuple[int, str], Zone] = {}
    for head, words in items:
        key = (head.node, head.zone)
        if head.role != "ZONE" or key in zones:
            continue
        zone = _zone(head, words, page_kb, lists.get(key), raw)
        if zone is not None:
            zones[key] = zone
    for node, name in lists:
        if (node, name) not in zones:
            raw.faults.append(said("damage.no_watermarks", zone=f"Node {node} {name}"))
    return tuple(zones.values())


def _zone(head: _Head, words: _Words, page_kb: int, blocks: FreeBlocks | None, raw: _Raw) -> Zone | None:
    """One zone; None when its line ends before the watermarks."""
    label = f"Node {head.node} {head.zone}"
    values = _pages(words, page_kb)
    if not {"free", "min", "low", "high"} <= set(values):
        raw.faults.append(said("damage.cut_zone", zone=label))
        return None
    if len(values) < len(words.pairs) or "present" not in values:
        raw.faults.append(said("damage.cut_zone_after", zone=label, field=list(values)[-1]))
    if blocks is None:
        raw.faults.append(said("damage.no_free_list", zone=label))
    raw.traits |= of_zone(values, words.units.get("reserved_highatomic", ""))
    reserve: tuple[int, ...] = ()
    if head.reserve is not None:
        reserve = tuple(_words(head.reserve).numbers)[:8]
        raw.traits.add(f"reserve:{len(reserve)}")
    return Zone(
        node=head.node,
        name=head.zone,
        free=values["free"],
        min=values["min"],
        low=values["low"],
        high=values["high"],
        reserve=reserve,
        boost=values.get("boost"),
        reserved_highatomic=values.get("reserved_highatomic"),
        free_highatomic=values.get("free_highatomic"),
        free_cma=values.get("free_cma"),
        managed=values.get("managed"),
        present=values.get("present"),
        blocks=blocks,
        counters={key: v for key, v in values.items() if key not in _OWN},
        unreclaimable=bool(values["all_unreclaimable"]) if "all_unreclaimable" in values else None,
        line=head.line,
        reserve_line=head.reserve_line,
    )


def _blocks(head: _Head, words: _Words, page_kb: int, raw: _Raw) -> FreeBlocks | None:
    """A free-list line; kept as far as it goes."""
    label = f"Node {head.node} {head.zone}"
    if not words.counts:
        raw.faults.append(said("damage.cut_free_list", zone=label))
        return None
    counts = tuple(words.counts[:32])
    pages = sum(count << order for order, count in enumerate(counts))
    if words.total is None:
        raw.faults.append(said("damage.cut_free_list_after", zone=label, order=len(counts) - 1))
    elif words.total // page_kb != pages:
        raw.faults.append(said("damage.free_list_sum", zone=label))
    total = pages if words.total is None else words.total // page_kb
    return FreeBlocks(counts, tuple(words.types[:32]), total, head.line, whole=words.total is not None)


def _hugepage(head: _Head, words: _Words) -> dict[str, int]:
    """Huge pages of one size on one node: ``node``, ``total``, ``free``, ``surp`` (pages of it), ``size_kb``."""
    values = {("size_kb" if key == "size" else key): value for key, value in words.pairs.items()}
    return {"node": head.node, **values}
