"""Questions about memory: the zones, the mask, and the same request under other rules."""

from collections.abc import Mapping
from typing import Any, TypeGuard

from kb.chat.question import Question
from kb.chat.release import release_of
from kb.chat.reply import Answer, Claim, answer, head
from kb.chat.state import Entry, State
from kb.facts.allocation.whatif import whatif as replay_request
from kb.kernel.gfp import Decoded, decode
from kb.kernel.release import Release
from kb.model.log import Span
from kb.model.memory import size

_HEADER = "include/linux/gfp.h"
_ORDERS = 64
"""No kernel has that many orders: a larger number is damage."""


def _possible(order: object) -> TypeGuard[int]:
    """Whether a number can be an order at all."""
    return isinstance(order, int) and 0 <= order <= _ORDERS


def _lines(zone: Mapping[str, Any]) -> tuple[Span, ...]:
    return tuple((first, last) for first, last in zone.get("evidence") or ())


def zones(state: State, question: Question) -> Answer:
    """Every zone, or the one that the line names: what it has, what it must keep, where each rule refuses it."""
    p, entry = state.p, state.current
    rows = list(entry.diagnosis.facts.detail.get("zones") or ()) if entry is not None else []
    if entry is None or not rows:
        lines = (entry.report.span,) if entry is not None else ()
        return answer([Claim(p("zones.none"), lines)], "unknown")
    name, node = question.first("zone", "zone"), question.first("node", "node", "node2", "node3")
    chosen = [row for row in rows if (name is None or row["zone"].lower() == name.lower())
              and (node is None or row["node"] == int(node))]  # fmt: skip
    source = state.source(entry)
    if not chosen:
        wanted = " ".join(part for part in (f"node {node}" if node else "", name or "") if part)
        labels = ", ".join(f"Node {row['node']} {row['zone']}" for row in rows)
        return answer([Claim(p("zones.no_such", label=wanted, labels=labels), (entry.report.span,), (), source)])
    claims = []
    admits = entry.diagnosis.facts.get("zones.admits")
    if admits is not None and len(chosen) == len(rows):
        claims.append(Claim(p("zones.tried", count=len(rows), admits=admits.value), admits.evidence, (), source))
    for row in chosen:
        claims += _zone(state, entry, row)
    return answer(claims)


def _zone(state: State, entry: Entry, row: Mapping[str, Any]) -> list[Claim]:
    p, source, lines = state.p, state.source(entry), _lines(row) or (entry.report.span,)
    reserve = p("zones.reserve", reserve=row["reserve"]) if row.get("reserve") else ""
    label = f"Node {row['node']} {row['zone']}"
    values = {name: "?" if row.get(name) is None else row[name] for name in ("free", "min", "low")}
    claims = [Claim(p("zones.one", label=label, reserve=reserve, **values), lines, (), source)]
    if row.get("buddy"):
        blocks = " ".join(map(str, row["buddy"]))
        claims.append(Claim(p("zones.blocks", blocks=blocks), lines[-1:], (), source, 1))
    for replay in row.get("replay") or ():
        claims.append(Claim(_verdict(state, replay), lines, (), source, 1))
    return claims


def request(state: State, question: Question) -> Answer:
    """What was asked for: order, size, mask."""
    p, entry = state.p, state.current
    facts = entry.diagnosis.facts if entry is not None else None
    order = facts.get("order") if facts is not None else None
    if entry is None or facts is None or order is None or not _possible(order.value):
        lines = (entry.report.span,) if entry is not None else ()
        return answer([Claim(p("request.none"), lines)], "unknown")
    page_kb = facts.detail.get("page_kb") or 4
    text = p("request.one", order=order.value, pages=1 << order.value, kb=size(1 << order.value, page_kb))
    claims = [Claim(text, order.evidence or head(entry.report), (), state.source(entry))]
    if facts.detail.get("gfp_mask"):
        claims += _own_mask(state, entry, facts.detail).claims
    return answer(claims)


def _verdict(state: State, replay: Mapping[str, Any]) -> str:
    p = state.p
    common = {"rule": replay["rule"], "own": p("zones.own") if replay.get("own") else ""}
    if replay.get("admits"):
        order = replay.get("block_order")
        return p("zones.admits", **common, block="" if order is None else p("zones.block", order=order))
    place = replay.get("fails_at")
    shown = {"base": p("zones.base"), "no block": p("zones.no_block")}.get(str(place), str(place))
    if isinstance(place, int):
        shown = p("zones.order", order=place)
    if place == "no block" or replay.get("left") is None or replay.get("needs") is None:
        return p("zones.refuses_block", **common, place=shown)
    return p("zones.refuses", **common, place=shown, left=replay["left"], needs=replay["needs"])


def mask(state: State, question: Question) -> Answer:
    """A mask taken apart, of the report or of the line, by the table of a kernel."""
    p = state.p
    text, _made = release_of(question)
    hexed, names = question.first("hex", "hex"), question.first("gfp", "names")
    if hexed is None and names is None and state.last == "mask" and text is not None:  # "and on 3.10?"
        hexed, names = state.asked.get("hex"), state.asked.get("names")
    entry = state.current
    detail = entry.diagnosis.facts.detail if entry is not None else {}
    own = detail.get("gfp_mask")
    value = int(hexed, 16) if hexed is not None else None
    same = own is not None and names is None and value in (None, int(own, 16))
    if same and text is None:
        assert entry is not None
        return _own_mask(state, entry, detail)
    if hexed is None and names is None and own is None:
        return answer([Claim(p("mask.none"))], "unknown" if state.logs else "nothing_loaded")
    release = Release.parse(text) if text else None
    if release is None and names is not None and entry is not None:  # names are asked about for this report's kernel
        release = Release.parse(entry.report.kernel or "") or _own_release(entry)
    if value is None and names is None and own is not None:
        value = int(own, 16)
    found = decode(value, names=names, release=release)
    if found is None:
        return answer([Claim(p("mask.unreadable", text=hexed or names or ""))], "unknown")
    cited = (f"{_HEADER}, {found.era}",)
    shown = f"{found.mask:#x}"
    if value is None and names is not None:
        shown = f"{names} = {shown}" if len(found.tables) == 1 else names
    return answer(_mask(state, shown, found, cited))


def _mask(state: State, shown: str, found: Decoded, cited: tuple[str, ...]) -> list[Claim]:
    p = state.p
    flags = "|".join(found.certain) or p("mask.nothing")
    claims = [Claim(p("mask.one", mask=shown, flags=flags), (), cited)]
    if found.name:
        claims.append(Claim(p("mask.name", name=found.name), (), cited, indent=1))
    if found.possible:
        claims.append(Claim(p("mask.possible", flags="|".join(found.possible)), (), cited, indent=1))
    if found.assumed is not None:
        claims.append(Claim(p("mask.assumption", assumption=p.say(found.assumed)), (), cited, indent=1))
    return claims


def _own_mask(state: State, entry: Entry, detail: Mapping[str, Any]) -> Answer:
    p, fact = state.p, entry.diagnosis.facts.get("gfp_mask")
    lines = fact.evidence if fact is not None else head(entry.report)
    source = state.source(entry)

    def claim(key: str, **values: object) -> Claim:
        return Claim(p(key, **values), lines, (), source, int(key != "mask.one"))

    flags = "|".join(detail.get("gfp_flags") or ()) or p("mask.nothing")
    claims = [claim("mask.one", mask=detail["gfp_mask"], flags=flags)]
    if detail.get("gfp_name"):
        claims.append(claim("mask.name", name=detail["gfp_name"]))
    if detail.get("slab_layer"):
        caller, added = ("|".join(detail[name]) or p("mask.nothing") for name in ("caller", "slab_layer"))
        claims.append(claim("mask.caller", caller=caller, added=added))
    if detail.get("gfp_uncertain"):
        claims.append(claim("mask.possible", flags="|".join(detail["gfp_uncertain"])))
    if detail.get("gfp_era"):
        claims.append(claim("mask.era", era=detail["gfp_era"]))
    return answer(claims)


def _flags(detail: Mapping[str, Any]) -> str | None:
    """The request of a report as a caller would write it: names mean the same in every kernel, bits do not."""
    name = detail.get("gfp_name")
    if name is None:
        return None
    flags = [str(name)]
    if "__GFP_COMP" in (detail.get("gfp_flags") or ()):
        flags.append("__GFP_COMP")
    return "|".join(flags)


def replayed(state: State, release: Release) -> Claim | None:
    """The request of the report on its own zones by the rule of a release; None where it cannot be told."""
    entry, p = state.current, state.p
    assert entry is not None
    memory, detail = entry.report.memory, entry.diagnosis.facts.detail
    flags = _flags(detail)
    order = detail.get("order")
    if memory is None or not memory.zones or flags is None or not detail.get("zones") or not _possible(order):
        return None
    found = replay_request(order, flags, memory.zones, release, page_kb=memory.page_kb)
    verdict = p({True: "verdict.admitted", False: "verdict.refused", None: "verdict.undecided"}[found["admitted"]])
    text = p("affected.replay", release=release.name, rule=found["rule"], verdict=verdict,
             because="; ".join(map(p.named, found["because_named"])))  # fmt: skip
    return Claim(text, _deciding(found, detail), (), state.source(entry))


def _deciding(found: Mapping[str, Any], detail: Mapping[str, Any]) -> tuple[Span, ...]:
    """The lines of the zone that admits, of all zones where none does."""
    rows = detail.get("zones") or ()
    where = found.get("admitted_by")
    kept = [row for row in rows if where is None or f"Node {row['node']} {row['zone']}" == where]
    return tuple(dict.fromkeys(span for row in kept for span in _lines(row)))


def whatif(state: State, question: Question) -> Answer:
    """Another request on the zones of this report."""
    p, entry = state.p, state.current
    detail = entry.diagnosis.facts.detail if entry is not None else {}
    if entry is None or entry.report.memory is None or not entry.report.memory.zones:
        return answer([Claim(p("whatif.none"))], "unknown" if state.logs else "nothing_loaded")
    again = state.asked if state.last == "whatif" and question.kind is None else {}
    order = question.first("order") or question.first("number") or again.get("order")
    names = question.first("gfp", "names") or question.first("hex", "hex") or again.get("names") or _flags(detail)
    number = int(order) if order is not None else detail.get("order")
    text, _made = release_of(question)
    asked = order is not None or question.has("gfp") or text is not None
    if names is None or not asked or not _possible(number):
        return answer([Claim(p("whatif.need"))], "nothing_loaded")
    release = Release.parse(text or entry.report.kernel or "") or _own_release(entry)
    memory = entry.report.memory
    found = replay_request(number, names, memory.zones, release, page_kb=memory.page_kb)
    verdict = p({True: "verdict.admitted", False: "verdict.refused", None: "verdict.undecided"}[found["admitted"]])
    lines = _deciding(found, detail) or tuple(span for zone in memory.zones for span in zone.spans)
    source = state.source(entry)
    line = p("whatif.answer", order=number, flags=names, rule=found["rule"], verdict=verdict,
             because="; ".join(map(p.named, found["because_named"])))  # fmt: skip
    claims = [Claim(line, lines, (), source)]
    for zone in found["zones"]:
        label = f"Node {zone['node']} {zone['zone']}"
        for attempt in zone.get("attempts", ()):
            word = p("whatif.admits" if attempt.get("admits") else "whatif.refuses")
            text = p("whatif.zone", label=label, path=attempt["path"], verdict=word, mark=attempt.get("mark"))
            claims.append(Claim(text, _lines(zone), (), source, 1))
    return answer([*claims, Claim(p("whatif.first"))])


def _own_release(entry: Entry) -> Release | None:
    """A release that stands for the kernels that the report's text fits, where it does not print its own."""
    name = str(entry.diagnosis.facts.detail.get("kernels") or "")
    if name.startswith("RHEL 7"):
        return Release.parse("3.10.0-957.el7")
    first = name.partition("-")[0].strip()
    return Release.parse(first) if first[:1].isdigit() else None
