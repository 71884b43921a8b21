"""The OOM killer's report, as dump_header(), dump_tasks() and oom_kill_process() printed it from 2.6.32 to today.

:func:`parse_oom` takes the lines of a whole report. The memory block in its middle is :mod:`kb.parse.memory.meminfo`'s.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kb.kernel.numbers import number
from kb.model.log import Line
from kb.model.oom import OomReport, OomSlab, OomStats, OomUsage, OomVictim
from kb.parse.memory.records import bounded, prepare
from kb.parse.memory.tasks import read_tasks
from kb.syntax.lines import grammar, words
from kb.words.speak import said

_OLD_REASONS = {"memory cgroup": "memcg", "mpol_bind": "memory_policy", "cpuset": "cpuset"}
_CONSTRAINTS = {"NONE": "none", "CPUSET": "cpuset", "MEMORY_POLICY": "memory_policy", "MEMCG": "memcg"}


@dataclass(slots=True)
class _State:
    """What has been read so far."""

    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    usages: list[OomUsage] = field(default_factory=list)
    stats: list[OomStats] = field(default_factory=list)
    slabs: list[OomSlab] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    rows: list[tuple[int, str, int]] = field(default_factory=list)
    kills: list[tuple[Mapping[str, str], str, int]] = field(default_factory=list)
    reaped: list[int] = field(default_factory=list)
    unreaped: list[int] = field(default_factory=list)
    invoked: tuple[str, str] | None = None
    head: str = ""
    done: bool = False

    def put(self, name: str, value: Any, line: int, part: str) -> None:
        """Keep the first value of a name and where it stands."""
        if value is not None and name not in self.values:
            self.values[name] = value
        self.lines.setdefault(part, line)


def parse_oom(lines: Sequence[Line]) -> OomReport:
    """Read the first OOM report among the lines; an empty one when there is none."""
    state = _State()
    for token in grammar("oom").tokens(prepare(lines)):
        role = token.type
        if role == "INVOKED" and state.done:
            if state.invoked is not None:
                break
            state = _State()  # the kill before belongs to a report whose beginning is not here
        reader = _READERS.get(role)
        if reader is not None:
            reader(state, token.fields, token.line)
        if role not in _PIECES:
            state.head = role
    return _report(state)


def _report(state: _State) -> OomReport:
    """The frozen result."""
    values = state.values
    if state.invoked is not None:
        _request(state)
    if values.get("constraint") == "memcg" and state.stats and state.stats[0].path:
        values.setdefault("oom_memcg", state.stats[0].path)  # the first one printed is the group at its limit
    columns, tasks = read_tasks(state.columns, state.rows)
    victims = tuple(_victim(*kill) for kill in state.kills)
    fault = None
    if state.invoked is not None and not (victims or values.get("nobody") or values.get("panic")):
        fault = said("damage.before_kill")
    return OomReport(
        **values,
        usages=tuple(state.usages),
        stats=tuple(state.stats),
        slabs=tuple(state.slabs),
        columns=columns,
        tasks=tasks,
        victims=victims,
        reaped=tuple(state.reaped),
        unreaped=tuple(state.unreaped),
        field_lines=dict(state.lines),
        fault=fault,
    )


# ------------------------------------------------------------------------------------------------ lines


def _on_invoked(state: _State, fields: Mapping[str, str], line: Line) -> None:
    if state.invoked is None:
        state.invoked = (fields["comm"], fields.get("rest", ""))
        state.lines["invoked"] = line.number
        state.done = bool(state.kills)


def _on_invoked_rest(state: _State, fields: Mapping[str, str], _line: Line) -> None:
    if state.head == "INVOKED" and state.invoked is not None:
        comm, rest = state.invoked
        state.invoked = (comm, f"{rest} {fields['rest']}")


def _on_cpuset(state: _State, fields: Mapping[str, str], line: Line) -> None:
    state.put("cpuset", fields["cpuset"], line.number, "cpuset")
    state.put("mems_allowed", fields["mems"], line.number, "cpuset")


def _on_task_in(state: _State, fields: Mapping[str, str], line: Line) -> None:
    state.put("constraint", "memcg", line.number, "limit")
    state.put("task_memcg", fields.get("task"), line.number, "limit")
    state.put("oom_memcg", fields.get("limit") or fields.get("limit_alone"), line.number, "limit")


def _on_usage(state: _State, fields: Mapping[str, str], line: Line) -> None:
    state.lines.setdefault("usage", line.number)
    usage, limit, failures = (bounded(fields[name]) for name in ("usage", "limit", "failcnt"))
    found = OomUsage(fields["name"], usage, limit, failures, line.number)
    if all(known.name != found.name for known in state.usages):
        state.usages.append(found)


def _on_stats(state: _State, fields: Mapping[str, str], line: Line) -> None:
    values = {key: value for key, value in _words(fields.get("rest", "")).items() if isinstance(value, int)}
    state.stats.append(OomStats(fields.get("path", ""), values, line.number))
    state.lines.setdefault("stats", line.number)


def _on_stat(state: _State, fields: Mapping[str, str], _line: Line) -> None:
    """A counter of 5.2+: bytes, except event counts, whose names begin with the event."""
    if state.head != "MEMCG_STATS" or not state.stats:
        return
    key, value, last = fields["key"], bounded(fields["value"]), state.stats[-1]
    counts = key.startswith(("pg", "workingset", "thp_", "zswp", "numa_", "swpin", "swpout", "hugetlb"))
    last.values[key] = value if counts else value // 1024  # type: ignore[index]


def _on_slab(state: _State, fields: Mapping[str, str], line: Line) -> None:
    if state.head == "SLAB_HEAD" and len(state.slabs) < 10_000:
        state.slabs.append(OomSlab(fields["name"], bounded(fields["used"]), bounded(fields["total"])))
        state.lines.setdefault("slabs", line.number)


def _on_table(state: _State, fields: Mapping[str, str], line: Line) -> None:
    if not state.rows:
        state.columns = fields["columns"].split()
        state.lines["table"] = line.number


def _on_table_rest(state: _State, fields: Mapping[str, str], _line: Line) -> None:
    if state.head == "TABLE" and not state.rows:
        state.columns += fields["columns"].split()


def _on_row(state: _State, fields: Mapping[str, str], line: Line) -> None:
    if state.head == "TABLE" or len(fields["rest"].split()) > 5:
        state.rows.append((int(fields["pid"]), fields["rest"], line.number))


def _on_row_rest(state: _State, fields: Mapping[str, str], _line: Line) -> None:
    """A row that a mail program wrapped goes on here: only a row that has no name yet."""
    if state.head == "TABLE" and state.rows:
        pid, rest, at = state.rows[-1]
        if number(rest.split()[-1]) is not None:
            state.rows[-1] = (pid, f"{rest} {fields['rest']}", at)


def _on_oom_kill(state: _State, fields: Mapping[str, str], line: Line) -> None:
    words = _words(fields.get("rest", ""))
    constraint = fields["constraint"].removeprefix("CONSTRAINT_")
    if constraint in _CONSTRAINTS:
        state.values["constraint"] = _CONSTRAINTS[constraint]
    for key in ("nodemask", "cpuset", "mems_allowed", "oom_memcg", "task_memcg"):
        state.put(key, words.get(key) or None, line.number, "oom_kill")
    pid = number(str(words.get("pid", "")))
    if pid is not None:
        named = (str(words.get("task", "")), pid, number(str(words.get("uid", ""))))
        state.put("named_victim", named, line.number, "oom_kill")


def _on_selected(state: _State, fields: Mapping[str, str], line: Line) -> None:
    state.put("selected", (fields["name"], int(fields["pid"]), bounded(fields["score"])), line.number, "selected")
    _reason(state, fields["reason"])


def _on_killed(state: _State, fields: Mapping[str, str], line: Line) -> None:
    state.kills.append((fields, fields.get("rest", ""), line.number))
    state.lines.setdefault("killed", line.number)
    state.done = True
    _reason(state, fields.get("reason", ""))


def _on_killed_rest(state: _State, fields: Mapping[str, str], _line: Line) -> None:
    if state.head == "KILLED" and state.kills:
        first, rest, at = state.kills[-1]
        state.kills[-1] = (first, f"{rest} {fields['rest']}", at)


def _reason(state: _State, reason: str) -> None:
    """What the words before ``Kill process`` tell of the constraint."""
    low = reason.lower()
    if "oom_kill_allocating_task" in low:
        state.values["allocating_task"] = True
    for phrase, constraint in _OLD_REASONS.items():
        if phrase in low:
            state.values.setdefault("constraint", constraint)


def _on_reaped(state: _State, fields: Mapping[str, str], line: Line) -> None:
    state.reaped.append(int(fields["pid"]))
    state.lines.setdefault("reaped", line.number)


def _on_unreaped(state: _State, fields: Mapping[str, str], line: Line) -> None:
    state.unreaped.append(int(fields["pid"]))
    state.lines.setdefault("reaped", line.number)


def _on_group(state: _State, fields: Mapping[str, str], line: Line) -> None:
    state.put("group", fields["path"], line.number, "group")


def _on_nobody(state: _State, _fields: Mapping[str, str], line: Line) -> None:
    state.put("nobody", True, line.number, "nobody")
    state.done = True
    if "panic" in line.text or "deadlocked" in line.text:
        state.put("panic", line.text.partition("syncing: ")[2] or line.text, line.number, "panic")


def _on_panic(state: _State, fields: Mapping[str, str], line: Line) -> None:
    state.put("panic", fields["text"], line.number, "panic")


def _on_sysrq(state: _State, _fields: Mapping[str, str], line: Line) -> None:
    if state.invoked is None:
        state.put("sysrq", True, line.number, "sysrq")


def _on_policy(state: _State, fields: Mapping[str, str], line: Line) -> None:
    _reason(state, fields["words"])
    state.lines.setdefault("policy", line.number)


_READERS: dict[str, Callable[[_State, Mapping[str, str], Line], None]] = {
    "INVOKED": _on_invoked,
    "INVOKED_REST": _on_invoked_rest,
    "CPUSET": _on_cpuset,
    "TASK_IN": _on_task_in,
    "MEMCG_USAGE": _on_usage,
    "MEMCG_STATS": _on_stats,
    "MEMCG_STAT": _on_stat,
    "SLAB": _on_slab,
    "TABLE": _on_table,
    "TABLE_REST": _on_table_rest,
    "ROW": _on_row,
    "ROW_REST": _on_row_rest,
    "OOM_KILL": _on_oom_kill,
    "SELECTED": _on_selected,
    "KILLED": _on_killed,
    "KILLED_REST": _on_killed_rest,
    "REAPED": _on_reaped,
    "UNREAPED": _on_unreaped,
    "GROUP": _on_group,
    "NOBODY": _on_nobody,
    "PANIC": _on_panic,
    "SYSRQ": _on_sysrq,
    "POLICY": _on_policy,
}
_PIECES = frozenset("INVOKED_REST MEMCG_STAT SLAB_NAMES SLAB TABLE_REST ROW ROW_REST KILLED_REST".split())


# ------------------------------------------------------------------------------------------------ inside of lines


def _words(text: str) -> dict[str, Any]:
    """``key:123kB`` as int, ``key=value`` of the summary line as text up to the next key."""
    values: dict[str, Any] = {}
    pending: tuple[str, int] | None = None
    for kind, fields, match in words("oom_fields").find(text):
        if kind == "SIZE":
            values.setdefault(fields["key"], bounded(fields["value"]))
        elif kind == "SETTING":
            values.setdefault(fields["key"], int(fields["value"], 16 if "x" in fields["value"] else 10))
            if "names" in fields:
                values.setdefault("names", fields["names"])
        else:
            if pending is not None:
                values.setdefault(pending[0], text[pending[1] : match.start()])
            pending = (fields["key"], match.end())
    if pending is not None:
        values.setdefault(pending[0], text[pending[1] :])
    return values


def _request(state: _State) -> None:
    """What the ``invoked oom-killer`` line says."""
    assert state.invoked is not None
    comm, rest = state.invoked
    words, values = _words(rest), state.values
    values["invoker"] = comm
    for name, key in (("gfp_mask", "gfp_mask"), ("order", "order"), ("oom_score_adj", "oom_score_adj")):
        if isinstance(words.get(key), int):
            values[name] = words[key]
    if "names" in words:
        values["gfp_names"] = words["names"]
    if "nodemask" in words:
        values.setdefault("nodemask", str(words["nodemask"]).partition(", ")[0])
    if values.get("order") == -1:
        values["sysrq"] = True
    if state.lines.get("sysrq") and values.get("order", -1) > 0:
        values["sysrq"] = False  # sysrq asks for order 0 (to 3.x) or -1


def _victim(fields: Mapping[str, str], rest: str, line: int) -> OomVictim:
    """A ``Killed process`` line with what follows its name."""
    words = _words(rest)
    uid = fields.get("uid") or words.get("UID")
    return OomVictim(
        pid=int(fields["pid"]),
        name=fields["name"],
        uid=int(uid) if uid is not None else None,
        total_vm_kb=words.get("total-vm", words.get("vsz")),
        anon_rss_kb=words.get("anon-rss"),
        file_rss_kb=words.get("file-rss"),
        shmem_rss_kb=words.get("shmem-rss"),
        pgtables_kb=words.get("pgtables"),
        oom_score_adj=words.get("oom_score_adj"),
        reason=fields.get("reason"),
        line=line,
    )
