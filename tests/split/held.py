"""Logs of reports printed at once, each of which goes wrong without the weights and words that it names.

A file of held/ has logs. One begins with ``== `` and what it holds: weights of kb/split/weights.py, and words of
kinds.toml as ``kind.prints.NAME``, ``kind.has.NAME`` and ``kind.printers.PATTERN``. In it each line has the letter of
its report before it, ``-`` where it is of none.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kb.log.reader import Reader
from kb.split.splitter import split
from kb.split.untangle import loose
from kb.syntax import roles

HERE = Path(__file__).with_name("held")


@dataclass(frozen=True)
class Held:
    """A log, and whose each of its lines is."""

    names: tuple[str, ...]
    rows: tuple[str, ...]

    def wrong(self) -> list[str]:
        """Lines that went to another report than theirs, to none, or are in doubt."""
        role = roles.classifier()
        letters, texts = [row[0] for row in self.rows], [row[2:] for row in self.rows]
        found: dict[int, str] = {}
        bad = []
        for splat in split(Reader("".join(text + "\n" for text in texts).encode(), "-"), "-"):
            letter = letters[splat.lines[splat.opener].number - 1]
            bad += [texts[doubt.line - 1] for doubt in splat.doubts]
            for line in splat.lines:
                found[line.number] = letter
                part = role(line.text) or loose(line.text)
                if letter != letters[line.number - 1] and part is not None:
                    bad.append(line.text)
        bad += [text for number, text in enumerate(texts, 1) if letters[number - 1] != "-" and number not in found]
        return bad


@cache
def logs() -> tuple[Held, ...]:
    """All of them."""
    return tuple(log for path in sorted(HERE.glob("*.txt")) for log in read(path.read_text("utf-8")))


def read(text: str) -> list[Held]:
    """The logs of a file."""
    parts = [part.rstrip("\n").split("\n") for part in f"\n{text}".split("\n== ")[1:]]
    return [Held(tuple(head.split(", ")), tuple(row for row in rows if row)) for head, *rows in parts]
