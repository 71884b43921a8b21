"""The watermark walk: what is left against what is needed by order, of each zone that the request may try."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kb.model.verdict import Diagnosis
from kb.pictures.draw import LEFT, LINE, ROWS, WIDTH, Box, Drawing, Label, Row, Shape, Stroke, block, log_share
from kb.words.speak import Words

_ZONES = 16
_HIGH = 46


@dataclass(frozen=True, slots=True)
class Step:
    """One comparison, in pages; it holds when ``left`` is larger than ``needs``."""

    place: str
    """``base``, before the walk, or the order."""
    left: int
    needs: int
    holds: bool


@dataclass(frozen=True, slots=True)
class Zone:
    """The comparisons of a zone, up to the one that refuses."""

    name: str
    steps: tuple[Step, ...]
    admits: bool
    why: str = ""
    """What refuses it where each comparison holds: ``no block``."""


@dataclass(frozen=True, slots=True)
class Walk:
    """The rule of the kernel that printed the report, on the zones in the order in which they are tried."""

    zones: tuple[Zone, ...]
    more: int = 0
    """Zones that are not shown."""

    @property
    def _most(self) -> int:
        return max(max(step.left, step.needs) for zone in self.zones for step in zone.steps)

    def head(self, words: Words) -> str:
        """What it shows."""
        return words("picture.walk") + (words("picture.more_zones", count=self.more) if self.more else "")

    def drawn(self, words: Words) -> Drawing:
        """A panel a zone, two bars an order."""
        most = self._most
        wide = (WIDTH - LEFT - 10) / max(7, *(len(zone.steps) for zone in self.zones))
        shapes: list[Shape] = [
            Box(LEFT, 4, 10, 10, "have"), Label(LEFT + 15, 14, words("picture.left")),
            Box(LEFT + 150, 4, 10, 10, "need"), Label(LEFT + 165, 14, words("picture.needed")),
            Box(LEFT + 300, 4, 10, 10, "bad"), Label(LEFT + 315, 14, words("picture.refused")),
        ]  # fmt: skip
        y = LINE + 6
        for zone in self.zones:
            floor = y + _HIGH + 14
            shapes.append(Label(LEFT - 10, floor - 4, zone.name, "" if zone.admits else "bad", "end"))
            shapes.append(Stroke(LEFT, floor, WIDTH - 10, floor, "dim"))
            for index, step in enumerate(zone.steps):
                shapes += _pair(step, LEFT + index * wide, wide, floor, most, words)
            if zone.why:
                shapes.append(Label(LEFT + len(zone.steps) * wide, floor - 4, words.word(zone.why), "bad"))
            y = int(floor + LINE)
        return Drawing(WIDTH, y + 4, tuple(shapes))

    def rows(self, words: Words) -> list[Row]:
        """A line a zone: by order the bars of what is left and of what is needed."""
        most = self._most
        return [
            (
                zone.name,
                _refusal(zone, words),
                *(
                    f"{step.place} {block(log_share(step.left, most))}{block(log_share(step.needs, most))}"
                    for step in zone.steps
                ),
            )
            for zone in self.zones[:ROWS]
        ]


def _refusal(zone: Zone, words: Words) -> str:
    if zone.why:
        return f"✗ {words.word(zone.why)}"
    return "; ".join(f"✗ {step.place}: {step.left} <= {step.needs}" for step in zone.steps if not step.holds)


def _pair(step: Step, x: float, wide: float, floor: float, most: int, words: Words) -> list[Shape]:
    """The two bars of an order."""
    thick = min(16.0, wide / 2 - 6)
    tip = words("picture.step", place=step.place, left_pages=step.left, needs_pages=step.needs)
    left, needs = (max(1.0, log_share(value, most) * _HIGH) for value in (step.left, step.needs))
    shapes: list[Shape] = [
        Box(x + 4, floor - left, thick, left, "have" if step.holds else "bad", tip),
        Box(x + 6 + thick, floor - needs, thick, needs, "need", tip),
        Label(x + 5 + thick, floor + 13, step.place, "dim", "middle"),
    ]
    if not step.holds:
        text = f"{step.left} ≤ {step.needs}"
        shapes.append(Label(x + 10 + 2 * thick, floor - 4, text, "bad"))
    return shapes


def walk(found: Diagnosis) -> Walk | None:
    """The walk of an allocation that was refused, None where the report does not print what it takes."""
    zones = []
    tried = [zone for zone in found.facts.detail.get("zones") or () if zone.get("tried") is not None]
    for zone in sorted(tried, key=lambda zone: zone["tried"]):
        own = next((replay for replay in zone.get("replay") or () if replay.get("own")), None)
        if own is None:
            continue
        steps = tuple(step for row in own["steps"] if (step := _step(row)) is not None)
        if steps:
            why = "" if own["admits"] or not steps[-1].holds else str(own["fails_at"])
            zones.append(Zone(f"Node {zone['node']} {zone['zone']}", steps, bool(own["admits"]), why))
    return Walk(tuple(zones[:_ZONES]), max(0, len(zones) - _ZONES)) if zones else None


def _step(row: Mapping[str, Any]) -> Step | None:
    """A step of a replay that compares pages; the search for a block of the newer rule compares none."""
    place = row["name"].removeprefix("order ")
    if place != "base" and not place.isdigit():
        return None
    return Step(place, row["left"], row["needs"], row["holds"])
