"""OOM kills explained. Sums are worked out by hand: 1000000 pages of RAM less 10000 reserved is the total."""

from pathlib import Path

import pytest

from kb import api
from kb.facts.oom.facts import oom_facts
from kb.model.report import Report
from kb.parse.memory.meminfo import parse_meminfo
from kb.syntax import engine

VM = Path(__file__).resolve().parents[4] / "shared" / "corpus" / "vm"

HEAD = "java invoked oom-killer: gfp_mask=0x100cca(GFP_HIGHUSER_MOVABLE), order={order}, oom_score_adj=0\n"
GLOBAL = """\
Mem-Info:
active_anon:{anon} inactive_anon:0 isolated_anon:0
 active_file:1000 inactive_file:2000 isolated_file:0
 unevictable:0 dirty:0 writeback:0
 slab_reclaimable:3000 slab_unreclaimable:4000
 mapped:10 shmem:500 pagetables:600 bounce:0
 kernel_misc_reclaimable:0
 free:{free} free_pcp:0 free_cma:0
Node 0 active_anon:0kB kernel_stack:4000kB all_unreclaimable? no
Node 0 Normal free:{free_kb}kB boost:0kB min:40000kB low:50000kB high:60000kB reserved_highatomic:0KB active_anon:0kB \
present:4000000kB managed:3960000kB mlocked:0kB bounce:0kB free_pcp:0kB local_pcp:0kB free_cma:0kB
lowmem_reserve[]: 0 0 0 0 0
Node 0 Normal: {free}*4kB (UME) 0*8kB 0*16kB 0*32kB 0*64kB 0*128kB 0*256kB 0*512kB 0*1024kB 0*2048kB 0*4096kB \
= {free_kb}kB
100 total pagecache pages
0 pages in swap cache
Free swap  = 0kB
Total swap = {swap}kB
1000000 pages RAM
0 pages HighMem/MovableOnly
10000 pages reserved
"""
TABLE = """\
Tasks state (memory values in pages):
[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
[    100]     0   100     2000   500000    4096000        0         -1000 protected
[    200]  1000   200     2000   300000    4096000      500             0 java
[    300]  1000   300     2000   100000     409600        0           500 small
"""
SUMMARY = (
    "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,"
    "task={task},pid={pid},uid=1000\n"
    "Out of memory: Killed process {pid} ({task}) total-vm:8000kB, anon-rss:1200000kB, file-rss:0kB, shmem-rss:0kB, "
    "UID:1000 pgtables:4000kB oom_score_adj:0\n"
)


def explain(text, kernel="6.1.0"):
    lines = tuple(engine.split(text))
    report = Report("-", lines, "oom_kill", None, lines[0].text, 1, "", kernel=kernel, memory=parse_meminfo(lines))
    return oom_facts(report)


def whole(*, order=0, anon=900_000, free=5000, swap=0, task="small", pid=300):
    block = GLOBAL.format(anon=anon, free=free, free_kb=free * 4, swap=swap)
    return HEAD.format(order=order) + block + TABLE + SUMMARY.format(task=task, pid=pid)


def value(facts, name):
    fact = facts.get(name)
    return None if fact is None else fact.value


def test_memory_is_split_by_who_holds_it():
    facts = explain(whole())
    assert facts.cause == "global_memory_short"
    assert value(facts, "oom.total_kb") == 990_000 * 4
    assert value(facts, "oom.anon_kb") == 900_000 * 4
    assert value(facts, "oom.slab_kb") == 7000 * 4
    assert value(facts, "oom.kernel_stack_kb") == 4000
    # 990000 - (free 5000 + anon 900000 + file 3000 + slab 7000 + page tables 600 + stacks 1000)
    assert value(facts, "oom.unaccounted_kb") == 73_400 * 4
    assert value(facts, "oom.largest") == "anon"
    assert "There is no swap" in facts.summary
    assert facts.get("oom.anon_kb").evidence == ((2, 20),)


def test_memory_that_no_counter_names_is_the_story():
    facts = explain(whole(anon=100_000))
    assert facts.cause == "unaccounted_memory"
    assert value(facts, "oom.unaccounted_share") == round(873_400 / 990_000, 4)


def test_the_score_is_the_kernels():
    facts = explain(whole())
    # total is 990000: java 300000 + 500 + 1000, small 100000 + 100 + 500 * 990, protected never
    top = facts.detail["score"]["top"]
    assert [(row["comm"], row["points"]) for row in top] == [("small", 595_100), ("java", 301_500)]
    assert value(facts, "oom.victim_is_highest") is True
    assert value(facts, "oom.victim") == "small"


def test_a_victim_that_is_not_the_highest_is_said_so():
    facts = explain(whole(task="java", pid=200))
    assert value(facts, "oom.victim_rank") == 2
    (step,) = [step for step in facts.reasoning if "highest score" in step.claim]
    assert step.verdict == "excluded"
    assert "small[300] had 595100 pages, the victim 301500" in step.because


def test_swap_counts_for_the_allowed_total():
    facts = explain(whole(swap=400_000))
    assert facts.detail["score"]["allowed_pages"] == 1_090_000
    assert "Swap was full" in facts.summary


def test_free_pages_without_a_block_are_fragmentation():
    facts = explain(whole(order=2, free=100_000))
    assert facts.cause == "fragmentation"
    (step,) = [step for step in facts.reasoning if step.claim == "memory was fragmented"]
    assert step.verdict == "holds"


def test_a_zone_between_min_and_high_is_short_for_the_last_try():
    # min is 10000 pages, high 15000
    assert explain(whole(free=12_000)).cause == "global_memory_short"
    assert explain(whole(free=16_000)).cause == "state_changed"


def test_a_reserve_larger_than_memory_is_absurd():
    text = whole().replace("min:40000kB", "min:99395541895224kB").replace("high:60000kB", "high:147673348131571488kB")
    assert explain(text).cause == "watermark_absurd"


def test_a_kill_by_hand_says_nothing_about_memory():
    facts = explain(whole(order=-1))
    assert facts.cause == "sysrq"
    assert value(facts, "order") is None
    assert value(facts, "oom.sysrq") is True


MEMCG = """\
kt invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
memory: usage 16384kB, limit 16384kB, failcnt 97
swap: usage 0kB, limit 0kB, failcnt 0
Memory cgroup stats for /job:
anon 16678912
shmem 0
[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name
[    151]     0   151     5691     4226     4064        0       162    73728        0             0 kt
oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/job,task_memcg=/job/t,task=kt,\
pid=151,uid=0
Memory cgroup out of memory: Killed process 151 (kt) total-vm:22764kB, anon-rss:16256kB, file-rss:0kB, shmem-rss:648kB
"""


def test_a_cgroup_at_its_limit_is_named_with_its_numbers():
    facts = explain(MEMCG, "6.12")
    assert facts.cause == "memcg_limit"
    assert facts.summary.startswith("Memory cgroup /job reached its limit (memory: 16384 kB of 16384 kB)")
    assert value(facts, "oom.memcg") == "/job"
    assert value(facts, "oom.memory_limit_kb") == 16384
    assert value(facts, "oom.memcg_anon_kb") == 16288
    assert value(facts, "oom.victim_points") == 4226 + 73728 // 4096
    assert facts.detail["score"]["allowed_pages"] == 4096
    assert facts.unknown == ()


def test_the_page_size_is_told_by_the_victims_total_vm():
    # 5691 pages of 64 kB; the limit of 16384 kB is then 256 pages, page tables 73728 bytes one page
    facts = explain(MEMCG.replace("total-vm:22764kB", "total-vm:364224kB"), "6.12")
    assert facts.detail["score"]["allowed_pages"] == 256
    assert value(facts, "oom.victim_points") == 4227


def test_a_hostile_cgroup_path_never_reaches_a_command():
    facts = explain(MEMCG.replace("oom_memcg=/job", "oom_memcg=/$(reboot)"), "6.12")
    assert facts.cause == "memcg_limit"
    assert not any("reboot" in step for step in facts.next_steps)


def test_rhel7_root_bonus_and_sacrificed_child():
    facts = explain(
        "java invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0\n"
        "Task in /a killed as a result of limit of /a\n"
        "memory: usage 400000kB, limit 400000kB, failcnt 12\n"
        "[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name\n"
        "[   10]     0    10      100    50000     100        0             0 rooted\n"
        "[   20]    99    20      100    49000     100        0             0 java\n"
        "Memory cgroup out of memory: Kill process 20 (java) score 491 or sacrifice child\n"
        "Killed process 21 (sh) total-vm:100kB, anon-rss:40kB, file-rss:0kB\n",
        "3.10.0-693.el7.x86_64",
    )
    # 100000 pages allowed: root's -30 takes 30 * 100 pages off 50100
    assert [row["points"] for row in facts.detail["score"]["top"]] == [49_100, 47_100]
    (step,) = [step for step in facts.reasoning if "highest score" in step.claim]
    assert step.verdict == "holds"
    assert "its child sh[21] was sacrificed" in step.because


def test_an_order_that_no_kernel_has_is_damage():
    facts = explain(whole(order=999_999_999))
    assert value(facts, "order") is None
    assert not any("replay" in zone and zone["replay"] for zone in facts.detail["zones"])


def test_what_is_missing_is_named():
    facts = explain("java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0")
    assert facts.cause == "undetermined"
    assert [text.split(":")[0] for text in facts.unknown] == ["constraint", "victim", "memory state", "scores"]


def test_every_reasoning_step_points_at_lines():
    for text in (whole(), MEMCG):
        for step in explain(text).reasoning:
            assert step.evidence, step.claim
            assert step.verdict in ("holds", "excluded", "unknown")


@pytest.mark.skipif(not VM.is_dir(), reason="no corpus beside the checkout")
@pytest.mark.parametrize(
    ("name", "causes"),
    [
        ("080-oom-global-61.log", ["global_memory_short", "sysrq"]),
        ("081-oom-global-612.log", ["global_memory_short", "sysrq"]),
        ("083-oom-memcg-612.log", ["memcg_limit", "memcg_limit"]),
        ("084-oom-deadlock-61.log", ["unaccounted_memory", "unaccounted_memory"]),
        ("154-arm64-oom.log", ["global_memory_short"]),
    ],
)
def test_our_own_kills_are_explained_as_we_made_them(name, causes):
    path = VM / name
    if not path.is_file():
        pytest.skip("not in this half of the corpus")
    texts = [part.partition("] ")[2] for part in path.read_text(errors="replace").replace("\r", "").split("\n")]
    starts = [number for number, text in enumerate(texts) if "invoked oom-killer" in text]
    found = []
    for start, end in zip(starts, [*starts[1:], len(texts)], strict=True):
        found.append(explain("\n".join(texts[start:end]), "6.1.0" if "-61" in name else "6.12.0").cause)
    assert found == causes


@pytest.mark.parametrize(
    ("anon", "claim"), [(400, "the largest part is held by anon"), (501, "most memory is held by anon")]
)
def test_most_memory_is_said_of_more_than_half_only(anon: int, claim: str) -> None:
    log = f"""\
x invoked oom-killer: gfp_mask=0x100cca(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=0
Mem-Info:
active_anon:{anon} inactive_anon:0 isolated_anon:0
 active_file:300 inactive_file:0 isolated_file:0
 unevictable:0 dirty:0 writeback:0
 slab_reclaimable:100 slab_unreclaimable:50
 mapped:0 shmem:0 pagetables:0 bounce:0
 free:0 free_pcp:0 free_cma:0
Node 0 Normal free:0kB min:400kB low:500kB high:600kB present:4000kB managed:4000kB
0 total pagecache pages
1000 pages RAM
0 pages HighMem/MovableOnly
0 pages reserved
Out of memory: Killed process 9 (x) total-vm:4kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:0
"""
    (found,) = api.match(log.encode(), cases=())
    assert claim in [reason.claim for reason in found.facts.reasoning]


def test_half_of_a_cgroup_is_not_most_of_it() -> None:
    """Of 1000 kB anon has 400: the largest part, not most."""
    text = (
        HEAD.format(order=0) + "memory: usage 1000kB, limit 1000kB, failcnt 9\nMemory cgroup stats for /a:\n"
        "anon {anon}\nfile 204800\n" + SUMMARY.format(task="small", pid=300).replace("NONE", "MEMCG")
    )
    claims = {
        anon: [str(step.claim) for step in explain(text.format(anon=anon)).reasoning if "in /a is" in str(step.claim)]
        for anon in (409600, 600 * 1024)
    }
    assert claims == {409600: ["the largest part in /a is anon"], 614400: ["most memory in /a is anon"]}


@pytest.mark.parametrize(("shmem", "largest"), [(500, "anon"), (440_000, "anon"), (460_000, "shmem")])
def test_shared_memory_is_a_holder_where_it_is_the_larger_part_of_anon(shmem: int, largest: str) -> None:
    """900000 pages stand on the lists of anonymous memory, shared memory among them."""
    facts = explain(whole().replace("shmem:500", f"shmem:{shmem}"))
    assert facts.values["oom.largest"].value == largest


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("mem_cgroup_out_of_memory", "memcg"), ("try_charge_memcg", "memcg"), ("__mem_cgroup_try_charge", "memcg"),
        ("mem_cgroup_oom_synchronize", "memcg"), ("try_charge.part.0", "memcg"), ("__alloc_pages_slowpath", None),
        ("mem_cgroup_read_u64", None),
    ],
)  # fmt: skip
def test_the_stack_tells_whose_limit_it_was(name: str, limit: str | None) -> None:
    text = HEAD.format(order=0) + f"Call Trace:\n dump_header+0x1/0x2\n out_of_memory+0x1/0x2\n {name}+0x1/0x2\n"
    (found,) = api.match(text.encode())
    assert getattr(found.facts.values.get("oom.constraint"), "value", None) == limit
    assert (found.facts.cause == "memcg_limit") is (limit == "memcg")
