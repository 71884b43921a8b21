"""Two stacks side by side: the alignment that matches most weight.

In the spirit of TraceSim (Vasiliev et al., ESEC/FSE 2020) and ReBucket (Dang et al., ICSE 2012): a frame weighs what
its rarity says, less the further it lies from the top, and matching frames keep their order. Unlike TraceSim's edit
distance nothing is learned, and a stack whose outer end is cut off is not held against it in full.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_DECAY = 0.35
"""Exponent of the weight's fall with depth: 1 at the top, 0.45 at the tenth frame. Flatter than TraceSim's, since the
top of a kernel stack is what another build inlines."""
_RARE = 1.5
"""Exponent of rarity: one rare frame says more than several common ones."""

_ENOUGH = 1.2
"""What must match for a score to count in full, in frames of the greatest rarity at the top of a stack."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """What two stacks share, in order."""

    score: float
    """0..1: share of the weight that is matched."""
    pairs: tuple[tuple[int, int], ...]
    """Indices of the frames that stand for each other, outwards."""
    only_left: tuple[int, ...] = ()
    only_right: tuple[int, ...] = ()


def idf(documents: int, frequency: int) -> float:
    """How much a frame says: the logarithm of how rare it is among so many stacks, above 0."""
    return math.log((documents + 1.5) / (frequency + 0.5)) + 0.05


def weights(names: Sequence[str], rarity: Mapping[str, float]) -> list[float]:
    """The weight of each frame of a stack.

    Args:
        names: Frames, innermost first.
        rarity: :func:`idf` of each; frames that no stack holds are as rare as can be and must be in it too.
    """
    return [rarity[name] ** _RARE / (1 + depth) ** _DECAY for depth, name in enumerate(names)]


def align(
    left: Sequence[str], right: Sequence[str], rarity: Mapping[str, float], greatest: float | None = None
) -> Alignment:
    """The alignment of two stacks that matches most weight, each frame at most once and in order.

    Args:
        left: Frames, innermost first.
        right: The others.
        rarity: :func:`idf` of each, and of others among which they are rare.
        greatest: The greatest rarity; that of all in ``rarity`` by default.
    """
    heavy_left, heavy_right = weights(left, rarity), weights(right, rarity)
    pairs = _heaviest(left, right, heavy_left, heavy_right)
    matched_left = math.fsum(heavy_left[i] for i, _ in pairs)
    matched_right = math.fsum(heavy_right[j] for _, j in pairs)
    total_left, total_right = math.fsum(heavy_left), math.fsum(heavy_right)
    if not total_left or not total_right:
        return Alignment(0.0, ())
    alike = score(matched_left, matched_right, total_left, total_right, greatest or max(rarity.values()))
    used_left, used_right = {i for i, _ in pairs}, {j for _, j in pairs}
    return Alignment(
        alike,
        pairs,
        tuple(i for i in range(len(left)) if i not in used_left),
        tuple(j for j in range(len(right)) if j not in used_right),
    )


def most(matched_left: float, matched_right: float, total_left: float, total_right: float, greatest: float) -> float:
    """What the score of :func:`align` is at most where stacks share so much, and one is perhaps inside the other."""
    both = (matched_left + matched_right) / (total_left + total_right)
    return (0.7 * both + 0.3) * (0.4 + 0.6 * _enough(matched_left, matched_right, greatest))


def score(matched_left: float, matched_right: float, total_left: float, total_right: float, greatest: float) -> float:
    """How much two stacks agree, 0..1, by the weight that is matched and what there is of it in each."""
    both = (matched_left + matched_right) / (total_left + total_right)
    # what is wholly inside the other is the same stack, cut
    inside = max(matched_left / total_left, matched_right / total_right)
    return (0.7 * both + 0.3 * inside) * (0.4 + 0.6 * _enough(matched_left, matched_right, greatest))


def _enough(matched_left: float, matched_right: float, greatest: float) -> float:
    """Common frames alone prove little, however well they match: it takes as much as one rare frame at the top."""
    enough: float = min(1.0, max(matched_left, matched_right) / (_ENOUGH * greatest**_RARE))
    return enough


def _heaviest(
    left: Sequence[str], right: Sequence[str], heavy_left: Sequence[float], heavy_right: Sequence[float]
) -> tuple[tuple[int, int], ...]:
    """Weighted longest common subsequence, over the frames that both have."""
    shared = set(left) & set(right)
    rows = [i for i, name in enumerate(left) if name in shared]
    columns = [j for j, name in enumerate(right) if name in shared]
    if [left[i] for i in rows] == [right[j] for j in columns]:  # in the same order, as mostly: all of it matches
        return tuple(zip(rows, columns, strict=True))
    best = [[0.0] * (len(columns) + 1) for _ in range(len(rows) + 1)]
    for r in range(len(rows) - 1, -1, -1):
        i, row, below = rows[r], best[r], best[r + 1]
        name, weight = left[i], heavy_left[i]
        for c in range(len(columns) - 1, -1, -1):
            j = columns[c]
            value = below[c] if below[c] >= row[c + 1] else row[c + 1]
            if right[j] == name:
                value = max(value, below[c + 1] + weight + heavy_right[j])
            row[c] = value
    pairs, r, c = [], 0, 0
    while r < len(rows) and c < len(columns):
        i, j = rows[r], columns[c]
        if left[i] == right[j] and best[r][c] == best[r + 1][c + 1] + heavy_left[i] + heavy_right[j]:
            pairs.append((i, j))
            r, c = r + 1, c + 1
        elif best[r][c] == best[r + 1][c]:
            r += 1
        else:
            c += 1
    return tuple(pairs)
