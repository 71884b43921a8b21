"""Every wrapping of a log says what the log says; hostile ones end soon, with a reason; good logs are silent."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import lzma
import os
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import kb
from kb import api
from kb.cli import EMPTY, OK, UNKNOWN, UNUSABLE, main
from kb.errors import InputError
from kb.log.containers import registry, walk
from kb.log.containers.documents import pdf, rtf
from kb.log.containers.exports import document, literal
from kb.log.containers.exports import records as export
from kb.log.containers.exports.records import Record, nanoseconds
from kb.log.containers.roles import says_log, says_numbers
from kb.log.containers.screens.drm_qr import Watch, read_address
from kb.log.source import open_inputs
from tests.log.containers import documents, wrappings
from tests.log.containers.wrappings import WRAPPINGS
from tests.log.test_prefixes import LOGS, same, with_prefix

LOG = (Path(__file__).parent.parent / "data/oops.log").read_bytes()
CASES = Path(__file__).parents[3] / "cases"
QUIET = b"[    1.000000] eth0: link up\n[    2.000000] usb 1-1: new device\n" * 20


SHORT = (
    "base64 in a text",
    "what ansible shows",
    "a notebook",
    "a list that Python shows",
    "newest first over New Year",
)
"""Wrappings that a line or two do not tell from other texts."""


def said(diagnoses: list[kb.Diagnosis]) -> list[tuple[object, ...]]:
    """What must be the same however a log is wrapped."""
    return [
        (
            one.report.title,
            one.signature.key,
            [match.case.id for match in one.matches if match.verdict is kb.Verdict.YES],
        )
        for one in diagnoses
    ]


PLAIN = said(kb.match(LOG))


@pytest.mark.parametrize("name", WRAPPINGS)
def test_a_wrapping_keeps_title_key_and_case(name: str, tmp_path: Path) -> None:
    file, data = WRAPPINGS[name](LOG)
    (tmp_path / file).write_bytes(data)
    found = kb.match(tmp_path / file)
    assert said(found) == PLAIN
    if "!" in found[0].report.source:
        assert found[0].report.source.startswith(str(tmp_path / file) + "!")


@pytest.mark.parametrize("name", WRAPPINGS)
def test_a_wrapping_of_a_quiet_log_is_silent(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, data = WRAPPINGS[name](QUIET)
    (tmp_path / file).write_bytes(data)
    assert main(["match", str(tmp_path / file)]) == EMPTY
    assert capsys.readouterr().out == ""


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(LOGS), st.sampled_from(sorted(WRAPPINGS)))
def test_every_sample_in_every_wrapping_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, text: str, name: str
) -> None:
    if 'COMMAND: "' in text or ("|" in text and name == "markdown"):
        return  # a debugger's terminal is exported by nobody; a table ends its cells there
    if name == "newest first" and text.count("\n") < 2:
        return  # of so few lines no order can be told
    if name in SHORT and text.count("\n") < 4:
        return  # a word in quotes, one row of letters
    log = with_prefix(text, lambda at: f"[   12.{at:06}] ")
    file, data = WRAPPINGS[name](log)
    path = tmp_path_factory.mktemp("w") / file
    path.write_bytes(data)
    # what came as one string has one line's number for all, so that two reports at once may come in another order
    assert sorted(map(str, same(api.read(path)))) == sorted(map(str, same(api.read(log))))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["tar", "tar.gz", "zip", "base64", "log.gz in a tar"]), min_size=1, max_size=3))
def test_wrappings_within_wrappings(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    data = LOG
    for name in names:
        _, data = WRAPPINGS[name](data)
    path = tmp_path_factory.mktemp("w") / "input"
    path.write_bytes(data)
    assert said(kb.match(path)) == PLAIN


@pytest.mark.parametrize("name", WRAPPINGS)
def test_a_damaged_wrapping_raises_nothing_but_an_input_error(name: str, tmp_path: Path) -> None:
    file, data = WRAPPINGS[name](LOG)
    for cut in range(10, len(data), max(1, len(data) // 6)):
        for damaged in (data[:cut], data[:cut] + b"\xff\0" + data[cut + 2 :]):
            (tmp_path / file).write_bytes(damaged)
            with contextlib.suppress(InputError):
                kb.match(tmp_path / file)


def test_standard_input_may_be_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    data = gzip.compress(wrappings.tar(LOG))
    os.write(write, data)
    os.close(write)
    with open(read, "rb") as stream:
        found = list(api.read_live(stream))
    assert [report.title for report in found] == [row[0] for row in PLAIN]
    assert found[0].source == "-!sos-1/sos_commands/kernel/dmesg"


# ---- one event once


def archive(*members: tuple[str, bytes]) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as made:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            made.addfile(info, io.BytesIO(data))
    return held.getvalue()


def syslog(log: bytes, stamps: bool = True) -> bytes:
    rows = [line if stamps else line.partition(b"] ")[2] for line in log.splitlines()]
    return b"".join(b"Nov 28 12:00:01 db17 kernel: " + row + b"\n" for row in rows)


def test_dmesg_journal_and_messages_tell_of_one_event() -> None:
    data = archive(
        ("s/sos_commands/kernel/dmesg", LOG),
        ("s/sos_commands/logs/journalctl_--no-pager", syslog(LOG)),
        ("s/var/log/messages", syslog(LOG, stamps=False)),
    )
    found = kb.match(data)
    assert said(found) == PLAIN
    names = ["dmesg", "journalctl_--no-pager", "messages"]
    assert [source.rsplit("/", 1)[1] for source in found[0].report.sources] == names
    assert found[0].report.source == found[0].report.sources[0]
    assert found[0].to_json()["sources"] == list(found[0].report.sources)


def test_who_shows_the_logs_sees_an_event_once_behind_the_last_of_them() -> None:
    data = archive(("s/dmesg", LOG), ("s/var/log/messages", syslog(LOG)), ("s/var/log/syslog", QUIET))
    found = list(api.documents(data))
    reports = [each for each in found if isinstance(each, kb.Report)]
    assert [report.title for report in reports] == [row[0] for row in PLAIN]
    assert found[3:] == reports
    assert reports[0].sources == ("-!s/dmesg", "-!s/var/log/messages")


def test_the_same_problem_at_another_time_or_on_another_host_is_another_event() -> None:
    later = LOG.replace(b"[90112.", b"[95112.")
    other = syslog(LOG).replace(b"db17", b"db18")
    assert len(kb.match(archive(("a/dmesg", LOG), ("b/dmesg", later)))) == 2 * len(PLAIN)
    assert len(kb.match(archive(("a/messages", syslog(LOG)), ("b/messages", other)))) == 2 * len(PLAIN)
    assert len(kb.match(archive(("a/dmesg", LOG + later), ("b/dmesg", LOG + later)))) == 2 * len(PLAIN)


BARE = b"".join(row.partition(b"] ")[2] for row in LOG.splitlines(keepends=True))


def dated(day: str, log: bytes = BARE, host: str = "db17") -> bytes:
    return b"".join(f"{day} {host} kernel: ".encode() + row for row in log.splitlines(keepends=True))


PACKED = gzip.compress(archive(("dmesg", LOG)))
MORE = LOG[LOG.index(b"\n", LOG.index(b"#PF")) + 1 :]
"""What a ring buffer leaves of it: the headline is lost."""


@pytest.mark.parametrize(
    ("first", "other", "events"),
    [
        (("s/messages", dated("Nov 28 12:00:01")), ("s/messages-1", dated("Nov 21 03:00:01")), 2),
        (("s/messages", dated("Nov 28 12:00:01")), ("s/kern.log", dated("Nov 28 12:00:04")), 1),
        (("s/messages", dated("Nov 28 13:00:01")), ("s/journal", dated("2026-11-28T12:00:01+00:00")), 1),
        (("s/messages", dated("Jan  1 00:00:01")), ("s/journal", dated("2026-12-31T23:00:01Z")), 1),
        (("s/messages", dated("2026-11-28T12:00:01+02:00")), ("s/journal", dated("2026-11-28T10:00:01Z")), 1),
        (("s/messages", dated("2026-11-28T12:00:01Z")), ("s/journal", dated("2026-11-28T10:00:01Z")), 2),
        (("s/messages", dated("2026-11-28T12:00:01Z")), ("s/journal", dated("2025-11-28T12:00:01Z")), 2),
        (("s/messages", dated("2026-03-01T00:30:01+02:00")), ("s/journal", dated("2026-02-28T22:30:01Z")), 1),
        (("s/messages", dated("Mar  1 00:30:01")), ("s/journal", dated("2026-02-28T22:30:01Z")), 1),
        (("s/messages", syslog(LOG)), ("s/journal", syslog(LOG).replace(b"db17", b"db17.example.org")), 1),
        (("s/messages", syslog(LOG)), ("s/journal", syslog(LOG).replace(b"db17", b"db171")), 2),
        (("m/nodes/w0/dmesg", LOG), ("m/nodes/w1/dmesg", LOG), 2),
        (("m/nodes/w0/dmesg", LOG), ("m/nodes/w0/messages", LOG), 1),
        (("a/sosreport-h1-2026-11-28-abc/dmesg", LOG), ("a/sosreport-h2-2026-11-28-abd/dmesg", LOG), 2),
        (("a/sosreport-h1-2026-11-28-abc/dmesg", LOG), ("a/sosreport-h1-2026-11-29-abd/dmesg", LOG), 1),
        (("h1.tar.gz", PACKED), ("h2.tar.gz", PACKED), 2),
        (("dmesg", LOG), ("sosreport.tar.gz", PACKED), 1),
        (("s/dmesg", MORE), ("s/messages", LOG), 1),
        (("s/messages", LOG), ("s/dmesg", MORE), 1),
    ],
)  # fmt: skip
def test_places_and_times_tell_events_apart(first: tuple[str, bytes], other: tuple[str, bytes], events: int) -> None:
    found = kb.match(archive(first, other))
    assert said(found) == sorted(PLAIN * events, key=str) or said(found) == PLAIN * events
    assert all(len(one.report.sources) == (2 if events == 1 else 0) for one in found)


# ---- what the archive says of the machine


def test_the_numbers_of_an_archive_are_evidence_and_its_release_serves() -> None:
    bare = LOG.replace(b"Not tainted 6.10.6 #1", b"Not tainted")
    data = archive(
        ("s/dmesg", bare),
        ("s/sos_commands/kernel/sysctl_-a", b"vm.min_free_kbytes = 4242\nvm.swappiness = 60\n"),
        ("s/sos_commands/kernel/uname_-a", b"Linux db17 5.14.0-70.el9.x86_64 #1 SMP x86_64 GNU/Linux\n"),
    )
    found = kb.match(data)[0]
    assert found.report.kernel == "5.14.0-70.el9.x86_64"
    assert any("5.14.0-70.el9.x86_64 from s/sos_commands/kernel/uname_-a" in note for note in found.report.input_notes)
    fact = found.facts.get("sysctl.vm.min_free_kbytes")
    assert fact is not None
    assert (fact.value, fact.wording) == (4242, "s/sos_commands/kernel/sysctl_-a")
    named = kb.match(archive(("s/dmesg", LOG), ("s/uname_-a", b"Linux db17 5.14.0 #1 SMP x86_64 GNU/Linux\n")))[0]
    assert named.report.kernel == "6.10.6"


# ---- exit codes


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ([("dmesg", LOG), ("journal.lz4", b"\x04\x22\x4d\x18xxxx")], OK),
        ([("dmesg", QUIET), ("kern.log.lz4", b"\x04\x22\x4d\x18xxxx")], UNUSABLE),
        ([("dmesg", QUIET), ("system.journal", b"LPKSHHRH" + bytes(100))], UNUSABLE),
        ([("dmesg", QUIET), ("vmcore", b"KDUMP   " + bytes(100))], UNUSABLE),
        ([("dmesg", QUIET), ("etc/blob.lz4", b"\x04\x22\x4d\x18xxxx")], EMPTY),
        ([("dmesg", QUIET), ("bin/sh", b"\x7fELF" + bytes(100))], EMPTY),
        ([("dmesg", LOG.replace(b"try_to_wake_up", b"some_function")), ("vmcore", b"KDUMP   ")], OK),
    ],
)
def test_reports_decide_then_logs_that_were_not_read(
    members: list[tuple[str, bytes]], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(archive(*members))
    got = main(["match", "--json", str(path)])
    assert got in ((OK, UNKNOWN) if code == OK else (code,))
    if len(members) > 1:
        assert f"{path}!{members[1][0]}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "data",
    [
        b"\x04\x22\x4d\x18abc",
        b"7z\xbc\xaf\x27\x1cabc",
        b"%PDF-1.4\n",
        b"SQLite format 3\0" + bytes(99),
        bytes(range(256)) * 40,
    ],
)
def test_an_input_that_cannot_be_looked_into_is_named_and_no_silence(
    data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "input"
    path.write_bytes(data)
    assert main(["match", str(path)]) == UNUSABLE
    assert str(path) in (told := capsys.readouterr().err)
    assert "help: " in told


def test_an_encrypted_member_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = bytearray(wrappings.zipped(LOG))
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.find(mark) + at] |= 1  # APPNOTE.TXT 4.4.4: bit 0
    (tmp_path / "a.zip").write_bytes(data)
    assert main(["match", str(tmp_path / "a.zip")]) == UNUSABLE
    assert "is encrypted" in capsys.readouterr().err


def test_a_log_with_holes_of_nul_is_a_log(tmp_path: Path) -> None:
    (tmp_path / "console").write_bytes(bytes(5000) + b"\n" + LOG)
    assert said(kb.match(tmp_path / "console")) == PLAIN


# ---- bounds


def test_many_members_end_the_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "MEMBERS", 10)
    data = archive(*((f"d/{at}", b"x\n") for at in range(11)))
    with pytest.raises(InputError, match="more than 10 members"):
        list(api.read(data))


def test_folders_of_an_archive_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "MEMBERS", 10)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for at in range(11):
            folder = tarfile.TarInfo(f"d{at}")
            folder.type = tarfile.DIRTYPE
            tar.addfile(folder)
    with pytest.raises(InputError, match="more than 10 members"):
        list(api.read(out.getvalue()))


@pytest.mark.parametrize(("bound", "why"), [("_STREAM", "imit"), ("_STEPS", "maximum"), ("_OPERATIONS", "operations")])
def test_a_pdf_that_asks_for_too_much_is_named(bound: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pypdf = pytest.importorskip("pypdf")
    if bound != "_OPERATIONS" and not hasattr(pypdf, "apply_configuration"):
        pytest.skip("this pypdf has no bounds to set")
    writer, packed = pypdf.PdfWriter(clone_from=io.BytesIO(documents.pdf(QUIET * 20)[1])), io.BytesIO()
    for page in writer.pages:
        page.compress_content_streams()
    writer.write(packed)
    monkeypatch.setattr(pdf, bound, 100)
    with pytest.raises(InputError, match=why):
        list(api.read(packed.getvalue()))


def test_containers_in_containers_end_the_walk() -> None:
    data = QUIET
    for _ in range(walk.DEEPEST + 1):
        data = wrappings.zipped(data, "dmesg")
    with pytest.raises(InputError, match="deep"):
        list(api.read(data))


def test_what_grows_too_much_ends_the_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "FREE", 1 << 20)
    with pytest.raises(InputError, match="times its size"):
        list(api.read(lzma.compress(archive(("dmesg", b"[    1.000000] x\n" * 600_000)))))


def test_a_directory_that_is_too_long_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    from kb.log.containers.archives import zip as archive_zip

    monkeypatch.setattr(archive_zip, "_DIRECTORY", 20)
    with pytest.raises(InputError, match="too many members"):
        list(api.read(wrappings.zipped(LOG)))


def test_an_extended_header_has_a_bound() -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 5 << 20
    with pytest.raises(InputError, match="extended header"):
        list(api.read(info.tobuf(tarfile.GNU_FORMAT) + b"a" * (5 << 20)))


def test_a_mail_of_parts_within_parts_is_refused() -> None:
    head = b"From: a@b.c\nSubject: x\nMIME-Version: 1.0\n"
    parts = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (at, at) for at in range(1000))
    with pytest.raises(InputError, match="parts within parts"):
        list(api.read(head + parts + b"\n" + LOG))


@pytest.mark.parametrize(
    "data", [b"[" * 100_000, b'{"a":' * 100_000, b'{"hits":[{"a":"' + b'\\"' * 100_000, b'{"a":1}{' * 9999]
)
def test_json_that_is_none_is_a_text(data: bytes) -> None:
    assert list(api.read(data)) == []


def test_a_document_that_is_none_is_held_no_longer() -> None:
    room = walk.Walk("-")
    list(document.members("a", io.BytesIO(b'{"a": "' + b"x" * 1000).read, None, room))
    assert room.keeps(walk.HELD)


def test_a_text_of_a_document_is_looked_for_in_so_many_others() -> None:
    seen = export.Seen()
    texts = ["".join(f"word{at}x{row}\n" for row in range(9)) for at in range(500)]
    assert not any(map(seen.had, texts))
    assert all(map(seen.had, texts))
    assert len(seen._known) <= 32
    assert seen.had("<pre>" + texts[0].replace("\n", "<br>\n") + "</pre>")


@pytest.mark.parametrize("value", [(LOG, None), LOG.splitlines(), LOG.splitlines(keepends=True), LOG])
def test_bytes_as_python_shows_them_are_read(value: object, tmp_path: Path) -> None:
    """What subprocess gives: communicate(), check_output() and its lines."""
    (tmp_path / "a").write_text(repr(value) + "\n")
    assert said(kb.match(tmp_path / "a")) == PLAIN


def test_a_list_of_numbers_is_not_parsed_as_python_writes_it() -> None:
    """A literal becomes half a kilobyte a byte while it is parsed."""
    lines = b"(" + b"'a line of a log', " * 10_000 + b"None,)"
    assert len(literal.value_in(lines)) == 10_001
    assert literal.value_in(b"['a'," + b"1," * 100_000 + b"None]") is None


@pytest.mark.parametrize("indent", [None, 2])
def test_a_recording_of_one_document_is_read_to_its_cut(indent: int | None, tmp_path: Path) -> None:
    events = [[0.01, text + "\r\n"] for text in LOG.decode().splitlines()]
    data = json.dumps({"version": 1, "width": 80, "height": 24, "stdout": [*events, [0.1, "$ "]]}, indent=indent)
    (tmp_path / "a.cast").write_text(data[:-20])
    assert said(kb.match(tmp_path / "a.cast")) == PLAIN


def test_a_log_that_begins_with_a_cut_mark_is_no_yaml() -> None:
    assert said(kb.match(b"------------[ cut here ]------------\nwarning: foo\n" + LOG + b"message: x\n")) == PLAIN


def test_a_brace_is_one_wherever_a_piece_of_rich_text_ends() -> None:
    rows = ["{x}" * 100] * 40
    data = b"{\\rtf1 " + b"\\par ".join(row.replace("{", "\\{").replace("}", "\\}").encode() for row in rows) + b"}"
    for size in range(9000, 9012):
        read = io.BytesIO(data).read
        assert b"".join(rtf._text(lambda _, read=read, size=size: read(size))).decode().split("\n") == rows


@pytest.mark.parametrize(
    ("page", "written", "shown"),
    [
        (936, rb"\'c4\'da\'ba\'cb: a", "内核: a"),
        (932, rb"\'83e\'83X\'83g\par x", "テスト\nx"),  # a second byte as the character that it is alone
        (936, rb"\uc2 \u20869\'c4\'da b", "内 b"),  # what old readers show
        (1252, rb"\'e9t\'e9", "été"),
    ],
)
def test_the_bytes_of_a_code_page_are_read_together(page: int, written: bytes, shown: str) -> None:
    data = b"{\\rtf1\\ansi\\ansicpg%d " % page + written + b"}"
    assert b"".join(rtf._text(io.BytesIO(data).read)).decode() == shown


def test_a_block_of_yaml_ends_where_it_is_no_longer_indented(tmp_path: Path) -> None:
    rows = "".join(f"  {row}\n" for row in LOG.decode().splitlines())
    head = "---\ninsertId: a\ntextPayload: |\n"
    (tmp_path / "a.yaml").write_text(f"{head}{rows}\n" + "timestamp: '2026-11-28T12:00:00Z'\n---\ninsertId: b\n")
    assert said(kb.match(tmp_path / "a.yaml")) == PLAIN


def test_a_mail_of_many_parts_is_refused() -> None:
    head = b'From: a@b.c\nSubject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n'
    with pytest.raises(InputError, match="more than 500 parts"):
        list(api.read(head + b"--b\nContent-Type: text/plain\n\nx\n" * 600))


# ---- exports


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 40), st.booleans(), st.integers(1, 7))
def test_records_come_out_oldest_first_whatever_is_held_at_once(window: int, reverse: bool, ticks: int) -> None:
    rows = [Record("x", at // ticks, at, b"%d\n" % at) for at in range(200)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "WINDOW", window)
        assert list(b"".join(export.ordered(rows[::-1] if reverse else rows)).splitlines()) == [
            b"%d" % at for at in range(200)
        ]


def test_an_export_that_is_too_long_to_be_put_in_order_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(export, "WINDOW", 10)
    monkeypatch.setattr(export, "_PACKED", 100)
    (tmp_path / "a.json").write_bytes(WRAPPINGS["logcli"](LOG)[1])
    told: list[str] = []
    list(api.read(tmp_path / "a.json", told=told.append))
    assert any("too long to be put in order" in note for note in told)


def test_a_log_with_a_reboot_is_no_log_with_its_newest_lines_first(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(LOG + QUIET + LOG)
    assert {one.source for one in api.read(tmp_path / "a.log")} == {str(tmp_path / "a.log")}
    assert next(iter(open_inputs([tmp_path / "a.log"]))).notes == []


def test_hosts_and_times_of_an_export_are_kept() -> None:
    for name in ("elastic", "loki", "csv", "gelf"):
        _, data = WRAPPINGS[name](LOG)
        report = next(iter(api.read(data)))
        assert report.host == "db17", name
        assert report.time == 90112.017029, name
    assert next(iter(api.read(WRAPPINGS["elastic"](LOG)[1]))).wall == "2025-11-28T12:00:00.000000Z"


def test_lines_between_records_stay() -> None:
    _, data = WRAPPINGS["elastic"](QUIET)
    assert said(kb.match(data + b"\n" + LOG)) == PLAIN


def test_plain_lines_of_json_are_read_as_they_come() -> None:
    """Lines oldest first with the text at the top keep their numbers: no record is held for another."""
    data = wrappings.ndjson(wrappings.records(LOG, "message", "time"))
    assert next(iter(api.read(data))).span[0] == 1
    assert next(iter(open_inputs([data]))).notes == []


# ---- the QR code's address


@settings(max_examples=50, deadline=None)
@given(st.binary(min_size=1, max_size=400), st.sampled_from(["z", "zl"]), st.integers(1, 200))
def test_an_address_is_read_whatever_the_text_and_however_it_comes(data: bytes, how: str, size: int) -> None:
    text = wrappings.qr(data, how)
    watch = Watch()
    for at in range(0, len(text), size):
        watch(text[at : at + size])
    (panic,) = watch.panics()
    assert panic == (data, "6.10.6", "x86_64", True)


@settings(max_examples=50, deadline=None)
@given(st.text("0123456789", min_size=17, max_size=300), st.sampled_from(["z", "zl"]))
def test_digits_that_are_no_log_say_nothing(digits: str, how: str) -> None:
    read_address(f"https://example.org/?a=x&v=1&{how}={digits}".encode())


def test_an_address_that_is_cut_is_read_to_its_cut_and_says_so(tmp_path: Path) -> None:
    text = wrappings.qr(LOG, "z").decode().replace("\n", "").removeprefix("Hello,").removesuffix("regards")
    (report,) = list(api.read(text[: len(text) // 2].encode() + b"\n"))[:1]
    assert report.kernel == "6.10.6"
    assert "cut or damaged" in str(report.input_notes)
    (tmp_path / "a.txt").write_text(text[: text.index("z=") + 22] + "\n")
    assert main(["match", str(tmp_path / "a.txt")]) == UNUSABLE
    with pytest.raises(InputError, match=r"x86_64\) that is cut or damaged"):
        list(api.read(wrappings.zipped(text[: text.index("z=") + 22].encode(), "a.txt")))


def test_a_search_with_a_long_number_is_no_address() -> None:
    assert list(api.read(b"see https://example.org/?q=1&z=" + b"1234567890" * 9 + b"\n")) == []


# ---- roles


@pytest.mark.parametrize(
    "name",
    [
        "a!sos_commands/kernel/dmesg", "a!var/log/messages-20261128.gz", "a!var/log/kern.log.1", "system@0005.journal",
        "127.0.0.1/vmcore-dmesg.txt", "a!sys/fs/pstore/dmesg-efi-1.enc.z", "console-ramoops-0", "journalctl_--no-pager",
        "boot.txt", "vmcore", "syslog.2.gz", "a!VmCoreDmesg", "app.log.lz4",
    ],
)  # fmt: skip
def test_names_of_logs(name: str) -> None:
    assert says_log(name)


@pytest.mark.parametrize(
    "name", ["etc/passwd", "bin/bash", "var/log/wtmp", "lib/libkernel.so", "img.png", "proc/vmstat"]
)
def test_names_of_no_logs(name: str) -> None:
    assert not says_log(name)


def test_names_of_numbers() -> None:
    assert all(map(says_numbers, ("a!proc/buddyinfo", "a!sos_commands/kernel/sysctl_-a", "a!uname_-a")))
    assert not says_numbers("a!etc/passwd")


def test_a_zip_with_nothing_in_it_is_silent() -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w"):
        pass
    assert list(api.read(held.getvalue())) == []


@pytest.mark.parametrize("member", ["foo.txt", "dmesg"])
def test_damage_in_a_member_is_told(member: str, tmp_path: Path) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, b"".join(b"[%12.6f] eth0: link is up %d\n" % (n, n * 7919) for n in range(60_000)))
    data = bytearray(held.getvalue())
    data[len(data) // 2 : len(data) // 2 + 64] = bytes(64)
    (tmp_path / "a.zip").write_bytes(data)
    told: list[str] = []
    with contextlib.suppress(InputError):
        list(api.read(tmp_path / "a.zip", told=told.append))
    assert any("is cut or damaged" in note for note in told) or member == "dmesg"
    if member == "dmesg":
        with pytest.raises(InputError, match="is cut or damaged"):
            list(api.read(tmp_path / "a.zip"))


@pytest.mark.parametrize(
    "stamp",
    [
        "12345678901234567890abc",
        "1234567890123456789.5.6",
        "\u00b2" * 16,
        "9" * 400,
        "1e400",
        "-1",
        "",
        "1700000000000000.5",
    ],
)
def test_an_odd_time_of_a_record_loses_no_record(stamp: str, tmp_path: Path) -> None:
    rows = [{"@timestamp": stamp, "message": line} for line in LOG.decode().splitlines()]
    (tmp_path / "a.json").write_text(json.dumps(rows))
    assert [one.report.title for one in kb.match(tmp_path / "a.json")] == [row[0] for row in PLAIN]


def test_a_time_is_taken_by_its_size() -> None:
    for text in ("1700000000.5", "1700000000500.0", "1700000000500000.0"):
        assert nanoseconds(text) == nanoseconds(float(text)) == 1_700_000_000_500_000_000


def test_what_is_beside_a_log_is_named_from_the_folder_on(tmp_path: Path) -> None:
    """Also where an archive comes first: a server's folders are nobody's business."""
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        info = tarfile.TarInfo("messages")
        info.size = len(QUIET)
        archive.addfile(info, io.BytesIO(QUIET))
    (tmp_path / "dmesg").write_bytes(LOG)
    (tmp_path / "vmstat").write_bytes(
        b"".join(b"nr_%d %d\n" % (n, n) for n in range(50)) + b"pgalloc_normal 12\nallocstall_normal 1\n"
    )
    for report in api.read(tmp_path):
        assert not any(name.startswith(("/", "tmp")) for name, _ in report.beside)


@pytest.mark.parametrize("name", ["stdout", "Content", "payload"])
def test_a_field_of_any_name_whose_text_printk_stamped_is_a_log(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.json"
    log = "[   12.000000] kernel BUG at fs/ext4/inode.c:100!\n[   12.000001] Modules linked in: a"
    path.write_text(json.dumps({"rc": 0, name: log}))
    assert [report.title for report in api.read(path)] == ["kernel BUG at fs/ext4/inode.c"]
    path.write_text(json.dumps({"rc": 0, name: "kernel BUG at fs/ext4/inode.c:100! is what people ask about"}))
    assert list(api.read(path)) == []


@pytest.mark.parametrize(
    "first",
    ["00000000: 48 65 6c 6c 6f 20 77 6f 72 6c 64 20 61 62 63 64  Hello world abcd", "begin 644 of boot log"],
)
def test_a_log_whose_first_line_looks_like_bytes_written_as_text_is_a_log(first: str) -> None:
    log = f"{first}\nkernel BUG at mm/slab.c:10!\nCPU: 0 PID: 1 Comm: x Not tainted 5.10.0 #1\n"
    assert [report.title for report in api.read(log.encode())] == ["kernel BUG at mm/slab.c"]


def test_no_log_of_one_boot_is_taken_for_an_input_that_holds_others() -> None:
    taint = b"CPU: 9 PID: 1 Comm: java Tainted: G    B          ------------ T 3.10.0-327.el7.x86_64 #1\n (see below)\n"
    logs = [taint, *(path.read_bytes() for path in sorted(CASES.glob("*/*.log")))]
    assert [log[:80] for log in logs if registry.container_of("dmesg", log) is not None] == []
