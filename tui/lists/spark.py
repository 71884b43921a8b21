"""Sparklines: a run of counts in a line of cells."""

from collections.abc import Iterable, Sequence

_BARS = " ▁▂▃▄▅▆▇█"


def spark(counts: Sequence[int]) -> str:
    """A cell a count, the largest full; anything above nothing shows."""
    top = max(counts, default=0)
    return "".join(_BARS[-(-count * 8 // top)] if count else "·" for count in counts) if top else "·" * len(counts)


def buckets(places: Iterable[float], first: float, last: float, cells: int) -> list[int]:
    """How many places lie in each of so many equal parts of a span."""
    counts = [0] * cells
    span = (last - first) or 1.0
    for place in places:
        counts[max(0, min(cells - 1, int((place - first) / span * cells)))] += 1
    return counts
