"""What files beside the log add: counters before and after, traces, settings.

A claim that held by the code of that kernel is *confirmed* where a counter or a trace shows it happening, and
contradicted where they show the opposite. Nothing here guesses: a file that does not cover the failure says nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from kb.evidence.files import Event, Evidence, Snapshot
from kb.evidence.memory import memory_reasons
from kb.model.number import number
from kb.model.report import Report
from kb.model.said import Said
from kb.model.verdict import Fact, Facts, Reason
from kb.words.speak import said

_COUNTERS = ("compact_stall", "compact_fail", "compact_success", "oom_kill", "drop_pagecache", "drop_slab")
_KSWAPD = ("pageoutrun", "kswapd_high_wmark_hit_quickly", "pgsteal_kswapd")
_EVENTS = ("pg", "compact_", "allocstall", "pageoutrun", "kswapd_", "oom_kill", "drop_", "slabs_scanned")
"""How counters of events begin, which only grow; the others (``nr_``) are sizes."""
_RECLAIM = ("allocstall", "pgsteal_direct", "pgscan_direct")
"""Counters that move when a task reclaims for itself; per zone from v4.8 (``allocstall_normal``), summed here."""


def with_context(facts: Facts, report: Report, evidence: Evidence) -> Facts:
    """The facts of a report with what the files beside its log add to them."""
    values = dict(_values(evidence))
    reasons = tuple(_reasons(facts, report, evidence, values))
    detail = {**facts.detail, "context": {name: fact.value for name, fact in values.items()}}
    missing = tuple(said("unknown.file.kind", file=name) for name in evidence.unknown)
    return replace(
        facts,
        values={**facts.values, **values},
        detail=detail,
        reasoning=(*facts.reasoning, *reasons),
        missing=(*facts.missing, *missing),
    )


def _values(evidence: Evidence) -> Iterator[tuple[str, Fact]]:
    if (readings := _in_order(evidence)) is not None:
        before, after = readings
        for name in (*_COUNTERS, *_RECLAIM, *_KSWAPD):
            change = _change(before.counters, after.counters, name)
            if change is not None:
                first, last = _total(before.counters, name), _total(after.counters, name)
                wording = said("context.counter", counter=name, before=first, after=last, file=after.source)
                yield f"vmstat.{name}", Fact(f"vmstat.{name}", change, wording=wording)
    begun = [event for event in evidence.events if event.name == "mm_vmscan_direct_reclaim_begin"]
    ended = [event for event in evidence.events if event.name == "mm_vmscan_direct_reclaim_end"]
    if begun or ended:
        yield "trace.direct_reclaim", Fact("trace.direct_reclaim", len(begun or ended))
        counts = [number(event.fields.get("nr_reclaimed")) for event in ended]
        pages = [count for count in counts if count is not None]
        if pages:
            yield "trace.reclaimed", Fact("trace.reclaimed", sum(pages), wording=_places(evidence, ended))
    compacted = [event for event in evidence.events if event.name.startswith("mm_compaction_")]
    if evidence.events:
        yield "trace.compaction", Fact("trace.compaction", len(compacted), wording=_places(evidence, compacted))
    for name, value in evidence.sysctl.items():
        count = number(value)
        yield (
            f"sysctl.{name}",
            Fact(f"sysctl.{name}", value if count is None else count, wording=evidence.settings_source or None),
        )


def _in_order(evidence: Evidence) -> tuple[Snapshot, Snapshot] | None:
    """The first and the last reading, in the order given; None where they cannot be a before and an after.

    What counts events never falls while the machine is up. Where one fell the files were swapped, the machine started
    anew in between, or it is another one: the counters look the same for all three, and nothing in the files tells the
    time.
    """
    if len(evidence.vmstat) < 2:
        return None
    first, last = evidence.vmstat[0], evidence.vmstat[-1]
    fell = any(
        name.startswith(_EVENTS) and last.counters.get(name, count) < count for name, count in first.counters.items()
    )
    return None if fell else (first, last)


def _total(counters: Mapping[str, int], name: str) -> int | None:
    """A counter, or the sum of its per-zone and per-type parts."""
    if name in counters:
        return counters[name]
    parts = [value for key, value in counters.items() if key.startswith(name + "_") and not key.endswith("_throttle")]
    return sum(parts) if parts else None


def _change(before: Mapping[str, int], after: Mapping[str, int], name: str) -> int | None:
    first, last = _total(before, name), _total(after, name)
    return None if first is None or last is None else last - first


def _places(evidence: Evidence, events: list[Event]) -> str:
    lines = ", ".join(str(event.line) for event in events[:4])
    return f"{evidence.trace_source}:{lines}" if lines else ""


def _reasons(facts: Facts, report: Report, evidence: Evidence, values: Mapping[str, Fact]) -> Iterator[Reason]:
    if report.kind in ("page_allocation_failure", "allocation_stall"):
        order = facts.get("order")
        if order is None or order.value != 0:  # a single page needs no compaction: what ran was for others
            yield from _compaction(facts, values)
        yield from _kswapd(values)
        yield from _reclaim(values)
    yield from memory_reasons(facts, report, evidence)
    yield from _settings(facts, values)


def _kswapd(values: Mapping[str, Fact]) -> Iterator[Reason]:
    """Whether kswapd ran between the two readings, and whether it was asked again soon after it had done."""
    ran = values.get("vmstat.pageoutrun")
    if ran is None:
        return
    quickly = values.get("vmstat.kswapd_high_wmark_hit_quickly")
    whys = [said("context.counted", counter=fact.wording) for fact in (ran, quickly) if fact is not None and fact.value]
    if ran.value > 0:
        yield Reason(said("context.kswapd_ran"), "holds", tuple(whys))
    else:
        yield Reason(said("context.kswapd_ran"), "excluded", (said("context.counted", counter=ran.wording),))


def _compaction(facts: Facts, values: Mapping[str, Fact]) -> Iterator[Reason]:
    stall = values.get("vmstat.compact_stall")
    if stall is None:
        return
    allowed = facts.get("compaction.allowed")
    reclaimed = values.get("trace.reclaimed") or values.get("vmstat.allocstall")
    ran = reclaimed is not None and reclaimed.value > 0
    forbidden, counter = allowed is not None and allowed.value is False, stall.wording
    if stall.value == 0 and ran:
        by_code = said("part.as_the_code_has_it") if forbidden else None
        why = said("context.did_not_move", counter=counter, reclaim=_reclaimed(reclaimed), by_code=by_code)
        yield Reason(said("compaction.never_started_confirmed"), "holds", (why,))
    elif stall.value == 0:
        why = said("context.no_failure_between", counter=counter)
        yield Reason(said("compaction.never_started"), "unknown", (why,))
    else:
        claim = said("compaction.could_not_start") if forbidden else said("compaction.ran")
        why = said("context.some_request_compacted", counter=counter)
        yield Reason(claim, "excluded" if forbidden else "holds", (why,))


def _reclaimed(fact: Fact | None) -> Said | str | None:
    if fact is None or fact.name != "trace.reclaimed":
        return fact.wording if fact is not None else None
    return f"nr_reclaimed={fact.value}" + (f", {fact.wording}" if fact.wording else "")


def _reclaim(values: Mapping[str, Fact]) -> Iterator[Reason]:
    reclaimed = values.get("trace.reclaimed")
    if reclaimed is not None and reclaimed.value > 0:
        why = said("context.reclaim_freed", pages=reclaimed.value, where=reclaimed.wording)
        yield Reason(said("reclaim.could_not"), "excluded", (why,))
    elif reclaimed is not None:
        why = said("context.reclaim_freed_nothing", where=reclaimed.wording)
        yield Reason(said("reclaim.could_not"), "holds", (why,))


def _settings(facts: Facts, values: Mapping[str, Fact]) -> Iterator[Reason]:
    setting, printed = values.get("sysctl.vm.min_free_kbytes"), facts.get("min_free_kbytes")
    if setting is None or printed is None or not printed.value:
        return
    same = abs(int(setting.value) - int(printed.value)) * 20 <= int(printed.value)
    set_for = said("context.set_for", min_free_kb=printed.value)
    why = set_for if same else said("context.changed_since", set_for=set_for)
    read_from = (said("context.read_from", file=setting.wording),) if setting.wording else ()
    yield Reason(said("min_free.is_now", min_free_kb=setting.value), "holds", (why, *read_from), printed.evidence)
