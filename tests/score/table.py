"""How scores are printed, saved and compared."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.score.sets import Score

COLUMNS = (
    "found", "false", "title", "alt", "function", "kind", "memory", "cause", "labelled", "same", "precision", "recall",
)  # fmt: skip
MEANING = """\
found      reports that kb sees at all         false      reports on logs that hold none (0 is right)
title      exact title of the first report     alt        the row's alternative titles are all among kb's
function   guilty function                     kind       kind of report
memory     zones and free lists counted whole  cause      allocation failures and OOM kills given a cause
labelled   kb's reports that have a label (without one: a false report, or one the label's maker passed over)
same       title as in the log before it was re-stamped
precision, recall   pairs of logs: same exact key, same title"""


def cell(got: int, of: int) -> str:
    """``349/350 99.7%``, never rounded up to a hundred."""
    share = int(1000 * got / of) / 10
    return f"{got}/{of} {share:.1f}%"


def table(scores: Sequence[Score]) -> str:
    """One line a score, only the columns that some score has."""
    used = [name for name in COLUMNS if any(name in score.tallies for score in scores)]
    rows = [["set", "logs", *used, "errors", "slowest"]]
    for score in scores:
        cells = [
            "" if (tally := score.tallies.get(name)) is None or not tally.of
            else f"{tally.got}/{tally.of}" if name == "false"
            else cell(tally.got, tally.of)
            for name in used
        ]  # fmt: skip
        slow = f"{score.slowest[0]:.2f} s {score.slowest[1]}" if score.slowest[1] else ""
        rows.append([score.name, str(score.logs), *cells, str(score.errors), slow])
    return columns(rows)


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows of text as aligned columns, without blanks at line ends."""
    if not rows:
        return ""
    widths = [max(len(row[i]) if i < len(row) else 0 for row in rows) for i in range(max(map(len, rows)))]
    lines = ("  ".join(text.ljust(widths[i]) for i, text in enumerate(row)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def as_json(scores: Iterable[Score]) -> dict[str, Any]:
    """What ``--json`` saves."""
    return {
        score.name: {
            "logs": score.logs,
            "errors": score.errors,
            "tallies": {name: [tally.got, tally.of] for name, tally in score.tallies.items()},
            "misses": {miss.key: miss.got for miss in score.misses},
        }
        for score in scores
    }


def against(scores: Sequence[Score], path: Path) -> str:
    """What changed since ``--json`` wrote the file: tallies, then each miss that came or went."""
    before, lines = json.loads(path.read_text(encoding="utf-8")), []
    for score in scores:
        old = before.get(score.name)
        if old is None:
            continue
        for name, tally in score.tallies.items():
            was = old["tallies"].get(name)
            if was is not None and was != [tally.got, tally.of]:
                lines.append(f"{score.name} {name}: {was[0]}/{was[1]} -> {tally.got}/{tally.of}")
        now = {miss.key: miss.got for miss in score.misses}
        lines += [f"  worse   {key}\tgot {got}" for key, got in now.items() if key not in old["misses"]]
        lines += [f"  better  {key}\twas {was}" for key, was in old["misses"].items() if key not in now]
    return "\n".join(lines) or "nothing changed"


def misses(scores: Iterable[Score], measure: str | None = None) -> str:
    """Each miss: measure, file, expected, got."""
    lines = []
    for score in scores:
        for miss in score.misses:
            if measure in (None, miss.measure):
                lines.append(
                    f"{score.name}  {miss.measure}  {miss.file}\n    want {miss.expected}\n    got  {miss.got}"
                )
    return "\n".join(lines)
