"""Headlines: every terminal has a row, names what it should, and no line can make it backtrack."""

import re
from collections.abc import Iterator
from re import _parser as sre
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb.log.scan import find, line_test
from kb.model.log import Line
from kb.syntax import engine
from kb.syntax.headline import classify
from kb.syntax.kinds import refine, rows
from tests.kinds import samples

LONG = 100_000


def line(text: str) -> Line:
    return Line(text, 1, 1, text.encode("utf-8", "surrogateescape"))


def name(text: str) -> str | None:
    head = classify(line(text))
    return head.row.name if head else None


def test_every_terminal_has_a_row_and_every_row_a_terminal() -> None:
    terminals = {terminal.name for terminal in engine.build("headline").terminals}
    assert terminals == set(rows()) - {"HEADLESS"}


@pytest.mark.parametrize("wording", [w for kind in samples.KINDS for w in samples.wordings(kind) if w.fits])
def test_the_scanner_stops_at_each_headline(wording: samples.Wording) -> None:
    """A headline without a literal would never reach the grammar."""
    assert line_test()(wording.text)
    assert list(find(f"[   12.345678] {wording.text}\n".encode()))


HEADLINES = [terminal for terminal in engine.build("headline").terminals if terminal.name in rows()]


@pytest.mark.parametrize("terminal", HEADLINES, ids=lambda terminal: terminal.name)
@settings(max_examples=5, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_a_headline_fits_the_scanner_stops_at(terminal: Any, data: st.DataObject) -> None:
    alphabet = st.characters(codec="latin-1", exclude_categories=("Cc",))
    pattern = re.sub(
        r"\(\?=\(\?P<what>[^()]*\)\)", "", terminal.pattern.to_regexp()
    )  # no text is drawn by what follows it
    text = data.draw(st.from_regex(pattern, fullmatch=True, alphabet=alphabet))
    assert line_test()(text)


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
        for terminal in engine.build(grammar_name).terminals:
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
    words = re.findall(r"[A-Za-z][A-Za-z :,#-]{6,}", PATTERNS[terminal].replace("\\ ", " "))
    starts = ["", *dict.fromkeys([*words[:3], *words[-3:]])]
    for start in starts:
        for seed in SEEDS:
            text = start + seed * (LONG // len(seed)) + "\x01"
            assert pattern.fullmatch(text) is None or pattern.fullmatch(text[:4096]) is not None


def test_what_stands_behind_the_first_characters_of_a_line_cannot_make_it_a_headline() -> None:
    assert name("x" * 5000 + "BUG: soft lockup - CPU#1 stuck for 22s!") is None
