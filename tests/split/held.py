"""Logs of reports printed at once, each of which goes wrong without the weights and words that it names.

A file of held/ has logs. One begins with ``== `` and what it holds: weights of kb/split/weights.py, and words of
kinds.toml as ``kind.prints.NAME``, ``kind.has.NAME`` and ``kind.printers.PATTERN``. In it each line has the letter of
its report before it, ``-`` where it is of none.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kb.log.reader import Reader
from kb.split.untangle import loose
from kb.split.windows import split
from kb.syntax import roles

HERE = Path(__file__).with_name("held")


@dataclass(frozen=True)
class Held:
    """A log, and whose each of its lines is."""

    names: tuple[str, ...]
    rows: tuple[str, ...]

    @property
    def data(self) -> bytes:
        """The log as it is read."""
        return "".join(row[2:] + "\n" for row in self.rows).encode()

    def wrong(self) -> list[str]:
        """Lines that went to another report than theirs, to none, to a second of theirs, or are in doubt."""
        role = roles.classifier()
        letters, texts = [row[0] for row in self.rows], [row[2:] for row in self.rows]
        bad: list[str] = []
        openers: set[str] = set()
        whose = dict.fromkeys(range(1, len(texts) + 1), "-")
        parts: dict[int, str | None] = {}
        for splat in filter(None, split(Reader(self.data).windows(), "-")):
            opener = splat.lines[splat.opener]
            letter = letters[opener.number - 1]
            bad += [texts[doubt.line - 1] for doubt in splat.doubts]
            bad += [opener.text] if letter in openers else []
            openers.add(letter)
            whose |= dict.fromkeys((line.number for line in splat.lines), letter)
            parts |= {line.number: role(line.text) or loose(line.text) for line in splat.lines}
        return bad + [text for number, text in enumerate(texts, 1) if self._lost(number, whose, parts)]

    def _lost(self, number: int, whose: dict[int, str], parts: dict[int, str | None]) -> bool:
        """True for a part of a report that another has, or none; a border between two may be either's."""
        return whose[number] != self.rows[number - 1][0] and parts.get(number, "") not in (None, "BORDER", "CUT")


@cache
def logs() -> tuple[Held, ...]:
    """All of them."""
    return tuple(log for path in sorted(HERE.glob("*.txt")) for log in read(path.read_text("utf-8")))


def read(text: str) -> list[Held]:
    """The logs of a file."""
    parts = [part.rstrip("\n").split("\n") for part in f"\n{text}".split("\n== ")[1:]]
    return [Held(tuple(head.split(", ")), tuple(row for row in rows if row)) for head, *rows in parts]
