"""What a draft may require: predicates that hold on a report and speak of the defect, not of the one who met it."""

from collections.abc import Iterator

from kb.cases.paste import predicates, written
from kb.model.verdict import Diagnosis, Facts
from kb.syntax.kinds import Family, family

_TELLING = (
    "cause", "subtype", "waits_for", "deadlock", "atomic_because", "page_reason", "copy_way", "ata_reason",
    "scsi_sense", "address_kind", "access",
)  # fmt: skip
"""Facts that speak of the defect, the telling ones first."""

_COLOUR = ("function", "module", "gfp_name", "workqueue")
"""What only this sighting looked like; a module is absent for code that is built in."""

_UNDECIDED = frozenset({"cause == undetermined", "cause == skew_undecidable"})
"""Causes that say only that none was found."""

_KNOWN_WELL = frozenset({"kind", "title", "kernel", "arch", "comm", "taint", "corrupted", "cause", "gfp_era"})
"""Facts that say nothing of a defect, or stand in the draft already."""

_COMMENTS, _EACH = 48, 6
"""Facts in the comments of a draft, and items of one list."""


def proposed(diagnosis: Diagnosis) -> tuple[list[str], list[str]]:
    """Predicates that hold on a report: what a draft requires, and what only this sighting looked like."""
    facts, kind = diagnosis.facts, diagnosis.report.kind
    # where a CPU or task is stuck, its program counter tells what it was busy with
    telling = ("subtype",) if kind == "notice" else (*_TELLING, "pc") if kind in family(Family.STALL) else _TELLING
    require = [text for text in _plain(facts, telling) if text not in _UNDECIDED] + list(_request(facts))
    seen_in = [text for text in _plain(facts, _COLOUR) if not _printers(text)]
    stalled = kind in family(Family.STALL) and "pc" in facts.values
    asks = kind in family(Family.ALLOCATION) or kind == "oom_kill" or stalled
    if (
        not asks and seen_in[:1] and seen_in[0].startswith("function ")
    ):  # the defect is where it is, not what it looks like
        require.append(seen_in.pop(0))
    if not require:  # a warning is its place: nothing else tells what it warns of
        require = seen_in[:1] or list(_plain(facts, ("title",))) or [f"kind == {kind}"]
        seen_in = [text for text in seen_in if text not in require]
    return require, seen_in


def _printers(text: str) -> bool:
    """Whether a predicate names a function that only prints or ends the report: dump_stack(), panic()."""
    from kb.parse.plumbing import skips

    name, _, value = text.partition(" == ")
    return name == "function" and skips(())(value, None) is not None


def _plain(facts: Facts, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        fact = facts.get(name)
        if fact is not None and isinstance(fact.value, str | int | float):
            value = written(fact.value)
            if value is not None:
                yield f"{name} == {value}"


def _request(facts: Facts) -> Iterator[str]:
    """What an allocation needs to fail so; no truisms: an atomic request never compacts, order 0 has no walk."""
    value = {name: fact.value for name, fact in facts.values.items()}
    order = value.get("order")
    if isinstance(order, int) and "cause" in value and "oom.constraint" not in value:
        yield "order >= 1" if order else "order == 0"
    if value.get("atomic") is True:
        yield "atomic == true"
    elif "__GFP_FS" in (value.get("gfp.absent") or ()):
        yield "gfp lacks __GFP_FS"
    if (value.get("zones.refused_only_by_order_walk") or 0) >= 1:
        yield "zones.refused_only_by_order_walk >= 1"


def comments(diagnosis: Diagnosis) -> list[tuple[str, int | None]]:
    """Facts worth a look while a draft is written, each with a line: at most 48, of one list at most 6, frames last."""
    taken: dict[str, int] = {}
    found: list[tuple[str, int | None]] = []
    for text, evidence in predicates(diagnosis.facts):
        name = text.partition(" ")[0]
        taken[name] = taken.get(name, 0) + 1
        if taken[name] <= _EACH and name not in _KNOWN_WELL and not name.startswith(("field.", "reason.")):
            found.append((text, evidence[0][0] if evidence else None))
    frames = [entry for entry in found if entry[0].startswith("frames ")]
    return [*(entry for entry in found if entry not in frames)][: _COMMENTS - len(frames)] + frames
