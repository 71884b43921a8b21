"""Files that nobody vouches for: nothing blocks, nothing is larger than its limit, and both are told."""

from __future__ import annotations

import gzip
import io
import json
import os
import socket
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb import api
from kb.errors import InputError
from kb.log.files import LIMIT, Held, limit, passed_over, read_named, read_regular
from kb.log.source import open_sources

ROOT = Path(__file__).resolve().parents[2]
LOG = b"[    1.000000] Kernel panic - not syncing: x\n"


def link_out(path: Path) -> None:
    outside = path.parent.parent / "outside.log"
    outside.write_bytes(LOG)
    path.symlink_to(outside)


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


ODD: dict[str, Callable[[Path], None]] = {
    "fifo": os.mkfifo,
    "socket": unix_socket,
    "kmsg": lambda path: path.symlink_to("/proc/kmsg"),
    "zero": lambda path: path.symlink_to("/dev/zero"),
    "out": link_out,
    "above": lambda path: path.symlink_to("../outside.log"),
    "folder": lambda path: path.symlink_to("/etc"),
    "nothing": lambda path: path.symlink_to("nothing"),
    "itself": lambda path: path.symlink_to(path.name),
}
"""What a folder may hold that is no regular file of its own."""


@pytest.mark.parametrize("name", ODD)
def test_in_a_folder_what_is_no_file_of_its_own_is_told_and_not_read(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.log").write_bytes(LOG)
    (folder / "sub/link.log").symlink_to("../a.log")
    ODD[name](folder / "odd.log")
    told: list[str] = []
    found = list(api.read(folder, told=told.append))
    assert [report.sources for report in found] == [(str(folder / "a.log"), str(folder / "sub/link.log"))]
    if name != "folder":  # os.walk() takes a link to a folder for a folder, and does not go there
        assert len(told) == 1
        assert told[0].startswith(f"{folder / 'odd.log'}: not read: ")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(["..", ".", "a", "b", "/", "/etc", "/proc/kmsg", "outside.log"]), min_size=1, max_size=5)
)
def test_no_link_leads_out_of_a_folder(tmp_path_factory: pytest.TempPathFactory, parts: list[str]) -> None:
    place = tmp_path_factory.mktemp("links")
    folder = place / "logs"
    (folder / "a/b").mkdir(parents=True)
    (folder / "a/b/inside.log").write_bytes(LOG)
    (place / "outside.log").write_bytes(LOG)
    link = folder / "a/link"
    link.symlink_to(os.path.join(*parts))
    if passed_over(link, folder) is None:
        assert os.path.realpath(link).startswith(str(folder))
        assert os.path.isfile(link)


def test_a_folder_that_is_a_link_itself_is_read(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a.log").write_bytes(LOG)
    (tmp_path / "link").symlink_to("real")
    assert [source.data for source in open_sources([tmp_path / "link"])] == [LOG]


def test_a_fifo_that_is_named_is_read_to_its_end(tmp_path: Path) -> None:
    place = tmp_path / "fifo"
    os.mkfifo(place)
    writer = threading.Thread(target=place.write_bytes, args=(LOG * 1000,))
    writer.start()
    assert read_named(place) == LOG * 1000
    writer.join()


def test_a_device_without_end_is_read_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_MAX_INPUT", "5000000")
    with pytest.raises(InputError, match="is larger than 5000000 bytes") as caught:
        list(api.read("/dev/zero"))
    assert caught.value.path == "/dev/zero"
    assert caught.value.help is not None
    assert read_named("/dev/null") == b""


@pytest.mark.parametrize("size", [999, 1000, 1001])
@pytest.mark.parametrize("way", ["path", "file", "unbuffered", "packed", "folder"])
def test_every_way_in_has_the_same_limit(way: str, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_MAX_INPUT", "1000")
    data = b"x" * size
    (tmp_path / "log").write_bytes(gzip.compress(data) if way == "packed" else data)
    with (tmp_path / "log").open("rb", buffering=0) as file:
        given: object = {"file": io.BytesIO(data), "unbuffered": file, "folder": tmp_path}.get(way, tmp_path / "log")
        with pytest.raises(InputError) if size > 1000 else nullcontext() as caught:
            got = next(open_sources([given])).data  # type: ignore[list-item]
            assert got == data
    if caught is not None:
        assert caught.value.path
        assert caught.value.help


def test_what_is_unpacked_is_held_once() -> None:
    size = 64 << 20
    packed = gzip.compress(bytes(size), compresslevel=1)
    tracemalloc.start()
    try:
        (source,) = open_sources([packed])
        assert len(source.data) == size
        assert tracemalloc.get_traced_memory()[1] < 1.5 * size
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("text", ["abc", "-1", "0", "1e9", "4G", "9" * 30, "٣", " 5", "1\n"])
def test_a_limit_that_is_no_number_is_an_error(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_MAX_INPUT", text)
    with pytest.raises(InputError, match="no number of bytes") as caught:
        limit()
    assert (caught.value.path, bool(caught.value.help)) == ("$KB_MAX_INPUT", True)


def test_without_a_limit_of_ones_own_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_MAX_INPUT", "")
    assert limit() == LIMIT


@given(st.lists(st.binary(max_size=50), max_size=20), st.integers(0, 300))
def test_pieces_are_held_whole_up_to_the_limit(pieces: list[bytes], most: int) -> None:
    held = Held("x", most)
    try:
        for piece in pieces:
            held.add(piece)
    except InputError:
        assert sum(map(len, pieces)) > most
    else:
        assert held.bytes() == b"".join(pieces)
        assert len(held) <= most


def test_a_file_that_grows_while_it_is_read_is_counted(tmp_path: Path) -> None:
    """By its size a file of /proc is empty."""
    assert read_regular("/proc/self/status").startswith(b"Name:")
    with pytest.raises(InputError, match="is larger than 10 bytes"):
        read_regular("/proc/self/status", 10)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["/dev/zero", "-", "zeros.gz"])
def test_what_is_larger_than_the_memory_is_read_to_the_limit(how: str, tmp_path: Path) -> None:
    import resource

    def bound() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))

    if how == "zeros.gz":
        how = str(tmp_path / how)
        with gzip.open(how, "wb", compresslevel=1) as packed:
            for _ in range(1000):
                packed.write(bytes(1 << 20))
    for most, code, said in ((900 << 20, 4, b"is larger than 943718400 bytes"), (2 << 30, 3, b"no report")):
        if code == 3 and not how.endswith(".gz"):
            continue  # it has no end
        with open("/dev/zero", "rb") as zeros:
            done = subprocess.run(
                [sys.executable, "-m", "kb", "match", how], cwd=ROOT, stdin=zeros, capture_output=True,
                preexec_fn=bound, env={**os.environ, "KB_MAX_INPUT": str(most)}, check=False,
            )  # fmt: skip
        assert done.returncode == code, done.stderr
        assert said in done.stderr
        assert b"Traceback" not in done.stderr


def test_what_was_wrong_with_an_input_is_told_and_stands_in_its_reports(tmp_path: Path) -> None:
    packed = gzip.compress(LOG + os.urandom(100_000).hex().encode())
    (tmp_path / "cut.gz").write_bytes(packed[:-1000])
    (tmp_path / "whole.gz").write_bytes(packed)
    for name, notes in (("cut.gz", 1), ("whole.gz", 0)):
        told: list[str] = []
        (found,) = api.match(tmp_path / name, cases=(), told=told.append)
        row = found.to_json()
        assert len(row["input_notes"]) == len(told) == notes
        assert all(note.startswith("gzip data is cut or damaged after ") for note in row["input_notes"])
        assert told == [f"{tmp_path / name}: {note}" for note in row["input_notes"]]


def test_what_was_wrong_is_told_where_there_is_no_report_too(tmp_path: Path) -> None:
    (tmp_path / "cut.gz").write_bytes(gzip.compress(os.urandom(100_000).hex().encode())[:-1000])
    done = subprocess.run(
        [sys.executable, "-m", "kb", "match", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert "cut.gz: gzip data is cut or damaged after" in done.stderr


def test_one_bad_file_of_a_folder_keeps_no_other_from_being_read(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(b"\x1f\x8b\x08\0garbage")
    (tmp_path / "dmesg").write_bytes(LOG)
    told: list[str] = []
    (report,) = api.read(tmp_path, told=told.append)
    assert report.source == str(tmp_path / "dmesg")
    assert any("a.gz" in note for note in told)
    (tmp_path / "dmesg").unlink()
    with pytest.raises(InputError, match="is no valid gzip file"):
        list(api.read(tmp_path))


def test_a_log_that_begins_like_a_part_of_a_dump_is_read_to_its_end(tmp_path: Path) -> None:
    """One part has no megabyte: what has is a console's log with such a head."""
    quiet = b"[    0.500000] eth0: link is up\n" * 60_000
    (tmp_path / "dmesg.txt").write_bytes(b"Panic#1 Part1\n" + quiet + LOG)
    assert len(list(api.read(tmp_path))) == 1
    assert len(list(api.read(tmp_path / "dmesg.txt"))) == 1


@pytest.mark.parametrize("how", ["utf-16", "parts"])
def test_a_pipe_of_what_must_be_read_whole_is_read_as_the_file_is(how: str, tmp_path: Path) -> None:
    parts = b"Panic#1 Part1\n<4>[    1.000001] CPU: 1 PID: 12 Comm: a Not tainted 6.1.0\n"
    parts += b"Panic#1 Part2\n<0>[    1.000000] Kernel panic - not syncing: x\n"
    (tmp_path / "log").write_bytes(LOG.decode().encode("utf-16") if how == "utf-16" else parts)
    (want,) = api.read(tmp_path / "log")
    reader, writer = os.pipe()
    os.write(writer, (tmp_path / "log").read_bytes())
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        (got,) = api.read_live(stream)
    assert (got.title, got.comm, len(got.lines)) == (want.title, want.comm, len(want.lines))


def test_a_live_record_of_several_lines_is_no_document_that_must_end_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.log.containers.exports.document.members", lambda *_: pytest.fail("is read to its end"))
    reader, writer = os.pipe()
    os.write(writer, json.dumps({"MESSAGE": "a\nb\nc\nd", "_TRANSPORT": "kernel"}).encode() + b"\n")
    with os.fdopen(reader, "rb") as stream:
        found = api.read_live(
            stream,
            paused=lambda: os.write(
                writer, b'{"MESSAGE": "BUG: scheduling while atomic: a/1/0x2", "_TRANSPORT": "kernel"}\n'
            ),
        )
        assert next(iter(found)).kind == "scheduling_while_atomic"
        os.close(writer)


@pytest.mark.parametrize(
    "before", [b'{"level": "info", "k": 1}\n{"level": "info", "k": 2}\n', b'x = {"k": 1}\n'], ids=["values", "a script"]
)
def test_live_values_without_a_text_are_lines_before_a_log(before: bytes) -> None:
    reader, writer = os.pipe()
    os.write(writer, before + b"BUG: scheduling while atomic: a/1/0x2\n")
    late = threading.Timer(20, os.close, (writer,))
    late.start()
    with os.fdopen(reader, "rb") as stream:
        assert next(iter(api.read_live(stream))).kind == "scheduling_while_atomic"
        assert late.is_alive(), "told when the input was over"
        late.cancel()
        os.close(writer)


def test_a_live_line_that_is_short_is_told_while_the_input_is_open() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"BUG: scheduling while atomic: a/1/0x2\n")
    with os.fdopen(reader, "rb") as stream:
        assert next(iter(api.read_live(stream))).kind == "scheduling_while_atomic"
        os.close(writer)


def test_a_line_that_comes_in_pieces_is_whole_in_the_evidence() -> None:
    long = b"[    1.000001] Modules linked in: " + b"abcdefgh " * 20_000 + b"\n"
    data = LOG + long + b"[    1.000002] CPU: 1 PID: 12 Comm: a Not tainted 6.1.0\n"
    (report,) = api.read(data)
    assert api.raw_text(report) == data
