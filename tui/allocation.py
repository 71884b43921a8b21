"""The allocation picture: zones as bars, free lists as a heat map, the watermark test step by step. All in pages.

Everything is said in characters first (length, shade, letters, marks); colour only repeats it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from kb.model.log import Span
from kb.model.memory import size
from kb.tui.rows import Entry, Row, clip, paragraph, text_of

SHADES = " ░▒▓█"
"""Share of a zone's free pages that the blocks of one order hold: none, up to 5 %, 25 %, 50 %, more."""

_BESIDE = 76
"""Columns from which the rules stand side by side."""


def picture(detail: Mapping[str, Any], width: int) -> list[Entry]:
    """Entries of the allocation tab; one that says why where the report prints no zones.

    Args:
        detail: The ``facts`` object of the report contract.
        width: Cells there are.
    """
    zones = detail.get("zones") or []
    if not zones:
        text = "The report prints no zones: there is no allocator's state to draw."
        return [Entry(row) for row in paragraph(text, width, "dim")]
    out = [
        *_request(detail, width),
        _head("Free against the watermarks"),
        *_bars(zones, detail.get("page_kb") or 4, width),
    ]
    out += [_head("Free blocks by order"), *_heat(zones, detail.get("order"), width)]
    out += [_head("The watermark test, zone by zone"), *_replays(zones, width)]
    told = [each["text"] for each in detail.get("counterfactuals") or () if each.get("text")]
    if told:
        out.append(_head("On other kernels and settings"))
        out += [Entry(row) for text in told for row in paragraph(text, width, "", [(" · ", "dim")])]
    return out


def _head(text: str) -> Entry:
    return Entry([(text, "head")], plain=True)


def _evidence(zone: Mapping[str, Any]) -> tuple[Span, ...]:
    return tuple((int(first), int(last)) for first, last in zone.get("evidence") or ())


def _label(zone: Mapping[str, Any]) -> str:
    return f"Node {zone['node']} {zone['zone']}"


def human(pages: int, page_kb: int) -> str:
    """Pages as a person says them: ``128 kB``, ``3.2 GB``."""
    kilobytes = float(size(pages, page_kb))
    for unit in ("kB", "MB"):
        if abs(kilobytes) < 10_000:
            return f"{kilobytes:.0f} {unit}"
        kilobytes /= 1024
    return f"{kilobytes:.1f} GB"


def _request(detail: Mapping[str, Any], width: int) -> Iterator[Entry]:
    order = detail.get("order")
    parts = []
    if isinstance(order, int) and order >= 0:
        parts.append(f"order:{order} = {1 << order} pages side by side" if order else "order:0 = 1 page")
    if detail.get("gfp_mask"):
        parts.append(f"mask {detail['gfp_mask']} {detail.get('gfp_name') or ''}".rstrip())
    parts += [f"{name} {detail[key]}" for name, key in (("highest zone", "zone"), ("rules", "rule")) if detail.get(key)]
    compaction = detail.get("compaction") or {}
    if compaction.get("because"):
        allowed = _of_three(compaction.get("allowed"), "may run", "may not run", "unknown")
        parts.append(f"direct compaction {allowed}: {compaction['because']}")
    for row in paragraph("; ".join(parts), width):
        yield Entry(row, plain=True)


def _of_three(value: object, yes: str, no: str, unknown: str) -> str:
    return unknown if value is None else yes if value else no


def _bars(zones: Sequence[Mapping[str, Any]], page_kb: int, width: int) -> Iterator[Entry]:
    for zone in zones:
        marks = {
            letter: zone[name]
            for letter, name in (("m", "min"), ("l", "low"), ("h", "high"))
            if isinstance(zone.get(name), int)
        }
        free, reserve = zone.get("free"), zone.get("reserve") or 0
        if not isinstance(free, int):
            continue
        if reserve and "m" in marks:
            marks["R"] = marks["m"] + reserve
        top = max(free, *marks.values(), 1)
        room = max(20, width - 19)
        short = free <= marks.get("R", marks.get("m", 0))
        filled = min(room, round(free / top * room))
        bar: Row = [("█" * filled, "bad" if short else "good"), ("·" * (room - filled), "dim")]
        more = ", ".join(
            [f"free {free} ({human(free, page_kb)})"]
            + [f"{name} {marks[key]} ({human(marks[key], page_kb)})" for key, name in _NAMES if key in marks]
        )
        evidence = _evidence(zone)
        yield Entry([(f" {clip(_label(zone), 16)} ", "key"), *bar], evidence, more=more)
        yield Entry([(" " * 18, ""), (_scale(marks, top, room), "")], evidence, more=more)
        for row in paragraph(more + (": short" if short else ""), width, "dim", [(" " * 18, "")]):
            yield Entry(row, evidence, more=more)


_NAMES = (("m", "min"), ("l", "low"), ("h", "high"), ("R", "R = min + lowmem reserve"))


def _scale(marks: Mapping[str, int], top: int, room: int) -> str:
    """Letters below a bar; those that would fall together stand side by side."""
    line = [" "] * room
    at = -1
    for letter, value in sorted(marks.items(), key=lambda each: each[1]):
        at = max(at + 1, min(room - 1, round(value / top * room)))
        if at < room:
            line[at] = letter
        else:  # pushed over the edge: take the nearest free place before it
            free = next((index for index in range(room - 1, -1, -1) if line[index] == " "), None)
            if free is not None:
                line[free] = letter
    return "".join(line).rstrip()


def short_count(count: int) -> str:
    """A count in at most four characters: ``990``, ``24k``, ``242k``, ``12M``."""
    if count < 1000:
        return str(count)
    if count < 999_500:
        return f"{count / 1000:.0f}k"
    return f"{count / 1_000_000:.0f}M"


def shade(pages: int, free: int) -> str:
    """The shade of a cell: what share of the zone's free pages it holds."""
    if pages <= 0 or free <= 0:
        return SHADES[0]
    share = pages / free
    return SHADES[1 if share <= 0.05 else 2 if share <= 0.25 else 3 if share <= 0.5 else 4]


def _heat(zones: Sequence[Mapping[str, Any]], asked: object, width: int) -> Iterator[Entry]:
    orders = max((len(zone.get("buddy") or ()) for zone in zones), default=0)
    if not orders:
        yield Entry([(" the report prints no free lists", "dim")])
        return
    lead = 17
    cell = 7 if width >= lead + 7 * orders + 1 else 5 if width >= lead + 5 * orders else 4
    lead = min(lead, max(8, width - cell * orders))
    head: Row = [(clip(" order", lead), "dim")]
    for order in range(orders):
        head.append((f"[{order}]".rjust(cell) if order == asked else str(order).rjust(cell), "key"))
    yield Entry(head, plain=True)
    for zone in zones:
        yield from _heat_rows(zone, orders, asked, lead, cell)
    for row in paragraph(
        "shade: share of the zone's free pages that is in blocks of the order (░ to 5 %, ▒ 25 %, ▓ 50 %, █ more); "
        "[n]: the order asked; letters: migrate types with a block (U unmovable, M movable, E reclaimable, "
        "H highatomic, C CMA, I isolate)",
        width,
        "dim",
        [(" ", "")],
    ):
        yield Entry(row, plain=True)


def _heat_rows(zone: Mapping[str, Any], orders: int, asked: object, lead: int, cell: int) -> Iterator[Entry]:
    counts: list[int] = list(zone.get("buddy") or ())
    if not counts:
        return
    letters: list[str] = list(zone.get("letters") or ())
    free = sum(count << order for order, count in enumerate(counts))
    evidence = _evidence(zone)
    row: Row = [(clip(f" {_label(zone)}", lead), "key")]
    types: Row = [(" " * lead, "")]
    fits = 0
    for order in range(orders):
        count = counts[order] if order < len(counts) else 0
        fitting = isinstance(asked, int) and order >= asked and count > 0
        fits += count if fitting else 0
        sign = shade(count << order, free)
        text = f"{sign}{short_count(count)}"[-cell:] if count else "-"
        row.append((text.rjust(cell), "good" if fitting else "" if count else "dim"))
        types.append(((letters[order] if order < len(letters) else "")[: cell - 1].rjust(cell), "dim"))
    more = f"{_label(zone)}: {' '.join(map(str, counts))} blocks, {free} pages"
    if isinstance(asked, int):
        more += f"; {fits} of order {asked} or larger"
    yield Entry(row, evidence, more=more)
    if any(letters):
        yield Entry(types, evidence, more=more)


def _replays(zones: Sequence[Mapping[str, Any]], width: int) -> Iterator[Entry]:
    for zone in sorted(zones, key=_turn):
        replays = list(zone.get("replay") or ())
        if not replays:
            yield Entry([(f" {_label(zone)}: not tried", "dim")], _evidence(zone))
            continue
        beside = width >= _BESIDE and len(replays) > 1
        if beside:
            half = (width - 3) // len(replays)
            columns = [_column(replay, half - 2) for replay in replays]
        else:
            columns = [[part for replay in replays for part in _column(replay, width - 3)]]
            half = width
        turn = _turn(zone)
        tried = f" (tried {ordinal(turn)})" if turn < _NEVER else ""
        yield Entry([(f" {_label(zone)}{tried}", "key")], _evidence(zone), more=_verdicts(zone))
        for parts in zip_longest(*columns, fillvalue=[]):
            row: Row = []
            for part in parts:
                row += [("   ", ""), *part, (" " * max(0, half - 4 - len(text_of(part))), "")]
            yield Entry(row, _evidence(zone), more=_verdicts(zone))


_NEVER = 1 << 20


def _turn(zone: Mapping[str, Any]) -> int:
    """When a zone was tried, from 0."""
    turn = zone.get("tried")
    return turn if isinstance(turn, int) else _NEVER


def ordinal(turn: int) -> str:
    """``first`` for 0."""
    return {0: "first", 1: "second", 2: "third"}.get(turn, f"{turn + 1}th")


def _verdicts(zone: Mapping[str, Any]) -> str:
    said = []
    for replay in zone.get("replay") or ():
        own = "this kernel's rule" if replay.get("own") else "for comparison"
        said.append(f"{replay['rule']} ({replay.get('rules', '')}, {own}): {_verdict(replay)}")
        said += [f"  {step['text']}" for step in replay.get("steps") or ()]
    return "\n".join([_label(zone), *said])


def _verdict(replay: Mapping[str, Any]) -> str:
    if replay.get("admits") is None:
        return f"undecidable: {replay.get('because', 'within the skew of the numbers')}"
    if replay["admits"]:
        block = replay.get("block_order")
        return "admits" + (f", a block of order {block}" if block is not None else "")
    place = replay.get("fails_at")
    return f"refuses at {f'order {place}' if isinstance(place, int) else place}"


def _column(replay: Mapping[str, Any], width: int) -> list[Row]:
    """One rule on one zone: its name, its steps, its verdict."""
    own = "this kernel" if replay.get("own") else "for comparison"
    name = f"{replay['rule']} ({own})"
    if len(name) + len(replay.get("rules") or "") + 2 <= width:
        name += f"  {replay.get('rules') or ''}"
    rows: list[Row] = [[(clip(name, width), "dim")]]
    for step in replay.get("steps") or ():
        rows.append(_step(step, width))
    admits = replay.get("admits")
    sign, role = _of_three(admits, "✓", "✗", "?"), _of_three(admits, "good", "bad", "warn")
    rows.append([(clip(f"{sign} {_verdict(replay)}", width), role)])
    return rows


_KILOBYTES = re.compile(r" \(-?\d{1,20} kB\)")


def _step(step: Mapping[str, Any], width: int) -> Row:
    holds = bool(step.get("holds"))
    name = str(step.get("name", ""))
    if name == "block":
        said = str(step.get("text", "")).rpartition(": ")[2] or ("a block" if holds else "no block")
    else:
        said = f"{step.get('left')} {'>' if holds else '<='} {step.get('needs')}"
        text = _KILOBYTES.sub("", str(step.get("text", ""))).removesuffix(": ok").removesuffix(": fails")
        said = text if len(text) + 11 + (0 if holds else 14) <= width else said
    tail = "" if holds else next((t for t in ("  ◀ fails here", "  ◀ fails") if 11 + len(said) + len(t) <= width), " ◀")
    sign = "✓" if holds else "✗"
    return [(clip(f"{sign} {name:<8} {said}{tail}", width), "" if holds else "bad")]
