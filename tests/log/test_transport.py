"""The same message through every transport: what comes out is the message."""

from __future__ import annotations

import html
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.log.reader import Reader
from kb.log.transport import RULES, strip
from kb.model.log import Line

DATA = Path(__file__).with_name("data")
CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "vm"
WANT = [
    "Mem-Info:",
    "active_anon:5719 inactive_anon:0 isolated_anon:0",
    " active_file:0 inactive_file:0 isolated_file:0",
    " unevictable:0 dirty:0 writeback:0",
    " slab_reclaimable:203 slab_unreclaimable:1964",
    " mapped:2299 shmem:5421 pagetables:76",
    " sec_pagetables:0 bounce:0",
    " kernel_misc_reclaimable:0",
    " free:2985 free_pcp:525 free_cma:0",
]


def lines(data: bytes | str) -> list[Line]:
    return list(Reader(data.encode() if isinstance(data, str) else data).lines())


def texts(data: bytes | str) -> list[str]:
    return [line.text for line in lines(data)]


@pytest.mark.parametrize("path", sorted(DATA.glob("meminfo.*")), ids=lambda path: path.name)
def test_every_rendering_of_one_boot_gives_the_kernels_text(path: Path) -> None:
    got = lines(path.read_bytes())
    assert [line.text for line in got[:9]] == WANT
    assert got[9].text.startswith("Node 0 active_anon:22876kB inactive_anon:0kB")
    assert got[11].text == "lowmem_reserve[]: 0 241 241 241 241"
    assert len(got) == 12


@pytest.mark.parametrize(
    ("name", "time", "host", "level"),
    [
        ("dmesg.txt", 17.868500, None, None),
        ("dmesg-r.txt", 17.868500, None, 4),
        ("dmesg-x.txt", 17.868500, None, 4),
        ("dmesg-J.json", 17.868500, None, 4),
        ("dmesg-T.txt", None, None, None),
        ("dmesg-delta.txt", 17.868500, None, None),
        ("dev-kmsg.txt", 17.868500, None, 4),
        ("syslog-klogd.txt", 17.868500, "labvm", 4),
        ("journal-short.txt", None, "labvm", None),
        ("journal-short-monotonic.txt", 17.868500, "labvm", None),
        ("journal-short-unix.txt", None, "labvm", None),
        ("journal-export.txt", 17.868500, "labvm", 4),
        ("journal-verbose.txt", 17.868500, "labvm", 4),
        ("journal-json.txt", 17.868500, "labvm", 4),
        ("journal-json-pretty.txt", 17.868500, "labvm", 4),
    ],
)
def test_time_host_and_level_come_from_the_prefix(
    name: str, time: float | None, host: str | None, level: int | None
) -> None:
    line = lines((DATA / f"meminfo.{name}").read_bytes())[1]
    assert (line.time, line.host, line.level) == (time, host, level)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not beside the project")
@pytest.mark.parametrize("boot", ["140-formats-61", "141-formats-612"])
def test_whole_boots_agree_through_every_transport(boot: str) -> None:
    want = [text.replace("\t", " " * 8) for text in texts((CORPUS / f"{boot}.dmesg-t.txt").read_bytes())]
    for path in sorted(CORPUS.glob(f"{boot}.*")):
        if path.suffix == ".log" or ".extra" in path.name:
            continue
        got = [text.replace("\t", " " * 8) for text in texts(path.read_bytes())]  # journald expands tabs
        if "klogd" in path.name:  # the daemon's own two lines
            got = got[2:]
        assert got == want, path.name


PREFIXES = {
    "none": "",
    "dmesg": "[    5.123456] ",
    "caller": "[   72.123456][   T12] ",
    "caller apart": "[   72.123456] [   T12] ",
    "caller of a cpu": "[   72.123456][    C1] ",
    "caller alone": "[   T12] ",
    "level": "<4>[    5.123456] ",
    "level alone": "<4>",
    "ctime": "[Mon Nov 23 00:10:55 2026] ",
    "ctime delta": "[Mon Nov 23 00:10:55 2026 <    0.002936>] ",
    "delta": "[    5.123456 <    0.002936>] ",
    "reltime": "[  +0.002936] ",
    "reltime day": "[Nov23 00:10] ",
    "decoded": "kern  :err   : [    5.123456] ",
    "iso": "2026-03-04T05:05:59,908873+00:00 ",
    "journal iso": "2026-03-04T05:06:08+0000 db17 kernel: ",
    "journal iso precise": "2026-03-04T05:06:08.419293+0000 db17 kernel: ",
    "journal": "Mar 04 05:06:08 db17 kernel: ",
    "journal precise": "Mar 04 05:06:08.419293 db17 kernel: ",
    "journal full": "Wed 2026-03-04 05:06:08 UTC db17 kernel: ",
    "journal monotonic": "[    5.123456] db17 kernel: ",
    "journal unix": "1772600768.419293 db17 kernel: ",
    "rsyslog": "Nov 22 10:00:00 db17 kernel: [    5.123456] ",
    "rsyslog, no stamp": "Nov  2 10:00:00 db17 kernel: ",
    "rsyslog rfc 3339": "2026-11-22T10:00:00.123456+01:00 db17 kernel: [    5.123456] ",
    "rfc 5424": "<4>1 2026-11-22T10:00:00.123456Z db17 kernel - - - [    5.123456] ",
    "busybox": "Mar  4 05:06:07 db17 kern.warn kernel: [    5.123456] ",
    "kmsg": "6,339,5140900,-;",
    "kmsg caller": "4,339,5140900,-,caller=T1;",
    "netconsole with release": "6.4.0,4,339,5140900,-;",
    "identifier": "kernel: ",
    "quote": "> [    5.123456] ",
    "deep quote": "> > > > [    5.123456] ",
    "indented": "\t[    5.123456] ",
    "indented quote": "> \t[Mon Mar 25 23:35:18 2019] ",
    "cri": "2026-11-22T10:00:00.123456789Z stdout F [    5.123456] ",
    "kernelci": "    2022-11-17T23:56:18.012452  kern  :alert : [    5.123456] ",
    "lava": "2020-08-27 00:14:39.027000  [    5.123456] ",
    "samsung": "<6>[    2.589959]  [2:      swapper/0:    1] ",
    "samsung new": "<6>[    2.589959] I[0:      swapper/0:    1] ",
    "huawei": "07-13 08:41:51.347 <4>[309805.658386s][pid:1361,cpu5,sManagerService]",
    "mediatek": "<6>[    2.589959] .(1)[123:kworker/1:1]",
    "zvm": "00: [ 9777.709543] ",
    "cut stamp": "122365.832373] ",
    "colour": "\x1b[32m[    5.123456] \x1b[0m",
}
MESSAGE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12).map(
    lambda word: (
        "call "
        + word.replace("#0", "0")
        .replace("\\x", "x")
        .replace("&", "+")
        .replace("</", "<.")
        .replace(":", ".")
        .replace("'", "^")
    )
)


@pytest.mark.parametrize("name", PREFIXES)
@given(message=MESSAGE, blanks=st.integers(0, 4))
def test_a_message_comes_back_through_each_prefix(name: str, message: str, blanks: int) -> None:
    message = " " * blanks + message
    assert texts(f"{PREFIXES[name]}{message}\r\n") == [message]


@given(st.lists(st.sampled_from(sorted(set(PREFIXES) - {"none"})), min_size=1, max_size=20))
def test_transports_may_change_from_line_to_line(names: list[str]) -> None:
    log = "".join(f"{PREFIXES[name]}message {number}\n" for number, name in enumerate(names))
    assert texts(log) == [f"message {number}" for number in range(len(names))]


@pytest.mark.parametrize(
    ("line", "caller"),
    [
        ("[   72.123456][   T12] x", "T12"),
        ("[   72.123456] [    C1] x", "C1"),
        ("4,339,5140900,-,caller=T1;x", "T1"),
        ("<6>[    2.589959]  [2:      swapper/0:    1] x", "T1"),
        ("<4>[309805.658386s][pid:1361,cpu5,sManagerService]x", "T1361"),
        ("[   72.123456] x", None),
    ],
)
def test_the_caller_is_told(line: str, caller: str | None) -> None:
    assert lines(line)[0].caller == caller


@pytest.mark.parametrize(
    "line",
    [
        ">ffff8880020cf000: fa fb fb fb",  # KASAN marks the row of the bad byte
        " [<ffffffff81686b13>] dump_stack+0x19/0x1b",
        "[<ffffffff81686b13>] dump_stack+0x19/0x1b",
        "<48> 89 e5 0f 1f 84 00",  # the tail of a wrapped Code: line
        "[drm] radeon kernel modesetting enabled.",
        "00: 86 80 00 12",  # a hex dump
        "122365.83] x",  # six digits stand behind printk's point
        "[mem 0x00000000-0x00000fff] reserved",
        "Modules linked in: a b",
        "{not json}",
        "> ",
    ],
)
def test_what_only_looks_like_a_prefix_stays(line: str) -> None:
    assert texts(line + "\n") == ([line] if line != "> " else [""])


def test_a_users_line_keeps_its_name() -> None:
    (line,) = lines("Nov 22 10:00:00 db17 systemd[1]: BUG: not ours\n")
    assert (line.text, line.host) == ("systemd[1]: BUG: not ours", "db17")


@pytest.mark.parametrize("host", ["db17", "db-17.example.org", "fe80::1", "$HOST", "<host>", "[redacted]", "bücher"])
@pytest.mark.parametrize("stamp", ["Nov 22 10:00:00", "2026-11-22T10:00:00.123456+01:00", "1795341600.123456"])
def test_a_host_is_whatever_stands_there(stamp: str, host: str) -> None:
    (line,) = lines(f"{stamp} {host} kernel: [    1.000000] BUG: ours\n")
    assert (line.text, line.host, line.time) == ("BUG: ours", host, 1.0)


@pytest.mark.parametrize("stamp", ["Nov 22 10:00:00", "2026-11-22T10:00:00.123456+01:00"])
def test_a_line_of_the_kernel_is_the_kernels_behind_lines_of_others_too(stamp: str) -> None:
    others = f"{stamp} db17 systemd[1]: Started foo.\n{stamp} db17 blkmapd[12]: exit\n"
    assert texts(f"{others}{stamp} db17 kernel: BUG: ours\n{others}")[2] == "BUG: ours"


@pytest.mark.parametrize("escape", ["#012", "\\x0a"])
def test_an_escaped_line_end_begins_a_line_of_the_same_record(escape: str) -> None:
    got = lines(f"Nov 22 10:00:00 db17 kernel: a:0{escape} b:1{escape} c:2\n[    1.000000] d\n")
    assert [(line.text, line.number, line.continued) for line in got] == [
        ("a:0", 1, False), (" b:1", 1, True), (" c:2", 1, True), ("d", 2, False),
    ]  # fmt: skip


def test_two_records_glued_into_one_line_are_two() -> None:
    got = lines("[    1.000001] one[    1.000002] two<4>[    1.000003][  T1] three\n")
    assert [(line.text, line.time, line.caller) for line in got] == [
        ("one", 1.000001, None), ("two", 1.000002, None), ("three", 1.000003, "T1"),
    ]  # fmt: skip
    assert {line.number for line in got} == {1}


def test_properties_behind_a_kmsg_record_are_no_messages() -> None:
    assert texts("6,255,1504950,-;pci: BAR 2\n SUBSYSTEM=pci\n DEVICE=+pci:0000:00:02.0\n6,256,1513074,-;x\n") == [
        "pci: BAR 2", "x",
    ]  # fmt: skip


def test_kmsg_escapes_are_undone_bytewise() -> None:
    assert texts(b"6,1,2,-;caf\\xc3\\xa9 \\x5c\n") == ["café \\"]


def test_docker_json_holds_a_prefixed_line() -> None:
    log = json.dumps({"log": "<4>[    5.123456] WARNING: x\n", "stream": "stdout", "time": "2026-11-22T10:00:00Z"})
    (line,) = lines(log + "\n")
    assert (line.text, line.time, line.level, line.wall) == ("WARNING: x", 5.123456, 4, "2026-11-22T10:00:00Z")


def test_json_sequences_and_byte_lists_are_read() -> None:
    record = {"MESSAGE": [66, 85, 71, 58, 32, 255], "PRIORITY": "1", "_TRANSPORT": "kernel", "_BOOT_ID": "b1"}
    (line,) = lines("\x1e" + json.dumps(record) + "\n")
    assert (line.text, line.level, line.boot) == ("BUG: \udcff", 1, "b1")


def test_html_entities_and_breaks_are_undone() -> None:
    assert texts("[    1.000000]  &lt;IRQ&gt;<br>[    2.000000] a-&gt;b<br>\n") == [" <IRQ>", "a->b"]


def test_carriage_returns_end_lines_too() -> None:
    assert texts("[    1.000000] a\r\r\n[    2.000000] b\r[    3.000000] c\r\n") == ["a", "b", "c"]


@given(st.binary(max_size=300))
def test_no_bytes_make_it_raise_or_lose_count(data: bytes) -> None:
    got = list(Reader(data).lines())
    assert all(1 <= line.number <= data.count(b"\n") + 1 for line in got)


@given(st.text(max_size=80))
def test_a_prefix_never_ends_behind_the_line(text: str) -> None:
    assert 0 <= strip(text).end <= len(text)


def test_rules_have_a_name_and_a_first_character_each() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.first for rule in RULES)


LOG = (
    "[   11.000001] BUG: unable to handle page fault for address: ffff888000000010",
    '[   11.000002] Oops: 0002 [#1] SMP <PTI> & "more"',
    "[   11.000003] RIP: 0010:foo+0x1/0x2 [bar]",
    "[   11.000004]  <TASK>",
    "[   11.000005]  bar_open+0x10/0x20 [bar]",
)
BARE = [row[15:] for row in LOG]


def _escaped_html(rows: tuple[str, ...]) -> list[str]:
    return [html.escape(row) for row in rows]


IN_OTHER_TEXT = {
    "one string of JSON": json.dumps({"id": 4711, "body": "\n".join(LOG)}),
    "one string with escaped tags": json.dumps("\r\n".join(LOG)).replace("<", "\\u003c").replace(">", "\\u003E"),
    "a list of JSON in one line": json.dumps(LOG),
    "a list of JSON over lines": json.dumps(LOG, indent=1),
    "a list of YAML": "log:\n" + "\n".join(f"  - {json.dumps(row)}" for row in LOG),
    "logfmt": "\n".join(f"level=info msg={json.dumps(row)}" for row in LOG),
    "CSV": "\n".join('"2026-11-23","db17","{}"'.format(row.replace('"', '""')) for row in LOG),
    "a page with breaks": "<html><body>" + "<br>".join(_escaped_html(LOG)) + "</body></html>",
    "a page with capital breaks": "<BR>\r\n".join(_escaped_html(LOG)),
    "a page with paragraphs": "\n".join(f'<p style="margin:0">{row}</p>' for row in _escaped_html(LOG)),
    "a page with spans": "\n".join(f'<span class="line">{row}</span>' for row in _escaped_html(LOG)),
    "a page with a block": '<html><pre class="x">' + "\n".join(_escaped_html(LOG)) + "</pre></html>",
    "a table": "".join(f"<tr><td>{row}</td></tr>" for row in _escaped_html(LOG)),
}


@pytest.mark.parametrize("kind", IN_OTHER_TEXT)
def test_a_log_inside_other_text_has_its_own_lines(kind: str) -> None:
    got = [line.text for line in lines(IN_OTHER_TEXT[kind] + "\n") if line.time and line.text]
    assert got == BARE


def test_a_backslash_and_an_n_in_a_message_is_no_line_end() -> None:
    assert texts("[    1.000000] foo: path C:\\new\\nothing\n") == ["foo: path C:\\new\\nothing"]


def test_of_two_stamps_the_inner_one_is_the_messages() -> None:
    (line,) = lines("<4>[   12.000001] [    4.521671][   T12] kt invoked oom-killer: order=0\n")
    assert (line.text, line.time, line.caller) == ("kt invoked oom-killer: order=0", 4.521671, "T12")
    (vendor,) = lines("<4>[   12.000001]  (0)[1:init][    4.521671] kt invoked oom-killer: order=0\n")
    assert (vendor.text, vendor.time) == ("kt invoked oom-killer: order=0", 4.521671)


@pytest.mark.parametrize("text", ["[<ffffffff81686b13>] dump_stack+0x19/0x1b", "[ 12] 0 12 kt", "[mem 0x0-0x1] usable"])
def test_what_stands_in_brackets_behind_a_stamp_is_no_stamp(text: str) -> None:
    assert texts(f"[   12.000001] {text}\n") == [text]
