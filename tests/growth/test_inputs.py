"""What an input costs grows as the input does, for every stage from the reader to the renderer."""

import functools
import gc
import re
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from kb.errors import InputError
from tests.growth import work as counting
from tests.growth.inputs import PUMPS
from tests.growth.work import bounded_caches, counted_patterns, fresh_steps, growth, steps

_MOST = 2.15
"""What the second doubling may cost, of the first: 2 is linear; windows that are still filling cost a little more."""
_BYTES = 3000
"""Size of the smallest input, some hundred lines ..."""
_DEAR = 1000
"""... and where each of its lines is a report."""
_REPORTS = frozenset(
    {
        "boots", "headlines", "headlines of all kinds", "leaks", "notices of devices", "reports",
        "reports at once", "reports of callers", "store: reports",
    }
)  # fmt: skip

Run = Callable[[], object]


@pytest.fixture(autouse=True, scope="module")
def _counted() -> Iterator[None]:
    with counted_patterns():
        yield


@pytest.mark.parametrize("name", PUMPS)
def test_an_input_of_twice_the_size_costs_twice_as_much(name: str) -> None:
    shape, work = PUMPS[name]
    part = max(1.0, (len(shape(200)) - len(shape(100))) / 100)

    def run(size: int) -> Run:
        data = shape(size)
        return lambda: work_on(data)

    def work_on(data: bytes) -> None:
        with suppress(InputError):  # binary data is refused
            work(data)

    assert growth(run, max(1, int((_DEAR if name in _REPORTS else _BYTES) / part))) < _MOST


def test_the_count_tells_linear_from_quadratic() -> None:
    def linear(size: int) -> Run:
        return lambda: [number + 1 for number in range(size)]

    def quadratic(size: int) -> Run:
        return lambda: [a + b for a in range(size) for b in range(size)]

    def lowering(size: int) -> Run:
        text = "x" * size * 64
        return lambda: [text.lower() for _ in range(size)]

    def searching(size: int) -> Run:
        text, pattern = "x" * size * 64, counting._Counted(re.compile("y"))
        return lambda: [pattern.search(text) for _ in range(size)]

    assert growth(linear, 100) == pytest.approx(2, rel=0.05)
    assert growth(quadratic, 50) == pytest.approx(4, rel=0.1)
    assert growth(lowering, 50) == pytest.approx(4, rel=0.1)
    assert growth(searching, 50) == pytest.approx(4, rel=0.1)
    assert steps(lambda: None) <= 2


def test_what_is_remembered_of_a_text_does_not_hide_its_cost() -> None:
    @functools.lru_cache(maxsize=9)
    def pairs(text: str) -> list[str]:
        return [a + b for a in text for b in text]

    def run(size: int) -> Run:
        return lambda: pairs("x" * size)

    assert growth(run, 50) == pytest.approx(4, rel=0.1) == growth(run, 50)


def test_the_count_does_not_depend_on_what_ran_before() -> None:
    shape, work = PUMPS["reports"]
    data = shape(10)

    def count() -> int:
        return fresh_steps(lambda: (work(data), [[] for _ in range(5000)]), caches)

    caches = bounded_caches()
    for _ in range(8):  # what is made once is made: tables, the copy of a store that was asked a few times
        count()
    caches = bounded_caches()
    first = count()
    work(shape(7))
    gc.callbacks.append(lambda _phase, _info: None)
    try:
        assert count() == first
    finally:
        gc.callbacks.pop()
