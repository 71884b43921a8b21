"""What is uncertain of a report that was printed while another was."""

from collections.abc import Iterable

from kb.model.log import Splat
from kb.model.report import Frame
from kb.model.said import Said
from kb.words.speak import said

_MOST = 3
"""Reports named: a machine of a hundred CPUs may print as many at once."""


def doubtful(splat: Splat) -> tuple[Said, ...]:
    """Why the report may hold lines of another, or lack some of its own; nothing where all is certain."""
    parts = []
    others = list(dict.fromkeys(doubt.other for doubt in splat.doubts))
    for other in others[:_MOST]:
        mine = _ranges(doubt.line for doubt in splat.doubts if doubt.other == other and doubt.own)
        theirs = _ranges(doubt.line for doubt in splat.doubts if doubt.other == other and not doubt.own)
        whose = [said("doubt.may_be_its", lines=mine)] if mine else []
        whose += [said("doubt.may_be_of_this", lines=theirs)] if theirs else []
        parts.append(said("damage.interleaved", line=other, whose=whose))
    if len(others) > _MOST:
        parts.append(said("damage.interleaved_more", reports=len(others) - _MOST))
    return tuple(parts)


def doubted(frame: Frame | None, splat: Splat) -> tuple[Said, ...]:
    """That a frame that is blamed may be another report's, where it may."""
    line = frame.line if frame is not None else 0
    other = next((doubt.other for doubt in splat.doubts if doubt.own and doubt.line == line), None)
    if other is not None:
        return (said("doubt.line", line=line, other_line=other),)
    return (said("doubt.between"),) if splat.doubts else ()


def _ranges(lines: Iterable[int]) -> Said | None:
    """``line 4``, ``lines 4-6, 9``; None for no line."""
    spans: list[list[int]] = []
    for line in sorted(set(lines)):
        if spans and line <= spans[-1][1] + 1:
            spans[-1][1] = line
        else:
            spans.append([line, line])
    if not spans:
        return None
    if len(spans) == 1 and spans[0][0] == spans[0][1]:
        return said("lines.one", line=spans[0][0])
    return said("lines.ranges", ranges=[f"{first}-{last}" if last > first else str(first) for first, last in spans])
