"""Work in steps that can be counted, so that a test of growth needs no clock.

A step is a line of Python that runs (a round of a comprehension is one, too), or 64 characters that a method of a text
goes through or that a regular expression passes in a search. What remains unseen is copying by ``+``: the table of
``python -m tests.growth`` shows CPU times of large inputs beside.

The same call takes the same steps, whatever ran before it and however long: nothing is remembered of the texts, no
clock decides, and the garbage collector, whose callbacks and finalizers are Python, waits.
"""

import functools
import gc
import importlib
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest

from kb.log import scan
from tests.growth.patterns import sources

_BLOCK = 64
_SCANS = frozenset({"casefold", "decode", "encode", "lower", "replace", "split", "splitlines", "translate", "upper"})
"""Methods that go through all of a text, whatever they find and wherever they begin."""

_searched = 0
"""Characters that the patterns of the program have passed."""


def steps(run: Callable[[], object]) -> int:
    """Steps that a call takes."""
    count = 0

    def trace(_frame: FrameType, event: str, _arg: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    def profile(_frame: FrameType, event: str, arg: Any) -> None:
        nonlocal count
        if event == "c_call" and arg.__name__ in _SCANS and isinstance(arg.__self__, str | bytes):
            count += len(arg.__self__) // _BLOCK

    before = sys.gettrace(), sys.getprofile(), gc.isenabled()
    searched = _searched
    gc.disable()
    sys.setprofile(profile)
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before[0])
        sys.setprofile(before[1])
        if before[2]:
            gc.enable()
    return count + (_searched - searched) // _BLOCK


def growth(run: Callable[[int], Callable[[], object]], size: int) -> float:
    """How much more the second doubling of a size costs than the first: 2 is linear, 4 is quadratic.

    What does not grow cancels out. The largest goes first, so that all that is made once is there for what is counted;
    what is remembered of a text (a cache that has a bound) is forgotten before each.

    Args:
        run: From a size to the call.
        size: The smallest, in parts of the input.
    """
    calls = [run(size * times) for times in (1, 2, 4)]
    calls[-1]()
    remembered = bounded_caches()
    once, twice, four = (fresh_steps(call, remembered) for call in calls)
    return (four - twice) / max(twice - once, once // 8, 1)


def bounded_caches() -> list[Any]:
    """The caches of the process that have a bound: those of texts. What is made once has none, or is one value."""
    found = (each for each in gc.get_objects() if isinstance(each, functools._lru_cache_wrapper))
    return [each for each in found if (each.cache_parameters()["maxsize"] or 0) > 1]


def fresh_steps(call: Callable[[], object], remembered: Iterable[Any]) -> int:
    """Steps of a call that finds nothing remembered."""
    for cache in remembered:
        cache.cache_clear()
    scan._Left.scanned = scan._Left.lines = 0  # no input is the small first one, for which re2 is not made
    return steps(call)


class _Counted:
    """A pattern that counts what its searches pass; each is linear in that (test_patterns.py)."""

    def __init__(self, pattern: "re.Pattern[Any]"):
        self._pattern = pattern

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pattern, name)

    def search(self, text: Any, *place: int) -> Any:
        found = self._pattern.search(text, *place)
        self._passed((len(text) if found is None else found.end()) - (place[0] if place else 0))
        return found

    def finditer(self, text: Any, *place: int) -> Iterator[Any]:
        at = place[0] if place else 0
        for found in self._pattern.finditer(text, *place):
            self._passed(found.end() - at)
            at = found.end()
            yield found
        self._passed(len(text) - at)

    def findall(self, text: Any, *place: int) -> Any:
        self._passed(len(text))
        return self._pattern.findall(text, *place)

    def sub(self, by: Any, text: Any, *rest: Any, **more: Any) -> Any:
        self._passed(len(text))
        return self._pattern.sub(by, text, *rest, **more)

    @staticmethod
    def _passed(characters: int) -> None:
        global _searched
        _searched += max(0, characters)


def _counted(value: Any, depth: int = 0) -> Any:
    """A value with its patterns counted; itself where it holds none."""
    if isinstance(value, re.Pattern):
        return _Counted(value)
    if not isinstance(value, tuple | list) or depth > 4:
        return value
    rows = [_counted(row, depth + 1) for row in value]
    if all(row is old for row, old in zip(rows, value, strict=True)):
        return value
    return type(value)(*rows) if hasattr(value, "_fields") else type(value)(rows)


@contextmanager
def counted_patterns() -> Iterator[None]:
    """While this lasts, the program's patterns count what they pass, and the folders of cases are looked at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kb.cases.library._clock", lambda: 0.0)
        for name, _ in sources():
            module = importlib.import_module(name)
            for key, value in list(vars(module).items()):
                made = _counted(value)
                if made is not value:
                    patch.setattr(module, key, made)
        yield
