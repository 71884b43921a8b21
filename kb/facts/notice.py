"""The facts of a notice: what it means, how often it came, how severe it is."""

from kb.model.report import Report
from kb.model.said import Said
from kb.model.verdict import Facts, Reason
from kb.parse.notice import classify
from kb.words.speak import said


def notice_facts(report: Report) -> Facts:
    """Facts of one notice and its repetitions."""
    notice, title = classify(report.lines[0]), said("summary.report", title=report.title, where=None, module=None)
    if notice is None:  # made by hand, or by another version of kb
        return Facts(detail=dict(report.fields), conclusion=title)
    means = Said(f"notice.{notice.row.name.lower()}")
    reason = Reason(means, "holds", (_often(report),), tuple(line.span for line in report.lines))
    own = {"severity": notice.row.severity, **({"event": True} if notice.row.event else {})}
    return Facts(detail={**report.fields, **own}, reasoning=(reason,), conclusion=title)


def _often(report: Report) -> Said:
    count = int(report.fields.get("count", "1"))
    if count == 1:
        return said("printed.once")
    first, last = report.lines[0].time, report.lines[-1].time
    if first is None or last is None or last <= first:
        return said("printed.times", count=count)
    return said("printed.times_within", count=count, within_s=round(last - first))
