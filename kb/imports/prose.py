"""Reports inside prose: what a commit message, a CVE text or a mail quotes of a log.

People cut stamps and offsets, indent, quote, wrap and elide; crash(8) prints its own kind of stack. The text is brought
back to what printk would have printed and then read by the same grammars as a log. Everything is line by line with
bounded patterns: no text can make it slow.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from kb.log.transport import strip
from kb.model.log import Line
from kb.model.report import Frame, Registers, Report, Trace
from kb.parse.report import parse
from kb.split.windows import split_lines
from kb.syntax.headline import classify
from kb.syntax.roles import classifier

_QUOTE = re.compile(r"(?:[ \t]{0,40}(?:>(?=[ >\t[]|$)|\|(?= |$)|\*(?= |$))){1,12} ?")
_ELISION = re.compile(
    r"\s*(?:\[?<?\(?(?:\.{2,}|…|snip|snipped|cut|trimmed|skipped|\.{2,} ?snip ?\.{2,})\)?>?\]?"
    r"|-{2,} ?(?:snip|cut) ?-{2,}|8<-{2,})\s*",
    re.I,
)
_CUT_STAMP = re.compile(
    # "12.345678: text", "12.345678] text", "12.345678][ T12] text", "[...] text", "[<...>] text", "[ ] text"
    r"[ \t]{0,40}(?:\[? {0,8}\d{1,6}\.\d{3,9}(?:,\d{1,4})?(?:\]? ?\[ {0,8}[TC]\d{1,9})?(?:\]|:) {0,8}"
    r"|\[<?(?:\.{2,}|…| {0,12})>?\] {0,3})(?=\S)"
)
_SHELL = re.compile(r"\s*(?:[\w.@~:/-]{1,60}[#$] (?=\[ {0,8}\d)|\[name:[\w&/.-]{1,40}\] ?)")
"""A shell's prompt that the console wrote over; the source file that Android's MediaTek kernels put before."""
_LOGREAD = re.compile(
    # OpenWrt's logread "Thu Nov 20 03:59:40 2025 kern.warn kernel: ", syslog without its date "db17 kernel: "
    r"\s*(?:[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} (?:\w{3,8}\.\w{3,7} )?|[\w.-]{1,64} )kernel: "
)
_HEAD = re.compile(r"\s*(?:(?:kernel )?(?:call|stack|back) ?trace|stack|backtrace|stack dump)\s{0,4}:\s*", re.I)
_LEAK_HEAD = re.compile(r"\s*backtrace\b")
"""Of a leak's stack (mm/kmemleak.c): without the object above it, it opens nothing."""
_UNTOLD = re.compile(r"\s*\[<0>\] ")
"""Where /proc/PID/stack keeps an address back (fs/proc/base.c)."""
_AT_LINE = re.compile(r"\s*(?:\[.{1,40}\] ?)?WARNING: CPU: \d{1,5} PID: \d{1,9} at [\w./+-]{1,200}:\d{1,6}\s*")
_AT_FUNCTION = re.compile(r"\s*[A-Za-z_.$][\w.$]{0,200}\+0x[0-9a-f]{1,6}/0x[0-9a-f]{1,6}\b")
_PC = re.compile(
    r"\s*(?P<what>(?:RIP|EIP|IP|PC|pc|NIP|epc|era)(?: is at)?)\s{0,8}:?\s{1,8}(?:00[0-9a-f]{2}:)?"
    r"(?P<fn>[A-Za-z_][\w.]{2,128})(?:\(\))?(?P<mod> \[[\w-]{1,64}\])?\s*"
)
_BARE = re.compile(
    r"\s*(?:[-=]> ?|#\d{1,3}:? {1,4}|\d{1,2}[).] )?(?:\[<?[0-9a-fx. ]{1,20}>?\] ?)?(?P<doubt>\? {0,3})?"
    r"(?P<fn>[A-Za-z_][\w.]{1,128})(?:\(\))?(?:\+(?P<dec>\d{1,6}))?(?P<mod> {1,4}\[[\w-]{1,64}\])?\s*"
)
_AT_SOURCE = re.compile(
    # scripts/decode_stacktrace.sh: "fn (fs/inode.c:12)", "RIP: 0010:fn (fs/inode.c:12 fs/inode.c:8) mod"
    r"\s*(?P<what>RIP: (?:00[0-9a-f]{2}:)?|(?:pc|PC|lr|NIP) ?: ?)?(?P<doubt>\? )?"
    r"(?P<fn>[A-Za-z_][\w.]{1,128})(?:\+0x[0-9a-f/x]{1,20})?"
    r" {1,4}\((?P<src>[\w./+-]{1,200}\.(?:[chS]|rs):\d{1,6})[^()]{0,400}\)(?P<tail>.{0,80})"
)
_ARM = re.compile(
    r"\s*(?:\[<[0-9a-f]{8}>\] )?\((?P<fn>[A-Za-z_][\w.]{1,128})\)"
    r" from (?:\[<[0-9a-f]{8}>\] )?\((?P<caller>[A-Za-z_][\w.]{1,128})\)\s*"
)
_MASKED = re.compile(r"\+0x(?:\.{2,3}|x{2,8}|X{2,8})(?:/0x(?:\.{2,3}|x{2,8}|X{2,8}|[0-9a-f]{1,6}))?")
_CALLED = re.compile(r"( in [A-Za-z_]\w{2,128})\(\)(?= |$)")
_FRAME = re.compile(r".{0,60}[A-Za-z_.$][\w.$]{0,200}\+0x[0-9a-f]{1,6}\b")
_OFFSET = re.compile(r"[\w.$]\+0x[0-9a-f]{1,6}\b")
_SYMBOL = re.compile(r"\s*(?:\? )?[A-Za-z_][\w.]{0,128} [\w./+-]{1,200}\.(?:[chS]|rs):\d+\b")
_CRASH = re.compile(r"\s*#\s*\d{1,3} \[[0-9a-f]{8,16}\] [A-Za-z_.$]")
_CRASH_BARE = re.compile(r"\s*(?P<fn>[A-Za-z_.$][\w.$]{0,128}) at (?:0x)?[0-9a-f]{8,16}(?P<mod> \[[\w-]{1,64}\])?\s*")
_UNSAID = re.compile(r"kmemleak: \d{1,9} new suspected memory leaks|task:\S.{0,18} state:[A-Z] ")
"""Lines that would name another kind of report than the one whose stack is quoted under them."""
_EXCEPTION = re.compile(r"\s*\[exception [RE]IP: (?P<fn>[A-Za-z_.$][\w.$]{0,128})\+(?P<off>(?:0x)?[0-9a-f]{1,6})\]\s*")
_UNFINISHED = re.compile(r"(?: in| at| by| by task| address:| for address:| of size \d{1,9} at addr)\s*")
_TAIL = re.compile(
    r"\s*(?:\[[A-Za-z_][\w-]{1,64}\]|[\w./+-]{1,200}\.(?:[chS]|rs):\d{1,6}(?: .{0,40})?|/0x[0-9a-f]{1,6}.{0,80})\s*"
)
_MARKS = re.compile(r"\s*(?:</?[A-Z]{2,8}>|-{3} interrupt.*|={3,} .*)\s*")
_WORDS = re.compile(r"\s*[A-Z]?[a-z']{2,20}(?: [a-z'\"(),-]{1,20}){3,}")
"""A sentence: what a person wrote, not printk."""

_CONTEXT = 60
"""Lines after a headline or the head of a stack in which entries of a stack belong to it."""
_LONGEST = 200_000
"""Characters of a text that are looked at."""


def splats(text: str, source: str = "-") -> list[Report]:
    """The reports that a text quotes, in order, parsed as far as they go.

    Args:
        text: Prose: a commit message, a mail's body, a CVE record.
        source: Its name, for the reports.

    Returns:
        Reports with a stack or a headline. Frames that were quoted without offset have None there.
    """
    if not _HINT.search(text):
        return []
    found = [_plain(parse(splat)) for splat in split_lines(printed(text), source)]
    return [report for report in found if report.kind != "unknown" or len(report.frames) > 1]


_HINT = re.compile(
    r"\+0x[0-9a-f]|[Cc]all [Tt]race|\bBUG\b|WARNING|Oops|\b[Ff]ault\b|KASAN|UBSAN|KMSAN|KCSAN|lockup|blocked for|INFO:"
    r"|detected|allocation failure|oom-killer|panic|Unable to handle|\[[0-9a-f]{16}\]|[Bb]acktrace|RIP|page state"
    r"|NULL pointer"
)
"""A text without any of these holds no report: 3 of 4 commit messages are done here."""


def has_splat(text: str) -> bool:
    """A cheap test: False means that :func:`splats` finds nothing."""
    return _HINT.search(text) is not None


def identifies(report: Report) -> bool:
    """Whether a quoted report says enough to recognise the problem by: a function, not only a kind."""
    return report.function is not None


def printed(text: str) -> Iterator[Line | None]:
    """The lines of a text as printk would have printed them; None where prose ends what was quoted."""
    lines = _rejoined(_unquoted(text[:_LONGEST]))
    writer = _Writer()
    previous_blank = False
    for index, (number, line) in enumerate(lines):
        if not line.strip():
            previous_blank = True
            continue
        if previous_blank and _WORDS.match(line) and not _FRAME.match(line) and classifier()(line) is None:
            yield None  # a new paragraph of prose: the quotation is over
            writer.leave()
        previous_blank = False
        following = next((other for _, other in lines[index + 1 : index + 3] if other.strip()), "")
        for made in writer.lines(line, following):
            yield Line(made, number, number, line.encode("utf-8", "surrogateescape") + b"\n")


def _unquoted(text: str) -> Iterator[tuple[int, str]]:
    """Physical lines by number, without quote marks, stamps and elisions."""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw[:4096]
        quote = _QUOTE.match(line)
        if quote is not None:
            line = line[quote.end() :]
        if _ELISION.fullmatch(line):
            continue
        shell = _SHELL.match(line)
        if shell is not None:
            line = line[shell.end() :]
        logread = _LOGREAD.match(line)
        if logread is not None:
            line = line[logread.end() :]
        stripped = line.lstrip()
        prefix = strip(stripped)
        if prefix.end:
            line = " " + stripped[prefix.end :]
        untold = _UNTOLD.match(line)
        if untold is not None:
            line = " " + line[untold.end() :]
        cut = _CUT_STAMP.match(line)
        if cut is not None:
            line = " " + line[cut.end() :]
        if "+0x" in line:
            line = _MASKED.sub("+0x0/0x0", line)
        yield number, line.rstrip()


def _rejoined(lines: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
    """Lines that an editor wrapped, whole again: a headline that ends in "in", a module on a line of its own."""
    out: list[tuple[int, str]] = []
    for number, line in lines:
        if out and line.strip():
            last_number, last = out[-1]
            if last_number == number - 1 and last.strip():
                unfinished = _UNFINISHED.search(last[-40:])
                ends = unfinished is not None and unfinished.end() == len(last[-40:])
                if (
                    (ends and _is_head(last))
                    or (_TAIL.fullmatch(line) and _OFFSET.search(last) and "[" not in last[20:])
                    or (_AT_LINE.fullmatch(last) and _AT_FUNCTION.match(line))
                    or _completes(last, line)
                ):
                    glue = "" if line.lstrip().startswith("/0x") else " "
                    out[-1] = (number, f"{last.rstrip()}{glue}{line.strip()}")
                    continue
        out.append((number, line))
    return out


def _completes(first: str, second: str) -> bool:
    """True where only both lines together are a headline."""
    if not _is_head(first):
        return False
    joined = f"{first.strip()} {second.strip()}"
    return classify(Line(first, 1, 1, b"")) is None and classify(Line(joined, 1, 1, b"")) is not None


def _is_head(line: str) -> bool:
    return re.match(r"\s*(?:BUG|WARNING|INFO|RIP|Unable|KASAN|UBSAN|general|Read|Write)\b", line) is not None


class _Writer:
    """Turns what people write of a stack into what printk writes; knows whether a stack is being quoted."""

    def __init__(self) -> None:
        self.stack = False
        self.since = _CONTEXT

    def leave(self) -> None:
        """Prose begins."""
        self.stack = False
        self.since = _CONTEXT

    def lines(self, line: str, following: str) -> Iterator[str]:
        """What a line becomes; an entry of a stack may need a head before it."""
        self.since += 1
        if self.since >= _CONTEXT and _UNSAID.match(line.lstrip()):
            return
        if _HEAD.fullmatch(line):
            plain = classifier()(line) == "TRACE_HEAD" and not (self.since >= _CONTEXT and _LEAK_HEAD.match(line))
            self.stack, self.since = True, 0
            yield line if plain else "Call Trace:"
            return
        entry = self._entry(line, following)
        if entry:
            yield from entry
            return
        if _CRASH.match(line) or _FRAME.match(line):
            yield from self._head(following, line)
            self.stack = True
            yield line if _is_head(line) else f" {line.strip()}"
            return
        called = _CALLED.sub(r"\1", line)
        if classify(Line(called, 1, 1, b"")) is not None:
            self.since, self.stack = 0, False
            line = called
        yield f" {line.strip()}" if _SYMBOL.match(line) else line

    def _entry(self, line: str, following: str) -> list[str]:
        """An entry of a stack that printk would have written otherwise; empty where the line is none."""
        at = _CRASH_BARE.fullmatch(line)
        if at is not None and (self.stack or self.since < _CONTEXT):
            return [_frame(at["fn"], 0, at["mod"] or "")]
        exception = _EXCEPTION.fullmatch(line)
        if exception is not None:
            offset = exception["off"]
            return [_frame(exception["fn"], int(offset, 16 if offset.startswith("0x") else 10))]
        source = _AT_SOURCE.fullmatch(line)
        if source is not None and (self.stack or source["what"] or self.since < _CONTEXT):
            self.stack, self.since = True, 0
            if source["what"]:
                return [f"{source['what'].strip()} {_frame(source['fn'], 0).strip()} {source['src']}{source['tail']}"]
            return [_frame(source["fn"], 0, f" {source['src']}{source['tail']}", doubt=source["doubt"])]
        arm = _ARM.fullmatch(line)
        if arm is not None:
            last = [] if _ARM.fullmatch(following) else [_frame(arm["caller"], 0)]
            return [*self._head(f"{arm['fn']}+0x0", line), _frame(arm["fn"], 0), *last]
        pc = _PC.fullmatch(line)
        if pc is not None and ("_" in pc["fn"] or pc["mod"]):
            self.stack, self.since = True, 0
            return [f"RIP: 0010:{_frame(pc['fn'], 0).strip()}{pc['mod'] or ''}"]
        bare = _BARE.fullmatch(line) if self.stack and not _MARKS.fullmatch(line) else None
        if bare is not None and _looks_like_function(bare):
            return [_frame(bare["fn"], int(bare["dec"] or 0), bare["mod"] or "", doubt=bare["doubt"])]
        return []

    def _head(self, following: str, line: str) -> list[str]:
        """The head of a stack, where somebody cut it off and at least two entries follow each other."""
        if self.since < _CONTEXT or _is_head(line) or line.lstrip().startswith(_REGISTERS):
            return []
        if not (_CRASH.match(following) or _FRAME.match(following) or _CRASH.match(line)):
            return []
        self.since = 0
        return ["Call Trace:"]


_REGISTERS = ("RIP", "pc ", "lr ", "PC ", "LR ", "NIP", "EIP", "IP")


def _frame(function: str, offset: int, tail: str = "", doubt: str | None = None) -> str:
    """An entry as x86 prints it; the size 0 says that the offset was not quoted."""
    return f" {'? ' if doubt else ''}{function}+0x{offset:x}/0x0{tail}"


def _looks_like_function(bare: "re.Match[str]") -> bool:
    """A name alone on a line within a stack: more than an English word."""
    name = bare["fn"]
    return (
        "_" in name
        or bare["mod"] is not None
        or bare[0].rstrip().endswith(")")
        or name in _PLAIN
        or bare["dec"] is not None
    )


_PLAIN = frozenset(
    "schedule kthread panic kfree kmalloc vfree iput dput fput read write ioctl open close execve bind sendmsg umount"
    " mount lookup die start secondary writepages readahead truncate notify".split()
)


def _plain(report: Report) -> Report:
    """Without the offsets that were made up to make the grammar read the line."""
    if not any(_made_up(frame) for trace in report.traces for frame in trace.frames) and not (
        report.registers is not None and report.registers.frame is not None and _made_up(report.registers.frame)
    ):
        return report
    return replace(report, traces=tuple(map(_trace, report.traces)), registers=_registers(report.registers))


def _made_up(frame: Frame) -> bool:
    return frame.size == 0


def _bare(frame: Frame) -> Frame:
    return replace(frame, offset=frame.offset or None, size=None) if _made_up(frame) else frame


def _trace(trace: Trace) -> Trace:
    return replace(trace, frames=tuple(map(_bare, trace.frames)))


def _registers(registers: Registers | None) -> Registers | None:
    if registers is None or registers.frame is None:
        return registers
    return replace(registers, frame=_bare(registers.frame))
