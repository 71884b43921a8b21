"""What is said around an OOM kill: who asked for it, what a cgroup holds, which swap counts, which program is large."""

import pytest

from kb import api
from kb.facts.oom.facts import oom_facts
from tests.facts.oom.test_facts import GLOBAL, HEAD, MEMCG, SUMMARY, TABLE, explain, value, whole


def said(facts, name):
    return [reason for reason in facts.reasoning if reason.name == name]


def test_a_kill_from_a_page_fault_is_no_shortage():
    # pagefault_out_of_memory() passes order 0 and no flags; 600000 free pages are far above every mark
    zero = whole(free=600_000, swap=8000).replace("0x100cca(GFP_HIGHUSER_MOVABLE)", "0x0()")
    facts = explain(zero, "5.10")
    assert facts.cause == "page_fault"
    assert said(facts, "oom.from_page_fault")
    assert not said(facts, "oom.swap_could_help")
    assert not [reason for reason in facts.reasoning if reason.name == "oom.zone_had_nothing"]
    assert explain(whole(free=600_000), "5.10").cause == "state_changed"  # near miss: a mask


@pytest.mark.parametrize(
    ("free", "cma", "cause"),
    [
        (14_000, 13_000, "global_memory_short"),  # 14000 <= high 15000: CMA counted, the last try still fails
        (40_000, 39_000, "cma_only"),
        (40_000, 1_000, "state_changed"),
    ],
)
def test_free_cma_pages_are_the_cause_only_where_they_would_have_been_enough(free, cma, cause):
    text = whole(free=free).replace("local_pcp:0kB free_cma:0kB", f"local_pcp:0kB free_cma:{cma * 4}kB")
    unmovable = text.replace("0x100cca(GFP_HIGHUSER_MOVABLE)", "0xcc0(GFP_KERNEL)")
    assert explain(unmovable).cause == cause


V1 = """\
java invoked oom-killer: gfp_mask=0x6000c0(GFP_KERNEL), nodemask=(null), order=0, oom_score_adj=0
Task in /pod/c1 killed as a result of limit of /pod
memory: usage 1000000kB, limit 1000000kB, failcnt 100
memory+swap: usage 1000000kB, limit 9007199254740988kB, failcnt 0
kmem: usage {kmem}kB, limit 9007199254740988kB, failcnt 0
Memory cgroup stats for /pod: cache:0KB rss:0KB shmem:0KB dirty:0KB writeback:0KB
Memory cgroup stats for /pod/c0: cache:0KB rss:40KB shmem:0KB dirty:0KB writeback:0KB
Memory cgroup stats for /pod/c1: cache:{cache}KB rss:100000KB shmem:{shmem}KB dirty:{dirty}KB writeback:{writeback}KB
[ pid ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
[   11]     0    11   400000    61500   500000        0           {adj} java
[   12]     0    12   400000    91500   500000        0             0 db
Memory cgroup out of memory: Kill process 11 (java) score 1900 or sacrifice child
Killed process 11 (java) total-vm:1600000kB, anon-rss:246000kB, file-rss:0kB, shmem-rss:0kB
"""


def pod(kmem=100, cache=800_000, shmem=0, dirty=0, writeback=0, adj=999):
    return V1.format(kmem=kmem, cache=cache, shmem=shmem, dirty=dirty, writeback=writeback, adj=adj)


def test_the_lines_of_child_groups_are_summed():
    (step,) = said(explain(pod(shmem=799_000), "4.19"), "oom.memcg_held_by")
    assert str(step.claim) == "most memory in /pod is shmem"
    assert str(step.why[0]) == "799000 kB of 1000000 kB charged (80%)"


def test_a_charge_that_no_counter_names_is_told():
    (step,) = said(explain(pod(kmem=880_000, cache=20_000), "4.19"), "oom.memcg_unnamed")
    assert str(step.why[0]) == "879960 kB of 1000000 kB charged (88%)"
    assert "880000" in str(step.why[1])
    assert not said(explain(pod(kmem=880_000), "4.19"), "oom.memcg_unnamed")  # near miss: the cache is named


@pytest.mark.parametrize(
    ("dirty", "writeback", "asleep"), [(790_000, 0, True), (790_000, 4, False), (90_000, 0, False)]
)
def test_a_dirty_cache_that_nobody_writes_is_no_fault_of_the_limit(dirty, writeback, asleep):
    facts = explain(pod(dirty=dirty, writeback=writeback), "4.19")
    assert bool(said(facts, "oom.memcg_unflushed")) is asleep
    assert facts.cause == ("memcg_unflushed" if asleep else "memcg_limit")


def test_no_limit_is_said_in_words():
    (step,) = said(explain(pod(), "4.19"), "oom.memcg_at_limit")
    assert "memory+swap: 1000000 kB used, no limit" in [str(line) for line in step.sums]


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ("", "", "unknown"),  # adj 999 of an unknown total against 30000 pages more: open... unless both weigh alike
        (" 999 java", " 0 java", "excluded"),
        ("   91500 ", "    1500 ", "holds"),  # more pages and more weight: first whatever the total
    ],
)
def test_an_unlimited_swap_of_unknown_size_leaves_the_score_open(old, new, verdict):
    text = pod().replace("           999 java", " 999 java")
    (step,) = said(explain(text.replace(old, new) if old else text, "4.19"), "oom.highest_score")
    assert step.verdict == verdict


def test_a_limited_swap_counts_for_the_total():
    limited = MEMCG.replace("swap: usage 0kB, limit 0kB", "swap: usage 0kB, limit 8192kB")
    assert explain(limited, "6.12").detail["score"]["allowed_pages"] == (16384 + 8192) // 4


STACK = """\
Call Trace:
 dump_stack+0x5d/0x80
 dump_header+0x43/0x1aa
{caller} out_of_memory+0x100/0x200
 __alloc_pages_slowpath+0x700/0x800
"""


@pytest.mark.parametrize(("caller", "none"), [("", True), (" oom_kill_process+0x8/0xa0\n", False)])
def test_a_header_without_a_kill_is_told_by_its_caller(caller, none):
    text = HEAD.format(order=0) + STACK.format(caller=caller) + GLOBAL.format(anon=9, free=5000, free_kb=20000, swap=0)
    stamped = "".join(f"[    1.{at:06d}] {line}\n" for at, line in enumerate(text.splitlines()))
    (report,) = api.reports(stamped.encode())
    facts = oom_facts(report)
    left = said(facts, "oom.killable_left")
    assert bool(left) is none
    assert any("the report ends before the kill" in text for text in facts.unknown) is not none


def test_programs_are_summed_by_name_and_the_victims_weight_is_told():
    (step,) = said(explain(whole()), "program.is_largest")
    assert str(step.claim) == "protected is the largest program"
    assert "small was chosen for its oom_score_adj of 500" in str(step.why[1])
    big = TABLE.replace("100000     409600        0           500", "400000     409600        0           500")
    text = HEAD.format(order=0) + GLOBAL.format(anon=9, free=5000, free_kb=20000, swap=0) + big
    (step,) = said(explain(text + SUMMARY.format(task="small", pid=300)), "program.is_largest")
    assert len(step.why) == 1  # near miss: the victim is the largest that may be killed


def test_small_processes_are_not_where_the_memory_went():
    table = (
        TABLE.replace("500000    4096000", "   500    4096000").replace("300000 ", "300 ").replace("100000 ", "100 ")
    )
    text = HEAD.format(order=0) + GLOBAL.format(anon=9, free=5000, free_kb=20000, swap=0) + table
    facts = explain(text + SUMMARY.format(task="small", pid=300))
    assert [reason.verdict for reason in said(facts, "program.hold_it")] == ["excluded"]
    assert value(facts, "cause") == "unaccounted_memory"


def test_free_memory_counts_among_the_holders():
    (step,) = said(explain(whole(anon=100_000, free=600_000), "5.10"), "oom.is_free")
    assert [part.name for part in step.why] == ["oom.held", "oom.largest_holder"]
    assert not said(explain(whole(free=1000), "5.10"), "oom.is_free")


def test_a_header_printed_for_panic_on_oom_says_so():
    stack = HEAD.format(order=0) + "CPU: 0 PID: 5 Comm: java Not tainted 6.1.0 #1\nCall Trace:\n"
    stack += " {}dump_header+0x90/0x1b0\n {}{by}+0x4e/0x80\n {}out_of_memory+0x1bb/0x3c0\n"
    for mark in ("", "? "):  # without frame pointers every frame is marked
        (found,) = api.match(stack.format(mark, mark, mark, by="check_panic_on_oom").encode(), cases=())
        assert said(found.facts, "oom.panics")
    (found,) = api.match(stack.format("", "", "", by="oom_kill_process").encode(), cases=())
    assert not said(found.facts, "oom.panics")
    inlined = stack.replace(" {}{by}+0x4e/0x80\n", "")  # then the stack does not tell it from a kill that found nobody
    (found,) = api.match(inlined.format("", "").encode(), cases=())
    assert [each.verdict for each in said(found.facts, "oom.killable_left")] == ["unknown"]


@pytest.mark.parametrize(("spare", "cause"), [(40, "zone_constrained"), (400, "state_changed")])
def test_a_zone_that_passes_by_one_refill_of_a_cpus_list_does_not_explain_a_kill(spare, cause):
    # i386: Normal is short, HighMem free but not for it, DMA admits at its high mark by some pages
    dma = 60 + 800 + spare
    zones = (
        f"Node 0 DMA free:{dma * 4}kB min:160kB low:200kB high:240kB present:16000kB managed:15900kB\n"
        "lowmem_reserve[]: 0 800 800 800\n"
        "Node 0 Normal free:3900kB min:4000kB low:5000kB high:6000kB present:800000kB managed:800000kB\n"
        "lowmem_reserve[]: 0 0 9000 9000\n"
        "Node 0 HighMem free:900000kB min:500kB low:600kB high:700kB present:1200000kB managed:1200000kB\n"
        "lowmem_reserve[]: 0 0 0 0\n"
    )
    text = HEAD.format(order=0).replace("0x100cca(GFP_HIGHUSER_MOVABLE)", "0xcc0(GFP_KERNEL)") + "Mem-Info:\n" + zones
    assert explain(text, "5.7.0").cause == cause


@pytest.mark.parametrize(("kernel", "cause"), [("4.9.0", "highatomic_only"), ("4.10.0", "global_memory_short")])
def test_the_high_order_atomic_reserve_is_given_back_before_a_kill_from_4_10_on(kernel, cause):
    # 16000 - 6000 <= min 10000 without the reserve; the last try asks for high 15000, which 16000 meets
    text = whole(free=15_900).replace("Node 0 Normal: 15900*4kB (UME)", "Node 0 Normal: 9900*4kB (UME)")
    text = text.replace("reserved_highatomic:0KB", "reserved_highatomic:24000KB")
    assert explain(text, kernel).cause == cause


@pytest.mark.parametrize("shown", ["Balloon", "gpu_active", "gpu_reclaim"])
def test_counters_of_the_node_lines_are_holders_of_their_own(shown):
    text = whole(anon=100_000).replace("kernel_stack:4000kB", f"kernel_stack:4000kB {shown}:3000000kB")
    (step,) = said(explain(text, "7.3"), "oom.held_by")
    assert str(step.claim) == f"most memory is held by {shown.lower().replace('_', ' ')}"


def test_shared_memory_of_the_victim_does_not_come_back():
    text = whole()
    (step,) = said(explain(text.replace("shmem-rss:0kB", "shmem-rss:1200004kB")), "oom.kill_frees")
    assert step.verdict == "excluded"
    assert not said(explain(text.replace("shmem-rss:0kB", "shmem-rss:1200000kB")), "oom.kill_frees")


def test_programs_tell_what_kind_of_memory_they_have_where_the_table_does():
    """rss_anon, rss_file and rss_shmem of 6.8 and later."""
    rows = ["    1 0 1 9000 7000 1000 500 5500 73728 0 0 db", "    2 0 2 9000 1000 1000 0 0 73728 0 0 web"]
    head = (
        "[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name"
    )
    table = "\n".join([head, *(f"[{row[:5]}]{row[5:]}" for row in rows)])
    front, back = MEMCG[: MEMCG.index("[  pid")], MEMCG[MEMCG.index("oom-kill:") :]
    (step,) = said(explain(front + table + "\n" + back, "6.12"), "program.is_largest")
    assert str(step.sums[0]) == "db, 1 tasks: 28000 kB resident (anon 4000, file 2000, shared 22000), 0 kB in swap"
    assert "program.shared" in [part.name for part in step.why]
    half = table.replace("1000 500 5500", "3500 0 3500")
    (step,) = said(explain(front + half + "\n" + back, "6.12"), "program.is_largest")
    assert "program.shared" not in [part.name for part in step.why]
    (old,) = said(explain(whole(), "6.1"), "program.is_largest")
    assert "anon" not in str(old.sums[0])


def test_locked_pages_are_a_programs_and_the_rest_of_the_unevictable_ones_nobodys():
    text = whole(anon=100_000).replace("unevictable:0", "unevictable:700000")
    (step,) = said(explain(text), "oom.held_by")
    assert [str(step.claim), *(part.name for part in step.why)] == [
        "most memory is held by unevictable", "oom.held", "oom.not_locked"]  # fmt: skip
    (step,) = said(explain(text.replace("mlocked:0kB", "mlocked:2400000kB")), "oom.held_by")
    assert str(step.claim) == "most memory is held by mlocked"
    (step,) = said(explain(text.replace("mlocked:0kB ", "")), "oom.held_by")
    assert [part.name for part in step.why] == ["oom.held"]


ZONE = "active_anon:0kB inactive_anon:0kB active_file:{file}kB inactive_file:0kB unevictable:0kB writepending:{dirty}kB"


@pytest.mark.parametrize(
    ("file", "dirty", "left"),
    [
        (800_000, 0, True),
        (800_000, 700_000, False),  # what is dirty has to be written first
        (390_000, 0, False),  # less than a tenth of the zone
    ],
)
def test_clean_page_cache_that_reclaim_left_is_told(file, dirty, left):
    text = whole().replace("active_anon:0kB present", ZONE.format(file=file, dirty=dirty) + " present")
    facts = explain(text)
    assert bool(said(facts, "cache.not_reclaimed")) is left
    assert any("memory.min" in str(step) for step in facts.steps) is left
    admitted = explain(text.replace("free:5000 ", "free:50000 ").replace("free:20000kB", "free:200000kB"))
    assert not said(admitted, "cache.not_reclaimed")


def test_a_count_of_managed_pages_below_zero_is_told_from_a_large_setting():
    facts = explain(
        whole().replace("min:40000kB", "min:99395541895224kB").replace("high:60000kB", "high:99395541895226kB")
    )
    assert (facts.cause, len(said(facts, "wrapped.below_zero"))) == ("watermark_absurd", 1)
    large = explain(
        whole().replace("min:40000kB low:50000kB high:60000kB", "min:40000000kB low:50000000kB high:60000000kB")
    )
    assert (large.cause, said(large, "wrapped.below_zero")) == ("watermark_absurd", [])


NODE = "active_anon:3600000kB inactive_anon:0kB active_file:4000kB inactive_file:8000kB unevictable:0kB shmem:2000kB "


def test_without_the_global_counters_the_node_lines_make_the_account():
    """Logs that take a report's continuation lines for lines of their own lose them."""
    whole_text = whole()
    start, end = whole_text.index("active_anon:900000"), whole_text.index("Node 0 active_anon")
    cut = whole_text[:start] + whole_text[end:].replace("Node 0 active_anon:0kB ", "Node 0 " + NODE)
    facts = explain(cut)
    assert (facts.cause, value(facts, "oom.anon_kb")) == ("global_memory_short", 3_600_000)
    (step,) = said(facts, "oom.held_by")
    assert "slab or unaccounted: 324000 kB (8.2%)" in [str(line) for line in step.sums]
    assert [part.name for part in facts.missing if "slab" in part.name] == ["unknown.holders.slab"]
    rest = explain(cut.replace("active_anon:3600000kB", "active_anon:400000kB"))
    assert rest.cause == "global_memory_short"  # slab may be what holds it: not in no counter
    assert said(rest, "oom.in_no_line")
    assert said(explain(whole_text[:start] + whole_text[end:]), "oom.swap_could_help")  # no account: swap all the same


PROTECTED = """\
oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/pod,task_memcg=/pod/c0,task=pause,pid=11,uid=0
memory: usage 8000000kB, limit 8000000kB, failcnt 100
memory+swap: usage 8000000kB, limit 8000000kB, failcnt 0
[ pid ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
[   11]     0    11      256        1    28672        0          {adj} pause
[   12]     0    12  4000000  1900000 15400000        0          -998 sim
Memory cgroup out of memory: Killed process 11 (pause) total-vm:1024kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB
"""


@pytest.mark.parametrize(
    ("adj", "kernel", "taken"),
    [(-999, "5.8", ["holds"]), (-999, "5.9", []), (0, "5.8", []), (-999, None, ["unknown"])],
)
def test_below_the_floor_all_scores_are_equal_and_the_first_task_is_taken(adj, kernel, taken):
    # 1900000 + 3759 pages - 998 * 2000 = -92241: counts as 1 to 5.8, as much as a pause of one page
    facts = explain(PROTECTED.format(adj=adj), kernel)
    assert [step.verdict for step in said(facts, "oom.first_was_taken")] == taken


def test_a_group_of_version_1_is_looked_at_under_its_own_path():
    commands = [str(step) for step in explain(pod(), "4.19").steps]
    assert any("/sys/fs/cgroup/memory/pod/memory.failcnt" in text for text in commands)
    second = [str(step) for step in explain(pod().replace("memory+swap", "swap"), "6.1").steps]
    assert any("/sys/fs/cgroup/pod/memory.events" in text for text in second)
    assert not any("/sys/fs/cgroup/memory/" in text for text in second)


def test_a_boost_is_the_cause_of_a_kill_only_where_it_is_too_large_for_its_zone():
    # high 15000 + boost: 17000 free pages are above 15000, and below it with 4096 or 300000 pages of boost
    marks = "boost:0kB min:40000kB low:50000kB high:60000kB"

    def boosted(pages, free=17_000):
        raised = [kb + pages * 4 for kb in (40_000, 50_000, 60_000)]
        return whole(free=free).replace(marks, "boost:{}kB min:{}kB low:{}kB high:{}kB".format(pages * 4, *raised))

    large = explain(boosted(300_000))  # of 990000 pages
    assert large.cause == "watermark_boost"
    assert "refused.boost_too_large" in [part.name for part in said(large, "oom.zone_had_nothing")[0].why]
    tips = explain(boosted(4096))
    assert tips.cause == "global_memory_short"
    assert [part.name for part in said(tips, "oom.zone_had_nothing")[0].why] == ["oom.zone_has", "zone.boost_alone"]
    short = explain(boosted(300_000, free=14_000))  # below high without any boost
    assert short.cause == "global_memory_short"
    assert [part.name for part in said(short, "oom.zone_had_nothing")[0].why] == ["oom.zone_has"]


def test_shared_memory_may_lie_on_the_list_of_what_cannot_be_evicted():
    def notes(shmem, unevictable):
        text = (
            whole(anon=400_000)
            .replace("shmem:500", f"shmem:{shmem}")
            .replace("unevictable:0", f"unevictable:{unevictable}")
        )
        (held,) = [one for one in explain(text).reasoning if one.name in ("oom.held_by", "oom.in_no_counter")]
        return [part.name for part in held.why]

    assert "oom.shmem_unevictable" in notes(200_000, 150_000)
    assert "oom.shmem_unevictable" not in notes(200_000, 100)
    assert "oom.shmem_unevictable" not in notes(500, 150_000)
