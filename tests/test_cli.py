"""The command line keeps its contract: streams, exit codes, JSON, pipes."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
OOPS = b"""\
[    1.000000] BUG: kernel NULL pointer dereference, address: 0000000000000058
[    1.000001] Oops: 0000 [#1] PREEMPT SMP NOPTI
[    1.000002] CPU: 0 PID: 98 Comm: kt Not tainted 6.1.0-56-amd64 #1
[    1.000003] RIP: 0010:some_new_function+0xf/0x20 [mod]
[    1.000004] Call Trace:
[    1.000005]  vfs_write+0xc7/0x3f0
[    1.000006] ---[ end trace 0000000000000000 ]---
"""


def kb(*args: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[bytes]":
    """Run the command line as a process of its own."""
    run = [sys.executable, "-m", "kb", *args]
    return subprocess.run(
        run, cwd=ROOT, input=stdin, capture_output=True, env={**os.environ, **(env or {})}, check=False
    )


def rows(done: "subprocess.CompletedProcess[bytes]") -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_known_report_is_exit_code_0_an_unknown_one_1_none_3(example: Path) -> None:
    assert kb("match", stdin=example.read_bytes()).returncode == 0
    assert kb("match", stdin=OOPS).returncode == 1
    quiet = kb("match", stdin=b"[    1.0] eth0: link up\n")
    assert (quiet.returncode, quiet.stdout) == (3, b"")


def test_usage_is_2_and_unusable_files_are_4(tmp_path: Path) -> None:
    assert kb().returncode == 2
    assert kb("match", "--nonsense").returncode == 2
    assert kb("match", "--json", "--markdown", stdin=OOPS).returncode == 2
    assert kb("match", str(tmp_path / "absent")).returncode == 4
    assert kb("match", "--cases", str(tmp_path / "absent"), stdin=OOPS).returncode == 4


def test_a_broken_case_is_named_and_left_out_and_only_lint_fails_for_it(tmp_path: Path) -> None:
    broken = tmp_path / "case" / "case.md"
    broken.parent.mkdir()
    broken.write_text("no fence here\n")
    for given in ({"env": {"KB_CASES": str(tmp_path)}}, {}):
        option = () if given else ("--cases", str(tmp_path))
        done = kb("match", *option, stdin=OOPS, **given)
        assert (done.returncode, str(broken) in done.stderr.decode()) == (1, True)
        done = kb("case", "list", *option, **given)
        assert (done.returncode, str(broken) in done.stderr.decode()) == (0, True)
        assert b"nofs-high-order-watermark" in done.stdout
    assert kb("case", "lint", str(tmp_path)).returncode == 4


def test_the_api_goes_on_without_a_broken_case_and_lists_it(
    tmp_path: Path, example: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kb import api

    broken = tmp_path / "case" / "case.md"
    broken.parent.mkdir()
    broken.write_text("no fence here\n")
    monkeypatch.setenv("KB_CASES", f"{tmp_path}{os.pathsep}{tmp_path / 'gone'}")
    (found,) = api.match(example.read_bytes())
    assert found.known
    with api.KnowledgeBase(tmp_path / "kb.db") as base:
        assert base.left_out == ()
        assert base.diagnose(found.report).known
        assert [error.path for error in base.left_out] == [str(broken), str(tmp_path / "gone")]
        assert base.library.errors == base.left_out


def test_an_error_says_what_where_and_what_to_do(tmp_path: Path) -> None:
    done = kb("match", str(tmp_path / "absent"))
    text = done.stderr.decode()
    assert done.stdout == b""
    assert text.startswith("kb: ")
    assert "--> " in text
    assert "help: " in text


def test_the_seed_is_answered_on_a_first_screen(example: Path) -> None:
    shown = kb("match", stdin=example.read_bytes()).stdout.decode()
    assert len(shown.splitlines()) <= 8
    text = " ".join(shown.split())
    for words in (
        "page allocation failure: order:5 in osdmap_set_max_osd [libceph] [L1-43]",
        "seen kworker/31:0, pid 635928, CPU 31",
        "known nofs-high-order-watermark",
        "affected: fix 97a16fc82a7c (in v4.4)",
        "echo 1 > /proc/sys/vm/compact_memory",
        "risk Costs CPU on every node while it runs",
        "more: kb match -v --report 1",
    ):
        assert words in text, words


def test_why_is_explained_when_asked_for(example: Path) -> None:
    text = " ".join(kb("match", "-v", stdin=example.read_bytes()).stdout.decode().split())
    assert text == " ".join(kb("match", "--why", stdin=example.read_bytes()).stdout.decode().split())
    for words in (
        "page allocation failure: order:5 in osdmap_set_max_osd [libceph] [L1-43]",
        "kworker/31:0, pid 635928, CPU 31",
        "0x104050 = WAIT|IO|COMP|KMEMCG (GFP_NOFS)",
        "the slab layer added COMP|KMEMCG",
        "RHEL 7.3-7.7",
        "refuses at order 3: 1673 <= 3208",
        "admits (block of order 5)",
        "refuses at base: 3935 <= 64173",
        "nofs-high-order-watermark",
        '97a16fc82a7c ("mm, page_alloc: only enforce watermarks for order-0 allocations") (in v4.4)',
        "SHOW_MEM_FILTER_NODES",
        "extfrag_threshold",
    ):
        assert words in text, words


def test_brief_is_one_line_a_report(example: Path) -> None:
    lines = kb("match", "--brief", stdin=example.read_bytes() + OOPS).stdout.decode().splitlines()
    assert lines == [
        "[L1-43]          page allocation failure: order:5 in osdmap_set_max_osd [libceph]"
        "  yes: nofs-high-order-watermark",
        "[L44-50]         BUG: unable to handle kernel NULL pointer dereference in some_new_function [mod]",
    ]


def test_json_is_one_object_a_report_as_the_contract_has_it(example: Path) -> None:
    (row,) = rows(kb("match", "--json", stdin=example.read_bytes()))
    assert (row["schema"], row["source"], row["lines"]) == ("kb.report/1", "-", [1, 43])
    assert (row["kind"], row["function"], row["module"]) == ("page_allocation_failure", "osdmap_set_max_osd", "libceph")
    assert (row["comm"], row["pid"], row["cpu"], row["kernel"], row["taint"]) == ("kworker/31:0", 635928, 31, None, "G")
    assert row["frames"][0] == {
        "function": "dump_stack",
        "offset": 25,
        "size": 27,
        "module": None,
        "reliable": True,
        "line": 7,
    }
    facts = row["facts"]
    assert (facts["order"], facts["gfp_mask"], facts["gfp_name"]) == (5, "0x104050", "GFP_NOFS")
    assert facts["gfp_flags"] == ["__GFP_WAIT", "__GFP_IO", "__GFP_COMP", "__GFP_KMEMCG"]
    node1 = next(zone for zone in facts["zones"] if (zone["node"], zone["zone"]) == (1, "Normal"))
    assert (node1["free"], node1["min"], node1["buddy"]) == (
        828833,
        51331,
        [241701, 240734, 24010, 990, 175, 20, 3, 0, 0, 0, 0],
    )
    walk, block = node1["replay"][:2]
    assert (walk["rule"], walk["admits"], walk["fails_at"], walk["left"], walk["needs"]) == (
        "order-walk",
        False,
        3,
        1673,
        3208,
    )
    assert (block["rule"], block["admits"], block["block_order"]) == ("free-block", True, 5)
    assert facts["compaction"]["allowed"] is False
    (match,) = [match for match in row["matches"] if match["verdict"] == "yes"]
    assert match["case"] == "nofs-high-order-watermark"
    assert match["fixes"][0]["commit"] == "97a16fc82a7c5b0cfce95c05dfb9561e306ca1b1"
    assert all(way["caveat"] for way in match["workarounds"])


def test_the_api_and_its_json_twin_give_the_same_answer(example: Path) -> None:
    import kb as package

    (diagnosis,) = package.match(example.read_bytes())
    (row,) = rows(kb("match", "--json", stdin=example.read_bytes()))
    assert json.loads(json.dumps(diagnosis.to_json())) == row


def test_files_packed_files_and_standard_input_agree(example: Path, tmp_path: Path) -> None:
    packed = tmp_path / "log.gz"
    packed.write_bytes(gzip.compress(example.read_bytes()))
    titles = {
        row["title"]
        for args, stdin in (
            ((str(example),), b""),
            ((str(packed),), b""),
            (("-",), example.read_bytes()),
            ((), example.read_bytes()),
        )
        for row in rows(kb("match", "--json", *args, stdin=stdin))
    }
    assert titles == {"page allocation failure: order:5 in osdmap_set_max_osd"}


def test_colour_only_when_asked_for() -> None:
    assert b"\x1b[" not in kb("match", stdin=OOPS).stdout
    assert b"\x1b[1m" in kb("match", "--color", "always", stdin=OOPS).stdout


def test_log_text_cannot_drive_the_terminal() -> None:
    hostile = OOPS.replace(b"Comm: kt", b"Comm: k\x1b[2Jt").replace(b"[mod]", b"[mod] \x1b]0;owned\x07")
    for options in ((), ("--markdown",), ("-v",)):
        assert b"\x1b" not in kb("match", *options, stdin=hostile).stdout


def test_a_closed_pipe_is_quiet() -> None:
    script = f"{sys.executable} -m kb match --json {' '.join(['-'] * 1)} | head -c 1 > /dev/null"
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, input=OOPS * 2000, capture_output=True, check=False)
    assert done.stderr == b""


def test_the_release_of_the_option_is_used_where_the_log_prints_none(example: Path) -> None:
    (row,) = rows(kb("match", "--json", "--kernel", "3.10.0-514.el7.x86_64", stdin=example.read_bytes()))
    assert row["kernel"] == "3.10.0-514.el7.x86_64"
    assert row["matches"][0]["fix_status"] == "affected"


def test_recording_stores_a_sighting_that_show_finds(tmp_path: Path) -> None:
    db = str(tmp_path / "kb.db")
    for source in ("ticket:1", "ticket:2"):
        assert (
            kb("match", "--json", "--record", "--db", db, "--host", "db17", "--source", source, stdin=OOPS).returncode
            == 1
        )
    (row,) = rows(kb("match", "--json", stdin=OOPS))
    shown = kb("show", row["signature"]["id"][:10], "--db", db).stdout.decode()
    for words in (row["title"], "db17", "ticket:1", "ticket:2", "6.1.0-56-amd64"):
        assert words in shown
    raw = kb("show", row["signature"]["id"], "--raw", "--db", db).stdout
    assert OOPS in raw


def test_recording_a_file_twice_counts_once_and_says_so(tmp_path: Path) -> None:
    db, file = str(tmp_path / "kb.db"), tmp_path / "console.log"
    file.write_bytes(OOPS)
    record = ("match", "--json", "--record", "--db", db, str(file))
    first, again = kb(*record), kb(*record)
    assert b"recorded 1\n" in first.stderr
    assert b"recorded 0, 1 known already\n" in again.stderr
    assert (again.stdout, again.returncode) == (first.stdout, first.returncode)
    file.write_bytes(OOPS + OOPS.replace(b"some_new_function", b"other_function").replace(b"[    1", b"[   91"))
    assert b"recorded 1, 1 known already\n" in kb(*record).stderr
    signatures = {row["signature"]["id"] for row in rows(kb(*record))}
    shown = [json.loads(kb("show", name, "--json", "--db", db).stdout) for name in signatures]
    assert [each["count"] for each in shown] == [1, 1]


def test_recording_from_a_pipe_counts_each_log_once(tmp_path: Path) -> None:
    db = str(tmp_path / "kb.db")
    other = OOPS.replace(b"[    1", b"[   91")
    for log, said in ((OOPS, b"recorded 1\n"), (other, b"recorded 1\n"), (OOPS, b"recorded 0, 1 known already\n")):
        assert said in kb("match", "--json", "--record", "--db", db, stdin=log).stderr


def test_without_record_nothing_is_said_of_it(tmp_path: Path) -> None:
    assert b"recorded" not in kb("match", "--json", "--db", str(tmp_path / "kb.db"), stdin=OOPS).stderr


def test_nothing_is_stored_unless_asked_for(tmp_path: Path) -> None:
    kb("match", "--db", str(tmp_path / "kb.db"), stdin=OOPS)
    assert not (tmp_path / "kb.db").exists()


def test_a_damaged_store_stops_only_who_named_it(tmp_path: Path) -> None:
    damaged = tmp_path / "data" / "kb" / "kb.db"
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"not a database" * 500)
    named = kb("match", "--brief", "--db", str(damaged), stdin=OOPS)
    assert (named.returncode, str(damaged) in named.stderr.decode()) == (4, True)
    default = kb("match", "--brief", stdin=OOPS, env={"XDG_DATA_HOME": str(tmp_path / "data")})
    assert default.returncode == 1
    assert b"some_new_function" in default.stdout
    assert b"going on without the store" in default.stderr


def test_the_case_verbs(example: Path, tmp_path: Path) -> None:
    assert "nofs-high-order-watermark" in kb("case", "list").stdout.decode()
    assert "only enforce watermarks" in kb("case", "show", "nofs-high").stdout.decode()
    assert kb("case", "show", "no-such-case").returncode == 2
    assert (kb("case", "lint").returncode, kb("case", "test").returncode) == (0, 0)
    assert kb("case", "new", "my-case", str(example), "--into", str(tmp_path)).returncode == 0
    assert (tmp_path / "my-case" / "case.md").exists()


def test_verify_prints_a_script_for_a_case_and_for_a_log(example: Path) -> None:
    for subject in ("nofs-high-order-watermark", str(example)):
        done = kb("verify", subject, "--kernel", "3.10.0-514.el7.x86_64")
        assert (done.returncode, done.stdout[:9]) == (0, b"#!/bin/sh")
    assert kb("verify", "neither-case-nor-file").returncode == 2


def test_a_log_that_is_still_written_is_answered_when_a_report_ends() -> None:
    run = subprocess.Popen(
        [sys.executable, "-m", "kb", "match", "--json"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert run.stdin is not None
    assert run.stdout is not None
    run.stdin.write(b"[    0.500000] eth0: link up\n" + OOPS)
    run.stdin.flush()
    row = json.loads(run.stdout.readline())  # answered although the pipe stays open
    assert row["function"] == "some_new_function"
    assert run.poll() is None
    run.stdin.close()
    assert run.wait(30) == 1
    run.stdout.close()


def test_the_language_of_a_match_can_be_chosen(example: Path) -> None:
    utf8 = {"PYTHONUTF8": "1"}
    page, ticket, brief, rows_ = (
        kb("match", "--lang", "zh", *form, str(example), env=utf8).stdout.decode()
        for form in (("-v",), ("--markdown",), ("--brief",), ("--json",))
    )
    assert "  ✗ 排除      单靠回收就有用: 空闲内存并不缺" in page
    assert "**原因** 有 23 个 order 5 或更大的空闲块" in ticket
    assert brief.endswith("  是: nofs-high-order-watermark\n")
    assert rows_ == kb("match", "--json", str(example), env=utf8).stdout.decode()  # the contract has one language
    assert kb("match", "--lang", "fr", str(example)).returncode == 2


VMSTAT = "nr_free_pages 1\ncompact_stall 2\ncompact_fail 3\n"


def test_a_log_that_context_swallowed_is_an_input_and_how_each_was_taken_is_said(tmp_path: Path, example: Path) -> None:
    for name, text in (("before", VMSTAT), ("after", VMSTAT.replace("2", "9")), ("odd", "what is this\n" * 9)):
        (tmp_path / name).write_text(text)
    beside = [str(tmp_path / name) for name in ("before", "after", "odd")]
    oops = tmp_path / "oops.log"
    oops.write_bytes(OOPS)
    quiet = tmp_path / "quiet.log"
    quiet.write_bytes(b"[    1.000000] eth0: link up\n" * 5)
    plain = rows(kb("match", "--json", "--context", *beside, "--", str(example)))
    assert "vmstat.compact_stall" in json.dumps(plain) or plain[0]["facts"]
    swallowed = kb("match", "--json", "--context", *beside, str(example))
    assert rows(swallowed) == plain
    said = swallowed.stderr.decode()
    for name, kind in (("before", "vmstat"), ("after", "vmstat"), ("odd", "nothing that kb knows")):
        assert f"{tmp_path / name}: taken as {kind}\n" in said
    assert f"{example}: taken as a log\n" in said
    both = rows(kb("match", "--json", str(oops), "--context", beside[0], str(example), "--context", beside[1]))
    assert [row["source"] for row in both] == [str(oops), str(example)]
    done = kb("match", "--context", beside[0], str(quiet))
    assert (done.returncode, b"taken as a log" in done.stderr) == (3, True)


def test_context_is_read_once(tmp_path: Path, example: Path) -> None:
    """A pipe can be read only once, and a log may hold many reports."""
    script = f"{sys.executable} -m kb match --json {example} {example} --context <(printf '{VMSTAT}')"
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, check=False)
    one, two = rows(done)
    assert one["facts"] == two["facts"]
    assert one["diagnosis"] == two["diagnosis"]


def test_folders_are_made_for_the_default_place_only(tmp_path: Path) -> None:
    place = tmp_path / "a/b/c.db"
    for options, env in ((("--db", str(place)), {}), ((), {"KB_DB": str(place)})):
        for words in (("match", "--record"), ("import", "-"), ("ask", "note x")):
            done = kb(*words, *options, stdin=OOPS if words[0] != "import" else b'{"schema": "kb.export/1"}\n', env=env)
            assert done.returncode == (1 if words[0] == "ask" else 4), words
            said = (done.stderr + done.stdout).decode()
            assert "is not there" in said
            assert "name another place" in said
            assert not (tmp_path / "a").exists()
    home = {"XDG_DATA_HOME": str(tmp_path / "home/data"), "KB_DB": ""}
    assert kb("match", "--record", stdin=OOPS, env=home).returncode == 1
    assert (tmp_path / "home/data/kb/kb.db").exists()
