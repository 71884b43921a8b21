"""Lines broken on their way come back whole; lines that were not broken stay."""

from __future__ import annotations

import textwrap

from kb.log.reader import Reader
from kb.log.wrap import habits

RECORDS = [
    "kworker/7:1: page allocation failure: order:0, mode:0xa20(GFP_ATOMIC), nodemask=(null),cpuset=/,mems_allowed=0",
    "CPU: 7 PID: 2638 Comm: kworker/7:1 Not tainted 5.4.30-some-rather-long-name #5",
    "Call Trace:",
    " dump_stack+0x6d/0x95",
    " warn_alloc.cold+0x7b/0xdf",
    "Node 0 active_anon:42700kB inactive_anon:49936kB active_file:58128kB inactive_file:71652kB unevictable:0kB",
    "Code: c3 48 c1 e1 06 31 c0 48 81 c1 00 10 60 84 49 89 0c 10 eb be 66 2e 0f 1f 84 00 00 00 00 00 55 48 89 e5 65",
    "lowmem_reserve[]: 0 0 0 0 0",
]


def mailed(prefix: str, quote: str, width: int) -> str:
    rows = []
    for number, record in enumerate(RECORDS):
        stamp = prefix % number if "%" in prefix else prefix
        rows += textwrap.wrap(stamp + record, width, break_long_words=False, break_on_hyphens=False)
    return "".join(f"{quote}{row}\n" for row in rows)


def texts(log: str) -> list[str]:
    return [line.text for line in Reader(log.encode()).lines()]


def test_stamped_lines_wrapped_by_a_mailer_are_whole_again() -> None:
    for width in (70, 72, 76, 78):
        for quote in ("", "> ", "> > "):
            assert texts(mailed("[  100.00000%d] ", quote, width)) == RECORDS, (width, quote)


def test_lines_without_prefix_are_joined_by_their_shape() -> None:
    assert texts(mailed("", "", 72)) == RECORDS


def test_a_joined_line_names_all_its_physical_lines() -> None:
    line = next(iter(Reader(mailed("[  100.00000%d] ", "", 72).encode()).lines()))
    assert line.span == (1, 2)
    assert line.raw.count(b"\n") == 2


def test_an_ordinary_log_is_left_alone() -> None:
    log = "".join(f"[  100.00000{number}] {record}\n" for number, record in enumerate(RECORDS)) + "executing program\n"
    assert not habits(log.encode(), 0).any
    assert texts(log) == [*RECORDS, "executing program"]


def test_foreign_lines_between_are_no_tails() -> None:
    log = "".join(
        f"[  100.0000{number:02}] usb 1-{number}: a message of some length that ends "
        f"anywhere {'x' * number}\nlogin: foo\n"
        for number in range(20)
    )
    assert len(texts(log)) == 40


def test_lines_of_others_that_are_as_long_by_chance_are_no_tails() -> None:
    others = (
        "Jan  2 03:04:05 db17 sshd[4711]: Accepted publickey for root from 192.0.2.1 port 4711 ssh2\n"
        "2024/01/02 03:04:05 [error] 31#31: *1 connect() failed (111: Connection refused)\n"
    )
    stamped = [f"[  100.0000{number:02}] {record}\n" for number, record in enumerate(RECORDS)]
    log = "".join(stamped[:2]) + others * 6 + "".join(stamped[2:])
    assert [text for text in texts(log) if text in RECORDS] == RECORDS
    assert len(texts(log)) == len(RECORDS) + 12


def test_quoted_printable_is_decoded() -> None:
    log = "".join(
        f"[  100.00000{number}] Hardware name: Some Board, BIOS 1.2a, of a certain len=\ngth =3D {number}\n"
        for number in range(4)
    )
    assert texts(log) == [
        f"Hardware name: Some Board, BIOS 1.2a, of a certain length = {number}" for number in range(4)
    ]


def test_the_80_columns_of_zvm_are_joined() -> None:
    log = (
        "00: [   60.590518] Modules linked in: ip_tables x_tables xfs dm_mirror dm_region\n"
        "00: _hash dm_log dm_mod\n"
        "00: [   60.590531] CPU: 1 PID: 665 Comm: lvmconfig\n"
        "00: [   60.590535] Call Trace:\n"
    )
    assert texts(log) == [
        "Modules linked in: ip_tables x_tables xfs dm_mirror dm_region_hash dm_log dm_mod",
        "CPU: 1 PID: 665 Comm: lvmconfig",
        "Call Trace:",
    ]


def test_fragments_of_netconsole_are_one_record() -> None:
    log = (
        "6,416,1758426,-,ncfrag=0/33;the first chunk,\n6,416,1758426,-,ncfrag=16/33; the 2nd chunk.\n"
        "6,417,1758430,-;next\n"
    )
    assert texts(log) == ["the first chunk, the 2nd chunk.", "next"]
