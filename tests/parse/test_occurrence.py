"""Equal reports of one input are told apart where the log prints no time, and only there."""

import io
from collections.abc import Iterator

import pytest

from kb import api
from kb.model.report import Report
from kb.parse.occurrence import tell_apart

STACK = "WARNING: CPU: 0 PID: 7 at a/b.c:3 foo_a+0x1/0x2 [foo]\nCall Trace:\n foo_a+0x1/0x2 [foo]\n foo_top+0x1/0x2\n"
END = "---[ end trace 0000000000000000 ]---\n"
ONE = STACK + END
OTHER = ONE.replace("PID: 7", "PID: 8")


def stamped(text: str, prefix: str) -> str:
    return "".join(prefix + line for line in text.splitlines(keepends=True))


def occurrences(text: str) -> list[int]:
    return [report.occurrence for report in api.read(text.encode())]


def test_equal_reports_without_a_time_are_numbered_each_text_for_itself() -> None:
    assert occurrences(ONE + OTHER + ONE + ONE + OTHER) == [0, 0, 1, 2, 1]


def test_lines_between_them_do_not_matter() -> None:
    quiet = "eth0: link up\n" * 40
    assert occurrences(quiet + ONE + quiet + ONE) == [0, 1]


def test_reports_with_a_time_are_never_numbered() -> None:
    assert occurrences(stamped(ONE, "[    7.250000] ") * 3) == [0, 0, 0]


def test_a_clock_that_does_not_run_yet_tells_no_time() -> None:
    assert occurrences(stamped(ONE, "[    0.000000] ") * 2) == [0, 1]


def test_a_time_of_day_tells_apart_what_printk_does_not() -> None:
    first, second = (stamped(ONE, f"Jan  2 03:04:0{number} db17 kernel: ") for number in (5, 6))
    assert occurrences(first + second + first) == [0, 0, 1]


def test_a_live_input_numbers_them_alike() -> None:
    found = api.read_live(io.BytesIO((ONE * 3).encode()))
    assert [report.occurrence for report in found] == [0, 1, 2]


@pytest.mark.parametrize("count", [1, 5])
def test_reports_pass_unchanged_but_for_their_number(count: int) -> None:
    def plain() -> Iterator[Report]:
        for _ in range(count):
            yield from api.read(ONE.encode())

    told = list(tell_apart(plain()))
    assert [report.occurrence for report in told] == list(range(count))
    assert {report.title for report in told} == {"WARNING in foo_a"}
