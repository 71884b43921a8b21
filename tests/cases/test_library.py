"""Where cases come from, overlays, and an index that is trusted only when it is the user's own."""

import os
import pickle
from pathlib import Path

import platformdirs
import pytest

from kb.cases import library
from kb.errors import CaseDuplicate, CaseError, CaseInvalid

CASE = """```toml
id = "{id}"
title = "{title}"
kind = "warning"
status = "draft"
summary = "s"
[match]
require = ["order >= 1"]
```
"""


def put(folder: Path, name: str, title: str = "t", case_id: str | None = None) -> Path:
    (folder / name).mkdir(parents=True, exist_ok=True)
    path = folder / name / "case.md"
    path.write_text(CASE.format(id=case_id or name, title=title))
    return path


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def indexes() -> list[Path]:
    return sorted((Path(platformdirs.user_cache_dir("kb")) / "cases").glob("*.bin"))


def test_the_packaged_cases_are_there() -> None:
    assert library.load().get("nofs-high-order-watermark") is not None
    assert library.load().get("nofs-high") is not None


def test_later_origins_replace_with_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "one", "a", "first")
    put(tmp_path / "two", "a", "second")
    put(tmp_path / "three", "a", "third")
    monkeypatch.setenv("KB_CASES", os.pathsep.join([str(tmp_path / "one"), str(tmp_path / "two")]))
    found = library.load([tmp_path / "three"])
    case = found.get("a")
    assert case is not None
    assert case.title == "third"
    assert len(found.notes) == 2
    assert found.notes[1].startswith(f"case a: {tmp_path / 'three/a/case.md'} replaces ")


def test_an_id_twice_in_one_folder_is_an_error(tmp_path: Path) -> None:
    put(tmp_path, "a")
    put(tmp_path, "b", case_id="a")
    with pytest.raises(CaseDuplicate) as caught:
        library.load([tmp_path])
    assert (caught.value.path, caught.value.line) == (str(tmp_path / "b/case.md"), 2)


def test_a_broken_case_stops_or_is_left_out_as_asked(tmp_path: Path) -> None:
    put(tmp_path, "a")
    put(tmp_path, "b").write_text("no fence")
    with pytest.raises(CaseInvalid):
        library.load([tmp_path])
    found = library.load([tmp_path], skip_broken=True)
    assert found.get("a") is not None
    assert [error.path for error in found.errors] == [str(tmp_path / "b/case.md")]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="no such folder"):
        library.load([tmp_path / "nowhere"])


def test_a_second_start_parses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "c", "a")
    first = library.load([tmp_path / "c"])
    monkeypatch.setattr(library, "_parse", lambda paths: pytest.fail("parsed again"))
    assert library.load([tmp_path / "c"]).cases == first.cases


def test_a_changed_an_added_and_a_removed_case_are_seen(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    path = put(folder, "a", "before")
    library.load([folder])
    put(folder, "a", "after!")
    os.utime(path, ns=(1, 1))
    put(folder, "b")
    found = library.load([folder])
    assert [case.title for case in found if case.id in "ab"] == ["after!", "t"]
    (folder / "b/case.md").unlink()
    assert library.load([folder]).get("b") is None


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (pytest.fail, ("the index of another was run",))


@pytest.mark.parametrize("way", ["group may write", "a link", "a damaged one"])
def test_an_index_that_others_could_have_written_is_not_read(tmp_path: Path, way: str) -> None:
    folder = tmp_path / "c"
    put(folder, "a")
    library.load([folder])
    for index in indexes():
        if way == "a damaged one":
            index.write_bytes(index.read_bytes()[:-7])
        elif way == "a link":
            index.unlink()
            (tmp_path / "evil").write_bytes(pickle.dumps(Bomb()))
            index.symlink_to(tmp_path / "evil")
        else:
            index.write_bytes(pickle.dumps(Bomb()))
            index.chmod(0o620)
    assert library.load([folder]).get("a") is not None


def test_a_cache_folder_open_to_others_is_not_used(tmp_path: Path) -> None:
    place = Path(platformdirs.user_cache_dir("kb")) / "cases"
    place.mkdir(parents=True)
    place.chmod(0o777)
    put(tmp_path / "c", "a")
    assert library.load([tmp_path / "c"]).get("a") is not None
    assert indexes() == []
