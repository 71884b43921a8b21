"""Lockdep's warnings as a cycle: which locks, in which order, and who closes the circle."""

import re
from collections.abc import Iterable
from itertools import pairwise

from kb.facts.finding import Finding, spans
from kb.model.log import Span
from kb.model.report import Report, Trace
from kb.model.said import Said
from kb.parse.details.lockdep import Lock, Locking, read
from kb.syntax.frames import plain
from kb.words.speak import said

_TAKERS = re.compile(
    r"^_*(?:lock_acquire|validate_chain|check_prev_add|check_\w+|mutex_lock\w*|mutex_trylock\w*|ww_mutex_lock\w*|"
    r"(?:raw_)?(?:spin|read|write)_(?:try)?lock\w*|down_(?:read|write)\w*|rwsem_\w+|percpu_down_\w+|"
    r"rt_(?:mutex|spin)_\w+|might_(?:lock|fault)|lock_sock\w*|flush_work|touch_wq_lockdep_map|debug_\w+)$"
)
"""What stands above the function that takes a lock (kernel/locking/, include/linux/percpu-rwsem.h)."""
_SHOWN = 6
_IRQS = {"HARDIRQ": said("irq.interrupt"), "SOFTIRQ": said("irq.softirq"), "RECLAIM": said("irq.reclaim")}
_ON = {"HARDIRQ": said("irq.interrupts_on"), "SOFTIRQ": said("irq.softirqs_on"), "RECLAIM": said("irq.reclaim_on")}
"""What a lock of lockdep's usage state is taken inside of, and what is on where it is taken outside."""


def lock_facts(report: Report) -> Finding:
    """``locks`` in the order of the cycle, ``lock_takes``, ``lock_holds``, ``deadlock``, ``lock_usage``."""
    seen, out = read(report.lines), Finding()
    who = f"{seen.task[0]}/{seen.task[1]}" if seen.task else said("task.unnamed")
    if seen.takes is not None:
        out.add("lock_takes", seen.takes.name, _line(seen.takes))
        out.add("lock_takes_in", plain(seen.takes.function) if seen.takes.function else None, _line(seen.takes))
    out.add("lock_holds", tuple(dict.fromkeys(lock.name for lock in seen.holds)), _lines(seen.holds))
    if seen.usage is not None:
        out.add("lock_usage", f"{seen.usage[0]} -> {seen.usage[1]}", ((seen.usage_line, seen.usage_line),))
    _judge(report, seen, out, who)
    held = tuple(f"{holder.comm}/{holder.pid}: {lock.name}" for holder in seen.held for lock in holder.locks)
    out.add("locks_held", held[:64], spans((holder.line, holder.line) for holder in seen.held))
    return out


def _judge(report: Report, seen: Locking, out: Finding, who: Said | str) -> None:
    takes = seen.takes
    if seen.usage is not None:
        _usage(seen, out, who)
    elif seen.safe is not None or seen.unsafe is not None or seen.irq is not None:
        _inversion(seen, out)
    elif takes is not None and any(_class(lock.name) == _class(takes.name) for lock in seen.holds):
        _recursion(takes, seen, out, who)
    else:
        _cycle(report, seen, out, who)


def _class(name: str) -> str:
    """The class of a lock without its subclass (``/1``): taking one of the same class inside is recursion."""
    return re.sub(r"/\d+$", "", name)


def _lines(locks: Iterable[Lock]) -> tuple[Span, ...]:
    return spans((lock.line, lock.line) for lock in locks)


def _line(lock: Lock) -> tuple[Span, ...]:
    return ((lock.line, lock.line),)


def _cycle(report: Report, seen: Locking, out: Finding, who: Said | str) -> None:
    links = [seen.chain[index] for index in sorted(seen.chain)]
    names: tuple[str, ...] = tuple(lock.name for lock in links) or seen.exists
    where = _lines(links) or spans([(seen.exists_line, seen.exists_line)])
    if not names and seen.takes is not None and seen.holds:
        names, where = (seen.takes.name, seen.holds[-1].name), _lines((seen.takes, seen.holds[-1]))
    if len(names) < 2:
        return
    out.add("locks", names, where)
    out.add("deadlock", "cycle", where)
    circle = names[:_SHOWN] + (("...",) if len(names) > _SHOWN else ()) + names[:1]
    held = seen.holds[-1].name if seen.holds else names[-1]
    why = said("lock.holds_and_takes", task=who, held=held, takes=names[0], place=_place(seen.takes))
    because = (why, said("lock.other_order"))
    out.say(said("lock.circle", locks=circle), because, (*where, *_lines(seen.holds)), _links(report, links))


def _place(lock: Lock | None) -> Said | None:
    """The function that takes a lock."""
    return said("part.in_function", function=plain(lock.function)) if lock is not None and lock.function else None


def _links(report: Report, links: list[Lock]) -> tuple[Said, ...]:
    """Who took each lock of the chain while it held the one before."""
    takers = {trace.line: taker(trace) for trace in reversed(report.traces) if trace.title.startswith("-> #")}
    told = []
    for before, lock in pairwise(links):
        told.append(said("lock.was_taken", lock=lock.name, held=before.name, taker=_by(takers.get(lock.line))))
    if links:
        first, last = links[0], links[-1]
        told.append(said("lock.is_taken", lock=first.name, held=last.name, taker=_by(takers.get(first.line))))
    return tuple(told)


def _by(function: str | None) -> Said | None:
    return said("part.taker", function=function) if function else None


def taker(trace: Trace) -> str | None:
    """The function that takes the lock whose stack this is."""
    names = (plain(frame.function) for frame in trace.frames if frame.reliable)
    return next((name for name in names if not _TAKERS.match(name)), None)


def _recursion(takes: Lock, seen: Locking, out: Finding, who: Said | str) -> None:
    first = next(lock for lock in seen.holds if _class(lock.name) == _class(takes.name))
    where = _lines((takes, first))
    out.add("locks", tuple(dict.fromkeys((first.name, takes.name))), where)
    out.add("deadlock", "recursion", where)
    same = first.address is not None and first.address == takes.address and "ptrval" not in first.address
    kind = said("lock.same") if same else said("lock.same_class")
    why = said("lock.took_it_first", first=plain(first.function or "?"), again=plain(takes.function or "?"))
    out.say(said("lock.recursion", task=who, takes=takes.name, holds=kind), (why,), where)


def _inversion(seen: Locking, out: Finding) -> None:
    pair = [lock for lock in (seen.safe, seen.unsafe) if lock is not None]
    if seen.safe is None and seen.takes is not None:
        pair.insert(0, seen.takes)
    elif seen.unsafe is None and seen.takes is not None:
        pair.append(seen.takes)
    names = tuple(dict.fromkeys(lock.name for lock in pair))
    if not names:
        return
    where = _lines(pair)
    irq = _IRQS.get(seen.irq or "", _IRQS["HARDIRQ"])
    out.add("locks", names, where)
    out.add("deadlock", "irq-inversion", where)
    circle = said("lock.order", locks=(*names, names[0]))
    if len(names) == 1:
        circle = said("lock.both_sides", lock=names[0], irq=irq)
    why = (said("lock.irq_takes", irq=irq, lock=names[0]), said("lock.held_irqs_on", lock=names[-1]))
    out.say(said("lock.circle_through", irq=irq, circle=circle), why, where)


def _usage(seen: Locking, out: Finding, who: Said | str) -> None:
    lock = seen.takes
    where = spans([(seen.usage_line, seen.usage_line), *(_line(lock) if lock is not None else ())])
    assert seen.usage is not None
    name = lock.name if lock is not None else said("lock.unnamed")
    out.add("locks", (name,) if lock is not None else (), where)
    out.add("deadlock", "inconsistent", where)
    inside = next((use for use in seen.usage if use.startswith("IN-")), seen.usage[0])
    on = _ON["SOFTIRQ" if "SOFTIRQ" in inside else "RECLAIM" if "RECLAIM" in inside else "HARDIRQ"]
    irq = _IRQS["SOFTIRQ" if "SOFTIRQ" in inside else "RECLAIM" if "RECLAIM" in inside else "HARDIRQ"]
    why = (said("lock.takes_it", task=who, place=_place(lock)), said("lock.waits_for_itself", on=on))
    out.say(said("lock.inconsistent", lock=name, irq=irq, on=on), why, where)
