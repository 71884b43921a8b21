"""A stack that is known, and whose it is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack that is known: of a signature that was seen, or of a case."""

    signature: str
    title: str
    kind: str
    frames: tuple[str, ...]
    """Normalised names (:func:`kb.identity.frames.names`), innermost first."""
    case: str | None = None
    """Id of the case it comes from, None for what was seen."""
    function: str | None = None
    """Guilty function; the first frame where None."""
