"""Which diagnoses of a run say the same: equal ones are one entry, and what follows from another stands under it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from kb.identity.entry import Group as Group
from kb.identity.entry import Seen as Seen
from kb.identity.incident import join, printed_beside
from kb.model.verdict import Diagnosis

_TIMES = 4096
"""Reports of a group of which each is remembered; of more the last one is."""
_GROUPS = 2048
"""Groups that are remembered; what equals an older one begins a new one."""


class Groups:
    """Takes the diagnoses of a run in their order."""

    def __init__(self) -> None:
        self.count = 0
        """Diagnoses so far."""
        self.made = 0
        """Groups so far."""
        self._held: list[Group] = []
        self._by_key: dict[Any, Group] = {}
        self._of_source: list[Group] = []
        self._source = ""
        self._last = 0
        self._apart = False

    def add(self, found: Diagnosis, *, apart: bool = False) -> Group:
        """The group that a diagnosis belongs to, made where it is the first.

        Args:
            found: The next diagnosis; ``report.follows`` counts in its input.
            apart: Make a group of its own, whatever it equals.
        """
        report = found.report
        self.count += 1
        self._apart = self._apart or apart
        seen = _seen(self.count, found)
        key = self.count if apart else key_of(found)
        group = self._by_key.get(key)
        new = group is None
        if group is None:
            group = self._by_key[key] = Group(found)
            if len(self._by_key) > _GROUPS:
                del self._by_key[next(iter(self._by_key))]
        group.count += 1
        if len(group.seen) == _TIMES:
            group.seen.pop()
        group.seen.append(seen)
        if report.kind != "notice":  # a notice has no place among the reports of its input
            cause = self._cause(found)
            self._of_source.append(group)
            if new and cause is not None and cause is not group:
                cause.under.append(group)
        if new:
            self.made += 1
            self._held.append(group)
        return group

    def take(self) -> Iterator[Group]:
        """The groups since the last call, each before what is of its incident."""
        held, self._held = self._held, []
        inside = {id(group) for group in held}
        if not self._apart:
            join(held)
        beneath = {id(under) for group in held for under in (*group.under, *group.beside)}
        shown: set[int] = set()
        for group in held:
            if id(group) not in beneath:
                yield from _with_followers(group, inside, shown)

    def beside(self, notice: Diagnosis) -> Group | None:
        """The group, or what stands for its incident, beside one of whose reports a notice was printed."""
        near = (group for group in self._by_key.values() if any(printed_beside(notice, seen) for seen in group.seen))
        found = next(near, None)
        return found if found is None or found.lead is None else found.lead

    @property
    def held(self) -> int:
        """Groups that were not taken yet."""
        return len(self._held)

    def _cause(self, found: Diagnosis) -> Group | None:
        report = found.report
        first = report.span[0]
        if report.source != self._source or first < self._last:
            self._of_source, self._source = [], report.source
        self._last = first
        if report.follows is None or report.follows >= len(self._of_source):
            return None
        return self._of_source[report.follows]


def _seen(number: int, found: Diagnosis) -> Seen:
    report, stuck, lasted = found.report, found.facts.get("stuck_cpus"), found.facts.get("stuck_seconds")
    return Seen(
        number,
        report.source,
        report.span,
        report.time,
        report.wall,
        report.cpu,
        report.host,
        stuck.value if stuck is not None else (),
        lasted.value if lasted is not None else None,
    )


def key_of(found: Diagnosis) -> tuple[object, ...]:
    """What two reports must have in common to be one entry: the problem, the cause, and what is known about it."""
    known = tuple((match.case.id, match.verdict, match.fix_status) for match in found.matches)
    report = found.report
    return report.kind, report.title, found.signature.id, found.facts.cause, known, bool(report.damage)


def numbered(found: Iterable[Diagnosis]) -> list[Diagnosis]:
    """The diagnoses of a run, each with the group and the incident it is of (``group``, ``of``, ``incident``)."""
    groups = Groups()
    pairs = [(diagnosis, groups.add(diagnosis)) for diagnosis in found]
    list(groups.take())  # tells which groups are one incident
    return [
        replace(diagnosis, group=group.number, of=group.count, incident=group.incident) for diagnosis, group in pairs
    ]


def _with_followers(group: Group, inside: set[int], shown: set[int]) -> Iterator[Group]:
    if id(group) in shown:
        return
    shown.add(id(group))
    yield group
    for under in (*group.under, *group.beside):
        if id(under) in inside:
            yield from _with_followers(under, inside, shown)
