"""An allocation that was refused: what was left against what was needed, by zone and order, and what if.

Bars of all zones stand on one logarithmic scale, so that of two bars the longer one is more pages. The mark in a bar is
what is needed: where the bar ends before it the walk refuses.
"""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from kb.model.verdict import Diagnosis
from kb.pictures.draw import log_share
from kb.pictures.tables.again import Again, Answered, Changed, again
from kb.pictures.walk import Rule, Step, Walk, Zone, walk
from kb.tui.panes.rows import Entry, Row, clip, ordinal, paragraph, text_of
from kb.tui.views.blocks import heat, human
from kb.tui.views.view import Scene, View, around, decoded, head, prose, section, stacks

BESIDE = 76
"""Columns from which the rules stand side by side."""
_LEAD = 9
"""Cells before a bar."""
_TELLS = 22
"""Cells behind it."""
_MARK = "┃"


class AllocationView(View):
    """Zones, sliders, free blocks."""

    TITLE = "Allocation"

    def __init__(self, scene: Scene):
        super().__init__(scene)
        self.sliders = Sliders.of(self.found)

    def rows(self, width: int) -> Iterator[Entry]:
        """Sliders and walk."""
        yield from memory(self.found, self.sliders, width)

    def rest(self, width: int) -> Iterator[Entry]:
        """Free blocks, the request, what else is told."""
        detail = self.found.facts.detail
        yield from free_blocks(self.found, width)
        yield from request(detail, width)
        told = [each["text"] for each in detail.get("counterfactuals") or () if each.get("text")]
        yield from section(
            "On other kernels and settings", (row for text in told for row in prose(text, width, "", [(" · ", "dim")]))
        )
        yield from stacks(self.report)
        yield from decoded(self.found, width)
        yield from around(self.scene, width)

    @property
    def keys(self) -> tuple[str, ...]:
        """Sliders'."""
        return Sliders.KEYS if self.sliders is not None else ()

    def press(self, key: str, entry: Entry | None) -> bool:
        """Move a slider, or put all back."""
        return self.sliders is not None and self.sliders.press(key, entry)


def memory(found: Diagnosis, sliders: "Sliders | None", width: int) -> Iterator[Entry]:
    """What a report with zones shows of them that keys change: sliders and the walk."""
    zones = found.facts.detail.get("zones") or []
    told = walk(found)
    if sliders is not None:
        yield from sliders.rows(width)
        told = sliders.walk or told
    if told is not None:
        yield from walk_rows(told, width)
    elif zones:
        yield head("The watermark test")
        yield from prose("what was asked for is not known: no zone can be replayed", width, "dim")


def free_blocks(found: Diagnosis, width: int) -> Iterator[Entry]:
    """The free lists of the zones that print them."""
    zones = found.facts.detail.get("zones") or []
    if zones:
        yield head("Free blocks by order")
        yield from heat(zones, found.facts.detail.get("order"), width)


def request(detail: Any, width: int) -> Iterator[Entry]:
    """What was asked for."""
    order = detail.get("order")
    parts = []
    if isinstance(order, int) and order >= 0:
        pages = f"{1 << order} pages side by side, " if order else ""
        parts.append(f"order {order} = {pages}{human(1 << order, detail.get('page_kb') or 4)}")
    if detail.get("gfp_mask"):
        parts.append(f"mask {detail['gfp_mask']} {detail.get('gfp_name') or ''}".rstrip())
    parts += [f"{name} {detail[key]}" for name, key in (("highest zone", "zone"), ("rules", "rule")) if detail.get(key)]
    compaction = detail.get("compaction") or {}
    if compaction.get("because"):
        allowed = compaction.get("allowed")
        may = "unknown" if allowed is None else "may run" if allowed else "may not run"
        parts.append(f"direct compaction {may}: {compaction['because']}")
    if parts:
        yield head("Asked for")
        for row in paragraph("; ".join(parts), width, "", [(" ", "")]):
            yield Entry(row, plain=True)


# ---- the walk


def walk_rows(told: Walk, width: int) -> Iterator[Entry]:
    """A block a zone in the order in which they are tried, the rules side by side where there is room."""
    most = max(
        max(step.left, step.needs) for zone in told.zones for rule in (zone.own, *zone.others) for step in rule.steps
    )
    yield head("Left against needed, pages (one log scale)")
    legend: Row = [(" ███ ", "good"), ("left  ", "dim"), ("███ ", "bad"), ("left, and too little  ", "dim"),
                   (f"{_MARK} ", "key"), ("needed; base: before the walk; then by order", "dim")]  # fmt: skip
    yield Entry(_cut(legend, width), plain=True)
    for zone in told.zones:
        yield from _zone(zone, most, width)
    if told.more:
        yield Entry([(f" {told.more} more zones", "dim")], plain=True)


def _cut(row: Row, width: int) -> Row:
    out: Row = []
    for text, role in row:
        room = width - len(text_of(out))
        out.append((text[: max(0, room)], role))
    return out


def _zone(zone: Zone, most: int, width: int) -> Iterator[Entry]:
    mark, role = {"admits": ("✓", "good"), "undecidable": ("?", "warn")}.get(zone.verdict, ("✗", "bad"))
    said = _verdict(zone.own) if zone.verdict != "undecidable" else "within the skew of the printed numbers"
    more = "\n".join([zone.name, *(_in_words(rule, rule is zone.own) for rule in (zone.own, *zone.others))])
    title: Row = [(f" {mark} ", role), (f"{zone.name} ", "key"), (f"(tried {ordinal(zone.tried)})  ", "dim")]
    title.append((clip(said, max(0, width - len(text_of(title)))).rstrip(), role))
    yield Entry(title, zone.evidence, more=more)
    rules = (zone.own, *zone.others)
    beside = width >= BESIDE and len(rules) > 1
    room = (width - 1) // len(rules) if beside else width
    columns = [_column(rule, rule is zone.own, most, room - 1) for rule in rules]
    if not beside:
        columns = [[row for column in columns for row in column]]
    for parts in zip_longest(*columns, fillvalue=[]):
        row: Row = []
        for part in parts:
            row += [*part, (" " * max(0, room - len(text_of(part))), "")]
        yield Entry(row[:-1], zone.evidence, more=more)


def _column(rule: Rule, own: bool, most: int, width: int) -> list[Row]:
    """One rule on one zone: its name, a bar a step, what else it asks."""
    whose = "this kernel" if own else "compare"
    name = f"   {rule.name}, {whose}: {rule.kernels}"
    rows: list[Row] = [[(clip(name, width), "dim")]]
    rows += [_step(step, most, width) for step in rule.steps]
    if rule.block is not None:
        rows.append([(clip(f" ✓ block  of order {rule.block} is free", width), "good")])
    elif rule.why:
        rows.append([(clip(f" ✗ block  {rule.why}", width), "bad")])
    return rows


def _step(step: Step, most: int, width: int) -> Row:
    room = max(4, width - _LEAD - _TELLS)
    filled = round(log_share(step.left, most) * room)
    at = min(room - 1, round(log_share(step.needs, most) * room))
    if step.holds:  # the mark stands inside what is left, if only by a cell
        filled, at = max(filled, at + 1), min(at, max(0, filled - 1))
    else:
        filled = min(filled, at)
    role = "good" if step.holds else "bad"
    bar: Row = [("█" * min(filled, at), role), ("·" * (at - filled), "dim"), (_MARK, "key")]
    bar += [("█" * (filled - at - 1), role), ("·" * (room - max(filled, at + 1)), "dim")]
    sign, than = ("✓", ">") if step.holds else ("✗", "≤")
    tells = clip(f" {step.left} {than} {step.needs}" + ("" if step.holds else " ◀"), _TELLS)
    return [
        (f" {sign} {step.place:<5} ", role if not step.holds else ""),
        *bar,
        (tells, role if not step.holds else ""),
    ]


def _verdict(rule: Rule) -> str:
    if rule.admits:
        return "admits" + (f", a block of order {rule.block}" if rule.block is not None else "")
    if rule.why:
        return f"refuses: {rule.why}"
    last = rule.steps[-1]
    place = f"order {last.place}" if last.place.isdigit() else last.place
    return f"refuses at {place}: {last.left} ≤ {last.needs}"


def _in_words(rule: Rule, own: bool) -> str:
    whose = "this kernel's rule" if own else "for comparison"
    return f"{rule.name} ({rule.kernels}, {whose}): {_verdict(rule)}"


# ---- what if


class Sliders:
    """Order, mask, min_free_kbytes and kernel, each to be changed by a key."""

    NAMES = ("order", "mask", "min_free_kbytes", "kernel")
    KEYS = ("left", "right", "reset")

    def __init__(self, request: Again):
        self.request = request
        self.at = list(request.own)
        self._answer: tuple[tuple[int, ...], Answered] | None = None

    @classmethod
    def of(cls, found: Diagnosis) -> "Sliders | None":
        """None where the report does not tell what was asked of which state."""
        request = again(found)
        return cls(request) if request is not None else None

    @property
    def _choices(self) -> tuple[tuple[object, ...], ...]:
        request = self.request
        return request.orders, request.masks, request.min_free_kb, request.kernels

    @property
    def changed(self) -> bool:
        """Whether anything is not as in the report."""
        return tuple(self.at) != self.request.own

    @property
    def answer(self) -> Answered:
        """What the walk says with the sliders where they are."""
        place = tuple(self.at)
        if self._answer is None or self._answer[0] != place:
            request, own = self.request, self.request.own
            self._answer = (
                place,
                request.answer(
                    Changed(
                        request.orders[place[0]] if place[0] != own[0] else None,
                        request.masks[place[1]] if place[1] != own[1] else None,
                        request.min_free_kb[place[2]] if place[2] != own[2] else None,
                        request.kernels[place[3]] if place[3] != own[3] else None,
                    )
                ),
            )
        return self._answer[1]

    @property
    def walk(self) -> Walk | None:
        """The walk to show instead of the report's own."""
        return self.answer.walk if self.changed else None

    def press(self, key: str, entry: Entry | None) -> bool:
        """Take a key; False where it means nothing here."""
        if key == "reset" and self.changed:
            self.at = list(self.request.own)
            return True
        if key not in ("left", "right") or entry is None or entry.name not in self.NAMES:
            return False
        which = self.NAMES.index(entry.name)
        last = len(self._choices[which]) - 1
        self.at[which] = max(0, min(last, self.at[which] + (1 if key == "right" else -1)))
        return True

    def rows(self, width: int) -> Iterator[Entry]:
        """A row a slider, and what comes of them."""
        yield head("What if (← → change, r resets)" if not self.changed else "What if (r: as in the report)")
        for which, name in enumerate(self.NAMES):
            yield self._slider(which, name, width)
        answer = self.answer
        mark, role, said = {
            True: ("✓", "good", f"admitted by {answer.by}"),
            False: ("✗", "bad", "refused by every zone"),
            None: ("?", "warn", "the printed state leaves it open"),
        }[answer.admitted]
        text = f"{said}, by the rules of {answer.rule}" + ("" if self.changed else " (as in the report)")
        for row in paragraph(text, width, role, [(f" {mark} ", role)]):
            yield Entry(row, plain=True)

    def _slider(self, which: int, name: str, width: int) -> Entry:
        choices, at, own = self._choices[which], self.at[which], self.request.own[which]
        track = "".join("●" if each == at else "○" if each == own else "·" for each in range(len(choices)))
        was = self.request.rules if name == "kernel" else str(choices[own])
        value = was if at == own else str(choices[at])
        role = "key" if at == own else "warn"
        row: Row = [(f" {name:<16}", "key"), ("◀ ", "dim"), (track, role), (" ▶ ", "dim"), (value, role)]
        if at != own:
            row.append((f"  (report: {was})", "dim"))
        more = f"{name}: {value}; the report's own is {was}. ← → change it, r puts all back."
        return Entry(_cut(row, width), more=more, name=name)
