"""What show_mem() printed, read back. Numbers are worked out by hand: pages are kB / 4."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.model.log import Line
from kb.parse.memory.meminfo import parse_meminfo
from kb.syntax import engine

SHARED = Path(__file__).resolve().parents[4] / "shared"

RHEL7 = """\
Mem-Info:
active_anon:13891624 inactive_anon:358552 isolated_anon:0#012 active_file:1652146 inactive_file:14520052 \
isolated_file:0#012 unevictable:0 dirty:472 writeback:0 unstable:0#012 slab_reclaimable:1071185 \
slab_unreclaimable:201037#012 mapped:53234 shmem:1046930 pagetables:31965 bounce:0#012 free:966225 free_pcp:185 \
free_cma:0
Node 0 DMA free:15864kB min:48kB low:60kB high:72kB active_anon:0kB inactive_anon:0kB active_file:0kB \
inactive_file:0kB unevictable:0kB isolated(anon):0kB isolated(file):0kB present:15948kB managed:15864kB mlocked:0kB \
dirty:0kB writeback:0kB mapped:0kB shmem:0kB slab_reclaimable:0kB slab_unreclaimable:0kB kernel_stack:16kB \
pagetables:8kB \
unstable:0kB bounce:0kB free_pcp:0kB local_pcp:0kB free_cma:0kB writeback_tmp:0kB pages_scanned:7 all_unreclaimable? yes
 lowmem_reserve[]: 0 1700 64161 64161
Node 1 Normal free:3315332kB min:205324kB low:256652kB high:307984kB active_anon:28449880kB present:67108864kB \
managed:66056916kB kernel_stack:18928kB pages_scanned:0 all_unreclaimable? no
lowmem_reserve[]: 0 0 0 0
Node 0 DMA: 0*4kB 1*8kB (U) 1*16kB (U) 1*32kB (U) 1*64kB (U) 1*128kB (U) 1*256kB (U) 0*512kB 1*1024kB (U) 1*2048kB (M) \
3*4096kB (M) = 15864kB
Node 1 Normal: 241701*4kB (UEM) 240734*8kB (UEM) 24010*16kB (UEM) 990*32kB (UEM) 175*64kB (UEM) 20*128kB (UEM) \
3*256kB (EM) 0*512kB 0*1024kB 0*2048kB 0*4096kB = 3323044kB
Node 0 hugepages_total=4 hugepages_free=3 hugepages_surp=0 hugepages_size=2048kB
"""

EL6 = """\
Mem-Info:
Node 0 DMA per-cpu:
CPU    0: hi:    0, btch:   1 usd:   0
active_anon:1 inactive_anon:2 isolated_anon:3
 active_file:4 inactive_file:5 isolated_file:6
 unevictable:7 dirty:8 writeback:9 unstable:10
 free:11 slab_reclaimable:12 slab_unreclaimable:13
 mapped:14 shmem:15 pagetables:16 bounce:17
Node 0 DMA free:15736kB min:40kB low:48kB high:60kB active_anon:0kB inactive_anon:0kB isolated(anon):0kB \
present:15340kB \
pages_scanned:0 all_unreclaimable? yes
lowmem_reserve[]: 0 3000 4010 4010
Node 0 DMA: 2*4kB 2*8kB 2*16kB 1*32kB 2*64kB 1*128kB 0*256kB 0*512kB 1*1024kB 1*2048kB 3*4096kB = 15704kB
100 total pagecache pages
5 pages in swap cache
Swap cache stats: add 90, delete 85, find 7/9
Free swap  = 100kB
Total swap = 4128764kB
1048575 pages RAM
67108 pages reserved
55 pages shared
66 pages non-shared
"""


def read(text: str):
    return parse_meminfo(engine.split(text))


@pytest.mark.parametrize("name", ["meminfo", "fields"])
def test_grammars_have_no_conflict(name):
    engine.build(name, "words" if name == "fields" else "lines", strict=True)


def test_the_block_of_rhel7_with_written_out_newlines_is_read_whole():
    memory = read(RHEL7)
    assert memory.damaged is None
    assert [zone.label for zone in memory.zones] == ["Node 0 DMA", "Node 1 Normal"]
    dma, normal = memory.zones
    assert (dma.free, dma.min, dma.low, dma.high) == (3966, 12, 15, 18)
    assert dma.reserve == (0, 1700, 64161, 64161)
    assert (dma.present, dma.managed) == (3987, 3966)
    assert dma.counters["kernel_stack"] == 16  # counted in kB natively
    assert dma.counters["pagetables"] == 2
    assert dma.counters["pages_scanned"] == 7
    assert dma.unreclaimable is True
    assert normal.unreclaimable is False
    assert normal.free == 828833
    assert normal.blocks.counts == (241701, 240734, 24010, 990, 175, 20, 3, 0, 0, 0, 0)
    assert normal.blocks.types[6] == "EM"
    assert normal.blocks.pages == normal.blocks.total == 830761
    assert memory.counters["free"] == 966225
    assert memory.counters["active_file"] == 1652146
    assert memory.field_lines["free_cma"] == 2
    assert memory.hugepages == ({"node": 0, "total": 4, "free": 3, "surp": 0, "size_kb": 2048},)
    assert (dma.line, dma.reserve_line, dma.blocks.line) == (3, 4, 7)
    assert (memory.line, memory.last) == (1, 9)


def test_rhel7_and_el6_are_told_apart_by_their_text():
    new, old = read(RHEL7).traits, read(EL6).traits
    assert {"free_pcp", "letters:UEM", "reserve:4", "global:free_last", "managed", "unstable", "tail_missing"} <= new
    assert {"per_cpu_lists", "letters:none", "global:free_slab", "pages_shared", "swap_cache_stats"} <= old
    assert not {"per_cpu_lists", "node_line", "boost", "no_node", "no_free_pcp"} & new
    assert {"no_node_line", "no_boost", "no_sec_pagetables"} <= new & old
    assert {"no_free_pcp", "no_free_cma"} <= old
    assert not {"free_pcp", "managed", "free_cma", "tail_missing"} & old


def test_the_tail_becomes_counters():
    counters = read(EL6).counters
    assert counters["ram"] == 1048575
    assert counters["reserved"] == 67108
    assert (counters["free_swap_kb"], counters["total_swap_kb"]) == (100, 4128764)
    assert (counters["pagecache"], counters["swap_cache"], counters["swap_find_total"]) == (100, 5, 9)
    assert (counters["bounce"], counters["shared"], counters["non_shared"]) == (17, 55, 66)


def test_new_fields_and_units():
    memory = read(
        "Mem-Info:\nNode 0 active_anon:8kB shmem:4kB shmem_thp:0kB kernel_stack:100kB pagetables:12kB "
        "sec_pagetables:0kB all_unreclaimable? no Balloon:0kB gpu_active:0kB gpu_reclaim:0kB\n"
        "Node 0 DMA32 free:400kB boost:40kB min:140kB low:150kB high:160kB reserved_highatomic:2048KB "
        "free_highatomic:1024KB active_anon:0kB writepending:0kB zspages:8kB present:800kB managed:700kB free_cma:4kB\n"
        "lowmem_reserve[]: 0 0 -1 0 0\nNode 0 DMA32: 100*4kB (UMEH) = 400kB\n"
    )
    (zone,) = memory.zones
    assert (zone.boost, zone.min) == (10, 35)
    assert (zone.reserved_highatomic, zone.free_highatomic, zone.free_cma) == (512, 256, 1)
    assert zone.counters["zspages"] == 2
    assert zone.reserve == (0, 0, -1, 0, 0)
    assert memory.nodes[0]["pagetables"] == 3
    assert memory.nodes[0]["kernel_stack"] == 100
    assert {"boost", "zspages", "free_highatomic", "letters:UME", "balloon", "gpu_active", "thp_tight"} <= memory.traits
    assert "highatomic:KB" in memory.traits


def test_the_page_size_is_that_of_the_first_free_list_entry():
    memory = read(
        "Normal free:960kB min:2688kB low:3328kB high:3968kB present:64000kB\nlowmem_reserve[]: 0 0\n"
        "Normal: 11*64kB (UME) 2*128kB (U) = 960kB\n"
    )
    assert memory.page_kb == 64
    assert memory.zones[0].free == 15
    assert memory.zones[0].blocks.total == 15
    assert "no_node" in memory.traits


def test_lines_that_kern_cont_broke_are_put_together():
    pieces = (
        "Node 0 ",
        "DMA free:16kB min:4kB low:8kB high:12kB present:20kB managed:16kB",
        "lowmem_reserve[]:",
        " 0",
        " 12",
        "something else entirely",
        "Node 0 ",
        "DMA: ",
        "2*4kB ",
        "(UM) ",
        "1*8kB ",
        "(U) ",
        "= 16kB",
    )
    memory = read("Mem-Info:\n" + "\n".join(pieces))
    (zone,) = memory.zones
    assert zone.reserve == (0, 12)
    assert zone.blocks.counts == (2, 1)
    assert zone.blocks.types == ("UM", "U")
    assert memory.damaged is None
    assert "no_node" not in memory.traits


def test_lines_that_a_mail_program_wrapped_are_put_together():
    memory = read(
        "Node 0 DMA free:15908kB\nmin:64kB low:80kB high:96kB active_anon:0kB\npresent:15996kB managed:15908kB\n"
        "lowmem_reserve[]: 0 3845\n15960 15960\nNode 0 DMA: 1*4kB (U)\n1*8kB (U) =\n12kB\n"
        "Node 0 hugepages_total=0 hugepages_free=0\nhugepages_surp=0 hugepages_size=2048kB\n"
    )
    (zone,) = memory.zones
    assert (zone.min, zone.managed) == (16, 3977)
    assert zone.reserve == (0, 3845, 15960, 15960)
    assert zone.blocks.counts == (1, 1)
    assert memory.hugepages[0]["size_kb"] == 2048


def test_a_zone_line_cut_in_its_middle_keeps_what_it_has():
    memory = read("Node 0 Normal free:400kB min:40kB low:80kB high:120kB active_anon:4kB inactive_anon:123")
    (zone,) = memory.zones
    assert zone.counters == {"active_anon": 1}  # 123 may be the start of 123456kB
    assert memory.damaged == "cut within the line of Node 0 Normal, after active_anon; no free list of Node 0 Normal"


def test_a_zone_line_cut_before_its_watermarks_is_no_zone():
    memory = read("Mem-Info:\nNode 0 Normal free:400kB min:4")
    assert memory.zones == ()
    assert memory.damaged == "cut within the line of Node 0 Normal"


def test_a_free_list_that_does_not_add_up_is_said_so():
    memory = read("Node 0 DMA free:4kB min:4kB low:4kB high:4kB present:4kB\nNode 0 DMA: 3*4kB (U) = 16kB\n")
    assert memory.damaged == "the free list of Node 0 DMA does not add up"
    assert (memory.zones[0].blocks.pages, memory.zones[0].blocks.total) == (3, 4)


def test_thp_values_of_4_8_are_put_under_their_names():
    node = (
        "Node 0 active_anon:0kB shmem:0kB shmem_thp: 0kB shmem_pmdmapped: 2048kB anon_thp: 400kB writeback_tmp:0kB "
        "unstable:0kB pages_scanned:0 all_unreclaimable? no\n"
    )
    memory = read("Mem-Info:\n mapped:1 shmem:100 pagetables:1 bounce:0\n" + node)
    assert "thp_shifted" in memory.traits
    assert memory.nodes[0]["shmem"] == 100
    assert memory.nodes[0]["anon_thp"] == 512
    right = read("Mem-Info:\n mapped:1 shmem:0 pagetables:1 bounce:0\n" + node)
    assert "thp_shifted" not in right.traits
    assert right.nodes[0]["anon_thp"] == 100


def test_only_the_first_block_is_read():
    memory = read(EL6 + EL6.replace("free:15736kB", "free:4kB"))
    assert memory.zones[0].free == 3934


def test_no_block_is_none():
    assert read("hello\nNode 7\nCPU: 3 PID: 1\n") is None
    assert parse_meminfo([]) is None


WORDS = [part for line in (RHEL7 + EL6).split("\n") for part in (line, line[: len(line) // 2], line[len(line) // 3 :])]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=40), max_size=30))
def test_no_sequence_of_lines_raises(texts):
    parse_meminfo([Line(text, n, n, b"") for n, text in enumerate(texts, 1)])


def test_hostile_digits_do_not_raise():
    read("Mem-Info:\nNode 0 DMA free:" + "9" * 5000 + "kB min:1kB low:1kB high:1kB\n" + "active_anon:" + "9" * 20)


def _corpus_reports():
    index = SHARED / "corpus" / "real" / "index.jsonl"
    if not index.is_file():
        return []
    kinds = {"alloc_failure", "oom", "vmalloc_failure"}
    rows = [json.loads(row) for row in index.read_text().splitlines()]
    return [row for row in rows if any(r.get("type") in kinds and r.get("zones") for r in row["reports"])]


@pytest.mark.skipif(not _corpus_reports(), reason="no corpus beside the checkout")
@pytest.mark.parametrize("row", _corpus_reports(), ids=lambda row: row["file"])
def test_corpus_zones_nodes_and_free_lists_are_all_found(row):
    reader = pytest.importorskip("kb.log.reader")
    lines = list(reader.Reader((SHARED / "corpus" / "real" / row["file"]).read_bytes()).lines())
    kinds = {"alloc_failure", "oom", "vmalloc_failure"}
    reports = [r for r in row["reports"] if r.get("type") in kinds]
    for report, following in zip(reports, [*reports[1:], {"line": 1 << 30}], strict=True):
        memory = parse_meminfo([line for line in lines if report["line"] <= line.number < following["line"]])
        if not report.get("zones"):
            continue
        assert len(memory.zones) == report["zones"]
        assert len({zone.node for zone in memory.zones}) == report["nodes"]
        if report.get("freelists"):
            assert sum(zone.blocks is not None for zone in memory.zones) == report["freelists"]


@pytest.mark.skipif(not (SHARED / "corpus" / "vm").is_dir(), reason="no corpus beside the checkout")
def test_corpus_blocks_of_our_own_boots_are_whole():
    count = 0
    for path in sorted((SHARED / "corpus" / "vm").glob("*.log")):
        texts = path.read_bytes().decode("utf-8", "surrogateescape").replace("\r", "").split("\n")
        lines = [Line(text.partition("] ")[2] or text, n, n, b"") for n, text in enumerate(texts, 1)]
        starts = [i for i, line in enumerate(lines) if line.text.strip() == "Mem-Info:"]
        for start in starts:
            memory = parse_meminfo(lines[start : start + 60])
            assert memory.damaged is None, (path.name, start)
            assert all(zone.blocks.pages == zone.blocks.total for zone in memory.zones)
            assert "tail_missing" not in memory.traits
            count += 1
    assert count > 20
