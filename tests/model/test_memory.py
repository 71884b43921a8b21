"""Sizes of memory are in pages; one function makes kB of them."""

import re
from pathlib import Path

from kb.model.memory import size

ROOT = Path(__file__).resolve().parents[2]


def test_pages_are_as_large_as_those_of_the_machine() -> None:
    assert (size(32, 4), size(32, 64), size(-3, 16)) == (128, 2048, -48)


def test_nothing_else_multiplies_pages_by_their_size() -> None:
    times = re.compile(r"\* ?(?:\w+\.)*page_kb\b|\bpage_kb \* (?!1024\b)")
    sources = [path for folder in ("kb", "tui") for path in sorted((ROOT / folder).rglob("*.py"))]
    rows = [(path.relative_to(ROOT), row.strip()) for path in sources for row in path.read_text("utf-8").split("\n")]
    found = [f"{path}: {row}" for path, row in rows if times.search(row)]
    assert found == ["kb/model/memory.py: return pages * page_kb"]
