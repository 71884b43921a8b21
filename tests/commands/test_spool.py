"""An answer that waits for its end takes no memory by its length, and a full disk does not lose a line of it."""

import tempfile
import tracemalloc
from io import FileIO

import pytest

from kb.commands import spool

LINE = b"x" * 999 + b"\n"


@pytest.mark.parametrize("most", [0, 1, 999, 1000, 5500, spool.MOST])
def test_lines_come_back_in_their_order(most: int) -> None:
    texts = [b"%d\n" % number * (number % 3 + 1) for number in range(0, 4000, 3)]
    held = spool.Spool(most)
    for text in texts:
        held.write(text)
    assert b"".join(held.lines()) == b"".join(texts)


def test_memory_has_a_bound() -> None:
    held = spool.Spool()
    tracemalloc.start()
    try:
        for _ in range(12 * spool.MOST // len(LINE)):
            held.write(LINE)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * spool.MOST
    assert sum(1 for _ in held.lines()) == 12 * spool.MOST // len(LINE)


def test_without_room_for_a_file_memory_has_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        """A file on a disk that has room for 2500 bytes, and says so in the middle of a line."""

        def __init__(self, file: FileIO) -> None:
            self._file = file
            self.closed = False

        def write(self, data: memoryview) -> int:
            room = 2500 - self._file.tell()
            if room <= 0:
                raise OSError(28, "No space left on device")
            return self._file.write(data[:room])

        def __getattr__(self, name: str) -> object:
            return getattr(self._file, name)

    made = tempfile.TemporaryFile
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda buffering: Full(made(buffering=buffering)))
    held = spool.Spool(1500)
    for _ in range(9):
        held.write(LINE)
    assert list(held.lines()) == [LINE] * 9


def test_without_a_folder_for_a_file_memory_has_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(buffering: int) -> None:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "TemporaryFile", none)
    held = spool.Spool(1500)
    for _ in range(9):
        held.write(LINE)
    assert list(held.lines()) == [LINE] * 9
