"""Where the store and similarity meet: what was seen or imported that resembles a report."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from kb.identity.align import idf
from kb.identity.common import expected
from kb.identity.frames import names
from kb.identity.rank import FLOOR, Neighbour, Query, Weighed, can_reach, near_only_with, rank
from kb.identity.signature import signature
from kb.link import another_time, link
from kb.link import nearest as nearest_stack
from kb.matcher import match, ordered, relinked
from kb.model.case import Case
from kb.model.report import Report, Signature
from kb.model.said import Said
from kb.model.stack import Stack
from kb.model.verdict import Diagnosis, Match, Similar, Verdict
from kb.words.speak import said

if TYPE_CHECKING:
    from kb.store import Store
    from kb.store.imports import Imports
    from kb.store.similar import Stacks
    from kb.store.snapshot import Snapshot

GOOD = 0.6
"""Score below which more postings are read: a cut or much inlined stack of the same bug reaches it."""
NEAR = 3
"""Known fixes that are told where none is sure."""
_FEW = 500
"""Stacks that are looked at to see whether any can be near."""
_ANSWERS = 1_000
"""Answers that are kept while the store does not change."""
SUGGESTED = 0.35
"""Score from which a neighbour is worth a line in a diagnosis."""


def query_of(report: Report, mark: Signature | None = None) -> Query:
    """What to look for."""
    mark = mark or signature(report)
    return Query(mark.id, report.kind, names(report), mark.alt, report.function, mark.former)


def nearest(
    store: "Store", query: Query, *, limit: int = 10, cases: bool | None = None, floor: float = FLOOR
) -> list[Neighbour]:
    """The nearest known stacks, best first; the report's own signature is not among them.

    Args:
        store: Where to look.
        query: What for.
        limit: Neighbours wanted.
        cases: True for imported cases only, False for what was seen only, None for both.
        floor: Score below which none is wanted.
    """
    from kb.store.similar import BUDGET, WIDE
    from kb.store.snapshot import stacks_of

    known = stacks_of(store)
    asked, answers = (query, limit, cases, floor), getattr(known, "answers", {})
    if asked in answers:
        return list(answers[asked])
    sides = (True, False) if cases is None else (cases,)
    keys = known.keyed((query.signature, *query.alt, *query.former), cases=cases is True)
    keyed = [row for row in keys if _wanted(row, sides)]
    if not keyed and cases and floor >= GOOD and not _within_reach(known, query, floor):
        return []
    for budget in (BUDGET, WIDE):
        rows = [row for side in sides for row in known.candidates(query.frames, budget=budget, cases=side)]
        found = _ranked(known, query, dict.fromkeys([*keyed, *rows]) if keyed else rows, limit, floor)
        if not rows or (found and found[0].score >= GOOD) or known.reads_all(query.frames, budget):
            break
    if len(answers) < _ANSWERS:
        answers[asked] = found
    return found


def _within_reach(known: "Stacks | Snapshot", query: Query, floor: float) -> bool:
    """False where no stack of a case that has another key has such a score: of most reports nothing near is known.

    The few stacks that hold a frame without which none is near tell it, and those of the same function.
    """
    bearing = getattr(known, "bearing", None)
    if bearing is None or not query.frames:
        return True
    names = near_only_with(query, _rarity(known, query, ()), floor)
    stacks = bearing(names, {query.function or query.frames[0], query.frames[0]}, cases=True, most=_FEW)
    return stacks is None or can_reach(query, *_weighed(known, query, stacks), floor)


def _weighed(known: "Stacks | Snapshot", query: Query, entries: list[Stack]) -> tuple[list[Weighed], dict[str, float]]:
    """What is worked out of stacks, and how much each frame of theirs and of a query says."""
    kept: dict[int, Weighed] = getattr(known, "weighed", {})
    rarity = _rarity(known, query, [entry for entry in entries if id(entry) not in kept])
    return [kept.get(id(entry)) or kept.setdefault(id(entry), Weighed(entry, rarity)) for entry in entries], rarity


def _wanted(row: Stack, sides: tuple[bool, ...]) -> bool:
    return (row.case is not None) in sides


def _ranked(
    known: "Stacks | Snapshot", query: Query, rows: Iterable[Stack], limit: int, floor: float
) -> list[Neighbour]:
    entries = [row for row in rows if row.case is not None or row.signature != query.signature]
    weighed: dict[int, Weighed] = getattr(known, "weighed", {})
    rarity = _rarity(known, query, [entry for entry in entries if id(entry) not in weighed])
    return rank(query, entries, rarity, limit=limit, floor=floor, weighed=weighed)


def _rarity(known: "Stacks | Snapshot", query: Query, entries: Iterable[Stack]) -> dict[str, float]:
    """How much each frame of a query and of these stacks says, and perhaps some others."""
    every = set(query.frames).union(*[entry.frames for entry in entries])
    kept: dict[str, float] = getattr(known, "rarity", {})
    missing = [name for name in every if name not in kept]
    if missing:
        total, held = known.frequencies(missing)
        for name in missing:
            kept[name] = idf(total, expected(name, held.get(name, 0), total))
    return kept


def suggestions(store: "Store", query: Query, *, limit: int = 5) -> tuple[Similar, ...]:
    """Neighbours as a diagnosis names them."""
    found = nearest(store, query, limit=limit, floor=SUGGESTED)
    return tuple(Similar(each.entry.signature, each.score, each.entry.case, each.entry.title) for each in found)


def recall(store: "Store", report: Report, mark: Signature) -> tuple[tuple[Case, ...], tuple[Similar, ...]]:
    """What the store adds to a diagnosis: imported cases that link, and neighbours, which only suggest.

    A case may be in both.
    """
    return imported(store, mark), suggestions(store, query_of(report, mark))


def settled(store: "Store", found: Diagnosis) -> tuple[Match, ...]:
    """The matches of a diagnosis, links by signature only as far as stack and place bear them out.

    What a person declared to be the same problem needs no proof.
    """
    return _settled(store, found, query_of(found.report, found.signature), _declared(store, found.signature))


def _settled(
    store: "Store", found: Diagnosis, query: Query, declared: set[str], least: float = 0.0
) -> tuple[Match, ...]:
    from kb.store.similar import Stacks

    known = Stacks(store)
    links = [each for each in found.matches if each.how == "signature"]
    if not links:
        return ordered(found.matches)
    held = {each.case.id: known.of_case(each.case.id) for each in links}
    rarity = _rarity(known, query, [stack for stacks in held.values() for stack in stacks])
    alike = {case_id: nearest_stack(query, stacks, rarity)[0] for case_id, stacks in held.items()}
    rivals = [
        each for each in links if not another_time(found.report, each.case)
    ]  # a kernel has no bug that it has mended
    settled: list[Match] = []
    doubts: tuple[Said, ...]
    for each in found.matches:
        if each.how != "signature":
            settled.append(each)
            continue
        if not declared.isdisjoint((f"case:{each.case.id}", *each.case.signatures)):
            verdict, doubts = Verdict.YES, ()
        else:
            others = [one.case.id for one in rivals if one is not each and one.score >= each.score]
            rival = max((alike[other] for other in others), default=0.0)
            stacks = held[each.case.id]
            verdict, doubts = link(query, found.report, each.case, stacks, rarity, len(others) + 1, rival, least)
        if verdict is not Verdict.NO:
            settled.append(relinked(each, found.facts, verdict, doubts))
    return ordered(settled)


def known_fixes(index: "Store", found: Diagnosis) -> tuple[Match, ...]:
    """What the fixes that come with kb say of a report, best first: YES where key, stack and place agree.

    MAYBE is what shares the key and leaves a doubt (``how`` is ``signature``), and what is only near (``near``), as far
    as nothing is sure. A case that the diagnosis has already is not told again.
    """
    from kb.store.imports import Imports

    told = {each.case.id for each in found.matches}
    mark, imports = found.signature, Imports(index)
    cases = [case for case in imports.by_signature((mark.id, *mark.alt)) if case.id not in told]
    linked = match(found.facts, mark, found.report.kind, cases)
    query = query_of(found.report, mark)
    sure = _settled(index, replace(found, matches=linked), query, set(), GOOD)
    if any(each.verdict is Verdict.YES for each in sure):
        return tuple(each for each in sure if each.verdict is Verdict.YES)
    # what is less near is told by nobody: it only puts what shares the key in order
    near = nearest(index, query, limit=NEAR, cases=True, floor=FLOOR if sure else GOOD)
    order = {each.entry.case: each.score for each in near}
    linked = tuple(sorted(sure, key=lambda each: -order.get(each.case.id, 0.0)))[:NEAR]
    seen = told | {each.case.id for each in sure}
    others = [each for each in near if each.score >= GOOD and each.entry.case not in seen]
    if found.report.kind == "oom_kill":  # its stack is that of the task that asked: the same in every kill
        others = []
    return (*linked, *(_near(imports, each, found) for each in others[: NEAR - len(linked)]))


def _near(imports: "Imports", each: Neighbour, found: Diagnosis) -> Match:
    """A neighbour as a match that is no more than that."""
    case = imports.get(each.entry.case or "")
    assert case is not None  # the index has a stack of it
    judged = Match(case, Verdict.MAYBE, each.score, "near")
    return relinked(judged, found.facts, Verdict.MAYBE, (said("link.only_near", percent=each.score),))


def _declared(store: "Store", mark: Signature) -> set[str]:
    from kb.store.duplicates import Duplicates

    return set(Duplicates(store).same_as(mark.id))


def nearest_first(matches: tuple[Match, ...], similar: tuple[Similar, ...]) -> tuple[Match, ...]:
    """Imported cases that link equally well, the one whose stack is nearest first; all others keep their places."""
    order = {each.case: place for place, each in reversed(list(enumerate(similar)))}
    places = [place for place, each in enumerate(matches) if each.case.status == "imported"]
    ranked = sorted(
        (matches[place] for place in places),
        key=lambda each: (each.verdict is not Verdict.YES, -each.score, order.get(each.case.id, len(similar))),
    )
    made = list(matches)
    for place, each in zip(places, ranked, strict=True):
        made[place] = each
    return tuple(made)


def stored_query(store: "Store", prefix: str) -> Query:
    """What to look for, for a signature that was seen: its stack as it was kept.

    Raises:
        UsageError: None or several signatures begin so.
    """
    from kb.store.similar import Stacks

    row = store.show(prefix).row
    stacks = Stacks(store).keyed((row.signature,))
    best = max(stacks, key=lambda each: (each.case is None, len(each.frames)), default=None)
    return Query(row.signature, row.kind, best.frames if best else (), (), best.function if best else None)


def imported(store: "Store", mark: Signature) -> tuple[Case, ...]:
    """Imported cases that the signature links to, itself or through what people declared to be the same."""
    from kb.store.duplicates import Duplicates
    from kb.store.imports import Imports

    imports = Imports(store)
    found = {case.id: case for case in imports.by_signature((mark.id, *mark.alt))}
    for other in Duplicates(store).same_as(mark.id):
        name = other.removeprefix("case:")
        cases = imports.by_signature((other,)) if name == other else filter(None, (imports.get(name),))
        for case in cases:
            found.setdefault(case.id, replace(case, signatures=(*case.signatures, mark.id)))
    return tuple(found.values())


def remember(store: "Store", report: Report, mark: Signature) -> None:
    """Keep the stack of a sighting, so that others find it."""
    from kb.store.similar import Stacks

    Stacks(store).add_seen(Stack(mark.id, mark.title, report.kind, names(report), None, report.function))
