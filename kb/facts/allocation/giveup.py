"""Why the slow path gave up: a request of a small order that may wait is retried until it succeeds, but for a few.

mm/page_alloc.c ``__alloc_pages_slowpath()``, ``__alloc_pages_may_oom()``, ``should_alloc_retry()``: 2.6.35 to 7.3.
"""

from collections.abc import Sequence

from kb.facts.allocation.request import Asked
from kb.kernel.allocflags import may_reclaim
from kb.kernel.compaction import COSTLY_ORDER
from kb.kernel.era import span
from kb.kernel.release import Release
from kb.model.said import Said
from kb.model.verdict import Reason
from kb.words.speak import said

_LOWMEM_SPARED = span("2.6.35", "", {6: (0, None)})
"""The OOM killer is not asked for zones below Normal: 03668b3ceb0c ("oom: avoid oom killer for lowmem allocations")
(in v2.6.35)."""
_MAYFAIL = span("4.13")
"""__GFP_RETRY_MAYFAIL gives up for every order; __GFP_REPEAT before it changed costly orders alone."""


def gave_up(asked: Asked, kind: str, releases: Sequence[Release]) -> Reason | None:
    """Why it was not retried; None where the flags or the size say nothing about that."""
    gfp, order = asked.gfp, asked.order
    if gfp is None or order is None or kind != "page_allocation_failure":
        return None
    if {may_reclaim(flags) for flags in gfp.flag_sets} != {True} or asked.context == "reclaim":
        return None
    head = asked.headline
    if (flag := _own_flag(asked, releases)) is not None:
        return Reason(said("giveup.by_flag", flag=flag), "holds", (_FLAGS[flag],), head)
    if order > COSTLY_ORDER or "__GFP_NOFAIL" in gfp.certain or "__GFP_NOFAIL" in gfp.possible:
        return None
    exempt = low_zone(asked, releases) or _one_node(asked)
    return Reason(said("giveup.retried"), "excluded" if exempt else "holds", tuple(_exceptions(asked, releases)), head)


_FLAGS = {
    "__GFP_NORETRY": said("giveup.noretry"),
    "__GFP_RETRY_MAYFAIL": said("giveup.mayfail"),
}


def _own_flag(asked: Asked, releases: Sequence[Release]) -> str | None:
    certain = asked.gfp.certain if asked.gfp is not None else ()
    if "__GFP_NORETRY" in certain:
        return "__GFP_NORETRY"
    mayfail = "__GFP_RETRY_MAYFAIL" in certain and all(_MAYFAIL.has(release) for release in releases)
    return "__GFP_RETRY_MAYFAIL" if mayfail else None


def low_zone(asked: Asked, releases: Sequence[Release]) -> bool:
    """Whether the request is bound to a zone below Normal, for which nobody is killed."""
    spared = bool(releases) and all(_LOWMEM_SPARED.has(release) for release in releases)
    return spared and asked.request.zone in ("DMA", "DMA32")


def only_a_victim(asked: Asked, kind: str, releases: Sequence[Release]) -> bool:
    """Whether such a request is retried until it succeeds unless the task itself is the exception."""
    reason = gave_up(asked, kind, releases)
    return (
        reason is not None
        and reason.name == "giveup.retried"
        and not low_zone(asked, releases)
        and not _one_node(asked)
    )


def _one_node(asked: Asked) -> bool:
    return "__GFP_THISNODE" in asked.request.flags


def _exceptions(asked: Asked, releases: Sequence[Release]) -> list[Said]:
    if low_zone(asked, releases):
        return [said("giveup.low_zone", zone=asked.request.zone), said("giveup.no_progress")]
    if _one_node(asked):
        return [said("giveup.one_node"), said("giveup.no_progress")]
    kills = asked.gfp is not None and asked.gfp.has("__GFP_FS") is not False
    small = said("giveup.small", order=asked.order) if kills else said("giveup.small_no_fs", order=asked.order)
    return [small, said("giveup.victim")]
