"""What the state of an OOM kill shows of the kernel itself: page cache that reclaim left, counts that wrapped."""

from kb.facts.oom.cause import Looked
from kb.facts.oom.story import Story, reason
from kb.model.memory import size
from kb.model.verdict import Reason
from kb.words.speak import said

_MUCH = 4
"""Clean page cache of so many times what a zone lacks should have been enough."""
_SHARE = 0.1
"""The same as a share of the zone: less may be what other tasks read in meanwhile."""
_WRAPPED = 1 << 40
"""Pages that no zone has."""


def cache_stays(story: Story) -> Reason | None:
    """Clean page cache in the zones that were short: more than they lacked, and still nothing was reclaimed."""
    if story.oom.order is None or story.cause not in ("global_memory_short", "zone_constrained"):
        return None
    short = [looked for looked in story.zones if looked.why == "short" and looked.zone.name != "DMA"]
    known = [(looked, clean) for looked in short if (clean := _clean(looked)) is not None]
    if not known or len(known) < len(short):
        return None
    left = [(looked, clean) for looked, clean in known
            if clean > max(_MUCH * -looked.spare, _SHARE * looked.size)]  # fmt: skip
    if not left:
        return None
    page_kb = story.page_kb
    why = [said("cache.clean", zone=looked.zone.label, clean_kb=size(clean, page_kb),
                lacks_kb=size(1 - looked.spare, page_kb)) for looked, clean in left]  # fmt: skip
    nodes = story.memory.nodes if story.memory is not None else {}
    if any(nodes.get(looked.zone.node, {}).get("all_unreclaimable") for looked, _ in left):
        why.append(said("cache.all_unreclaimable"))
    why.append(said("cache.protected"))
    spans = tuple((looked.zone.line, looked.zone.line) for looked, _ in left if looked.zone.line)
    return reason(said("cache.not_reclaimed"), "holds", why, spans)


def _clean(looked: Looked) -> int | None:
    """Pages of a zone's page cache that are neither dirty nor under writeback; None where its line prints no lists."""
    counters = looked.zone.counters
    if "active_file" not in counters or "inactive_file" not in counters:
        return None
    pending = counters.get("writepending", counters.get("dirty", 0) + counters.get("writeback", 0))
    return max(0, counters["active_file"] + counters["inactive_file"] - pending)


def wrapped_count(story: Story) -> Reason | None:
    """A mark or reserve that no memory could meet: it is computed from a count of managed pages that fell below 0."""
    if story.cause != "watermark_absurd":
        return None
    bad = [looked for looked in story.zones if max(looked.zone.high, looked.view.reserve) > _WRAPPED]
    if not bad:
        return None
    why = (said("wrapped.marks_from_managed"), said("wrapped.balloon"))
    spans = tuple(span for looked in bad for span in looked.zone.spans)
    return reason(said("wrapped.below_zero", zones=[looked.zone.label for looked in bad]), "holds", why, spans)
