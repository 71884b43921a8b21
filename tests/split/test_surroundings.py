"""What a report is does not depend on what stands around it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kb import api
from kb.identity.signature import signature
from kb.model.report import Report

ROOT = Path(__file__).resolve().parents[2]
STAMP = re.compile(rb"\[ *\d+\.\d{6}\] ")
SAMPLES = [
    path
    for path in sorted((ROOT / "cases").glob("*/match*.log"))
    if STAMP.match(path.read_bytes().splitlines()[0]) and any(True for _ in api.read(path))
]
"""Logs of a stamp a line that hold reports: a lone notice may be a part of the report before it."""
ORDINARY = (
    b"eth0: NIC Link is Up 1000 Mbps Full Duplex", b"EXT4-fs (sda1): mounted filesystem",
    b"usb 1-1: new high-speed USB device",
    b"systemd[1]: Started Session 4711 of User root.", b"audit: type=1400 audit(1700000000.123:45): op=\"open\"",
    b"nvme nvme0: 4/0/0 default/read/poll queues, QID 3", b"loop0: detected capacity change from 0 to 8",
)  # fmt: skip
"""Lines of a healthy machine; some hold a literal that opens a report, or a word that reports have."""


def told(data: bytes) -> list[tuple[object, ...]]:
    """What is said of each report, places left out."""
    return [said(report) for report in api.read(data)]


def said(report: Report) -> tuple[object, ...]:
    mark = signature(report)
    own = tuple(line.text for line in report.lines)
    return report.title, mark.id, mark.alt, report.comm, report.pid, report.follows, own


def ordinary(count: int, stamp: bytes) -> bytes:
    return b"".join(stamp + ORDINARY[number % len(ORDINARY)] + b"\n" for number in range(count))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_ordinary_lines_around_a_report_change_nothing(path: Path) -> None:
    data = path.read_bytes()
    data += b"" if data.endswith(b"\n") else b"\n"
    stamps = STAMP.findall(data)
    alone = told(data)
    for before, behind in ((1, 0), (5, 1), (13, 20), (70, 0), (0, 70), (300, 300)):
        assert told(ordinary(before, stamps[0]) + data + ordinary(behind, stamps[-1])) == alone, (before, behind)


@pytest.mark.parametrize("place", range(0, len(SAMPLES) - 4, 4))
def test_ordinary_lines_between_two_reports_change_neither(place: int) -> None:
    first, second = (path.read_bytes().rstrip(b"\n") + b"\n" for path in SAMPLES[place : place + 2])
    want = [(row[0], row[1], row[-1]) for part in (first, second) for row in map(said, api.read(part))]
    for count in (45, 100, 1000):
        found = told(first + ordinary(count, STAMP.findall(second)[0]) + second)
        assert [(row[0], row[1], row[-1]) for row in found] == want, count
