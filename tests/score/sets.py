"""The sets of a corpus: what each row of an index.jsonl promises, and how a result is held against it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from tests.score.run import Job, Result, Seen

NEAR = 3
"""A label's line may lie this many lines before the first line that kb takes as the report's."""

FAMILY: dict[str, frozenset[str]] = {
    label: frozenset(kinds.split())
    for label, kinds in {
        "oops": "oops double_fault stack_guard stack_overflow kernel_bug cfi kasan panic",
        "gpf": "oops",
        "alloc_failure": "page_allocation_failure allocation_stall",
        "oom": "oom_kill",
        "oom_kill": "oom_kill",
        "hung_task": "hung_task",
        "panic": "panic",
        "warning": "warning lockdep rcu_usage netdev_watchdog",
        "soft_lockup": "soft_lockup",
        "hard_lockup": "hard_lockup",
        "rcu_stall": "rcu_stall",
        "bad_page": "bad_page",
        "workqueue_lockup": "workqueue_lockup",
        "slub_alloc": "slub_failure page_allocation_failure",
        "vmalloc_failure": "vmalloc_failure",
        "kernel_bug": "kernel_bug list_corruption oops",
        "bug_sleeping": "sleeping_in_atomic",
        "bug_scheduling": "scheduling_while_atomic",
        "ubsan": "ubsan",
        "kasan": "kasan",
        "kmsan": "kmsan",
        "lockdep": "lockdep",
        "mce": "mce hardware_error",
        "list_corruption": "list_corruption kernel_bug warning",
        "spinlock_bug": "spinlock_bug",
        "netdev_watchdog": "netdev_watchdog warning",
        "btrfs_error": "fs_error",
        "xfs_error": "fs_error",
        "ext4_error": "fs_error",
        "mem_deadlock": "panic oom_kill",
    }.items()
}
"""Label of real/ -> kinds of kb that are right for it; the first is the one meant, the others are the same event's."""

TITLE_KIND: tuple[tuple[str, str], ...] = (
    ("KASAN: ", "kasan"),
    ("KMSAN: ", "kmsan"),
    ("KCSAN: ", "kcsan"),
    ("KFENCE: ", "kfence"),
    ("UBSAN: ", "ubsan"),
    ("INFO: task hung", "hung_task"),
    ("INFO: rcu detected stall", "rcu_stall"),
    ("BUG: soft lockup", "soft_lockup"),
    ("kernel BUG ", "kernel_bug"),
    ("general protection fault in ", "oops"),
    ("BUG: unable to handle kernel", "oops"),
    ("divide error in ", "oops"),
    ("possible deadlock in ", "lockdep"),
    ("inconsistent lock state in ", "lockdep"),
    ("BUG: sleeping function called", "sleeping_in_atomic"),
    ("BUG: scheduling while atomic", "scheduling_while_atomic"),
    ("BUG: workqueue lockup", "workqueue_lockup"),
    ("BUG: bad page state", "bad_page"),
    ("WARNING in ", "warning"),
    ("memory leak in ", "memory_leak"),
    ("kernel panic: ", "panic"),
)
"""Openings of syzkaller titles whose kind is beyond doubt."""

NO_FAULT = frozenset({"sysrq", "user-fault", "kfree"})
"""Heads of vm/ that are no report of their own: dumps somebody asked for, a process's own fault, a line of a report."""


@dataclass
class Tally:
    """``got`` of ``of``."""

    got: int = 0
    of: int = 0

    def add(self, hit: bool) -> bool:
        """Counts one."""
        self.of += 1
        self.got += hit
        return hit


@dataclass(frozen=True)
class Miss:
    """One thing that a log promises and kb does not give."""

    measure: str
    file: str
    expected: str
    got: str

    @property
    def key(self) -> str:
        """What tells this miss from others, whatever was given instead."""
        return f"{self.measure}\t{self.file}\t{self.expected}"


@dataclass
class Score:
    """The measures of one row of the table."""

    name: str
    logs: int = 0
    tallies: dict[str, Tally] = field(default_factory=dict)
    misses: list[Miss] = field(default_factory=list)
    errors: int = 0
    slowest: tuple[float, str] = (0.0, "")

    def count(self, measure: str, file: str, hit: bool, expected: object, got: object) -> None:
        """Counts one measure of one log and keeps the miss."""
        if not self.tallies.setdefault(measure, Tally()).add(hit):
            self.misses.append(Miss(measure, file, str(expected), str(got)))

    def log(self, result: Result) -> None:
        """Counts one log: its errors and its time."""
        self.logs += 1
        self.slowest = max(self.slowest, (result.seconds, result.name))
        if result.error:
            self.errors += 1
            self.misses.append(Miss("error", result.name, "no error", result.error))


Rows = list[dict[str, Any]]


def rows_of(folder: Path) -> Rows:
    """The rows of a set's index."""
    with (folder / "index.jsonl").open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def jobs_of(folder: Path, rows: Rows, style: str | None = None) -> list[Job]:
    """One job a row."""
    return [Job(row["file"], folder / row["file"], style) for row in rows]


def _short(seen: Iterable[Seen]) -> str:
    return "; ".join(f"L{one.first} {one.title}" for one in list(seen)[:4]) or "nothing"


def _same_function(got: str | None, expected: Iterable[str]) -> bool:
    return got is not None and got in set(expected)


_IN = re.compile(r".* in (?P<function>[\w.:<>~]+)(?: / (?P<other>[\w.:<>~]+))?$")


def title_functions(title: str) -> tuple[str, ...]:
    """The function(s) a syzkaller title blames: what follows the last " in "; ``a / b`` of a data race."""
    found = _IN.fullmatch(title)
    return tuple(name for name in found.groups() if name) if found else ()


def score_syzkaller(rows: Rows, results: list[Result]) -> list[Score]:
    """A row's title is that of the first report; a row without title is a log without report."""
    whole, damaged, grouping = Score("syzkaller"), Score("syzkaller corrupted"), Score("syzkaller grouping")
    groups = []
    for row, result in zip(rows, results, strict=True):
        score = damaged if row.get("corrupted") else whole
        score.log(result)
        title, first = row.get("title"), result.seen[0] if result.seen else None
        if title is None:
            _clean(score, row["file"], result)
            continue
        score.count("found", row["file"], first is not None, title, "nothing")
        score.count("title", row["file"], first is not None and first.title == title, title, _short(result.seen))
        if row.get("alt"):
            ours = {first.title, *first.alt_titles} if first else set()
            score.count("alt", row["file"], set(row["alt"]) <= ours, sorted(row["alt"]), sorted(ours))
        blamed = (row["frame"],) if row.get("frame") else title_functions(title)
        if blamed and "corrupted" not in blamed:
            got = first.function if first else None
            score.count("function", row["file"], _same_function(got, blamed), " or ".join(blamed), got)
        kind = next((kind for start, kind in TITLE_KIND if title.startswith(start)), None)
        if kind:
            score.count("kind", row["file"], first is not None and first.kind == kind, kind, first and first.kind)
        if first and not row.get("corrupted"):
            groups.append((title, first.signature, row["file"]))
    _group(grouping, groups)
    return [whole, damaged, grouping]


def _clean(score: Score, file: str, result: Result) -> None:
    """A log without report: anything found in it is false."""
    tally = score.tallies.setdefault("false", Tally())
    tally.of += 1
    if result.seen:
        tally.got += 1
        score.misses.append(Miss("false", file, "no report", _short(result.seen)))


def _group(score: Score, groups: list[tuple[str, str, str]]) -> None:
    """Pairwise precision and recall of the exact key, titles being the truth."""
    score.logs = len(groups)
    score.tallies = {"precision": Tally(), "recall": Tally()}
    for (title, key, file), (other_title, other_key, other_file) in combinations(groups, 2):
        files = f"{file} {other_file}"
        if key == other_key:
            score.count("precision", files, title == other_title, title, other_title)
        if title == other_title:
            score.count("recall", files, key == other_key, f"one key for {title}", f"{key} {other_key}")


def _near(seen: Iterable[Seen], line: int, kinds: Iterable[str] = ()) -> Seen | None:
    """The report that stands at a labelled line: of the kinds meant if there is one, else the closest."""
    at = [one for one in seen if one.first <= line <= one.last or line <= one.first <= line + NEAR]
    return min(at, key=lambda one: (one.kind not in set(kinds), abs(one.headline - line)), default=None)


def score_real(rows: Rows, results: list[Result]) -> list[Score]:
    """Every labelled report is looked for at its line."""
    score = Score("real")
    for row, result in zip(rows, results, strict=True):
        score.log(result)
        if not row["reports"]:
            _clean(score, row["file"], result)
        for label in row["reports"]:
            _score_label(score, row["file"], label, result.seen)
        lines = [label["line"] for label in row["reports"]]
        for one in result.seen:
            known = any(one.first - NEAR <= line <= one.last for line in lines)
            score.count("labelled", row["file"], known, "a label", _short([one]))
    return [score]


def _score_label(score: Score, file: str, label: dict[str, Any], seen: tuple[Seen, ...]) -> None:
    kinds = FAMILY.get(label["type"], frozenset())
    where = f"{file}:{label['line']}"
    got = _near(seen, label["line"], kinds)
    score.count("found", where, got is not None, label["type"], _short(seen))
    score.count("kind", where, got is not None and got.kind in kinds, label["type"], got and got.kind)
    if "func" in label:
        name = got.function if got else None
        score.count("function", where, _same_function(name, [label["func"]]), label["func"], name)
    if label.get("zones"):
        ours = (got.zones, got.freelists) if got else (None, None)
        theirs = (label["zones"], label.get("freelists", ours[1]))
        score.count("memory", where, ours == theirs, f"zones, free lists {theirs}", ours)
    if label["type"] in ("alloc_failure", "oom", "vmalloc_failure", "slub_alloc"):
        score.count("cause", where, bool(got and got.cause), "a cause", got and got.cause)


_NAME = re.compile(r"kblab_\w+")


def score_vm(folder: Path, rows: Rows, results: list[Result]) -> list[Score]:
    """What was triggered must be named; the heads of ``reports`` must be covered."""
    score, guess = Score("vm"), Score("vm where (a guess)")
    for row, result in zip(rows, results, strict=True):
        score.log(result)
        file, heads = row["file"], [head for head in row["reports"] if head["kind"] not in NO_FAULT]
        if not row["reports"]:
            _clean(score, file, result)
        guess.logs += bool(heads)
        for head in heads:
            got = _near(result.seen, head["line"])
            where = f"{file}:{head['line']}"
            score.count("found", where, got is not None, head["head"][:70], _short(result.seen))
            if "where" in head:
                name = got.function if got else None
                guess.count("function", where, name == head["where"], head["where"], name)
            if head["kind"] in ("alloc-fail", "oom-kill", "vmalloc"):
                score.count("cause", where, bool(got and got.cause), "a cause", got and got.cause)
        # "a, b" are two reports, "a/b" is one of the two; only a name that stands in a stack can be asked for.
        text = (folder / file).read_bytes()
        guilty = {name for trigger in row["triggered"] for name in trigger["guilty"].split(", ")}
        for names in sorted(guilty):
            asked = [name for name in _NAME.findall(names) if f"{name}+0x".encode() in text]
            if asked:
                ours = {one.function for one in result.seen}
                score.count("function", file, bool(ours & set(asked)), "/".join(asked), sorted(map(str, ours)))
    return [score, guess]


def score_restamp(style: str, rows: Rows, plain: list[Result], stamped: list[Result]) -> Score:
    """Titles of the first reports against those of the log as it was, and against the labels."""
    score = Score(f"restamp {style}")
    for row, before, after in zip(rows, plain, stamped, strict=True):
        score.log(after)
        ours, theirs = _first(after), _first(before)
        # Two logs that could not be read are not the same answer.
        whole = not (before.error or after.error)
        score.count("same", row["file"], whole and ours == theirs, theirs, after.error or ours)
        if row.get("title") and not row.get("corrupted"):
            score.count("title", row["file"], ours == row["title"], row["title"], ours)
    return score


def _first(result: Result) -> str | None:
    return result.seen[0].title if result.seen else None
