"""Lines broken on their way: by a mailer, quoted-printable, z/VM's 80 columns, netconsole's fragments.

Nothing is joined unless the log itself shows that it was broken like that: a mailer breaks at one width, so the tails
must follow lines that ended just before it. A line that has a prefix of its own is never a tail.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from kb.log.tape import LONGEST
from kb.log.transport import Prefix, strip
from kb.model.lazy import Lazy
from kb.model.log import Line

SAMPLE = 32 << 10
"""Bytes by which a stretch of a log is judged."""
LARGEST = 4 << 20
"""Logs above this size (bytes) are no pasted text: they are not looked at."""

_NARROWEST, _WIDEST = 60, 100
"""Columns a mailer may wrap at."""
_TERMINAL = 240
"""Columns that a terminal may have."""
_SLACK = 3
"""Columns by which a line may miss the width: quote marks were put before lines that were wrapped without them."""
_DEEP = " " * 8
"""An indentation that no tail has: a message of several lines, aligned by the tool that printed it."""
_ZVM = re.compile(r"\d\d: (?=(.))")
_ZVM_RAW = re.compile(rb"^\d\d: \[ {0,8}\d{1,9}\.\d{6}\]", re.M)
_ZVM_COLUMNS = 80
_QP_BYTE = re.compile(r"=([0-9A-F]{2})")
_QP_SOFT = re.compile(rb"^.{60,76}=\r?$", re.M)
_QP_FULL = re.compile(rb"^.{75}=\r?$", re.M)
"""A line of quoted-printable at its full length (RFC 2045: 76 columns with the mark): three of them are no chance."""
_QP_CODE = re.compile(rb"=(?:3D|20\r?$|E2=80|C2=A0)", re.M)
_QP_PLAIN = re.compile(rb"=(?![0-9A-F]{2}|\r?\n|\r?\Z)")
"""What quoted-printable does not write: a sign of equality that stands for itself."""
_SHOWN = r"(?:\^M\$?|\$|\\|(?:<CR>)?<LF>|<\\n>|\f|" + "(?:\u240d)?\u240a|\xb6|\u21b5|\u23ce)"
"""Ends of lines as ``cat -A``, serial terminals and editors show them, or hidden behind a backslash."""
_SHOWN_ENDS = re.compile((_SHOWN + r"\r?$").encode(), re.M)
_SHOWN_END = re.compile(_SHOWN + "$")
_PARTIAL = re.compile(rb"\S{20,40} std(?:out|err) P ")
"""CRI (containerd, CRI-O): a line that is longer than the runtime's buffer goes on in the next record."""
_FRAGMENT = re.compile(rb"(\d{1,4},\d{1,20},\d{1,20}),[^;\n]{0,100}ncfrag=(\d{1,9})/\d{1,9}[^;\n]{0,60};")

# No repeat below holds another whose parts may begin where it ends: each item is followed by a blank or the end.
_HEX_PAIRS = r"(?:[<(]?[0-9a-f]{2,8}[>)]?(?: |$)){1,64}$"
_FIELDS = r"(?:[a-z_]{2,32}(?:\([a-z]{3,8}\))?[:?] ?\S{1,24}(?: |$)){1,32}$"
_TAILS: tuple[tuple[Lazy, Lazy], ...] = tuple(
    (Lazy(head), Lazy(tail))
    for head, tail in (
        # arch/*/kernel: show_opcodes(), dump_instr()
        (r"^\s{0,8}Code: |^(?:[<(]?[0-9a-f]{2,8}[>)]? ){7}", _HEX_PAIRS),
        # mm/page_alloc.c, mm/show_mem.c show_free_areas()
        (r"(?:^|\s)\w{1,40}(?:\(\w{1,8}\))?:\d{1,20}[kK]B\b", _FIELDS),
        (
            r"^(?:Node \d{1,4} )?\w{3,8}: (?:\d{1,9}\*\d{1,9}kB|\([A-Z]{1,6}\)| ){1,40}",
            r"(?:\d{1,9}\*\d{1,9}kB|\([A-Z]{1,6}\)|= ?\d|\d{1,12}kB$)",
        ),
        (r"^lowmem_reserve\[\]:", r"\d{1,9}(?: |$)"),
        # kernel/module.c print_modules()
        (
            r"^\s{0,8}Modules linked in:|^(?:[\w-]{2,64}(?:\([A-Z+-]{1,4}\))?(?: |$)){2,12}$",
            r"(?:[\w-]{2,64}(?:\([A-Z+-]{1,4}\))?(?: |$)){1,16}(?:\[last|$)|\[last unloaded",
        ),
        # lib/dump_stack.c: release and build number behind the taint, BIOS behind the machine
        (r"^\s{0,8}(?:CPU: \d|Pid: \d|REGS: )", r"[\w.+~-]{0,64}\d\.\d[\w.+~-]{0,64}(?: |$)|#\d"),
        (r"^\s{0,8}Hardware name", r"BIOS|\d\d/\d\d/\d{4}"),
        # a register's name, its value wrapped behind it; a row of values (powerpc, s390)
        (r"(?:^|\s)(?:[A-Z][A-Z0-9_]{0,9}|[a-z]{1,3}\d{0,2}|status|badaddr|cause|pstate|orig_\w{1,4}) ?:$",
         r"(?:0x)?[0-9a-f]{4,16}\b|[0-9a-f]{4}:"),
        (r"(?:^|\s)[0-9a-f]{8,16} [0-9a-f]{8,16}$", r"[0-9a-f]{8,16}(?: |$)"),
        # headlines: what they go on with in small letters or digits
        (
            r"page allocation|failure: order|mode:0x|oom-killer:?|gfp_mask=|nodemask=",
            r"failure[.:]|order[:=]|mode[:=]|nodemask=|cpuset=|mems_allowed|oom_score_adj|gfp_mask=",
        ),
        (
            r"^\s{0,8}(?:BUG|WARNING|INFO|Unable to handle|Internal error|Oops|Kernel panic|general protection"
            r"|kernel BUG)\b",
            r"(?!(?:pc|lr|sp|pgd|p4d|in_atomic|preempt_count|lock|page|flags|raw|head|turning)\b"
            r"|\S{1,15}/\d{1,10} (?:is |\[HC))"
            r"[a-z0-9(/<*._]",
        ),
    )
)  # fmt: skip
"""What a line without prefix may be the tail of. Left: the line before; right: the beginning of the tail."""


class Habits(NamedTuple):
    """How a stretch of a log was broken."""

    indent: int = 0
    """Blanks before most lines of a block without prefixes; its tails stand at the margin."""
    width: int = 0
    """Column at which a mailer wrapped, 0 where none did."""
    quoted_printable: bool = False
    zvm: bool = False
    fragments: bool = False
    shown: bool = False
    """Line ends that are shown, as by ``cat -A``, or hidden behind a backslash."""
    partial: bool = False
    """Records of a container's runtime that go on in the next."""
    columns: int = 0
    """Columns of a terminal, at whose edge lines go on in the next, 0 where none was copied."""

    @property
    def any(self) -> bool:
        """True when lines must be joined."""
        return bool(
            self.width
            or self.columns
            or self.quoted_printable
            or self.zvm
            or self.fragments
            or self.shown
            or self.partial
        )


_NONE = Habits()


def habits(data: bytes, start: int) -> Habits:
    """Judge the stretch of a log that begins at an offset."""
    if len(data) > LARGEST:
        return _NONE
    sample = data[start : start + SAMPLE]
    soft = _QP_SOFT.findall(sample)
    quoted = len(soft) >= 1 and _QP_CODE.search(sample) is not None and _QP_PLAIN.search(sample) is None
    quoted = quoted or (len(soft) >= 2 and (_QP_CODE.search(sample) is not None or len(_QP_FULL.findall(sample)) >= 3))
    zvm = len(_ZVM_RAW.findall(sample)) >= 3
    near = data[max(start - SAMPLE, 0) : start + SAMPLE]  # a mark is one wherever it stands
    fragments = b"ncfrag=" in near
    if zvm or quoted:
        return Habits(0, 0, quoted, zvm, fragments)
    ends, count = len(_SHOWN_ENDS.findall(sample)), sample.count(b"\n")
    shown = ends * 10 >= max(count, 3) * 8 or ends == count == sample.count(b"$\n") > 1
    shown = shown or ends == sample.count(b"^M$\n") > 0
    rows = [row.rstrip("\r") for row in sample.decode("utf-8", "replace").split("\n")]
    prefixes = [strip(row) for row in rows]
    indent, width = _width(rows, prefixes)
    partial = (b" stdout P " in near or b" stderr P " in near) and _PARTIAL.search(near) is not None
    return Habits(indent, width, False, False, fragments, shown, partial, _columns(rows[:-1], prefixes))


def _columns(rows: Sequence[str], prefixes: Iterable[Prefix]) -> int:
    """The width of the terminal that the stretch was copied from, 0 for none.

    No line is longer; what has no stamp stands behind lines that are as long, and goes on with them. A line may be as
    long by chance: x86's rows of registers behind a stamp have 80 columns.
    """
    longest = max(map(len, rows), default=0)
    if not _NARROWEST <= longest <= _TERMINAL:
        return 0
    stamped = [_own(prefix) for prefix, _ in zip(prefixes, rows, strict=False)]
    full = [at for at, row in enumerate(rows[:-1]) if len(row) == longest]
    cut = sum(not stamped[at + 1] for at in full)
    without = sum(bool(row.strip()) and not own for row, own in zip(rows, stamped, strict=True))
    enough = cut * 10 >= 8 * max(without, len(full)) or (cut == len(full) and without <= 2 * cut)
    return longest if cut >= 2 and enough and sum(stamped) > without else 0


def _own(prefix: Prefix) -> bool:
    """Whether what stands before a line is a transport's."""
    return prefix.rule not in (None, "quote") or prefix[1:6] != (None,) * 5


def _width(rows: list[str], prefixes: Iterable[Prefix]) -> tuple[int, int]:
    """The indentation of the stretch, and the column at which it was wrapped, 0 for none."""
    indent = _indent(rows)
    pairs: list[tuple[int, int]] = []
    before, message, own_before, shaped, memory, stamped = "", "", False, 0, 0, 0
    for row, prefix in zip(rows, prefixes, strict=True):
        if not row.strip("> \t"):
            before = ""
            continue
        own = _own(prefix)
        text = row[prefix.end :]
        if before and not own and _is_memory(before, text):
            memory += 1
        elif before and not own and text.strip() and not text.startswith(_DEEP):
            shape = _is_tail(before, text, indent) or _is_tail(message, text, 0)
            if own_before or shape:
                pairs.append((len(before), len(text.split(None, 1)[0])))
                shaped += shape
                stamped += shape and own_before
        before, message, own_before = row, text, own
    if not pairs and memory < 3:
        return indent, 0
    scores = {
        width: (sum(_breaks(width, *pair) for pair in pairs), sum(_breaks(width, *pair, 0) for pair in pairs))
        for width in range(_NARROWEST, _WIDEST)
    }
    highest = max(scores.values())
    widths = [width for width, score in scores.items() if score == highest]
    best, fitting = widths[len(widths) // 2], highest[0]
    longer = sum(len(row) > best + 20 for row in rows)
    if memory >= 3:  # wrapped again and again as the quotes grew: no one width fits
        return indent, best
    if fitting < (1 if stamped else 2 if shaped else 4) or fitting * 3 < len(pairs) * 2 or longer * 10 > len(rows):
        return indent, 0
    if not shaped and longer:  # lines of others between the kernel's, as long by chance: a mailer breaks each long line
        return indent, 0
    return indent, best


def _indent(rows: list[str]) -> int:
    """Blanks that most lines begin with, 0 for less than two."""
    blanks = [len(row) - len(row.lstrip(" ")) for row in rows if row.strip()]
    common = max(set(blanks), key=blanks.count, default=0)
    at_least = sum(count >= common for count in blanks)
    return common if common >= 2 and at_least * 10 >= len(blanks) * 8 else 0


def _breaks(width: int, length: int, word: int, slack: int = _SLACK) -> bool:
    """True when a mailer of that width would have put a word of that length on the next line."""
    return width - max(30, word) < length <= width + slack and length + 1 + word > width - slack


def _is_tail(before: str, text: str, indent: int) -> bool:
    if before.startswith(">"):
        before = before.lstrip("> ")
    if indent and before.startswith(" " * indent) and not text.startswith((" ", "\t")):
        return True
    return any(head.compiled.search(before) and tail.compiled.match(text) for head, tail in _TAILS)


def _is_memory(before: str, text: str) -> bool:
    """True for the rest of a zone's or node's line: no line of the kernel begins like that, whatever the width."""
    return any(head.compiled.search(before) and tail.compiled.match(text) for head, tail in _TAILS[1:3])


def _opens_memory(text: str) -> bool:
    """True for a line that a zone's or node's list may go on behind."""
    return any(head.compiled.search(text) for head, _ in _TAILS[1:3])


def rejoin(lines: Iterator[tuple[Line | None, int]], how: Habits) -> Iterator[tuple[Line | None, int]]:
    """Lines as they were before they were broken, none longer than :data:`kb.log.tape.LONGEST`.

    Args:
        lines: Logical lines with the offset behind each.
        how: What :func:`habits` found.
    """
    held: _Held | None = None
    at = 0
    for line, end in lines:
        if held is not None and line is not None and held.join(line):
            at = end
            continue
        if held is not None:
            yield held.line(), at
        if line is None:
            yield None, end
        held, at = None if line is None else _Held(line, how), end
    if held is not None:
        yield held.line(), at


class _Held:
    """A line and the pieces that were joined to it. They are put together once, at its end: a join costs its piece."""

    __slots__ = ("_first", "_how", "_memory", "_number", "_raws", "_size", "_texts")

    def __init__(self, line: Line, how: Habits):
        self._first = line
        self._how = how
        self._texts = [line.text]
        self._raws = [line.raw]
        self._number = line.last
        self._size = len(line.text)
        self._memory = _opens_memory(line.text)
        """Whether one of the pieces opens a zone's or node's list: what goes on with it may stand behind any other."""

    def line(self) -> Line:
        """The line as a whole."""
        line, text = self._first, self._texts[0]
        if len(self._raws) > 1:
            text = "".join(self._texts)
            line = line._replace(text=text, last=self._number, raw=b"".join(self._raws))
        how = self._how
        if how.quoted_printable and "=" in text:
            text = _QP_BYTE.sub(lambda found: chr(int(found[1], 16)), text).rstrip(" ")
        if how.zvm:
            if not _stamped(line):
                text = _ZVM.sub("", text, count=1)
            text = text.rstrip(" ")
        if how.shown:
            text = _SHOWN_END.sub("", text)
        return line if text is line.text else line._replace(text=text)

    def join(self, line: Line) -> bool:
        """Take a line that was a part of this one; tells whether it was."""
        if self._size + len(line.text) > LONGEST:
            return False
        how = self._how
        if how.fragments and self._goes_on_with(line):
            return self._add(line.text, line)
        if how.partial and _PARTIAL.match(self._raws[-1]) is not None:
            return self._add(line.text, line)
        if line.continued or line.raw is self._raws[-1]:
            return False
        last = _last(self._raws[-1])
        if how.quoted_printable and (last.endswith("=") or (last.endswith("=20") and not _stamped(line))):
            cut = 1 if last.endswith("=") else 3
            self._texts[-1] = self._texts[-1][:-cut]
            return self._add((" " if cut == 3 else "") + _last(line.raw), line)
        if how.columns and 0 <= how.columns - len(last) <= 1 and not _stamped(line) and line.text:
            return self._add(" " * (how.columns - len(last)) + line.text, line)  # a blank at the edge is not kept
        if _stamped(line) or not line.text.strip() or line.text.startswith(_DEEP):
            return False
        if how.zvm:
            full = len(last) == _ZVM_COLUMNS and last[-1] not in " \xa0"
            return full and self._add(_ZVM.sub("", line.text, count=1), line)
        if not how.width:
            return False
        if self._memory and any(tail.compiled.match(line.text) for _, tail in _TAILS[1:3]):
            self._texts[-1] = self._texts[-1].rstrip(" ")
            return self._add(" " + line.text, line)
        if not _breaks(how.width, len(last), len(line.text.split(None, 1)[0])):
            return False
        if not _stamped(self._first) and not _is_tail(last, line.text, how.indent):
            return False
        space = "" if self._texts[-1].endswith(" ") or line.text.startswith(" ") else " "
        return self._add(space + line.text, line)

    def _goes_on_with(self, line: Line) -> bool:
        """drivers/net/netconsole.c send_ext_msg_udp(): a long record in pieces, "ncfrag=<offset>/<length>"."""
        first, second = _FRAGMENT.search(self._raws[0][:300]), _FRAGMENT.search(line.raw[:300])
        return first is not None and second is not None and first[1] == second[1] and int(second[2]) != 0

    def _add(self, text: str, line: Line) -> bool:
        self._texts.append(text)
        self._raws.append(line.raw)
        self._number = line.last
        self._size += len(text)
        self._memory = self._memory or _opens_memory(text)
        return True


def _last(raw: bytes) -> str:
    """The last physical line of some bytes, as text."""
    return raw.rstrip(b"\r\n").rpartition(b"\n")[2].decode("utf-8", "surrogateescape")


def _stamped(line: Line) -> bool:
    """True when a transport's prefix stood before the line: then it is no tail."""
    if line.time is not None or line.wall is not None or line.level is not None or line.host is not None:
        return True
    return line.caller is not None or b"kernel: " in line.raw[:80]
