"""An allocation request and its replay against a zone. All sizes in pages unless the name says otherwise."""

from dataclasses import dataclass, field

from kb.model.said import Said


@dataclass(frozen=True, slots=True)
class Request:
    """What the page allocator was asked for."""

    order: int
    """2^order contiguous pages."""
    flags: frozenset[str] = frozenset()
    """Raw GFP flag names (``__GFP_IO``)."""
    zone: str = "Normal"
    """Highest zone the mask allows (``gfp_zone()``)."""
    migratetype: str = "unmovable"
    """``unmovable``, ``movable`` or ``reclaimable``."""
    realtime: bool = False
    """The task has a realtime policy (and is not in interrupt)."""
    memalloc: bool = False
    """The task has PF_MEMALLOC: no watermark at all."""
    oom_victim: bool = False
    """The OOM killer chose the task."""
    node: int | None = None
    """Preferred node, None where not known."""
    nodes: frozenset[int] | None = None
    """Allowed nodes, None for all."""


@dataclass(frozen=True, slots=True)
class Step:
    """One comparison of the watermark test, kept so that a reader can check it."""

    name: str
    """``base``, ``boost`` (the base once more without the watermark boost), ``order 3`` or ``block``."""
    left: int
    """What is left of the free pages at this step."""
    needs: int
    """The step holds when ``left`` is larger than this."""
    holds: bool
    sum: Said
    """The arithmetic, in pages and kB."""

    @property
    def formula(self) -> str:
        """The arithmetic in English."""
        return str(self.sum)


@dataclass(frozen=True, slots=True)
class Replay:
    """The watermark test of one rule set on one zone, every step kept."""

    rule: str
    """``order-walk``, ``order-walk-el6`` or ``free-block``."""
    admits: bool
    free: int
    """Free pages it started from."""
    mark: str
    """``min``, ``low``, ``high`` or ``none``."""
    fails_at: int | str | None = None
    """Order of the walk, ``base`` or ``no block``; None when it admits."""
    left: int | None = None
    needs: int | None = None
    block_order: int | None = None
    """Order of the first usable block, for the free-block rule."""
    steps: tuple[Step, ...] = ()
    assumptions: tuple[Said, ...] = field(default=())
    """What had to be assumed because it is not printed."""

    @property
    def base(self) -> Step | None:
        """The test of the free pages against the mark that decided; None where no watermark was asked."""
        found = [step for step in self.steps if step.name in ("base", "boost")]
        return found[-1] if found else None
