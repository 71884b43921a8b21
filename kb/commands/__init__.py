"""One module a command of ``kb``; imported when the command is used."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kb import api
from kb.cli import nearest, note

if TYPE_CHECKING:
    from pathlib import Path


@contextmanager
def opened(options: argparse.Namespace) -> Iterator[api.KnowledgeBase]:
    """The base that a command's options name; cases that could not be used are told at the end."""
    store, cases = getattr(options, "db", None), getattr(options, "cases", None)
    with api.KnowledgeBase(store, cases=cases) as base:
        yield base
    tell_left_out(base)


def tell_left_out(base: api.KnowledgeBase) -> None:
    """Name the cases that could not be used, as far as the library was needed."""
    for error in base.left_out:
        note(f"case left out: {error}")


def did_you_mean(word: str, base: api.KnowledgeBase) -> str:
    """The cases whose ids are spelt like a word, as a question; empty where there is none."""
    near = nearest(word, (case.id for case in base.cases))
    return f"did you mean {' or '.join(near)}?" if near else ""


def named(path: str) -> "str | Path":
    """A path of the command line. One with a line break in it would be text to the API."""
    if "\n" not in path and "\r" not in path:
        return path
    from pathlib import Path

    return Path(path)
