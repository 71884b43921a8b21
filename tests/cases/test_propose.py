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
    require, _, seen_in = proposed(api.match(log, cases=(), notices=True)[0])
    return require, seen_in


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
    require, _, seen_in = proposed(found)
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


def hung(*stacks: str) -> bytes:
    """Hung tasks, each with the functions of its stack, the innermost first."""
    return "".join(
        f"[{100 + at}.000000] INFO: task kworker/0:{at}:{at + 40} blocked for more than 143 seconds.\n"
        f"[{100 + at}.000000]       Not tainted 6.12.0 #1\n"
        f'[{100 + at}.000000] "echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.\n'
        f"[{100 + at}.000000] task:kworker/0:{at} state:D stack:0 pid:{at + 40} ppid:2 flags:0x00004000\n"
        f"[{100 + at}.000000] Call Trace:\n[{100 + at}.000000]  <TASK>\n"
        + "".join(f"[{100 + at}.000000]  {name}+0x10/0x20\n" for name in names.split())
        + f"[{100 + at}.000000]  </TASK>\n"
        for at, names in enumerate(stacks)
    ).encode()


def test_what_all_reports_of_a_problem_show_is_required() -> None:
    common = "__schedule schedule foo_flush qux_log"
    found = api.match(
        hung(f"{common} bar_commit bar_work kthread ret_from_fork", f"{common} bar_commit baz_sync do_syscall_64"),
        cases=(),
    )
    require, _, _ = proposed(found[0], found)
    assert require == ["function == foo_flush", "frames has qux_log", "frames has bar_commit"]


def test_start_up_helpers_and_who_met_it_are_proposed_for_nothing() -> None:
    log = (
        b"BUG: kernel NULL pointer dereference, address: 0000000000000008\n"
        b"CPU: 0 PID: 1 Comm: swapper/0 Not tainted 6.12.0 #1\nRIP: 0010:foo_setup+0x19/0x40\nCall Trace:\n <TASK>\n"
        b" kmalloc_trace+0x10/0x20\n foo_probe+0x10/0x20\n platform_probe+0x10/0x20\n really_probe+0x10/0x20\n"
        b" driver_register+0x10/0x20\n do_one_initcall+0x10/0x20\n kernel_init_freeable+0x10/0x20\n"
        b" kernel_init+0x10/0x20\n ret_from_fork+0x10/0x20\n </TASK>\n"
    )
    (found,) = api.match(log, cases=())
    require, support, _ = proposed(found)
    assert require[-2:] == ["function == foo_setup", "frames has foo_probe"]
    assert support == ["arch == x86_64"]
    told = " ".join(text for text, _ in comments(found))
    for name in ("follows", "virtual", "kmalloc", "really_probe", "driver_register", "initcall", "kernel_init", "fork"):
        assert name not in told


def test_frames_stand_last_among_the_comments_and_never_all_of_them() -> None:
    (log,) = sorted(CASES.glob("nofs-high-order-watermark/match-*.log"))
    told = [text for text, _ in comments(api.match(log, cases=())[0])]
    assert "order == 5" in told
    frames = [text for text in told if text.startswith("frames ")]
    assert 1 <= len(frames) <= 6
    assert told[-len(frames) :] == frames


@pytest.mark.parametrize(("name", "better"), [("Bad_Name", "bad-name"), ("two words", "two-words"), ("", "my-case")])
def test_a_name_that_is_no_id_is_refused_with_a_better_one(tmp_path: Path, name: str, better: str) -> None:
    with pytest.raises(UsageError) as error:
        new_case(tmp_path, name)
    assert better in (error.value.help or "")
    assert list(tmp_path.iterdir()) == []
