"""Headlines: every terminal has a row, names what it should, and no line can make it backtrack."""

import re
from collections.abc import Iterator
from re import _parser as sre
from typing import Any

import pytest

from kb.model.log import Line
from kb.parse import grammar
from kb.parse.headline import classify, refine, rows

LONG = 100_000


def line(text: str) -> Line:
    return Line(text, 1, 1, text.encode("utf-8", "surrogateescape"))


def name(text: str) -> str | None:
    head = classify(line(text))
    return head.row.name if head else None


def test_every_terminal_has_a_row_and_every_row_a_terminal() -> None:
    ignored = {"NOISE"}
    terminals = {terminal.name for terminal in grammar.build("headline").terminals} - ignored
    assert terminals == set(rows())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("BUG: kernel NULL pointer dereference, address: 0000000000000008", "NULL_DEREF"),
        ("BUG: unable to handle kernel NULL pointer dereference at           (null)", "NULL_DEREF"),
        ("BUG: unable to handle page fault for address: ffffc90ffff00008", "PAGING"),
        ("BUG: Unable to handle kernel data access on write at 0xc00a000000000000", "PPC_FAULT"),
        ("Unable to handle kernel execute from non-executable memory at virtual address ff00", "ARCH_PERMISSION"),
        ("Oops: general protection fault, probably for non-canonical address 0xdead000000000100: 0000 [#1] SMP", "GPF"),
        ("Internal error: Oops: 96000044 [#1] PREEMPT SMP", "INTERNAL_ERROR"),
        ("Oops: divide error: 0000 [#1] SMP NOPTI", "TRAP"),
        ("WARNING: CPU: 1 PID: 7 at net/core/dev.c:11 foo+0x1/0x2 [bar]", "WARN_AT"),
        ("WARNING: net/core/dev.c:11 at foo+0x1/0x2, CPU#1: kworker/1:1/7", "WARN_FILE"),
        ("[ INFO: suspicious RCU usage. ]", "RCU_USAGE"),
        ("[ BUG: Invalid wait context ]", "LOCK_CONTEXT"),
        ("watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [foo:12]", "SOFT_LOCKUP"),
        ("rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 1-...D } 21 jiffies s: 5", "RCU_STALL"),
        ("smp: csd: Detected non-responsive CSD lock (#1) on CPU#2, waiting 5 ns for CPU#05 f+0x0/0x1(f).", "CSD_LOCK"),
        ("workqueue: foo_work [foo] hogged CPU for >10000us 4 times, consider switching to WQ_UNBOUND", "WQ_HOG"),
        ("kworker/0:1: page allocation failure. order:5, mode:0x104050", "PAGE_ALLOC"),
        ("SLUB: Unable to allocate memory on node -1, gfp=0x820(GFP_ATOMIC)", "SLUB_ALLOC"),
        ("I/O error, dev sda, sector 59990 op 0x1:(WRITE) flags 0x800 phys_seg 20 prio class 2", "BLOCK_IO"),
        ("unregister_netdevice: waiting for lo to become free. Usage count = 2", "UNREGISTER_NETDEV"),
    ],
)
def test_a_printk_is_the_headline_of_its_kind(text: str, expected: str) -> None:
    assert name(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "usb 1-1: new high-speed USB device number 2 using xhci_hcd",
        "systemd[1]: Starting Load Kernel Module fuse...",
        "INFO: lockdep is turned off.",
        "perf: interrupt took too long (2511 > 2500), lowering kernel.perf_event_max_sample_rate to 79500",
        "EXT4-fs (sda1): mounted filesystem with ordered data mode. Opts: errors=remount-ro",
        "Kernel panic handling: kdump loaded",
        "panic=30 on the command line",
        "WARNING: Spectre v2 mitigation leaves CPU vulnerable",
        "mce: CPU0: Thermal monitoring enabled (TM1)",
        "ACPI BIOS Error (bug): Could not resolve symbol [_SB.PCI0]",
    ],
)
def test_an_ordinary_line_is_no_headline(text: str) -> None:
    assert name(text) is None


def test_a_warning_without_function_names_its_file_only() -> None:
    head = classify(line("WARNING: at arch/powerpc/platforms/pseries/eeh.c:390"))
    assert head is not None
    assert dict(head.fields) == {"file": "arch/powerpc/platforms/pseries/eeh.c", "fileline": "390"}


def test_the_file_of_a_warning_decides_its_subtype() -> None:
    row = rows()["WARN_AT"]
    assert refine(row, {"file": "lib/refcount.c", "fn": "refcount_warn_saturate"}).subtype == "refcount"
    assert refine(row, {"file": "net/core/dev.c", "fn": "foo"}).subtype is None


# ---- hostile lines


def patterns() -> Iterator[tuple[str, str]]:
    for grammar_name in ("headline", "report"):
        for terminal in grammar.build(grammar_name).terminals:
            yield f"{grammar_name}.{terminal.name}", terminal.pattern.to_regexp()


PATTERNS = dict(patterns())


def nested(tree: Any, inside: bool = False) -> bool:
    """True where a repeat without bound stands inside another one."""
    for op, args in tree:
        unbounded = op in (sre.MAX_REPEAT, sre.MIN_REPEAT) and args[1] == sre.MAXREPEAT
        if unbounded and inside:
            return True
        if op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            if nested(args[2], inside or unbounded):
                return True
        elif op is sre.SUBPATTERN:
            if nested(args[3], inside):
                return True
        elif op is sre.BRANCH and any(nested(branch, inside) for branch in args[1]):
            return True
    return False


@pytest.mark.parametrize("terminal", PATTERNS)
def test_no_terminal_repeats_a_repeat(terminal: str) -> None:
    assert not nested(sre.parse(PATTERNS[terminal]))


SEEDS = (*" a0[(<._:=*?\t\x00\udc80", "a.", "0 ", "] ", "a b", ": ")


@pytest.mark.parametrize("terminal", PATTERNS)
def test_a_terminal_comes_back_from_a_hostile_line(terminal: str) -> None:
    pattern = re.compile(PATTERNS[terminal])
    words = re.findall(r"[A-Za-z][A-Za-z :,#-]{6,}", PATTERNS[terminal])
    starts = ["", *dict.fromkeys([*words[:3], *words[-3:]])]
    for start in starts:
        for seed in SEEDS:
            text = start + seed * (LONG // len(seed)) + "\x01"
            assert pattern.fullmatch(text) is None or pattern.fullmatch(text[:4096]) is not None


def test_what_stands_behind_the_first_characters_of_a_line_cannot_make_it_a_headline() -> None:
    assert name("x" * 5000 + "BUG: soft lockup - CPU#1 stuck for 22s!") is None
