"""What --json prints is what the schemas say, no more and no less."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kb.cli import build_parser, main, verbs
from kb.errors import UsageError
from kb.render.schema import names, schema, text

jsonschema = pytest.importorskip("jsonschema")

ROOT = Path(__file__).resolve().parents[2]
LOGS = sorted(path for kind in ("match-*.log", "near-*.log") for path in (ROOT / "cases").glob(f"*/{kind}"))
SEED = str(ROOT / "cases/nofs-high-order-watermark/match-seed.log")
SEED_ID = "kb1:35cb166c9cbb7e74"
FILES = {"kb.known/1": "of the pack of known fixes"}
"""Names that stand in files which only kb reads."""


def strict(part: Any) -> Any:
    """A schema that takes no property that it does not name."""
    if isinstance(part, dict):
        closed = {} if "properties" not in part else {"additionalProperties": part.get("additionalProperties", False)}
        return {**{name: strict(value) for name, value in part.items()}, **closed}
    return [strict(value) for value in part] if isinstance(part, list) else part


def errors(objects: list[dict[str, Any]]) -> Iterator[str]:
    made = {name: jsonschema.Draft202012Validator(strict(schema(name))) for name in names()}
    for one in objects:
        for error in made[one["schema"]].iter_errors(one):
            yield f"{one['schema']} {error.json_path}: {error.message[:200]}"


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    main([*words])
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("name", names())
def test_each_is_a_schema_that_names_itself(name: str) -> None:
    found = schema(name)
    jsonschema.Draft202012Validator.check_schema(found)
    assert found["$id"] == name
    assert found["properties"]["schema"] == {"const": name}
    assert found["description"]


def test_every_output_that_has_a_name_has_a_schema() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "kb").rglob("*.py")]
    used = {name for source in sources for name in re.findall(r'"(kb\.[a-z.-]+/\d)"', source)}
    assert used - set(names()) == set(FILES)
    assert set(names()) <= used


@pytest.mark.parametrize("path", LOGS[::7], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_report_is_what_its_schema_says(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert list(errors(printed(capsys, "match", "--notices", "--json", str(path)))) == []


@pytest.mark.parametrize("words", [
    ("inputs", SEED), ("diff", SEED, str(LOGS[0])), ("whatif", "--order", "3", "--gfp", "GFP_KERNEL"),
    ("similar", SEED),
    ("affected", "nofs-high-order-watermark", "--kernel", "3.10"), ("affected", "--kernel", "6.1.50"), ("stats",),
    ("log",), ("show", SEED_ID), ("case", "show", "nofs-high-order-watermark"), ("ask", "why did it fail", SEED),
    ("doctor",), ("explain", "GFP_NOFS", "order"), ("case", "list"), ("case", "search", "nofs"),
], ids=" ".join)  # fmt: skip
def test_what_a_verb_prints_is_what_its_schema_says(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    printed(capsys, "match", "--json", "--record", SEED)
    objects = printed(capsys, *words, "--json")
    assert objects
    assert list(errors(objects)) == []


def test_a_finding_is_what_its_schema_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a-case").mkdir()
    (tmp_path / "a-case/case.md").write_text("no case\n")
    for verb in ("lint", "verify-sources"):
        findings = printed(capsys, "case", verb, "--json", str(tmp_path))
        assert verb != "lint" or findings
        assert list(errors(findings)) == []


def test_a_case_is_the_same_in_a_list_and_in_a_search(capsys: pytest.CaptureFixture[str]) -> None:
    listed = {each["id"]: each for each in printed(capsys, "case", "list", "--json")}
    found = printed(capsys, "case", "search", "--json", "watermark")
    assert found
    assert [listed[each["id"]] for each in found] == found


@pytest.mark.parametrize("form", ["ndjson", "parquet"])
def test_what_a_scan_leaves_is_what_its_schemas_say(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.log").write_bytes(Path(SEED).read_bytes())
    (tmp_path / "in/b.log.gz").write_bytes(b"\x1f\x8bno gzip")
    if form == "parquet":
        pytest.importorskip("pyarrow")
    out = tmp_path / "out"
    main(["scan", str(tmp_path / "in"), "--out", str(out), "--format", form, "--jobs", "1"])
    objects = [json.loads((out / "scan.json").read_text())]
    for path in sorted(out.rglob(f"*.{form}")):
        objects += rows_of(path)
    assert {one["schema"] for one in objects} == {name for name in names() if name.startswith("kb.scan")}
    assert list(errors(objects)) == []


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a table, each with the name of its schema."""
    if path.suffix == ".ndjson":
        return [json.loads(line) for line in path.read_text().splitlines()]
    import pyarrow.parquet as pq

    table = pq.ParquetFile(path).read()
    rows = [{"schema": table.schema.metadata[b"schema"].decode(), **row} for row in table.to_pylist()]
    return [
        {name: value.decode() if isinstance(value, bytes) else value for name, value in row.items()} for row in rows
    ]


def verbs_below(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    for each in verbs(parser).values():
        yield each
        yield from verbs_below(each)


def test_every_verb_with_json_names_the_schema_in_its_help() -> None:
    helps = [
        (each.prog, action.help or "")
        for each in verbs_below(build_parser())
        for action in each._actions
        if "--json" in action.option_strings
    ]
    assert len(helps) > 10
    told = {prog: set(re.findall(r"kb\.[a-z.-]+/\d", text)) for prog, text in helps}
    assert [prog for prog, named in told.items() if not named or not named <= set(names())] == []


def test_a_zone_that_refuses_is_what_its_schema_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    marks = "min 50\n        low 60\n        high 70\n        managed 4000\n        protection: (0, 0)\n"
    (tmp_path / "zoneinfo").write_text(f"Node 0, zone   Normal\n  pages free     100\n        {marks}")
    (tmp_path / "buddyinfo").write_text("Node 0, zone   Normal 100 0 0 0 0 0 0 0 0 0 0\n")
    state = [f"--{name}={tmp_path / name}" for name in ("zoneinfo", "buddyinfo")]
    (found,) = printed(capsys, "whatif", "--order=3", "--gfp=GFP_KERNEL", "--kernel=3.10.0", "--json", *state)
    assert found["admitted"] is False
    assert list(errors([found])) == []


def test_a_field_that_no_schema_names_would_be_seen(capsys: pytest.CaptureFixture[str]) -> None:
    (report,) = printed(capsys, "match", "--json", SEED)
    report["signature"]["more"] = 1
    assert [line.partition(":")[0] for line in errors([report])] == ["kb.report/1 $.signature"]


@pytest.mark.parametrize("name", ["report", "kb.report", "kb.report/1"])
def test_a_schema_is_found_by_its_name(name: str) -> None:
    assert text(name) == text()


@pytest.mark.parametrize("name", ["reports", "kb.report/2", "../report", "", "report/1"])
def test_another_name_is_told(name: str) -> None:
    with pytest.raises(UsageError, match="no schema"):
        text(name)


def test_the_verb_prints_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["$id"] == "kb.report/1"
    assert main(["schema", "--list"]) == 0
    assert capsys.readouterr().out.split() == names()
    assert main(["schema", "reprt"]) == 2
    assert "did you mean: report" in capsys.readouterr().err
