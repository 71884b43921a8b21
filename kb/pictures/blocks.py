"""Free blocks by order, of each zone that the report prints."""

from dataclasses import dataclass

from kb.model.verdict import Diagnosis
from kb.pictures.draw import LEFT, LINE, ROWS, WIDTH, Box, Drawing, Label, Row, Shape, Stroke, block, log_share
from kb.words.speak import Words

_ZONES = 16
_ORDERS = 20
_HIGH = 30


@dataclass(frozen=True, slots=True)
class Zone:
    """Free blocks of a zone; the index is the order."""

    name: str
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Blocks:
    """The free lists as they were printed."""

    zones: tuple[Zone, ...]
    asked: int | None
    """The order of the request, None where the report has none."""
    more: int = 0
    """Zones that are not shown."""

    @property
    def _most(self) -> int:
        return max(max(zone.counts) for zone in self.zones)

    def head(self, words: Words) -> str:
        """What it shows."""
        text = words("picture.blocks") if self.asked is None else words("picture.blocks_asked", order=self.asked)
        return text + (words("picture.more_zones", count=self.more) if self.more else "")

    def drawn(self, words: Words) -> Drawing:
        """A panel a zone, a bar an order with the number of blocks above it."""
        most = self._most
        wide = (WIDTH - LEFT - 10) / max(len(zone.counts) for zone in self.zones)
        shapes: list[Shape] = []
        y = 0
        for zone in self.zones:
            floor = y + _HIGH + 16
            shapes.append(Label(LEFT - 10, floor - 4, zone.name, "", "end"))
            shapes.append(Stroke(LEFT, floor, WIDTH - 10, floor, "dim"))
            for order, count in enumerate(zone.counts):
                x, high = LEFT + order * wide, log_share(count, most) * _HIGH
                fits = self.asked is None or order >= self.asked
                tip = words("picture.block", order=order, count=count)
                if count:
                    shapes.append(Box(x + wide / 2 - 9, floor - high, 18, high, "have" if fits else "dim", tip))
                shapes.append(Label(x + wide / 2, floor - high - 3, str(count), "small" if count else "bad", "middle"))
                shapes.append(Label(x + wide / 2, floor + 13, str(order), "dim", "middle"))
            y = int(floor + LINE)
        return Drawing(WIDTH, y, tuple(shapes))

    def rows(self, words: Words) -> list[Row]:
        """A line a zone, a character an order; a dot where no block is free."""
        most = self._most
        return [
            (zone.name, *(block(log_share(count, most)).replace(" ", "·") for count in zone.counts))
            for zone in self.zones[:ROWS]
        ]


def blocks(found: Diagnosis) -> Blocks | None:
    """The free lists of a report, None where it prints none that is not empty."""
    detail = found.facts.detail
    zones = [
        Zone(f"Node {zone['node']} {zone['zone']}", tuple(zone["buddy"][:_ORDERS]))
        for zone in detail.get("zones") or ()
        if zone.get("buddy")
    ]
    if not any(any(zone.counts) for zone in zones):
        return None
    asked = detail.get("order")
    return Blocks(tuple(zones[:_ZONES]), asked if isinstance(asked, int) else None, max(0, len(zones) - _ZONES))
