"""Kinds that need no picture: their stack, or what their few lines say, decoded, and what happened around them."""

from collections.abc import Iterator

from kb.model.report import Report
from kb.tui.panes.rows import Entry
from kb.tui.views.view import View, around, code, decoded, printed, prose, reasons, section, stacks

SHORT = 12
"""Lines of a report that is shown as it was printed."""


class TraceView(View):
    """Why, the stack, the instructions, what happened around it, the values."""

    TITLE = "Trace"

    def rows(self, width: int) -> Iterator[Entry]:
        """All of it."""
        yield from _why(self, width)
        yield from stacks(self.report, 24)
        if len(self.report.lines) <= SHORT or not self.report.traces:
            yield from printed(self.found, width)
        yield from around(self.scene, width)
        yield from code(self.found, width)
        yield from decoded(self.found, width)


class FieldsView(View):
    """The values first: disks, machine checks, buses, file systems."""

    TITLE = "Decoded"

    def rows(self, width: int) -> Iterator[Entry]:
        """All of it."""
        yield from _why(self, width)
        yield from decoded(self.found, width)
        yield from printed(self.found, width)
        yield from stacks(self.report, 24)
        yield from around(self.scene, width)


def _why(view: View, width: int) -> Iterator[Entry]:
    facts = view.found.facts
    families = {reason.name.split(".")[0] for reason in facts.reasoning}
    rows = list(reasons(view.found, width, *families))
    if not rows and facts.summary:
        rows = list(prose(facts.summary, width, "key", [(" = ", "good")], headline(view.report)))
    return section("What it says", rows)


def headline(report: Report) -> tuple[tuple[int, int], ...]:
    """The line that names the bug."""
    return ((report.headline_line, report.headline_line),)
