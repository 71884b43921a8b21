"""Lockdep's circle: which lock was taken while which was held, by whom, and the scenario that it prints."""

from dataclasses import dataclass
from itertools import pairwise

from kb.facts.lockdep import taker
from kb.model.verdict import Diagnosis
from kb.parse.details.lockdep import Lock, read
from kb.syntax.frames import plain


@dataclass(frozen=True, slots=True)
class Link:
    """A lock that was taken while another was held."""

    lock: str
    held: str | None
    """None where the report does not tell."""
    function: str | None
    """Who took it."""
    line: int
    closes: bool = False
    """Whether it is the one that is being taken now: it closes the circle."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A line of the scenario."""

    cpu: int
    """0 or 1."""
    name: str | None
    """The lock that it takes; None where it is interrupted."""
    line: int


@dataclass(frozen=True, slots=True)
class Cycle:
    """What lockdep says."""

    task: str | None
    """Who takes the lock: ``comm/pid``."""
    links: tuple[Link, ...]
    """In the order of the circle, the one that closes it last."""
    holds: tuple[Link, ...]
    """What the task holds."""
    usage: tuple[str, str] | None
    usage_line: int
    scenario: tuple[Scene, ...]


def cycle(found: Diagnosis) -> Cycle | None:
    """The circle of a lockdep report, None where it names no lock."""
    seen = read(found.report.lines)
    takers = {trace.line: taker(trace) for trace in reversed(found.report.traces) if trace.title.startswith("-> #")}
    chain = [seen.chain[index] for index in sorted(seen.chain)]
    links = [Link(lock.name, before.name, takers.get(lock.line), lock.line) for before, lock in pairwise(chain)]
    if chain:
        first, last = chain[0], chain[-1]
        by = takers.get(first.line) or _in(seen.takes)
        links.append(Link(first.name, last.name, by, first.line, closes=True))
    elif len(seen.exists) > 1:
        names = seen.exists
        links = [Link(b, a, None, seen.exists_line) for a, b in pairwise(names)]
        links.append(Link(names[0], names[-1], None, seen.exists_line, closes=True))
    else:
        pair = [lock for lock in (seen.safe, seen.unsafe) if lock is not None]
        if seen.takes is not None:
            held = seen.holds[-1].name if seen.holds else pair[0].name if pair else None
            links = [Link(seen.takes.name, held, _in(seen.takes), seen.takes.line, closes=True)]
        links = [*(Link(lock.name, None, _in(lock), lock.line) for lock in pair), *links]
    holds = tuple(Link(lock.name, None, _in(lock), lock.line) for lock in seen.holds)
    scenes = tuple(Scene(step.cpu, step.name, step.line) for step in seen.scenario)
    if not links and not holds and not scenes and seen.usage is None:
        return None
    task = f"{seen.task[0]}/{seen.task[1]}" if seen.task is not None else None
    return Cycle(task, tuple(links), holds, seen.usage, seen.usage_line, scenes)


def _in(lock: Lock | None) -> str | None:
    return plain(lock.function) if lock is not None and lock.function else None
