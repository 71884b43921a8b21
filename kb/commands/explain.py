"""``kb explain``: what a word of an answer means."""

import argparse
from collections.abc import Iterator

from kb.cli import EMPTY, OK, nearest, note
from kb.glossary import Explained, everything, explain
from kb.render.safe import safe, wrap

_PRINTED = 12
"""Places of the kernel that are named."""


def run(options: argparse.Namespace) -> int:
    """Explain the words; list all of them where none is given."""
    from kb.commands.output import width

    if not options.words:
        for one in everything():
            print(f"{one.what:<8}{one.word}")
        return OK
    missing = False
    for index, word in enumerate([" ".join(options.words)] if _is_one(options.words) else options.words):
        found = explain(word)
        if not found:
            missing = True
            near = nearest(word, (one.word for one in everything()))
            note(f"no such word: {word}" + (f"\n  help: did you mean {', '.join(near)}" if near else ""))
        for one in found:
            if options.json:
                print(_json(one))
            else:
                print("\n" * bool(index) + "\n".join(_lines(one, width())))
    return EMPTY if missing else OK


def _is_one(words: list[str]) -> bool:
    return len(words) > 1 and bool(explain(" ".join(words)))


def _lines(one: Explained, width: int) -> Iterator[str]:
    yield f"{safe(one.word)} ({one.what})"
    rows = [
        ("means", one.means),
        *(("printed" if not i else "", text) for i, text in enumerate(one.printed[:_PRINTED])),
    ]
    if len(one.printed) > _PRINTED:
        rows.append(("", f"and {len(one.printed) - _PRINTED} more"))
    rows += [("example", one.example), ("see", one.see)]
    for label, text in rows:
        for number, row in enumerate(wrap(safe(text), width - 14)):
            yield f"  {label if not number else '':<12}{row}".rstrip()


def _json(one: Explained) -> str:
    from dataclasses import asdict

    from kb.render.json import line

    return line({"schema": "kb.term/1", **asdict(one)})
