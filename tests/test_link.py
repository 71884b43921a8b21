"""When an imported fix that shares a key with a report is of its problem: key, stack and place agree, all else too."""

from dataclasses import replace
from typing import Any

import pytest

from kb.identity.common import is_generic
from kb.identity.rank import Query
from kb.link import link
from kb.model.case import Affected, Case, Fix
from kb.model.report import Frame, Report, Trace
from kb.model.stack import Stack
from kb.model.verdict import Verdict

YES, MAYBE, NO = Verdict.YES, Verdict.MAYBE, Verdict.NO
OWN = ("foo_ring_poll", "foo_reset_work", "bar_flush", "bar_close", "process_one_work", "worker_thread")
CASE = Case(
    "cve-2031-1", "foo: cancel the work", ("kasan",), "imported", "", files=("drivers/net/foo/ring.c",),
    affected=(Affected(">= 5.10, < 6.3"),), fixes=(Fix("a" * 40, "foo: cancel the work", "6.3"),),
)  # fmt: skip


def judged(frames: tuple[str, ...], of: Case = CASE, own: tuple[str, ...] = OWN, **values: Any) -> tuple[Verdict, str]:
    report = replace(
        Report("-", (), "kasan", None, "", 1, "KASAN in x", traces=(Trace("main", "", tuple(map(Frame, frames)), 1),)),
        kernel=values.get("kernel"), arch=values.get("arch"),
    )  # fmt: skip
    query = Query("kb1:aa", values.get("kind", "kasan"), frames, (), frames[0])
    stacks = (Stack("kb1:aa", "", "kasan", own, of.id, own[0]),)
    rarity = dict.fromkeys((*frames, *own), 5.0)
    verdict, doubts = link(query, report, of, stacks, rarity, values.get("sharing", 1))
    return verdict, "; ".join(map(str, doubts))


def test_key_stack_and_place_agree() -> None:
    assert judged(OWN) == (YES, "")
    assert judged(OWN[:3], kernel="6.1.5") == (YES, "")


def test_a_key_that_fixes_share_is_no_yes() -> None:
    assert judged(OWN, sharing=3) == (
        MAYBE, "2 more fixes share the key: kind and function do not tell them apart"
    )  # fmt: skip


@pytest.mark.parametrize(
    "function",
    [
        "dev_watchdog", "umount_check", "synchronize_rcu", "rtnl_lock", "check_flush_dependency", "dql_completed",
        "smp_call_function", "smp_call_function_many_cond", "process_one_work", "ftrace_bug", "kobject_add_internal",
        "refcount_warn_saturate", "__list_add_valid", "worker_thread", "_raw_spin_lock", "wait_for_completion",
    ],
)  # fmt: skip
def test_a_function_that_waits_reports_or_dispatches_is_no_yes(function: str) -> None:
    frames = (function, *OWN)
    assert is_generic(function)
    assert judged((function, *OWN[:3], "other_1", "other_2", "other_3"), own=frames)[0] is MAYBE
    assert judged(frames, own=frames, kind="hung_task")[0] is MAYBE
    assert judged((function, "igb_foo", "igb_bar"), own=frames)[0] is NO


def test_all_of_the_way_to_such_a_function_is_one_unless_it_only_waits() -> None:
    frames = ("refcount_warn_saturate", *OWN)
    assert judged(frames, own=frames) == (YES, "")
    assert judged(frames, own=frames, kind="soft_lockup")[0] is MAYBE
    elsewhere = ("refcount_warn_saturate", "bar_flush", "bar_close", "process_one_work", "worker_thread")
    assert judged(elsewhere, own=elsewhere)[0] is not YES


def test_a_short_name_is_a_whole_part() -> None:
    of = replace(CASE, files=("drivers/gpu/drm/xe/xe_vm.c",))
    own = ("alpha_one", "xe_rebind", "beta_two", "gamma_three")
    assert judged((*own[:2], "other_1", "other_2"), of, own)[0] is YES
    longer = ("alpha_one", "xen_rebind", "beta_two", "gamma_three")
    assert judged((*longer[:2], "other_1", "other_2"), of, longer)[0] is MAYBE


@pytest.mark.parametrize(
    "function", ["foo_ring_poll", "ext4_writepages", "taprio_change", "nat_exit_net", "mptcp_close"]
)
def test_a_function_that_works_is_not_generic(function: str) -> None:
    assert not is_generic(function)


def test_nothing_of_the_fix_s_files_in_the_stack_is_another_problem() -> None:
    of = replace(CASE, files=("drivers/net/ethernet/hisilicon/hns3/hclge_main.c",))
    own = ("nat_exit_net", "hclge_reset", "ops_exit_list", "cleanup_net", "process_one_work")
    assert judged(own, of, own)[0] is YES
    assert judged(("nat_exit_net", "setup_net", "copy_net_ns", "unshare"), of, own)[0] is NO


def test_another_stack_below_the_same_function_is_no_yes() -> None:
    verdict, why = judged(("foo_ring_poll", *(f"other_{number}" for number in range(12))))
    assert (verdict, "of the stack is the same" in why) == (MAYBE, True)


def test_where_names_do_not_tell_the_place_the_callers_must_be_there() -> None:
    of, own = replace(CASE, files=("mm/slab_common.c",)), ("alpha_one", "beta_two", "gamma_three", "delta_four")
    assert judged(own, of, own)[0] is YES
    assert judged(("alpha_one", "beta_two", "x_1", "x_2"), of, own)[0] is MAYBE


def test_another_architecture_contradicts() -> None:
    of = replace(CASE, files=("arch/powerpc/mm/radix.c", "arch/powerpc/include/asm/radix.h"))
    assert judged(OWN, of, arch="ppc64")[0] is YES
    assert judged(OWN, of)[0] is YES
    assert judged(OWN, of, arch="x86_64") == (NO, "the fix is for powerpc, the report is from x86_64")
    mixed = replace(of, files=(*of.files, "mm/vmscan.c"))
    assert judged(OWN, mixed, arch="x86_64")[0] is YES


@pytest.mark.parametrize(
    ("kernel", "verdict"),
    [
        ("5.4.1", MAYBE), ("6.3.1", MAYBE), ("6.1.5", YES), ("6.3-rc2", YES), ("5.10-rc4", YES),
        ("4.18.0-553.el8.x86_64", YES), ("6.8.0-31-generic", MAYBE), (None, YES),
    ],
)  # fmt: skip
def test_a_release_that_cannot_have_the_problem_keeps_back_the_yes(kernel: str | None, verdict: Verdict) -> None:
    assert judged(OWN, kernel=kernel)[0] is verdict


def test_a_stall_needs_the_whole_way_there() -> None:
    own = ("foo_wait_ring", "foo_reset", "bar_flush", "bar_close", "baz_ioctl", "qux_one")
    cut = ("foo_wait_ring", "foo_reset", "bar_flush", "x_1", "x_2", "x_3")
    assert judged(cut, own=own)[0] is YES
    assert judged(cut, own=own, kind="hung_task")[0] is MAYBE
    assert judged(own, own=own, kind="hung_task")[0] is YES


def test_a_function_without_a_caller_is_no_stack() -> None:
    assert judged(OWN[:2]) == (YES, "")
    assert judged(OWN[:1]) == (MAYBE, "only kind and function are the same")
    assert judged(OWN[:1], own=OWN[:1]) == (YES, "")  # nor has the fix one to tell
