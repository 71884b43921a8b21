"""Lines of several machines in one input: each machine's reports are those of its log alone."""

from __future__ import annotations

import json
import random
from itertools import chain
from pathlib import Path

import pytest

from kb import api
from kb.log.reader import Reader
from kb.model.report import Report
from kb.split.machines import one_machine

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = sorted((ROOT / "cases").glob("*/match*.log"))[::9]
OOPS = "BUG: kernel NULL pointer dereference, address: 0000000000000008"
HUNG = "INFO: task kworker/0:1:12 blocked for more than 120 seconds."


def texts(path: Path) -> list[str]:
    return [line.text for line in Reader(path.read_bytes()).lines()]


def sent(host: str, start: int, said: list[str], stamps: bool = True) -> list[str]:
    """Lines as a log server's file has them."""
    return [
        f"Mar  3 10:{at // 600 % 60:02d}:{at // 10 % 60:02d} {host} kernel: "
        + (f"[{start + at // 100:5d}.{at % 100:02d}0000] " if stamps else "")
        + text
        for at, text in enumerate(said)
    ]


def reports(lines: list[str]) -> list[tuple[str, str | None, tuple[str, ...]]]:
    return sorted(map(told, api.read("\n".join([*lines, ""]).encode())))


def told(report: Report) -> tuple[str, str | None, tuple[str, ...]]:
    return report.title, report.host, tuple(line.text for line in report.lines)


@pytest.mark.parametrize("stamps", [True, False])
@pytest.mark.parametrize("at", range(len(SAMPLES)), ids=[path.parent.name for path in SAMPLES])
def test_machines_that_print_by_turns_are_told_apart(at: int, stamps: bool) -> None:
    logs = [
        sent(host, start, texts(SAMPLES[(at + more) % len(SAMPLES)]), stamps)
        for more, (host, start) in enumerate([("db1", 100), ("web2.example.org", 90_000), ("10.0.0.7", 7)])
    ]
    mixed, rest = [], [list(log) for log in logs]
    draw = random.Random(at)
    while any(rest):
        log = draw.choice([log for log in rest if log])
        mixed += [log.pop(0) for _ in range(min(draw.randint(1, 3), len(log)))]
    assert reports(mixed) == sorted(chain.from_iterable(map(reports, logs)))


def test_a_machine_is_the_same_before_it_has_its_name_and_behind() -> None:
    said = [OOPS, "CPU: 0 PID: 1 Comm: init", "Call Trace:", " foo+0x1/0x2", " bar+0x1/0x2"]
    lines = [
        line.replace(" db1 ", " localhost " if at < 3 else " db1 ") for at, line in enumerate(sent("db1", 1, said))
    ]
    assert [len(report.lines) for report in api.read("\n".join(lines).encode())] == [5]


def test_a_machine_that_is_silent_for_long_has_said_all() -> None:
    lines = [*sent("db1", 1, [OOPS]), *sent("web2", 1, ["eth0: link up"] * 1500), *sent("db1", 1, ["Call Trace:"])]
    (found,) = api.read("\n".join(lines).encode())
    assert [line.text for line in found.lines] == [OOPS]


def test_a_machine_that_boots_ends_its_own_reports_only() -> None:
    boot = ["Linux version 6.1.0 (a@b) (gcc 12) #1 SMP", "Command line: quiet"]
    said = [HUNG, "      Not tainted 6.1.0", "Call Trace:", " schedule+0x5d/0xd0", " io_schedule+0x42/0x70"]
    hung = sent("db1", 500, said)
    lines = [*hung[:3], *sent("web2", 0, boot), *hung[3:]]
    assert [len(report.lines) for report in api.read("\n".join(lines).encode())] == [5]


def test_a_hundred_machines_that_print_by_turns_are_told_apart() -> None:
    said = [OOPS, "CPU: 0 PID: 1 Comm: init", "RIP: 0010:foo+0x1/0x20", "Call Trace:", " foo+0x1/0x2", " bar+0x1/0x2"]
    logs = [sent(f"node{at}", 1, said) for at in range(100)]
    found = list(api.read("\n".join(chain.from_iterable(zip(*logs, strict=True))).encode()))
    assert [(report.host, len(report.lines)) for report in found] == [(f"node{at}", 6) for at in range(100)]


def test_machines_that_are_too_many_to_be_read_at_a_time_lose_no_line() -> None:
    said = [OOPS, "CPU: 0 PID: 1 Comm: init", "RIP: 0010:foo+0x1/0x20", "Call Trace:"]
    logs = [sent(f"node{at}", 1, said) for at in range(400)]
    found = list(api.read("\n".join(chain.from_iterable(zip(*logs, strict=True))).encode()))
    assert [report.host for report in found if report.lines[0].text == OOPS] == [f"node{at}" for at in range(400)]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("db1", "db1.example.org", True),
        ("DB1", "db1", True),
        ("localhost.localdomain", "db1", True),
        ("db1", "db10", False),
    ],
)
def test_a_name_with_and_without_its_domain_is_one(one: str, other: str, same: bool) -> None:
    assert one_machine(one, other) is one_machine(other, one) is same


def test_a_panic_of_one_machine_follows_from_nothing_of_another() -> None:
    panic = sent("web2", 1, ["Kernel panic - not syncing: Fatal exception"])
    oops = sent("db1", 1, [OOPS, "CPU: 0 PID: 1 Comm: init", "RIP: 0010:foo+0x1/0x20", "---[ end trace 0 ]---"])
    assert [report.follows for report in api.read("\n".join([*oops, *panic]).encode())] == [None, None]
    own = sent("db1", 1, [*["eth0: link up"] * 4, "Kernel panic - not syncing: Fatal exception"])
    assert [report.follows for report in api.read("\n".join([*oops, *own]).encode())] == [None, 0]


@pytest.mark.parametrize("name", ["_HOSTNAME", "hostname", "host", "node"])
def test_records_name_their_machine_in_a_field(name: str) -> None:
    said = [OOPS, "CPU: 0 PID: 1 Comm: init", "Call Trace:", " foo+0x1/0x2", " bar+0x1/0x2"]
    rows = [json.dumps({name: host, "message": text}) for text in said for host in ("db1", "web2")]
    found = list(api.read("\n".join(rows).encode()))
    assert [(report.host, len(report.lines)) for report in found] == [("db1", 5), ("web2", 5)]
