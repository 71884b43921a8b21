"""Where and when reports were seen: one row of the answer, that drops what says least where room is short."""

import re
from collections.abc import Iterator
from pathlib import PurePath

from kb.identity.group import Group, Seen
from kb.model.report import Report
from kb.render.advice import DEVICES
from kb.words.speak import Words

_STRIP = 20
"""Cells of the strip that shows when the reports of a group came."""
_BARS = "▁▂▃▄▅▆▇█"
_DRIVERS = ("driver", "driver2")
_CPUS, _HOSTS = 8, 4
_ISO = re.compile(r"^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)")
_CLOCK = re.compile(r"\d\d:\d\d:\d\d")

Item = tuple[str, int]
"""What is told, and how soon it is left out: the larger the sooner."""
_ALWAYS, _DEVICE, _WHEN, _HOST, _TASK, _KERNEL, _CPU, _PID, _LEAST = range(9)


def seen(report: Report, words: Words, group: Group | None, paths: bool) -> tuple[str, ...]:
    """Who, where and when: of one report its task, of several how many, from when to when, on which CPUs and hosts.

    Args:
        report: The first of the group.
        words: Of the language to say it in.
        group: The equal reports that it stands for.
        paths: There are several inputs: they are named as they were given, and as long as there is room for anything.

    Returns:
        All of it, then what is left of it, each shorter than the one before; empty where nothing is known.
    """
    several = group is not None and group.count > 1
    items = list(_times(group, words, paths) if several and group is not None else _one(report, words, group, paths))
    items = [item for item in items if item[0]]
    forms = [_joined(items)]
    for rank in range(_LEAST, _ALWAYS, -1):
        left = [item for item in items if item[1] < rank]
        if 0 < len(left) < len(items):
            forms.append(_joined(left))
    return tuple(dict.fromkeys(filter(None, forms)))


def _joined(items: list[Item]) -> str:
    return ", ".join(text for text, _ in items)


def _one(report: Report, words: Words, group: Group | None, paths: bool) -> Iterator[Item]:
    lead = group.lead if group is not None else None
    yield (words("seen.part", report=lead.number) if lead is not None else ""), _ALWAYS
    follows = report.follows is not None and lead is None
    yield (words("seen.follows", report=(report.follows or 0) + 1) if follows else ""), _ALWAYS
    yield _device(report, words), _DEVICE
    yield _name(report.source, paths), _DEVICE if paths else _LEAST
    yield clock(report.wall, report.time), _WHEN
    yield report.comm or "", _TASK
    yield f"pid {report.pid}" if report.pid is not None else "", _PID
    yield f"CPU {report.cpu}" if report.cpu is not None else "", _CPU
    yield (words("who.host", host=report.host) if report.host else ""), _HOST
    yield report.kernel or "", _KERNEL


def _device(report: Report, words: Words) -> str:
    """The disk, port or card that a report names, and its driver."""
    if report.kind == "notice":  # its line is printed whole
        return ""
    names = tuple(dict.fromkeys(report.fields[key].partition(": ")[0] for key in DEVICES if report.fields.get(key)))
    driver = next((report.fields[key] for key in _DRIVERS if key in report.fields), "")
    if not names:
        return ""
    return words("seen.driven", devices=names, driver=driver) if driver else words("seen.device", devices=names)


def _times(group: Group, words: Words, paths: bool) -> Iterator[Item]:
    each = group.seen
    first, last = (clock(one.wall, one.time) for one in (each[0], each[-1]))
    if first != last and first[:10] == last[:10] and _ISO.match(last.replace(" ", "T", 1)):
        last = last[11:]
    cpus = tuple(sorted({one.cpu for one in each if one.cpu is not None}))
    hosts = tuple(dict.fromkeys(one.host for one in each if one.host))
    names = tuple(dict.fromkeys(name for one in each if (name := _name(one.source, paths))))
    yield (words("seen.part", report=group.lead.number) if group.lead is not None else ""), _ALWAYS
    yield words("seen.count", count=group.count), _ALWAYS
    yield _device(group.first.report, words), _DEVICE
    yield (f"{first}-{last}" if first and first != last else first), _WHEN
    yield (words("seen.cpus", cpus=cpus[:_CPUS], more=more(cpus, _CPUS)) if cpus else ""), _CPU
    yield (words("seen.hosts", hosts=hosts[:_HOSTS], more=more(hosts, _HOSTS)) if hosts else ""), _HOST
    files = words("seen.files", files=names[:_HOSTS], more=more(names, _HOSTS)) if names else ""
    yield files, _DEVICE if paths else _LEAST
    strip = _strip(each)
    yield (words("seen.strip", strip=strip) if strip else ""), _PID


def _name(source: str, paths: bool) -> str:
    return "" if source == "-" else source if paths else PurePath(source).name or source


def more(items: tuple[object, ...], most: int) -> str:
    """How many items there are beyond the first so many: `` +3``."""
    return f" +{len(items) - most}" if len(items) > most else ""


def clock(wall: str | None, time: float | None) -> str:
    """The time of day where the transport tells it, else seconds since boot."""
    if wall:
        iso = _ISO.match(wall)
        return f"{iso[1]} {iso[2]}" if iso is not None else wall.strip()
    return f"{time:.3f} s" if time is not None else ""


def moments(each: list[Seen]) -> list[float]:
    """When reports came, in seconds from any point: by printk's stamps, else by times of day; empty where unknown."""
    stamps = [one.time for one in each if one.time is not None]
    if len(stamps) == len(each):
        return stamps
    clocks = [found[0] for one in each if (found := _CLOCK.search(one.wall or "")) is not None]
    if len(clocks) < len(each):
        return []
    return [sum(int(part) * unit for part, unit in zip(one.split(":"), (3600, 60, 1), strict=True)) for one in clocks]


def counted(times: list[float], cells: int) -> list[int]:
    """How many of some moments fall into each of so many equal parts of the time that they span."""
    start, end = min(times), max(times)
    counts = [0] * cells
    for each in times:
        counts[min(cells - 1, int((each - start) / (end - start or 1) * cells))] += 1
    return counts


def _strip(each: list[Seen]) -> str:
    """A strip of when the reports of a group came; empty for two, and where their times are not known."""
    times = moments(each)
    if len(times) < 3 or max(times) == min(times):
        return ""
    counts = counted(times, _STRIP)
    return "".join("·" if not one else _BARS[(one * len(_BARS) - 1) // max(counts)] for one in counts)
