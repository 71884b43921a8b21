"""Splat -> report: the grammars' reading put together, titled, blamed and checked for damage."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from kb.model.log import Line, Splat
from kb.model.number import number
from kb.model.report import Report, Trace
from kb.parse import guilty
from kb.parse.outline import Outline, outline
from kb.split.doubt import blame, doubtful
from kb.syntax.frames import plain
from kb.syntax.headline import Headline, Row, classify, refine, rows

_MEMORY_KINDS = frozenset(
    {"page_allocation_failure", "allocation_stall", "vmalloc_failure", "slub_failure", "percpu_failure", "oom_kill"}
)
_MEMORY_HINT = re.compile(r"Mem-Info|active_anon|lowmem_reserve|\d+\*\d+kB")
_NUMBER = re.compile(r"\b\d+\b")
_DIGITS = re.compile(r"\d+")
_OFFSET = re.compile(r"\+0x[0-9a-f]{1,8}/0x[0-9a-f]{1,8}\b")
"""Where in a function: differs with every build."""
_ADDRESS = re.compile(r"\b(?:0x)?[0-9a-f]{8,16}\b|0x[0-9a-f]+\b")
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
    lines = tuple(map(_bounded, splat.lines))
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
    title, alt = _titles(row, {**fields, "origin": guilty.origin(out) or ""}, guilt)
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
        function=guilt.function if guilt else None,
        module=_module(guilt, fields),
        chosen_because=blame(guilt.because, guilt.frame, splat) if guilt else _unblamed(row),
        corrupted=corrupted,
        kernel=fields.get("kernel") or splat.release,
        arch=arch,
        comm=fields.get("comm"),
        pid=_int(fields.get("pid")),
        cpu=_int(fields.get("cpu")),
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


_LONGEST = 4096
"""Characters of a line that are looked at: printk's own bound is 1 kB (2 kB for /dev/kmsg writers)."""
_RUN = re.compile(r"([0-9a-fA-F]{128})[0-9a-fA-F]+|(\w{512})\w+")
"""A number or a name longer than any the kernel prints: 64 bytes by ``%*phN``, 512 by KSYM_NAME_LEN (v6.1)."""


def _bounded(line: Line) -> Line:
    """A line in which every number and every name has a bound; ``raw`` stays as it is."""
    if len(line.text) <= 128:  # nearly all
        return line
    text = _RUN.sub(lambda found: found[1] or found[2], line.text[:_LONGEST])
    return line if text == line.text else line._replace(text=text)


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


def _titles(row: Row, fields: Mapping[str, str], guilt: guilty.Guilt | None) -> tuple[str, tuple[str, ...]]:
    """The title and the alternative titles; ``corrupted`` stands where the function is lost, as on syzbot."""
    values = _Values(fields)
    values["fn"] = guilt.function if guilt else "corrupted"
    if row.needs and row.needs not in fields:
        where = f" in {fields['fn']}" if "fn" in fields else ""
        text = _ADDRESS.sub("ADDR", fields.get("what", "") + where + fields.get("rest", ""))
        return f"{row.title.split(':')[0]}: {_NUMBER.sub('NUM', text)}", ()
    if row.kind == "oom_kill":
        values |= _oom(fields)
    sides = [plain(fields[name]) for name in ("fn", "fn2") if name in fields]
    values["pair"] = " / ".join(sides) or "corrupted"
    if row.kind == "fuzzer":
        values["what"] = _DIGITS.sub("NUM", values["what"])
    title = row.title.format_map(values)
    title = title.replace(": order: in ", " in ")  # of a headline that is lost
    alt: list[str] = []
    for name in (values["fn"], *(guilt.aliases if guilt else ())):
        values["fn"] = name
        forms = (form for form in (row.title, *row.alt) if "{origin}" not in form or values["origin"])
        alt += [made for form in forms if (made := form.format_map(values)) != title]
    return title.strip().removesuffix(" in"), tuple(dict.fromkeys(alt))


_LIMITS = {
    "CONSTRAINT_MEMCG": "memory cgroup",
    "CONSTRAINT_CPUSET": "cpuset",
    "CONSTRAINT_MEMORY_POLICY": "memory policy",
}


def _oom(fields: Mapping[str, str]) -> dict[str, str]:
    """What names an OOM kill: the limit that was reached (old kernels say it in the kill line only) and the victim."""
    cgroup = fields.get("reason", "").startswith("Memory cgroup")
    limit = _LIMITS.get(fields.get("constraint", ""), "memory cgroup" if cgroup else "global")
    return {"limit": limit, "victim": fields.get("victim") or fields.get("task") or "nobody"}


class _Values(dict[str, str]):
    """Fields for a title: addresses and numbers of free text made alike, absent ones left out."""

    def __missing__(self, name: str) -> str:
        return ""

    def __init__(self, fields: Mapping[str, str]):
        super().__init__(fields)
        if "what" in fields:
            alike = _NUMBER.sub("NUM", _ADDRESS.sub("ADDR", _OFFSET.sub("", fields["what"])))
            self["what"] = alike.rstrip(". ").replace("_error", " error")


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


def _int(text: str | None) -> int | None:
    return number(text) if text and text.lstrip("-").isdecimal() else None


def _with_memory(report: Report) -> Report:
    """The allocator's state, for the kinds that print it."""
    if report.kind not in _MEMORY_KINDS or not any(_MEMORY_HINT.search(line.text) for line in report.lines):
        return report
    from kb.parse.memory.meminfo import parse_meminfo

    return replace(report, memory=parse_meminfo(report.lines))
