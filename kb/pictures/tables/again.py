"""The request of a report asked once more: what of it may be changed, and the walk that comes of it."""

from dataclasses import dataclass

from kb.facts.instead import MASKS, Asking, Changed, asking, instead, kernels_with
from kb.model.verdict import Diagnosis
from kb.pictures.walk import Walk, walked

__all__ = ["Again", "Answered", "Changed", "again"]

_SHARES = (0, 16, 8, 4, 2)
"""Parts of the min_free_kbytes at hand that are tried, none first."""
_TIMES = (1, 2, 4, 8, 16)


@dataclass(frozen=True, slots=True)
class Answered:
    """What the walk over the printed state says then."""

    admitted: bool | None
    """None where the state leaves it open."""
    by: str | None
    """The zone that admits it."""
    rule: str
    walk: Walk | None


@dataclass(frozen=True, slots=True)
class Again:
    """A request that can be asked again."""

    asked: Asking
    orders: tuple[int, ...]
    masks: tuple[str, ...]
    """The report's own first."""
    min_free_kb: tuple[int, ...]
    kernels: tuple[str, ...]
    """Names of rule sets, oldest first."""
    own: tuple[int, int, int, int]
    """Where in each of the four the report itself stands."""

    @property
    def rules(self) -> str:
        """The report's own: several where it does not tell its kernel."""
        return " or ".join(rules.name for rules in self.asked.rules)

    def answer(self, changed: Changed) -> Answered:
        """Ask."""
        told = instead(self.asked, changed)
        return Answered(told["admitted"], told["admitted_by"], told["rule"], walked(told["zones"]))


def again(found: Diagnosis) -> Again | None:
    """What of a request can be changed, None where the report does not tell request and state."""
    asked = asking(found.report)
    if asked is None:
        return None
    longest = max((len(zone.blocks.counts) for zone in asked.memory.zones if zone.blocks), default=11)
    orders = tuple(range(max(longest, asked.request.order + 1)))
    masks = (asked.mask, *(mask for mask in MASKS if mask != asked.mask))
    now = asked.min_free_kb
    marks = tuple(sorted({now // part if part else 0 for part in _SHARES} | {now * times for times in _TIMES}))
    kernels = kernels_with(asked)
    own = (orders.index(asked.request.order), 0, marks.index(now), kernels.index(asked.rules[-1].name))
    return Again(asked, orders, masks, marks, kernels, own)
