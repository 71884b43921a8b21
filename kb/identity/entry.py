"""What a run's reports are put together to: an entry of its answer."""

from dataclasses import dataclass, field

from kb.model.log import Span
from kb.model.verdict import Diagnosis


@dataclass(frozen=True, slots=True)
class Seen:
    """One report of a group: when and where it was printed."""

    number: int
    """Place among the reports of the run, 1-based."""
    source: str
    span: Span
    time: float | None
    """Seconds since boot."""
    wall: str | None
    """The transport's time of day, as it stood in the log."""
    cpu: int | None
    host: str | None
    stuck: tuple[int, ...] = ()
    """CPUs that it says are stuck."""
    lasted: float | None = None
    """Seconds for which it says so."""


@dataclass(eq=False, slots=True)
class Group:
    """Reports that are equal in all that a reader would do about them; the first one stands for all."""

    first: Diagnosis
    seen: list[Seen] = field(default_factory=list)
    """Its reports, in order; of very many the first ones and the last."""
    count: int = 0
    """How many there are."""
    under: list["Group"] = field(default_factory=list)
    """Groups whose first report follows from one of this group."""
    lead: "Group | None" = None
    """The group that stands for its incident; None where it does itself, or is none (:mod:`kb.identity.incident`)."""
    beside: list["Group"] = field(default_factory=list)
    """Of one that stands for an incident: its other groups, beyond those that follow from its reports."""
    advice: "Group | None" = None
    """Of one that stands for an incident: the group whose case says what to do first."""

    @property
    def number(self) -> int:
        """Number of the first report: the group's name in a run."""
        return self.seen[0].number

    @property
    def incident(self) -> int:
        """Number of the group that stands for its incident: its own where it does itself, or is none."""
        return (self.lead or self).number
