"""``SLUB: Unable to allocate memory``: what the cache holds itself, and why it needs the order that failed.

mm/slub.c ``slab_out_of_memory()``, 2.6.31 to 7.3: the cache's sizes and orders, then a line a node; objects in use and
free ones are counted together in ``objs``.
"""

import re
from collections.abc import Iterator

from kb.facts.allocation.study import Study
from kb.model.memory import size
from kb.model.verdict import Reason
from kb.words.speak import said

_CACHE = re.compile(
    r"cache: (?P<cache>[^,]{1,80}), object size: (?P<object>\d{1,9}), buffer\s+size: (?P<buffer>\d{1,9})"
)
_NODE = re.compile(r"node \d{1,4}: slabs: \d{1,15}, objs: (?P<objects>\d{1,15}), free: (?P<free>\d{1,15})")
_DEBUGGED = re.compile(r"debugging increased min order")
_HOG = 0.1
"""Share of all memory from which the cache itself is where it went."""


def slub(study: Study) -> Iterator[Reason]:
    """What the lines of the cache tell."""
    report = study.report
    if report.kind != "slub_failure":
        return
    text = " ".join(line.text.strip() for line in report.lines[:64])  # mail programs wrap the lines
    spans = tuple((line.number, line.last) for line in report.lines if "cache: " in line.text or "slabs: " in line.text)
    cache, nodes = _CACHE.search(text), list(_NODE.finditer(text))
    if cache is not None and nodes:
        objects, buffer = sum(int(node["objects"]) for node in nodes), int(cache["buffer"])
        held = objects * buffer // 1024
        counters = study.memory.counters if study.memory is not None else {}
        total = size(counters.get("ram", 0) - counters.get("reserved", 0), study.page_kb)
        why = said(
            "slub.objects", objects=objects, buffer=buffer, held_kb=held, free=sum(int(n["free"]) for n in nodes)
        )
        share = said("slub.share", share=held / total) if total else said("slub.no_total")
        verdict = "unknown" if not total else "holds" if held >= _HOG * total else "excluded"
        yield Reason(said("slub.fills_memory", cache=cache["cache"]), verdict, (why, share), spans)
    if _DEBUGGED.search(text):
        yield Reason(said("slub.order_by_debugging"), "holds", (said("slub.debug_off"),), study.asked.headline)
