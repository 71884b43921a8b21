"""What a request brings, as a worker gets it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Upload:
    """An input."""

    name: str
    data: bytes = b""
    path: str | None = None
    """Of the file that holds a long one."""
    text: bool = False
    """Whether the sender says that it is text."""


@dataclass(frozen=True, slots=True)
class Body:
    """All of it."""

    logs: tuple[Upload, ...]
    context: tuple[Upload, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()

    def field(self, name: str) -> str | None:
        """A field of the form, None where it is absent or empty."""
        return dict(self.fields).get(name) or None
