"""The documentation's pictures are what the program shows: text, colours, places. `./run screenshots` remakes them."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "docs"))
import screenshots

README = screenshots.ROOT / "README.md"
PAGE = screenshots.HERE / "tui.md"


@pytest.mark.parametrize("name", screenshots.SHOTS)
def test_a_view_is_what_its_picture_shows(name: str, tmp_path: Path, update: bool) -> None:
    kept = screenshots.FOLDER / f"{name}.svg"
    made = asyncio.run(screenshots.picture(screenshots.SHOTS[name], tmp_path))
    if update:
        kept.write_text(made, encoding="utf-8")
    if made != kept.read_text(encoding="utf-8"):
        (tmp_path / f"{name}.svg").write_text(made, encoding="utf-8")
        pytest.fail(f"{name} looks otherwise: compare {tmp_path / name}.svg; ./run screenshots remakes the pictures")


def test_every_picture_is_made_and_shown() -> None:
    assert {path.stem for path in screenshots.FOLDER.glob("*.svg")} == set(screenshots.SHOTS)
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in screenshots.SHOTS if f"(screenshots/{name}.svg)" not in text] == []
    assert "(docs/screenshots/triage.svg)" in README.read_text(encoding="utf-8")


def test_a_picture_asks_no_other_host_for_anything() -> None:
    for path in screenshots.FOLDER.glob("*.svg"):
        text = (
            path.read_text(encoding="utf-8").replace("http://www.w3.org/", "").replace("https://www.textualize.io", "")
        )
        assert "://" not in text.replace("git.kernel.org", ""), path
