"""Report -> event: what says "this very report", so that a log that is read again counts nothing twice.

A signature says that two reports are the same problem, an event that they are the same report. It is made of what the
log says and of nothing that kb makes of it, so that a newer version that titles or blames otherwise still knows what
was recorded.
"""

from kb.model.report import Report
from kb.parse.occurrence import clocked, words

_BEGINNING = 8
"""Lines of a report that name it besides its time. The end may be missing when a log is read while it is written, and
where a report ends is a judgement; the headline, the task and where the CPU was stand within these."""


def event(report: Report, source: str, host: str | None) -> str:
    """The name of the event that a report is.

    Source, host, boot (where the transport tells it) and printk time, with the beginning of the report. ``-`` is no
    source: there the whole text stands for it. Where printk prints no time, the transport's time of day does, with the
    whole text, and the place among equal reports of the input.

    Args:
        report: A report.
        source: Where the log came from.
        host: Host it happened on, where that is known.
    """
    boot = report.lines[0].boot if report.lines else None
    if clocked(report):
        text = words(report, None if source == "-" else _BEGINNING)
        return f"{(source, host, boot, report.time)}\n{text}"
    return f"{(source, host, boot, report.wall, report.occurrence)}\n{words(report)}"
