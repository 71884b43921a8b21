"""What is typed into the filter: words, and fields such as ``host:db17``; what is mistyped is said."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches

FIELDS: dict[str, str] = {
    "kind": "kind of report: kind:oops",
    "host": "host it was seen on: host:db17",
    "case": "case that explains it: case:nofs",
    "kernel": "kernel release: kernel:6.1",
    "since": "seen since: since:2d, since:6h, since:2026-01-31",
}
_SPAN = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SINCE = "since: takes 30m, 6h, 2d, 3w, a day (2026-01-31) or a time (2026-01-31T14:05)"


@dataclass(frozen=True, slots=True)
class Query:
    """A filter, read."""

    words: tuple[str, ...] = ()
    """Lower case; each must stand somewhere in the row."""
    fields: tuple[tuple[str, str], ...] = ()
    """Field and value, lower case."""
    since: str = ""
    """UTC, ISO 8601, or empty."""
    ago: float | None = None
    """The same as seconds before now; a log without dates is measured from its last line."""
    wrong: str = ""
    """What was mistyped, and what it should be."""

    @property
    def stored(self) -> str:
        """The same for the store's search, which knows no spans of time."""
        parts = [*self.words, *(f"{name}:{value}" for name, value in self.fields)]
        return " ".join([*parts, f"since:{self.since}"] if self.since else parts)


def read(text: str, known: Mapping[str, Collection[str]], now: datetime | None = None) -> Query:
    """Read a filter.

    Args:
        text: As typed.
        known: Values that a field can have, where they are known (``kind``, ``host``, ``case``).
        now: What spans are counted from.
    """
    words, fields, wrong, since, ago = [], [], "", "", None
    now = now or datetime.now(UTC)
    for word in text.lower().split():
        name, colon, value = word.partition(":")
        if not colon or name not in FIELDS:
            near = get_close_matches(name, FIELDS, 1, 0.6) if colon else []
            if near:
                wrong = wrong or f"{name}: is no field; {near[0]}: is (read as a word)"
            words.append(word)
        elif not value:
            continue  # still being typed
        elif name == "since":
            start = _start(value, now)
            if start is None:
                wrong = wrong or _SINCE
            else:
                since, ago = start.strftime("%Y-%m-%dT%H:%M:%S"), (now - start).total_seconds()
        else:
            fields.append((name, value))
            wrong = wrong or _unknown(name, value, known.get(name, ()))
    return Query(tuple(words), tuple(fields), since, ago, wrong)


def _unknown(name: str, value: str, known: Collection[str]) -> str:
    if not known or any(value in each.lower() for each in known):
        return ""
    near = get_close_matches(value, list(known), 1, 0.5)
    return f"no {name} here holds {value!r}" + (f"; did you mean {name}:{near[0]}?" if near else "")


def _start(value: str, now: datetime) -> datetime | None:
    span = _SPAN.fullmatch(value)
    try:
        if span:
            return now - timedelta(**{_UNITS[span[2]]: int(span[1])})
        found = datetime.fromisoformat(value.upper())
    except (ValueError, OverflowError):
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def candidates(text: str, known: Callable[[str], Collection[str]]) -> list[str]:
    """What the last word of a filter may become: fields, or values of its field."""
    if not text or text[-1].isspace():
        return []
    word = text.split()[-1].lower()
    name, colon, value = word.partition(":")
    if not colon:
        return [f"{field}:" for field in FIELDS if field.startswith(name)]
    if name == "since":
        return [f"since:{each}" for each in ("1h", "1d", "7d", "30d") if each.startswith(value) and each != value]
    if name not in FIELDS:
        return []
    values = sorted(known(name))
    first = [each for each in values if each.lower().startswith(value)]
    rest = [each for each in values if value in each.lower() and each not in first] if value else []
    return [f"{name}:{each}" for each in first + rest if each.lower() != value and " " not in each]


def completed(text: str, candidate: str) -> str:
    """The filter with its last word made whole."""
    word = text.split()[-1] if text.split() else ""
    return text[: len(text) - len(word)] + candidate
