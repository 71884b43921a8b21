"""The answer, and the page of ``kb match -vv``, in both languages: `pytest --update` rewrites them, to be reviewed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kb import api

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(__file__).parent / "data"
LOGS = {
    "order-walk": "cases/nofs-high-order-watermark/match-seed.log",
    "page-64k": "tests/render/data/page-64k.log",
    "oom-memcg": "tests/chat/data/oom-memcg.log",
    "oops-pair": "tests/chat/data/oops-pair.log",
    "hung-task": "tests/chat/data/hung-task.log",
    "two-warnings": "tests/split/interleaved/two-warnings-by-line.txt",
}


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", LOGS)
def test_page(name: str, lang: str, update: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.render.text._code", lambda *_: None)  # what capstone prints is its own
    data = (ROOT / LOGS[name]).read_bytes()
    if LOGS[name].endswith(".txt"):  # its lines bear whose they are
        data = b"".join(row[2:] for row in data.partition(b"\n\n")[2].splitlines(keepends=True))
    found = api.match(data, cases=())
    text = "\n".join(one.to_text(verbose=2, lang=lang) for one in found)
    compare(f"{name}.first.{lang}.txt", "\n".join(one.to_text(lang=lang) for one in found), update)
    compare(f"{name}.{lang}.txt", text, update)


def compare(name: str, text: str, update: bool) -> None:
    golden = DATA / name
    if update:
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_size_of_a_page_is_that_of_the_machine(lang: str) -> None:
    """64 kB pages (arm64, ppc64): order 5 is 2 MB, and each sum in kB is 64 times the pages beside it."""
    (found,) = api.match(ROOT / LOGS["page-64k"], cases=())
    text = found.to_text(verbose=2, lang=lang)
    assert "2048 kB" in text
    assert "128 kB" not in text
    sums = re.findall(r"= (-?\d+)(?: pages| 页)? \((-?\d+) kB\)", text)
    assert len(sums) >= 4
    assert [(pages, kb) for pages, kb in sums if int(kb) != 64 * int(pages)] == []
