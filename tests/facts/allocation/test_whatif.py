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
