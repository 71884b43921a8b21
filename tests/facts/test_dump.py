"""Pages, refused copies and disks' answers; our own logs, and reports after the kernel's print functions."""

from pathlib import Path

import pytest

from kb import api
from kb.facts.dump import dump_facts
from kb.model.report import Report
from kb.model.verdict import Diagnosis
from kb.parse.report import parse
from kb.split.windows import split_lines
from kb.syntax.engine import split

DATA = Path(__file__).parent.parent / "parse/data"


def diagnose(log: bytes) -> Diagnosis:
    return api.match(log, cases=())[0]


def values(found: Diagnosis, prefix: str) -> dict[str, object]:
    return {name: fact.value for name, fact in found.facts.values.items() if name.startswith(prefix)}


def test_a_bad_page_bears_its_dump() -> None:
    found = diagnose((DATA / "bad-page.txt").read_bytes().partition(b"\n\n")[2])
    assert values(found, "page_") == {
        "page_reason": "non-NULL mapping",
        "page_refcount": 0,
        "page_mapcount": 0,
        "page_mapping": "0xdeadbeef",
    }
    (reason,) = (reason for reason in found.facts.reasoning if "page is bad" in reason.claim)
    assert reason.because == (
        "it is freed while a file or an anonymous mapping still owns it; refcount 0, mapping 0xdeadbeef"
    )
    assert reason.evidence == ((2, 2), (3, 3), (5, 5))


def test_our_own_bad_pages(corpus: Path) -> None:
    first, second = api.match(corpus / "vm/056-badpage-late-61.log", cases=())[:2]
    assert values(first, "page_")["page_reason"] == "non-NULL mapping"
    assert values(second, "page_")["page_reason"] == "nonzero mapcount"
    assert values(second, "page_")["page_mapcount"] == 4
    claims = {reason.claim: reason.because for reason in second.facts.reasoning}
    assert claims["the page is bad: nonzero mapcount"] == (
        "it is freed while it is still mapped; refcount 0, mapcount 4"
    )


OLD = b"""\
BUG: Bad page state in process foo  pfn:12345
page:ffffea0002168f00 count:-1 mapcount:-128 mapping:          (null) index:0x1
flags: 0x2fffff00000074(referenced|dirty|lru|active)
page dumped because: PAGE_FLAGS_CHECK_AT_FREE flag(s) set
bad because of flags: 0x60(lru|active)
CPU: 0 PID: 1 Comm: foo Not tainted 4.9.0 #1
Call Trace:
 [<ffffffff81163b2e>] bad_page+0xce/0x130
 [<ffffffff811b52a4>] foo_free+0x40/0x60
"""


def test_an_older_page_dump_is_read() -> None:
    assert values(diagnose(OLD), "page_") == {
        "page_reason": "PAGE_FLAGS_CHECK_AT_FREE flag(s) set",
        "page_refcount": -1,
        "page_mapcount": -128,
        "page_flags": ("referenced", "dirty", "lru", "active"),
    }


def copied(text: str) -> dict[str, object]:
    report: Report = parse(next(iter(split_lines(split(text)))))
    return {name: fact.value for name, fact in dump_facts(report).values.items() if name.startswith("copy_")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "usercopy: Kernel memory exposure attempt detected from SLUB object 'cpumask' (offset 8, size 16)!",
            {
                "copy_way": "exposure",
                "copy_object": "cpumask",
                "copy_place": "SLUB object",
                "copy_offset": 8,
                "copy_size": 16,
            },
        ),
        (
            "usercopy: Kernel memory overwrite attempt detected to kernel text (offset 22791744, size 7)!",
            {"copy_way": "overwrite", "copy_place": "kernel text", "copy_offset": 22791744, "copy_size": 7},
        ),
        (
            "usercopy: kernel memory exposure attempt detected from ffff8801d4310630 (foo_cache) (11 bytes)",
            {"copy_way": "exposure", "copy_object": "foo_cache", "copy_size": 11},
        ),
        (
            'memcpy: detected field-spanning write (size 24) of single field "dst->data" at net/foo.c:12 (size 16)',
            {"copy_way": "write", "copy_object": "dst->data", "copy_size": 24, "copy_room": 16},
        ),
        (
            "memcpy: detected buffer overflow: 24 byte write of buffer size 16",
            {"copy_way": "write", "copy_size": 24, "copy_room": 16},
        ),
    ],
)
def test_a_copy_bears_what_its_headline_says(text: str, expected: dict[str, object]) -> None:
    assert copied(text) == expected


def test_a_disk_that_refused_a_command_by_itself(corpus: Path) -> None:
    found = api.match(corpus / "vm/134-ata-ioerror-61.log", cases=())[0]
    assert values(found, "ata_") == {
        "ata_command": "READ DMA",
        "ata_emask": "0x1",
        "ata_reason": "device error",
        "ata_status": "DRDY ERR",
        "ata_error": "ABRT",
    }
    assert values(found, "scsi_") == {
        "scsi_command": "Read(10)",
        "scsi_hostbyte": "DID_OK",
        "scsi_driverbyte": "DRIVER_OK",
        "scsi_sense": "Aborted Command",
        "scsi_reason": "No additional sense information",
    }
    (reason,) = (reason for reason in found.facts.reasoning if "refused" in reason.claim)
    assert (reason.claim, reason.because) == (
        "the disk itself refused the command READ DMA",
        "device error, error ABRT, sense Aborted Command",
    )


def test_an_adapter_that_lost_the_disk_is_told_from_the_disk() -> None:
    log = b"""\
sd 2:0:0:0: [sdb] tag#3 FAILED Result: hostbyte=DID_NO_CONNECT driverbyte=DRIVER_OK cmd_age=30s
sd 2:0:0:0: [sdb] tag#3 CDB: Write(10) 2a 00 00 00 ea 56 00 00 28 00
I/O error, dev sdb, sector 59990 op 0x1:(WRITE) flags 0x800 phys_seg 5 prio class 2
"""
    found = diagnose(log)
    assert values(found, "scsi_") == {
        "scsi_hostbyte": "DID_NO_CONNECT",
        "scsi_driverbyte": "DRIVER_OK",
        "scsi_command": "Write(10)",
    }
    (reason,) = found.facts.reasoning
    assert reason.claim == ("the command Write(10) did not reach the disk, or its answer was lost: DID_NO_CONNECT")


def test_reports_cut_anywhere_say_less_and_never_raise() -> None:
    lines = OLD.splitlines(keepends=True)
    for end in range(1, len(lines)):
        api.match(b"".join(lines[:end]), cases=())
