"""Would it be admitted now? Against states whose answer is plain, and against the kernel's own in captured calls."""

from pathlib import Path

import pytest

from kb.evidence.procfs import read_zones
from kb.facts.allocation.whatif import whatif
from kb.kernel.release import Release
from tests.kernel.allocation_states import SEED_ZONES

CORPUS = Path(__file__).resolve().parents[4] / "shared" / "corpus"


def test_seed_state_refuses_on_rhel_7_and_admits_on_5_10() -> None:
    old = whatif(5, "GFP_NOFS", SEED_ZONES, Release.parse("3.10.0-1160.el7.x86_64"))
    new = whatif(5, "GFP_NOFS", SEED_ZONES, Release.parse("5.10"))
    assert (old["schema"], old["admitted"]) == ("kb.whatif/1", False)
    assert (new["admitted"], new["path"], new["admitted_by"]) == (True, "fast", "Node 1 Normal")


def test_a_mask_and_its_names_answer_alike() -> None:
    release = Release.parse("5.10")
    assert (
        whatif(0, "0xc40", SEED_ZONES, release)["gfp_flags"] == whatif(0, "GFP_NOFS", SEED_ZONES, release)["gfp_flags"]
    )


def test_unknown_flags_leave_it_open() -> None:
    assert whatif(0, "NONSENSE", SEED_ZONES, Release.parse("5.10"))["admitted"] is None


def test_an_order_above_the_largest_block_is_refused() -> None:
    assert whatif(11, "GFP_KERNEL", SEED_ZONES, Release.parse("5.10"))["admitted"] is False


def test_procfs_files_make_zones() -> None:
    info = """Node 0, zone   Normal
  pages free     500
        boost    0
        min      100
        low      125
        high     150
        present  4000
        managed  3900
        protection: (0, 0, 7)
      nr_free_cma  5
"""
    buddy = "Node 0, zone   Normal      4      2      1 \n"
    types = """Pages per block:  512
Free pages count per migrate type at order       0      1      2
Node    0, zone   Normal, type    Unmovable      3      2      0
Node    0, zone   Normal, type   HighAtomic      1      0      1
Number of blocks type     Unmovable   HighAtomic
Node 0, zone   Normal           12            2
"""
    (zone,) = read_zones(info, buddy, types)
    assert (zone.free, zone.min, zone.low, zone.managed, zone.free_cma) == (500, 100, 125, 3900, 5)
    assert zone.reserve == (0, 0, 7)
    assert zone.blocks.counts == (4, 2, 1)
    assert zone.blocks.types == ("UH", "U", "H")
    assert (zone.reserved_highatomic, zone.free_highatomic) == (1024, 5)


@pytest.mark.skipif(not (CORPUS / "vm" / "index.jsonl").exists(), reason="the corpus is not beside the project")
def test_no_captured_call_disagrees_without_an_explanation() -> None:
    from tests.score.pairs import calls

    found = calls(CORPUS)
    assert len(found) > 100
    assert [row["cmd"] for row in found if not row["agree"] and row["explained"] is None] == []


STATE = """Node 0, zone    DMA32
  pages free     9000
        min      100
        low      125
        high     150
        present  50000
        managed  50000
        protection: (0, 0, 50, 50)
Node 0, zone   Normal
  pages free     {free}
        min      1000
        low      1250
        high     1500
        present  50000
        managed  50000
        protection: (0, 0, 0, 0)
      nr_unaccepted {raw}
  pagesets
    cpu: 0
              count: 300
              high:  378
    cpu: 1
              count: 100
"""
TYPES = """Pages per block:  512
Free pages count per migrate type at order       0      1      2      3
Node    0, zone    DMA32, type    Unmovable   1000    500    100    825
Node    0, zone   Normal, type    Unmovable     {own}      0      0      0
Node    0, zone   Normal, type      Movable   1000      0      0   {other}
"""


def test_a_zone_below_gives_its_own_type_before_another_type_is_broken_into() -> None:
    def by(own: int, release: str = "5.10", large: str = "") -> tuple[str | None, bool]:
        types = TYPES.format(own=own, other=1000)
        if large:
            types += f"Node    0, zone   Normal, type {large}  0  0  0  0  0  0  0  0  0  2  0\n"
        zones = read_zones(STATE.format(free=9000, raw=0), "", types)
        answer = whatif(0, "GFP_KERNEL", zones, Release.parse(release))
        return answer["admitted_by"], any(part["name"] == "whatif.other_types" for part in answer["because_named"])

    assert by(0) == ("Node 0 DMA32", True)
    assert by(5) == ("Node 0 Normal", False)
    assert by(0, "4.19") == ("Node 0 Normal", False)
    assert by(0, large="Reclaimable") == ("Node 0 Normal", False)  # a whole pageblock becomes of the type
    assert by(0, large="HighAtomic") == ("Node 0 DMA32", True)


def test_pages_on_per_cpu_lists_are_told_where_they_would_be_enough() -> None:
    def told(free: int, gfp: str) -> list[str]:
        zones = [zone for zone in read_zones(STATE.format(free=free, raw=0)) if zone.name == "Normal"]
        answer = whatif(0, gfp, zones, Release.parse("5.10"))
        return [part["name"] for part in answer["because_named"] if part["name"].startswith("whatif.pcp")]

    assert told(601, "GFP_KERNEL") == ["whatif.pcp_drained"]  # 601 + 400 > 1000
    assert told(600, "GFP_KERNEL") == []
    assert told(10, "GFP_ATOMIC") == ["whatif.pcp_not_counted"]  # 410 > 1000 / 2 * 3 / 4
    assert told(3000, "GFP_KERNEL") == []


def test_unaccepted_memory_counts_for_nothing_from_6_5_to_6_10() -> None:
    def admitted(raw: int, release: str) -> bool | None:
        zones = [zone for zone in read_zones(STATE.format(free=9000, raw=raw)) if zone.name == "Normal"]
        return whatif(0, "GFP_KERNEL", zones, Release.parse(release))["admitted"]

    assert (admitted(8000, "6.5"), admitted(7000, "6.5"), admitted(8000, "6.4")) == (False, True, True)
