"""Archives as real tools leave them: put together, cut, damaged, sealed, behind a program; each loses nothing."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import re
import struct
import tarfile
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest

import kb
from kb import api
from kb.cli import EMPTY, UNUSABLE, main
from kb.errors import InputError
from kb.log.containers.archives import tar as archive_tar
from kb.log.containers.exports import literal
from tests.log.containers.parcels import tar
from tests.log.containers.test_containers import LOG, PLAIN, QUIET, said


def zipped(*members: tuple[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", packing) as made:
        for name, data in members:
            made.writestr(name, data)
    return held.getvalue()


def mail(data: bytes, name: str, kind: str = "octet-stream") -> bytes:
    message = EmailMessage()
    message["From"], message["Subject"] = "a@example.org", "oops"
    message.set_content("see below\n")
    message.add_attachment(data, maintype="application", subtype=kind, filename=name)
    return message.as_bytes()


SCRIPT = b"#!/bin/sh\nsed 1,4d $0 >/tmp/a.zip\nunzip /tmp/a.zip\nexit\n"
PARTS = (tar(("etc/motd", b"hello\n")), tar(("dmesg", LOG)))
SKIPPABLE = struct.pack("<II", 0x184D2A50, 4) + b"abcd"
WHOLE = {
    "a zip behind a script": SCRIPT + zipped(("dmesg", LOG)),
    "a zip behind a program": b"MZ" + bytes(3000) + zipped(("dmesg", LOG)),
    "a zip that was split into one part": b"PK\7\x08" + zipped(("dmesg", LOG)),
    "archives one behind the other": PARTS[0] + PARTS[1],
    "archives packed one behind the other": gzip.compress(PARTS[0]) + gzip.compress(PARTS[1]),
    "an archive behind a cut one": PARTS[0][:-512] + PARTS[1],
    "xz streams with zeros between them": lzma.compress(QUIET) + bytes(8) + lzma.compress(LOG) + bytes(4),
    "bzip2 streams": bz2.compress(QUIET) + bz2.compress(LOG),
    "lzma": lzma.compress(LOG, format=lzma.FORMAT_ALONE),
    "tar.lzma": lzma.compress(tar(("dmesg", LOG)), format=lzma.FORMAT_ALONE),
    "a log with the same name twice": tar(("dmesg", LOG), ("dmesg", LOG)),
    "a log with a hole behind it": tar(("dmesg", LOG + bytes(9000))),
    "a log with a hole in it": LOG[: LOG.index(b"\n") + 1] + bytes(4000) + b"\n" + LOG[LOG.index(b"\n") + 1 :],
}


@pytest.mark.parametrize("way", WHOLE)
def test_what_a_tool_leaves_is_read_whole(way: str) -> None:
    assert said(kb.match(WHOLE[way])) == PLAIN


def test_the_skippable_frames_that_pzstd_writes_are_skipped() -> None:
    zstandard = pytest.importorskip("zstandard")
    assert said(kb.match(SKIPPABLE + zstandard.compress(LOG))) == PLAIN


def test_a_sparse_log_of_tar_is_read() -> None:
    """GNU tar's ``-S`` in its pax form 1.0: a map of what is data, then the data."""
    table = b"1\n0\n%d\n" % len(LOG)
    data = table + bytes(512 - len(table)) + LOG
    info = tarfile.TarInfo("GNUSparseFile.1/dmesg")
    info.size = len(data)
    info.pax_headers = {
        "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "dmesg",
        "GNU.sparse.realsize": str(len(LOG) + 9000),
    }  # fmt: skip
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=tarfile.PAX_FORMAT) as made:
        made.addfile(info, io.BytesIO(data))
    assert said(kb.match(held.getvalue())) == PLAIN


@pytest.mark.parametrize("more", [0, 40_000])
def test_a_member_that_is_cut_is_read_to_the_cut(more: int) -> None:
    log = b"".join(b"[    %d.000000] usb 1-1: new device\n" % at for at in range(more // 40)) + LOG
    data = tar(("dmesg", log + QUIET))
    found = kb.match(data[: 512 + len(log)])  # behind the header: pax has none before it for such a name
    assert said(found) == PLAIN
    assert any("is cut or damaged" in note for note in found[0].report.input_notes)


def test_what_stands_between_two_members_of_a_damaged_archive_is_told() -> None:
    data = bytearray(tar(("etc/motd", b"hello\n"), ("dmesg", LOG)))
    data[1024 + 150] ^= 1
    with pytest.raises(InputError, match=r"is damaged: .* are no part of it"):
        list(api.read(bytes(data)))


def test_so_many_blocks_are_looked_at_for_another_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_tar, "_BLOCKS", 30)
    near = PARTS[0] + bytes(512 * 5) + PARTS[1]
    assert said(kb.match(near)) == PLAIN
    assert kb.match(PARTS[0] + bytes(512 * 40) + PARTS[1]) == []


# ---- what cannot be looked into

CMS = b"\x30\x82\x40\0\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0" + bytes(range(256)) * 9
PGP = b"-----BEGIN PGP MESSAGE-----\n\nhQEMA0\n-----END PGP MESSAGE-----\n"
SEALED = {
    "lz4": (b"\x04\x22\x4d\x18" + LOG, "lz4"),
    "rar": (b"Rar!\x1a\x07\1\0" + LOG, "rar"),
    "S/MIME": (CMS, "S/MIME"),
    "PGP": (PGP, "PGP"),
    "one part of a split zip": (b"PK\7\x08" + zipped(("dmesg", LOG))[:200], "split zip"),
    "a zip that is cut": (zipped(("dmesg", LOG))[:-40], "directory is missing"),
    "an image that begins with a hole": (bytes(32769) + b"CD001\1\0" + bytes(range(256)) * 99, "no text"),
}


@pytest.mark.parametrize("way", SEALED)
def test_what_is_sealed_is_named_and_no_piece_of_it_is_a_report(
    way: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, told = SEALED[way]
    (tmp_path / "a").write_bytes(data)
    assert main(["match", str(tmp_path / "a")]) == UNUSABLE
    out, err = capsys.readouterr()
    assert out == ""
    assert re.search(told, err)
    assert "help: " in err


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (CMS, "smime.p7m", "pkcs7-mime"),
        (PGP, "encrypted.asc", "octet-stream"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(99), "all.7z", "octet-stream"),
        (b"\x78\x9f\x3e\x22" + bytes(range(256)), "winmail.dat", "ms-tnef"),
    ],
)
def test_what_somebody_attached_is_a_log_by_its_role(data: bytes, name: str, kind: str, tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(mail(data, name, kind))
    assert main(["match", str(tmp_path / "a.eml")]) == UNUSABLE


def test_a_signature_is_attached_to_many_a_mail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its bytes are no text; that they were passed over is told, though nothing else in the mail is a text, either."""
    (tmp_path / "a.eml").write_bytes(mail(bytes(range(256)) * 9, "smime.p7s", "pkcs7-signature"))
    assert main(["match", str(tmp_path / "a.eml")]) == EMPTY
    (tmp_path / "a.tar").write_bytes(tar(("bin/sh", b"\x7fELF" + bytes(400))))
    capsys.readouterr()
    assert main(["match", str(tmp_path / "a.tar")]) == EMPTY
    assert "passed over, is an ELF file" in capsys.readouterr().err


def test_a_text_with_the_log_and_the_numbers_is_a_log(tmp_path: Path) -> None:
    text = b"dmesg=<multiline>\n" + LOG + b"meminfo=<multiline>\nMemTotal:       16384000 kB\nMemFree:  1000 kB\n"
    (tmp_path / "a.zip").write_bytes(zipped(("system_logs.txt", text)))
    assert said(kb.match(tmp_path / "a.zip")) == PLAIN


def test_what_a_calendar_says_is_read() -> None:
    text = LOG.decode().replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;").replace("\n", "\\n")
    row = f"DESCRIPTION:{text}"
    folded = "\r\n ".join(row[at : at + 74] for at in range(0, len(row), 74))
    data = f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n{folded}\r\nSUMMARY:outage\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    assert said(kb.match(data.encode())) == PLAIN


def test_a_field_of_apport_may_be_packed_with_zstd() -> None:
    zstandard = pytest.importorskip("zstandard")
    import base64

    field = base64.b64encode(zstandard.compress(LOG))
    assert said(kb.match(b"ProblemType: KernelCrash\nVmCoreDmesg: base64\n " + field + b"\nUname: Linux 6\n")) == PLAIN


def test_xz_that_asks_for_too_much_memory_is_refused() -> None:
    data = lzma.compress(LOG, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 28}])
    with pytest.raises(InputError, match="more than 96 MiB"):
        list(api.read(data))


# ---- bounds


def workbook(sheet: bytes, strings: bytes = b"") -> bytes:
    parts = [("xl/worksheets/sheet1.xml", b"<worksheet><sheetData>" + sheet + b"</sheetData></worksheet>")]
    return zipped(*([("xl/sharedStrings.xml", b"<sst>" + strings + b"</sst>")] if strings else []), *parts)


def test_the_strings_of_a_workbook_are_used_so_often_and_no_oftener() -> None:
    """A string of a megabyte in each of a thousand cells is a gigabyte in one row."""
    data = workbook(
        b"<row>" + b'<c t="s"><v>0</v></c>' * 1000 + b"</row>", b"<si><t>" + b"a" * 1_000_000 + b"</t></si>"
    )
    (text,) = api.inputs(data)
    assert len(text.data) < 2 << 20


@pytest.mark.parametrize("sheet", [b"<row>" + b"<c/>" * 120_000 + b"</row>", b"<a>" * 120_000])
def test_a_row_of_a_workbook_has_so_many_elements(sheet: bytes) -> None:
    with pytest.raises(InputError, match="more than 100000 elements"):
        list(api.read(workbook(sheet)))


def test_a_mark_of_a_document_stands_for_so_many_blanks() -> None:
    body = b'<?xml version="1.0"?><office:document-content xmlns:office="x">' + b'<text:s text:c="9999"/>' * 100
    (text,) = api.inputs(zipped(("content.xml", body)))
    assert len(text.data) < 100 * 300


def test_a_document_has_so_many_values() -> None:
    with pytest.raises(InputError, match="more than 300000 values"):
        list(api.read(b'{"log":"a\\nb\\nc\\nd\\n","x":[' + b"[]," * 400_000 + b"1]}"))
    assert list(api.read(b'{"log":"' + b"a,b,c\\n" * 200_000 + b'"}')) == []


def test_a_table_by_columns_has_so_many_values(monkeypatch: pytest.MonkeyPatch) -> None:
    column = [f"[ 1.{at:06}] x" for at in range(9)] + ["WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2"]
    table = json.dumps({"data": [[1, *range(9)], column]}).encode()
    assert [len(text.data.splitlines()) for text in api.inputs(table)] == [10]
    monkeypatch.setattr(literal, "VALUES", 19)
    assert [text.data for text in api.inputs(table)] == [table]


WORDS = {"BZh": b"BZh", "cabinet": b"MSCF"}


@pytest.mark.parametrize("way", WORDS)
def test_a_word_of_a_log_is_no_archive(way: str) -> None:
    assert said(kb.match(WORDS[way] + b" starts\n" + LOG)) == PLAIN


def test_a_field_of_a_mail_has_so_many_bytes() -> None:
    name = b"".join(b"\n filename*%d*=a%%20;" % at for at in range(2000))
    head = b"From: a@b\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n"
    data = head + b"--x\nContent-Disposition: attachment;"
    with pytest.raises(InputError, match="more than 8192 bytes in its head"):
        list(api.read(data + name + b"\n\nhi\n--x--\n"))


def test_the_fields_of_mails_are_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The standard library parses a field whenever it is asked for, nine times a part."""
    from kb.log.containers.archives import mail as module

    module._parsed.cache_clear()
    head = b"From a@b.c Sat Nov 28 14:24:16 2026\nFrom: a@b.c\nMIME-Version: 1.0\nContent-Type: text/plain\n\nhello\n\n"
    list(api.inputs(head * 200))
    assert module._parsed.cache_info().misses < 10


def test_a_picture_has_so_many_points() -> None:
    pytest.importorskip("zxingcpp")
    from PIL import Image

    held = io.BytesIO()
    Image.new("RGBA", (6000, 4000)).save(held, "PNG", compress_level=1)
    with pytest.raises(InputError, match="more than 16000000 points"):
        list(api.read(held.getvalue()))


def test_a_long_row_of_base64_is_decoded_in_parts() -> None:
    import base64

    text = QUIET * 1500 + LOG
    assert len(base64.b64encode(text)) > 2 << 20
    assert said(kb.match(base64.b64encode(text))) == PLAIN
    assert said(kb.match(b"i-0123\t2026-11-28T14:24:16.000Z\t" + base64.b64encode(text) + b"\n")) == PLAIN
