"""Captured files of a machine's memory beside a report. Sums by hand, in kB unless said."""

import pytest

from kb import api
from kb.evidence.context import with_context
from kb.evidence.files import parse_evidence, recognise

HEADLINE = "java: page allocation failure: order:{order}, mode:{mode}, nodemask=(null),cpuset=/,mems_allowed=0"
BLOCK = """\
CPU: 0 PID: 11 Comm: java Not tainted 6.1.30-amd64 #1
Call Trace:
 warn_alloc+0x100/0x200
 __alloc_pages+0x700/0x800
Mem-Info:
active_anon:9000 inactive_anon:0 isolated_anon:0
 active_file:0 inactive_file:0 isolated_file:0
 unevictable:0 dirty:0 writeback:0
 slab_reclaimable:0 slab_unreclaimable:0
 mapped:0 shmem:0 pagetables:0
 kernel_misc_reclaimable:0
 free:5000 free_pcp:0 free_cma:0
Node 0 Normal free:20000kB boost:0kB min:8000kB low:10000kB high:12000kB reserved_highatomic:0KB active_anon:0kB \
present:4000000kB managed:3960000kB mlocked:0kB bounce:0kB free_pcp:0kB local_pcp:0kB free_cma:0kB
lowmem_reserve[]: 0 0 0 0
Node 0 Normal: 5000*4kB (UME) 0*8kB 0*16kB 0*32kB 0*64kB 0*128kB 0*256kB 0*512kB 0*1024kB 0*2048kB 0*4096kB = 20000kB
"""
ZONEINFO = """\
Node 0, zone   Normal
  pages free     5400
        boost    0
        min      2000
        low      2500
        high     3000
        spanned  1000000
        present  1000000
        managed  990000
        protection: (0, 0, 0, 0)
"""
BUDDY = "Node 0, zone   Normal   5000 0 0 0 0 {five} 0 0 0 0 0\n"
MEMINFO = """\
MemTotal:        4000000 kB
MemFree:          100000 kB
Buffers:               0 kB
Cached:           200000 kB
AnonPages:        400000 kB
Slab:             100000 kB
KernelStack:        8000 kB
PageTables:         9000 kB
VmallocUsed:       20000 kB
Percpu:          {percpu} kB
HugePages_Total:       0
"""
SLABINFO = """\
slabinfo - version: 2.1
# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit>
kmalloc-64          10000  10240     64   64    1 : tunables    0    0    0 : slabdata    160    160      0
dentry             200000 204800    192   21    1 : tunables    0    0    0 : slabdata   9753   9753      0
"""


def reasons(files, *, order=5, mode="0xcc0(GFP_KERNEL)"):
    text = HEADLINE.format(order=order, mode=mode) + "\n" + BLOCK
    (report,) = api.reports("".join(f"[ 1.{at:06d}] {line}\n" for at, line in enumerate(text.splitlines())).encode())
    evidence = parse_evidence((name, text.encode()) for name, text in files.items())
    return {reason.name: reason for reason in api.diagnose(report, (), context=evidence).facts.reasoning}


@pytest.mark.parametrize(("blocks", "verdict"), [(3, "holds"), (0, "excluded")])
def test_the_request_is_replayed_on_the_state_captured_later(blocks, verdict):
    step = reasons({"zi": ZONEINFO, "bi": BUDDY.format(five=blocks)})["context.passes_there"]
    assert step.verdict == verdict
    assert str(step.claim) == "the same request of order 5 passes in the state of zi"
    assert f"blocks of order 5 and larger there: {blocks}" in [str(line) for line in step.why]


def test_free_lists_without_marks_replay_nothing():
    assert "context.passes_there" not in reasons({"bi": BUDDY.format(five=3)})


@pytest.mark.parametrize(("percpu", "named"), [(3_000_000, True), (1_000, False)])
def test_meminfo_names_what_the_report_cannot(percpu, named):
    found = reasons({"m": MEMINFO.format(percpu=percpu)})
    assert ("context.held_by" in found) is named
    if named:
        assert str(found["context.held_by"].why[0]) == "3000000 kB of 4000000 kB (75%), m"


def test_slabinfo_names_the_largest_cache():
    step = reasons({"s": SLABINFO})["context.slab_largest"]
    assert str(step.claim) == "the largest slab cache is dentry"
    assert "38400 kB of 39040 kB" in str(step.why[0])  # 204800 * 192 / 1024; kmalloc-64: 640


@pytest.mark.parametrize(
    ("value", "words"), [("-1.000", "has a block free"), ("0.912", "contiguity, not"), ("0.213", "rather than")]
)
def test_the_fragmentation_index_is_read_at_the_order(value, words):
    text = f"Node 0, zone   Normal -1.000 -1.000 -1.000 -1.000 -1.000 {value} 0.999 0.999 0.999 0.999 0.999 \n"
    assert words in str(reasons({"x": text})["context.index"].claim)
    assert "context.index" not in reasons({"x": text}, order=0)


@pytest.mark.parametrize(("minute", "verdict"), [("35.10", "holds"), ("0.40", "excluded")])
def test_pressure_tells_whether_tasks_waited(minute, verdict):
    text = f"some avg10=1.00 avg60={minute} avg300=1.00 total=1\nfull avg10=0.00 avg60=0.20 avg300=0.00 total=1\n"
    assert reasons({"p": text})["context.tasks_waited"].verdict == verdict


def test_memory_stat_is_no_vmstat():
    stat = "anon 1048576\nfile 9437184\nkernel_stack 0\nshmem 8388608\npgfault 12\n"
    assert recognise(stat) == "memory.stat"
    assert str(reasons({"s": stat})["context.stat_largest"].claim) == "the cgroup's largest holder is shmem"
    assert recognise("nr_free_pages 12\nnr_zone_inactive_anon 1\npgfault 12\n") == "vmstat"


@pytest.mark.parametrize(("order", "compaction"), [(0, False), (5, True)])
def test_counters_of_compaction_say_nothing_of_a_single_page(order, compaction):
    before = "compact_stall 1\npageoutrun 3\nallocstall_normal 5\nkswapd_high_wmark_hit_quickly 0\n"
    after = "compact_stall 1\npageoutrun 16\nallocstall_normal 5\nkswapd_high_wmark_hit_quickly 13\n"
    found = reasons({"a": before, "b": after}, order=order)
    assert any(name.startswith("compaction.never_started") for name in found) is compaction
    assert found["context.kswapd_ran"].verdict == "holds"
    assert "13" in " ".join(map(str, found["context.kswapd_ran"].why))


def test_other_reports_take_nothing_from_them():
    (report,) = api.reports(
        b"[ 1.0] BUG: unable to handle page fault for address: ffff888000000000\n[ 1.1] RIP: 0010:f+0x1/0x2\n"
    )
    evidence = parse_evidence([("m", MEMINFO.format(percpu=3_000_000).encode())])
    names = {reason.name for reason in with_context(api.diagnose(report, ()).facts, report, evidence).reasoning}
    assert not any(name.startswith("context.") for name in names)
