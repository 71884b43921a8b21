"""The allocator's verdict against the kernel's: ``kb whatif`` on the raw captures of allocations in virtual machines.

Each ``==== ALLOC`` block of a ``*.extra.txt`` holds the state before and after one call and what the kernel gave.
"""

import json
import re
from pathlib import Path
from typing import Any

from kb.evidence.procfs import read_zones
from kb.facts.allocation.whatif import whatif
from kb.kernel.release import Release
from kb.model.memory import Zone

_ALLOC = re.compile(r"==== ALLOC (.*?) \| t=\S+ got=(\d+)")


def rows(corpus: Path) -> list[dict[str, Any]]:
    """The confusion table, one row an outcome: ``whatif`` said, the kernel did, why they differ, how often."""
    counts: dict[tuple[str, str, str], int] = {}
    for row in calls(corpus):
        said = {True: "admitted", False: "refused", None: "undecided"}[row["predicted"]]
        why = "" if row["agree"] else row["explained"] or "UNEXPLAINED"
        key = (said, "gave" if row["got"] else "refused", why)
        counts[key] = counts.get(key, 0) + 1
    return [
        {"whatif": said, "kernel": did, "differs because": why, "calls": n}
        for (said, did, why), n in sorted(counts.items())
    ]


def calls(corpus: Path) -> list[dict[str, Any]]:
    """One row a call: ``file``, ``cmd``, ``predicted``, ``got``, ``path`` and ``explained`` (None: unexplained)."""
    releases = _releases(corpus)
    found = []
    for path in sorted((corpus / "vm").glob("*.extra.txt")):
        text = path.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n")
        release = Release.parse(releases.get(path.name, ""))
        for block in text.split("==== ALLOC ")[1:]:
            head = _ALLOC.match("==== ALLOC " + block[:400])
            if head and release is not None:
                found.append({"file": path.name, **_row(head[1], int(head[2]), _sections(block), release)})
    return found


def _releases(corpus: Path) -> dict[str, str]:
    index = corpus / "vm" / "index.jsonl"
    if not index.exists():
        return {}
    entries = [json.loads(line) for line in index.read_text(encoding="utf-8").splitlines() if line.strip()]
    return {extra: entry["release"] for entry in entries for extra in entry.get("extras", ())}


def _sections(block: str) -> dict[str, str]:
    """``BEFORE zoneinfo`` and so on to their text; ends at ``==== END``."""
    parts: dict[str, str] = {}
    for part in block.split("\n==== ")[1:]:
        name, _, text = part.partition("\n")
        if name == "END":
            break
        parts[name.strip()] = text
    return parts


def _zones(parts: dict[str, str], when: str) -> tuple[Zone, ...]:
    names = ("zoneinfo", "buddyinfo", "pagetypeinfo")
    return read_zones(*(parts.get(f"{when} {name}", "") for name in names))


def _row(cmd: str, got: int, parts: dict[str, str], release: Release) -> dict[str, Any]:
    before, after = _zones(parts, "BEFORE"), _zones(parts, "AFTER")
    what = dict(word.split("=", 1) for word in cmd.split() if "=" in word)
    node = int(what["node"]) if "node" in what else None
    order, by_size = _order(cmd, what, before)
    answer = whatif(
        order, what.get("gfp", "GFP_KERNEL"), before, release, node=node, interrupt=what.get("ctx") == "timer"
    )
    predicted = False if by_size else answer["admitted"]
    row = {"cmd": cmd, "predicted": predicted, "got": got > 0, "path": "size check" if by_size else answer["path"]}
    return row | {"agree": predicted == (got > 0), "explained": _explain(predicted, got, order, before, after, parts)}


def _order(cmd: str, what: dict[str, str], zones: tuple[Zone, ...]) -> tuple[int, bool]:
    """Order of the pages that a call asks for, and whether its size alone is refused.

    vmalloc and kvmalloc above the machine's memory stop at a size check; kmalloc is one block of whole pages, at most
    of the largest order.
    """
    size = int(what.get("size", "0"), 0)
    if cmd.startswith(("vmalloc", "kvmalloc")):
        # asked page by page: more pages than are free above the marks cannot be had at the first attempt
        return 0, size > 4096 * sum(max(zone.free - zone.min, 0) for zone in zones)
    if cmd.startswith("kmalloc"):
        order = max((size - 1).bit_length() - 12, 0)
        return order, order > 10
    return int(what.get("order", "0")), False


def _explain(
    predicted: bool | None,
    got: int,
    order: int,
    before: tuple[Zone, ...],
    after: tuple[Zone, ...],
    parts: dict[str, str],
) -> str | None:
    """Why prediction and kernel differ, from what the state and the trace show; None when nothing explains it."""
    if predicted == (got > 0):
        return None
    trace = parts.get("TRACE_PIPE", "")
    old, new = _counters(parts.get("BEFORE vmstat", "")), _counters(parts.get("AFTER vmstat", ""))

    def grew(*names: str) -> bool:
        return any(new.get(name, 0) > old.get(name, 0) for name in new if name.startswith(names))

    if "mm_compaction_begin" in trace or grew("compact_stall"):
        return "direct compaction ran"
    if "mm_vmscan_direct_reclaim_begin" in trace or grew("allocstall"):
        return "direct reclaim ran"
    if grew("pgscan_kswapd", "pgsteal_kswapd"):
        return "kswapd ran between"
    if grew("compact_daemon"):
        return "kcompactd ran between"
    freed = sum(zone.free for zone in after) + (got << order) - sum(zone.free for zone in before)
    if abs(freed) > 64 or (freed and not predicted):
        return f"the state changed between by {freed:+d} pages"
    return None


def _counters(text: str) -> dict[str, int]:
    pairs = (line.split() for line in text.splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}
