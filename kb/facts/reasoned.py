"""Reasons as facts: a predicate of a case may ask for one by its name (``reason.gfp.forbids_waiting == holds``)."""

from dataclasses import replace

from kb.facts.finding import spans
from kb.model.log import Span
from kb.model.verdict import Fact, Facts, Reason


def with_reasons(facts: Facts) -> Facts:
    """The facts with two more a reason that was stated: its verdict, and the names of what it rests on.

    A name that is stated several times (each zone refuses the request, or does not) has all its verdicts.
    """
    stated: dict[str, list[Reason]] = {}
    for reason in facts.reasoning:
        stated.setdefault(reason.name, []).append(reason)
    values = dict(facts.values)
    for name, reasons in stated.items():
        where: dict[str, tuple[Span, ...]] = {}
        why: dict[str, tuple[Span, ...]] = {}
        for reason in reasons:
            where[reason.verdict] = (*where.get(reason.verdict, ()), *reason.evidence)
            for part in reason.why:
                why[part.name] = (*why.get(part.name, ()), *reason.evidence)
        lines = spans(span for reason in reasons for span in reason.evidence)
        for fact, items in ((f"reason.{name}", where), (f"reason.{name}.because", why)):
            values[fact] = Fact(fact, tuple(items), lines, where={key: spans(at) for key, at in items.items()})
    return replace(facts, values=values)
