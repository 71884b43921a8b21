"""Writes kb/log/openers.txt: for each headline of the grammar, words that must stand in any line that is one.

A headline is found in a log by a scan of its raw bytes for literals. Which those are follows from the terminals of
grammars/headline.lark: each pattern is taken apart, and of the sets of literals of which every match must hold one, the
rarest is kept. So no headline can be written that the scanner passes, and a new one needs no entry of its own.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from re import _constants as const
from re import _parser as parser
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "kb/log/openers.txt"
_MOST = 48
"""Strings that a part of a pattern may stand for and still be told apart."""
_SELDOM = 15.0
"""Bits from which on a text is seldom enough."""
_ORDINARY = ("traps: java[1] general protection fault ip:7f0 sp:7ff error:0 in libc.so.6[7f0+1000]",)
"""Lines that are no headline and that a busy machine prints again and again (arch/x86/kernel/traps.c): words that
stand in one of them are not seldom."""
_ESCAPED = frozenset('"\\<>&')
"""Characters that JSON, Go's at that, and markup write otherwise."""
_LETTERS = 6
"""Characters of a class that are told apart: ``[Kk]``."""

Texts = frozenset[str]


def openers() -> list[str]:
    """The literals of all headlines, none of which holds another."""
    sys.path.insert(0, str(ROOT))
    from kb.syntax import engine

    patterns = {terminal.name: terminal.pattern.to_regexp() for terminal in engine.build("headline").terminals}
    picked: dict[str, Texts] = {}
    for known in (False, True):  # what finds another headline may find this one, or an alternative of it, as well
        for name, pattern in patterns.items():
            others = frozenset(text for other, texts in picked.items() if other != name for text in texts if known)
            sets = required(pattern, others)
            if not sets:
                raise SystemExit(f"{name}: no word must stand in every line that it fits")
            picked[name] = frozenset(text for text in _best(sets, others) if not _is_known(text, others))
    found = {text for texts in picked.values() for text in texts}
    return sorted(_pruned({text for text in found if not _is_known(text, found - {text})}, [*patterns.values()]))


def _pruned(found: set[str], patterns: Sequence[str]) -> set[str]:
    """The literals without those that no pattern needs beside the others."""

    def covering(pattern: str, left: set[str]) -> Texts | None:
        texts = _best(required(pattern, frozenset(left)), frozenset(left))
        return texts if texts and all(_is_known(text, left) for text in texts) else None

    covered = {pattern: covering(pattern, found) for pattern in patterns}
    if lost := [pattern for pattern, texts in covered.items() if texts is None]:
        raise SystemExit(f"no literal is left for {lost[0]}")
    for literal in sorted(found):
        left = found - {literal}
        needy = [one for one, texts in covered.items() if not all(_is_known(text, left) for text in texts or ())]
        others = {pattern: covering(pattern, left) for pattern in needy}
        if None not in others.values():
            found, covered = left, covered | others
    return found


def required(pattern: str, known: Texts = frozenset()) -> list[Texts]:
    """Sets of literals: of each one every text that the pattern fits holds one. Empty where there is none.

    Args:
        pattern: A regular expression.
        known: Literals that are looked for anyway: of alternatives, those that hold one come free.
    """
    return [texts for texts in _sequence(parser.parse(pattern), known)[1] if texts]


def _is_known(text: str, known: Collection[str]) -> bool:
    return any(other in text for other in known)


@cache
def _is_free(text: str) -> bool:
    """False where a notice's literal holds the text, is held, or goes on where it ends: a scan hits one of the two."""
    from kb.log.scan import NOTICES, literals

    def meets(notice: str) -> bool:
        sizes = range(4, min(len(text), len(notice)))
        ends = any(text[-size:] == notice[:size] or notice[-size:] == text[:size] for size in sizes)
        return ends or text in notice or notice in text

    return not any(map(meets, literals(NOTICES)))


def _bits(text: str) -> float:
    """How seldom a text stands in an ordinary log: words are common, punctuation beside them is not."""
    if any(text in line for line in _ORDINARY):
        return 0.0
    return sum(0.5 if c == " " else 1.0 if c.islower() else 1.5 if c.isalnum() else 4.0 for c in text)


def _worth(texts: Texts, known: Texts) -> tuple[bool, float, int, int]:
    """How seldom one of the texts stands in an ordinary log; where that is enough, how few and short they are."""
    if texts and all(_is_known(text, known) for text in texts):
        return True, 0.0, 0, 0
    texts = frozenset(text for text in texts if not _is_known(text, known))
    bits = -math.log2(sum(2 ** -_bits(text) for text in texts)) if texts else 0.0
    return False, min(bits, _SELDOM), -len(texts), -sum(map(len, texts))


def _trim(texts: Texts) -> Texts:
    """Without blanks at the ends (a mailer may have broken the line there), none that holds another."""
    texts = frozenset(text.strip(" ") for text in texts)
    return frozenset(text for text in texts if not any(other in text for other in texts if other != text))


def _flat(items: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    """A sequence with its groups taken apart."""
    for op, args in items:
        if op is const.SUBPATTERN:
            yield from _flat(args[3])
        else:
            yield op, args


def _sequence(items: Iterable[Any], known: Texts) -> tuple[Texts | None, list[Texts]]:
    """What a sequence stands for: all its strings where they are few, and the sets of which it must hold one each."""
    sets: list[Texts] = []
    run: list[Texts] = []
    whole = True
    before: list[tuple[Any, Any]] = []
    for op, args in _flat(items):
        exact, must = _item(op, args, known, before)
        before = [*before, (op, args)] if op is const.LITERAL else []
        if exact is not None:
            run.append(exact)
            continue
        sets += [*_stretches(run), must]
        whole, run = False, []
    return (_product(run) if whole else None), [*sets, *_stretches(run)]


def _stretches(run: Sequence[Texts]) -> Iterator[Texts]:
    """The strings of each stretch of whole words in a run of parts, as far as they are few."""
    breaks = [i for i in range(len(run) + 1) if i in (0, len(run)) or not (_is_word(run[i - 1]) and _is_word(run[i]))]
    for number, start in enumerate(breaks):
        for end in breaks[number + 1 :]:
            texts = _product(run[start:end])
            if texts is None:
                break
            texts = _trim(texts)
            if all(map(_is_plain, texts)) and all(map(_is_free, texts)):
                yield texts


def _is_plain(text: str) -> bool:
    """Whether a text is written alike wherever it stands: in JSON, in markup, on a blog's page."""
    return bool(text) and _ESCAPED.isdisjoint(text) and " - " not in text


def _is_word(part: Texts) -> bool:
    return all(text[-1:].isalnum() for text in part)


def _best(sets: Iterable[Texts], known: Texts) -> Texts:
    return max(sets, key=lambda texts: _worth(texts, known), default=frozenset())


def _product(parts: Sequence[Texts]) -> Texts | None:
    texts: Texts = frozenset({""})
    for part in parts:
        if len(texts) * len(part) > _MOST:
            return None
        texts = frozenset(a + b for a in texts for b in part)
    return texts


def _item(op: Any, args: Any, known: Texts, before: Sequence[Any] = ()) -> tuple[Texts | None, Texts]:
    """What one part stands for: its strings, and a set of which it must hold one.

    ``before`` are the letters before it: the parser takes out what alternatives begin with, ``B(?:ad|UG: bad)``.
    """
    if op is const.LITERAL:
        return frozenset({chr(args)}), frozenset()
    if op is const.IN:
        return _letters(args), frozenset()
    if op is const.BRANCH:
        parts = [_sequence(branch, known) for branch in args[1]]
        exact: Texts | None = frozenset(text for every, _ in parts for text in every or ())
        if exact is None or len(exact) > _MOST or any(every is None for every, _ in parts):
            exact = None
        musts = [_best(_sequence([*before, *branch], known)[1], known) for branch in args[1]]
        return exact, frozenset().union(*musts) if all(musts) else frozenset()
    if op in (const.MAX_REPEAT, const.MIN_REPEAT):
        least, most, inner = args
        every, sets = _sequence(inner, known)
        if least == 0:
            return (every | {""} if every is not None and most == 1 else None), frozenset()
        return (every if least == most == 1 else None), _best(sets, known)
    if op in (const.ASSERT, const.ASSERT_NOT, const.AT):
        return frozenset({""}), frozenset()
    return None, frozenset()


def _letters(args: Any) -> Texts | None:
    if all(op is const.LITERAL for op, _ in args) and len(args) <= _LETTERS:
        return frozenset(chr(value) for _, value in args)
    return None


def text() -> str:
    """The file as it must be."""
    head = (
        "# Written by `make docs` from grammars/headline.lark: one of these stands in any line that opens a report.\n"
        "# A cheap pre-filter over raw bytes: it may hit ordinary lines, the grammar decides. A blank of a literal\n"
        "# also fits a line break of a mailer (with the quote marks that follow it).\n"
    )
    return head + "".join(f"{literal}\n" for literal in openers())


if __name__ == "__main__":
    print(text())
