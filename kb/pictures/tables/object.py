"""The object that a memory error is about, and who allocated and freed it."""

from dataclasses import dataclass

from kb.model.verdict import Diagnosis
from kb.parse.details.object import memory_object


@dataclass(frozen=True, slots=True)
class Place:
    """Where the access was: an object of ``size`` bytes, and how far from it."""

    cache: str | None
    size: int
    offset: int
    side: str
    """``inside``, ``behind`` or ``before``."""
    line: int

    @property
    def at(self) -> int:
        """Bytes from the start of the object, negative before it."""
        return {"behind": self.size + self.offset, "before": -self.offset}.get(self.side, self.offset)


def place(found: Diagnosis) -> Place | None:
    """The object of a report, None where its size or the access in it is not told."""
    told = memory_object(found.report.lines)
    if told.size is None or told.offset is None or told.side is None:
        return None
    return Place(told.cache, told.size, told.offset, told.side, told.where.get("side", 0))
