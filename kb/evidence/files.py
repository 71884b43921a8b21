"""Files beside a log: /proc/vmstat, buddyinfo, pagetypeinfo, zoneinfo, a trace, sysctl output.

Each is recognised by its content, never by its name, so that an operator may call them what they like.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from kb.evidence.machine import MACHINE_KINDS, Machine, kind_of, read_machine
from kb.log.scan import BOOT, find
from kb.log.transport import Rule, strip
from kb.model.memory import Zone
from kb.model.number import number

# kernel/trace/trace_output.c trace_print_context(): "%16s-%-7d [%03d] flags %5lu.%06lu: event: fields"
_EVENT = re.compile(
    r"\s*(?P<comm>\S.{0,30}?)-(?P<pid>\d{1,10})\s+(?:\(.{1,8}\)\s+)?\[(?P<cpu>\d{3,4})\]\s+(?:\S{4,5}\s+)?"
    r"(?P<time>\d{1,12}\.\d{1,9}): (?P<event>\w+): ?(?P<rest>.*)"
)
_FUNCTION = re.compile(
    r"\s*(?P<comm>\S.{0,30}?)-(?P<pid>\d{1,10})\s{1,8}.{0,40}?\b\d{1,12}\.\d{1,9}: (?P<fn>\w+) <-(?P<caller>\w+)"
)
_PAIR = re.compile(r"(?<!\w)(?P<name>\w+)=(?P<value>[^ ,]+)")
_VMSTAT = re.compile(r"(?P<name>[a-z][a-z0-9_]+) (?P<value>-?\d{1,20})")
_SYSCTL = re.compile(r"(?P<name>(?:vm|kernel|fs|net)(?:[./][\w./-]{1,120})) *= *(?P<value>.+)")


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a trace."""

    name: str
    comm: str
    pid: int
    time: float
    fields: Mapping[str, str]
    line: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One reading of /proc/vmstat: counters by name, and the line each stands on."""

    source: str
    """Name of the file, without its folder."""
    counters: Mapping[str, int]
    lines: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the files beside a log hold."""

    vmstat: tuple[Snapshot, ...] = ()
    """In the order given: the first is before, the last after."""
    zones: tuple[Zone, ...] = ()
    zones_source: str = ""
    """Name of the file that ``zones`` were read from."""
    machine: Machine = field(default_factory=Machine)
    events: tuple[Event, ...] = ()
    trace_source: str = ""
    sysctl: Mapping[str, str] = field(default_factory=dict)
    settings_source: str = ""
    """The file of the archive that ``sysctl`` was read from; empty for a file that somebody named."""
    unknown: tuple[str, ...] = ()
    """Names of files that are none of these, without their folders."""


def parse_evidence(files: Iterable[tuple[str, bytes]], *, members: bool = False) -> Evidence:
    """Read the files beside a log.

    Args:
        files: Name and content of each; order matters for /proc/vmstat (before, then after). Of a path only the last
            part is kept: facts quote the name, and a ticket is no place to tell how a server's folders are called.
        members: True for the members of an archive, whose places in it are kept.
    """
    vmstat: list[Snapshot] = []
    events: list[Event] = []
    sysctl: dict[str, str] = {}
    zones: tuple[Zone, ...] = ()
    unknown: list[str] = []
    trace_source = settings_source = ""
    texts: dict[str, str] = {}
    files_of: dict[str, tuple[str, str]] = {}
    zones_source = ""
    for path, data in files:
        inside = members and path
        name = inside or PurePath(path).name or path
        text = data.decode("utf-8", "replace")
        kind = recognise(text)
        if kind == "vmstat":
            vmstat += _snapshots(name, text)
        elif kind == "trace":
            events += _events(text)
            trace_source = name
        elif kind == "sysctl":
            settings_source = inside or ""
            sysctl |= {found["name"].replace("/", "."): found["value"].strip() for found in _SYSCTL.finditer(text)}
        elif kind in MACHINE_KINDS:
            files_of[kind] = (name, text)
        elif kind is not None:
            texts[kind] = text
            zones_source = zones_source if zones_source and kind != "zoneinfo" else name
        else:
            unknown.append(name)
    if texts:
        from kb.evidence.procfs import read_zones

        zones = read_zones(
            zoneinfo=texts.get("zoneinfo", ""),
            buddyinfo=texts.get("buddyinfo", ""),
            pagetypeinfo=texts.get("pagetypeinfo", ""),
        )
    return Evidence(
        vmstat=tuple(vmstat),
        zones=zones,
        zones_source=zones_source,
        machine=read_machine(files_of),
        events=tuple(events),
        trace_source=trace_source,
        sysctl=sysctl,
        settings_source=settings_source,
        unknown=tuple(unknown),
    )


def recognise(text: str) -> str | None:
    """Which file this is: ``vmstat``, ``buddyinfo``, ``pagetypeinfo``, ``zoneinfo``, ``trace``, ``sysctl``, one of
    ``MACHINE_KINDS``, or None.
    """
    head = text[:65536]
    if (machine := kind_of(head)) is not None:
        return machine
    if "Free pages count per migrate type" in head or re.search(r"zone +\w+, type +\w+", head):
        return "pagetypeinfo"
    if re.search(r"^Node \d+, zone +\w+\s*$", head, re.MULTILINE) and "pages free" in head:
        return "zoneinfo"
    if re.search(r"^Node \d+, zone +\w+( +\d+){4,}\s*$", head, re.MULTILINE):
        return "buddyinfo"
    lines = [line for line in head.splitlines() if line.strip() and not line.startswith(("#", "$"))]
    for kind, pattern in (("vmstat", _VMSTAT), ("sysctl", _SYSCTL)):
        if lines and sum(pattern.fullmatch(line.strip()) is not None for line in lines) > len(lines) / 2:
            return kind
    if any(_EVENT.match(line) or _FUNCTION.match(line) for line in lines[:2000]):
        return "trace"
    return None


def is_log(data: bytes) -> bool:
    """Whether it reads like a kernel log: something in it may open a report, or most lines bear a log's prefix."""
    if any(not data.startswith(BOOT, hit) for hit in find(data)):
        return True
    sticky: list[Rule] = []
    lines = [line for line in data[:65536].decode("utf-8", "replace").splitlines()[:200] if line.strip()]
    return sum(strip(line, sticky).rule is not None for line in lines) * 2 > len(lines)


def _snapshots(name: str, text: str) -> Iterator[Snapshot]:
    """Readings of one file: a counter that comes again begins the next reading."""
    counters: dict[str, int] = {}
    lines: dict[str, int] = {}
    for at, line in enumerate(text.splitlines(), 1):
        found = _VMSTAT.fullmatch(line.strip())
        if found is None:
            continue
        if found["name"] in counters:
            yield Snapshot(name, counters, lines)
            counters, lines = {}, {}
        counters[found["name"]] = number(found["value"]) or 0
        lines[found["name"]] = at
    if counters:
        yield Snapshot(name, counters, lines)


def _events(text: str) -> Iterator[Event]:
    for at, line in enumerate(text.splitlines(), 1):
        found = _EVENT.match(line)
        if found is not None:
            fields = {pair["name"]: pair["value"] for pair in _PAIR.finditer(found["rest"])}
            yield Event(found["event"], found["comm"], number(found["pid"]) or 0, float(found["time"]), fields, at)
            continue
        called = _FUNCTION.match(line)
        if called is not None:
            yield Event(
                f"call:{called['fn']}",
                called["comm"],
                number(called["pid"]) or 0,
                0.0,
                {"caller": called["caller"]},
                at,
            )
