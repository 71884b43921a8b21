"""The pack of known fixes: facts only, deterministic, of this version's keys, and what is made of it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from kb import api
from kb.cli import main
from kb.errors import InputError
from kb.identity.signature import VERSION, identifier
from kb.imports import build, vulns
from kb.imports.pack import splat
from kb.known import index, pack
from kb.known.lacking import lacking, made_from, modules_of
from kb.store.base import Store
from kb.store.imports import Imports
from kb.store.similar import Stacks

MBOX = """From: a
Subject: CVE-2031-0007: foo: keep the ring until the work is done

In the Linux kernel, the following vulnerability has been resolved:

foo: keep the ring until the work is done

Somebody wrote this sentence about the ring.

[   12.354615] BUG: KASAN: slab-use-after-free in foo_ring_poll+0x10/0x20 [foo]
[   12.354616] Read of size 8 at addr ffff888012345678 by task kworker/0:1/12
[   12.354617] CPU: 0 PID: 12 Comm: kworker/0:1 Not tainted 6.1.0 #1
[   12.354618] Call Trace:
[   12.354619]  foo_ring_poll+0x10/0x20 [foo]
[   12.354620]  foo_reset_work+0x30/0x40 [foo]
[   12.354621]  foo_flush+0x30/0x40 [foo]
[   12.354622]  process_one_work+0x1a0/0x3b0

The Linux kernel CVE team has assigned CVE-2031-0007 to this issue.

The file(s) affected by this issue are:
\tdrivers/net/foo/ring.c

"""
MAIN, STABLE, BROKE = "a" * 40, "b" * 40, "c" * 40
DYAD = f"5.10:{BROKE}:6.1.9:{STABLE}\n5.10:{BROKE}:6.3:{MAIN}\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "vulns/cve/published/2031"
    folder.mkdir(parents=True)
    (folder / "CVE-2031-0007.mbox").write_text(MBOX)
    (folder / "CVE-2031-0007.dyad").write_text(DYAD)
    (folder / "CVE-2031-0007.sha1").write_text(MAIN + "\n")
    (folder / "CVE-2031-0008.mbox").write_text("Subject: CVE-2031-0008: no splat\n\nnothing\n")
    return tmp_path / "vulns"


def made(tree: Path, name: str = "made.ndjson") -> Path:
    target = tree.parent / name
    assert main(["import", "vulns", str(tree), "--pack", str(target)]) == 0
    return target


def test_a_pack_holds_facts_and_no_sentence_of_others(tree: Path) -> None:
    text = made(tree).read_text()
    head, row = map(json.loads, text.splitlines())
    assert (head["schema"], head["records"], head["keys"]) == ("kb.known/1", 1, VERSION)
    assert row["id"] == "CVE-2031-0007"
    assert row["fixed"] == {"6.3": MAIN, "6.1.9": STABLE}
    assert row["splats"][0]["title"] == "KASAN: slab-use-after-free Read in foo_ring_poll"
    assert row["splats"][0]["module"] == "foo"
    for words in ("sentence", "keep the ring", "work is done"):
        assert words not in text


def test_equal_records_make_equal_bytes(tree: Path) -> None:
    assert made(tree).read_bytes() == made(tree, "again.ndjson").read_bytes()


def test_the_difference_of_two_packs_is_told_a_line_a_change(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = made(tree)
    new = old.with_name("new.ndjson")
    new.write_text(old.read_text().replace('"6.1.9"', '"6.1.8"'))
    capsys.readouterr()
    assert main(["known", "diff", str(old), str(old)]) == 0
    assert main(["known", "diff", str(old), str(new)]) == 1
    assert capsys.readouterr().out == f"~ CVE-2031-0007 fixed: -6.1.9 ({STABLE}) +6.1.8 ({STABLE})\n"


def test_what_is_no_pack_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("{}\n")
    with pytest.raises(InputError, match="not a pack"):
        pack.read(other)


def test_the_pack_is_small_and_its_keys_are_of_this_version() -> None:
    head, read = pack.read()
    assert (head.keys, head.readings) == (VERSION, build.VERSION)
    rows = list(read)
    for row in rows:
        for each in row["splats"]:
            plain = identifier(f"{each['kind']}|{each['title']}")
            assert plain in each["keys"] or not each["keys"] or each["keys"][0].startswith("kb2:")
    assert len(rows) == head.records
    assert pack.PACKED.stat().st_size <= 5 << 20


def test_the_pack_says_what_this_version_reads_in_the_records(corpus: Path) -> None:
    folder = corpus / "vulns"
    if not folder.is_dir():
        pytest.skip("no records beside the checkout")
    rows = {row["id"]: row for row in pack.read()[1]}
    differ = []
    for path in vulns.records(folder):
        row = rows.get(path.stem)
        reports = vulns.quoted(path.stem, vulns.parts(path, folder)[0])
        mine = [pack._splat(one) for one in dict.fromkeys(map(splat, reports))]
        if (row["splats"] if row is not None else []) != mine:
            differ.append(path.stem)
    assert len(differ) <= 5, differ  # records change upstream, too


def test_the_index_says_what_the_pack_says(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "index.db"
    assert index.build(target, made(tree)) == 1
    with contextlib.closing(sqlite3.connect(target)) as db:
        assert db.execute("select count(*) from stacks").fetchone() == (1,)
    monkeypatch.setattr(index, "BUILT", target)
    index.opened.cache_clear()
    try:
        store = index.opened()
        assert store is not None
        case = Imports(store).get("CVE-2031-0007")
        assert case is not None
        assert [fix.since for fix in case.fixes] == ["6.3", "6.1.9"]
        assert index.head(store).records == 1
        log = "".join(line + "\n" for line in MBOX.splitlines() if line.startswith("[")).replace("12.354", "99.111")
        found = api.match(log.encode())
        assert [(fix.case.id, fix.verdict.value) for fix in found[0].known_fixes] == [("cve-2031-0007", "yes")]
        assert found[0].known
        row = found[0].to_json()
        assert row["matches"] == []
        assert row["known_fixes"][0]["id"] == "CVE-2031-0007"
        other = api.match(log.replace("foo_ring_poll", "bar_other").encode())
        assert [fix for fix in other[0].known_fixes if fix.verdict.value == "yes"] == []
        for kernel, affected in (("6.1.8", 1), ("6.1.9", 0), ("5.9", 0)):
            assert lacking(None, kernel).counts["affected"] == affected
        assert len(lacking(None, "6.1.8", modules=["foo"]).lacks) == 1
        assert lacking(None, "6.1.8", modules=["bar"]).lacks == ()
        assert lacking(None, "6.1.8", files=["drivers/net"]).counts["affected"] == 1
    finally:
        monkeypatch.undo()
        index.opened.cache_clear()


def test_an_index_in_use_is_none_that_another_kb_clears_away(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "PACKED", made(tree))
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda _name: str(tmp_path))
    used, left = index._cached(), tmp_path / "known/another.db"
    assert used is not None
    left.write_bytes(b"")
    for old in (used, left):
        os.utime(old, (0, 0))
    assert index._cached() == used
    os.utime(index.PACKED, (1, 1))  # as one of another version
    assert index._cached() not in (None, used)
    assert used.exists()
    assert not left.exists()


def test_a_list_of_modules_is_read_as_lsmod_prints_it() -> None:
    text = "Module                  Size  Used by\next4                  1 0\nnf-tables 1 0\n"
    assert modules_of([text, "mlx5_core"]) == ("ext4", "nf_tables", "mlx5_core")


@pytest.mark.parametrize(
    ("module", "path", "is_made"),
    [
        ("ext4", "fs/ext4/inode.c", True), ("nf_tables", "net/netfilter/nf_tables_api.c", True),
        ("mlx5_core", "drivers/net/ethernet/mellanox/mlx5/core/main.c", True), ("ext", "fs/ext4/inode.c", False),
        ("xfs", "fs/ext4/inode.c", False),
    ],
)  # fmt: skip
def test_a_module_is_told_by_its_file_or_folder(module: str, path: str, is_made: bool) -> None:
    assert made_from(module, path) is is_made


def test_exit_codes_of_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["affected", "--kernel", "6.1.90", "--json"]) == 1
    row = json.loads(capsys.readouterr().out)
    assert row["schema"] == "kb.affected-list/1"
    assert row["counts"]["affected"] == len(row["lacks"]) > 1000
    assert main(["affected", "--kernel", "9.9"]) == 0
    assert main(["affected", "--kernel", "5.14.0-427.el9.x86_64"]) == 3


def test_no_look_up_reads_more_where_there_are_more_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each statement of a look-up finds its rows by an index: a scan of a table grows with the records."""
    asked: dict[str, Any] = {}
    rows = Store.rows

    def told(self: Store, sql: str, values: Iterable[Any] = ()) -> list[Any]:
        asked.setdefault(sql, given := tuple(values))
        return rows(self, sql, given)

    monkeypatch.setattr(Store, "rows", told)
    store = index.opened()
    assert store is not None
    _, first = pack.read()
    frames = next(row["splats"][0]["frames"].split() for row in first if row["splats"][0]["keys"])
    log = "[    1.0] BUG: KASAN: use-after-free in {0}+0x1/0x2\n[    1.0] Call Trace:\n" + "".join(
        f"[    1.0]  {name}+0x1/0x2\n" for name in frames
    )
    for text in (log.format(frames[0]), "\n".join(line for line in MBOX.splitlines() if line.startswith("["))):
        assert api.match(text)
    assert Stacks(store).of_case("cve-2024-26700")
    monkeypatch.undo()
    assert len(asked) > 4
    for sql, given in asked.items():
        for *_, step in store.rows(f"explain query plan {sql}", given):
            assert not re.match(r"SCAN (s|p|c|i|stacks|postings|imported|frames|case_signatures)\b", step), (sql, step)
