"""Windows around candidates, exact line numbers, boots, live input."""

from __future__ import annotations

import io
import os
import threading
import time
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from kb.log.reader import Reader
from kb.log.tape import Tape

QUIET = "[    1.000000] usb 1-1: new device\n"
HEAD = "[    2.000000] BUG: kernel NULL pointer dereference, address: 0000000000000058\n"


def taken(reader: Reader, each: int) -> list[list[int]]:
    """Line numbers of each window, of which the consumer takes so many lines."""
    out = []
    for window in reader.windows():
        assert window is not None
        out.append([line.number for line in islice(window[1], each) if line is not None])
    return out


def quiet(lines: int) -> str:
    """So many lines that differ."""
    return "".join(QUIET.replace("1-1", f"{number}-1") for number in range(lines))


def test_a_window_begins_some_lines_before_the_candidate() -> None:
    reader = Reader((quiet(100) + HEAD + quiet(40)).encode())
    (window,) = taken(reader, 80)
    assert window == list(range(37, 117))


def test_a_window_begins_as_many_lines_before_the_candidate_as_bear_on_it() -> None:
    reader = Reader((quiet(100) + HEAD + quiet(40)).encode(), opens=lambda text: 6 * ("NULL" in text))
    (window,) = taken(reader, 20)
    assert window == list(range(95, 115))


def test_it_begins_earlier_where_other_cpus_may_print_between_them() -> None:
    told = HEAD.replace("] ", "][   T58] ", 1)
    reader = Reader((quiet(100) + told + quiet(40)).encode(), opens=lambda text: 6 * ("NULL" in text))
    (window,) = taken(reader, 20)
    assert window == list(range(85, 105))


def test_lines_that_came_twice_count_as_one() -> None:
    twice = "".join(2 * line for line in quiet(100).splitlines(keepends=True))
    reader = Reader((twice + HEAD + quiet(40)).encode(), opens=lambda text: 6 * ("NULL" in text))
    (window,) = taken(reader, 20)
    assert window == list(range(190, 210))


def test_a_candidate_that_can_open_no_report_has_no_window() -> None:
    reader = Reader((QUIET * 5 + HEAD + QUIET * 5).encode(), opens=lambda text: "NULL" not in text)
    assert taken(reader, 5) == []


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 30), st.integers(200, 4000))
def test_pieces_of_an_input_are_as_good_as_the_whole(heads: list[bool], each: int, chunk: int) -> None:
    data = "".join(HEAD if head else QUIET for head in heads).encode()
    assert taken(Reader(Tape(io.BytesIO(data), chunk)), each) == taken(Reader(data), each)


def test_what_was_consumed_is_not_read_again() -> None:
    reader = Reader((QUIET * 5 + HEAD + QUIET * 3 + HEAD + QUIET * 30).encode())
    assert taken(reader, 8) == [list(range(1, 9)), list(range(9, 17))]


def test_a_candidate_inside_a_consumed_window_opens_none() -> None:
    reader = Reader((HEAD * 5 + QUIET).encode())
    assert taken(reader, 100) == [[1, 2, 3, 4, 5, 6]]


def test_a_consumer_that_takes_nothing_is_offered_the_next_candidate() -> None:
    reader = Reader((HEAD + QUIET + HEAD).encode())
    assert taken(reader, 0) == [[], []]


def test_a_quiet_log_has_no_window() -> None:
    assert taken(Reader((QUIET * 1000).encode()), 5) == []


@given(st.lists(st.booleans(), max_size=80), st.integers(1, 30))
def test_numbers_stay_exact_when_jumping(heads: list[bool], each: int) -> None:
    rows = [HEAD.replace("58", f"{n:04}") if head else QUIET.replace("1-1", f"{n:04}") for n, head in enumerate(heads)]
    reader = Reader("".join(rows).encode())
    for window in reader.windows():
        assert window is not None
        for line in islice(window[1], each):
            assert line is not None
            assert f"{line.number - 1:04}" in line.text


def test_lines_belong_to_the_release_of_their_boot() -> None:
    boot = "[    0.000000] Linux version {} (gcc) #1 SMP\n"
    reader = Reader(
        (QUIET + boot.format("6.1.0-44-amd64") + QUIET * 3 + boot.format("6.12.117+deb12") + QUIET).encode()
    )
    assert list(reader.windows()) == []
    assert [reader.release_at(number) for number in (1, 2, 5, 6, 7)] == [
        None, "6.1.0-44-amd64", "6.1.0-44-amd64", "6.12.117+deb12", "6.12.117+deb12",
    ]  # fmt: skip


def test_a_line_longer_than_a_piece_comes_in_pieces_marked_continued() -> None:
    got = list(Reader(b"x" * 150_000 + b"\nnext\n").lines())
    assert [(len(line.text), line.number, line.continued) for line in got] == [
        (65536, 1, False), (65536, 1, True), (18928, 1, True), (4, 2, False),
    ]  # fmt: skip


def test_nuls_and_nothing_make_no_window() -> None:
    assert taken(Reader(b""), 5) == []
    assert taken(Reader(b"\0" * 200_000), 5) == []
    assert list(Reader(b"").lines()) == []


def test_a_window_in_indented_json_begins_at_a_record() -> None:
    record = '{\n\t"PRIORITY" : "6",\n\t"MESSAGE" : "%s"\n}\n'
    log = "".join(record % text for text in ["quiet"] * 30 + ["BUG: unable to handle"] + ["after"] * 3)
    (window,) = Reader(log.encode()).windows()
    assert window is not None
    got = [line for line in window[1] if line is not None]
    assert [line.text for line in got[-4:]] == ["BUG: unable to handle", "after", "after", "after"]
    assert {line.text for line in got[:-4]} == {"quiet"}
    assert got[-4].span == (121, 124)


def test_live_input_tells_its_lines_at_once_and_each_silence() -> None:
    reader, writer = os.pipe()

    def write() -> None:
        os.write(writer, HEAD.encode() + b"<4>[    2.0000")
        time.sleep(1.0)
        os.write(writer, b"00] two\n")
        os.close(writer)

    thread = threading.Thread(target=write)
    thread.start()
    got: list[str | None] = []
    with os.fdopen(reader, "rb") as stream:
        for window in Reader(Tape(stream)).windows():
            got += ["silence"] if window is None else [line and line.text for line in window[1]]
    thread.join()
    told = [text for text in got if text not in (None, "silence")]
    assert told == ["BUG: kernel NULL pointer dereference, address: 0000000000000058", "two"]
    assert None in got[got.index(told[0]) : got.index("two")]
