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
from kb.model.verdict import Fact, Facts, Verdict

OPS = ("==", "!=", "<", "<=", ">", ">=", "has", "lacks", "in", "matches", "present", "absent")
"""All operators, as written."""

_ORDERED = ("<", "<=", ">", ">=")
_SHOWN = 8
_LONGEST = 200
"""Characters of a predicate that an error shows."""


class Judgement(NamedTuple):
    """A predicate against the facts of a report."""

    verdict: Verdict
    because: str
    evidence: tuple[Span, ...] = ()


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
        return _presence(fact, op)
    if name == "kernel":
        verdict, because = _kernel(fact.value, op, predicate.value)
    elif op in ("has", "lacks"):
        return _membership(predicate, fact, facts.get(f"{name}.absent"))
    else:
        verdict, because = _compare(fact, op, predicate.value)
    return Judgement(verdict, _assumed(because, fact), fact.evidence)


def _at_least(predicate: Predicate, facts: Facts) -> Judgement | None:
    """A count of which only a lower bound is known can pass ``>=`` and ``>``, and fail ``<`` and ``<=``."""
    bound = facts.get(f"{predicate.fact}.at_least")
    if bound is None or predicate.op not in _ORDERED:
        return None
    verdict, _ = _compare(bound, predicate.op, predicate.value)
    decided = Verdict.YES if predicate.op in (">", ">=") else Verdict.NO
    if verdict is not decided:
        return None
    return Judgement(verdict, _assumed(f"at least {shown(bound)}", bound), bound.evidence)


def _missing(name: str, facts: Facts) -> str:
    """Why a fact is not there, in the words of the report's own list of unknowns where it has some."""
    for reason in facts.unknown:
        head = reason.split(":", 1)[0].strip().lower()
        if head == name or head.split(" ", 1)[0] == name.split(".", 1)[0]:
            return reason
    return f"the report does not bear {name}"


def _assumed(because: str, fact: Fact) -> str:
    return f"{because} (assuming: {fact.assumption})" if fact.assumption else because


def _presence(fact: Fact, op: str) -> Judgement:
    there = fact.value is not None and fact.value != ()
    verdict = Verdict.YES if there == (op == "present") else Verdict.NO
    return Judgement(verdict, _assumed(shown(fact), fact), fact.evidence)


def _membership(predicate: Predicate, fact: Fact, absent: Fact | None) -> Judgement:
    """``has`` and ``lacks``: an element of a collection, a part of a text."""
    wanted = predicate.value
    evidence = fact.evidence or (absent.evidence if absent else ())
    if _contains(fact.value, wanted):
        found, because = Verdict.YES, f"{fact.name} has {wanted}"
        evidence = fact.where.get(str(wanted), evidence)
    elif absent is not None and not _contains(absent.value, wanted):
        found, because = Verdict.MAYBE, f"whether {fact.name} has {wanted} is not certain"
    else:
        found, because = Verdict.NO, f"{fact.name} has no {wanted}: {shown(fact)}"
        evidence = evidence or (absent.evidence if absent else ())
    if predicate.op == "lacks":
        found = negate(found)
    return Judgement(found, _assumed(because, fact), evidence)


def _contains(value: Any, wanted: Any) -> bool:
    if isinstance(value, str):
        return str(wanted) in value
    if isinstance(value, Mapping | Collection):
        return wanted in value or str(wanted) in value
    return bool(value == wanted)


def _compare(fact: Fact, op: str, wanted: Any) -> tuple[Verdict, str]:
    """All other operators, over a fact that is there."""
    value = fact.value
    if value is None:
        return (Verdict.YES if op == "!=" else Verdict.NO), f"there is no {fact.name}"
    if op == "in":
        choices = wanted if isinstance(wanted, tuple) else (wanted,)
        return _truth(any(_equal(value, choice) for choice in choices)), shown(fact)
    if op == "matches":
        test = _glob(str(wanted))
        texts = [value] if isinstance(value, str) else value if isinstance(value, Collection) else [str(value)]
        return _truth(any(test.match(str(text)) for text in texts)), shown(fact)
    if op in ("==", "!="):
        return _truth(_equal(value, wanted) == (op == "==")), shown(fact)
    left, right = _number(value), _number(wanted)
    if left is None or right is None:
        return Verdict.MAYBE, f"{shown(fact)} and {wanted!r} cannot be ordered"
    return _truth({"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[op]), shown(fact)


def _equal(value: Any, wanted: Any) -> bool:
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
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


def _kernel(value: Any, op: str, wanted: Any) -> tuple[Verdict, str]:
    """A release against a version or a range; a distribution's number proves little, hence often MAYBE."""
    from kb.kernel.release import Release

    release = Release.parse(str(value))
    if release is None:
        return Verdict.MAYBE, f"{value} is no kernel release kb can read"
    if op == "in":
        text = ", ".join(map(str, wanted)) if isinstance(wanted, tuple) else str(wanted)
        return release.within(text), release.name
    if op in _ORDERED or op == "==":
        return release.within(f"{op} {wanted}"), release.name
    if op == "!=":
        return negate(release.within(f"= {wanted}")), release.name
    return _truth(bool(_glob(str(wanted)).match(release.text))), release.name


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


def shown(fact: Fact) -> str:
    """The value as a person would write it, short."""
    if fact.shown is not None:
        return fact.shown
    value = fact.value
    if value is None:
        return f"no {fact.name}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple | list | frozenset | set):
        items = [str(item) for item in (value if isinstance(value, tuple | list) else sorted(map(str, value)))]
        more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
        return " ".join(items[:_SHOWN]) + more if items else "none"
    return str(value)
