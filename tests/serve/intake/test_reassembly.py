"""Reports out of lines that come bit by bit: each once, whoever sends beside it, within bounds."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette import requests as web

from kb.errors import StoreLocked
from kb.serve import live, work
from kb.serve.intake import arrived, bodies, reassembly
from kb.serve.intake.arrived import Arrived, Boot
from kb.serve.intake.journal import Malformed
from kb.serve.intake.reassembly import Held, Reassembly, Request
from kb.serve.metrics import Metrics
from kb.serve.pool import Busy
from kb.serve.problem import Refused
from kb.serve.settings import Place
from tests.serve.intake.test_push import SENDER, pushed
from tests.serve.test_api import OOPS

Got = list[tuple[str, str, str, int]]


class Clock:
    """Time that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time_ns(self) -> int:
        return int(self.now * 10**9)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(reassembly, "time", made)
    return made


def intake(
    got: Got, fails: list[Exception] | None = None, read: list[bytes] | None = None,
    unkept: list[Exception] | None = None,
) -> Reassembly:  # fmt: skip
    """A reassembly that reads in this process."""

    async def reads(lines: bytes, boot: Boot) -> tuple[work.Found, ...]:
        if read is not None:
            read.append(lines)
        if fails:
            raise fails.pop()
        return work.live(Place("/nowhere/kb.db"), lines)

    async def keeps(reports: tuple[Held, ...], boot: Boot, source: str) -> None:
        if unkept:
            raise unkept.pop()
        got.extend((boot.host, boot.id, str(h.found.report.function), len(h.found.report.lines)) for h in reports)

    return Reassembly(reads, keeps)


def journal(host: str, boot: str, log: bytes = OOPS, start: int = 0) -> bytes:
    """A log as a journal's entries in JSON."""
    rows = []
    for number, line in enumerate(log.decode().splitlines(), start):
        stamp, text = line.split("] ", 1)
        rows.append({
            "MESSAGE": text, "_TRANSPORT": "kernel", "_HOSTNAME": host, "_BOOT_ID": boot, "__CURSOR": f"{boot}{number}",
            "_SOURCE_MONOTONIC_TIMESTAMP": stamp.strip("[ ").replace(".", ""),
            "__REALTIME_TIMESTAMP": str(1_790_000_000_000_000 + number),
        })  # fmt: skip
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def records(data: bytes, media: str = "application/json") -> list[Arrived]:
    form = bodies.form(media, SENDER)
    assert form is not None
    return [*form.feed(data), *form.rest()]


async def tick(into: Reassembly) -> None:
    """Read what has rested, to the end."""
    async with anyio.create_task_group() as group:
        await into.tick(group)


def run(clock: Clock, into: Reassembly, *batches: tuple[float, list[Arrived]], then: float = 5.0) -> None:
    """Take batches, each after some seconds, then time passes."""

    async def main() -> None:
        for after, batch in batches:
            clock.now += after
            await tick(into)
            await into.add(batch, Request("test"))
        clock.now += then
        await tick(into)

    anyio.run(main)


def test_lines_of_two_boots_sent_in_turn_are_two_reports(clock: Clock) -> None:
    got: Got = []
    one, two = records(journal("a", "1")), records(journal("a", "2"))
    mixed = [line for pair in zip(one, two, strict=True) for line in pair]
    run(clock, intake(got), *((0.1, mixed[at : at + 3]) for at in range(0, len(mixed), 3)))
    assert sorted(got) == [("a", "1", "foo_read", 9), ("a", "2", "foo_read", 9)]


@given(cuts=st.lists(st.integers(1, 9), max_size=8), again=st.integers(0, 9))
def test_however_it_is_cut_and_sent_again_a_report_is_read_once(cuts: list[int], again: int) -> None:
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reassembly, "time", clock)
        got: Got = []
        lines = records(journal("a", "1"))
        edges = sorted({0, *(min(sum(cuts[: at + 1]), 9) for at in range(len(cuts))), 9})
        batches = [(0.5, lines[a:b]) for a, b in itertools.pairwise(edges)]
        run(clock, intake(got), *batches, (0.5, lines[:again]))
        assert got == [("a", "1", "foo_read", 9)]


def test_a_report_is_read_when_its_last_line_has_rested_and_not_before(clock: Clock) -> None:
    got: Got = []
    into, lines, read = intake(got), records(journal("a", "1")), []
    into = intake(got, read=read)
    run(clock, into, (0, lines[:3]), (reassembly.REST * 0.9, lines[3:6]), (reassembly.REST * 0.9, lines[6:]), then=0.1)
    assert got == []
    run(clock, into, then=reassembly.REST)
    assert got == [("a", "1", "foo_read", 9)]
    run(clock, into, then=60)
    assert len(read) <= 3


def test_lines_that_go_on_behind_a_report_do_not_keep_it(clock: Clock) -> None:
    got: Got = []
    quiet = [(1.0, records(b"[ %8d.000000] eth0: link up\n" % (20 + at), "text/plain")) for at in range(9)]
    run(clock, intake(got), (0, records(OOPS, "text/plain")), *quiet, then=0)
    assert [each[2] for each in got] == ["foo_read"]


def test_a_second_report_is_not_cut_where_the_first_is_taken_out(clock: Clock) -> None:
    got: Got = []
    second = OOPS.replace(b"foo_read", b"bar_read").replace(b" 12.34", b" 14.34")
    lines = records(second, "text/plain")
    run(clock, intake(got), (0, records(OOPS, "text/plain")), (1.5, lines[:4]), (1.0, lines[4:]))
    assert [(each[2], each[3]) for each in got] == [("foo_read", 9), ("bar_read", 9)]


def test_lines_that_come_out_of_order_are_put_in_order(clock: Clock) -> None:
    got: Got = []
    lines = records(journal("a", "1"))
    run(clock, intake(got), (0, lines[5:]), (0.5, lines[:5]))
    assert got == [("a", "1", "foo_read", 9)]


def test_of_quiet_boots_little_is_held_and_none_is_read(clock: Clock) -> None:
    got: Got = []
    read: list[bytes] = []
    into = intake(got, read=read)
    run(clock, into, *((0, records(b"[    1.%06d] eth0: link up\n" % at, "text/plain")) for at in range(5000)))
    assert into.size < 16_000
    assert read == []
    run(clock, into, then=1e6)
    assert (into.boots, into.size) == (0, 0)


def test_a_storm_is_read_while_it_comes_and_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reassembly, "_LARGEST", 8_000)
    got: Got = []
    into = intake(got)

    async def main() -> None:
        for number in range(60):
            log = OOPS.replace(b"12.345", b"%d.345" % (100 + number))
            await into.add(records(log, "text/plain"), Request("test"))
            assert into.size <= 8_000 + 100
        await into.drain()

    anyio.run(main)
    assert [each[3] for each in got] == [9] * 60


def test_boots_are_bounded_and_the_one_that_was_silent_longest_goes_first(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reassembly, "_BOOTS", 3)
    got: Got = []
    into = intake(got)
    run(clock, into, *((0.1, records(journal("a", str(boot)))) for boot in range(5)), then=0)
    assert into.boots == 3
    assert [each[1] for each in got] == ["0", "1"]


@pytest.mark.parametrize("error", [Refused(503, "died"), RecursionError("kb's own")])
def test_what_no_worker_survives_is_given_up_and_counted(clock: Clock, error: Exception) -> None:
    got: Got = []
    into = intake(got, [error] * reassembly._TRIES)
    run(clock, into, (0, records(OOPS, "text/plain")), *((reassembly.REST, []) for _ in range(reassembly._TRIES - 1)))
    assert (got, into.lost) == ([], 9)


def test_a_boot_that_spins_costs_others_one_try_and_not_all_of_them(clock: Clock) -> None:
    got: Got = []
    into = intake(got)
    into._at_once, reads, tried = 1, into._read, []

    async def spins(lines: bytes, boot: Boot) -> tuple[work.Found, ...]:
        tried.append(boot.host)
        if boot.host == "spins":
            raise Refused(503, "not read in time")
        return await reads(lines, boot)

    into._read = spins
    run(clock, into, (0, records(journal("spins", "1"))), (0.1, records(journal("other", "1"))), then=reassembly.REST)
    run(clock, into, then=0.1)
    assert (tried, [each[0] for each in got]) == (["spins", "other"], ["other"])


def test_a_boot_that_spins_keeps_no_other_from_being_read(clock: Clock) -> None:
    got: Got = []

    async def main() -> None:
        into = intake(got)
        reads, over = into._read, anyio.Event()

        async def spins(lines: bytes, boot: Boot) -> tuple[work.Found, ...]:
            if boot.host == "spins":
                await over.wait()
            return await reads(lines, boot)

        into._read = spins
        for host in ("spins", "other"):
            await into.add(records(journal(host, "1")), Request("test"))
        async with anyio.create_task_group() as group:
            for _ in range(3):
                clock.now += reassembly.REST
                await into.tick(group)
                await anyio.wait_all_tasks_blocked()
            assert [each[0] for each in got] == ["other"]
            over.set()

    anyio.run(main)
    assert [each[0] for each in got] == ["other", "spins"]


def test_a_store_that_cannot_be_written_costs_no_line(clock: Clock) -> None:
    got: Got = []
    into = intake(got, unkept=[StoreLocked("another process writes")] * 3)
    for _ in range(3):
        run(clock, into, (0, records(OOPS, "text/plain")))
        assert (got, into.lost) == ([], 0)
    run(clock, into)
    assert (len(got), into.lost) == (1, 0)


def test_a_report_that_cannot_be_recorded_is_given_up_and_costs_no_other(clock: Clock) -> None:
    got: Got = []
    into = intake(got, unkept=[UnicodeError("a name")])
    run(clock, into, (0, records(OOPS, "text/plain")), (0, records(journal("a", "1"))))
    assert ([each[0] for each in got], into.lost) == (["a"], 9)


def test_what_workers_had_no_time_for_is_read_later(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reassembly.anyio, "sleep", lambda _: anyio.lowlevel.checkpoint())
    got: Got = []
    into = intake(got, [Busy(503, "busy") for _ in range(9)])
    run(clock, into, (0, records(OOPS, "text/plain")))
    assert (len(got), into.lost) == (1, 0)


def test_all_that_is_held_is_read_when_the_service_stops(clock: Clock) -> None:
    got: Got = []
    into = intake(got)

    async def main() -> None:
        await into.add(records(journal("a", "1")), Request("test"))
        await into.drain()

    anyio.run(main)
    assert got == [("a", "1", "foo_read", 9)]


# ---- what collectors send


FORMS: dict[str, Callable[[str], object]] = {
    "vector": lambda line: {"message": line, "host": "h", "timestamp": "2026-11-20T10:00:00Z", "source_type": "file"},
    "vector syslog": lambda line: {"message": line, "host": "h", "appname": "kernel", "facility": "kern"},
    "fluent bit": lambda line: {"date": 1790000000.1, "log": line, "hostname": "h"},
    "fluent bit systemd": lambda line: {"MESSAGE": line, "HOSTNAME": "h", "TRANSPORT": "kernel", "BOOT_ID": "b"},
    "rsyslog": lambda line: {"msg": line, "hostname": "h", "programname": "kernel", "timereported": "2026-11-20"},
    "rsyslog jsonmesg": lambda line: {
        "msg": f" {line}", "rawmsg": f"<4>Nov 28 10:00:00 kernel: {line}", "timereported": "2026-11-20T10:00:00+00:00",
        "hostname": "h", "syslogtag": "kernel:", "fromhost": "relay", "pri": "4", "app-name": "kernel", "uuid": None,
    },
    "syslog-ng": lambda line: {
        "PROGRAM": "kernel", "PRIORITY": "warning", "MESSAGE": line, "ISODATE": "2026-11-20T10:00:00+00:00",
        "HOST": "h", "FACILITY": "kern", "DATE": "Nov 20 10:00:00",
    },
    "promtail json": lambda line: {"line": json.dumps({"MESSAGE": line, "_HOSTNAME": "h", "_TRANSPORT": "kernel"})},
    "journald, bytes": lambda line: {"MESSAGE": list(line.encode()), "_HOSTNAME": "h", "_TRANSPORT": "kernel"},
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("shape", ["lines", "array", "plain", "kafkarest"])
def test_what_collectors_send_is_the_kernels_log_of_its_host(clock: Clock, name: str, shape: str) -> None:
    rows = [FORMS[name](line) for line in OOPS.decode().splitlines()]
    body = "\n\n".join(map(json.dumps, rows))  # rsyslog calls its lines plain text, and has an empty one between
    if shape == "array":
        body = json.dumps(rows)
    elif shape == "kafkarest":
        body = json.dumps({"records": [{"value": row} for row in rows]})
    got: Got = []
    run(clock, intake(got), (0, records(body.encode(), "text/plain" if shape == "plain" else "application/json")))
    assert [(host, function, size) for host, _, function, size in got] == [("h", "foo_read", 9)]


def test_of_a_record_of_very_many_lines_only_a_few_are_made_at_a_time(clock: Clock) -> None:
    made: list[Arrived] = []

    def lines() -> Iterator[Arrived]:
        for line in pushed({"streams": [{"values": [["1", "x\n" * 100_000]]}]}):
            made.append(line)
            yield line

    class Full(Reassembly):
        async def add(self, records: Iterable[Arrived], request: Request) -> None:
            raise StoreLocked("it waits")

    async def nothing(*_: object) -> tuple[()]:
        return ()

    with pytest.raises(StoreLocked):
        anyio.run(live.pass_on, Full(nothing, nothing), lines(), Request("test"))  # type: ignore[arg-type]
    assert 0 < len(made) <= 1000


@pytest.mark.parametrize("value", [b"{}", b"[]", b'{"message":"x","transport":"stdout"}', b"\n"])
def test_values_that_are_no_record_give_others_their_turn(clock: Clock, value: bytes) -> None:
    body, turns = value * (200_000 // len(value)), 0

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body}

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await anyio.lowlevel.checkpoint()

    async def main() -> None:
        here = SimpleNamespace(intake=intake([]), metrics=Metrics(), stops=lambda now: False)
        scope = {"type": "http", "headers": [], "method": "POST", "path": "/"}
        async with anyio.create_task_group() as group:
            group.start_soon(other)
            await live._taken(web.Request(scope, receive), here, "application/json", SENDER, "x")  # type: ignore[arg-type]
            group.cancel_scope.cancel()

    anyio.run(main)
    assert turns >= 200_000 >> 14


def test_at_the_end_a_boot_that_cannot_be_recorded_keeps_no_other_from_it(clock: Clock) -> None:
    got: Got = []
    into = intake(got, unkept=[StoreLocked("it is locked")])

    async def main() -> None:
        for host in ("a", "b"):
            await into.add(records(journal(host, "1")), Request("test"))
        await into.drain()

    anyio.run(main)
    assert got == [("b", "1", "foo_read", 9)]
    assert into.lost == 9


def test_at_the_end_workers_that_never_begin_are_not_waited_for_without_an_end(clock: Clock) -> None:
    got: Got = []
    into = intake(got, fails=[Busy(503, "busy") for _ in range(1000)])

    async def main() -> None:
        await into.add(records(journal("a", "1")), Request("test"))
        with anyio.fail_after(60):
            await into.drain(0.1)

    anyio.run(main)
    assert (got, into.lost) == ([], 9)


@pytest.mark.parametrize("field", ["MESSAGE", "_HOSTNAME", "_BOOT_ID"])
def test_text_that_utf_8_does_not_know_is_a_line_all_the_same(field: str) -> None:
    """JSON may hold half of a surrogate pair: a collector that is refused would send it again for ever."""
    fields = {"MESSAGE": "BUG: x", "_HOSTNAME": "h", "_BOOT_ID": "b", "__REALTIME_TIMESTAMP": "1790000000000000"}
    (found,) = records(json.dumps(fields | {field: "BUG: a\ud83d z"}).encode())
    assert b"BUG: " in found.line
    assert "\ud83d" not in f"{found.boot}"


def test_what_programs_say_is_no_kernels_log() -> None:
    rows = [
        {"MESSAGE": "BUG: of an application", "_TRANSPORT": "syslog", "SYSLOG_IDENTIFIER": "app", "_HOSTNAME": "h"},
        {"message": "BUG: of an application", "appname": "app", "host": "h"},
        {"MESSAGE": "BUG: of an application", "_TRANSPORT": "stdout"},
    ]
    assert records("\n".join(map(json.dumps, rows)).encode()) == []


def test_plain_text_in_braces_that_is_no_record_is_a_line() -> None:
    for line in (b'{"a": 1}', b"{1,2,3}", b"{", b'{"message": {"message": 1}}'):
        assert [each.line.endswith(b" " + line + b"\n") for each in records(line, "text/plain")] == [True]


def test_what_syslog_daemons_call_the_time_is_known() -> None:
    for name in ("timereported", "timegenerated", "ISODATE"):
        (found,) = records(json.dumps({"msg": "BUG: x", name: "2026-11-20T10:00:00+00:00"}).encode())
        assert found.stamp == 1795168800 * 10**9


def test_a_line_bears_one_time_its_own_or_the_records() -> None:
    def one(**fields: object) -> bytes:
        (found,) = arrived.of_record(fields, {}, SENDER) or ()
        return found.line

    assert one(MESSAGE="BUG: x", _SOURCE_MONOTONIC_TIMESTAMP="12345678", PRIORITY="4") == b"<4>[   12.345678] BUG: x\n"
    assert one(msg="BUG: x", sec=3, usec=7) == b"[    3.000007] BUG: x\n"
    assert one(message="[   12.345678] BUG: x", timestamp="2026-11-20T10:00:00Z") == b"[   12.345678] BUG: x\n"
    syslog = "Nov 28 10:00:00 db17 kernel: [   12.345678] BUG: x"
    assert one(line=syslog, ts="1790000000000000000") == syslog.encode() + b"\n"
    assert one(message="BUG: x", timestamp="2026-11-20T10:00:00Z", host="h").startswith(
        b"2026-11-20T10:00:00.000000Z h"
    )


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc")
def test_records_of_any_size_cost_bounded_memory() -> None:
    form = bodies.form("application/json", SENDER)
    assert form is not None
    for _ in range(64):
        for _found in form.feed(b'[{"message": "' + b"x" * (1 << 20)):
            pass
    assert len(form._scanner._data) < 4 << 20  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("body", "read", "unread"),
    [
        (b'{"a": 1}', 0, 1),
        (b'{"a": {"b": ["c"]}}\n["c"]', 0, 2),
        (b'[{"message": "BUG: x"}, {"a": 1}]', 1, 0),
        (b'{"message": "BUG: x"}\n{"a": 1}', 1, 1),
        (b"[]\n{}\n", 0, 0),
        (b'{"log": "{\\"level\\": \\"info\\"}"}', 1, 0),
        (b'{"records": [{"value": "BUG: x"}]}', 1, 0),
        (b"[" * 100, 0, 1),
    ],
)
def test_values_in_which_no_record_is_found_are_counted(body: bytes, read: int, unread: int) -> None:
    form = bodies.form("application/json", SENDER)
    assert form is not None
    list(form.feed(body))
    assert (form.read, form.unread) == (read, unread)


@pytest.mark.parametrize("body", [b'{"message": "BUG: x', b'[{"message": "BUG: x"},'])
def test_json_that_ends_within_a_value_is_told(body: bytes) -> None:
    with pytest.raises(Malformed, match="ends within"):
        records(body)


@pytest.mark.parametrize(
    ("media", "known"),
    [
        ("", True), ("text/plain; charset=utf-8", True), ("application/x-ndjson", True), ("application/json", True),
        ("application/vnd.kafka.v1+json", True), ("application/x-www-form-urlencoded", True),
        ("application/x-protobuf", False), ("application/msgpack", False), ("multipart/form-data; boundary=x", False),
        ("image/png", False),
    ],
)  # fmt: skip
def test_bodies_of_types_that_are_no_text_are_not_read(media: str, known: bool) -> None:
    assert (bodies.form(media, SENDER) is not None) == known
