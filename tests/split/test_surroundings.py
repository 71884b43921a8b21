"""What a report is does not depend on what stands around it."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from kb import api
from kb.identity.signature import signature
from kb.model.report import Report
from kb.syntax.roles import classifier

ROOT = Path(__file__).resolve().parents[2]
STAMP = re.compile(rb"\[ *\d+\.\d{6}\] ")
SAMPLES = [
    path
    for path in sorted((ROOT / "cases").glob("*/match*.log"))
    if STAMP.match(path.read_bytes().splitlines()[0]) and any(True for _ in api.read(path))
]
"""Logs of a stamp a line that hold reports: a lone notice may be a part of the report before it."""
ORDINARY = (
    b"eth0: NIC Link is Up 1000 Mbps Full Duplex", b"EXT4-fs (sda1): mounted filesystem",
    b"usb 1-1: new high-speed USB device",
    b"systemd[1]: Started Session 4711 of User root.", b"audit: type=1400 audit(1700000000.123:45): op=\"open\"",
    b"nvme nvme0: 4/0/0 default/read/poll queues, QID 3", b"loop0: detected capacity change from 0 to 8",
)  # fmt: skip
"""Lines of a healthy machine; some hold a literal that opens a report, or a word that reports have."""


def told(data: bytes) -> list[tuple[object, ...]]:
    """What is said of each report, places left out."""
    return [said(report) for report in api.read(data)]


def said(report: Report) -> tuple[object, ...]:
    mark = signature(report)
    own = tuple(line.text for line in report.lines)
    return report.title, mark.id, mark.alt, report.comm, report.pid, report.follows, own


def ordinary(count: int, stamp: bytes) -> bytes:
    return b"".join(stamp + ORDINARY[number % len(ORDINARY)] + b"\n" for number in range(count))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_ordinary_lines_around_a_report_change_nothing(path: Path) -> None:
    data = path.read_bytes()
    data += b"" if data.endswith(b"\n") else b"\n"
    stamps = STAMP.findall(data)
    alone = told(data)
    for before, behind in ((1, 0), (5, 1), (13, 20), (70, 0), (0, 70), (300, 300)):
        assert told(ordinary(before, stamps[0]) + data + ordinary(behind, stamps[-1])) == alone, (before, behind)


@pytest.mark.parametrize("place", range(0, len(SAMPLES) - 4, 4))
def test_ordinary_lines_between_two_reports_change_neither(place: int) -> None:
    first, second = (path.read_bytes().rstrip(b"\n") + b"\n" for path in SAMPLES[place : place + 2])
    want = [(row[0], row[1], row[-1]) for part in (first, second) for row in map(said, api.read(part))]
    for count in (45, 100, 1000):
        found = told(first + ordinary(count, STAMP.findall(second)[0]) + second)
        assert [(row[0], row[1], row[-1]) for row in found] == want, count


PROSE = (
    b"please see the Oops: 0002 [#1] in the attached log",
    b"the message 'BUG: unable to handle page fault' is from yesterday",
    b"app[44]: watchdog: BUG: soft lockup test string",
    b"systemd[1]: Condition check resulted in 'Call Trace:' being skipped",
    b"python3[99]: Traceback (most recent call last):",
    b"myapp[311]: INFO: task foo blocked for more than 120 seconds is what we look for",
)
"""What users write into the kernel's log, or beside it, with a headline in it."""
CONSOLE = (
    b"[  OK  ] Started Journal Service.", b"         Starting Load Kernel Modules...", b"debian login: ", b"+ make -j4",
    b"random: crng init done", b"/dev/sda1: clean, 40000/1000000 files, 900000/4000000 blocks",
    b"Jan  2 03:04:05 db17 sshd[4711]: Accepted publickey for root from 192.0.2.1 port 4711 ssh2",
    b"10.0.0.1 - - [02/Jan/2024:03:04:05 +0000] \"GET / HTTP/1.1\" 200 612", b"goroutine 1 [running]:",
)  # fmt: skip
"""Lines of a serial console and of other programs' logs: no stamp of printk stands before them."""
BOOT = tuple(
    text
    for line in (ROOT / "tests/baseline/boot-6.1-debian.log").read_bytes().splitlines()
    if (text := STAMP.sub(b"", line, count=1)) and not text.startswith((b"Linux version", b"reboot: "))
)


@pytest.mark.parametrize("seed", range(40))
def test_lines_of_any_kind_outside_of_reports_change_none(seed: int) -> None:
    draw = random.Random(seed)
    lines = draw.choice(SAMPLES).read_bytes().splitlines(keepends=True)
    lines[-1] = lines[-1].rstrip(b"\n") + b"\n"
    reports = [(report.lines[0].number, report.lines[-1].last) for report in api.read(b"".join(lines))]
    outside = [at for at in range(len(lines) + 1) if not any(first <= at < last for first, last in reports)]
    for _ in range(3):
        into = draw.sample(outside, min(len(outside), draw.choice((1, 2, 5))))
        pool = draw.choice((BOOT, PROSE, CONSOLE))
        added: dict[int, list[bytes]] = {at: [] for at in into}
        for _ in range(draw.choice((1, 2, 6, 20, 70))):
            at = draw.choice(into)
            stamp = STAMP.match(lines[min(at, len(lines) - 1)])
            bare = pool is CONSOLE or stamp is None
            added[at].append((b"" if bare else stamp[0]) + draw.choice(pool) + b"\n")  # type: ignore[index]
        whole = [line for at, own in enumerate([*lines, b""]) for line in (*added.get(at, ()), own)]
        assert told(b"".join(whole)) == told(b"".join(lines)), added


@pytest.mark.parametrize(
    "text",
    [
        "CPU features: detected: Spectre-v2",
        "CPU features: kernel page table isolation forced ON by KASLR",
        "SMP: Total of 2 processors activated.",
        "SMP alternatives: switching to UP code",
        "NUMA: No NUMA configuration found",
        "SLUB: HWalign=64, Order=0-3, MinObjects=0, CPUs=2, Nodes=1",
        "... MAX_LOCKDEP_SUBCLASSES:  8",
        "...trying to set up timer (IRQ0) through the 8259A ...",
        "**********************************************************",
        "rcu: Hierarchical SRCU implementation.",
        "rcu: \tRCU restricting CPUs from NR_CPUS=8192 to nr_cpu_ids=2.",
    ],
)
def test_what_boot_and_hotplug_print_is_no_part_of_a_report(text: str) -> None:
    assert classifier()(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "CPU features: 0x00,00000008,00000000,4000420b",
        "SMP: stopping secondary CPUs",
        "SMP: failed to stop secondary CPUs 0-3",
        "PREEMPT SMP ",
        "SMP NR_CPUS=1024 NUMA pSeries",
        "NUMA pSeries",
        "SLUB: Unable to allocate memory on node -1, gfp=0x20(GFP_ATOMIC)",
        "...",
        "FIX kblab_obj: Restoring Poison 0xff32f21742b502b8-0xff32f21742b502b8=0x6b",
        "rcu: \t0-....: (5249 ticks this GP) idle=1b4/1/0x4000000000000000 softirq=2321/2321 fqs=2624",
        "rcu: \t(detected by 1, t=5252 jiffies, g=6709, q=12 ncpus=2)",
        "rcu: rcu_preempt kthread starved for 5255 jiffies! g6709 f0x0 RCU_GP_WAIT_FQS(5) ->state=0x0 ->cpu=0",
        "rcu: RCU grace-period kthread stack dump:",
    ],
)
def test_what_reports_print_of_the_same_words_is(text: str) -> None:
    assert classifier()(text) is not None


PAIR = """\
[    5.253306] ------------[ cut here ]------------
[    5.254185] WARNING: CPU: 0 PID: 99 at drivers/foo/ring.c:150 foo_warn_msg+0x1b/0x30 [foo]
[    5.255433] CPU: 0 PID: 99 Comm: foo_a Tainted: G           OE      6.1.0-56-amd64 #1
[    5.256169] RIP: 0010:foo_warn_msg+0x1b/0x30 [foo]
[    5.263591] ------------[ cut here ]------------
[    5.263770] WARNING: CPU: 1 PID: 100 at drivers/foo/ring.c:143 foo_warn_on+0x14/0x20 [foo]
[    5.263934] CPU: 1 PID: 100 Comm: foo_b Tainted: G           OE      6.1.0-56-amd64 #1
[    5.263974] RIP: 0010:foo_warn_on+0x14/0x20 [foo]
[    5.264083] RSP: 0018:ff7b33b6403a3f10 EFLAGS: 00000246
[    5.272445] Call Trace:
[    5.273536]  <TASK>
[    5.273968]  kthread+0xda/0x100
[    5.274417]  ret_from_fork+0x22/0x30
[    5.274521]  </TASK>
[    5.274605] ---[ end trace 0000000000000000 ]---
[    5.298470] RSP: 0018:ff7b33b64039bf10 EFLAGS: 00000282
[    5.299948] Call Trace:
[    5.300041]  <TASK>
[    5.300245]  kthread+0xda/0x100
[    5.300477]  ret_from_fork+0x22/0x30
[    5.311793]  </TASK>
[    5.311973] ---[ end trace 0000000000000000 ]---
[    7.741100] eth0: link up
[    7.741143] ------------[ cut here ]------------
[    7.741739] WARNING: CPU: 0 PID: 105 at drivers/foo/ring.c:148 foo_warn_once+0x4d/0x60 [foo]
[    7.742003] CPU: 0 PID: 105 Comm: kt Tainted: G        W  OE      6.1.0-56-amd64 #1
"""


def test_a_line_before_the_mark_of_the_next_report_is_nobodys() -> None:
    """The mark had been taken for a line of the report that another ran into."""
    first = next(iter(api.read(PAIR.encode())))
    assert (first.title, first.lines[-1].text) == ("WARNING in foo_warn_msg", "---[ end trace 0000000000000000 ]---")


def test_what_programs_say_alike_is_no_headline_behind_a_prefix() -> None:
    """Two programs' tags are one shape, and each line bore out the other's."""
    lines = [b"python3[76387]", b"sshd[14644]"]
    said = (b"[   90.04661%d] %s: BUG: please report this with the output\n" % each for each in enumerate(lines))
    assert list(api.read(b"".join(ordinary(3, b"[   90.046610] ") + line for line in said))) == []
