"""Inputs: packed, foreign encodings, folders; errors name the file and help."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from pathlib import Path

import pytest

from kb.errors import InputError
from kb.log.source import Source, open_sources

LOG = b"[    1.000000] BUG: x\n" * 500


def one(log: object) -> Source:
    (source,) = open_sources([log])  # type: ignore[list-item]
    return source


def zstd(data: bytes) -> bytes:
    return bytes(pytest.importorskip("zstandard").ZstdCompressor().compress(data))


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress, zstd])
def test_packed_logs_are_known_by_their_bytes_not_their_name(pack, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "kern.log"
    path.write_bytes(pack(LOG))
    assert one(path) == Source(str(path), LOG)


def test_members_of_a_gzip_file_follow_each_other() -> None:
    assert one(gzip.compress(b"one\n") + gzip.compress(b"two\n")).data == b"one\ntwo\n"


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress])
def test_a_file_that_ends_early_gives_what_it_holds(pack) -> None:  # type: ignore[no-untyped-def]
    import random

    text = "".join(random.Random(1).choices("abcdefgh \n", k=2_000_000)).encode()
    source = one(pack(text)[:-1000])
    assert source.data
    assert text.startswith(source.data)
    assert len(source.notes) == 1


def test_damage_in_the_first_bytes_is_an_error() -> None:
    with pytest.raises(InputError, match="is no valid gzip file"):
        one(b"\x1f\x8b\x08\x00garbage that is no deflate stream")


def test_a_bomb_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_MAX_INPUT", "1000000")
    for pack in (gzip.compress, lzma.compress, bz2.compress):
        with pytest.raises(InputError, match="is larger than 1000000 bytes once unpacked"):
            one(pack(b"\0" * 50_000_000))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_other_encodings_become_utf8(encoding: str) -> None:
    assert one("[    1.000000] BUG: ä\r\n".encode(encoding)).data == "[    1.000000] BUG: ä\r\n".encode()


def test_text_bytes_and_files_are_inputs() -> None:
    assert one("a\nb\n") == Source("-", b"a\nb\n")
    assert one(b"a") == Source("-", b"a")
    assert one(io.BytesIO(b"a\n")) == Source("-", b"a\n")


def test_a_folder_gives_its_text_files_in_order(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "b.log").write_bytes(b"b\n")
    (tmp_path / "a.log").write_bytes(gzip.compress(b"a\n"))
    (tmp_path / "core").write_bytes(b"\x7fELF" + bytes(range(256)) * 10)
    (tmp_path / "sub" / "c.log").write_bytes(b"c\n")
    assert [source.data for source in open_sources([tmp_path])] == [b"a\n", b"b\n", b"c\n"]


def test_standard_input_is_a_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO(LOG)

    monkeypatch.setattr("sys.stdin", Stdin)
    assert one("-") == Source("-", LOG)


def test_an_absent_file_says_where_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        one(tmp_path / "none.log")
    assert caught.value.path == str(tmp_path / "none.log")
    assert caught.value.reason == "no such file"
    assert caught.value.help is not None


PARTS = [
    b"Panic#1 Part1\n<4>[    3.000000] c\n",
    b"Panic#1 Part2\n<4>[    2.000000] b\n<4>[    2.1",
    b"Panic#1 Part3\n<4>[    1.000000] a\n",
]


def test_parts_of_a_pstore_dump_are_read_oldest_first(tmp_path: Path) -> None:
    want = [b"Part3", b"Part2", b"Part1"]
    joined = one(b"\n".join(PARTS))
    assert [joined.data.count(part) for part in want] == [1, 1, 1]
    assert sorted(want, key=joined.data.index) == want
    assert joined.notes == ("parts of a pstore dump put in order: line numbers are those of the joined text",)
    for number, part in enumerate(PARTS):
        (tmp_path / f"dmesg-erst-{number}").write_bytes(part)
    (source,) = open_sources([tmp_path])
    assert sorted(want, key=source.data.index) == want


def test_backslashes_are_taken_off_only_where_every_mark_has_one() -> None:
    escaped = b"BUG: foo\\_bar+0x1/0x2 \\[mod\\_a\\]\n" * 20
    (found,) = open_sources([escaped])
    assert found.data == b"BUG: foo_bar+0x1/0x2 [mod_a]\n" * 20
    for kept in (escaped + b"foo_bar+0x1/0x2\n" * 40, rb"re.compile(r'\[\(\d\.\*\)\] \_')" + b"\n" + b"a_b\n" * 20):
        (found,) = open_sources([kept])
        assert found.data == kept
