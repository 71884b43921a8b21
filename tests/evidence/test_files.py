"""Files beside a log are recognised by their content and read as far as they go."""

from kb.evidence.files import parse_evidence, recognise

VMSTAT = "nr_free_pages 966225\ncompact_migrate_scanned 690141298\ncompact_stall 87914\ncompact_fail 40935\n"
BUDDY = "Node 0, zone      DMA      0      1      1      1      1      1      1      0      1      1      3 \n"
TRACE = (
    "# tracer: nop\n"
    "    kworker/31:0-635928 [031] .... 12345.678901: mm_vmscan_direct_reclaim_begin: order=5 may_writepage=1 "
    "gfp_flags=GFP_NOFS|GFP_COMP\n"
    "    kworker/31:0-635928 [031] .... 12345.679901: mm_vmscan_direct_reclaim_end: nr_reclaimed=3067\n"
)


def test_each_kind_of_file_is_recognised_by_its_content() -> None:
    assert recognise(VMSTAT) == "vmstat"
    assert recognise(BUDDY) == "buddyinfo"
    assert recognise("Page block order: 9\nFree pages count per migrate type at order 0\n") == "pagetypeinfo"
    assert recognise("Node 0, zone      DMA\n  pages free     3966\n        min      12\n") == "zoneinfo"
    assert recognise(TRACE) == "trace"
    assert recognise("vm.min_free_kbytes = 409600\nvm.extfrag_threshold = 500\n") == "sysctl"


def test_prose_is_none_of_them() -> None:
    assert recognise("Dear colleague,\nthe machine failed again.\n") is None
    assert recognise("") is None


def test_a_prompt_before_the_counters_does_not_hide_them() -> None:
    assert recognise("$ cat /proc/vmstat | grep compact\ncompact_stall 87914\n") == "vmstat"


def test_a_file_with_two_readings_is_before_and_after() -> None:
    evidence = parse_evidence([("both", (VMSTAT + VMSTAT.replace("87914", "87920")).encode())])
    assert [snapshot.counters["compact_stall"] for snapshot in evidence.vmstat] == [87914, 87920]
    assert evidence.vmstat[1].lines["compact_stall"] == 7


def test_a_trace_gives_its_events_with_their_fields_and_lines() -> None:
    evidence = parse_evidence([("trace", TRACE.encode())])
    assert [event.name for event in evidence.events] == [
        "mm_vmscan_direct_reclaim_begin",
        "mm_vmscan_direct_reclaim_end",
    ]
    assert evidence.events[0].fields["gfp_flags"] == "GFP_NOFS|GFP_COMP"
    assert (evidence.events[1].fields["nr_reclaimed"], evidence.events[1].line, evidence.events[1].pid) == (
        "3067",
        3,
        635928,
    )


def test_a_file_of_another_kind_is_named_not_dropped() -> None:
    assert parse_evidence([("notes.txt", b"call me back")]).unknown == ("notes.txt",)
