"""Cleaned logs: nothing personal is left where it was recognised, and what the reports say is what they said before."""

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kb import api
from kb.cleaner.clean import Cleaner
from kb.errors import InputError, UsageError
from kb.log.reader import Reader
from kb.log.source import open_sources
from tests.conftest import CORPUS, ROOT

OURS = re.compile(r"host\d+(\.example\.com)?|localhost(\.localdomain)?|[\d.]+")
NAME = re.compile(r"[0-9A-Za-z](?:[\w.-]*[0-9A-Za-z])?")
REPORT = """\
BUG: kernel NULL pointer dereference, address: 0000000000000058
Oops: 0000 [#1] PREEMPT SMP NOPTI
CPU: 0 PID: 98 Comm: {comm} Not tainted 6.1.0-56-amd64 #1
RIP: 0010:some_new_function+0xf/0x20 [{module}]
Call Trace:
 vfs_write+0xc7/0x3f0
---[ end trace 0000000000000000 ]---
"""


def clean(data: bytes, *more: bytes, keep: tuple[str, ...] = ()) -> bytes:
    return b"".join(Cleaner([data, *more], keep).clean(data))


def syslog(host: str, *, comm: str = "kt", module: str = "mod", more: str = "") -> bytes:
    lines = REPORT.format(comm=comm, module=module).splitlines() + more.splitlines()
    text = "".join(f"Nov 28 14:24:16 {host} kernel: [    1.00000{n}] {line}\n" for n, line in enumerate(lines))
    return text.encode()


@functools.cache
def cases() -> tuple[Any, ...]:
    return api.library().cases


def told(data: bytes) -> list[dict[str, Any]]:
    return [each.to_json() for each in api.match(data, cases=cases(), notices=True)]


def samples() -> list[Path]:
    places = [ROOT / "cases", *(ROOT / "tests" / name for name in ("log/data", "parse/data", "baseline", "chat/data"))]
    found = [path for place in places for path in sorted(place.rglob("*")) if path.is_file() and path.name != "case.md"]
    shared = [CORPUS.parent / "seed", CORPUS.parent / "inputs", CORPUS / "vm", CORPUS / "real"]
    return found + [path for place in shared if place.is_dir() for path in sorted(place.rglob("*")) if path.is_file()]


def bytes_of(path: Path) -> Iterator[bytes]:
    """What kb reads of a file; nothing where it is none of its inputs."""
    try:
        for source in open_sources([path]):
            yield source.data
    except InputError:
        return


_PERSONAL = (
    "host",
    "headline",
    "facts.server",
    "facts.device",
    "facts.service",
    "facts.memcg",
    "facts.task_memcg",
    "facts.file",
    "facts.what",
    "diagnosis.",
    "matches.predicates.because",
)
"""What of a report may name something personal: the words of the log, and the sentences about its own things."""


def differences(before: Any, after: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        for key in before:
            yield from differences(before[key], after[key], f"{where}.{key}".lstrip("."))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for one, two in zip(before, after, strict=True):
            yield from differences(one, two, where)
    elif before != after:
        yield where, before, after


@pytest.mark.parametrize("folder", sorted({path.parent for path in samples()}), ids=lambda path: path.name)
def test_reports_say_after_cleaning_what_they_said_before(folder: Path) -> None:
    """Title, signature, facts, matches, verdicts, lines and number; a second cleaning changes nothing."""
    for data in (data for path in samples() if path.parent == folder for data in bytes_of(path)):
        cleaner = Cleaner([data])
        made = b"".join(cleaner.clean(data))
        assert clean(made) == made
        assert made.count(b"\n") == data.count(b"\n")
        assert [host for host in hosts(made) if NAME.fullmatch(host) and not OURS.fullmatch(host)] == []
        if made == data:
            continue
        table = [(each.original.decode("utf-8", "replace"), each.replacement.decode()) for each in cleaner.replaced]
        before, after = told(data), told(made)
        assert [(row["title"], row["lines"]) for row in before] == [(row["title"], row["lines"]) for row in after]
        for where, one, two in differences(before, after):
            assert where.startswith(_PERSONAL)
            assert one != two == mapped(one, table), where


def mapped(text: str, table: list[tuple[str, str]]) -> str:
    """A text with all that was replaced replaced, longest first."""
    if not table:
        return text
    pattern = "|".join(re.escape(old) for old, _ in sorted(table, key=lambda pair: -len(pair[0])))
    return re.sub(pattern, lambda found: dict(table)[found[0]], text)


def hosts(data: bytes) -> set[str]:
    return {line.host for line in Reader(data).lines() if line.host}


def test_a_host_goes_from_prefixes_and_messages_whatever_its_case_and_domain() -> None:
    log = syslog("db17", more="nfs mount of DB17.acme.test by db17, not db170\nweb1.acme.test to acme.test")
    made = clean(log).decode()
    assert re.findall(r"(?i)db17\b|acme", made) == []
    assert "nfs mount of host1.example.com by host1, not db170" in made
    assert "host2.example.com to example.com" in made


@pytest.mark.parametrize(
    "host", ["mod", "kt", "page", "a1", "db17", "write", "vfs_write", "Call", "node", "x86", "amd64"]
)
def test_a_host_that_is_called_as_something_in_a_report_leaves_the_report_as_it_was(host: str) -> None:
    log = syslog(host, comm="db17", module="mod")
    made = clean(log)
    (before,), (after,) = told(log), told(made)
    assert after.pop("host") == "host1" != before.pop("host")
    assert before == after


def test_a_host_of_letters_only_is_replaced_outside_of_reports() -> None:
    made = clean(
        syslog("dagobert", more="x\n" * 40) + b"Nov 28 15:00:00 dagobert app[1]: dagobert is here, dagobert-x not\n"
    )
    assert made.endswith(b"Nov 28 15:00:00 host1 app[1]: host1 is here, dagobert-x not\n")


def test_first_names_that_two_domains_share_are_of_the_first_and_full_names_differ() -> None:
    made = clean(b"Nov 28 14:24:16 web kernel: web.a.test, web.b.test, web\nNov 28 14:24:17 web.b.test kernel: x\n")
    assert made.splitlines() == [
        b"Nov 28 14:24:16 host1 kernel: host1.example.com, host2.example.com, host1",
        b"Nov 28 14:24:17 host2.example.com kernel: x",
    ]


def test_a_host_that_is_called_as_a_part_of_the_kernels_release_leaves_the_release() -> None:
    log = b"Nov 28 14:24:16 el8 kernel: Linux version 5.14.0-70.el8 (a@b) #1\n" + syslog("el8").replace(
        b"6.1.0-56", b"5.14.0-70.el8"
    )
    made = clean(log)
    assert made.startswith(b"Nov 28 14:24:16 host1 kernel: Linux version 5.14.0-70.el8 (user1@host2) #1\n")
    assert [row["kernel"] for row in told(made)] == [row["kernel"] for row in told(log)]
    assert made.count(b"host1 kernel:") == log.count(b"\n")


def test_thousands_of_hosts_are_all_found() -> None:
    log = "".join(
        f"Nov 28 14:24:16 web{number:05}.acme.test kernel: eth0: up, peer web{number:05}\n" for number in range(5000)
    )
    made = clean(log.encode())
    assert (b"web" in made, b"acme" in made) == (False, False)
    assert len(hosts(made)) == 5000


@pytest.mark.parametrize("host", ["büro", "büro-pc", "李四", "ann-büro.acme.test"])
def test_a_host_with_letters_of_another_script_is_one_too(host: str) -> None:
    assert host not in clean(syslog(host, more=f"on {host}: x")).decode()
    record = json.dumps({"_HOSTNAME": host, "_TRANSPORT": "kernel", "MESSAGE": f"on {host}: x"}) + "\n"
    assert json.loads(clean(record.encode()))["_HOSTNAME"].startswith("host1")
    assert hosts(clean(record.encode())) <= {"host1", "host1.example.com"}


def test_a_host_is_found_between_chinese_letters() -> None:
    made = clean(syslog("db17") + "Nov 28 15:00:00 db17 app[1]: 主机db17宕机，另见db171\n".encode())
    assert made.decode().endswith("Nov 28 15:00:00 host1 app[1]: 主机host1宕机，另见db171\n")


def test_one_thing_is_called_alike_in_all_inputs_and_nothing_of_one_is_given_out_in_another() -> None:
    one, two = syslog("db17"), syslog("db18", more="db17 192.0.2.1") + b"host1\n"
    cleaner = Cleaner([one, two])
    first, second = b"".join(cleaner.clean(one)), b"".join(cleaner.clean(two))
    assert hosts(first) == {"host2"}
    assert hosts(second) == {"host3"}
    assert b"host2 192.0.2.1\n" in second


def test_what_is_to_be_kept_stays() -> None:
    log = b"Nov 28 14:24:16 db17 kernel: 10.0.0.1 /home/ann/x 3c:d4:72:73:f2:b9\n"
    assert (
        clean(log, keep=("host", "ip"))
        == b"Nov 28 14:24:16 db17 kernel: 10.0.0.1 /home/user1/path1 02:00:00:00:00:01\n"
    )
    with pytest.raises(UsageError, match="no such kind: hosts"):
        Cleaner([log], ["hosts"])


def test_fields_of_the_journals_export_keep_the_size_that_stands_before_them() -> None:
    message = b"from 10.20.30.40\nat /home/ann/with/a/long/path \xff\n"
    record = b"__REALTIME_TIMESTAMP=1764336256000000\n_HOSTNAME=db17\nMESSAGE\n%s%s\n_TRANSPORT=kernel\n\n"
    log = record % (len(message).to_bytes(8, "little"), message) * 2
    made = clean(log)
    wanted = b"from 192.0.2.1\nat /home/user1/path1 \xff\n"
    assert made == (record % (len(wanted).to_bytes(8, "little"), wanted) * 2).replace(b"db17", b"host1")
    assert [line.text for line in Reader(made).lines()] == ["from 192.0.2.1", "at /home/user1/path1 \udcff"] * 2


def test_a_size_that_lies_is_read_as_text() -> None:
    log = b"__CURSOR=x\nMESSAGE\n" + b"\xff" * 8 + b" 10.0.0.1\nMESSAGE\n"
    assert clean(log) == log.replace(b"10.0.0.1", b"192.0.2.1")


@pytest.mark.parametrize(
    "part", ["a" * 70000, "1." * 40000, "aa:" * 30000, "/home/a" * 9000, "x@y." * 20000, "\\\\a" * 20000]
)
def test_long_lines_are_lines_too(part: str) -> None:
    """A hundred times as long a line takes a hundred times as long; this would not end if a pattern could backtrack."""
    assert clean(f"{part} 10.0.0.1\n".encode()).endswith(b" 192.0.2.1\n")
