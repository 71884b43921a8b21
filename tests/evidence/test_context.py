"""Evidence beside the log turns what holds by the code into what was seen."""

from pathlib import Path

from kb import api
from kb.model.verdict import Diagnosis, Reason

BEFORE = "compact_stall 87914\ncompact_fail 40935\ncompact_success 46979\nallocstall 1000\n"
TRACE = "    kworker/31:0-635928 [031] .... 1.000001: mm_vmscan_direct_reclaim_end: nr_reclaimed=3067\n"


def diagnose(example: Path, tmp_path: Path, **files: str) -> Diagnosis:
    """The packaged example with files beside it, in the order given."""
    paths = []
    for name, text in files.items():
        path = tmp_path / name
        path.write_text(text)
        paths.append(path)
    (diagnosis,) = api.match(example, cases=(), context=paths)
    return diagnosis


def said(diagnosis: Diagnosis, words: str) -> list[Reason]:
    return [reason for reason in diagnosis.facts.reasoning if words in reason.claim]


def test_a_still_counter_beside_reclaim_confirms_that_compaction_never_started(example: Path, tmp_path: Path) -> None:
    diagnosis = diagnose(example, tmp_path, before=BEFORE, after=BEFORE, trace=TRACE)
    (reason,) = said(diagnosis, "compaction never started: confirmed")
    assert reason.verdict == "holds"
    assert "87914 -> 87914" in reason.because
    assert "nr_reclaimed=3067" in reason.because
    assert diagnosis.to_json()["facts"]["context"]["vmstat.compact_stall"] == 0


def test_a_still_counter_alone_confirms_nothing(example: Path, tmp_path: Path) -> None:
    diagnosis = diagnose(example, tmp_path, before=BEFORE, after=BEFORE)
    assert said(diagnosis, "confirmed") == []
    assert [reason.verdict for reason in said(diagnosis, "direct compaction never started")] == ["unknown"]


def test_a_moved_counter_contradicts_the_code(example: Path, tmp_path: Path) -> None:
    diagnosis = diagnose(example, tmp_path, before=BEFORE, after=BEFORE.replace("87914", "87915"), trace=TRACE)
    assert [reason.verdict for reason in said(diagnosis, "direct compaction could not start")] == ["excluded"]


def test_reclaim_that_freed_pages_excludes_a_lack_of_memory(example: Path, tmp_path: Path) -> None:
    diagnosis = diagnose(example, tmp_path, trace=TRACE)
    (reason,) = said(diagnosis, "memory could not be reclaimed")
    assert (reason.verdict, "3067 pages" in reason.because) == ("excluded", True)


def test_counters_of_zones_are_summed(example: Path, tmp_path: Path) -> None:
    diagnosis = diagnose(
        example,
        tmp_path,
        before="allocstall_dma 1\nallocstall_normal 5\n",
        after="allocstall_dma 2\nallocstall_normal 9\n",
    )
    assert diagnosis.facts.values["vmstat.allocstall"].value == 5


def test_a_file_that_is_no_evidence_is_said(example: Path, tmp_path: Path) -> None:
    diagnosis = diagnose(example, tmp_path, note="nothing of the kind")
    assert any("note" in text for text in diagnosis.facts.unknown)


def test_readings_whose_counters_fell_say_nothing(example: Path, tmp_path: Path) -> None:
    """Files that were swapped, and a machine that started anew in between, look the same."""
    later = BEFORE.replace("allocstall 1000", "allocstall 1003")
    (reason,) = said(diagnose(example, tmp_path, before=BEFORE, after=later), "compaction never started")
    assert "allocstall 1000 -> 1003" in str(reason.why[0])
    anew = "compact_stall 3\ncompact_fail 1\ncompact_success 2\nallocstall 12\n"
    for first, last in ((later, BEFORE), (BEFORE, anew), (BEFORE, later.replace("87914", "5"))):
        found = diagnose(example, tmp_path, before=first, after=last)
        assert not said(found, "compaction never started")
        assert not [name for name in found.facts.values if name.startswith("vmstat.")]


def test_sizes_may_fall_between_two_readings(example: Path, tmp_path: Path) -> None:
    sizes = "nr_free_pages {free}\nnr_dirty {free}\n"
    first, last = (BEFORE + sizes.format(free=free) for free in (9000, 40))
    assert said(diagnose(example, tmp_path, before=first, after=last), "compaction never started")
