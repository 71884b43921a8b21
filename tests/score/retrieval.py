"""Splats of vulns/ as another kernel would print them: does each find its own case first?

Each quoted splat is rendered again with other offsets, sizes and addresses, other prefixes, compiler suffixes added,
one frame inlined away, foreign lines between and its end cut off, then read as a log and looked up among all imported
cases and some seven hundred other stacks. Beside kb's ranking stand plain ones over the same stacks: Jaccard's index of
the frames, satyr's edit distance, and a weighted one in the form of TraceSim's.
"""

from __future__ import annotations

import math
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from kb.api import read
from kb.imports import build, vulns
from kb.imports.prose import splats
from kb.model.report import Report
from kb.model.stack import Stack
from kb.recall import nearest, query_of
from kb.store import Store
from kb.store.imports import Imports
from kb.store.similar import Stacks

SEED = 20261122
_OFFSET = re.compile(r"\+0x[0-9a-f]+/0x[0-9a-f]+")
_ADDRESS = re.compile(r"\b(?:ffff[0-9a-f]{12}|[89c-f][0-9a-f]{7})\b")
_ENTRY = re.compile(r"^\s*(?:\? )?[A-Za-z_][\w.]*\+0x|^\s*\[<[0-9a-f]+>\]")
_FOREIGN = (
    "eth0: link becomes ready", "usb 1-1: new high-speed USB device number 4 using xhci_hcd",
    "audit: backlog limit exceeded",
    "systemd[1]: Started Session 42 of user root.", "nf_conntrack: table full, dropping packet",
)  # fmt: skip
_SUFFIXES = (".isra.0", ".constprop.0", ".part.0", ".cold", ".llvm.1234567")


VARIANTS = ("re-rendered", "top frame gone", "half the stack gone")


def render(lines: Sequence[str], dice: random.Random, variant: str = VARIANTS[0]) -> bytes:
    """The lines as a kernel with other code, loaded elsewhere, would print them on a console."""
    entries = [index for index, line in enumerate(lines) if _ENTRY.match(line)]
    gone = _gone(lines, entries, dice, variant)
    stamp, out = 100 + dice.random() * 1000, []
    for index, line in enumerate(lines):
        if index in gone:
            continue
        line = _OFFSET.sub(lambda _: f"+0x{dice.randrange(1, 1 << 10):x}/0x{dice.randrange(1 << 10, 1 << 12):x}", line)
        line = _ADDRESS.sub(lambda found: found[0][:4] + f"{dice.randrange(1 << 48):012x}"[: len(found[0]) - 4], line)
        if index in entries and dice.random() < 0.2:
            line = re.sub(r"\+0x", dice.choice(_SUFFIXES) + "+0x", line, count=1)
        stamp += 0.00001
        out.append(f"[{stamp:12.6f}] {line}")
        if dice.random() < 0.05:
            out.append(f"[{stamp:12.6f}] {dice.choice(_FOREIGN)}")
    return ("\n".join(out) + "\n").encode("utf-8", "surrogateescape")


def _gone(lines: Sequence[str], entries: Sequence[int], dice: random.Random, variant: str) -> set[int]:
    """Lines that are not printed: always one frame and the end of a stack, and what the variant takes away."""
    gone: set[int] = set()
    if variant == "top frame gone" and len(entries) > 2:
        gone.add(next((index for index in entries if "? " not in lines[index]), entries[0]))
    if variant == "half the stack gone" and len(entries) > 4:
        gone.update(entries[len(entries) // 2 :])
    left = [index for index in entries if index not in gone]
    if len(left) > 3:
        gone.add(dice.choice(left))
    if len(left) > 5:
        gone.update(left[-dice.randint(1, len(left) // 4) :])
    return gone


Ranking = Callable[[Report], list[str | None]]


def jaccard(entries: Sequence[Stack]) -> Ranking:
    """Cases by the plain Jaccard index of the frames."""

    def order(report: Report) -> list[str | None]:
        ours = set(query_of(report).frames)
        marks = [(len(ours & set(e.frames)) / (len(ours | set(e.frames)) or 1), e.case or "") for e in entries]
        return _cases(marks)

    return order


def tracesim(entries: Sequence[Stack], alpha: float = 0.5, beta: float = 1.0) -> Ranking:
    """Cases by 1 - weighted Levenshtein distance, weights as TraceSim defines them (without learned thresholds)."""
    held = Counter(name for entry in entries for name in set(entry.frames))

    def weights(frames: Sequence[str]) -> list[float]:
        return [math.log(1 + len(entries) / (held[n] + 1)) ** beta / (1 + i) ** alpha for i, n in enumerate(frames)]

    def distance(left: Sequence[str], right: Sequence[str]) -> float:
        ours, theirs = weights(left), weights(right)
        row = [0.0]
        for weight in theirs:
            row.append(row[-1] + weight)
        for i, name in enumerate(left):
            last, row = row, [row[0] + ours[i]]
            for j, other in enumerate(right):
                swap = last[j] + (0.0 if name == other else ours[i] + theirs[j])
                row.append(min(swap, last[j + 1] + ours[i], row[j] + theirs[j]))
        return row[-1] / ((sum(ours) + sum(theirs)) or 1)

    def order(report: Report) -> list[str | None]:
        frames = query_of(report).frames
        return _cases([(1 - distance(frames, entry.frames), entry.case or "") for entry in entries])

    return order


def levenshtein(entries: Sequence[Stack]) -> Ranking:
    """Cases by the plain edit distance of the first sixteen frames, as satyr's default."""

    def distance(left: Sequence[str], right: Sequence[str]) -> float:
        row = list(range(len(right) + 1))
        for i, name in enumerate(left, 1):
            last, row = row, [i]
            for j, other in enumerate(right):
                row.append(min(last[j] + (name != other), last[j + 1] + 1, row[j] + 1))
        return row[-1] / (max(len(left), len(right)) or 1)

    def order(report: Report) -> list[str | None]:
        frames = query_of(report).frames[:16]
        return _cases([(1 - distance(frames, entry.frames[:16]), entry.case or "") for entry in entries])

    return order


def _cases(marks: list[tuple[float, str]]) -> list[str | None]:
    return list(dict.fromkeys(case for score, case in sorted(marks, key=lambda mark: (-mark[0], mark[1])) if score > 0))


def tasks(corpus: Path) -> Iterator[tuple[str, Report]]:
    """Each splat of vulns/ that says enough to be recognised: its case and itself."""
    for path in vulns.records(corpus / "vulns"):
        text = path.read_text(encoding="utf-8", errors="replace")
        for report in build.useful(splats(vulns.description(text), path.stem)):
            yield path.stem.lower(), report


def others(corpus: Path) -> Iterator[Stack]:
    """Stacks of other problems, to confuse: reports of syzkaller/ and of commits/, each a case of its own."""
    reports = [
        report
        for path in sorted((corpus / "syzkaller").glob("*.log"))
        for report in build.useful(read(path))
    ]  # fmt: skip
    for path in sorted((corpus / "commits").glob("*.txt")):
        for text in dict.fromkeys(path.read_text(encoding="utf-8", errors="replace").split("\n=====\n")):
            reports += build.useful(splats(text, path.stem))
    for number, report in enumerate(reports):
        yield from build.stacks(f"other-{number}", [report])


def rows(corpus: Path) -> list[dict[str, str]]:
    """The table, for ``make score``; empty where the corpus has no vulns/."""
    if not (corpus / "vulns").is_dir():
        return []
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "kb.db") as store:
        found, stacks = Imports(store), Stacks(store)
        found.put(item for item in vulns.items(corpus / "vulns", {}) if item is not None)
        known = [row for case in found for row in stacks.of_case(case.id)]
        extra = list(others(corpus))
        stacks.add(extra)
        known += extra
        rankings: dict[str, Ranking] = {
            "kb": lambda report: [near.entry.case for near in nearest(store, query_of(report), cases=True)],
            "TraceSim-like": tracesim(known),
            "satyr-like": levenshtein(known),
            "Jaccard": jaccard(known),
        }
        return [row for variant in VARIANTS for row in _variant(corpus, variant, rankings, len(known))]


def _variant(corpus: Path, variant: str, rankings: dict[str, Ranking], known: int) -> list[dict[str, str]]:
    dice = random.Random(SEED)
    wanted = list(tasks(corpus))
    queries = [
        (case, seen)
        for case, report in wanted
        for seen in list(read(render([line.text for line in report.lines], dice, variant)))[:1]
    ]  # fmt: skip
    return [
        {"splats": variant, **_row(name, ranking, queries, len(wanted), known)} for name, ranking in rankings.items()
    ]


def _row(
    name: str, ranking: Ranking, queries: list[tuple[str, Report]], total: int, known: int
) -> dict[str, str]:  # fmt: skip
    """A row of the table; a splat that nothing was read of counts as not found."""
    started, first, five, misses = time.process_time(), 0, 0, []
    for case, report in queries:
        order = ranking(report)[:5]
        first += order[:1] == [case]
        five += case in order
        if order[:1] != [case]:
            misses.append((case, report.title, order[:2]))
    took = (time.process_time() - started) / max(1, len(queries))
    MISSES.setdefault(name, []).extend(misses)
    return {
        "ranking": name,
        "of": str(total),
        "stacks": str(known),
        "top-1": f"{100 * first / total:.1f}%",
        "top-5": f"{100 * five / total:.1f}%",
        "ms": f"{1000 * took:.1f}",
    }


MISSES: dict[str, list[tuple[str, str, list[str | None]]]] = {}
"""What the last run did not find first, by ranking: case, title, what came instead."""


if __name__ == "__main__":
    import sys

    for each in rows(Path(sys.argv[1])):
        print(each)
    for miss in MISSES.get("kb", []):
        print(*miss)
