"""Whether an imported fix says yes where it should and nowhere else, with every CVE record of the corpus imported.

The splats of vulns/, rendered as another kernel would print them, have labels: the case they come from. A yes of
another case is wrong. The reports of real/ and syzkaller/ have none: what says yes there is counted and named
(``python -m tests.score.verdicts CORPUS``), for somebody to read.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

from kb.api import KnowledgeBase, read
from kb.imports import vulns
from kb.model.report import Report
from kb.model.verdict import Verdict
from kb.store.imports import Imports
from tests.score.retrieval import SEED, VARIANTS, render, tasks

LOGS = ("real", "syzkaller")


def rows(corpus: Path) -> list[dict[str, str]]:
    """The table, for ``make score``; empty where the corpus has no vulns/."""
    if not (corpus / "vulns").is_dir():
        return []
    with tempfile.TemporaryDirectory() as folder, KnowledgeBase(Path(folder) / "kb.db") as base:
        Imports(base.store).put(item for item in vulns.items(corpus / "vulns", {}) if item is not None)
        splats = [_splats(corpus, base, variant) for variant in VARIANTS]
        return [*splats, *(_logs(corpus, base, name) for name in LOGS)]


def _splats(corpus: Path, base: KnowledgeBase, variant: str) -> dict[str, str]:
    total, yes, maybe, wrong = 0, 0, 0, 0
    for case, report in tasks(corpus):
        dice = random.Random(f"{SEED} {total}")  # each its own: another reading of one changes no other
        total += 1
        for seen in list(read(render([line.text for line in report.lines], dice, variant)))[:1]:
            found = _verdicts(base, seen)
            yes += found.get(case) is Verdict.YES
            maybe += found.get(case) is Verdict.MAYBE
            wrong += any(verdict is Verdict.YES for other, verdict in found.items() if other != case)
    return _row(f"splats, {variant}", total, yes, maybe, str(wrong))


def _verdicts(base: KnowledgeBase, report: Report) -> dict[str, Verdict]:
    """What imported cases say of a report."""
    matches = base.diagnose(report).matches
    return {match.case.id: match.verdict for match in matches if match.case.status == "imported"}


def _logs(corpus: Path, base: KnowledgeBase, name: str) -> dict[str, str]:
    reports = yes = maybe = 0
    for path in sorted((corpus / name).glob("*.log")):
        for report in read(path):
            found = _verdicts(base, report)
            reports += 1
            yes += Verdict.YES in found.values()
            maybe += Verdict.MAYBE in found.values()
            SAID.extend((path.name, report.title, case) for case, said in found.items() if said is Verdict.YES)
    return _row(f"reports of {name}", reports, yes, maybe, "no labels")


def _row(of: str, total: int, yes: int, maybe: int, wrong: str) -> dict[str, str]:
    return {"imported fixes": of, "of": str(total), "yes": str(yes), "maybe": str(maybe), "wrong yes": wrong}


SAID: list[tuple[str, str, str]] = []
"""Each yes of the last run on a log: its name, the report's title, the case."""


def main(corpus: Path) -> Iterator[str]:
    """The table, then each yes on a log."""
    yield from map(str, rows(corpus))
    yield from (" ".join(said) for said in SAID)


if __name__ == "__main__":
    import sys

    print(*main(Path(sys.argv[1])), sep="\n")
