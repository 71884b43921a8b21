"""Facts of the object that a memory error is about: which cache, where the access was, who allocated and freed it."""

from kb.facts.finding import Finding, spans
from kb.kernel.address import flipped_pointer, meaning
from kb.model.log import Span
from kb.model.report import Report
from kb.parse.details.object import Object, list_entry, memory_object
from kb.parse.plumbing import skips
from kb.syntax.frames import plain
from kb.words.speak import said

_WANTED = {
    0x6B: said("object.freed_written"),
    0xA5: said("object.freed_end_written"),
    0xCC: said("object.beside_live_written"),
    0xBB: said("object.beside_freed_written"),
    0x5A: said("object.padding_written"),
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
    by = [said("object.allocated_in", function=values["allocated_in"])] if "allocated_in" in values else []
    by += [said("object.freed_in", function=values["freed_in"])] if "freed_in" in values else []
    why = (said("object.history", history=by),) if by else ()
    cache = said("part.of_cache", cache=values["object_cache"]) if "object_cache" in values else None
    if found.side is not None:
        thing = said("object.any", cache=cache)
        if found.size is not None:
            thing = said("object.of_size", size_bytes=found.size, cache=cache)
        claims = {
            "inside": said("object.accessed_inside", offset_bytes=found.offset, object=thing),
            "behind": said("object.accessed_behind", offset_bytes=found.offset, object=thing),
            "before": said("object.accessed_before", offset_bytes=found.offset, object=thing),
        }
        out.say(claims[found.side], why, lines)
    elif found.wanted in _WANTED and found.got is not None:
        name = said("part.named_before", name=found.overwritten) if found.overwritten else None
        out.say(said("object.overwritten", name=name, what=_WANTED[found.wanted], byte=found.got), why, lines)
    elif why:
        out.say(said("object.about", object=said("object.any", cache=cache), history=by), (), lines)


def list_facts(report: Report) -> Finding:
    """``list_field``, ``list_was``, ``list_means`` of a list whose pointers do not fit together."""
    out = Finding()
    found = list_entry(report.lines)
    if found is None:
        return out
    where = spans([(found.line, found.line)])
    out.add("list_field", found.field, where)
    if found.double:
        out.say(said("list.already_on"), (said("list.added_twice"),), where)
        return out
    told = meaning(found.was, report.arch) if found.was is not None else None
    if told is not None and told.kind in _PLACES:
        told = None
    means = found.poison or (told.says if told is not None else None)
    out.add("list_was", f"{found.was:#x}" if found.was is not None else None, where)
    if found.was is not None and found.should is not None:
        out.add("flipped_bit", flipped_pointer(found.was, found.should), where)
    out.add("list_means", str(means) if means is not None else None, where)
    if means is None:
        return out
    deleted = (found.poison or "").startswith("LIST_POISON") or (told is not None and told.kind == "list-poison")
    why = said("list.entry_taken_off") if deleted else said("list.memory_gone")
    if deleted and found.poison is None and told is not None:
        means = told.symbol
    out.say(said("list.pointer_was", field=found.field, was=means), (why,), where)
    return out
