"""Notices: every terminal has a sample and a near miss, the same one is told once, and reports never change by them."""

from __future__ import annotations

import io
import json
import os
import re
from contextlib import suppress
from pathlib import Path
from re import _parser as sre

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb import api
from kb.errors import InputError
from kb.identity.signature import signature
from kb.log import scan
from kb.model.log import Line
from kb.parse import reading
from kb.parse.notice import classify, rows
from kb.syntax import engine
from tests.parse import notices
from tests.syntax.test_headline import LONG, SEEDS, nested

SAMPLES = [sample[:3] for sample in notices.samples()]
BOOT = "[    0.000000] Linux version 6.1.0-18-amd64 (x@y) #1 SMP\n"


def line(text: str) -> Line:
    return Line(text, 1, 1, text.encode("utf-8", "surrogateescape"))


def name(text: str) -> str | None:
    found = classify(line(text))
    return found.row.name if found else None


def test_of_reports_that_no_notice_ends_nothing_is_kept() -> None:
    kept = reading._Notices("-", None)
    for report in api.read(b"WARNING: CPU: 0 PID: 1 at a.c:1 foo_bar+0x1/0x2\n"):
        kept.reported(report)
    assert not kept._reported
    assert {row.after for row in rows().values() if row.after} == reading._ENDED


def test_every_terminal_has_a_row_and_every_row_a_terminal() -> None:
    terminals = {str(terminal.name) for terminal in engine.build("notice").terminals}
    assert sorted(terminals - set(rows())) == [], "a terminal without a table: add it to kb/parse/notices.toml"
    assert sorted(set(rows()) - terminals) == [], "import it in grammars/notice.lark and add it to the end of a family"


def test_every_row_says_what_it_is() -> None:
    terminals = {terminal.name: terminal.pattern.to_regexp() for terminal in engine.build("notice").terminals}
    for row in rows().values():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", row.subtype), row.name
        assert row.severity in ("info", "warning", "error"), row.name
        lines = [row.name, *(other.name for other in rows().values() if other.of == row.name)]
        groups = {group for line in lines for group in re.findall(r"\?P<(\w+)>", terminals[line])}
        assert {*row.by, *re.findall(r"\{(\w+)\}", row.title)} <= groups, row.name


def test_every_terminal_has_a_sample() -> None:
    told = {expected for expected, _, _ in SAMPLES}
    assert sorted(set(rows()) - told) == [], "without a sample: add a line to tests/parse/notices.tsv"
    assert sorted(told - set(rows())) == []


@pytest.mark.parametrize(("expected", "text", "near"), SAMPLES)
def test_a_printk_is_the_notice_of_its_row_and_its_near_miss_is_none(expected: str, text: str, near: str) -> None:
    assert scan.line_test(scan.NOTICES)(text), "the scanner passes it: a literal of it into kb/log/notices.txt"
    assert name(text) == expected, "another terminal, or none, reads it: look at the pattern"
    assert name(near) is None, "the near miss is read, too: the pattern is too loose"


@pytest.mark.parametrize("sample", notices.samples(), ids=lambda sample: sample.text[:60])
def test_a_notice_is_called_and_told_apart_as_its_sample_says(sample: notices.Sample, update: bool) -> None:
    if update:
        notices.update()
        return
    assert notices.told(sample.text) == sample.told


@pytest.mark.parametrize(("expected", "text", "near"), SAMPLES)
def test_each_sample_holds_a_literal_of_the_scanner(expected: str, text: str, near: str) -> None:
    assert scan.line_test(scan.NOTICES)(text), expected
    assert list(scan.find(f"[   12.345678] {text}\n".encode(), names=scan.NOTICES))


@pytest.mark.parametrize("literal", scan.literals(scan.NOTICES))
def test_each_literal_stands_in_a_sample(literal: str) -> None:
    assert any(literal in text for _, text, _ in SAMPLES)


@pytest.mark.parametrize(("expected", "text", "near"), SAMPLES)
def test_no_notice_opens_a_report(expected: str, text: str, near: str) -> None:
    assert list(api.read(f"{BOOT}[   12.345678] {text}\n")) == []


# ---- the search for reports is the same whether notices are looked for or not


def test_no_literal_of_a_notice_can_hide_one_of_a_report() -> None:
    for notice in scan.literals(scan.NOTICES):
        for opener in scan.literals():
            assert notice not in opener, (notice, opener)
            assert opener not in notice, (notice, opener)
            for size in range(4, min(len(notice), len(opener))):
                assert notice[-size:] != opener[:size], (notice, opener)
                assert opener[-size:] != notice[:size], (notice, opener)


def _wrapped(text: str, wrap: str) -> str:
    """A literal as a mailer may break it: between two of its words."""
    inner = text.strip(" ")
    return text.replace(inner, inner.replace(" ", wrap))


_WORDS = st.lists(
    st.builds(_wrapped, st.sampled_from([*scan.literals(), *scan.literals(scan.NOTICES)]), st.sampled_from(" \n"))
    | st.builds(_wrapped, st.sampled_from([*scan.literals(scan.NOTICES)]), st.sampled_from(["\r\n", "=\r\n", "\n> "]))
    | st.sampled_from(["quiet line\n", "\n", "[    1.000000] "]),
    max_size=40,
)


@given(_WORDS)
def test_openers_are_hit_at_the_same_places_and_every_notice_is_passed(words: list[str]) -> None:
    data = " \n ".join(words).encode()
    both = list(scan.find(data, names=scan.OPENERS + scan.NOTICES))
    assert [at for at in both if scan.notice_at(data, at) is None] == list(scan.find(data))
    assert [at for at in both if scan.notice_at(data, at) is not None] == list(scan.find(data, names=scan.NOTICES))


def test_the_plain_scanner_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    data = "".join(f"[    1.000000] {text}\n" for _, text, _ in SAMPLES).encode()
    with_re2 = {data.count(b"\n", 0, offset) for offset in scan.find(data, names=scan.NOTICES)}
    monkeypatch.setattr(scan, "_re2_scan", lambda names=(), without=(): None)
    assert (
        {data.count(b"\n", 0, offset) for offset in scan.find(data, names=scan.NOTICES)}
        == with_re2
        == set(range(len(SAMPLES)))
    )


# ---- one notice, told once

CONNTRACK = "nf_conntrack: nf_conntrack: table full, dropping packet"


def stamped(*texts: str) -> str:
    return "".join(f"[{100 + index:5d}.000000] {text}\n" for index, text in enumerate(texts))


def test_the_same_notice_again_is_counted() -> None:
    log = BOOT + stamped(*[CONNTRACK, "eth0: link up"] * 100)
    (report,) = api.notices(log)
    assert (report.kind, report.subtype) == ("notice", "conntrack-full")
    assert report.title == "nf_conntrack: table full, dropping packet"
    assert report.fields["count"] == "100"
    assert report.span == (2, 200)
    assert len(report.lines) == 9
    assert report.kernel == "6.1.0-18-amd64"
    assert report.time == 100.0


def test_two_devices_are_two_reports_of_one_signature() -> None:
    log = stamped(*(f"NVRM: Xid (PCI:0000:{bus}:00): 79, GPU has fallen off the bus." for bus in ("3b", "5e", "3b")))
    first, second = api.notices(log)
    assert [first.fields["device"], second.fields["device"]] == ["0000:3b:00", "0000:5e:00"]
    assert [first.fields["count"], second.fields["count"]] == ["2", "1"]
    assert signature(first) == signature(second)


def test_two_devices_are_told_apart_wherever_a_wording_names_them() -> None:
    found = api.notices(stamped("libceph: osd3 down", "libceph: osd7 down", "libceph: osd3 down"))
    assert [(each.headline, each.fields["count"]) for each in found] == [
        ("libceph: osd3 down", "2"), ("libceph: osd7 down", "1")
    ]  # fmt: skip


def test_another_code_is_another_signature() -> None:
    first, second = api.notices(stamped("NVRM: Xid (PCI:0000:3b:00): 79, x", "NVRM: Xid (PCI:0000:3b:00): 31, x"))
    assert signature(first).id != signature(second).id


def test_a_log_that_names_a_new_device_in_each_line_makes_no_more_than_a_bounded_number() -> None:
    log = stamped(
        *(f"cgroup: fork rejected by pids controller in /system.slice/s{index}.service" for index in range(999))
    )
    found = list(api.notices(log))
    assert len(found) == 257
    assert sum(int(report.fields["count"]) for report in found) == 999


def test_notices_stand_behind_the_reports_of_their_input_also_those_inside_a_report() -> None:
    log = stamped(
        CONNTRACK,
        "INFO: task jbd2/sda1-8:345 blocked for more than 120 seconds.",
        "      Not tainted 6.1.0-18-amd64 #1",
        "task:jbd2/sda1-8     state:D stack:    0 pid:  345 ppid:     2 flags:0x00004000",
        "Call Trace:",
        " <TASK>",
        " __schedule+0x2d1/0x830",
        "TCP: out of memory -- consider tuning tcp_mem",
        " schedule+0x46/0xb0",
        " io_schedule+0x42/0x70",
        " </TASK>",
    )
    assert [report.kind for report in api.read(log)] == ["hung_task"]
    both = list(api.read(log, notices=True))
    assert [report.subtype or report.kind for report in both] == ["hung_task", "conntrack-full", "tcp-memory"]
    plain = next(iter(api.read(log)))
    assert both[0] == plain


# ---- transports


def transported(text: str) -> dict[str, str]:
    """One message as the transports print it."""
    return {
        "dmesg": f"[   12.345678] {text}\n",
        "bare": f"{text}\n",
        "level": f"<4>[   12.345678] {text}\n",
        "caller": f"[   12.345678][    C1] {text}\n",
        "dmesg -T": f"[Mon Nov 23 03:04:05 2026] {text}\n",
        "dmesg -x": f"kern  :warn  : [   12.345678] {text}\n",
        "dmesg iso": f"2026-11-23T03:04:05,123456+00:00 {text}\n",
        "syslog": f"Nov 23 03:04:05 db17 kernel: [   12.345678] {text}\n",
        "journal short": f"Nov 23 03:04:05 db17 kernel: {text}\n",
        "journal iso": f"2026-11-23T03:04:05+0000 db17 kernel: {text}\n",
        "rfc5424": f"<4>1 2026-11-23T03:04:05.123Z db17 kernel - - - {text}\n",
        "kmsg": f"4,1234,12345678,-;{text}\n",
        "cri": f"2026-11-23T03:04:05.123456789Z stderr F [   12.345678] {text}\n",
        "quoted": f"> [   12.345678] {text}\n",
        "crlf": f"[   12.345678] {text}\r\n",
        "journal json": json.dumps(
            {"__REALTIME_TIMESTAMP": "1", "_TRANSPORT": "kernel", "PRIORITY": "4", "MESSAGE": text}
        )
        + "\n",
        "journal export": f"__CURSOR=x\n__REALTIME_TIMESTAMP=1\n_TRANSPORT=kernel\nPRIORITY=4\nMESSAGE={text}\n\n",
    }


@pytest.mark.parametrize(("expected", "text", "near"), SAMPLES)
def test_a_notice_is_the_same_through_every_transport(expected: str, text: str, near: str) -> None:
    (wanted,) = api.notices(f"[   12.345678] {text}\n")
    for transport, log in transported(text).items():
        found = [(report.title, signature(report).id) for report in api.notices(log)]
        assert found == [(wanted.title, signature(wanted).id)], transport


@pytest.mark.parametrize(("expected", "text", "near"), SAMPLES)
def test_a_users_line_that_quotes_a_notice_is_none(expected: str, text: str, near: str) -> None:
    assert list(api.notices(f"Nov 23 03:04:05 db17 monitor[77]: saw {text}\n")) == []


# ---- hostile lines

PATTERNS = {terminal.name: terminal.pattern.to_regexp() for terminal in engine.build("notice").terminals}


@pytest.mark.parametrize("terminal", PATTERNS)
def test_no_terminal_repeats_a_repeat(terminal: str) -> None:
    assert not nested(sre.parse(PATTERNS[terminal]))


@pytest.mark.parametrize("terminal", PATTERNS)
def test_a_terminal_comes_back_from_a_hostile_line(terminal: str) -> None:
    pattern = re.compile(PATTERNS[terminal])
    starts = ["", *(text[: len(text) // 2] for expected, text, _ in SAMPLES if expected == terminal)]
    for start in starts:
        for seed in SEEDS:
            assert pattern.fullmatch(start + seed * (LONG // len(seed)) + "\x01") is None


@given(st.binary(max_size=200), st.sampled_from(SAMPLES))
def test_no_bytes_around_a_notice_raise(noise: bytes, sample: tuple[str, str, str]) -> None:
    with suppress(InputError):  # more noise than text is refused; a dot: no magic number of a packed file
        list(api.notices(b"." + noise + sample[1].encode() + noise))


# ---- inputs that go on


def test_a_live_input_tells_a_notice_at_the_first_pause_and_once() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as stream:
        sink = os.fdopen(writer, "wb")
        sink.write(stamped(CONNTRACK, CONNTRACK).encode())
        sink.flush()
        found = api.read_live(stream, notices=True)
        first = next(found)  # though the input goes on
        with sink:
            sink.write(stamped(CONNTRACK).encode())
        more = list(found)
    assert (first.subtype, first.fields["count"], more) == ("conntrack-full", "2", [])


def test_a_stream_that_ends_is_read_like_a_file() -> None:
    assert [report.subtype for report in api.read_live(io.BytesIO(stamped(CONNTRACK).encode()), notices=True)] == [
        "conntrack-full"
    ]


def test_a_hint_is_not_read_to_the_end_of_a_flood() -> None:
    log = stamped(*[CONNTRACK] * 500)
    (hint,) = api.read(log, notices=True, most=64)
    (whole,) = api.read(log, notices=True)
    assert (hint.fields["count"], whole.fields["count"]) == ("64", "500")
    assert signature(hint) == signature(whole)


# ---- beside real reports

CASES = sorted(Path(__file__).resolve().parents[2].glob("cases/*/*.log"))


def test_the_reports_of_every_sample_of_the_library_are_the_same_beside_notices() -> None:
    for path in CASES:
        both = list(api.read(path, notices=True))
        assert [report for report in both if report.kind != "notice"] == list(api.read(path)), path
        assert [report for report in both if report.kind == "notice"] == list(api.notices(path)), path


def test_notices_strewn_into_a_log_are_all_found() -> None:
    texts = [text for _, text, _ in SAMPLES]
    wanted = {report.title for text in texts for report in api.notices(text + "\n")}
    lines = [line for path in CASES[:60] for line in path.read_text("utf-8", "surrogateescape").split("\n")]
    step = len(lines) // len(texts)
    for index, text in enumerate(texts):
        lines.insert(index * (step + 1), f"[ 9999.000000] {text}")
    found = {report.title for report in api.read("\n".join(lines), notices=True) if report.kind == "notice"}
    assert wanted <= found


# ---- what ends a report


def test_a_line_that_ends_a_report_is_told_with_it_and_alone_where_it_was_cut_off() -> None:
    down = (
        "XFS (sda1): User initiated shutdown received.",
        "XFS (sda1): Log I/O Error (0x6) detected at xfs_fs_goingdown+0xb4/0xf8 [xfs] (fs/xfs/xfs_fsops.c:495)."
        "  Shutting down filesystem.",
        "XFS (sda1): Please unmount the filesystem and rectify the problem(s)",
    )
    assert list(api.notices(stamped(*down))) == []
    assert len(list(api.notices(stamped(*down[2:])))) == 1
    assert len(list(api.notices(stamped("XFS (sda1): log I/O error -5", *down)))) == 1


@pytest.mark.parametrize(
    ("head", "second", "more"),
    [
        ("attempt to access beyond end of device", "loop0: rw=0, want=204804, limit=204800", {"want": "204804"}),
        ("dd: attempt to access beyond end of device", "sdb1: rw=1, want=9, limit=8", {"want": "9", "comm": "dd"}),
        (
            "kworker/u8:1: attempt to access beyond end of device",
            "sdb1: rw=2049, sector=41943040, nr_sectors = 8 limit=41940992",
            {"sector": "41943040", "nr_sectors": "8"},
        ),
    ],
)
@pytest.mark.parametrize("stamp", ["[    1.000000] ", "               "])
def test_the_second_line_of_a_printk_gives_its_fields(head: str, second: str, more: dict[str, str], stamp: str) -> None:
    (found,) = api.notices(f"[    1.000000] {head}\n{stamp}{second}\n")
    device, _, limit = second.partition(":")[0], *second.rpartition("limit=")[1:]
    assert found.headline == head
    assert {"device": device, "limit": limit, "count": "1", **more}.items() <= found.fields.items()
    assert (found.field_lines["device"], found.field_lines["count"]) == (2, 1)


def test_the_second_line_of_a_printk_tells_two_devices_apart_and_stands_alone() -> None:
    head = "[    1.000000] attempt to access beyond end of device\n"
    at = "[    1.000000] {}: rw=0, want=9, limit=8\n"
    found = api.notices(head + at.format("sda1") + head + at.format("sdb1") + head + at.format("sda1") + head)
    assert [(each.fields.get("device"), each.fields["count"]) for each in found] == [
        ("sda1", "2"),
        ("sdb1", "1"),
        (None, "1"),
    ]
    (alone,) = api.notices(at.format("sda1"))
    assert (alone.subtype, alone.fields["device"]) == ("beyond-end", "sda1")
