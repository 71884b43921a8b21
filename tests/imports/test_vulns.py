"""CVE records become cases. The records here are made up; the corpus is measured by tests/score/retrieval.py."""

import io
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb import api
from kb.cases.fixstatus import fix_status
from kb.cli import main
from kb.errors import InputError
from kb.imports import build, vulns
from kb.imports.run import run
from kb.render.case import case_text
from kb.store import Store
from kb.store.dump import export, load
from kb.store.imports import Imports, Item

FIX, STABLE, BAD = "a" * 40, "b" * 40, "c" * 40
MBOX = """\
From bippy-1.2.0 Mon Sep 17 00:00:00 2001
From: Somebody <somebody@example.org>
To: <linux-cve-announce@vger.kernel.org>
Subject: CVE-2031-1234: foo: cancel the work before the ring
 goes

Description
===========

In the Linux kernel, the following vulnerability has been resolved:

foo: cancel the work before the ring goes

The reset work may run after the ring was freed, because nobody waits for it:

  BUG: KASAN: slab-use-after-free in foo_ring_poll+0x1a4/0x260 [foo]
  Read of size 8 at addr ffff888012345678 by task kworker/0:1/17
  Call Trace:
   foo_ring_poll+0x1a4/0x260 [foo]
   foo_reset_work+0x88/0x130 [foo]
   process_one_work+0x1f0/0x3e0

Cancel it.

The Linux kernel CVE team has assigned CVE-2031-1234 to this issue.


Affected files
==============

The file(s) affected by this issue are:
\tdrivers/net/foo/ring.c


Mitigation
==========
"""
DYAD = f"# dyad version: 1\n5.10:{BAD}:6.1.20:{STABLE}\n5.10:{BAD}:6.3:{FIX}\n"
LOG = b"""\
[  900.000001] BUG: KASAN: slab-use-after-free in foo_ring_poll.isra.0+0x99/0x360 [foo]
[  900.000002] Read of size 4 at addr ffff8880aaaaaaaa by task kworker/3:2/4711
[  900.000003] CPU: 3 PID: 4711 Comm: kworker/3:2 Not tainted 6.1.19 #1
[  900.000004] Call Trace:
[  900.000005]  foo_ring_poll.isra.0+0x99/0x360 [foo]
[  900.000006]  foo_reset_work+0x12/0x130 [foo]
"""


def tree(folder: Path, *names: str, text: str = MBOX) -> Path:
    for name in names or ("CVE-2031-1234",):
        place = folder / "cve" / "published" / name.split("-")[1]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{name}.mbox").write_text(text)
        (place / f"{name}.dyad").write_text(DYAD)
        (place / f"{name}.sha1").write_text(FIX + "\n")
    return folder


def test_a_record_becomes_a_case_with_all_it_says() -> None:
    known = vulns.known("CVE-2031-1234", MBOX, DYAD, FIX)
    assert known is not None
    case = known.case
    assert (case.id, case.status, case.kind) == ("cve-2031-1234", "imported", ("kasan",))
    assert case.title == "foo: cancel the work before the ring goes"
    assert case.summary == "The reset work may run after the ring was freed, because nobody waits for it:"
    assert case.subsystem == "foo"
    assert {"CVE-2031-1234", "drivers/net/foo/ring.c", "foo_ring_poll", "foo_reset_work"} <= set(case.keywords)
    assert [(fix.branch, fix.since, fix.commit) for fix in case.fixes] == [
        ("mainline", "6.3", FIX), ("6.1", "6.1.20", STABLE),
    ]  # fmt: skip
    assert [(each.kernel, each.note) for each in case.affected] == [(">= 5.10, < 6.3", "introduced by cccccccccccc")]
    assert known.commits == (FIX, STABLE)
    assert [row.frames for row in known.stacks] == [("foo_ring_poll", "foo_reset_work", "process_one_work")]


def test_a_record_without_a_splat_is_no_case_unless_all_are_asked_for() -> None:
    text = MBOX.replace("KASAN", "").replace("+0x", " ").replace("Call Trace:", "").replace("BUG:", "")
    assert vulns.known("CVE-2031-1", text, DYAD, FIX) is None
    known = vulns.known("CVE-2031-1", text, DYAD, FIX, everything=True)
    assert known is not None
    assert (known.case.signatures, known.stacks) == ((), ())


@pytest.mark.parametrize(
    ("dyad", "ranges"),
    [
        (f"0:0:6.3:{FIX}", ["< 6.3"]),
        (f"5.10:{BAD}:0:0", [">= 5.10"]),
        (f"5.10:{BAD}:5.15.3:{STABLE}\n5.10:{BAD}:6.3:{FIX}", [">= 5.10, < 6.3"]),
        # brought into a stable branch by a backport, mended there and in mainline
        (f"6.1.5:{STABLE}:6.1.9:{BAD}\n6.2:{BAD}:6.3:{FIX}", [">= 6.1.5, < 6.1.9", ">= 6.2, < 6.3"]),
        # brought in and mended by the same release: no release has it
        (f"6.12.5:{STABLE}:6.12.5:{BAD}\n6.15:{BAD}:7.2:{FIX}", [">= 6.15, < 7.2"]),
        (f"6.1.5:{STABLE}:0:0", [">= 6.1.5, < 6.2"]),
        ("", []),
    ],
)
def test_the_dyad_says_which_releases_are_affected(dyad: str, ranges: list[str]) -> None:
    known = vulns.known("CVE-2031-1234", MBOX, dyad, FIX)
    assert known is not None
    assert [each.kernel for each in known.case.affected] == ranges


@pytest.mark.parametrize(
    ("kernel", "status"),
    [
        ("5.4.7", "unknown"), ("5.15.3", "affected"), ("6.1.19", "affected"), ("6.1.20", "fixed"),
        ("6.2.1", "affected"), ("6.3", "fixed"), ("6.10.2", "fixed"), ("6.1.30-mine", "fixed"),
        ("6.1.10-mine", "affected"), ("6.1.0-18-amd64", "unknown"), ("5.14.0-427.el9.x86_64", "unknown"),
        ("5.15.0-91-generic", "unknown"), ("6.1.25-1.amzn2023", "fixed"), ("6.1.10-1.amzn2023", "unknown"),
        ("6.8.0-31-generic", "fixed"),
    ],
)  # fmt: skip
def test_fix_status_goes_by_mainline_stable_and_what_a_distribution_s_number_tells(kernel: str, status: str) -> None:
    known = vulns.known("CVE-2031-1234", MBOX, DYAD, FIX)
    assert known is not None
    found = fix_status(known.case, kernel)
    assert found.status == status
    assert found.reason


def test_an_import_links_a_log_of_another_kernel(tmp_path: Path) -> None:
    with api.KnowledgeBase(tmp_path / "kb.db") as base:
        done = run(base.store, "vulns", [str(tree(tmp_path))])
        assert (done.read, done.cases, done.known) == (1, 1, 0)
        (report,) = base.read(LOG)
        diagnosis = base.diagnose(report)
    assert diagnosis.best is not None
    assert (diagnosis.best.case.id, diagnosis.best.how) == ("cve-2031-1234", "signature")
    assert diagnosis.best.fix_status == "affected"
    assert [each.case for each in diagnosis.similar] == ["cve-2031-1234"]


def test_importing_again_changes_nothing_and_a_changed_record_is_read_again(tmp_path: Path) -> None:
    folder = tree(tmp_path, "CVE-2031-1001", "CVE-2031-1002")
    with Store(tmp_path / "kb.db") as store:
        assert run(store, "vulns", [str(folder)]).cases == 2
        again = run(store, "vulns", [str(folder)])
        assert (again.cases, again.known) == (0, 2)
        path = folder / "cve/published/2031/CVE-2031-1002.mbox"
        path.write_text(path.read_text().replace("foo_ring_poll", "foo_ring_push"))
        assert run(store, "vulns", [str(folder)]).cases == 1
        case = Imports(store).get("CVE-2031-1002")
        assert case is not None
        assert "foo_ring_push" in case.keywords
        assert len(Imports(store)) == 2
        assert store.check() == []


def test_a_stopped_import_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tree(tmp_path, *(f"CVE-2031-{number}" for number in range(1001, 1011)))
    monkeypatch.setattr("kb.imports.run.BATCH", 4)
    whole, read = vulns.items, 0

    def stops(*arguments: object, **options: object):  # type: ignore[no-untyped-def]
        nonlocal read
        for item in whole(*arguments, **options):  # type: ignore[arg-type]
            read += 1
            if read == 7:
                raise KeyboardInterrupt
            yield item

    with Store(tmp_path / "kb.db") as store:
        monkeypatch.setattr(vulns, "items", stops)
        with pytest.raises(KeyboardInterrupt):
            run(store, "vulns", [str(folder)])
        assert len(Imports(store)) == 4
        monkeypatch.setattr(vulns, "items", whole)
        done = run(store, "vulns", [str(folder)])
        assert (done.read, done.cases, done.known) == (10, 6, 4)


def test_a_folder_without_records_is_an_error_with_advice(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no CVE records"):
        vulns.records(tmp_path)


def test_a_year_of_the_tree_is_taken_too(tmp_path: Path) -> None:
    folder = tree(tmp_path, "CVE-2031-2000", "CVE-2031-10000")
    assert [path.stem for path in vulns.records(folder / "cve/published/2031")] == ["CVE-2031-2000", "CVE-2031-10000"]


def test_a_record_of_odd_bytes_is_read(tmp_path: Path) -> None:
    folder = tree(tmp_path)
    path = folder / "cve/published/2031/CVE-2031-1234.mbox"
    path.write_bytes(MBOX.encode().replace(b"nobody", b"n\xffb\xc3\x28dy"))
    with Store(tmp_path / "kb.db") as store:
        assert run(store, "vulns", [str(folder)]).cases == 1


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_a_bar_on_a_terminal_and_lines_elsewhere(tmp_path: Path) -> None:
    folder = tree(tmp_path, "CVE-2031-1001", "CVE-2031-1002")
    live, file = Terminal(), io.StringIO()
    with Store(tmp_path / "kb.db") as store:
        run(store, "vulns", [str(folder)], progress=live)
        run(store, "vulns", [str(folder)], progress=file)
    assert live.getvalue().endswith("\r[####################] 100 % vulns: 2/2 read, 2 cases\x1b[K\n")
    assert file.getvalue() == "kb: vulns: 2/2 read, 0 cases\n"


@pytest.mark.parametrize("odd", ["\x7f", "\x9b31m", "\x1b[2J", "\x00", "\udcff", "\U000e0041", "\u202e"])
def test_a_case_holds_any_text_and_is_read_again(odd: str, tmp_path: Path) -> None:
    known = vulns.known("CVE-2031-1234", MBOX.replace("the ring", f"the {odd} ring"), DYAD, FIX)
    assert known is not None
    with Store(tmp_path / "kb.db") as store:
        Imports(store).put([Item("vulns", "CVE-2031-1234", b"1", known)])
        (case,) = Imports(store)
        assert case.title == known.case.title
        case_text(case).encode()
        assert Imports(store).by_commit(FIX) == case
        store.search("ring")
        lines = list(export(store))
        assert all(line.isascii() and line.strip().isprintable() for line in lines)
    with Store(tmp_path / "new.db") as store:
        load(store, lines)
        assert list(Imports(store)) == [case]


BAD_DYADS = (
    f"6.1.x:{BAD}:6.3:{FIX}", f"next:{BAD}:6.3:{FIX}", f"5.10:{BAD}:six:{FIX}", f"1:{BAD}:2:{FIX}",
    f"5.10:{BAD}:{'9' * 5000}.1:{FIX}", f"5.10:{BAD}:../../x:{FIX}", f"..:{BAD}:..:{FIX}", f"6.1.5-:{BAD}:0:0",
)  # fmt: skip


@pytest.mark.parametrize("dyad", BAD_DYADS, ids=range(len(BAD_DYADS)))
def test_a_bad_record_is_named_counted_and_skipped(dyad: str, tmp_path: Path) -> None:
    folder = tree(tmp_path, "CVE-2031-1234", "CVE-2031-1235", "CVE-2031-1236")
    (folder / "cve/published/2031/CVE-2031-1235.dyad").write_text(dyad)
    told: list[str] = []
    with Store(tmp_path / "kb.db") as store:
        done = run(store, "vulns", [str(folder)], bad=lambda name, why: told.append(name))
        assert (done.read, done.cases, done.bad, done.passed_over) == (3, 2, 1, 0)
        assert told == ["CVE-2031-1235"]
        again = run(store, "vulns", [str(folder)])
        assert (again.cases, again.known, again.bad) == (0, 2, 1)  # it is looked at again: it may be mended


@settings(max_examples=300)
@given(
    dyad=st.text(max_size=60) | st.from_regex(r"(?:\S{1,9}:[0-9a-f]{1,9}:\S{1,9}:[0-9a-f]{1,9}\n){1,3}"),
    sha1=st.text(max_size=20),
)
def test_whatever_stands_beside_a_record_it_is_a_case_or_bad(dyad: str, sha1: str) -> None:
    told: list[str] = []
    known = build.guarded(
        lambda: vulns.known("CVE-2031-1234", MBOX, dyad, sha1), "x", lambda name, why: told.append(why)
    )
    assert (known is None) == bool(told)
    assert all(why and len(why) < 500 for why in told)
    if known is not None:
        fix_status(known.case, "6.1.19")


def test_what_was_passed_over_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tree(tmp_path, "CVE-2031-1234", "CVE-2031-1235")
    plain = tree(tmp_path, "CVE-2031-2", "CVE-2031-20000", "CVE-2031-20001", text="Subject: no splat\n\nWords.\n")
    (plain / "cve/published/2031/CVE-2031-1235.dyad").write_text(BAD_DYADS[0])
    assert main(["import", "vulns", str(folder), "--db", str(tmp_path / "kb.db")]) == 0
    out, err = capsys.readouterr()
    assert out == "4 read, 1 cases written, 2 passed over, 1 bad\n"
    assert "kb: CVE-2031-1235: passed over: the dyad names '6.1.x', which is no release\n" in err


@pytest.mark.parametrize("way", ["fifo", "kmsg", "out", "folder", "large", "latin"])
def test_a_record_s_file_that_is_none_is_a_bad_record(way: str, tmp_path: Path) -> None:
    folder = tree(tmp_path / "vulns", "CVE-2031-1234", "CVE-2031-1235")
    path = folder / "cve/published/2031/CVE-2031-1235.mbox"
    path.unlink()
    (tmp_path / "out").write_text(MBOX)
    {
        "fifo": lambda: os.mkfifo(path), "kmsg": lambda: path.symlink_to("/proc/kmsg"), "folder": path.mkdir,
        "out": lambda: path.symlink_to(tmp_path / "out"), "large": lambda: path.write_text("x" * (2 << 20)),
        "latin": lambda: path.write_bytes(MBOX.encode() + b"\xff\x00"),
    }[way]()  # fmt: skip
    with Store(tmp_path / "kb.db") as store:
        done = run(store, "vulns", [str(folder)])
        assert (done.read, done.bad) == (2, int(way != "latin"))
