"""What of a case's words can be told to be wrong."""

from __future__ import annotations

import pytest

from kb.cases.wording import instructs, points_elsewhere


@pytest.mark.parametrize(
    "text",
    [
        "Look at the host: it swaps.",
        "Update now.",
        "Stop writing, and look for a disk error.",
        "Do not swap over NFS on these kernels.",
        "Nothing to do if it came up again.",
        "Read /sys/block/DEV/inflight: with requests in flight it is the storage.",
        "First save data.",
    ],
)
def test_advice_is_told(text: str) -> None:
    assert instructs(text)


@pytest.mark.parametrize(
    "text",
    [
        "The drive reports itself that a sector is unreadable.",
        "A CPU ran kernel code for 20 s without a break. Compare two reports.",
        "Swap is full, and nothing can be written out.",
        "Writers wait for a superblock update.",
        "Memory returned wrong bits.",
        "btrfs had space for data but none for metadata.",
        "",
    ],
)
def test_a_cause_is_no_advice(text: str) -> None:
    assert not instructs(text)


@pytest.mark.parametrize(
    ("text", "elsewhere"),
    [
        ("find who holds that, by the table of frames below", True),
        ("See the row. Killing the task does nothing.", True),
        ("Each is a command (below) and takes a minute.", True),
        ("Storage below ext4 does not answer.", False),
        ("The table of neighbours is full.", False),
        ("Free pages fell below the watermark.", False),
    ],
)
def test_a_text_that_points_elsewhere_is_told(text: str, elsewhere: bool) -> None:
    assert points_elsewhere(text) is elsewhere
