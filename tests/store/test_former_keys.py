"""A store that was written when keys had their first form: it opens, and what people wrote follows."""

import gzip
from pathlib import Path

import pytest

from kb import api
from kb.imports.rekey import rekey

DATA = Path(__file__).parent / "data"
INODE = b"[    1.000000] kernel BUG at fs/ext4/inode.c:100!\n[    1.100000] Modules linked in: a\n"
XFS = (
    b"[   10.036682] XFS (vda4): Metadata corruption detected at xfs_buf_ioend+0x162/0x570 [xfs], xfs_agf block 0x1 \n"
    b"[   10.039337] XFS (vda4): Unmount and run xfs_repair\n"
)
WARN = (
    b"[    2.000000] WARNING: CPU: 0 PID: 7 at a/b.c:3 foo_warn+0x1/0x2 [foo]\n[    2.000001] Call Trace:\n"
    b"[    2.000002]  foo_warn+0x1/0x2 [foo]\n[    2.000003]  foo_top+0x1/0x2 [foo]\n"
)
FORMER = {INODE: "kb1:0f8d119208c27769", XFS: "kb1:1ecc870ed528748c", WARN: "kb1:ba16f88c1365d790"}
NOTES = {INODE: ["about inode"], XFS: ["about xfs"], WARN: ["about warn"]}


@pytest.fixture
def former(tmp_path: Path) -> Path:
    """Three signatures, each with a sighting and a note."""
    path = tmp_path / "kb.db"
    path.write_bytes(gzip.decompress((DATA / "keys-1.db.gz").read_bytes()))
    return path


def test_it_opens_and_the_former_ids_answer(former: Path) -> None:
    with api.KnowledgeBase(former) as base:
        for log, old in FORMER.items():
            assert [note.body for note in base.show(old).annotations] == NOTES[log]


def test_keys_that_are_as_they_were_keep_their_ids(former: Path) -> None:
    with api.KnowledgeBase(former) as base:
        (report,) = base.read(WARN)
        assert base.record(report, host="other").count == 2


def test_rekeyed_the_notes_stand_with_the_new_ids_and_the_old_ones_resolve(former: Path) -> None:
    with api.KnowledgeBase(former) as base:
        assert rekey(base.store).renamed == 2
        assert rekey(base.store).renamed == 0
        for log, old in FORMER.items():
            (report,) = base.read(log)
            new = base.diagnose(report).signature.id
            assert base.show(new) == base.show(old)
            assert [note.body for note in base.show(new).annotations] == NOTES[log]
            assert base.show(new).row.count == 1
            assert not base.record(report, host=base.show(new).sightings[0].host).new
        assert base.store.check() == []


@pytest.mark.parametrize("log", [INODE, XFS])
def test_before_that_the_former_signature_is_found_from_the_new_one(former: Path, log: bytes) -> None:
    with api.KnowledgeBase(former) as base:
        (report,) = base.read(log)
        mark = base.diagnose(report).signature
        assert mark.id.startswith("kb2:")
        assert FORMER[log] in mark.former
        assert FORMER[log] not in mark.alt
        base.record(report, host="other")
        assert [note.body for note in base.show(mark.id).annotations] == NOTES[log]
        similar = [each.signature for each in base.diagnose(report).similar]
        assert (FORMER[log] in similar) == (log is XFS)  # without a stack nothing was kept to be found by


def test_of_two_bugs_that_had_one_key_each_keeps_its_own_and_finds_the_notes(former: Path) -> None:
    other = INODE.replace(b"fs/ext4/inode.c", b"net/core/skbuff.c")
    with api.KnowledgeBase(former) as base:
        rekey(base.store)
        (report,) = base.read(other)
        sighting = base.record(report, host="other")
        assert (sighting.new, sighting.count) == (True, 1)
        assert FORMER[INODE] in base.diagnose(report).signature.former
        assert [note.body for note in base.show(sighting.signature).annotations] == NOTES[INODE]
        (inode,) = base.read(INODE)
        assert base.show(FORMER[INODE]).row.signature == base.diagnose(inode).signature.id
        assert FORMER[INODE] not in base.diagnose(report).signature.alt
        assert base.store.check() == []
