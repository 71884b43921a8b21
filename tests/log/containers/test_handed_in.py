"""What an engineer or a ticket system hands in: whatever stands around a log, its reports are the same."""

from __future__ import annotations

import contextlib
import html
import io
import json
import random
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

import kb
from kb import api
from kb.cli import EMPTY, UNUSABLE, main
from kb.errors import InputError
from kb.log.containers import registry
from kb.log.containers.documents import page
from kb.log.containers.exports import framed
from kb.log.containers.walk import Walk
from kb.log.source import open_inputs
from kb.log.unpack import packing_of
from tests.log.containers import (
    chats,
    collectors,
    consoles,
    copies,
    documents,
    exports,
    hosts,
    jobs,
    parcels,
    phones,
    shippers,
    traces,
    wrappings,
)
from tests.log.test_prefixes import LOGS, OOPS, TITLE, same, with_prefix

ROOT = Path(__file__).resolve().parents[3]
WAYS = chats.WAYS | jobs.WAYS | consoles.WAYS | collectors.WAYS | copies.WAYS | documents.WAYS
WAYS |= phones.WAYS | hosts.WAYS | parcels.WAYS | shippers.WAYS | exports.WAYS | traces.WAYS
REPORTS = {
    "oops": ROOT / "tests/log/data/oops.log",
    "allocation, no times": ROOT / "cases/nofs-high-order-watermark/match-seed.log",
    "oom": ROOT / "cases/oom-global-memory-short/match-anon.log",
    "hung": ROOT / "cases/hung-task-generic/match-fuse.log",
}
QUIET = b"".join(
    b"[ %4d.000000] usb 1-%d: new high-speed USB device number %d\n" % (at, at % 9, at) for at in range(60)
)
MOST = 80
"""Columns behind which a line is broken by some ways; one such line tells no width."""


def said(found: list[kb.Diagnosis]) -> list[str]:
    """What must be the same, in any order: of what came as one string all lines have one number."""
    return sorted(
        str(
            (
                one.report.title,
                one.signature.key,
                one.report.comm,
                [m.case.id for m in one.matches if m.verdict.value == "yes"],
            )
        )
        for one in found
    )


@pytest.fixture(scope="module")
def plain() -> dict[str, list[str]]:
    return {name: said(kb.match(path)) for name, path in REPORTS.items()}


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("way", WAYS)
def test_title_key_comm_and_case_are_the_same(
    way: str, report: str, tmp_path: Path, plain: dict[str, list[str]]
) -> None:
    if way == "pdf":
        pytest.importorskip("pypdf")
    file, data = WAYS[way](REPORTS[report].read_bytes())
    (tmp_path / file).write_bytes(data)
    assert said(kb.match(tmp_path / file)) == plain[report]


@pytest.mark.parametrize("way", WAYS)
def test_a_quiet_log_is_silent(way: str, tmp_path: Path) -> None:
    if way == "pdf":
        pytest.importorskip("pypdf")
    file, data = WAYS[way](QUIET)
    (tmp_path / file).write_bytes(data)
    assert main(["match", str(tmp_path / file)]) == EMPTY


@pytest.mark.parametrize("way", WAYS)
def test_what_is_damaged_raises_nothing_but_an_input_error(way: str, tmp_path: Path) -> None:
    file, data = WAYS[way](REPORTS["oops"].read_bytes())
    for cut in range(10, len(data), max(1, len(data) // 3)):
        for damaged in (data[:cut], data[:cut] + b"\xff\0" + data[cut + 2 :]):
            (tmp_path / file).write_bytes(damaged)
            with contextlib.suppress(InputError):
                kb.match(tmp_path / file)


def tells(way: str, text: str) -> bool:
    """Whether a way leaves enough of a log to tell what it was: see the samples' own words for what it takes."""
    rows = text.split("\n")
    if len(rows) < 5 or 'COMMAND: "' in text or text.startswith("CPU:"):
        return False  # a word in quotes; a debugger's terminal; lines before the one by which a prefix is learned
    if way in ("fold", "fold -s", "screen", "quoted-printable alone"):
        return sum(len(row) + 15 > MOST for row in rows) > 3 and way != "fold -s"
    return True


def test_samples_in_all_ways_are_the_same(tmp_path: Path) -> None:
    """Of 69,700 pairs drawn 33 differed: reports whose words stand on bare lines, headlines that a way cuts in two."""
    pairs = [(text, way) for text in LOGS for way in sorted(WAYS) if way != "pdf" or "pypdf" in sys.modules]
    differ = []
    for number, (text, way) in enumerate(random.Random(1).sample(pairs, 600)):
        log = with_prefix(text, lambda at: f"[   12.{at:06}] ")
        want = sorted(map(str, same(api.read(log))))
        if not tells(way, text) or any("'unknown'" in one for one in want):
            continue
        file, data = WAYS[way](log)
        path = tmp_path / str(number) / file
        path.parent.mkdir()
        path.write_bytes(data)
        if sorted(map(str, same(api.read(path)))) != want:
            differ.append((way, text.partition("\n")[0]))
    assert len(differ) <= 2, differ


# ---- what stands before a report's first line alone


@pytest.mark.parametrize("before", ["Hans: ", "DMESG='", "db17 login: ", '7\thans\t"', "> Hans wrote: ", "log=$'"])
def test_what_stands_before_the_first_line_alone_is_no_part_of_it(before: str) -> None:
    (report,) = api.read(f"good morning\n{before}{OOPS}\n".encode())
    assert (report.title, report.comm) == (TITLE, "foo")


def test_prose_before_a_report_stays_prose() -> None:
    assert list(api.read(f"We saw {OOPS.splitlines()[0]}\nand then\nit went away\n".encode())) == []


@pytest.mark.parametrize(
    ("head", "comm"),
    [
        ("Hans: kworker/31:0", "kworker/31:0"), ("<b>kworker/31:0", "kworker/31:0"), ("[12] a b", "a b"),
        ("bkworker/31:0", "bkworker/31:0"),
    ],
)  # fmt: skip
def test_the_comm_of_the_stack_is_the_one_of_the_headline(head: str, comm: str) -> None:
    stack = "Call Trace:\n dump_stack+0x1/0x2\n warn_alloc+0x1/0x2\n foo_open+0x1/0x2\n"
    text = f"{head}: page allocation failure: order:5, mode:0x104050\nCPU: 1 PID: 1 Comm: {comm} Not tainted 6.1.0 #1\n"
    (report,) = api.read((text + stack).encode())
    assert report.comm == comm
    (alone,) = api.read((text.split("\n")[0] + "\n" + stack).encode())
    assert alone.comm is not None
    assert len(alone.comm) <= 15


# ---- single formats


def test_a_pdf_needs_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pypdf", None)
    (tmp_path / "dmesg.pdf").write_bytes(documents.pdf(QUIET)[1])
    assert main(["match", str(tmp_path / "dmesg.pdf")]) == UNUSABLE
    told = capsys.readouterr().err
    assert "dmesg.pdf" in told
    assert "kernel-kb[pdf]" in told
    assert "pdftotext" in told


def test_a_pdf_of_pictures_is_no_good_log(tmp_path: Path) -> None:
    pytest.importorskip("pypdf")
    (tmp_path / "a.pdf").write_bytes(documents.pdf(b"")[1])
    assert main(["match", str(tmp_path / "a.pdf")]) == UNUSABLE


def shown(markup: str) -> list[str]:
    reader = page._Reader()
    return reader.feed(markup).rstrip("\n").split("\n")


def test_a_row_is_a_line_and_an_element_is_one() -> None:
    assert shown("<tr><td>1</td><td><div>a</div></td></tr><tr><th>2</th><td>b &lt;x&gt;</td></tr>") == [
        "1\ta",
        "2\tb <x>",
    ]
    assert shown("<p>a <b>bold</b> word</p><p>b</p><ul><li>c</li><li>d</li></ul>") == ["a bold word", "b", "c", "d"]
    assert shown("<pre>a\n b</pre><script>x < y</script><!-- c -->d<br>e") == ["a", " b", "d", "e"]
    assert shown("<r><x><![CDATA[a <TASK>\nb]]></x><y>c</y></r>") == ["a <TASK>", "b", "c"]
    assert shown("<d>&lt;p&gt;a&lt;/p&gt;&lt;p&gt;b&lt;/p&gt;</d><d>c &lt;p&gt;</d>") == ["a", "b", "c <p>"]


def test_marks_that_the_kernel_prints_are_text() -> None:
    assert shown("<pre> <TASK>\n foo+0x1/0x2\n </TASK></pre>") == [" <TASK>", " foo+0x1/0x2", " </TASK>"]


def test_a_part_of_a_page_without_cells_keeps_its_line_numbers() -> None:
    rows = OOPS.replace("<", "&lt;").replace("\n", "<br>\n")
    (report,) = api.read(f"<div dir='ltr'>Hi<br>\n{rows}</div>\n".encode())
    assert report.headline_line == 2


@pytest.mark.parametrize("way", ["elastic's scroll", "xlsx", "mhtml", "a table on one line", "yaml in quotes"])
@pytest.mark.parametrize("named", [True, False])
def test_each_container_is_told_once(way: str, named: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []
    told = registry.container_of
    monkeypatch.setattr(registry, "container_of", lambda name, head: asked.append(head) or told(name, head))
    file, data = WAYS[way](REPORTS["oops"].read_bytes())
    (tmp_path / file).write_bytes(data)
    assert kb.match(tmp_path / file if named else data)
    assert len(asked) == len(set(asked))


def test_a_body_of_several_lines_is_closed_on_its_last() -> None:
    fields = "Attributes:\nTrace ID: \nSpan ID: \nFlags: 0\n"
    body = "".join(f"{row}\n" for row in OOPS.splitlines())[:-1]
    log = f"LogRecord #0\nBody: Str(rcu_gp_init(7))\n{fields}LogRecord #1\nBody: Str({body})\n{fields}"
    read = io.BytesIO(log.encode()).read
    (text,) = framed.members("a", read, None, Walk("a"))
    assert b"".join(iter(lambda: text.read(1 << 16), b"")).decode() == f"rcu_gp_init(7)\n{body}\n"


def test_a_body_outside_of_records_is_text() -> None:
    log = b"LogRecord #0 is the first one\nBody: Str(BUG: x)\nFlags: 0\nLogRecord #1 is the second one\n"
    assert registry.container_of("a", log) is None


@pytest.mark.parametrize("first", ["WARN", "detected", "usercopy", "refcount"])
def test_a_word_that_notes_begin_with_is_a_prefix_where_each_line_has_it(first: str) -> None:
    (report,) = api.read("".join(f"{first}\t{row}\n" for row in OOPS.splitlines()).encode())
    assert (report.title, report.comm) == (TITLE, "foo")


def test_a_note_is_no_prefix_of_a_log() -> None:
    log = (
        "------------[ cut here ]------------\nWARN: foo at all\nWARN: CPU is busy\nWARN: Call to nobody\n"
        + OOPS
        + "\n"
    )
    (report,) = api.read(log.encode())
    assert (report.title, report.comm) == (TITLE, "foo")


def test_the_words_of_headlines_that_follow_each_other_are_no_prefix() -> None:
    row = "Out of memory: Killed process {} (java) total-vm:4194304kB, anon-rss:1024kB, file-rss:0kB, shmem-rss:0kB\n"
    found = list(api.read("".join(row.format(1000 + at) for at in range(5)).encode()))
    assert found[0].headline.startswith("Out of memory: Killed process 1000 ")


PROSE = b"".join(
    b"On day %d the customer told us that db17 was slow again, and nobody knew why it was.\n" % at for at in range(300)
)


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize(
    "way",
    ["splunk's page", "otel's debug exporter", "socat", "uuencode in a text", "base64 in a text", "supportconfig"],
)
def test_a_text_may_go_on_in_another_form_far_behind_its_beginning(
    way: str, report: str, plain: dict[str, list[str]]
) -> None:
    log = REPORTS[report].read_bytes()
    if way == "supportconfig":
        data = b"#==[ Command ]======#\n# /bin/dmesg\n" + log
    else:
        data = (WAYS | wrappings.WRAPPINGS)[way](log)[1]
    stream = next(iter(open_inputs([PROSE + b"\n" + data])))
    assert said(kb.match(PROSE + b"\n" + data)) == plain[report]
    assert len(PROSE) > 8192
    assert stream.walk is not None


def test_a_text_is_looked_at_so_far_and_not_farther() -> None:
    """What is read to tell a text's form is a quarter of a megabyte, whatever its length."""
    read = io.BytesIO(PROSE * 100)
    each = next(iter(open_inputs([read])))
    assert read.tell() <= 1 << 19
    assert each.walk is None


# ---- what is no trace, no value, no archive


def told_as(data: bytes) -> str | None:
    return registry.format_of("-", data)


def test_a_source_that_prints_a_headline_is_no_trace() -> None:
    assert told_as(b'    printf("BUG: soft lockup - CPU#1 stuck for 22s!\\n");\n    return (0);\n' * 20) is None


def test_a_log_with_some_calls_in_it_stays_as_it_is() -> None:
    trace = b'write(1, "BUG: x\\n", 7) = 7\n'
    assert told_as(trace * 3) == "exports.calls"
    assert told_as(trace + QUIET) is None


def test_scripts_and_attributes_without_a_report_are_not_held() -> None:
    reader = page._Reader()
    reader.feed(
        '<html><script>var a = {"b": "no log"}; f("BUG: ");</script><p data-a=\'{"b": "a c"}\' title="a b">x</p>'
    )
    assert reader.beside == []
    reader.feed("<script>var a = [1, " + "[" * 100 + ' "BUG: soft lockup - CPU#1 stuck for 22s!"</script>')
    assert reader.beside == []


def test_of_a_page_of_scripts_so_many_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    monkeypatch.setattr(page, "opens", lambda data: looks.append(data) or True)
    page._Reader().feed("<html>" + '<script>a = {"b": [}</script>' * 3000)
    assert len(looks) == 1000


def test_an_element_with_a_text_does_not_show_its_attributes() -> None:
    assert shown('<?xml version="1.0"?><r><f message="a b">c d</f><f message="e f"/><f k="gh" m="i j k"></f></r>') == [
        "c d",
        "e f",
        "i j k",
    ]
    page = '<img alt="a b"/><p title="c d"></p>'
    assert shown(f"<r><d>{html.escape('<p>e f' + page)}</d></r>") == ["e f"]
    for head in (
        "<div>",
        "<html>",
        "<!DOCTYPE html>\n<html>",
        '<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml">',
    ):
        assert [row for row in shown(head + page) if row] == []


def test_a_text_that_begins_as_zlib_does_is_one() -> None:
    assert packing_of(b"x^2 + y^2 = z^2 has solutions; x^3 + y^3 = z^3 has none\n") is None
    assert packing_of(zlib.compress(QUIET)) == "zlib"


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_script_or_a_program_without_an_archive_holds_none(end: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"#!/bin/sh\n" + b"echo PK\n" * 3000 + end)
    assert main(["match", str(tmp_path / "a")]) == EMPTY


@pytest.mark.parametrize(
    "form",
    [
        lambda host, row: {"node_id": host, "message": row},
        lambda host, row: {"k": {"labels": {"nodeName": host}}, "log": row},
        lambda host, row: {"src": {"machine_id": host}, "payload": {"text": row}},
    ],
)
def test_two_machines_whose_name_stands_in_a_field_of_any_name(form: Callable[[str, str], object]) -> None:
    logs = {host: REPORTS[name].read_text().splitlines() for host, name in (("n1", "oops"), ("n2", "oom"))}
    rows = [
        json.dumps(form(host, log[at]))
        for at in range(max(map(len, logs.values())))
        for host, log in logs.items()
        if at < len(log)
    ]
    want = sorted(each.report.title for name in ("oops", "oom") for each in kb.match(REPORTS[name]))
    assert sorted(each.report.title for each in kb.match(("\n".join(rows) + "\n").encode())) == want


@pytest.mark.parametrize("beside", [{"kubernetes": {"host": "n1"}}, {"beat": {"hostname": "n1"}}, {"host": "n1"}, {}])
def test_what_passed_a_log_on_is_not_the_machine_where_a_field_names_that(beside: dict[str, object]) -> None:
    log = REPORTS["oops"].read_text().splitlines()
    rows = [{"log": row, "aggregator_node": f"c{at % 2}", **beside} for at, row in enumerate(log)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    assert same(api.read(text)) == same(api.read("\n".join(log) + "\n"))
