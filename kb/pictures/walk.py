"""The watermark walk: what is left against what is needed by order, of each zone that the request may try."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kb.model.log import Span
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
class Rule:
    """The comparisons of one kernel's rule on a zone, up to the one that refuses."""

    name: str
    """``order-walk`` or ``free-block``."""
    kernels: str
    """Whose it is: ``3.16-4.3, RHEL 7``."""
    steps: tuple[Step, ...]
    admits: bool
    why: str = ""
    """What refuses it where each comparison holds: ``no block``."""
    block: int | None = None
    """Order of the block that the newer rule found."""


@dataclass(frozen=True, slots=True)
class Zone:
    """What the rules make of a zone."""

    name: str
    own: Rule
    """Of the kernel that printed the report."""
    others: tuple[Rule, ...] = ()
    """Of other kernels, for comparison."""
    tried: int = 0
    """When it is tried, from 0."""
    verdict: str = ""
    """``admits``, ``refuses`` or ``undecidable``: over all that the report leaves open."""
    evidence: tuple[Span, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """The comparisons of the kernel's own rule."""
        return self.own.steps

    @property
    def admits(self) -> bool:
        """What the kernel's own rule says."""
        return self.own.admits

    @property
    def why(self) -> str:
        """What refuses it by that rule where each comparison holds."""
        return self.own.why


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
    return walked(found.facts.detail.get("zones") or ())


def walked(printed: Iterable[Mapping[str, Any]]) -> Walk | None:
    """The walk over zones that were replayed, None where none was tried.

    Args:
        printed: ``zones`` of the report contract.
    """
    zones = []
    tried = [zone for zone in printed if zone.get("tried") is not None]
    for zone in sorted(tried, key=lambda zone: zone["tried"]):
        rules = [(replay, _rule(replay)) for replay in zone.get("replay") or ()]
        own = next((rule for replay, rule in rules if replay.get("own")), None)
        if own is None or not own.steps:
            continue
        others = tuple(rule for replay, rule in rules if not replay.get("own"))
        lines = tuple((int(first), int(last)) for first, last in zone.get("evidence") or ())
        name, verdict = f"Node {zone['node']} {zone['zone']}", zone.get("verdict") or ""
        zones.append(Zone(name, own, others, zone["tried"], verdict, lines))
    return Walk(tuple(zones[:_ZONES]), max(0, len(zones) - _ZONES)) if zones else None


def _rule(replay: Mapping[str, Any]) -> Rule:
    steps = tuple(step for row in replay["steps"] if (step := _step(row)) is not None)
    why = "" if replay["admits"] or not steps or not steps[-1].holds else str(replay["fails_at"])
    return Rule(
        replay["rule"], replay.get("rules") or "", steps, bool(replay["admits"]), why, replay.get("block_order")
    )


def _step(row: Mapping[str, Any]) -> Step | None:
    """A step of a replay that compares pages; the search for a block of the newer rule compares none."""
    place = row["name"].removeprefix("order ")
    if place != "base" and not place.isdigit():
        return None
    return Step(place, row["left"], row["needs"], row["holds"])
