"""The facts of a notice: what it means, how often it came, how severe it is."""

from kb.model.report import Report
from kb.model.verdict import Facts, Reason
from kb.parse.notice import classify


def notice_facts(report: Report) -> Facts:
    """Facts of one notice and its repetitions."""
    notice = classify(report.lines[0])
    if notice is None:  # made by hand, or by another version of kb
        return Facts(detail=dict(report.fields), summary=report.title)
    reason = Reason(notice.row.means, "holds", _often(report), tuple(line.span for line in report.lines))
    return Facts(detail={**report.fields, "severity": notice.row.severity}, reasoning=(reason,), summary=report.title)


def _often(report: Report) -> str:
    count = report.fields.get("count", "1")
    if count == "1":
        return "printed once"
    first, last = report.lines[0].time, report.lines[-1].time
    within = f" in {last - first:.0f} s" if first is not None and last is not None and last > first else ""
    return f"printed {count} times{within}"
