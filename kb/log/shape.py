"""The shape of a line's prefix that no transport's rule explains, learned from a line of which the rest is known.

A prefix is constant but for what counts, ticks or names a level: numbers, names of months, weekdays and halves of a day
in any language (``calendar.txt``), names of severities. A date with a time of day is told by itself; any other shape is
believed only where the lines beside it bear it, too (:mod:`kb.log.learn`).
"""

import bisect
import functools
import os
import re
from typing import NamedTuple

from kb.log.text import EMPHASIS, mirrored
from kb.log.transport import IDENT, PRINTK, SEVERITIES, USER, Prefix, Rule, named, strip

LONGEST = 400
"""Characters that a prefix may have."""
_TOKEN = re.compile(r"\d{1,20}|[ \t\u3000]{1,80}|[^\s\d!-/:-@\[-`{-~]{1,64}|.", re.S)
"""A number, blanks, a word of any script, any other character."""
_TIME = re.compile(
    r"(?<![\d.:])\d{1,2}(?:[:\uff1a]\d\d(?:[:\uff1a]\d\d)?|\.\d\d\.\d\d)(?!\d|:\d)"
    r"|\d{1,2} ?[时時시点點] ?\d{1,2} ?[分분]"
    r"|(?<![\d.])(?:1\d{9}(?:\.\d{1,9})?|\d{1,10}\.\d{6})(?![\d.])"
)
"""A time of day, seconds of the epoch, or printk's seconds."""
_ZONE = re.compile(r"[A-Z]{0,4}T|UTC|Z|MSK")
_UNIT = r"(?:\S{1,120} )?"
_BEHIND = re.compile(r"\s?(?:(?P<host>\S{1,255}) {1,2}" + _UNIT + r")?" + IDENT + r"(?: {1,2}|$)")
"""What syslog and the journal put behind a date: host, with-unit's unit, the kernel's name."""
_DATE_MARKS = frozenset("[](){}<>,.:;/|+-~@_\uff1a\uff0c\u3001")
_ASSIGNED = re.compile(r"(?:^|[ \t])[\w.]{1,80}[ \t]{1,8}=[ \t]{0,8}[a-z]{0,2}[\"'`]")
"""A source, or a table of settings: ``title = "``; what logs write has no blank (``msg="``)."""
_QUOTED = re.compile(r"(?:\\r)?(?:\\n)?(?P<quote>[\"'`])(?:\\r)?(?:\\n)?[\"',;)\]} \t]{0,8}$")
"""The end of a line whose message stands in quotes, as in a list of strings, a row of SQL or a record of logfmt."""
_APOSTROPHE = re.compile(r"(?<=[A-Za-z])'(?=[A-Za-z])")
_FIELDS = re.compile(r"\"?(?: [\w.]{1,64}=(?:\"[^\"]{0,200}\"|[^\s\"]{0,200})){1,32}\s*$")
"""logfmt: the fields behind the one that is the message; a message of one word stands in no quotes."""
_FIELD = '="'
"""The frame of a message that such fields follow."""
_LABELS = re.compile(r"\{(?:[\w.]{1,64}=\"[^\"]{0,200}\"(?:, ?|(?=\}))){0,32}\}")
"""A stream's labels, as Prometheus and Loki write them."""
_ESCAPED = re.compile(r"\\([\"'\\/t])")
_FOREIGN = re.compile(r"[\"'`=]|%(?![A-Z]{2})|/\*")
"""What stands before a quotation, in sources and in tables of settings."""
_LEVELS = frozenset({*SEVERITIES, "kern", "user", "daemon"})
_WORD = r"[^\s\d!-/:-@\[-`{-~]{1,64}\.?"
_ID = r"[0-9A-Za-z]{4,64}"
_BLANKS = " \t\u3000"
_BLANK = r"[ \t\u3000]"
_GREP = re.compile(r"[^\s:]{0,255}[^\s\d:]:(?:\d{1,10}:)?|\d{1,10}[:-]|[^\s:]{0,255}[^\s\d:-]-\d{1,10}-")
"""What grep puts before a match: a name (-H), a line's number (-n); hyphens before the lines around one (-C)."""
_BARS = "|\u2502\u2503"


@functools.cache
def _calendar() -> tuple[frozenset[str], tuple[str, ...]]:
    """All words of the table, as a set and in order."""
    with open(os.path.join(os.path.dirname(__file__), "calendar.txt"), encoding="utf-8") as file:
        rows = [line.split()[1:] for line in file if not line.startswith("#")]
    words = frozenset(word for row in rows for word in row)
    return words, tuple(sorted(words))


def is_calendar(word: str) -> bool:
    """True for a name of a month, a weekday or half a day, or the beginning of one: libcs abbreviate otherwise."""
    words, ordered = _calendar()
    word = word.lower()
    if word in words:
        return True
    if len(word) < (3 if word.isascii() else 2):
        return False
    at = bisect.bisect_left(ordered, word)
    return at < len(ordered) and ordered[at].startswith(word)


def in_calendar(word: str) -> bool:
    """True for a name that stands in the table as it is: ``PM`` before ``Oops`` is no word of the headline."""
    return len(word) > 1 and word.lower() in _calendar()[0]


class Dated(NamedTuple):
    """A prefix that is told by itself: a date with a time of day, and what syslog puts behind it."""

    end: int
    """Where the date ends, in characters."""
    kernel: bool
    """True where the kernel's name stands behind it."""


def dated(prefix: str) -> Dated | None:
    """The date that a prefix consists of, None for any other prefix."""
    end = blank = 0
    for found in _TOKEN.finditer(prefix):
        token = found[0]
        if not (
            token[0].isdecimal() or token.isspace() or token in _DATE_MARKS or is_calendar(token)
            or ((token.lower() in _LEVELS and not prefix.startswith(":", found.end())) or token in _LEVELS)
            or _ZONE.fullmatch(token)
        ):  # fmt: skip
            end = blank
            break
        end = found.end()
        if token.isspace():
            blank = end
    if _TIME.search(prefix, 0, end) is None:
        return None
    if not prefix[end:].strip():
        return Dated(len(prefix), False)
    return Dated(end, True) if _BEHIND.fullmatch(prefix, end) is not None else None


_NONE = Prefix(0)


class Shape(NamedTuple):
    """What the prefixes of a log's lines have in common."""

    pattern: re.Pattern[str]
    """Anchored; groups ``wall`` and ``host`` where it has them. Its repeats are bounded, and none may begin with what
    the one before it may end with."""
    telling: bool
    """True where the prefix is a date: no other line is needed to believe it."""
    bar: str = ""
    """The border of a table that ends the line, too; the quote that closes it."""
    foreign: bool = False
    """True for what mostly stands before a quotation or in a source: only a report's own lines bear it out."""

    def strip(self, text: str, before: Prefix, sticky: list[Rule] | None = None) -> Prefix | None:
        """The prefixes of a line that has this one behind those that are known; None for a line of another shape."""
        at = 0 if before.rule in USER else before.end
        found = self.pattern.match(text, at)
        if found is None and before.rule in USER:  # the program's word alone
            at = before.end
            found = self.pattern.match(text, at)
        if found is None or found.end() == at:
            return None
        if not at:
            before = _NONE
        inner = strip(text[found.end() :], sticky)
        groups = found.groupdict()
        return Prefix(
            found.end() + inner.end,
            before.time if inner.time is None else inner.time,
            inner.wall or groups.get("wall") or before.wall,
            inner.caller or before.caller,
            before.level if inner.level is None else inner.level,
            inner.host or named(groups.get("host")) or before.host,
            inner.rule or "learned",
        )

    def whole(self, text: str, at: int) -> str:
        """A line, whose message begins at a column, without the border at its end, or out of its quotes."""
        return unframed(text, self.bar, at)

    @property
    def quoted(self) -> bool:
        """True where the message stands in quotes: it may be a sentence of anybody's."""
        return self.bar in ("'", '"', "`", _FIELD)


def unframed(text: str, bar: str, at: int) -> str:
    """As :meth:`Shape.whole`, for a border or a quote that is known."""
    if not bar:
        return text
    if bar in _BARS or not bar.strip(mirrored(EMPHASIS)):
        return text[: -len(bar)].rstrip() if text.endswith(bar) else text
    if bar == _FIELD and (fields := _FIELDS.search(text, at)) is not None:
        return text[:at] + _ESCAPED.sub(_unescaped, text[at : fields.start()])
    found = _QUOTED.search(text, max(len(text) - 16, 0))
    if found is None or found["quote"] != bar[-1]:
        return text
    return _ESCAPED.sub(_unescaped, text[: found.start()])


def frame(prefix: str, line: str) -> str:
    """What frames a line's message: the quote that opens it, the border of a table, "" for none."""
    closing = _QUOTED.search(line, max(len(line.rstrip()) - 16, len(prefix)))
    if (
        closing is not None
        and prefix[-1] == closing["quote"]
        and _paired(line[len(prefix) : closing.start()], prefix[-1])
    ):
        return prefix[-1]
    fields = _FIELDS.search(line, len(prefix)) if prefix.endswith(_FIELD) else None
    if fields is not None and fields[0].startswith('"'):
        return _FIELD
    marks = prefix.strip()
    if marks and not marks.strip(EMPHASIS) and line.rstrip().endswith(mirrored(marks)):
        return mirrored(marks)
    bar = marks[:1]
    return bar if bar and bar in _BARS and line.rstrip().endswith(bar) else ""


def _paired(text: str, quote: str) -> bool:
    """Whether the quotes in a message are pairs, so that one behind it is none of its own; apostrophes are none."""
    return _APOSTROPHE.sub("", text).count(quote) % 2 == 0


def ends_in_stamp(prefix: str) -> bool:
    """Whether a prefix ends in printk's stamp, which is read as one and is no clock of somebody else's."""
    stamp = PRINTK.match(prefix, max(prefix.rfind("["), 0))
    return stamp is not None and stamp["time"] is not None and stamp.end() == len(prefix)


def shape(prefix: str, line: str, *, opaque: bool = False) -> Shape | None:
    """The shape of a prefix, None for what stands before a quotation or in a source.

    Args:
        prefix: The beginning of a line, up to its message.
        line: The whole line.
        opaque: Whether what stands in brackets, and names of letters and digits, differ from line to line.
    """
    if len(prefix) > LONGEST or not prefix.strip():
        return None
    foreign, bar = False, frame(prefix, line)
    if _ASSIGNED.search(prefix) is not None:
        return None
    if not bar or bar in _BARS:
        foreign = _FOREIGN.search(_LABELS.sub("", prefix)) is not None
        if any(prefix.count(opening) > prefix.count(closing) for opening, closing in ("()", "[]")):
            return None
    date = dated(prefix)
    if date is not None and date.kernel:
        pattern = f"(?P<wall>{_pattern(prefix[: date.end].rstrip(_BLANKS))}){_BLANK}{{0,8}}{_BEHIND.pattern}"
    elif date is not None:
        text = prefix.rstrip(_BLANKS)
        pattern = f"(?P<wall>{_pattern(text)}){_ending(prefix[len(text) :])}"
    else:
        text = prefix.rstrip(_BLANKS)
        pattern = _pattern(text, opaque, grep=_GREP.fullmatch(prefix) is not None) + _ending(prefix[len(text) :])
        pattern += "?" if bar == _FIELD else ""
    return Shape(re.compile(pattern), date is not None, bar, foreign)


def alone(prefix: str) -> Shape:
    """The shape of what stands before one line and no other."""
    return Shape(re.compile(re.escape(prefix)), False)


def column(prefix: str) -> Shape | None:
    """The shape of a column left of the log: any text up to a bar, as ``diff -y`` and terminals side by side."""
    text = prefix.rstrip(_BLANKS)
    if len(text) < 2 or text[-1] not in _BARS or text[-1] in text[:-1]:
        return None
    bar = re.escape(text[-1])
    return Shape(re.compile(f"[^{bar}]{{1,{LONGEST}}}{bar}{_ending(prefix[len(text) :])}"), False)


def _unescaped(found: re.Match[str]) -> str:
    return "\t" if found[1] == "t" else found[1]


def _ending(blanks: str) -> str:
    """The blanks before the message: no more than so many, for it may begin with some of its own."""
    return f"(?:{_BLANK}{{{len(blanks)}}}|$)" if blanks else ""


def _pattern(prefix: str, opaque: bool = False, *, grep: bool = False) -> str:
    """A pattern for what the prefix may be in another line; grep -C marks the lines around a match in another way."""
    tokens = _TOKEN.findall(prefix)
    parts: list[str] = []
    closing = ""
    for index, token in enumerate(tokens):
        before = tokens[index - 1] if index else ""
        if closing:
            closing = "" if token == closing else closing
        elif opaque and token in "[(" and _closed(tokens, index):
            closing = "]" if token == "[" else ")"
            parts.append(re.escape(token) + r"[^\[\]()]{0,99}" + re.escape(closing))
        elif opaque and token[0].isalnum() and _is_id(tokens, index):
            parts += [] if before and before[0].isalnum() else [_ID]
        elif token[0] in _BLANKS:
            numbers = index + 1 < len(tokens) and tokens[index + 1][0].isdecimal()
            tight = not before or not (before[0].isalnum() or _is_word(before))
            parts.append(f"{_BLANK}{{{0 if numbers and tight else 1},80}}")
        elif token[0].isdecimal():
            padded = not before or not (before[0] in _BLANKS or before[0].isalnum() or _is_word(before))
            parts.append((f"{_BLANK}{{0,80}}" if padded and before in ("", "[", "(", "<", "|") else "") + r"\d{1,20}")
        elif _is_word(token) and (is_calendar(token) or token.lower() in _LEVELS):
            parts.append(_WORD)
        elif token in ":-" and grep and index and tokens[index - 1][0] not in ":-":
            parts.append("[:-]")
        elif token == "." and parts and parts[-1] == _WORD:
            pass  # an abbreviation has its dot in the pattern of words
        else:
            parts.append(re.escape(token))
    return "".join(parts)


def _is_id(tokens: list[str], index: int) -> bool:
    """True for a part of a name of letters and digits, which may be others in another line."""
    end = start = index
    while start and tokens[start - 1][0].isalnum():
        start -= 1
    while end < len(tokens) and tokens[end][0].isalnum():
        end += 1
    word = "".join(tokens[start:end])
    return len(word) >= 4 and word.isascii() and any(map(str.isdecimal, word)) and any(map(str.isalpha, word))


def _closed(tokens: list[str], index: int) -> bool:
    """True where a bracket closes within the prefix and holds a word that is no date's."""
    closing = "]" if tokens[index] == "[" else ")"
    if closing not in tokens[index:]:
        return False
    inside = tokens[index + 1 : tokens.index(closing, index)]
    return any(_is_word(token) and not is_calendar(token) for token in inside)


def _is_word(token: str) -> bool:
    return not token[0].isdecimal() and not token[0].isspace() and (len(token) > 1 or token.isalpha())
