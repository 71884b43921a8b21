"""The verification script fits the kernel, can be read, and is a shell script."""

import os
import subprocess
from pathlib import Path

from kb.kernel.release import Release
from kb.model.case import Step
from kb.render.script import script

STEP = Step("grep ^compact_ /proc/vmstat", "compact_stall unchanged", "compaction never started")


def made(release: str | None, *steps: Step, kind: str = "page_allocation_failure") -> str:
    return script("a case", (kind,), steps, Release.parse(release) if release else None)


def test_it_is_valid_shell() -> None:
    for release in ("3.10.0-514.el7.x86_64", "6.1.0-18-amd64", None):
        done = subprocess.run(["sh", "-n"], input=made(release, STEP).encode(), capture_output=True, check=False)
        assert done.returncode == 0, done.stderr


def test_an_old_kernel_is_given_the_function_tracer_where_events_are_missing() -> None:
    old = made("3.10.0-514.el7.x86_64")
    assert "vmscan/mm_vmscan_direct_reclaim_begin" in old
    assert "compaction/mm_compaction_try_to_compact_pages" not in old
    assert "try_to_compact_pages" in old


def test_a_newer_kernel_is_given_the_events() -> None:
    new = made("6.1.0-18-amd64")
    assert "compaction/mm_compaction_try_to_compact_pages" in new
    assert "current_tracer" not in new


def test_steps_of_other_kernels_are_left_out() -> None:
    step = Step("cat /proc/pressure/memory", "some avg10 above 0", kernel=">= 4.20")
    assert "pressure" not in made("3.10.4", step)
    assert "pressure" in made("5.10.1", step)


def test_steps_of_a_case_are_shown_and_not_run() -> None:
    hostile = Step("echo $(touch /tmp/x); 'quote'", "nothing", "")
    done = subprocess.run(["sh", "-c", "set -- ; " + made(None, hostile, kind="oops").replace("mktemp -d", "echo")],
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert "by hand: echo $(touch /tmp/x); 'quote'" in done.stdout


def test_other_kinds_of_reports_need_no_allocator_counters() -> None:
    assert "snapshot" not in made("6.1.0", STEP, kind="oops")


def test_where_nothing_may_be_traced_the_counters_are_gathered_all_the_same(tmp_path: Path) -> None:
    """A user, a container: no folder of events, or one that may not be written."""
    text = made("3.10.0-514.el7.x86_64", STEP).replace("/sys/kernel", str(tmp_path / "none"))
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(["sh", "-s", "0"], input=text, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("no tracing here")
    assert len(done.stderr.splitlines()) == 1
    assert {path.name for path in tmp_path.glob("kb-verify.*/*")} >= {"before-vmstat", "after-vmstat"}
