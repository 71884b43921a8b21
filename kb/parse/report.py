"""Splat -> report: the grammars' reading put together, titled, blamed and checked for damage."""

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from kb.log.text import encoded
from kb.model.log import Line, Splat
from kb.model.number import number
from kb.model.report import Report, Trace
from kb.model.said import Said
from kb.parse import guilty
from kb.parse.guilt import Guilt, main_trace
from kb.parse.outline import Outline, outline
from kb.parse.title import apart, titles
from kb.split.doubt import doubted, doubtful
from kb.syntax.formats import is_format
from kb.syntax.frames import nameless, plain
from kb.syntax.headline import Headline, classify
from kb.syntax.kinds import Row, Trait, kind_of, printing, refine, rows
from kb.syntax.roles import classifier
from kb.words.speak import said

_MEMORY_HINT = re.compile(r"Mem-Info|active_anon|lowmem_reserve|\d\*\d{1,9}kB")
_STAMP = re.compile(r"\[ *\d+\.\d{6}\]")
_STACK_MARK = re.compile(r"[Cc]all [Tt]race|[Bb]acktrace|\+0x[0-9a-f]+/0x")


def parse(splat: Splat) -> Report:
    """Read a splat. Never raises for what a log may hold: it becomes ``damage``."""
    lines = tuple(map(bounded, splat.lines))
    out = outline(lines)
    heads = [(line, head) for line in lines if (head := classify(line)) is not None]
    opener = lines[splat.opener]
    head = next((head for line, head in heads if line is opener), None)
    fields, where = _fields(opener, head, heads, out)
    if head is None:
        head = _headless(out, opener)
    if head.row.guilty[0] in ("stall", "elsewhere") and "pid" not in fields:  # blamed is who was asked: so is who ran
        for name, (value, line) in out.answered.items():
            fields[name], where[name] = value, line
    if head.row.kind in printing("OOM"):
        _charge(out, fields, where)
    if Trait.MESSAGE in kind_of(head.row.kind).has:
        _message(lines, splat.opener, {id(line): _dies(other) for line, other in heads}, fields, where)
    row = refine(head.row, {**head.fields, "note": " ".join(other.text for line, other in heads if line is not opener)})
    guilt = guilty.find(row, fields, out)
    arch = _arch(lines)
    named = guilt is not None or not _nameless(lines, out)
    title, alt = titles(row, {**fields, "origin": guilty.origin(out) or ""}, guilt, named=named)
    title, *alternatives = (name.replace("\t", " ") for name in (title, *alt))
    report = Report(
        source=splat.source,
        lines=lines,
        kind=row.kind,
        subtype=row.subtype,
        headline=opener.text.strip(),
        headline_line=opener.number,
        title=title,
        alt_titles=tuple(alternatives),
        apart=apart(row, fields, guilt),
        function=guilt.function if guilt else None,
        module=_module(guilt, fields),
        guilt=(guilt.why, *doubted(guilt.frame, splat)) if guilt else (_unblamed(row),),
        damage=(*_damage(row, fields, out, guilt, splat), *doubtful(splat)),
        kernel=fields.get("kernel") or splat.release,
        arch=arch,
        comm=fields.get("comm"),
        pid=_int(fields.get("pid")),
        cpu=_int(fields.get("cpu")),
        time=_time(splat.lines, splat.opener),
        wall=opener.wall,
        host=opener.host,
        taint=fields.get("taint"),
        hardware=fields.get("hardware"),
        workqueue=fields.get("workqueue"),
        traces=_traces(out),
        registers=out.registers,
        fields=fields,
        field_lines=where,
        doubts=splat.doubts,
        understood=tuple(sorted({opener.number, *(line.number for line, _ in heads), *out.understood})),
    )
    return _with_memory(report)


def unexplained(text: str, number: int, source: str, release: str | None) -> Iterator[Report]:
    """The report that a line is of which nobody knows where its message begins: kept, and said to be so.

    None where the line is a format string: it was not printed.

    Args:
        text: The line, known prefixes off.
        number: Its physical line of the input, 1-based.
        source: Name of the input.
        release: Kernel release of the boot that it belongs to.
    """
    line = Line(text, number, number, encoded(text) + b"\n")
    if not is_format(line, {}):
        yield replace(parse(Splat(source, (line,), 0, release)), damage=(said("damage.prefix"),))


_LONGEST = 4096
"""Characters of a line that are looked at: printk's own bound is 1 kB (2 kB for /dev/kmsg writers)."""
_RUN = re.compile(r"(?P<number>)[0-9a-fA-F]{129,}|\w{513,}")
"""A number or a name longer than any the kernel prints: 64 bytes by ``%*phN``, 512 by KSYM_NAME_LEN (v6.1)."""


USUAL = 128
"""Characters of a line that nothing in it can be too long for: nearly all have fewer."""


def bounded(line: Line) -> Line:
    """A line in which every number and every name has a bound; ``raw`` stays as it is."""
    if len(line.text) <= USUAL:
        return line
    text = _cut(line.text[:_LONGEST])
    return line if text == line.text else line._replace(text=text)


@functools.lru_cache(maxsize=256)
def _cut(text: str) -> str:
    """A text with such bounds; the long lines of a storm are the same ones."""
    return _RUN.sub(lambda found: found[0][: 512 if found["number"] is None else 128], text)


def _traces(out: Outline) -> tuple[Trace, ...]:
    main = main_trace(out)
    if main is None or main.role == "main":
        return out.traces
    return tuple(replace(trace, role="main") if trace is main else trace for trace in out.traces)


def _fields(
    opener: Line, head: Headline | None, heads: Sequence[tuple[Line, Headline]], out: Outline
) -> tuple[dict[str, str], dict[str, int]]:
    """All named fields: the headline's own first, then single lines, then the other headlines of the report."""
    fields: dict[str, str] = {}
    where: dict[str, int] = {}

    def keep(values: Mapping[str, str], line: int | Mapping[str, int]) -> None:
        for name, value in values.items():
            if name not in fields and value != "":
                fields[name] = value
                where[name] = line if isinstance(line, int) else line[name]

    if head is not None:
        keep(head.fields, opener.number)
    keep(out.fields, out.field_lines)
    for line, other in heads:
        if line is not opener:
            keep(other.fields, line.number)
    if fields.get("comm", "") not in ("", out.fields.get("comm")):
        fields["comm"] = _comm(fields["comm"], out.fields.get("comm", ""))
    return fields, where


_COMM = 15
"""Characters of a task's name: TASK_COMM_LEN without its end (include/linux/sched.h)."""
_LEAD_IN = re.compile(r"[^\w<(\[{/]{1,16}(?=[\w<(\[{/])")
"""What stands before a name, where something else stands before that."""


def _comm(text: str, who: str) -> str:
    """The task that a headline begins with, without what somebody wrote before it.

    The stack's ``Comm:`` is the same ``current->comm``; where there is none, a name has so many characters at most.
    """
    if who and text.endswith(who) and not (text[-len(who) - 1].isalnum() and who[0].isalnum()):
        return who
    ends = (text[found.end() :] for found in _LEAD_IN.finditer(text))
    return text if len(text) <= _COMM else next((end for end in ends if len(end) <= _COMM), text)


_BEHIND_MESSAGE = frozenset({"MODULES", "CPU", "CPU_OLD", "HARDWARE", "CUT", "TRACE_HEAD"})
"""What the kernel prints behind the words of a warning, or Rust's behind those of a panic."""
_MESSAGE = 4
"""Lines that such words have at most."""


def _dies(head: Headline) -> bool:
    """Whether a headline says how the kernel goes on behind the words of a report, not what they say."""
    return head.row.kind in ("panic", "oops")


def _message(
    lines: Sequence[Line], opener: int, heads: dict[int, bool], fields: dict[str, str], where: dict[str, int]
) -> None:
    """Note the report's own words: between the cut mark and its headline, else between that and what follows it.

    ``heads`` are its headlines, and whether they say how the kernel goes on.
    """
    role = classifier()
    cut = next((at for at in range(opener - 1, -1, -1) if role(lines[at].text) == "CUT"), opener)
    words = [line for line in lines[cut + 1 : opener] if line.text.strip()]
    if not words:
        behind = [line for line in lines[opener + 1 : opener + 2 + 2 * _MESSAGE] if line.text.strip()][: _MESSAGE + 1]
        ends = [heads.get(id(line), role(line.text) is not None) for line in behind]
        end = ends.index(True) if True in ends else 0
        closed = end and (heads.get(id(behind[end])) or role(behind[end].text) in _BEHIND_MESSAGE)
        words = behind[:end] if closed else []
    if words:
        fields.setdefault("message", " ".join(line.text.strip() for line in words[:_MESSAGE]))
        where.setdefault("message", words[0].number)


_CHARGES = re.compile(
    r"(?:__)?(?:mem_cgroup_(?:out_of_memory|oom|handle_oom|oom_synchronize|try_charge|do_charge|charge)|try_charge(?:_memcg)?)$"
)
"""mm/memcontrol.c, v2.6.29 to v7.0: who runs the OOM killer for a cgroup, and for what."""


def _charge(out: Outline, fields: dict[str, str], where: dict[str, int]) -> None:
    """Note the function of the stack that charges memory to a cgroup: the limit is the cgroup's."""
    main = main_trace(out)
    for frame in main.frames if main is not None else ():
        if frame.reliable and _CHARGES.match(plain(frame.function)):
            fields.setdefault("charge", plain(frame.function))
            where.setdefault("charge", frame.line)
            return


def _headless(out: Outline, opener: Line) -> Headline:
    """A headline for a stack that has none: what its own frames say printed it, else ``unknown``."""
    trace = main_trace(out)
    telling = [(row, row.told_by) for row in rows().values() if row.told_by is not None]
    for frame in trace.frames if trace else ():
        for row, told_by in telling:
            if told_by.compiled.search(plain(frame.function)):
                return Headline(row, {}, opener.text)
    return Headline(rows()["HEADLESS"], {}, opener.text)


def _unblamed(row: Row) -> Said:
    return said("guilty.kind_blames_none") if row.guilty == ("none",) else said("guilty.no_frame")


def _module(guilt: Guilt | None, fields: Mapping[str, str]) -> str | None:
    if guilt is None:
        return None
    if guilt.frame is not None and guilt.frame.module:
        return guilt.frame.module
    return fields.get("mod") if guilt.why.name == "guilty.headline" else None


def _damage(row: Row, fields: Mapping[str, str], out: Outline, guilt: Guilt | None, splat: Splat) -> tuple[Said, ...]:
    """Why the report is damaged, nothing when it is whole."""
    if row.lost:
        return (said("damage.cause_not_in_log"),)
    if row.needs and row.needs not in fields:
        return (said("damage.line_missing", names=row.needs),)
    if _STAMP.search(splat.lines[splat.opener].text):
        return (said("damage.headline_run_through"),)
    if row.bare:
        return ()
    if row.name == "HEADLESS" and not out.traces:
        return (said("damage.memory_alone"),)
    if not out.traces and not any(_STACK_MARK.search(line.text) for line in splat.lines):
        if splat.truncated is None:
            return (said("damage.no_stack"),)
        return (said("damage.no_stack_cut", cut=splat.truncated),)
    if out.trace_heads and not any(trace.frames for trace in out.traces):
        return () if _nameless(splat.lines, out) else (said("damage.no_frames"),)
    if guilt is None and row.guilty != ("none",):
        return (said("damage.no_blame"),)
    return ()


def _time(lines: Sequence[Line], opener: int) -> float | None:
    """When the headline was printed; where a paste begins within its stamp, when the line after it was."""
    time = lines[opener].time
    if time is None and _CUT_STAMP.match(lines[opener].raw) and opener + 1 < len(lines):
        return lines[opener + 1].time
    return time


_CUT_STAMP = re.compile(rb"\d{1,10}\.\d{6}\] ")


def _nameless(lines: Sequence[Line], out: Outline) -> bool:
    """Whether the stack is one of addresses alone: the kernel has no symbols, and nothing of it is lost."""
    return not any(trace.frames for trace in out.traces) and any(nameless(line.text) is not None for line in lines)


def _arch(lines: Sequence[Line]) -> str | None:
    """The architecture by the words only it prints."""
    for line in lines:
        found = _ARCH.match(line.text)
        if found is not None:
            return found.lastgroup
    return None


_ARCH = re.compile(
    r"\s*(?:(?P<x86_64>RIP: 00|RAX: |RIP  \[)"
    r"|(?P<i386>EIP: |EAX: )"
    r"|(?P<arm64>pstate: |x29: |Mem abort info|  ESR = |pc : \[<[0-9a-f]{16}>\])"
    r"|(?P<arm>pc : \[<[0-9a-f]{8}>\]|\[<[0-9a-f]{8}>\] \(|8<--- cut)"
    r"|(?P<ppc64>NIP[: ]|GPR00: )"
    r"|(?P<s390x>Krnl (?:PSW|GPRS|Code))"
    r"|(?P<riscv>epc : |status: [0-9a-f]{16} badaddr)"
    r"|(?P<mips>epc   : |PrId  : )"
    r"|(?P<loongarch>ERA: |PRID: )"
    r"|(?P<sparc64>TSTATE: |TPC: )"
    r"|(?P<parisc>IAOQ\[0\]|IASQ: ))"
)


def _int(text: str | None) -> int | None:
    return number(text) if text and text.lstrip("-").isdecimal() else None


def _with_memory(report: Report) -> Report:
    """The allocator's state, for the kinds that print it."""
    if report.kind not in printing("MEMORY") or not any(_MEMORY_HINT.search(line.text) for line in report.lines):
        return report
    from kb.parse.memory.meminfo import parse_meminfo

    return replace(report, memory=parse_meminfo(report.lines))
