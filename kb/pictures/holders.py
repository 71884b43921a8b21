"""Where the memory was when the OOM killer ran: by holder, and the largest tasks with the one that was killed."""

from dataclasses import dataclass

from kb.facts.oom.cgroup import held
from kb.model.memory import size as kb_of
from kb.model.verdict import Diagnosis
from kb.parse.memory.oom import parse_oom
from kb.pictures.draw import ROWS, Drawing, Part, Row, bar_rows, bars, size
from kb.words.speak import Words

_APART = ("total", "shmem", "mlocked", "swap_total", "swap_free")
_WITHIN = {"shmem": "anon", "mlocked": "unevictable"}
"""What is counted with another holder, and is drawn apart from it."""


@dataclass(frozen=True, slots=True)
class Holders:
    """Memory by who holds it, kB, largest first; ``free`` is one of them."""

    parts: tuple[tuple[str, int], ...]
    total: int | None
    """Of the machine; None for a memory cgroup."""

    def head(self, words: Words) -> str:
        """What it shows."""
        if self.total is None:
            return words("picture.holders_cgroup")
        return words("picture.holders", total=size(self.total))

    def drawn(self, words: Words) -> Drawing:
        """A bar a holder."""
        return bars(self._parts(words))

    def rows(self, words: Words) -> list[Row]:
        """A line a holder."""
        return bar_rows(self._parts(words))

    def _parts(self, words: Words) -> list[Part]:
        whole = self.total or 0
        return [
            Part(
                words.word(name.replace("_", " ")).strip(),
                kb,
                size(kb) + (f"  {kb / whole:.0%}" if whole else ""),
                "dim" if name == "free" else "have",
            )
            for name, kb in self.parts
        ]


@dataclass(frozen=True, slots=True)
class Task:
    """A task of the OOM killer's table."""

    name: str
    pid: int
    rss: int
    """kB"""
    adj: int | None
    """oom_score_adj"""
    victim: bool


@dataclass(frozen=True, slots=True)
class Tasks:
    """The largest tasks, and the victim wherever it stands, by resident memory."""

    tasks: tuple[Task, ...]
    count: int
    """Tasks of the table."""

    def head(self, words: Words) -> str:
        """What it shows."""
        return words("picture.tasks", count=self.count)

    def drawn(self, words: Words) -> Drawing:
        """A bar a task."""
        return bars(self._parts(words))

    def rows(self, words: Words) -> list[Row]:
        """A line a task."""
        return bar_rows(self._parts(words))

    def _parts(self, words: Words) -> list[Part]:
        return [
            Part(
                f"{task.name}/{task.pid}",
                task.rss,
                size(task.rss)
                + (f"  adj {task.adj}" if task.adj else "")
                + (f"  ✗ {words('picture.killed')}" if task.victim else ""),
                "mark" if task.victim else "have",
            )
            for task in self.tasks
        ]


def holders(found: Diagnosis) -> Holders | None:
    """Who held the memory; of a cgroup that reached its limit what its statistics tell."""
    detail = found.facts.detail
    memory = detail.get("memory_kb")
    if memory:
        parts = {name: kb for name, kb in memory.items() if name not in _APART and isinstance(kb, int) and kb > 0}
        for name, within in _WITHIN.items():
            inside = min(memory.get(name) or 0, parts.get(within, 0))
            if inside:
                parts[name] = inside
                parts[within] -= inside
        return _held({name: kb for name, kb in parts.items() if kb}, memory["total"])
    if found.report.kind != "oom_kill":
        return None
    group = held(parse_oom(found.report.lines))
    if group is None:
        return None
    unnamed = group.unnamed_kb or 0
    return _held({**group.parts, **({"unaccounted": unnamed} if unnamed > 0 else {})}, None)


def _held(parts: dict[str, int], total: int | None) -> Holders | None:
    return Holders(tuple(sorted(parts.items(), key=lambda part: -part[1])), total) if parts else None


def tasks(found: Diagnosis) -> Tasks | None:
    """The task table of an OOM kill, None where it is not printed."""
    if found.report.kind != "oom_kill":
        return None
    oom = parse_oom(found.report.lines)
    killed = {victim.pid for victim in oom.victims} or (
        {oom.named_victim[1]} if oom.named_victim is not None else set()
    )
    page_kb = found.facts.detail.get("page_kb") or 4
    ranked = sorted(
        (Task(task.name, task.pid, kb_of(task.rss, page_kb), task.oom_score_adj, task.pid in killed)
         for task in oom.tasks),
        key=lambda task: -task.rss,
    )  # fmt: skip
    if not ranked:
        return None
    shown = ranked[:ROWS]
    if not any(task.victim for task in shown):
        shown = [*ranked[: ROWS - 1], *([task for task in ranked if task.victim][:1] or ranked[ROWS - 1 : ROWS])]
    return Tasks(tuple(shown), len(ranked))
