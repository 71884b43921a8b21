"""Facts of the object that a memory error is about: which cache, where the access was, who allocated and freed it."""

from kb.facts.finding import Finding, spans
from kb.kernel.address import meaning
from kb.model.log import Span
from kb.model.report import Report
from kb.parse.details.object import Object, list_entry, memory_object
from kb.parse.plumbing import skips
from kb.syntax.frames import plain

_WANTED = {
    0x6B: "a freed object was written to (use after free)",
    0xA5: "the last byte of a freed object was written to (use after free)",
    0xCC: "bytes beside a live object were written to (out of bounds)",
    0xBB: "bytes beside a freed object were written to",
    0x5A: "the padding of a slab was written to",
}
"""What the expected byte guards (include/linux/poison.h, mm/slub.c)."""
_GROUPS = ("alloc", "free")
_OWN = frozenset({"poison_slab_object", "slab_free_freelist_hook", "slab_free_hook", "__call_rcu_common"})
"""Of KASAN and SLUB, where they free."""
_PLACES = frozenset({"kernel-text", "modules", "kasan-shadow"})
"""Where a pointer of a list may well point: list heads are static, too."""


def object_facts(report: Report) -> Finding:
    """``object_cache``, ``object_size``, ``object_offset``, ``object_side``, ``allocated_in``, ``freed_in`` ..."""
    out = Finding()
    found = memory_object(report.lines)

    def at(name: str) -> tuple[Span, ...]:
        return spans([(found.where.get(name, 0),) * 2])

    cache = found.cache or report.fields.get("cache")
    out.add("object_cache", cache, at("cache"))
    out.add("object_size", found.size, at("size"))
    out.add("object_offset", found.offset, at("side"))
    out.add("object_side", found.side, at("side"))
    for name, role, track in (("allocated_in", "allocated", found.allocated), ("freed_in", "freed", found.freed)):
        if track is not None:
            out.add(name, plain(track[0]), at(role))
        else:
            _traced(report, role, name, out)
    if found.got is not None and found.wanted is not None:
        out.add("slab_first_byte", f"{found.got:#04x}", at("bytes"))
        out.add("slab_expected_byte", f"{found.wanted:#04x}", at("bytes"))
    _say(found, out)
    return out


def _traced(report: Report, role: str, name: str, out: Finding) -> None:
    """The first function of a stack "Allocated by" or "Freed by" that is not the allocator's own."""
    for trace in report.traces:
        if trace.role != role:
            continue
        skip = skips(_GROUPS)
        for frame in trace.frames:
            function = plain(frame.function)
            if frame.reliable and not frame.inline and function not in _OWN and skip(function, frame.module) is None:
                out.add(name, plain(frame.function), spans([(frame.line, frame.line)]))
                return


def _say(found: Object, out: Finding) -> None:
    values = {name: fact.value for name, fact in out.values.items()}
    lines = [span for fact in out.values.values() for span in fact.evidence]
    by = [f"allocated in {values['allocated_in']}" if "allocated_in" in values else ""]
    by += [f"last freed in {values['freed_in']}" if "freed_in" in values else ""]
    because = ", ".join(part for part in by if part)
    cache = f" of {values['object_cache']}" if "object_cache" in values else ""
    if found.side is not None:
        size = f"an object of {found.size} bytes{cache}" if found.size is not None else f"an object{cache}"
        place = {"inside": f"{found.offset} bytes into", "behind": f"{found.offset} bytes behind the end of",
                 "before": f"{found.offset} bytes before"}[found.side]  # fmt: skip
        out.say(f"the access was {place} {size}", because, lines)
    elif found.wanted in _WANTED and found.got is not None:
        name = f"{found.overwritten}: " if found.overwritten else ""
        out.say(f"{name}{_WANTED[found.wanted]}, first with {found.got:#04x}", because, lines)
    elif because:
        out.say(f"it is about an object{cache}", because, lines)


def list_facts(report: Report) -> Finding:
    """``list_field``, ``list_was``, ``list_means`` of a list whose pointers do not fit together."""
    out = Finding()
    found = list_entry(report.lines)
    if found is None:
        return out
    where = spans([(found.line, found.line)])
    out.add("list_field", found.field, where)
    if found.double:
        out.say("the entry is on the list already", "it was added twice", where)
        return out
    told = meaning(found.was, report.arch) if found.was is not None else None
    if told is not None and told.kind in _PLACES:
        told = None
    words = found.poison or (told.words if told is not None else None)
    out.add("list_was", f"{found.was:#x}" if found.was is not None else None, where)
    out.add("list_means", words, where)
    if words is None:
        return out
    deleted = (found.poison or "").startswith("LIST_POISON") or (told is not None and told.kind == "list-poison")
    because = "the entry was taken off its list before" if deleted else "memory of the list was freed or written over"
    out.say(f"{found.field} was {words.partition(':')[0] if deleted else words}", because, where)
    return out
