"""Which functions are skipped does not depend on who is asked: the set of all patterns or one after the other."""

from unittest import mock

import pytest

from kb.identity import common
from kb.parse import plumbing
from kb.syntax.sets import nominator
from tests.parse.skips import samples

NAMES = sorted({sample.function for sample in samples()} | {"ext4_lookup", "foo_bar", "vfs_rêad", "", "do_syscall_64"})
needs_re2 = pytest.mark.skipif(nominator(()) is None, reason="re2 is not installed")


@needs_re2
@pytest.mark.parametrize("group", sorted(set(plumbing.rules()) - {"anchors"}))
def test_the_set_skips_what_the_entries_do(group: str) -> None:
    asked, modules = plumbing.skips((group,)), (None, "usbcore", "ext4")
    with mock.patch.object(plumbing, "nominator", return_value=None):
        one_by_one = plumbing.skips.__wrapped__((group,))
    for name in NAMES:
        assert [asked(name, module) for module in modules] == [one_by_one(name, module) for module in modules], name


@needs_re2
def test_the_set_knows_the_same_names_as_common_and_generic() -> None:
    told = [(common.is_common(name), common.is_generic(name)) for name in NAMES]
    with mock.patch.object(common, "_test", return_value=None):
        common.is_common.cache_clear()
        common.is_generic.cache_clear()
        assert told == [(common.is_common(name), common.is_generic(name)) for name in NAMES]
    assert {(True, True), (False, True), (False, False)} == set(told)
