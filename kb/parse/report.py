"""Splat -> report: the grammars' reading put together, titled, blamed and checked for damage."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from kb.kernel.numbers import number
from kb.model.log import Line, Splat
from kb.model.report import Report, Trace
from kb.parse import guilty
from kb.parse.outline import Outline, outline
from kb.parse.title import titles
from kb.split.doubt import blame, doubtful
from kb.syntax.frames import plain
from kb.syntax.headline import Headline, Row, classify, refine, rows

_MEMORY_KINDS = frozenset(
    {"page_allocation_failure", "allocation_stall", "vmalloc_failure", "slub_failure", "percpu_failure", "oom_kill"}
)
_MEMORY_HINT = re.compile(r"Mem-Info|active_anon|lowmem_reserve|\d\*\d{1,9}kB")
_STAMP = re.compile(r"\[ *\d+\.\d{6}\]")
_STACK_MARK = re.compile(r"[Cc]all [Tt]race|[Bb]acktrace|\+0x[0-9a-f]+/0x")
_HEADLESS = (
    # a stack whose headline is lost still tells what printed it
    (re.compile(r"^warn_alloc"), "PAGE_ALLOC"),
    (re.compile(r"^(?:oom_kill_process|out_of_memory)$"), "OOM_INVOKED"),
    (re.compile(r"^(?:watchdog_timer_fn)$"), "SOFT_LOCKUP"),
)


def parse(splat: Splat) -> Report:
    """Read a splat. Never raises for what a log may hold: damage becomes ``corrupted``."""
    lines = splat.lines
    out = outline(lines)
    heads = [(line, head) for line in lines if (head := classify(line)) is not None]
    opener = lines[splat.opener]
    head = next((head for line, head in heads if line is opener), None)
    fields, where = _fields(opener, head, heads, out)
    if head is None:
        head = _headless(out, opener)
    row = refine(head.row, {**head.fields, "note": " ".join(other.text for line, other in heads if line is not opener)})
    guilt = guilty.find(row, fields, out)
    damage = (_corrupted(row, fields, out, guilt, splat), doubtful(splat))
    corrupted = "; ".join(reason for reason in damage if reason) or None
    arch = _arch(lines)
    title, alt = titles(row, {**fields, "origin": guilty.origin(out) or ""}, guilt)
    report = Report(
        source=splat.source,
        lines=lines,
        kind=row.kind,
        subtype=row.subtype,
        headline=opener.text.strip(),
        headline_line=opener.number,
        title=title,
        alt_titles=alt,
        function=guilt.function if guilt else None,
        module=_module(guilt, fields),
        chosen_because=blame(guilt.because, guilt.frame, splat) if guilt else _unblamed(row),
        corrupted=corrupted,
        kernel=fields.get("kernel") or splat.release,
        arch=arch,
        comm=fields.get("comm"),
        pid=number(fields.get("pid")),
        cpu=number(fields.get("cpu")),
        time=opener.time,
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


def _traces(out: Outline) -> tuple[Trace, ...]:
    main = guilty.main_trace(out)
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
    return fields, where


def _headless(out: Outline, opener: Line) -> Headline:
    """A headline for a stack that has none: what its own frames say printed it, else ``unknown``."""
    trace = guilty.main_trace(out)
    for frame in trace.frames if trace else ():
        for pattern, name in _HEADLESS:
            if pattern.search(plain(frame.function)):
                return Headline(rows()[name], {}, opener.text)
    row = Row(name="UNKNOWN", kind="unknown", title="unknown report in {fn}", guilty=("pc", "trace"))
    return Headline(row, {}, opener.text)


def _unblamed(row: Row) -> str:
    return "this kind blames no function" if row.guilty == ("none",) else "no frame that could be blamed is in the log"


def _module(guilt: guilty.Guilt | None, fields: Mapping[str, str]) -> str | None:
    if guilt is None:
        return None
    if guilt.frame is not None and guilt.frame.module:
        return guilt.frame.module
    return fields.get("mod") if guilt.because == "named by the headline" else None


def _corrupted(
    row: Row, fields: Mapping[str, str], out: Outline, guilt: guilty.Guilt | None, splat: Splat
) -> str | None:
    """Why the report is damaged, None when it is whole."""
    if row.lost:
        return row.lost
    if row.needs and row.needs not in fields:
        return f"the line that names the {row.needs} is missing"
    if _STAMP.search(splat.lines[splat.opener].text):
        return "another line runs through the headline"
    if row.bare:
        return None
    if not out.traces and not any(_STACK_MARK.search(line.text) for line in splat.lines):
        return "no stack trace" if splat.truncated is None else f"no stack trace: {splat.truncated}"
    if out.trace_heads and not any(trace.frames for trace in out.traces):
        return "no frames in the stack trace"
    if guilt is None and row.guilty != ("none",):
        return "no frame that could be blamed"
    return None


def _arch(lines: Sequence[Line]) -> str | None:
    """The architecture by the words only it prints."""
    for line in lines:
        for pattern, name in _ARCHES:
            if pattern.match(line.text):
                return name
    return None


_ARCHES = (
    (re.compile(r"\s*(?:RIP: 00|RAX: |RIP  \[)"), "x86_64"),
    (re.compile(r"\s*(?:EIP: |EAX: )"), "i386"),
    (re.compile(r"\s*(?:pstate: |x29: |Mem abort info|  ESR = |pc : \[<[0-9a-f]{16}>\])"), "arm64"),
    (re.compile(r"\s*(?:pc : \[<[0-9a-f]{8}>\]|\[<[0-9a-f]{8}>\] \(|8<--- cut)"), "arm"),
    (re.compile(r"\s*(?:NIP[: ]|GPR00: )"), "ppc64"),
    (re.compile(r"\s*Krnl (?:PSW|GPRS|Code)"), "s390x"),
    (re.compile(r"\s*(?:epc : |status: [0-9a-f]{16} badaddr)"), "riscv"),
    (re.compile(r"\s*(?:epc   : |PrId  : )"), "mips"),
    (re.compile(r"\s*(?:ERA: |PRID: )"), "loongarch"),
    (re.compile(r"\s*(?:TSTATE: |TPC: )"), "sparc64"),
    (re.compile(r"\s*(?:IAOQ\[0\]|IASQ: )"), "parisc"),
)


def _with_memory(report: Report) -> Report:
    """The allocator's state, for the kinds that print it."""
    if report.kind not in _MEMORY_KINDS or not any(_MEMORY_HINT.search(line.text) for line in report.lines):
        return report
    from kb.parse.memory.meminfo import parse_meminfo

    return replace(report, memory=parse_meminfo(report.lines))
