"""What a store answers with: a signature and all that hangs on it, as values."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from kb.model.verdict import Annotation


@dataclass(frozen=True, slots=True)
class SignatureRow:
    """A signature and how often it was seen."""

    signature: str
    key: str
    title: str
    kind: str
    first: str
    """UTC, ISO 8601."""
    last: str
    count: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """A raw log that bore a signature."""

    seen: str
    host: str | None
    source: str
    size: int
    """Bytes of the log; ``text`` may hold its beginning only."""
    text: bytes


@dataclass(frozen=True, slots=True)
class Seen:
    """Sightings of a signature on one host and kernel."""

    host: str | None
    kernel: str | None
    source: str
    """Of the first of them."""
    last_source: str
    first: str
    last: str
    count: int


@dataclass(frozen=True, slots=True)
class Shown:
    """All that a store has on a signature."""

    row: SignatureRow
    sightings: tuple[Seen, ...]
    evidence: tuple[Evidence, ...]
    annotations: tuple[Annotation, ...]
    aliases: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values; a log as text, undecodable bytes replaced."""
        return {
            "schema": "kb.identity.signature/1",
            **asdict(self.row),
            "aliases": list(self.aliases),
            "sightings": [asdict(seen) for seen in self.sightings],
            "evidence": [
                {**asdict(sample), "text": sample.text.decode("utf-8", "replace")} for sample in self.evidence
            ],
            "annotations": [asdict(note) for note in self.annotations],
        }

    def lines(self) -> Iterator[str]:
        """For a person: one line each for the signature, its sightings and its annotations."""
        row = self.row
        yield f"{row.signature}  {row.title}"
        yield f"  {row.kind}, seen {row.count} time{'s' * (row.count != 1)}, {row.first} to {row.last}"
        for seen in self.sightings:
            where = ", ".join(part for part in (seen.host, seen.kernel, seen.last_source) if part)
            yield f"  {seen.count:>6}  {seen.last}  {where}"
        for sample in self.evidence:
            yield f"  log     {sample.seen}  {sample.source}  {sample.size} bytes"
        for note in self.annotations:
            yield f"  note    {note.time}  {note.author}: {note.body}"
