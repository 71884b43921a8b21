"""HZ by the number of jiffies at which a stall is told."""

from __future__ import annotations

import pytest

from kb.kernel.jiffies import rate


@pytest.mark.parametrize(
    ("jiffies", "hz"),
    [(5250, 250), (21002, 1000), (2100, 100), (26004, 1000), (2605, 100), (10502, 100), (60002, 1000), (6300, 300)],
)
def test_a_time_out_tells_the_rate(jiffies: int, hz: int) -> None:
    assert rate(jiffies) == hz


@pytest.mark.parametrize("jiffies", [0, 6, 1000, 4004, 30000, 18321, 6500])
def test_a_number_that_fits_none_or_several_tells_none(jiffies: int) -> None:
    assert rate(jiffies) is None
