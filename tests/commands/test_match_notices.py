"""``kb match --notices``: off, nothing changes but a hint on stderr; on, notices are reports as others are."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kb import api
from kb.cli import EMPTY, OK, UNKNOWN, main

FULL = b"[  100.000000] nf_conntrack: nf_conntrack: table full, dropping packet\n"
UNCASED = (
    b"[  100.000000] TCP: request_sock_TCP: Possible SYN flooding on port 80. Sending cookies.  Check SNMP counters.\n"
)
QUIET = b"[  100.000000] eth0: link is up at 1000 Mbps\n"
OOPS = b"[   99.000000] BUG: kernel NULL pointer dereference, address: 0000000000000058\n"
CASE = """```toml
id = "table-full"
title = "The table is full"
kind = ["notice"]
status = "reviewed"
summary = "It is."
[match]
require = ["kind == notice", "subtype == conntrack-full", "field.count >= 2"]
```
# The table is full
## What happens
## Why
## What to do
## Notes
"""


@pytest.fixture
def cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("KB_DB", str(tmp_path / "kb.db"))
    place = tmp_path / "cases/table-full"
    place.mkdir(parents=True)
    (place / "case.md").write_text(CASE, encoding="utf-8")
    (place / "match-two.log").write_bytes(FULL * 2)
    (place / "near-one.log").write_bytes(FULL)
    monkeypatch.setattr("kb.cases.library.folder", lambda name: tmp_path / "cases" if name == "cases" else _ROOT / name)
    return str(tmp_path / "cases")


_ROOT = Path(__file__).resolve().parents[2]


def log(tmp_path: Path, data: bytes) -> str:
    place = tmp_path / "in.log"
    place.write_bytes(data)
    return str(place)


def test_by_default_a_known_notice_is_told_and_the_exit_code_is_that_of_no_report(
    cases: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["match", log(tmp_path, FULL * 2)]) == EMPTY
    out, err = capsys.readouterr()
    assert out == "also, watch: nf_conntrack: table full, dropping packet [L1-2]  table-full  (--notices for all)\n"
    assert err == "kb: no report in the input\n"
    assert main(["match", "--json", log(tmp_path, FULL * 2)]) == EMPTY
    assert capsys.readouterr().out == ""
    assert main(["match", "--markdown", log(tmp_path, FULL * 2)]) == EMPTY
    out, err = capsys.readouterr()
    assert out == ""
    assert "kb: 1 message that is no report has a known case: --notices shows them" in err


def test_a_notice_that_no_case_knows_is_not_worth_a_hint(
    cases: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["match", log(tmp_path, FULL + UNCASED)]) == EMPTY
    assert capsys.readouterr().err == "kb: no report in the input\n"


def test_notices_come_behind_reports_and_change_nothing_of_them(
    cases: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["match", "--brief", log(tmp_path, OOPS + QUIET * 2)]) == UNKNOWN
    alone = capsys.readouterr().out
    assert main(["match", "--brief", log(tmp_path, OOPS + FULL * 2)]) == UNKNOWN
    out, err = capsys.readouterr()
    assert (
        out
        == alone + "also, watch: nf_conntrack: table full, dropping packet [L2-3]  table-full  (--notices for all)\n"
    )
    assert "notices" not in err


@pytest.mark.parametrize(("severity", "code"), [("harmless", UNKNOWN), ("watch", OK), ("act", OK), ("stop", OK)])
def test_a_harmless_notice_makes_no_exit_code_of_something_known(
    cases: str, tmp_path: Path, severity: str, code: int
) -> None:
    place = Path(cases, "table-full/case.md")
    place.write_text(CASE.replace("summary", f'severity = "{severity}"\nsummary'), encoding="utf-8")
    assert main(["match", "--notices", "-b", log(tmp_path, FULL * 2)]) == code


def test_of_many_notices_the_gravest_three_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        b"[    1.0] hrtimer: interrupt took 19302736 ns\n",
        FULL,
        b"[    2.0] cgroup: fork rejected by pids controller in /system.slice/jenkins.service\n",
        b"[    3.0] EXT4-fs (sda2): Delayed block allocation failed for inode 131847 at logical offset 96 with max "
        b"blocks 16 with error 117\n",
    ]
    assert main(["match", "--db", str(tmp_path / "kb.db"), log(tmp_path, b"".join(lines))]) == EMPTY
    told = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in told] == ["stop:", "act:", "act:"]
    assert told[0].endswith("ext4-delalloc-data-lost")
    assert told[-1].endswith("(1 more: --notices for all)")


def test_with_notices_they_follow_the_reports_in_the_same_schema_and_count_for_the_exit_code(
    cases: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["match", "--notices", "--json", log(tmp_path, FULL * 2 + OOPS + UNCASED)]) == OK
    out, err = capsys.readouterr()
    rows = [json.loads(row) for row in out.splitlines()]
    assert [row["schema"] for row in rows] == ["kb.report/1"] * 3
    assert [row["kind"] for row in rows] == ["oops", "notice", "notice"]
    assert rows[1]["lines"] == [1, 2]
    assert rows[1]["facts"] == {"count": "2", "severity": "warning"}
    assert [match["case"] for match in rows[1]["matches"]] == ["table-full"]
    assert "--notices" not in err


def test_with_notices_one_that_no_case_knows_is_a_report_not_known(cases: str, tmp_path: Path) -> None:
    assert main(["match", "--notices", "-b", log(tmp_path, UNCASED)]) == UNKNOWN
    assert main(["match", "--notices", "-b", log(tmp_path, b"[    1.0] eth0: link up\n")]) == EMPTY


def test_a_recorded_notice_is_found_by_its_signature_and_keyed_again(
    cases: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["match", "--notices", "--record", "-b", log(tmp_path, FULL * 2)]) == OK
    (report,) = api.notices(FULL)
    from kb.identity.signature import signature

    capsys.readouterr()
    assert main(["show", signature(report).id]) == OK
    assert "nf_conntrack: table full" in capsys.readouterr().out
    assert main(["rekey"]) == OK
    assert main(["show", signature(report).id]) == OK


def test_the_commands_for_cases_know_notices(cases: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["case", "lint", f"{cases}/table-full"]) == 4  # a reviewed case needs sources
    assert main(["case", "test", f"{cases}/table-full"]) == OK
    capsys.readouterr()
    assert main(["case", "new", "mine", log(tmp_path, FULL), "--into", str(tmp_path / "new")]) == OK
    text = (tmp_path / "new/mine/case.md").read_text(encoding="utf-8")
    assert 'require = ["subtype == conntrack-full"]' in text
    assert 'kind = ["notice"]' in text


def test_a_log_without_notices_and_reports_loads_no_grammar() -> None:
    code = "import sys; from kb.cli import main; main(['match']); print('lark' in sys.modules)"
    for options in ("", "--notices"):
        program = code.replace("['match']", f"{['match', *options.split()]}")
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=_ROOT,
            input=b"[    1.0] eth0: link up\n",
            capture_output=True,
            check=True,
        )
        assert done.stdout == b"False\n"


def test_match_gives_notices_only_when_asked() -> None:
    assert api.match(FULL) == []
    (found,) = api.match(FULL, cases=(), notices=True)
    assert found.report.kind == "notice"
    assert [report.title for report in api.read([FULL, FULL], notices=True)] == [found.report.title] * 2


def test_for_a_person_a_notice_shows_its_line_and_no_unknown_task(
    cases: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["match", "-v", "--notices", log(tmp_path, FULL * 3)])
    out = capsys.readouterr().out
    assert "printed     nf_conntrack: nf_conntrack: table full, dropping packet" in out
    assert "printed 3 times" in out
    assert "unknown task" not in out


def test_what_to_verify_is_told_of_a_notice_too(cases: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", log(tmp_path, FULL * 2)]) == OK
    assert capsys.readouterr().out.startswith("#!/bin/sh\n# To verify: nf_conntrack: table full, dropping packet\n")


def test_cases_that_cannot_be_used_are_no_matter_for_a_log_without_reports(
    cases: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(cases, "table-full/case.md").write_text("no case at all", encoding="utf-8")
    assert main(["match", log(tmp_path, FULL * 2)]) == EMPTY
    assert capsys.readouterr().err == "kb: no report in the input\n"
