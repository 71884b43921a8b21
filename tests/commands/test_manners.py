"""The shell's manners: near words, help, forms for CI jobs, watch, diff, explain."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from kb import api
from kb.cli import main
from kb.glossary import everything, explain
from tests.test_cli import OOPS, kb

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def log(tmp_path: Path) -> str:
    (tmp_path / "log").write_bytes(OOPS)
    return str(tmp_path / "log")


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    try:
        code = main(list(args))
    except SystemExit as done:
        code = int(done.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def test_a_log_alone_is_matched(capsys: pytest.CaptureFixture[str], log: str) -> None:
    assert run(capsys, log)[:2] == run(capsys, "match", log)[:2]
    assert run(capsys, "--json", log)[:2] == run(capsys, "match", "--json", log)[:2]


@pytest.mark.parametrize(
    ("args", "near"),
    [
        (("mtach", "x"), "kb match"),
        (("match", "--jsno"), "--json"),
        (("match", "--format", "githb"), "github"),
        (("case", "lst"), "list"),
        (("case", "show", "nofs-high-order-watermrk"), "nofs-high-order-watermark"),
        (("verify", "nofs-high-order-watermrk"), "nofs-high-order-watermark"),
        (("help", "mtch"), "match"),
    ],
)
def test_a_slip_names_what_was_meant(capsys: pytest.CaptureFixture[str], args: tuple[str, ...], near: str) -> None:
    code, out, err = run(capsys, *args)
    assert (code, out) == (2, "")
    assert "did you mean" in err
    assert near in err


def test_an_unknown_option_prints_the_usage_of_its_verb(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, err = run(capsys, "case", "lint", "--nonsense")
    assert err.startswith("usage: kb case lint ")


def test_what_is_no_verb_cannot_drive_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert "\x1b" not in run(capsys, "\x1b[2J")[2]


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "help", "case", "lint")[1] == run(capsys, "case", "lint", "--help")[1]
    assert run(capsys, "help")[1] == run(capsys, "--help")[1]
    assert run(capsys, "-V") == run(capsys, "--version") == run(capsys, "version")


@pytest.mark.parametrize(
    "word", ["hung_task", "hung-task", "order_walk_refusal", "order", "lowmem reserve", "__GFP_FS", "W"]
)
def test_words_of_an_answer_are_explained(capsys: pytest.CaptureFixture[str], word: str) -> None:
    code, out, _ = run(capsys, "explain", word)
    assert code == 0
    assert "  means " in out


def test_a_kind_names_the_printk_that_opens_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert "kernel/hung_task.c" in run(capsys, "explain", "hung_task")[1]
    code, out, err = run(capsys, "explain", "hung_tsk")
    assert (code, out) == (3, "")
    assert "hung_task" in err


def test_everything_that_is_told_is_explained() -> None:
    assert [one.word for one in everything() if one not in explain(one.word) or not one.means] == []


def test_every_cause_of_the_engine_is_explained() -> None:
    from kb.facts.allocation import cause

    known = {one.word for one in everything() if one.what == "cause"}
    used = {word for word in known if word in Path(cause.__file__).read_text(encoding="utf-8")}
    assert used == known


# ---- CI


def test_forms_for_ci_jobs_can_be_read(capsys: pytest.CaptureFixture[str], log: str) -> None:
    code, out, _ = run(capsys, "match", "--format", "junit", log)
    suite = ElementTree.fromstring(out)
    assert (code, suite.get("tests"), suite.get("failures")) == (1, "1", "1")
    document = json.loads(run(capsys, "match", "--format", "sarif", log)[1])
    (result,) = document["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 1, "endLine": 7}
    (problem,) = json.loads(run(capsys, "match", "--format", "gitlab", log)[1])
    assert (problem["check_name"], problem["severity"], problem["location"]["path"]) == ("oops", "blocker", log)
    out = run(capsys, "match", "--format", "github", log)[1]
    assert out.startswith(f"::error file={log},line=1,endLine=7,title=BUG%3A unable")
    assert out.count("\n") == 1


def test_a_log_without_reports_is_a_document_too(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"[    1.0] eth0: link up\n")
    for form in ("junit", "sarif", "gitlab", "github"):
        code, out, _ = run(capsys, "match", "--format", form, str(tmp_path / "log"))
        assert code == 3
        assert (ElementTree.fromstring(out) is not None) if form == "junit" else not out or json.loads(out) is not None


def test_log_text_is_no_command_of_a_ci_job(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    hostile = OOPS.replace(b"Comm: kt", b"Comm: k\r::set-output t").replace(b"some_new", b"s%0A::error::some_new")
    (tmp_path / "a,b:c").write_bytes(hostile)
    out = run(capsys, "match", "--format", "github", str(tmp_path / "a,b:c"))[1]
    assert [line for line in out.splitlines() if not line.startswith("::error file=")] == []
    ElementTree.fromstring(run(capsys, "match", "--format", "junit", str(tmp_path / "a,b:c"))[1])


@pytest.mark.parametrize(
    ("what", "code"),
    [("known", 0), ("unknown", 1), ("severity=stop", 1), ("severity=act", 1), ("severity=odd", 2), ("nonsense", 2)],
)
def test_fail_on_decides_the_exit_code(capsys: pytest.CaptureFixture[str], log: str, what: str, code: int) -> None:
    assert run(capsys, "match", "--fail-on", what, log)[0] == code


def test_a_run_that_cannot_read_fails_as_ever(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(capsys, "match", "--fail-on", "known", str(tmp_path / "absent"))[0] == 4


# ---- several inputs, one report, each


def test_several_inputs_end_in_a_summary(capsys: pytest.CaptureFixture[str], log: str) -> None:
    _, out, _ = run(capsys, "match", log, log)
    assert out.splitlines()[-1] == "2 inputs: 2 reports in 1 group, 0 known, 0 not read"
    assert "not read" not in run(capsys, "match", log)[1]
    assert "not read" not in run(capsys, "match", "--json", log, log)[1]


def test_each_shows_all_and_report_one(capsys: pytest.CaptureFixture[str], log: str) -> None:
    title = "BUG: unable to handle kernel NULL pointer dereference"
    assert run(capsys, "match", log, log)[1].count(title) == 1
    assert run(capsys, "match", "--each", log, log)[1].count(title) == 2
    assert "--report 2" in run(capsys, "match", "--each", log, log)[1]
    assert run(capsys, "match", "--report", "2", log, log)[1].count(title) == 1
    assert run(capsys, "match", "-b", "--report", "2", log, log)[1].count("\n") == 1


def test_json_tells_the_group_and_how_many_are_in_it(capsys: pytest.CaptureFixture[str], log: str) -> None:
    rows = [json.loads(line) for line in run(capsys, "match", "--json", log, log)[1].splitlines()]
    assert [(row["group"], row["of"]) for row in rows] == [(1, 2), (1, 2)]
    piped = kb("match", "--json", stdin=OOPS * 3)
    assert [json.loads(line)["of"] for line in piped.stdout.splitlines()] == [3, 3, 3]


def test_json_tells_the_incident_that_a_report_is_of(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "btrfs.log"
    path.write_text(
        "[ 7897.7] BTRFS: error (device sdb: state A) in __btrfs_free_extent:3092: errno=-28 No space left\n"
        "[11050.4] BTRFS error (device sdb: state EA): parent transid verify failed"
        " on logical 1 mirror 2 wanted 4 found 3\n"
        "[20000.1] BUG: unable to handle page fault for address: ffff8880dead0000\n"
    )
    rows = [json.loads(line) for line in run(capsys, "match", "--json", str(path))[1].splitlines()]
    assert [row["incident"] for row in rows] == [2, 2, 3]
    assert [found.incident for found in api.match(path)] == [2, 2, 3]


# ---- watch and diff


def test_a_watch_calls_the_hook_with_the_report(tmp_path: Path) -> None:
    hook = f"{sys.executable} -c \"import json,sys; print(json.load(sys.stdin)['kind'])\""
    done = kb("watch", "--exec", hook, "-", stdin=OOPS * 2)
    text = done.stdout.decode()
    assert done.returncode == 1
    assert text.count("oops\n") == 2
    assert text.count("again (x 2): see report 1") == 1


def test_a_hook_that_fails_ends_no_watch() -> None:
    done = kb("watch", "--exec", "exit 3", "-", stdin=OOPS)
    assert (done.returncode, b"hook failed: exit code 3" in done.stderr) == (1, True)


def diff(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, list[dict[str, Any]]]:
    code, out, _ = run(capsys, "diff", "--json", "--all", *args)
    return code, [json.loads(line) for line in out.splitlines()]


def test_a_diff_tells_new_gone_more_and_same(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    other = OOPS.replace(b"some_new_function", b"another_function")
    for name, data in {"a": OOPS, "b": OOPS + other, "c": OOPS * 2}.items():
        (tmp_path / name).write_bytes(data)
    a, b, c = (str(tmp_path / name) for name in "abc")
    assert [(row["change"]) for row in diff(capsys, a, b)[1]] == ["new", "same"]
    assert diff(capsys, a, b)[0] == 1
    assert [(row["change"]) for row in diff(capsys, b, a)[1]] == ["gone", "same"]
    assert diff(capsys, b, a)[0] == 0
    assert [(row["change"], row["before"], row["after"]) for row in diff(capsys, a, c)[1]] == [("more", 1, 2)]


def test_a_diff_of_one_log_is_of_its_last_two_boots(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    later = OOPS.replace(b"[    1.", b"[    9.")
    other = OOPS.replace(b"some_new_function", b"another_function")
    (tmp_path / "log").write_bytes(later + other)
    code, rows = diff(capsys, str(tmp_path / "log"))
    assert (code, [row["change"] for row in rows]) == (1, ["new", "gone"])
