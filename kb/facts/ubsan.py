"""What an index was too large for: the type of the array that UBSAN prints, and how many elements it declares."""

import re

from kb.facts.finding import Finding
from kb.model.number import number
from kb.model.report import Report

_INDEX = re.compile(
    r"\s*index (?P<index>-?\d{1,20}) is out of range for type '(?P<type>[^']{1,200}?) ?\[(?P<size>\d{0,20})\]'"
)
_NEAR = 16
"""Lines of a report among which it stands: lib/ubsan.c prints it directly under the headline."""


def ubsan_facts(report: Report) -> Finding:
    """``ubsan.index``, ``ubsan.type``, ``ubsan.elements`` of "index %s is out of range for type %s" (lib/ubsan.c)."""
    out = Finding()
    for line in report.lines[:_NEAR]:
        found = _INDEX.match(line.text)
        if found is not None:
            where = ((line.number, line.last),)
            out.add("ubsan.index", number(found["index"]), where)
            out.add("ubsan.type", found["type"], where)
            out.add("ubsan.elements", number(found["size"] or "0"), where)
            break
    return out
