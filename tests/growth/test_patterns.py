"""No pattern of the program can be made to backtrack, and no number that it captures is without a bound."""

import re

import pytest

from tests.growth.backtracking import endless_numbers, growth
from tests.growth.patterns import Use, modules, terminals, unread

_MOST = 256
"""Positions that a search may visit for each character: what bounded repeats that overlap cost at most."""
_KNOWN = {
    "kb.facts.allocation.": "for names of functions, which the grammars bound",
    "kb.identity.common.GENERIC": "for names of functions, which the grammars bound",
    "kb.log.transport.RULES": "only matched, at one place of a line",
    "kb.log.wrap._TAILS[5][1]": "only matched, at the beginning of a line",
    "templates/": "for sentences of the program's own, which are cut",
}
"""Patterns, by the beginning of their names, that would cost more if they were used in another way."""


def grown(use: Use) -> list[str]:
    return [
        f"{use.name} ({use.use}): {way.prefix!r} + {way.word!r} * n visits {short:.3g}, then {long:.3g} a character"
        for way, short, long in growth(use.pattern, use.use)
        if (long > _MOST or (long > 1.25 * short and long > 4)) and not use.name.startswith(tuple(_KNOWN))
    ]


def test_the_patterns_of_the_modules_are_linear() -> None:
    assert [line for use in modules() for line in grown(use)] == []


def test_the_terminals_of_the_grammars_are_linear() -> None:
    assert [line for use in terminals() for line in grown(use)] == []


def test_a_number_that_a_pattern_captures_has_a_bound() -> None:
    """Else ``int()`` raises (its limit is 4300 digits), or an exact sum takes for ever."""
    found = [(use.name, list(endless_numbers(use.pattern))) for use in (*modules(), *terminals())]
    assert [(name, groups) for name, groups in found if groups] == []


def test_no_pattern_stands_where_the_tests_do_not_see_it() -> None:
    """These are put together of escaped words."""
    assert {place.rpartition(":")[0] for place in unread()} == {"kb.chat.model", "kb.chat.search", "kb.cleaner.names"}
    assert len(modules()) > 400
    assert len(terminals()) > 300


@pytest.mark.parametrize(
    ("pattern", "use"),
    [
        ("a*b", "search"), ("(a*)*b", "match"), ("(a|a)*b", "match"), ("a*a*b", "match"), ("a*a*", "fullmatch"),
        (r"(\S+):(\d+):", "search"), (r"(?m)^\s*x", "search"), (r"\s+$", "search"), ("x(?:.*y)?", "search"),
        (r"\w+=", "search"), (r".*\s*$", "match"), ("(?:a+b?)*c", "match"), (r"(?=.*x)y", "search"),
        ("(?:a{1,9}){1,9}b", "match"), ("(?i:k*K*!)", "match"),
    ],
)  # fmt: skip
def test_what_grows_is_seen(pattern: str, use: str) -> None:
    assert list(growth(re.compile(pattern), use))


@pytest.mark.parametrize(
    ("pattern", "use"),
    [
        ("a*b", "match"), ("a*a*", "match"), (r"(?<!\w)\w+=", "search"), (r"\b\w+=", "search"), ("x.*", "search"),
        (r"(?m)^[ ]*x", "search"), (r"\S(?:.*\S)?\s*$", "match"), ("(?:ab)*c", "match"), ("x.*", "fullmatch"),
        ("[a-c]*d|[a-c]*e", "match"), (r"(?:\w+ )*x", "match"), ("^a*b", "search"),
    ],
)  # fmt: skip
def test_what_does_not_grow_is_left_alone(pattern: str, use: str) -> None:
    assert not list(growth(re.compile(pattern), use))


def test_the_steps_of_a_bounded_repeat_stay_bounded() -> None:
    (found,) = growth(re.compile(r"\w{1,30}="), "search")
    assert found.long == pytest.approx(30, rel=0.1)
    assert found.long < 1.1 * found.short


@pytest.mark.parametrize("text", [r"(\d+)", r"(?P<at>0x[0-9a-f]+)", r"x(?:y|(-?\d+\.\d+))"])
def test_an_endless_number_is_seen(text: str) -> None:
    assert list(endless_numbers(re.compile(text)))


@pytest.mark.parametrize("text", [r"\d+", r"(\d{1,20})", r"(\w+)", r"(.*)", r"(v\d+)", r"([\d,]{0,400})"])
def test_other_groups_are_no_endless_numbers(text: str) -> None:
    assert not list(endless_numbers(re.compile(text)))
