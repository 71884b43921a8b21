"""What is uncertain of a report that was printed while another was: said in words."""

from collections.abc import Iterable

from kb.model.log import Splat
from kb.model.report import Frame

_MOST = 3
"""Reports named: a machine of a hundred CPUs may print as many at once."""


def doubtful(splat: Splat) -> str | None:
    """Why the report may hold lines of another, or lack some of its own; None where nothing is uncertain."""
    parts = []
    others = list(dict.fromkeys(doubt.other for doubt in splat.doubts))
    for other in others[:_MOST]:
        mine = _ranges(doubt.line for doubt in splat.doubts if doubt.other == other and doubt.own)
        theirs = _ranges(doubt.line for doubt in splat.doubts if doubt.other == other and not doubt.own)
        said = [f"{mine} may be its"] if mine else []
        said += [f"{theirs} may be of this one"] if theirs else []
        parts.append(f"interleaved with the report at line {other}: {', '.join(said)}")
    if len(others) > _MOST:
        parts.append(f"and with {len(others) - _MOST} more")
    return "; ".join(parts) or None


def blame(because: str, frame: Frame | None, splat: Splat) -> str:
    """Why a frame is blamed, and that it may be another report's, where it may."""
    line = frame.line if frame is not None else 0
    other = next((doubt.other for doubt in splat.doubts if doubt.own and doubt.line == line), None)
    if other is not None:
        return f"{because}; uncertain: line {line} may belong to the report at line {other}"
    if splat.doubts:
        return f"{because}; uncertain: another report is printed between its lines"
    return because


def _ranges(lines: Iterable[int]) -> str:
    """``line 4``, ``lines 4-6, 9``."""
    spans: list[list[int]] = []
    for line in sorted(set(lines)):
        if spans and line <= spans[-1][1] + 1:
            spans[-1][1] = line
        else:
            spans.append([line, line])
    if not spans:
        return ""
    shown = [f"{first}-{last}" if last > first else str(first) for first, last in spans[:8]]
    more = f" and {len(spans) - 8} more" if len(spans) > 8 else ""
    single = len(spans) == 1 and spans[0][0] == spans[0][1]
    return f"line{'' if single else 's'} {', '.join(shown)}{more}"
