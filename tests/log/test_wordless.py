"""Bytes that are written as text, and texts that look like them."""

from __future__ import annotations

import base64
import hashlib
import random
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from kb.cli import EMPTY, UNUSABLE, main
from kb.log.stream import is_binary, is_wordless, plain

LOG = Path(__file__).with_name("data") / "oops.log"


@pytest.mark.parametrize("write", [base64.b32encode, base64.b85encode, lambda log: base64.a85encode(log, adobe=True)])
def test_bytes_written_as_text_in_no_known_way_are_no_good_log(
    write: Callable[[bytes], bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a").write_bytes(write(LOG.read_bytes()))
    assert main(["match", str(tmp_path / "a")]) == UNUSABLE
    assert "holds no words" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "code"), [("dmesg.txt", UNUSABLE), ("key.txt", EMPTY)])
def test_in_a_folder_and_in_an_archive_it_matters_where_the_name_says_log(name: str, code: int, tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / name).write_bytes(base64.b32encode(LOG.read_bytes()))
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        archive.add(folder, "a")
    assert [main(["match", str(tmp_path / each)]) for each in ("a", "a.tar.gz")] == [code, code]


@pytest.mark.parametrize(
    "data",
    [
        b"\n".join(b"https://example.org/%d/%s" % (at, b"a" * (20 + at % 9)) for at in range(60)),
        b'{"a":"%s"}' % (b"b" * 900),
        b"\n".join(hashlib.sha256(b"%d" % at).hexdigest().encode() for at in range(200)),
        b"\n".join(b"2026-11-28T14:24:%02d.123456Z,0.123,0.456,0.789,1.000" % (at % 60) for at in range(200)),
        b"\n".join(b"/lib/modules/6.1.0-13-amd64/kernel/drivers/net/m%04d.ko" % at for at in range(200)),
        "系统启动完成，没有任何问题。".encode() * 30,
        "\n".join(["系统启动完成，没有任何问题。"] * 30).encode(),
        b"." * 9000,
        b"https://example.org/panic_report#?z=" + bytes(random.Random(7).choices(range(97, 123), k=500)) + b"AZ09",
    ],
)
def test_lists_numbers_and_other_scripts_are_texts(data: bytes) -> None:
    assert not is_wordless(data)


@pytest.mark.parametrize("row", ["错误错误错误%@日志\n", "エラー@%\n", "שגיאה@%\n"])
def test_other_scripts_are_no_ebcdic(row: str) -> None:
    text = row.encode() * 900
    assert plain("-", text, []).data == text
    assert not is_binary(text)
