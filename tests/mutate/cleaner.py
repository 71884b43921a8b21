"""Mutants of kb/cleaner/rules.toml: each rule. Its own sample, which stands in it, must be cleaned less without it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from unittest import mock

from kb.cleaner import clean, hosts, rules
from tests.mutate.table import Mutant


@contextmanager
def changed(gone: rules.Rule) -> Iterator[None]:
    """The rules without one."""
    left = tuple(rule for rule in rules.rules() if rule is not gone)
    with ExitStack() as stack:
        for module in (clean, hosts, rules):
            stack.enter_context(mock.patch.object(module, "rules", return_value=left))
        yield


def mutants() -> Iterator[Mutant]:
    """All of them."""
    for rule in rules.rules():
        fails = partial(_noticed, rule.sample.encode(), _cleaned(rule.sample.encode()))
        yield Mutant("rules.toml", rule.name, "", partial(changed, rule), fails)


def _noticed(sample: bytes, before: bytes) -> bool:
    return _cleaned(sample) != before


def _cleaned(sample: bytes) -> bytes:
    return b"".join(clean.Cleaner([sample]).clean(sample))
