"""Drafts: what they require speaks of the defect, what they merely saw is colour."""

from pathlib import Path

import pytest

from kb import api
from kb.cases.new import new_case
from kb.cases.propose import comments, proposed
from kb.cli import main
from kb.errors import UsageError

CASES = Path(__file__).parents[2] / "cases"


def draft(pattern: str) -> tuple[list[str], list[str]]:
    (log,) = sorted(CASES.glob(pattern))[:1]
    return proposed(api.match(log, cases=(), notices=True)[0])


def test_a_module_is_never_required() -> None:
    require, seen_in = draft("nofs-high-order-watermark/match-*.log")
    assert "gfp lacks __GFP_FS" in require
    assert "zones.refused_only_by_order_walk >= 1" in require
    assert "module == libceph" in seen_in
    assert not any(text.startswith(("module", "function")) for text in require)


def test_an_atomic_request_is_proposed_without_truisms() -> None:
    require, _ = draft("atomic-order0-watermark-boost/match-*.log")
    assert "atomic == true" in require
    assert not any(text.startswith(("compaction", "zones.refused_only_by_order_walk")) for text in require)


def test_a_lockup_proposes_where_the_cpu_was() -> None:
    require, seen_in = draft("softlockup-vcpu-not-run/match-*.log")
    assert require == ["pc == native_safe_halt"]
    assert "function == do_idle" in seen_in


def test_an_oops_proposes_where_it_was_beside_what_it_was() -> None:
    require, _ = draft("xen-netfront-null-sring/match-*.log")
    assert "subtype == null-deref" in require
    assert any(text.startswith("function == ") for text in require), require


def test_who_only_prints_is_proposed_for_nothing() -> None:
    log = (
        b"Kernel panic - not syncing: something of its own\nCPU: 0 PID: 1 Comm: init Not tainted 6.1.0 #1\n"
        b"Call Trace:\n <TASK>\n dump_stack+0x19/0x1b\n panic+0x1b3/0x230\n </TASK>\n"
    )
    (found,) = api.match(log, cases=())
    require, seen_in = proposed(found)
    assert require
    assert not any("dump_stack" in text or text.endswith("== panic") for text in (*require, *seen_in))


def test_any_report_of_a_log_can_be_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "two.log"
    log.write_bytes(b"".join(next(iter(sorted(CASES.glob(f"{case}/match-*.log")))).read_bytes() for case in TWO))
    options = ["case", "new", "second", str(log), "--into", str(tmp_path), "--report"]
    assert main([*options, "2"]) == 0
    assert "report 2 of 2" in capsys.readouterr().err
    assert 'kind = ["oops"]' in (tmp_path / "second/case.md").read_text()
    assert main([*options, "3"]) == 2
    assert "no report 3" in capsys.readouterr().err


TWO = ("nofs-high-order-watermark", "xen-netfront-null-sring")


def test_frames_stand_last_among_the_comments_and_never_all_of_them() -> None:
    (log,) = sorted(CASES.glob("nofs-high-order-watermark/match-*.log"))
    told = [text for text, _ in comments(api.match(log, cases=())[0])]
    assert "order == 5" in told
    assert [text.startswith("frames ") for text in told[-6:]] == [True] * 6
    assert sum(text.startswith("frames ") for text in told) == 6


@pytest.mark.parametrize(("name", "better"), [("Bad_Name", "bad-name"), ("two words", "two-words"), ("", "my-case")])
def test_a_name_that_is_no_id_is_refused_with_a_better_one(tmp_path: Path, name: str, better: str) -> None:
    with pytest.raises(UsageError) as error:
        new_case(tmp_path, name)
    assert better in (error.value.help or "")
    assert list(tmp_path.iterdir()) == []
