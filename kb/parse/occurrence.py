"""Which of the equal reports of an input a report is: where a log prints no time, nothing else tells them apart."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from kb.model.log import Line
from kb.model.report import Report


def clocked(report: Report) -> bool:
    """True where printk's stamp says when. It reads 0 until the clock runs: so do all early messages of every boot."""
    return bool(report.time)


def words(report: Report, most: int | None = None) -> str:
    """What a report says, the prefixes of its transport left out.

    Args:
        report: A report. Of a notice the first message counts: the others are repetitions, and more may come.
        most: Only so many lines, from the headline on.
    """
    if report.kind == "notice":
        return report.headline
    lines: Iterable[Line] = report.lines
    if most is not None:
        lines = islice((line for line in lines if line.number >= report.headline_line), most)
    return "\n".join([line.text.rstrip() for line in lines])


def tell_apart(reports: Iterable[Report]) -> Iterator[Report]:
    """The reports of one input, each without a time of its own with its ``occurrence`` among those equal to it."""
    before: Counter[tuple[bytes, str | None, str | None]] = Counter()
    for report in reports:
        if not clocked(report):
            text = words(report).encode("utf-8", "surrogateescape")
            name = (hashlib.sha256(text).digest(), report.host, report.wall)
            if before[name]:
                report = replace(report, occurrence=before[name])
            before[name] += 1
        yield report
