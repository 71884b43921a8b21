"""Mutants of the scanner's literals: each gone from openers.txt (made from the grammar), headless.txt, notices.txt."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from unittest import mock

from kb.log import scan
from tests.kinds import samples
from tests.mutate.table import Mutant
from tests.parse import notices

_HEADLESS = (
    "Call Trace:",  # arch/x86/kernel/dumpstack.c
    "Call trace:",  # arch/arm64/kernel/stacktrace.c
    "Backtrace: ",  # arch/arm/kernel/traps.c
    "NMI backtrace for cpu 1",  # lib/nmi_backtrace.c
    "Mem-Info:",  # mm/show_mem.c
    '{"MESSAGE":[66,85,71,58,32,255],"PRIORITY":"1"}',  # journalctl -o json
    '\t"MESSAGE" : [',  # journalctl -o json-pretty
    '{"PRIORITY": "1", "MESSAGE": [66, 85, 71, 58, 32, 255]}',  # written again by others
)
"""First lines of what has no headline, and of messages that a journal keeps as bytes."""


@contextmanager
def changed(gone: str) -> Iterator[None]:
    """The scanner without one of its literals; the plain one: the tables of re2 cost more than a look for each."""
    whole = scan.literals.__wrapped__

    def literals(names: tuple[str, ...] = scan.OPENERS) -> tuple[str, ...]:
        return tuple(literal for literal in whole(names) if literal != gone)

    with mock.patch.object(scan, "literals", literals):
        scan._needles.cache_clear()
        yield
    scan._needles.cache_clear()


def mutants() -> Iterator[Mutant]:
    """All of them."""
    for name in (*scan.OPENERS, *scan.NOTICES):
        for literal in scan.literals((name,)):
            fails = partial(_noticed, literal, scan.NOTICES if name in scan.NOTICES else scan.OPENERS)
            yield Mutant(f"{name}.txt", literal, "", partial(changed, literal), fails)


def _noticed(literal: str, names: tuple[str, ...]) -> bool:
    return any(literal in text and not _found(text, names) for text in texts(names))


def _found(text: str, names: tuple[str, ...]) -> bool:
    data = text.encode()
    return next(scan.plain_scan(data, 0, len(data), names), None) is not None


@cache
def texts(names: tuple[str, ...]) -> tuple[str, ...]:
    """Lines at which the scanner must stop: wordings of headlines and notices, first lines of what has none."""
    if names == scan.NOTICES:
        return tuple(sample.text for sample in notices.samples())
    wordings = [wording.text for kind in samples.KINDS for wording in samples.wordings(kind) if wording.fits]
    return (*wordings, *_HEADLESS)
