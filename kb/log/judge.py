"""Whether the line of a scanner's literal opens a report, as it is or behind a prefix that is learned by it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from kb.log.places import BACK, BACK_BYTES, INSIDE, RECORD_LINES, Places
from kb.log.scan import find
from kb.log.tape import Cursor, Tape
from kb.log.text import END

if TYPE_CHECKING:
    from kb.log.learn import Around, Doubtful, Shapes
    from kb.model.log import Line

_BESIDE = (8, 24)
"""Lines before and behind one that are asked whether they have its prefix."""
_AMONG = 16
"""Lines before one among which those of its context are, where other CPUs and tasks print between them."""
_MOMENT = 1.5
"""Seconds in which the lines behind one come that are asked whether they have its prefix, unless the input is silent
before: at 9600 baud as many come as tell it, and a report is to be told within two seconds."""
_SPARED = 64
"""Candidates that open nothing, words behind printk's stamp, in which a vendor's prefix is looked for: in a log whose
transport is known nothing is paid for those that follow."""
_ESCAPED = re.compile(rb"#012|\\n|\\012|\\x0a")
"""The end of a line that is written as a sign: what follows it is no part of the line."""


class Judge:
    """The lines of one input's candidates, one after the other.

    Args:
        tape: The input.
        places: Where its lines begin.
        opens: As :class:`kb.log.reader.Reader`'s.
        belongs: As the same's.
    """

    def __init__(
        self,
        tape: Tape,
        places: Places,
        opens: Callable[[str], int],
        belongs: Callable[[str], bool] | None = None,
    ):
        self._tape = tape
        self._places = places
        self._opens = opens
        self._belongs = belongs
        self.shapes: Shapes | None = None
        """What was learned of prefixes; None before the first line was seen that has one."""
        self._doubted: list[Doubtful] = []
        self._spared = 0
        """Candidates behind printk's stamp that were words of their own."""

    @property
    def doubtful(self) -> list[Doubtful]:
        """Lines with a headline behind a prefix that may be none."""
        return self._doubted if self.shapes is None else self._doubted + self.shapes.doubtful

    def forget(self) -> None:
        """Go on as if the input began here: nothing is known of prefixes."""
        self._doubted = self.doubtful
        self.shapes, self._spared = None, 0

    def back(self, hit: int) -> int:
        """Lines before the one of a hit that bear on it, 0 where it opens nothing: by its own words, if they tell."""
        start, data = self._places.line_start(hit), self._tape.data
        inside = INSIDE.match(data, start - self._tape.base)
        if inside is not None and inside.lastgroup == "array":
            return BACK
        if inside is None and self._places.broken(start) is not None:
            self._alone(start, hit)
            return BACK
        if inside is not None:
            value = data[inside.end() : self._tape.line_end(hit) - self._tape.base]
            text = value.decode("utf-8", "surrogateescape").strip(' \t\r\n,"').replace('\\"', '"')
            from kb.log.transport import strip

            if text == "[":  # a message as a list of byte values, one a line
                return BACK
            return BACK * any(self._opens(part[strip(part).end :]) for part in text.split("\\n"))
        return self._alone(start, hit)

    def _alone(self, start: int, hit: int) -> int:
        """The same of the line that begins at an offset, as it is or behind a prefix to be learned."""
        from kb.log.decode import decode

        first = opener = None
        lines = 0
        base = self._tape.base
        alone = Tape(self._tape.data[start - base : self._tape.line_end(hit) - base])
        for line, _ in decode(Cursor(alone), self.shapes):
            if line is None or line.number > 1:
                break
            first = first or line
            lines = self._opens(line.text)
            if lines:
                opener = line
                lines = lines if line.caller is None else max(lines, _AMONG)
                break
        if first is None or self._belongs is None:
            return lines
        if opener is None and first.time is not None and first.text[:1].isalpha():
            self._spared += 1
            if self._spared > _SPARED:
                return 0
        found = self._placed(first, opener, hit)
        if found is None:
            return lines
        from kb.log.learn import Shapes

        if self.shapes is None:
            self.shapes = Shapes(self._opens, self._belongs)
        text, column, raw = found
        learned = self.shapes.learn(
            text,
            column,
            self._tape.number(start),
            lambda: self._around(start, hit, raw=raw, stamped=first.time is not None, glued=text.startswith(">")),
            told=not raw or opener is not first,
            opened=opener is first,
        )
        return BACK if learned else lines

    def _placed(self, first: Line, opener: Line | None, hit: int) -> tuple[str, int, bool] | None:
        """A line in which a prefix is to be looked for, and where in it the hit is; None for one that needs none.

        Args:
            first: The first record of the physical line.
            opener: The record that opens a report, None where none does.
            hit: Offset of the scanner's literal.

        Returns:
            Text, column, and whether known prefixes stand before the text.
        """
        if (
            opener is not None and opener is not first and not _ESCAPED.search(first.raw)
        ):  # what stands before a stamp in a line's middle may be a prefix
            text = _undivided(first.raw)
            return text, len(text) - len(opener.text), True
        if first.wall is not None and first.time is None and not self._is_learned(first.raw):
            text = _undivided(first.raw)
            if len(text) > len(first.text) and text.endswith(
                first.text
            ):  # perhaps a date without host, and two words before the message's colon
                return text, len(text), True
        behind = self._tape.data[hit - self._tape.base : self._tape.line_end(hit) - self._tape.base]
        tail = behind.decode("utf-8", "surrogateescape").rstrip(END)
        column = len(first.text) - len(tail) if first.text.endswith(tail) else len(first.text)
        marked = not first.text[:1].isalnum() and not first.text[:1].isspace()  # a mail quotes without a blank
        least = 1 if opener is not None and not marked else 0
        if (opener is None and not column) or first.text[column - 1 : column].isalnum():
            # ``WARNING: BUG: ...``, ``DEBUG: Oops: ...``: the first literal may be a prefix's
            start, end = hit - self._tape.base + 1, self._tape.line_end(hit) - self._tape.base
            later = next(find(self._tape.data, start, end), None)
            column += 0 if later is None else later - start + 1
        return (first.text, column, False) if column > least else None

    def _is_learned(self, raw: bytes) -> bool:
        """Whether a line's prefix is one that was learned before."""
        if not self.shapes:
            return False
        from kb.log.transport import strip

        text = raw.decode("utf-8", "surrogateescape").rstrip(END)
        return self.shapes.strip(text, strip(text))[1].rule == "learned"

    def _around(self, start: int, hit: int, *, raw: bool, stamped: bool, glued: bool) -> Around:
        """The lines beside the one that begins at an offset, known prefixes off unless they are wanted, too.

        Args:
            start: The offset.
            hit: Offset of the scanner's literal in the line.
            raw: Whether known prefixes are wanted.
            stamped: Whether printk's stamp stands before the line's text.
            glued: Whether the line is quoted without a blank, so that the blank of another is the message's.
        """
        from kb.log.decode import decode
        from kb.log.learn import Around

        before, after = _BESIDE
        beside: tuple[list[str], list[str]] = ([], [])
        tape, begin = self._tape, self._places.back(hit, before)
        until = time.monotonic() + _MOMENT
        enough = after + 1 if tape.live else RECORD_LINES
        while self._places.behind(hit, enough) < 0 and not tape.ended:
            if tape.live and time.monotonic() > until:
                break  # one that goes on slowly: a report in it is to be told soon
            end = tape.end
            if not tape.fill(max(self._places.done, hit - BACK_BYTES)) and tape.end == end:
                break  # silent
        # What is read of the tape itself is let go, and this line is still to be judged.
        behind = self._places.behind(hit, RECORD_LINES)
        behind = behind - tape.base if behind >= 0 else len(tape.data)
        for line, read in decode(Cursor(Tape(tape.data[begin - tape.base : behind]))):
            end = begin + read
            if line is None or len(beside[1]) >= after:
                break
            same = start < end <= self._tape.line_end(hit)
            if not (raw and line.continued) and (not same or line.continued):
                quoted = line.raw.startswith(b">") and not raw  # a quotation without a blank, of a line that has one
                text = line.raw.decode("utf-8", "surrogateescape").rstrip(END) if quoted and glued else line.text
                beside[end > start].append(_undivided(line.raw) if raw else text)
                stamped = stamped or (line.time is not None and end > start)
        return Around(*beside, stamped=stamped and not raw)


def _undivided(raw: bytes) -> str:
    """A physical line behind the prefixes that are known; one that ends in a program's or the kernel's word stays."""
    from kb.log.transport import USER, strip

    text = raw.decode("utf-8", "surrogateescape").rstrip(END)
    prefix = strip(text)
    return text if prefix.rule in USER else text[prefix.end :]
