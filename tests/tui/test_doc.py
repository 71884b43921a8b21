"""The text of an input by line: held, growing, or left in its file."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb import api
from kb.api import KnowledgeBase
from kb.model.report import Report
from kb.tui import doc as module
from kb.tui.desk import Desk
from kb.tui.doc import Doc
from tests.tui.driving import WARNING, seed


def test_a_document_knows_its_lines() -> None:
    doc = Doc.of("-", b"one\r\n\ntwo\xff\nthree")
    assert [doc.text(number) for number in range(1, len(doc) + 1)] == ["one", "", "two\udcff", "three"]
    assert doc.raw(1) == b"one\r\n"
    assert len(Doc.of("-", b"")) == 0
    assert len(Doc.of("-", b"a\n")) == 1


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Blocks and windows that a text of a test has several of."""
    with monkeypatch.context() as patch:
        patch.setattr(module, "BLOCK", 8)
        patch.setattr(module, "_WINDOW", 16)
        yield


@given(st.lists(st.binary(max_size=40).map(lambda data: data.replace(b"b", b"\n")), max_size=8), st.integers(0, 60))
def test_lines_are_those_of_the_text_however_it_comes(parts: list[bytes], at: int) -> None:
    data = b"".join(parts)
    doc = Doc("-", lambda start, end: data[start:end], len(data))
    for part in parts:
        doc.grow(part)
        doc.text(at)  # whatever was looked at before it grew
    lines = data.split(b"\n")
    ends = [line + b"\n" for line in lines[:-1]] + [lines[-1]] * bool(lines[-1])
    assert [doc.raw(number) for number in range(1, len(doc) + 1)] == ends
    assert doc.raw(len(doc) + 1) == b""
    assert doc.read == 1
    if at < len(data):
        assert doc.line_at(at) == data.count(b"\n", 0, at) + 1


@given(st.text("aAb\n", max_size=80), st.text("ab", min_size=1, max_size=4), st.integers(0, 80))
def test_words_are_found_as_in_the_whole_text(text: str, word: str, at: int) -> None:
    data, low = text.encode(), text.lower()
    doc, at = Doc.of("-", data), min(at, len(data))
    starts = [place for place in range(len(low)) if low.startswith(word, place)]
    behind, before = [place for place in starts if place >= at], [place for place in starts if place < at]
    assert doc.find(word.encode(), at, doc.size) == (behind[0] if behind else -1)
    assert doc.rfind(word.encode(), 0, at) == (before[-1] if before else -1)


def large(folder: Path) -> Path:
    """A log of more than a window: a report at each end, and one in the middle."""
    quiet = b"[  100.000000] eth0: link is up, 1000 Mbps full duplex\n" * 60_000
    path = folder / "large.log"
    path.write_bytes(WARNING + quiet + WARNING + quiet + seed())
    return path


def test_reports_of_a_large_file_come_while_it_is_read(tmp_path: Path) -> None:
    docs: list[Doc] = []
    seen = []
    for each in api.documents(large(tmp_path), in_place=lambda opened: docs.append(Doc.in_file(opened))):
        assert isinstance(each, Report)  # no bytes are handed over
        seen.append((each.span, docs[0].read))
    assert [span for span, _ in seen] == [report.span for report in api.read(large(tmp_path))]
    assert all(now <= later for (_, now), (_, later) in pairwise(seen))
    assert seen[0][1] < 1 == docs[0].read
    lines = large(tmp_path).read_bytes().splitlines(keepends=True)
    for (first, last), _ in seen:
        assert docs[0].span(first, last) == b"".join(lines[first - 1 : last])


def test_a_small_file_is_held(tmp_path: Path) -> None:
    path = tmp_path / "small.log"
    path.write_bytes(seed())
    source, report = api.documents(path, in_place=lambda opened: pytest.fail(opened.name))
    assert (source.name, isinstance(report, Report)) == (str(path), True)  # type: ignore[union-attr]


def test_a_report_of_a_large_file_is_read_again_from_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.tui.desk.KEPT", 1)
    desk = Desk(api.KnowledgeBase(tmp_path / "kb.db"), (str(large(tmp_path)),))
    items = [item for step in desk.steps() for item in step.found]
    assert len(items) == 3
    for item in reversed(items):
        again = desk.diagnosis(item)
        assert again is not None
        assert (again.report.span, again.report.title) == (item.span, item.title)
    desk.close()


def test_a_file_that_was_cut_has_no_more_lines(tmp_path: Path) -> None:
    path = large(tmp_path)
    docs: list[Doc] = []
    list(api.documents(path, in_place=lambda opened: docs.append(Doc.in_file(opened))))
    path.write_bytes(b"gone\n")
    assert docs[0].text(50_000) == ""


def test_equal_reports_are_diagnosed_once_or_twice_however_many_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    diagnose = importlib.import_module("kb.diagnose")  # ``kb.diagnose`` is the function
    made = []
    whole = diagnose._concluded
    monkeypatch.setattr(diagnose, "_concluded", lambda *given: made.append(1) or whole(*given))
    diagnose._kept.cache_clear()
    path = tmp_path / "storm.log"
    path.write_bytes(WARNING * 12)
    desk = Desk(KnowledgeBase(tmp_path / "none.db"), (str(path),))
    assert sum(len(step.found) for step in desk.steps()) == 12
    assert len(made) <= 2  # the second shows that the first can be moved
    desk.close()
