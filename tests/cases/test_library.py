"""Where cases come from, overlays, and an index that is trusted only when it is the user's own."""

import itertools
import json
import os
import pickle
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kb
from kb import api
from kb.cases import library
from kb.cases.format import parse
from kb.cases.lint import lint
from kb.errors import CaseDuplicate, CaseError, CaseInvalid
from kb.model.case import is_id
from kb.model.verdict import Diagnosis

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
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    restart()
    yield
    restart()


def restart() -> None:
    """Forget what a process holds in memory."""
    library._held.clear()


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
    restart()
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
    restart()
    assert indexes()
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


class Clock:
    """What ``time.monotonic`` says, for a test to set."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(library, "_clock", made)
    return made


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders whose files were listed and looked at, in order."""
    listed: list[Path] = []

    def look(place: Path, real: Callable[[Path], list[tuple[str, bool]]] = library._listed) -> list[tuple[str, bool]]:
        listed.append(place)
        return real(place)

    monkeypatch.setattr(library, "_listed", look)
    return listed


WARNING = b"[    1.000000] WARNING: CPU: 0 PID: 1 at mm/page_alloc.c:1 foo+0x1/0x2\n"
WARNING_CASE = CASE.replace("order >= 1", "kind == warning")


def title(case_id: str = "a", use: Callable[[], list[Diagnosis]] = lambda: kb.match(WARNING)) -> str | None:
    """What the case is called by which a log is known, None where it is not known by that case."""
    (diagnosis,) = use()
    return next((match.case.title for match in diagnosis.matches if match.case.id == case_id), None)


def put_warning(folder: Path, title: str) -> None:
    put(folder, "a").write_text(WARNING_CASE.format(id="a", title=title))


def diagnosed() -> list[Diagnosis]:
    return [api.diagnose(report) for report in kb.read(WARNING)]


@pytest.mark.parametrize("use", [lambda: kb.match(WARNING), diagnosed], ids=["match", "diagnose"])
def test_match_and_diagnose_look_at_the_files_of_cases_once_a_second(
    use: Callable[[], list[Diagnosis]], looks: list[Path], clock: Clock
) -> None:
    for seconds, expected in ((0.0, 1), (0.5, 1), (0.999, 1), (1.0, 2), (1.5, 2), (2.5, 3)):
        clock.now = 1000.0 + seconds
        use()
        assert len(looks) == expected


def test_an_edited_an_added_and_a_removed_case_count_after_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setenv("KB_CASES", str(tmp_path))
    assert title() is None
    for told in ("first", "second", None):
        before = title()
        if told is not None:
            put_warning(tmp_path, told)
        else:
            (tmp_path / "a/case.md").unlink()
        assert title() == before
        clock.now += 1.0
        assert title() == told


def test_another_folder_in_the_environment_counts_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    for name in ("one", "two"):
        put_warning(tmp_path / name, name)
    assert title() is None
    for name in ("one", "two", "one"):
        monkeypatch.setenv("KB_CASES", str(tmp_path / name))
        assert title() == name
    monkeypatch.delenv("KB_CASES")
    assert title() is None


def test_a_relative_folder_is_another_one_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setenv("KB_CASES", "mine")
    for name in ("one", "two", "one"):
        put_warning(tmp_path / name / "mine", name)
        monkeypatch.chdir(tmp_path / name)
        assert title() == name


def test_reloading_a_base_counts_at_once_and_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setenv("KB_CASES", str(tmp_path))
    put_warning(tmp_path, "first")
    base = kb.KnowledgeBase(tmp_path / "kb.db")

    def by_base() -> list[Diagnosis]:
        return [base.diagnose(report) for report in base.read(WARNING)]

    assert (title(), title(use=by_base)) == ("first", "first")
    put_warning(tmp_path, "second")
    assert (title(), title(use=by_base)) == ("first", "first")
    base.reload()
    assert (title(), title(use=by_base)) == ("second", "second")


def test_a_case_that_broke_is_told_until_it_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setenv("KB_CASES", str(tmp_path))
    put_warning(tmp_path, "first")
    assert title() == "first"
    put(tmp_path, "a").write_text("no fence")
    clock.now += 1.0
    for _ in range(2):
        assert title() is None
        assert [type(error) for error in api.library().errors] == [CaseInvalid]
    put_warning(tmp_path, "mended")
    assert title() == "mended"


def test_threads_that_match_at_once_read_the_cases_once(example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = 8
    reads: list[Path] = []
    under_way, all_there = itertools.count(1), threading.Event()

    def read(place: Path, *rest: Any, real: Callable[..., Any] = library._read) -> Any:
        reads.append(place)
        assert all_there.wait(60)  # so that the others come while this one reads
        return real(place, *rest)

    def match() -> list[Diagnosis]:
        if next(under_way) == many:
            all_there.set()
        return kb.match(example)

    monkeypatch.setattr(library, "_read", read)
    with ThreadPoolExecutor(many) as pool:
        told = [each.result() for each in [pool.submit(match) for _ in range(many)]]
    best = [diagnosis.best.case.id for (diagnosis,) in told if diagnosis.best is not None]
    assert best == ["nofs-high-order-watermark"] * many
    assert reads == [library.folder("cases")]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_child_forked_while_a_thread_reads_can_read() -> None:
    with library._reading:
        child = os.fork()
        if child == 0:
            os._exit(0 if library._reading.acquire(timeout=10) else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_the_folders_that_were_used_last_are_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Path] = []

    def read(place: Path, *rest: Any, real: Callable[..., Any] = library._read) -> Any:
        reads.append(place)
        return real(place, *rest)

    monkeypatch.setattr(library, "_read", read)
    monkeypatch.setattr(library, "_MOST_HELD", 3)
    folders = [put(tmp_path / name, "a").parent.parent for name in "abcd"]
    for folder in (*folders, folders[-1], folders[0]):
        library.load([folder])
    assert reads == [library.folder("cases"), *folders, folders[0]]


def test_a_case_taken_away_while_it_is_looked_at_is_no_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there, gone = put(tmp_path, "a"), tmp_path / "b/case.md"
    listed = [(str(there), True), (str(gone), True), (str(gone), False)]
    monkeypatch.setattr(library, "_listed", lambda place: listed if place == tmp_path else [])
    assert [case.id for case in library.load([tmp_path])] == ["a"]


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
        assert parse(CASE.replace("{title}", "t").replace('"{id}"', json.dumps(text, ensure_ascii=False))).id == text


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
