"""Command line: ``python -m tests.score CORPUS``; ``--help`` lists what it can compare."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.score.renderings import score_renderings
from tests.score.restamp import STYLES
from tests.score.run import Result, run
from tests.score.sets import Rows, Score, jobs_of, rows_of, score_real, score_restamp, score_syzkaller, score_vm
from tests.score.table import MEANING, against, as_json, columns, misses, table

Scorer = Callable[[Path, Rows, list[Result]], list[Score]]

SETS: dict[str, Scorer] = {
    "syzkaller": lambda folder, rows, results: score_syzkaller(rows, results),
    "real": lambda folder, rows, results: score_real(rows, results),
    "vm": score_vm,
}
"""Sets of labelled logs: folder of the corpus -> what holds its rows against what kb says."""

TABLES: dict[str, str] = {
    "pairs": "tests.score.pairs",
    "retrieval": "tests.score.retrieval",
    "verdicts": "tests.score.verdicts",
}
"""Measures with a table of their own: name -> module with ``rows(corpus: Path)``, left out while it is not there.

``pairs``: the allocator's verdicts against the kernel's (vm/pairs.jsonl). ``retrieval``: splats of vulns/, re-rendered,
find their own case. ``verdicts``: whether imported fixes say yes to their own and to no other.
A row is a sequence of cells; a mapping prints its values, with its keys as the head.
"""


def main(argv: list[str] | None = None) -> int:
    """Prints the table; the exit code is 0 whatever it says, since a compass fails nobody."""
    args = _arguments(argv)
    scores: list[Score] = []
    for name, scorer in SETS.items():
        folder = args.corpus / name
        if args.set not in (None, name):
            continue
        if not (folder / "index.jsonl").is_file():
            print(f"{name}: no {folder}/index.jsonl, left out", file=sys.stderr)
            continue
        scores += _score(folder, scorer, args.restamp)
    if scores:
        print(table(scores))
        if args.legend:
            print(f"\n{MEANING}")
    for name, module in TABLES.items():
        if args.set in (None, name):
            _own_table(name, module, args.corpus)
    if args.diff:
        print("\n" + misses(scores, None if args.diff == "all" else args.diff))
    if args.against:
        print("\n" + against(scores, args.against))
    if args.json:
        args.json.write_text(json.dumps(as_json(scores), indent=1, ensure_ascii=False), encoding="utf-8")
    return 0


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.score", description="How much of labelled logs kb sees.")
    parser.add_argument("corpus", type=Path, help="folder with syzkaller/, real/, vm/ ...")
    parser.add_argument("--set", help="only this one: " + ", ".join([*SETS, *TABLES]))
    parser.add_argument(
        "--diff", nargs="?", const="all", metavar="MEASURE", help="print every miss, or those of one measure"
    )
    parser.add_argument("--restamp", action="store_true", help="also as other transports bring it (7 more runs)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="save the result")
    parser.add_argument("--against", type=Path, metavar="FILE", help="compare with a saved result")
    parser.add_argument("--legend", action="store_true", help="say what the columns mean")
    return parser.parse_args(argv)


def _score(folder: Path, scorer: Scorer, restamp: bool) -> list[Score]:
    rows = rows_of(folder)
    results = list(run(jobs_of(folder, rows)))
    scores = scorer(folder, rows, results)
    if restamp and folder.name == "syzkaller":
        for style in STYLES:
            stamped = list(run(jobs_of(folder, rows, style)))
            scores.append(score_restamp(style, rows, results, stamped))
    if restamp and folder.name == "vm":
        scores.append(score_renderings(folder, rows, results))
    return scores


def _own_table(name: str, module: str, corpus: Path) -> None:
    try:
        found: Any = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        return
    rows = list(found.rows(corpus))
    if not rows:
        return
    cells: list[list[str]] = []
    if isinstance(rows[0], dict):
        cells.append([str(key) for key in rows[0]])
    cells += [[str(value) for value in (row.values() if isinstance(row, dict) else row)] for row in rows]
    print(f"\n{name}\n{columns(cells)}")


if __name__ == "__main__":
    sys.exit(main())
