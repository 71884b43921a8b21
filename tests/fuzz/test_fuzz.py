"""Some hundred damaged logs, always the same, go through the program: nothing raises, hangs, or drives a terminal."""

import resource

import pytest

from tests.fuzz.__main__ import run
from tests.fuzz.check import Hang, driving, guarded, store
from tests.fuzz.mutate import CHANGES, WRAPS, mutant, samples

_EACH = 100
_MEMORY = 400 << 10
"""kB by which the memory of the process may grow: a mutant has at most 100 kB."""


@pytest.mark.parametrize("first", range(0, 600, _EACH))
def test_a_damaged_log_is_read_and_told(first: int) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with store() as base:
        found = [run(mutant(seed), base) for seed in range(first, first + _EACH)]
    assert [crash for crash in found if isinstance(crash, str)] == []
    assert sum(count for count in found if isinstance(count, int)) > _EACH / 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < _MEMORY


def test_a_mutant_is_made_from_its_number_alone() -> None:
    assert mutant(4711) == mutant(4711)
    assert len({mutant(seed).data for seed in range(50)}) > 40


def test_every_change_and_every_wrap_comes_up() -> None:
    told = {name for seed in range(1000) for name in mutant(seed).how.rpartition(": ")[2].split(", ")}
    assert told == {*CHANGES, *WRAPS}
    assert len(samples()) > 300


def test_what_drives_a_terminal_is_seen() -> None:
    assert driving("plain text\n\twith ✓ marks, 中文 and é") == []
    assert driving("\x1b[2J\x9b\u202e\u2066\u200b\u2028\udc80\r\0") == [
        "0x0", "0x1b", "0x200b", "0x2028", "0x202e", "0x2066", "0x9b", "0xd", "0xdc80",
    ]  # fmt: skip


def test_an_endless_input_is_stopped() -> None:
    def endless() -> None:
        with guarded(0.05):
            while True:
                pass

    with pytest.raises(Hang):
        endless()
