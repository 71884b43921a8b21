"""Days are read, never guessed."""

import pytest

from kb.fleet.day import day_of


@pytest.mark.parametrize(
    ("wall", "day"),
    [
        ("2026-11-28T23:59:59.123456Z", "2026-11-28"),
        ("2026-11-28T23:59:59,123456-05:00", "2026-11-29"),
        ("2026-11-28T00:30:00+0100", "2026-11-27"),
        ("2026-11-28 10:00:00", "2026-11-28"),
        ("2026-11-28T10:00:00.123456789Z", "2026-11-28"),
        ("[Sat Nov 28 10:00:00 2026]", "2026-11-28"),
        ("[六 11月 28 10:00:00 2026]", "2026-11-28"),
        ("1795860000.5", "2026-11-28"),
        ("Nov 28 10:00:00", "unknown"),
        ("2026-02-30T10:00:00Z", "unknown"),
        ("10:00:00.5", "unknown"),
        (None, "unknown"),
    ],
)
def test_the_day_of_what_a_transport_prints(wall: str | None, day: str) -> None:
    assert day_of(wall) == day
