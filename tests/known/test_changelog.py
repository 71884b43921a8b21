"""What a distribution's changelog says of its builds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kb import api
from kb.errors import InputError
from kb.identity.signature import signature
from kb.imports.changelog import read
from kb.kernel.release import Release
from kb.known import index
from kb.known.distribution import held, keep, kept, status
from kb.known.pack import subject_id
from kb.model.case import Affected, Case, Fix

RPM = """* Thu Mar 28 2024 A B <a@example.com> [5.14.0-427.13.1.el9_4]
- foo: keep the ring (Some Body) [RHEL-1234] {CVE-2031-0007}

* Thu Mar 21 2024 A B <a@example.com> [5.14.0-427.el9]
- bar: check the length (X Y) [RHEL-2]

* Mon Aug 02 2021 A B <a@example.com> [5.14.0-1.el9]
- first
"""
DEB = """linux (6.1.20-2) bookworm-security; urgency=high

  * New upstream stable update:
    - [x86] foo: keep the
      ring (CVE-2031-0007)

 -- A B <a@example.com>  Mon, 26 Aug 2024 22:12:35 +0200

linux (6.1.15-1) bookworm; urgency=medium

  * Bump ABI to 6

 -- A B <a@example.com>  Mon, 26 Aug 2023 22:12:35 +0200
"""
KNOWN = frozenset({"cve-2031-0007", "cve-2031-0009", "cve-2031-0011"})
SUBJECTS = {subject_id("bar: check the length"): "cve-2031-0009"}


def case(case_id: str, since: str, stable: str = "6.1.18") -> Case:
    fixes = (Fix("a" * 40, "", "6.3"), Fix("b" * 40, "", stable, "6.1"))
    return Case(case_id, "", ("kasan",), "imported", "", affected=(Affected(f">= {since}, < 6.3"),), fixes=fixes)


def said(text: str, kernel: str, of: Case) -> str:
    release = Release.parse(kernel)
    assert release is not None
    return status(of, release, held([read(text, SUBJECTS, KNOWN)], release)).status


def test_a_build_holds_what_it_and_all_before_it_brought() -> None:
    for kernel, cve, expected in (
        ("5.14.0-427.13.1.el9_4.x86_64", "cve-2031-0007", "fixed"),
        ("5.14.0-427.el9.x86_64", "cve-2031-0007", "affected"),
        ("5.14.0-427.el9.x86_64", "cve-2031-0009", "fixed"),
        ("5.14.0-1.el9.x86_64", "cve-2031-0009", "affected"),
        ("5.14.0-500.el9.x86_64", "cve-2031-0009", "unknown"),
    ):
        assert said(RPM, kernel, case(cve, "5.10")) == expected, kernel


def test_what_came_after_the_base_may_be_there_or_not() -> None:
    assert said(RPM, "5.14.0-427.el9.x86_64", case("cve-2031-0011", "5.15")) == "unknown"


def test_a_changelog_that_was_cut_proves_no_absence() -> None:
    late = RPM.partition("* Mon Aug")[0]
    assert said(late, "5.14.0-427.el9.x86_64", case("cve-2031-0007", "5.10")) == "unknown"


def test_debian_tells_the_stable_release_behind_an_abi() -> None:
    for kernel, of, expected in (
        ("6.1.0-6-amd64", case("cve-2031-0011", "5.10"), "affected"),  # 6.1.15, the first build of the ABI
        ("6.1.20-2", case("cve-2031-0011", "5.10"), "fixed"),
        ("6.1.20-2", case("cve-2031-0007", "5.10", "6.1.30"), "fixed"),
        ("6.1.0-7-amd64", case("cve-2031-0007", "5.10"), "unknown"),
    ):
        assert said(DEB, kernel, of) == expected, kernel


def test_changelogs_are_kept_beside_the_store(tmp_path: Path) -> None:
    log = read(RPM, SUBJECTS, KNOWN)
    keep(tmp_path / "kb.db", log)
    (tmp_path / "kb.db-changelogs/broken.json").write_text("{")
    assert kept(tmp_path / "kb.db") == [log]


def test_what_is_no_changelog_is_refused() -> None:
    with pytest.raises(InputError):
        read("nothing\n", {}, frozenset())


SPLAT = """[    1.000001] BUG: KASAN: slab-use-after-free in foo_ring_poll+0x10/0x20 [foo]
[    1.000002] Read of size 8 at addr ffff888012345678 by task kworker/0:1/12
[    1.000003] CPU: 0 PID: 12 Comm: kworker/0:1 Not tainted {kernel} #1
[    1.000004] Call Trace:
[    1.000005]  foo_ring_poll+0x10/0x20 [foo]
[    1.000006]  foo_reset_work+0x30/0x40 [foo]
[    1.000007]  process_one_work+0x1a0/0x3b0
"""


@pytest.mark.parametrize(
    ("kernel", "verdict", "fix"),
    [
        ("5.14.0-427.13.1.el9_4.x86_64", "maybe", "fixed"),
        ("5.14.0-427.el9.x86_64", "yes", "affected"),
        ("5.14.0-500.el9.x86_64", "yes", "unknown"),
    ],
)
def test_a_distribution_s_word_stands_behind_the_known_fixes_of_a_report(
    kernel: str, verdict: str, fix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (report,) = api.read(SPLAT.format(kernel="6.1.5"))
    row = {
        "id": "CVE-2031-0007", "commit": "a" * 40, "subject": subject_id("foo: keep the ring"),
        "fixed": {"6.3": "a" * 40}, "affected": {">= 5.10, < 6.3": "c" * 40}, "files": ["drivers/net/foo/ring.c"],
        "splats": [{
            "kind": report.kind, "title": report.title, "function": report.function, "keys": [signature(report).id],
            "frames": "foo_ring_poll foo_reset_work process_one_work",
        }],
    }  # fmt: skip
    head = {"schema": "kb.known/1", "commit": None, "date": None, "keys": 2, "readings": 1, "records": 1}
    pack = tmp_path / "pack.ndjson"
    pack.write_text("".join(json.dumps(each) + "\n" for each in (head, row)))
    index.build(tmp_path / "index.db", pack)
    monkeypatch.setattr(index, "BUILT", tmp_path / "index.db")
    index.opened.cache_clear()
    keep(tmp_path / "kb.db", read(RPM, SUBJECTS, KNOWN))
    try:
        with api.KnowledgeBase(tmp_path / "kb.db") as base:
            (report,) = base.read(SPLAT.format(kernel=kernel))
            (found,) = base.diagnose(report).known_fixes
    finally:
        monkeypatch.undo()
        index.opened.cache_clear()
    assert (found.verdict.value, found.fix_status) == (verdict, fix)
    assert found.fix_reason
