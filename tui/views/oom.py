"""An OOM kill: who held the memory, whom the kernel could choose, by which arithmetic."""

from collections.abc import Callable, Iterator
from typing import Any

from kb.pictures.draw import size
from kb.pictures.holders import holders
from kb.pictures.tables.scores import Scored, Scores, scores
from kb.render.safe import width as cells
from kb.tui.panes.rows import Entry, Row, clip
from kb.tui.views.allocation import Sliders, free_blocks, memory, request
from kb.tui.views.view import (
    WORDS,
    Scene,
    View,
    around,
    bar,
    decoded,
    head,
    label,
    line,
    prose,
    reasons,
    section,
    stacks,
)

_COLUMNS: tuple[tuple[str, int, Callable[[Scored], Any]], ...] = (
    ("points", 9, lambda row: row.points),
    ("rss", 9, lambda row: row.rss),
    ("swap", 9, lambda row: row.swap),
    ("tables", 9, lambda row: row.tables),
    ("adj", 6, lambda row: row.adj),
    ("uid", 7, lambda row: row.uid),
    ("pid", 8, lambda row: row.pid),
)
"""Name, cells and value of a column; those in front stay where room is short."""
_NAMED = 18
_SIZES = ("rss", "swap", "tables")


class OomView(View):
    """Bars by holder, the task table, the zones."""

    TITLE = "Memory"

    def __init__(self, scene: Scene):
        super().__init__(scene)
        self.scores: Scores | None = scores(self.found)
        self.sliders = Sliders.of(self.found)
        self.by, self.reverse = 0, False
        self._made: tuple[int, dict[Scored, list[Entry]]] | None = None  # rows of a width: sorting only moves them
        if self.scores is not None and all(row.points is None for row in self.scores.tasks):
            self.by = 1

    def rows(self, width: int) -> Iterator[Entry]:
        """Holders, limits, tasks, sliders and walk."""
        yield from request(self.found.facts.detail, width)
        yield from self._holders(width)
        yield from self._limits(width)
        if self.scores is not None:
            yield from self._tasks(self.scores, width)
        else:
            yield from section("Killed", self._victims(width))
        yield from memory(self.found, self.sliders, width)

    def rest(self, width: int) -> Iterator[Entry]:
        """Free blocks, why, stack, values, what stands around it."""
        yield from free_blocks(self.found, width)
        yield from section("Why", reasons(self.found, width, "oom", "victim", "score", "limit", "memory", "zone"))
        yield from stacks(self.report)
        yield from decoded(self.found, width)
        yield from around(self.scene, width)

    @property
    def keys(self) -> tuple[str, ...]:
        """The table's, the sliders'."""
        sorts = ("sort", "reverse") if self.scores is not None else ()
        return sorts + (Sliders.KEYS if self.sliders is not None else ())

    def press(self, key: str, entry: Entry | None) -> bool:
        """Sort, or move a slider."""
        if key == "sort" and self.scores is not None:
            self.by, self.reverse = (self.by + 1) % (len(_COLUMNS) + 1), False
            return True
        if key == "reverse" and self.scores is not None:
            self.reverse = not self.reverse
            return True
        return self.sliders is not None and self.sliders.press(key, entry)

    def _holders(self, width: int) -> Iterator[Entry]:
        told = holders(self.found)
        if told is None:
            return
        yield head(told.head(WORDS))
        fact = self.found.facts.get("oom.total_kb") or self.found.facts.get("oom.memcg_anon_kb")
        where = fact.evidence if fact is not None else ()
        most = max(kb for _, kb in told.parts)
        room = max(8, width - 40)
        for name, kb in told.parts:
            share = f"{kb / told.total:6.0%}" if told.total else ""
            row = [(label(name.replace("_", " ")), "key"), *bar(kb, most, room, "dim" if name == "free" else "good")]
            yield Entry([*row, (f" {size(kb):>10}{share}", "")], where, more=f"{name}: {kb} kB{share}")

    def _limits(self, width: int) -> Iterator[Entry]:
        usage = [row for row in self.found.facts.detail.get("usage") or () if row["limit_kb"] < 1 << 42]
        group = self.found.facts.detail.get("memcg")
        rows = []
        for row in usage:
            fact = self.found.facts.get(f"oom.{row['name'].replace('+', '_')}_usage_kb")
            full = row["usage_kb"] >= row["limit_kb"] > 0
            text = f" {size(row['usage_kb'])} of {size(row['limit_kb'])}, hit {row['failcnt']} times"
            room = max(8, min(40, width - 22 - cells(text)))
            drawn = bar(row["usage_kb"], max(row["limit_kb"], 1), room, "bad" if full else "good")
            rows.append(
                Entry(
                    [(label(row["name"]), "key"), *drawn, (text, "")], fact.evidence if fact else (), more=text.strip()
                )
            )
        yield from section(f"Limits of {group}" if group else "Limits", rows)

    def _tasks(self, told: Scores, width: int) -> Iterator[Entry]:
        """The table, the victim's arithmetic under its row."""
        rows = self._sorted(told)
        room = max(10, min(_NAMED, width - 20))
        columns = []
        left = width - room - 4
        for column in _COLUMNS:
            if left < column[1]:
                break
            columns.append(column)
            left -= column[1]
        by = ("name", *(name for name, _, _ in _COLUMNS))[(self.by + 1) % (len(_COLUMNS) + 1)]
        yield head(f"{len(rows)} tasks by {by} (s: next column, S: reverse)")
        if told.rule is not None:
            text = f"points = {WORDS.say(told.rule)}"
            if told.allowed:
                text += f"; total = {told.allowed} pages" + (
                    f" ({WORDS.say(told.allowed_from)})" if told.allowed_from else ""
                )
            yield from prose(text, width, "dim")
        if told.why_not is not None:
            yield from prose(WORDS.say(told.why_not), width, "warn", [(" ? ", "warn")])
        heads: Row = [("   " + clip("task" + self._arrow("name", by), room), "dim")]
        heads += [
            ((name + self._arrow(name, by)).rjust(wide), "key" if name == by else "dim") for name, wide, _ in columns
        ]
        yield Entry(heads, plain=True)
        if self._made is None or self._made[0] != width:
            self._made = width, {}
        made = self._made[1]
        for row in rows:
            if row not in made:
                made[row] = list(self._task(row, columns, room, width))
            yield from made[row]

    def _arrow(self, name: str, by: str) -> str:
        return "" if name != by else "▲" if self.reverse != (name == "name") else "▼"

    def _sorted(self, told: Scores) -> list[Scored]:
        if self.by == len(_COLUMNS):
            return sorted(told.tasks, key=lambda row: row.name.lower(), reverse=self.reverse)
        value = _COLUMNS[self.by][2]
        known = [row for row in told.tasks if value(row) is not None]
        known.sort(key=value, reverse=not self.reverse)
        return [*known, *(row for row in told.tasks if value(row) is None)]

    def _task(self, row: Scored, columns: list[Any], room: int, width: int) -> Iterator[Entry]:
        role = "bad" if row.victim else ""
        made: Row = [(" ✗ " if row.victim else "   ", role), (clip(row.name, room), role)]
        for name, wide, value in columns:
            number = value(row)
            text = "-" if number is None else size(number) if name in _SIZES else str(number)
            made.append((text.rjust(wide), role))
        points = f"{WORDS.say(row.sum)}" if row.sum is not None else "not ranked: it may not be killed"
        more = f"{row.name} (pid {row.pid}, uid {row.uid}){': killed' if row.victim else ''}\n{points}"
        yield Entry(made, line(row.line), more=more)
        if row.victim:
            killed = "killed: " + (points if row.sum is not None else "no points: its oom_score_adj says never")
            if self.scores is not None and self.scores.rank is not None:
                rank = self.scores.rank
                killed += "; no task has more" if rank == 1 else f"; {rank - 1} tasks have more"
            yield from prose(killed, width, "bad", [("   └ ", "bad")], line(row.line), more)

    def _victims(self, width: int) -> Iterator[Entry]:
        for victim in self.found.facts.detail.get("victims") or ():
            parts = [f"{name} {size(victim[key])}" for name, key in _RSS if victim.get(key) is not None]
            if victim.get("oom_score_adj") is not None:
                parts.append(f"oom_score_adj {victim['oom_score_adj']}")
            where = tuple((first, last) for first, last in victim["evidence"])
            yield from prose(
                f"{victim['comm']} (pid {victim['pid']}): {', '.join(parts)}", width, "bad", [(" ✗ ", "bad")], where
            )


_RSS = (("anon", "anon_rss_kb"), ("file", "file_rss_kb"), ("shmem", "shmem_rss_kb"))
