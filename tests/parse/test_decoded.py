"""A log that scripts/decode_stacktrace.sh has gone over names the same problem as the raw one."""

import re

import pytest

from kb.identity.signature import signature
from kb.model.report import Report
from tests.kinds import samples

_SYMBOL = re.compile(r"[^+ ]+\+0x[0-9a-f]+/0x[0-9a-f]+")
LOGS = [log for kind in samples.KINDS for log in samples.logs(kind) if _SYMBOL.search(log.whole)]
PLACES = ("net/core/dev.c:12", "fs/inode.c:7 (discriminator 3)", "include/linux/fs.h:1 fs/inode.c:99 (discriminator 1)")


def decoded(text: str, place: str) -> str:
    """What the script makes of a log (v6.1 handle_line(), parse_symbol()); a symbol is the last word of its line."""
    return "\n".join(_line(row, place) if _SYMBOL.search(row) or "[<" in row else row for row in text.split("\n"))


def _line(row: str, place: str) -> str:
    words = [word for word in row.split() if not re.search(r"\[<[^]]+>\]", word)]
    if words and re.match(r"[0-9a-f]+\]", words[-1]):
        words[-2:] = [" ".join(words[-2:])]
    module = ""
    if words and (named := re.fullmatch(r"\[([^\] ]+).*\]", words[-1])):
        module = named[1]
        words.pop()
    symbol = words.pop() if words else ""
    bare = symbol.removeprefix("(").removesuffix(")")
    segment, _, bare = bare.rpartition(":")
    if re.fullmatch(r"[^+ ]+\+0x[0-9a-f]+/0x[0-9a-f]+", bare):
        symbol = f"{segment}{':' if segment else ''}{bare.split('+')[0]} ({place})"
    return " ".join([*words, symbol, module])


def seen(text: str) -> list[tuple[str, str | None, str, str | None]]:
    return [_said(report) for report in samples.reports(text)]


def _said(report: Report) -> tuple[str, str | None, str, str | None]:
    return report.title, report.function, signature(report).id, signature(report).stack


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("log", LOGS, ids=lambda log: f"{log.kind}-{log.shows[:60]}")
def test_a_decoded_log_is_the_same_report(log: samples.Log, place: str) -> None:
    assert seen(decoded(log.whole, place)) == seen(log.whole)


def test_a_decoded_line_holds_module_and_place() -> None:
    text = (
        "BUG: kernel NULL pointer dereference, address: 0000000000000010\nOops: 0000 [#1] SMP\n"
        "RIP: 0010:foo_show (drivers/foo/foo.c:12 (discriminator 3)) foo\nCall Trace:\n"
        "? bar_show (drivers/bar/bar.c:3) bar\ndev_attr_show (drivers/base/core.c:2437) \n"
    )
    (report,) = samples.reports(text)
    assert (report.function, report.module) == ("foo_show", "foo")
    assert [(frame.function, frame.reliable, frame.source) for frame in report.frames] == [
        ("foo_show", True, "drivers/foo/foo.c:12"),
        ("bar_show", False, "drivers/bar/bar.c:3"),
        ("dev_attr_show", True, "drivers/base/core.c:2437"),
    ]


def test_the_disassembly_between_registers_and_stack_belongs_to_nobody() -> None:
    """scripts/decodecode, which the script runs for "Code:" lines."""
    code = "".join(f"   {n:x}:\t0f 1f 44 00 00       \tnopl   0x0(%rax,%rax,1)\n" for n in range(0, 100, 5))
    text = (
        "BUG: kernel NULL pointer dereference, address: 0000000000000010\nOops: 0000 [#1] SMP\n"
        "CPU: 1 PID: 7 Comm: cat Not tainted 6.6.0 #1\nRIP: 0010:foo_show (drivers/foo/foo.c:12) foo\n"
        f"Code: 0f 1f 44 00 00 <8b> 47 58\nAll code\n========\n{code}\n"
        f"Code starting with the faulting instruction\n===========================================\n{code}"
        "RSP: 0018:ffffc90000013e58 EFLAGS: 00010246\nCall Trace:\n<TASK>\nbar_show (fs/bar.c:3) \n</TASK>\n"
        "---[ end trace 0000000000000000 ]---\n"
    )
    (report,) = samples.reports(text)
    assert (report.function, report.module, len(report.frames)) == ("foo_show", "foo", 2)


@pytest.mark.parametrize("line", ["usb 1-1: probe failed (drivers/usb/core/hub.c:12)", "foo (bar:12)", "foo (12)"])
def test_an_ordinary_line_is_no_frame(line: str) -> None:
    (report,) = samples.reports(
        f"BUG: unable to handle page fault for address: 10\nCall Trace:\n foo+0x1/0x2\n{line}\n"
    )
    assert [frame.function for frame in report.frames] == ["foo"]
