"""What people paste: a report behind any prefix is the report, and the prefix is no part of it."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb import api
from kb.identity.signature import signature
from kb.log import shape as shapes
from kb.log.learn import Around, Shapes
from kb.log.reader import Reader
from kb.log.shape import dated, is_calendar, shape
from kb.model.report import Report
from kb.split.windows import belongs, opens
from tests.growth.backtracking import growth
from tests.kinds import samples

ROOT = Path(__file__).resolve().parents[2]
LOGS = [log.whole for kind in samples.KINDS for log in samples.logs(kind) if not samples.STAMP.search(log.text)]
WHOLE = [text for text in LOGS if sum(map(belongs, text.split("\n"))) > 3]
"""Logs in which parts of a report follow its headline: a prefix that is no date is learned by them."""
OOPS = """\
BUG: kernel NULL pointer dereference, address: 0000000000000027
Oops: 0000 [#1] PREEMPT SMP NOPTI
CPU: 1 PID: 508 Comm: foo Not tainted 6.7.0-1 #1
RIP: 0010:bar+0x7e/0xc0 [mod]
Call Trace:
 <TASK>
 baz+0x40/0xd0 [mod]
 </TASK>"""
TITLE = "BUG: unable to handle kernel NULL pointer dereference in bar"

Prefix = Callable[[int], str]
"""What stands before a line, by its index."""


def with_prefix(text: str, prefix: Prefix, suffix: str = "") -> bytes:
    return "".join(f"{prefix(at)}{row}{suffix}\n" for at, row in enumerate(text.split("\n"))).encode()


def same(reports: Iterator[Report]) -> list[tuple[object, ...]]:
    return [(one.kind, one.title, signature(one).key, one.comm, one.function) for one in reports]


def stamped(text: str) -> list[tuple[object, ...]]:
    """The reports of the same lines behind what printk prints."""
    return same(api.read(with_prefix(text, lambda at: f"[   12.{at:06}] ")))


MONTHS = "Nov nov. déc. paź lis ноя. нояб. Ağu Μαρ 11月 11월 พ.ย. nóv Dez thg11 marras".split()
DAYS = ("Sat", "sáb", "Сб", "六", "土", "토", "Sa", "lør.")
CLOCKS = ("14:24:{:02}", "2:24:{:02}", "14:24:{:02}.123456", "14:24:{:02},123", "１４：２４：{:02}")
DATES = (
    "{month} 28 {clock}", "{month}  3 {clock}", "28. {month} {clock}", "[{day} {month} 28 {clock} 2026]",
    "[2026-11-28 {clock}]", "2026-11-28 {clock}", "2026/11/28 {clock}", "28.11.2026 {clock}:", "11/28/2026 {clock} PM",
    "({clock})", "{clock}", "2026-11-28 {clock} UTC", "<{clock}>", "[2026-11-28T{clock}Z]", "2026年11月28日 {clock}",
    "２０２６年１１月２８日　{clock}", "{day} {month} 28 {clock} CET 2026:", "28/{month}/2026 {clock}",
)  # fmt: skip
SOURCES = ("", " node1 kernel:", " db-17.example.org kernel:", " node1 unknown kernel:", " kernel:")
NAMES = (
    "/var/log/messages:", "messages.1:", "dmesg.txt-", "node17: ", "[node7] ", "qemu_1  | ", "host1> ", "C:/dmesg.txt:",
    "- ", "* ", "> - ", "• ", "│ ", "2026-11-28 14:24:16,123 - serial - DEBUG - ", "% ", "=> ",
    "14:24:16 <hans> ", "kern.log <== ", "[28.11.2026 14:24] Meier, Hans: ", "W/kernel  : ", "\u200b",
    "11/28/2026 14:24:16 +0000 host=db17 sourcetype=syslog ", "I1128 14:24:16.123456    1234 console.go:45] ",
)  # fmt: skip
COUNTERS = (
    "{:6}\t",
    "{}:",
    "{}   │ ",
    "#{}: ",
    "{:4} | ",
    "m.log:{}:",
    "{}. ",
    "<{}> ",
    "[{:4}] ",
    "a{:08x}b ",
    "【2026-11-28 14:24:{}】",
)
VENDORS = (
    "[T45426] ", "host kernel: [C12345] ", "[name:lockdep&]", "[4: binder:569_5:27109] ", "mybox: ", "[drm] ",
    "(2)[1:init] ", "c0 1 (init) ",
)  # fmt: skip


@st.composite
def dates(draw: st.DrawFn) -> Prefix:
    pattern, source = draw(st.sampled_from(DATES)), draw(st.sampled_from(SOURCES))
    month, day, clock = (draw(st.sampled_from(words)) for words in (MONTHS, DAYS, CLOCKS))
    ticks = draw(st.integers(1, 9))
    return lambda at: pattern.format(month=month, day=day, clock=clock.format(at // ticks % 60)) + source + " "


@st.composite
def others(draw: st.DrawFn) -> Prefix:
    start = draw(st.integers(0, 20_000))
    stamp = draw(st.sampled_from(("", "[   12.{:06}] ", "Nov 28 14:24:16 node1 kernel: ")))
    vendor = draw(st.booleans())
    if vendor:
        pattern = draw(st.sampled_from(VENDORS))
        return lambda at: (stamp or "[   12.{:06}] ").format(at) + pattern
    pattern = draw(st.sampled_from(NAMES + COUNTERS))
    return lambda at: pattern.format(start + at) + stamp.format(at)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(LOGS), dates())
def test_behind_a_date_of_any_language_a_report_is_the_same(text: str, prefix: Prefix) -> None:
    assert same(api.read(with_prefix(text, prefix))) == stamped(text)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(WHOLE), others())
def test_behind_a_name_a_counter_or_a_vendors_words_a_report_is_the_same(text: str, prefix: Prefix) -> None:
    assert same(api.read(with_prefix(text, prefix))) == stamped(text)


@pytest.mark.parametrize("prefix", [name for name in NAMES if "=" in name or "%" in name])
def test_a_report_that_says_its_headline_again_bears_out_its_prefix(prefix: str) -> None:
    text = next(text for text in WHOLE if text.split("\n")[0] in text.split("\n")[1:])
    assert same(api.read(with_prefix(text, lambda _: prefix))) == stamped(text)


@pytest.mark.parametrize("path", sorted(ROOT.glob("cases/*/match-*.log"))[::7], ids=lambda path: path.parent.name)
@pytest.mark.parametrize("number", ["{:6}\t", "/var/log/messages:", "[2026-11-28 14:24:16] "])
def test_the_case_is_the_same(path: Path, number: str) -> None:
    text = path.read_text("utf-8", "replace").rstrip("\n")
    with api.KnowledgeBase() as base:
        want = [base.diagnose(report) for report in api.read(text.encode() + b"\n")]
        got = [base.diagnose(report) for report in api.read(with_prefix(text, number.format))]
    assert [[match.case.id for match in each.matches if match.verdict.value == "yes"] for each in got] == [
        [match.case.id for match in each.matches if match.verdict.value == "yes"] for each in want
    ]


PRINTED: dict[str, tuple[Prefix, str | None]] = {
    "journalctl, zh_CN": (lambda at: f"11月 28 14:24:{at:02} node1 kernel: ", "node1"),
    "journalctl, fr_FR": (lambda at: f"déc. 03 14:24:{at:02} node1 kernel: ", "node1"),
    "journalctl --no-hostname": (lambda at: f"Nov 28 14:24:{at:02} kernel: ", None),
    "journalctl --no-hostname, cut": (lambda at: f"Nov 28 14:24:{at:02}  kernel: ", None),
    "journalctl -o with-unit": (lambda at: f"Nov 28 14:24:{at:02} node1 unknown kernel: ", "node1"),
    "journalctl -o short-monotonic --no-hostname": (lambda at: f"[21160.{at:06}] kernel: ", None),
    "dmesg -T, zh_CN": (lambda at: f"[六 11月 28 14:24:{at:02} 2026] ", None),
    "dmesg -H, de_DE": (lambda at: "[Nov28 14:24] " if not at else f"[  +0,{at:06}] ", None),
    "dmesg -H, zh_CN": (lambda at: "[11月28 14:24] " if not at else f"[  +0.{at:06}] ", None),
    "wall": (lambda _: " kernel:", None),
    "ts": (lambda at: f"Nov 28 14:24:{at:02} ", None),
    "conserver": (lambda at: f"[2026-11-28 14:24:{at:02}] ", None),
    "a console with a blank in the stamp": (lambda at: f"[   35.{at:06} ] ", None),
    "talosctl dmesg": (lambda at: f"192.0.2.21: kern: warning: [2026-11-28T14:24:16.{at:09}Z]: ", "192.0.2.21"),
    "netconsole behind rsyslog": (lambda at: f"Mar 31 19:59:53 node1 4,{at},1531218013,-;", "node1"),
    "RFC 5424 without PRI": (lambda _: "1 2026-11-22T03:04:05.123Z node1 kernel - - - ", "node1"),
    "caller id of five digits": (lambda _: "2026-11-28T14:24:16.0+01:00 node1 kernel: [T45426] ", "node1"),
    "grep -H": (lambda at: f"/var/log/messages:Nov 28 14:24:{at:02} node1 kernel: ", "node1"),
    "grep -n": (lambda at: f"{at + 8}:[   12.{at:06}] ", None),
    "cat -n": (lambda at: f"{at + 95:6}\t", None),
    "bat": (lambda at: f"{at + 7340}   │ ", None),
    "a code fence": (lambda at: "```" if not at else "", None),
    "MediaTek": (lambda at: f"[   12.{at:06}] [name:traps&]", None),
    "MediaTek, the subsystem changes": (lambda at: f"[   12.{at:06}] (0)[1:init][name:s{at}&]", None),
}


@pytest.mark.parametrize(("prefix", "host"), PRINTED.values(), ids=PRINTED)
def test_what_tools_print_before_a_line_is_taken_off(prefix: Prefix, host: str | None) -> None:
    (report,) = api.read(with_prefix(OOPS, prefix))
    assert (report.title, report.comm, report.host) == (TITLE, "foo", host)
    assert [line.text.strip() for line in report.lines] == [row.strip() for row in OOPS.split("\n")]


def test_a_table_ends_its_rows_too() -> None:
    (report,) = api.read(with_prefix(OOPS, lambda at: f"| {at:2} | ", " |"))
    assert report.lines[-1].text.strip() == "</TASK>"


def test_grep_marks_the_lines_around_a_match_in_another_way() -> None:
    (report,) = api.read(with_prefix(OOPS, lambda at: f"m.log{'-' if at else ':'}{at + 8}{'-' if at else ':'}"))
    assert len(report.lines) == 8
    (report,) = api.read(with_prefix(OOPS, lambda at: f"{at + 8}{'-' if at else ':'}"))
    assert len(report.lines) == 8


QUOTED = {
    "a list of strings": ('  "', '",'), "YAML": ("- '", "'"), "Markdown": ("- `", "`"),
    "logfmt": ('ts=2026-11-28T14:24:16Z level=error msg="', '"'),
    "SQL": ("INSERT INTO log VALUES (7,'db17','kernel:','", "');"),
    "fluentd": ('2026-11-28T14:24:16+00:00\tkernel\t{"host":"db17","message":"', '"}'),
    "an element": ('<v xml:space="preserve">', "</v></row>"),
    "logcli": ('2026-11-28T14:24:16Z {host="db17", job="k"} ', ""),
    "colours as they are left": ("[32m[   12.000001] [0m[31m", "[0m"),
    "colours as cat -v shows them": ("^[[31m", "^[[0m"),
}  # fmt: skip


@pytest.mark.parametrize(("prefix", "suffix"), QUOTED.values(), ids=QUOTED)
def test_what_stands_around_a_message_is_taken_off(prefix: str, suffix: str) -> None:
    (report,) = api.read(with_prefix(OOPS, lambda _: prefix, suffix))
    assert (report.title, report.comm) == (TITLE, "foo")
    assert [line.text.strip() for line in report.lines] == [row.strip() for row in OOPS.split("\n")]


# ---------------------------------------------------------------- what is doubtful, and what is no log

BESIDE = "eth0: link is up\nfoo: done\n{}\nbar: ready\nbaz: gone"
HEAD = OOPS.split("\n")[0]


def test_a_headline_behind_a_prefix_that_nothing_else_explains_is_kept_and_told() -> None:
    said: list[str] = []
    (report,) = api.read(with_prefix(BESIDE.format(HEAD), lambda _: "node7> "), told=said.append)
    assert (report.kind, report.headline, report.headline_line) == ("unknown", f"node7> {HEAD}", 3)
    assert [each.name for each in report.damage] == ["damage.prefix"]
    assert len(said) == 1
    assert said[0].startswith("-: line 3: the headline stands behind a prefix")
    assert report.input_notes == (said[0].removeprefix("-: "),)


def test_what_programs_write_into_the_kernels_log_is_not_doubted_for_others_that_do_so() -> None:
    """Each has its own name, and some end in a number."""
    programs = ("systemd[1]: ", "systemd[1]: ", "python3[4711]: ", "systemd-logind[77]: ", "systemd[1]: ")
    rows = BESIDE.format("BUG: please report this with the output of --version").split("\n")
    text = "".join(f"[   12.{at:06}] {name}{row}\n" for at, (name, row) in enumerate(zip(programs, rows, strict=True)))
    assert list(api.read(text.encode())) == []


def test_its_own_line_is_enough_where_there_is_no_other() -> None:
    assert [report.kind for report in api.read(f"messages:{HEAD}\n".encode())] == ["unknown"]


@pytest.mark.parametrize(
    "text",
    [
        f"We saw {HEAD}\nand more of it later.\nIt came twice.\n",
        f"/*\n * We saw\n * {HEAD}\n * and\n * more.\n */\n",
        f"# {HEAD}\n# is what it says\n# and more\n# of it\n",
        f"- {HEAD}\n- eth0: link is up\n- foo\n- bar\n",
        f'  log("{HEAD}")\n  log("foo")\n  log("bar")\n  log("baz")\n',
        f"a = {HEAD}\nb = foo\nc = bar\nd = baz\n",
        "12: if (x) WARN_ON(y);\n13: panic(z);\n14: /* BUG: */\n15: BUG();\n",
        "x:1: %s invoked oom-killer: gfp_mask=%#x, order=%d, oom_score_adj=%hd\nx:2: a\nx:3: b\nx:4: c\n",
    ],
)
def test_prose_and_source_hold_no_report(text: str) -> None:
    assert list(api.read(text.encode())) == []


def test_what_looks_like_a_date_in_the_headline_is_the_headline() -> None:
    """``I`` begins months in many languages, ``BUG: Unable`` is not ``Unable`` behind a name."""
    for line, kind in (("I/O error, dev sda, sector 59990 op 0x1:(WRITE) flags 0x800", "io_error"), (HEAD, "oops")):
        (report,) = api.read(f"[2026-11-28 14:24:16] {line}\n".encode())
        assert (report.kind, report.headline) == (kind, line)


# ---------------------------------------------------------------- shapes


def test_the_calendar_knows_abbreviations_of_all_kinds() -> None:
    assert all(map(is_calendar, "Nov 月 ноя нояб sob Do do déc августа august 토 토요일 下午 पू".split()[:-1]))
    assert not any(map(is_calendar, "kernel node BUG x warning no".split()))


@pytest.mark.parametrize("text", ["", "12 ", "[T12] ", "node1 kernel: ", "1.2.3 ", "Nov 28 ", "at 14:24:16 she said: "])
def test_what_is_no_time_of_day_is_no_date(text: str) -> None:
    assert dated(text) is None


@given(dates() | others())
def test_the_pattern_of_a_shape_is_linear_and_fits_its_prefix(prefix: Prefix) -> None:
    text = prefix(7)
    made = shape(text, text + HEAD)
    if made is not None:
        found = made.pattern.match(text + HEAD)
        assert found is not None
        assert found.end() == len(text)
        assert not [way for way in growth(made.pattern, "match") if way.long > 256]


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_has_a_shape_or_none(text: str, rest: str) -> None:
    made = shape(text, text + rest)
    assert made is None or made.pattern.match(text + rest) is not None


def test_lines_alike_are_refused_once_and_for_all() -> None:
    asked = 0

    def around() -> Around:
        nonlocal asked
        asked += 1
        return Around(("a", "b", "c"), ("d", "e", "f"))

    learned = Shapes(opens, belongs)
    for number in range(1000):
        assert not learned.learn(f"foo {number}: {HEAD}", 60, number, around)
    assert asked < 10
    assert not learned


def test_nothing_is_learned_of_lines_whose_transport_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "shape", lambda *_: pytest.fail("a prefix was looked for"))
    text = with_prefix(OOPS, lambda at: f"Nov 28 14:24:16 node1 kernel: [   12.{at:06}] ") * 3
    reader = Reader(text, opens=opens, belongs=belongs)
    assert sum(1 for window in reader.windows() if window is not None) > 0
    assert reader.doubtful == []


def test_the_calendar_is_what_its_script_writes() -> None:
    pytest.importorskip("babel", reason="Babel is no dependency: the table is made with it when CLDR changes")
    from babel import Locale

    from docs import dates as script

    rows = (ROOT / "kb/log/calendar.txt").read_text("utf-8").split("\n")
    german = next(row for row in rows if row.startswith("de "))
    assert set(german.split()[1:]) >= {word for word in script.words(Locale.parse("de")) if re.fullmatch(r"\w+", word)}


def test_a_live_input_learns_a_prefix_of_the_lines_that_come_a_little_later() -> None:
    head, _, rest = OOPS.partition("\n")
    text = with_prefix("\n".join((head, *["foo: still waiting"] * 5, rest)), lambda _: "node7> ")
    first, *rows = text.splitlines(keepends=True)
    read, write = os.pipe()

    def printed() -> None:
        with open(write, "wb", buffering=0) as stream:
            stream.write(first)
            for row in rows:
                time.sleep(0.1)
                stream.write(row)

    writer = threading.Thread(target=printed)
    writer.start()
    with open(read, "rb", buffering=0) as stream:
        found = same(api.read_live(stream))
    writer.join()
    assert found == same(api.read(text))
