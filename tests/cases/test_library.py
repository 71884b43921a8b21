"""Where cases come from, overlays, and an index that is trusted only when it is the user's own."""

import os
import pickle
from pathlib import Path

import platformdirs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.cases import library
from kb.cases.format import parse
from kb.cases.lint import lint
from kb.errors import CaseDuplicate, CaseError, CaseInvalid
from kb.model.case import is_id

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


HOSTILE = {
    "toml brackets": CASE.replace('kind = "warning"', "kind = " + "[" * 100_000),
    "toml tables": CASE.replace('kind = "warning"', "kind = " + "{a=" * 100_000),
    "toml keys": CASE.replace('kind = "warning"', ".".join(["a"] * 100_000) + " = 1"),
    "toml headers": CASE.replace("[match]", "[" + ".".join(["a"] * 100_000) + "]"),
    "a number": CASE.replace('kind = "warning"', "kind = " + "1" * 100_000),
    "predicate brackets": CASE.replace("order >= 1", "order in " + "[" * 100_000),
    "predicate list": CASE.replace("order >= 1", "order in [" + "1, " * 100_000 + "2]").replace("1,", "[1],"),
    "predicate quotes": CASE.replace("order >= 1", "order == " + "'" * 99_999),
    "no text": "\x00" * 100_000,
    "not UTF-8": b"```toml\nid = '\xff'\n".decode("latin-1"),
    "large": "x" * (2 << 20),
    "path": CASE.replace("{id}", "../../evil"),
    "absolute": CASE.replace("{id}", "/etc/evil"),
    "hidden": CASE.replace("{id}", ".evil"),
    "above": CASE.replace("{id}", ".."),
    "below": CASE.replace("{id}", "a/b"),
    "drive": CASE.replace("{id}", "c:b"),
    "backslash": CASE.replace("{id}", "a\\\\b"),
    "line end": CASE.replace("{id}", "a\\nb"),
    "nul": CASE.replace("{id}", "a\\u0000b"),
    "option": CASE.replace("{id}", "-rf"),
    "long": CASE.replace("{id}", "a" * 200),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_case_is_named_and_left_out(name: str, tmp_path: Path) -> None:
    put(tmp_path, "a")
    path = put(tmp_path, "b")
    path.write_text(HOSTILE[name].replace("{id}", "b").replace("{title}", "t"), encoding="utf-8")
    found = library.load([tmp_path], skip_broken=True)
    assert found.get("a") is not None
    assert [error.path for error in found.errors] == [str(path)]
    assert len(str(found.errors[0])) < 1000
    assert [finding.path for finding in lint(tmp_path / "b") if finding.rule == "KB001"][:1] == [str(path)]


@settings(max_examples=200)
@given(st.text(max_size=20) | st.text("ab./-_ ~\\", max_size=12))
def test_an_id_that_is_taken_is_the_name_of_a_folder_and_no_path(text: str) -> None:
    if is_id(text):
        place = Path("/cases") / text
        assert os.path.normpath(place) == str(place)
        assert place.parent == Path("/cases")
        assert not text.startswith((".", "-", "~"))
        assert parse(CASE.format(id=text, title="t")).id == text


ODD = {
    "fifo": os.mkfifo,
    "kmsg": lambda path: path.symlink_to("/proc/kmsg"),
    "zero": lambda path: path.symlink_to("/dev/zero"),
    "out": lambda path: path.symlink_to(path.parent.parent.parent / "out.md"),
    "nothing": lambda path: path.symlink_to("nothing"),
    "folder": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("name", ODD)
def test_a_case_that_is_no_file_of_its_folder_is_named_and_not_read(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "cases"
    path = put(folder, "b")
    (tmp_path / "out.md").write_text(path.read_text())
    path.unlink()
    put(folder, "a")
    ODD[name](path)
    for _ in range(2):  # the second time from the index
        found = library.load([folder], skip_broken=True)
        assert found.get("a") is not None
        assert found.get("b") is None
        assert [error.path for error in found.errors] == [str(path)]
    assert lint(folder)


def test_a_case_may_be_a_link_within_its_folder(tmp_path: Path) -> None:
    put(tmp_path / "real", "b")
    (tmp_path / "real/c").mkdir()
    (tmp_path / "real/c/case.md").symlink_to("../b/case.md")
    (tmp_path / "link").symlink_to("real")
    found = library.load([tmp_path / "link"], skip_broken=True)
    assert found.get("b") is not None
    assert "is taken by" in str(found.errors[0])


def test_samples_are_files_of_the_library(tmp_path: Path) -> None:
    folder = put(tmp_path / "cases", "a").parent
    put(tmp_path / "cases", "b")
    (folder / "match-a.log").write_text("a\n")
    (folder / "near-b.log").symlink_to("../b/case.md")
    (folder / "match-out.log").symlink_to("/proc/kmsg")
    os.mkfifo(folder / "match-fifo.log")
    assert library.samples(folder, "match-*.log", "near-*.log") == [folder / "match-a.log", folder / "near-b.log"]
