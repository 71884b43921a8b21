"""Predicates: ``fact op value`` read by grammars/predicate.lark, and their three-valued judgement over facts.

The logic is Kleene's. A fact that the report does not bear makes a predicate MAYBE, never NO. Four rules make up the
rest:

* ``<name>.absent`` tells what is *certainly not* in ``<name>``: a GFP mask whose kernel is unknown has flags that are
  set in every table (``gfp``), flags that are clear in every table (``gfp.absent``), and flags that are neither; only
  the last are MAYBE. Without a ``.absent`` fact a collection is complete.
* A fact with the value None is known to be nothing: ``module == libceph`` is then NO, ``module absent`` YES.
* ``<name>.at_least`` is a lower bound where the number itself is not known: enough for ``>= 1``.
* A fact that rests on an assumption still decides, and says so.

Lark is imported when a predicate is parsed, never to judge one.
"""

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from kb.errors import CaseInvalid
from kb.model.case import Predicate
from kb.model.log import Span
from kb.model.said import Said
from kb.model.verdict import Fact, Facts, Verdict
from kb.words.speak import said

OPS = ("==", "!=", "<", "<=", ">", ">=", "has", "lacks", "in", "matches", "present", "absent")
"""All operators, as written."""

_ORDERED = ("<", "<=", ">", ">=")
_LONGEST = 200
"""Characters of a predicate that an error shows."""


class Judgement(NamedTuple):
    """A predicate against the facts of a report."""

    verdict: Verdict
    why: Said
    evidence: tuple[Span, ...] = ()

    @property
    def because(self) -> str:
        """Why, in English."""
        return str(self.why)


def parse(text: str, *, path: str | None = None, line: int | None = None) -> Predicate:
    """Read one predicate.

    Args:
        text: ``fact op value``.
        path: File it stands in, for the error.
        line: Its line there, 1-based.

    Raises:
        CaseInvalid: With the place in the text where it stops being a predicate.
    """
    from lark.exceptions import UnexpectedInput

    from kb.syntax.engine import load

    try:
        tree = load("predicate", "characters").parse(text)
    except UnexpectedInput as error:
        ended = getattr(getattr(error, "token", None), "type", "$END") == "$END" and not hasattr(error, "char")
        at = len(text) + 1 if ended else getattr(error, "column", len(text) + 1)
        short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
        reason = f"not a predicate: {short!r} stops making sense at column {at}"
        raise CaseInvalid(reason, path=path, line=line, help=_help(text)) from None
    head, *rest = tree.children
    fact = str(head)
    if tree.data == "presence":
        return Predicate(text, fact, str(rest[0]), None, line or 0)
    op, value = rest
    return Predicate(text, fact, str(op.children[0]), _value(value), line or 0)  # type: ignore[union-attr]


def _value(node: Any) -> Any:
    """The Python value of a scalar token or a list of them."""
    if getattr(node, "data", None) == "list":
        return tuple(_value(child) for child in node.children if child is not None)
    text = str(node)
    match node.type:
        case "INT":
            return int(text)
        case "HEX":
            return int(text, 16)
        case "TRUTH":
            return text == "true"
        case "QUOTED":
            return text[1:-1]
    return text


def _help(text: str) -> str:
    words = text.split()
    if len(words) > 1 and words[1] not in OPS:
        import difflib

        near = difflib.get_close_matches(words[1], [*OPS, "contains", "is", "="], 1)
        instead = {"contains": "has", "is": "==", "=": "=="}.get(near[0], near[0]) if near else "=="
        return f"the operators are {' '.join(OPS)}; did you mean {instead!r}?"
    return 'write `fact op value`, e.g. `order >= 1`; put text with blanks or stars in quotes, "..."'


def evaluate(predicate: Predicate, facts: Facts) -> Judgement:
    """Judge a predicate over the facts of a report.

    Returns:
        The verdict, one clause that says why, and the lines the fact was computed from.
    """
    name, op = predicate.fact, predicate.op
    fact = facts.get(name)
    if fact is None and f"{name}.absent" not in facts.values:
        return _at_least(predicate, facts) or Judgement(Verdict.MAYBE, _missing(name, facts))
    if fact is None:
        fact = Fact(name, ())
    if op in ("present", "absent"):
        return Judgement(_presence(fact, op), _assumed(shown(fact), fact), fact.evidence)
    if name == "kernel":
        verdict, why = _kernel(fact.value, op, predicate.value)
    elif op in ("has", "lacks"):
        return _membership(predicate, fact, facts.get(f"{name}.absent"))
    else:
        verdict, why = _compare(fact, op, predicate.value)
    return Judgement(verdict, _assumed(why, fact), fact.evidence)


def decided(predicate: Predicate, facts: Facts) -> Verdict | None:
    """The verdict of :func:`evaluate` without its words, of nearly all predicates; None where that one must tell."""
    name, op, wanted = predicate.fact, predicate.op, predicate.value
    fact = facts.get(name)
    if fact is None or name == "kernel" or fact.value is None:
        return None
    if op in ("present", "absent"):
        return _presence(fact, op)
    if op in ("has", "lacks"):
        there = _contains(fact.value, wanted)
        return _truth(there == (op == "has")) if there or f"{name}.absent" not in facts.values else None
    return _compared(fact.value, op, wanted)


def _at_least(predicate: Predicate, facts: Facts) -> Judgement | None:
    """A count of which only a lower bound is known can pass ``>=`` and ``>``, and fail ``<`` and ``<=``."""
    bound = facts.get(f"{predicate.fact}.at_least")
    if bound is None or predicate.op not in _ORDERED:
        return None
    verdict, _ = _compare(bound, predicate.op, predicate.value)
    decided = Verdict.YES if predicate.op in (">", ">=") else Verdict.NO
    if verdict is not decided:
        return None
    return Judgement(verdict, _assumed(said("mark.at_least", value=shown(bound)), bound), bound.evidence)


def _missing(name: str, facts: Facts) -> Said:
    """Why a fact is not there: by the report's own list of unknowns (``unknown.<fact>...``) where it has it."""
    fact = name.partition(".")[0]
    for missing in facts.missing:
        if missing.name.split(".")[1:2] == [fact]:
            return missing
    return said("mark.not_borne", fact=name)


def _assumed(why: Said, fact: Fact) -> Said:
    if fact.assumed is None:
        return why
    return said("mark.assuming", why=why, assuming=said("part.assuming", assumed=fact.assumed))


def _presence(fact: Fact, op: str) -> Verdict:
    return _truth((fact.value is not None and fact.value != ()) == (op == "present"))


def _membership(predicate: Predicate, fact: Fact, absent: Fact | None) -> Judgement:
    """``has`` and ``lacks``: an element of a collection, a part of a text."""
    wanted = predicate.value
    evidence = fact.evidence or (absent.evidence if absent else ())
    if _contains(fact.value, wanted):
        found, why = Verdict.YES, said("mark.has", fact=fact.name, wanted=str(wanted))
        evidence = fact.where.get(str(wanted), evidence)
    elif absent is not None and not _contains(absent.value, wanted):
        found, why = Verdict.MAYBE, said("mark.may_have", fact=fact.name, wanted=str(wanted))
    else:
        found, why = Verdict.NO, said("mark.has_no", fact=fact.name, wanted=str(wanted), value=shown(fact))
        evidence = evidence or (absent.evidence if absent else ())
    if predicate.op == "lacks":
        found = negate(found)
    return Judgement(found, _assumed(why, fact), evidence)


def _contains(value: Any, wanted: Any) -> bool:
    if isinstance(value, str):
        return str(wanted) in value
    if isinstance(value, Mapping | Collection):
        return wanted in value or str(wanted) in value
    return bool(value == wanted)


def _compare(fact: Fact, op: str, wanted: Any) -> tuple[Verdict, Said]:
    """All other operators, over a fact that is there."""
    if fact.value is None:
        return (Verdict.YES if op == "!=" else Verdict.NO), said("mark.there_is_no", fact=fact.name)
    verdict = _compared(fact.value, op, wanted)
    if verdict is Verdict.MAYBE:
        return verdict, said("mark.no_order", value=shown(fact), wanted=repr(wanted))
    return verdict, shown(fact)


def _compared(value: Any, op: str, wanted: Any) -> Verdict:
    if op == "in":
        choices = wanted if isinstance(wanted, tuple) else (wanted,)
        return _truth(any(_equal(value, choice) for choice in choices))
    if op == "matches":
        test = _glob(str(wanted))
        texts = [value] if isinstance(value, str) else value if isinstance(value, Collection) else [str(value)]
        return _truth(any(test.match(str(text)) for text in texts))
    if op in ("==", "!="):
        return _truth(_equal(value, wanted) == (op == "=="))
    left, right = _number(value), _number(wanted)
    if left is None or right is None:
        return Verdict.MAYBE
    return _truth({"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[op])


def _equal(value: Any, wanted: Any) -> bool:
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, str) and isinstance(wanted, str) and (value[:1].isalpha() or wanted[:1].isalpha()):
        return value == wanted
    left, right = _number(value), _number(wanted)
    if left is not None and right is not None:
        return left == right
    if isinstance(value, tuple):
        return value == (wanted if isinstance(wanted, tuple) else (wanted,))
    return str(value) == str(wanted)


def _number(value: Any) -> float | int | None:
    """A number as such, a text that is one (``0x40``, ``4.5``), otherwise None. A truth value is no number."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if isinstance(value, str) and len(value) < 40:
        try:
            return int(value, 0)
        except ValueError:
            try:
                return float(value)
            except ValueError:
                return None
    return None


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> "re.Pattern[str]":
    """A glob as a pattern that cannot backtrack (fnmatch writes each star as an atomic group)."""
    import fnmatch

    return re.compile(fnmatch.translate(pattern))


def _kernel(value: Any, op: str, wanted: Any) -> tuple[Verdict, Said]:
    """A release against a version or a range; a distribution's number proves little, hence often MAYBE."""
    from kb.kernel.release import Release

    release = Release.parse(str(value))
    if release is None:
        return Verdict.MAYBE, said("fix.release_unreadable", release=str(value))
    name = said("mark.value", value=release.name)
    if op == "in":
        text = ", ".join(map(str, wanted)) if isinstance(wanted, tuple) else str(wanted)
        return release.within(text), name
    if op in _ORDERED or op == "==":
        return release.within(f"{op} {wanted}"), name
    if op == "!=":
        return negate(release.within(f"= {wanted}")), name
    return _truth(bool(_glob(str(wanted)).match(release.text))), name


def _truth(holds: bool) -> Verdict:
    return Verdict.YES if holds else Verdict.NO


def negate(verdict: Verdict) -> Verdict:
    """Kleene's not: MAYBE stays MAYBE."""
    return {Verdict.YES: Verdict.NO, Verdict.NO: Verdict.YES, Verdict.MAYBE: Verdict.MAYBE}[verdict]


def both(verdicts: Collection[Verdict]) -> Verdict:
    """Kleene's and: NO if any is, else MAYBE if any is; YES of nothing."""
    if Verdict.NO in verdicts:
        return Verdict.NO
    return Verdict.MAYBE if Verdict.MAYBE in verdicts else Verdict.YES


def either(verdicts: Collection[Verdict]) -> Verdict:
    """Kleene's or: YES if any is, else MAYBE if any is; NO of nothing."""
    if Verdict.YES in verdicts:
        return Verdict.YES
    return Verdict.MAYBE if Verdict.MAYBE in verdicts else Verdict.NO


def shown(fact: Fact) -> Said:
    """The value as a person would write it, short."""
    value = fact.value
    if fact.wording is not None:
        return fact.wording if isinstance(fact.wording, Said) else said("mark.value", value=fact.wording)
    if value is None:
        return said("mark.no_value", fact=fact.name)
    if isinstance(value, bool):
        return said("mark.value", value="true" if value else "false")
    if isinstance(value, tuple | list | frozenset | set):
        items = [str(item) for item in (value if isinstance(value, tuple | list) else sorted(map(str, value)))]
        return said("mark.items", items=items) if items else said("mark.no_items")
    return said("mark.value", value=str(value))
