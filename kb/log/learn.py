"""Prefixes that no rule explains: learned in a log from a line whose end is a headline, and the lines beside it.

Asked only for lines that the scanner hit and that, by their own words behind the known prefixes, open no report; or
that open one with the name of a task, in which a prefix would be lost.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from kb.log.shape import LONGEST, Shape, alone, column, ends_in_stamp, frame, in_calendar, shape, unframed
from kb.log.transport import Prefix, Rule, strip

Test = Callable[[str], int]
"""0 for no."""

_WORDS = re.compile(r"(?<=[^\w./\\&@$^?(<\[])(?=\S)|(?<=\d)(?=[^\W\d_])")
"""Where a message may begin behind a prefix: not inside a word, a path or a name; behind a number it may be glued."""
_WORD = re.compile(r"[^\W_]+")
_COMMENT = re.compile(r"\s{0,80}(?:[#*;%+-]{1,4}(?:\s|$)|//|$)")
"""How a comment begins, an entry of a list, a line of a patch."""
_OPAQUE = re.compile(r"[\[(]|[0-9a-f]{4}")
"""A prefix parts of which may differ from line to line: a task in brackets, an id."""
_TAG = re.compile(r"[\w./-]{1,64}\[\d{1,10}\]: ?")
"""What a program puts before its message (RFC 3164 4.1.3)."""
_QUOTE = re.compile(r"[\"'`%]|/\*|\w[ \t]{0,8}={1,2}[ \t]{0,8}$")
"""What a string, a format, a comment or a value of a source begins with."""
_PLACES = 32
"""Beginnings of a message that are tried in a line, the nearest to the scanner's literal."""
_NUMBERS = re.compile(r"\d{1,20}")
_REFUSED = 4
"""Lines alike, but for numbers, behind which the prefix is looked for no more."""
_LOOKS = 512
"""Times that the lines beside one are looked at, in one input: a text that quotes headlines line by line is no log."""
_NEAR = 4
"""Lines behind a headline in which its report begins."""
_DOUBTFUL = 32
"""Lines that are kept as doubtful."""
_ALIKE = 3
"""Lines beside one that must have its prefix."""


class Doubtful(NamedTuple):
    """A line with a whole headline behind a prefix that its neighbours have, which nothing else says to be a prefix."""

    number: int
    prefix: str
    text: str


class Around(NamedTuple):
    """The lines beside one, known prefixes off."""

    before: Sequence[str]
    after: Sequence[str]
    stamped: bool = False
    """Whether printk's stamp stands before the line, and what follows was given to printk; or before the next, but
    not before the line, which is then of another text."""


class Shapes:
    """The shapes that were learned in one input.

    Args:
        opens: Whether a text, as a whole, can open a report.
        belongs: Whether a text is what only a report has.
    """

    def __init__(self, opens: Test, belongs: Test):
        self._opens = opens
        self._belongs = belongs
        self._known: list[Shape] = []
        self._refused: dict[str, int] = {}
        self._looks = 0
        self.doubtful: list[Doubtful] = []

    def __bool__(self) -> bool:
        return bool(self._known)

    def strip(self, text: str, prefix: Prefix, sticky: list[Rule] | None = None) -> tuple[str, Prefix]:
        """A line, and its prefixes with the one that was learned behind those that are known."""
        for one in self._known:
            found = one.strip(text, prefix, sticky)
            if found is not None:
                return one.whole(text, found.end), found
        return text, prefix

    def learn(
        self,
        text: str,
        column: int,
        number: int,
        around: Callable[[], Around],
        *,
        told: bool = True,
        opened: bool = False,
    ) -> bool:
        """Learn the prefix of a line.

        Args:
            text: The line, known prefixes off.
            column: Where in it the scanner's literal stands: no headline begins behind it.
            number: Its number.
            around: Gives the lines beside it.
            told: Whether a date is enough to tell where the message begins: not where a known prefix may end behind it.
            opened: Whether it opens a report as it is.

        Returns:
            True where the line turned out to have a prefix, and a message that opens a report behind it.
        """
        key = _NUMBERS.sub("0", text[: column + 16])
        if self._refused.get(key, 0) >= _REFUSED:
            return False
        ways = list(self._ways(text, column))
        beside = around() if ways and self._looks < _LOOKS else None
        best = None
        if beside is not None:
            said = text[column:] or text  # twice, by whomever: it bears out nothing
            before, after = ([line for line in lines if not line.endswith(said)] for lines in beside[:2])
            if any(self._parts(one, after) for _, one, _ in ways):  # but for a report that says it again
                after = list(beside.after)
            best = self._borne(ways, text, number, Around(before, after), opened)
        if best is None and beside is not None and not (opened or beside.stamped):
            best = self._lead_in(ways, text) if sum(map(self._belongs, beside.after[:_NEAR])) >= 2 else None
        if told and (best is None or not best[1].telling):
            best = best or self._longest([way for way in ways if way[1].telling and not way[1].foreign], text)
        if best is not None:
            if all(one.pattern != best[1].pattern for one in self._known):
                self._known.insert(0, best[1])
                del self._known[16:]
            return True
        if len(self._refused) < 2 * _LOOKS:
            self._refused[key] = self._refused.get(key, 0) + 1
        return False

    def _ways(self, text: str, column: int) -> Iterable[tuple[str, Shape, bool]]:
        """The prefixes, shortest first, behind which the line opens a report, and whether a known one stands there."""
        for found in list(_WORDS.finditer(text, 1, min(column, LONGEST) + 1))[-_PLACES:]:
            at = found.start()
            if ends_in_stamp(text[:at]):  # what stands before it is the prefix
                continue
            inner = strip(text[at:])
            message = unframed(text, frame(text[:at], text), at)[at + inner.end :]
            if not message or not self._opens(message):
                continue
            made = shape(text[:at], text)
            if made is not None:
                yield text[:at], made, inner.rule is not None and inner.rule != "quote"

    def _longest(self, ways: Sequence[tuple[str, Shape, bool]], text: str) -> tuple[str, Shape, bool] | None:
        """The longest prefix that has no words of the headline: the rest of one may be one, too."""
        best = None
        for way in reversed(ways):
            if best is not None:
                between = text[len(way[0]) : len(best[0])]
                words = _WORD.sub("x", between)
                if all(map(in_calendar, _WORD.findall(between))) or self._opens(
                    words + text[len(best[0]) :]
                ):  # any words would do: a host, a task
                    break
            best = way
        return best

    def _borne(
        self,
        ways: Sequence[tuple[str, Shape, bool]],
        text: str,
        number: int,
        beside: Around,
        opened: bool,
    ) -> tuple[str, Shape, bool] | None:
        """The prefix that the lines beside bear out best, None where they do not."""
        self._looks += 1
        owned = list(filter(self._belongs, beside.after))
        plain = len(owned)
        best, most = None, (0, False, False)
        for prefix, made, known in ways:
            words = any(char.isalnum() for char in prefix)
            opaque = shape(prefix, text, opaque=True) if _OPAQUE.search(prefix) is not None else None
            for one in filter(None, (made, opaque, column(prefix))):
                parts = self._parts(one, beside.after)
                alike = sum(one.strip(each, _NONE) is not None for each in (*beside.before, *beside.after))
                enough = parts >= plain - self._borrowed(one, owned) + opened and parts >= (
                    _ALIKE if one.foreign else 1 if words else 2
                )
                inner = known and not one.foreign and (alike > 0 or len(prefix.split()) == 1)
                told = (parts, one.telling, inner)
                if (enough or inner) and (told > most or (parts == most[0] and self._lends(best, prefix, text))):
                    best, most = (prefix, one, known), told
                elif not enough and not inner and not plain and not one.quoted and _COMMENT.match(prefix) is None:
                    others = len(beside.before) + len(beside.after)
                    common = alike >= min(_ALIKE, others) if others else words and len(prefix.split()) == 1
                    tag = one is opaque and _TAG.fullmatch(prefix) is not None  # others' programs have other names
                    if common and not tag and (not one.foreign or not _QUOTE.search(prefix)):
                        self._doubt(Doubtful(number, prefix, text))
        if best is not None and self.doubtful and self.doubtful[-1].number == number:
            self.doubtful.pop()
        return best

    def _lends(self, best: tuple[str, Shape, bool] | None, prefix: str, text: str) -> bool:
        """Whether the words by which a prefix is longer than the best make any line a part of a report.

        They are none of the headline's own where it would be one behind any other words, too.
        """
        if best is None or not prefix.startswith(best[0]):
            return False
        between = prefix[len(best[0]) :]
        return bool(self._belongs(between + "x") and self._opens(_WORD.sub("x", between) + text[len(prefix) :]))

    def _borrowed(self, one: Shape, lines: Iterable[str]) -> int:
        """How many lines are parts of a report as they are by the words of a prefix, and as much so without it.

        Notes are told by their first word, and so is the level ``WARN`` that somebody put before each line.
        """
        count = 0
        for line in lines:
            found = one.strip(line, _NONE)
            if found is None or self._opens(line) or not self._belongs(one.whole(line, found.end)[found.end :]):
                continue
            before = line[: found.end]  # anything may follow a note's first word
            count += self._belongs(before + "x") and not self._belongs(_WORD.sub("x", before) + line[found.end :])
        return count

    def _lead_in(self, ways: Sequence[tuple[str, Shape, bool]], text: str) -> tuple[str, Shape, bool] | None:
        """What stands before the first line of a text alone: who wrote it, the quote that opens it."""
        best = next((way for way in ways if _COMMENT.match(way[0]) is None), None)
        if best is None:
            return None
        self.doubtful = [each for each in self.doubtful if each.text != text]
        return best[0], alone(best[0]), best[2]

    def _doubt(self, found: Doubtful) -> None:
        if len(self.doubtful) < _DOUBTFUL and all(each.number != found.number for each in self.doubtful):
            self.doubtful.append(found)

    def _parts(self, one: Shape, lines: Iterable[str]) -> int:
        """How many lines are parts of a report once the prefix is off."""
        count = 0
        for line in lines:
            found = one.strip(line, _NONE)
            if found is not None and self._belongs(one.whole(line, found.end)[found.end :]):
                count += 1
        return count


_NONE = Prefix(0)
