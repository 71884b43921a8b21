"""The store opened by the real Datasette, with the configuration that comes with kb."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

import kb
from kb.store import Store

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "contrib/datasette"
VIEWS = ("sightings_named", "sightings_by_day", "regressions", "unknown_top", "hosts")
LOGS = ("netdev-unregister-waits/match-vm.log", "oom-memcg-limit/match-cgroup.log")


def config(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("store") / "kb.db"
    with kb.KnowledgeBase(place) as base:
        for number, log in enumerate(LOGS):
            for report in base.read(str(ROOT / "cases" / log)):
                base.record(report, host=f"db{number}", seen="2031-01-02T03:04:05Z")
    return place


def test_both_configurations_say_the_same() -> None:
    assert config("metadata.json")["databases"] == config("datasette.json")["databases"]


def test_what_the_configuration_names_is_in_the_schema(path: Path) -> None:
    with Store(path) as store:
        there = {name for (name,) in store.rows("select name from sqlite_master where type in ('table', 'view')", ())}
        named = config("metadata.json")["databases"]["kb"]["tables"]
        assert set(named) - there == set()
        assert there - set(named) - {"linked_cases", "duplicates"} == set(), "shown or hidden?"
        for name, table in named.items():
            columns = {row[1] for row in store.rows(f"pragma table_info({name})", ())}
            asked = {*table.get("facets", ()), table.get("sort_desc"), table.get("label_column")} - {None}
            assert asked - columns == set(), name


def test_views_have_the_names_that_kb_prints(path: Path) -> None:
    with Store(path) as store:
        by_day = store.rows("select day, title, count, hosts from sightings_by_day order by title", ())
        assert [(day, hosts) for day, _, _, hosts in by_day] == [("2031-01-02", 1)] * len(by_day)
        assert {title for _, title, _, _ in by_day} == {
            "out of memory: memcg, killed kt",
            "unregister_netdevice: waiting for DEV to become free",
        }
        assert [row[0] for row in store.rows("select host from hosts order by host", ())] == ["db0", "db1"]
        (top, *_) = store.rows("select signature, count from unknown_top", ())
        assert top[0].startswith("kb1:")


@pytest.mark.parametrize(
    ("kernel", "since", "branch", "again"),
    [
        ("6.1.25", "6.1.20", "6.1", True),
        ("6.1.25-1-amd64", "6.1.20", "6.1", True),
        ("6.1.19", "6.1.20", "6.1", False),
        ("6.6.1", "6.1.20", "6.1", False),  # another branch: its number says nothing
        ("6.6.1", "6.3", "mainline", True),
        ("6.3.0-rc1", "6.3", "mainline", False),
        ("6.2.16", "6.3", "mainline", False),
        ("3.10.0-1160.el7.x86_64", "4.4", "mainline", False),
        ("6.10.1", "6.9", "mainline", True),  # numbers, not text
    ],
)
def test_a_regression_is_seen_on_a_kernel_that_has_the_fix(
    tmp_path: Path, kernel: str, since: str, branch: str, again: bool
) -> None:
    with Store(tmp_path / "kb.db") as store:
        store.record("kb1:0123456789abcdef", title="WARNING in foo", kind="warning", source="a", kernel=kernel)
        with store.writing() as db:
            db.execute("insert into case_signatures values ('kb1:0123456789abcdef', 'cve-1')")
            body = {"id": "cve-1", "fixes": [{"commit": "a" * 40, "subject": "foo", "since": since, "branch": branch}]}
            db.execute("insert into imported values ('cve-1', 'vulns', ?)", (json.dumps(body),))
        rows = store.rows("select title, kernel, case_id, since from regressions", ())
        assert list(rows) == ([("WARNING in foo", kernel, "cve-1", since)] if again else [])
        assert list(store.rows("select * from unknown_top", ())) == []


def test_a_canned_query_for_a_kernel_takes_its_builds_and_no_other_number(tmp_path: Path) -> None:
    sql = config("metadata.json")["databases"]["kb"]["queries"]["on_kernel"]["sql"]
    with Store(tmp_path / "kb.db") as store:
        for number, kernel in enumerate(("6.1", "6.1.25", "6.1-rc3", "6.12.1", "16.1")):
            store.record(f"kb1:{number:016x}", title=kernel, kind="warning", source="a", kernel=kernel)
        titles = {row[1] for row in store.rows(sql.replace(":kernel", "'6.1'"), ())}
    assert titles == {"6.1", "6.1.25", "6.1-rc3"}


@pytest.fixture(scope="module")
def get(path: Path) -> Callable[[str], Any]:
    """What Datasette answers to the address of a page of the store, as JSON."""
    pytest.importorskip("datasette", reason="Datasette is not installed: ./run check-all brings it")
    first = int(metadata.version("datasette").split(".")[0])
    chosen = ["-c", str(FOLDER / "datasette.json")] if first else ["-m", str(FOLDER / "metadata.json")]

    def get(address: str) -> Any:
        command = [sys.executable, "-m", "datasette", str(path), *chosen, "--get", address]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    return get


@pytest.mark.extra
def test_datasette_shows_the_views_and_hides_what_is_internal(get: Callable[[str], Any]) -> None:
    found = get("/kb.json")
    shown = {table["name"] for table in found["tables"] if not table["hidden"]}
    assert "signatures" in shown
    assert shown & {"postings", "frames", "case_words_data", "_sqlite_migrations"} == set()
    names = {view["name"] if isinstance(view, dict) else view for view in found["views"]}
    assert set(VIEWS) <= names


@pytest.mark.extra
@pytest.mark.parametrize("view", VIEWS)
def test_datasette_opens_each_view(get: Callable[[str], Any], view: str) -> None:
    rows = get(f"/kb/{view}.json?_shape=objects")["rows"]
    assert bool(rows) == (view != "regressions")


@pytest.mark.extra
@pytest.mark.parametrize("name", sorted(config("metadata.json")["databases"]["kb"]["queries"]))
def test_datasette_runs_each_canned_query(get: Callable[[str], Any], name: str) -> None:
    rows = get(f"/kb/{name}.json?_shape=objects&kernel=6&word=memory")["rows"]
    assert rows or name == "new_today"


FACETED = {
    name: table["facets"]
    for name, table in config("metadata.json")["databases"]["kb"]["tables"].items()
    if "facets" in table
}


@pytest.mark.extra
@pytest.mark.parametrize("name", sorted(FACETED))
def test_datasette_counts_by_each_facet(get: Callable[[str], Any], name: str) -> None:
    found = get(f"/kb/{name}.json?_shape=objects&_extra=facet_results")["facet_results"]
    assert set(found.get("results", found)) == set(FACETED[name])
