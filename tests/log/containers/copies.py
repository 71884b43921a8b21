"""Logs as tools, editors and hands quote them."""

from __future__ import annotations

import json
import pprint
import quopri
import shlex
import textwrap
from collections.abc import Callable

from tests.log.containers.chats import Wrapped, lines, text
from tests.log.containers.jobs import each


def rg(log: bytes) -> Wrapped:
    return "a.txt", (
        "var/log/kern.log\n" + "".join(f"{at + 812}:{row}\n" for at, row in enumerate(lines(log)))
    ).encode()


def ack(log: bytes) -> Wrapped:
    rows = (f"{at + 812}{'-' if at else ':'}{row}\n" for at, row in enumerate(lines(log)))
    return "a.txt", ("kern.log\n" + "".join(rows) + "--\n").encode()


def rg_json(log: bytes) -> Wrapped:
    head = json.dumps({"type": "begin", "data": {"path": {"text": "kern.log"}}}) + "\n"
    rows = (
        json.dumps(
            {
                "type": "match" if not at else "context",
                "data": {
                    "path": {"text": "kern.log"},
                    "lines": {"text": row + "\n"},
                    "line_number": at + 1,
                    "absolute_offset": at,
                    "submatches": [],
                },
            },
            ensure_ascii=False,
        )
        + "\n"
        for at, row in enumerate(lines(log))
    )
    return "a.jsonl", (head + "".join(rows)).encode("utf-8", "replace")


def diff(log: bytes) -> Wrapped:
    count = len(lines(log))
    rows = "".join(f"+{row}\n" for row in lines(log))
    return (
        "a.diff",
        (
            "--- good.log\t2026-11-28 14:00:00\n+++ bad.log\t2026-11-28 14:24:16\n"
            f"@@ -100,2 +100,{count + 2} @@\n eth0: link up\n foo: ready\n{rows}"
        ).encode(),
    )


def side_by_side(log: bytes) -> Wrapped:
    """``diff -y -W 400`` of a good boot and this."""
    good = ["[    1.000000] eth0: link up", "[    2.000000] usb 1-1: new device", ""]
    return "a.diff", "".join(f"{good[at % 3]:60}\t\t\t\t|\t{row}\n" for at, row in enumerate(lines(log))).encode()


def quoted_printable(log: bytes) -> Wrapped:
    return "a.txt", quopri.encodestring(log)


def octal_dump(log: bytes) -> Wrapped:
    """``od -A x -t x1z -v``."""
    rows = []
    for at in range(0, len(log), 16):
        part = log[at : at + 16]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        rows.append(f"{at:06x} {' '.join(f'{byte:02x}' for byte in part)}{' ' * (3 * (16 - len(part)))}  >{shown}<")
    return "a.txt", ("\n".join(rows) + f"\n{len(log):06x}\n").encode()


def words_dump(log: bytes) -> Wrapped:
    """``hexdump`` without an option: words of two bytes, the lower one behind."""
    rows = []
    for at in range(0, len(log), 16):
        part = log[at : at + 16]
        part += b"\0" * (len(part) % 2)
        rows.append(f"{at:07x} " + " ".join(f"{part[i + 1]:02x}{part[i]:02x}" for i in range(0, len(part), 2)))
    return "a.txt", ("\n".join(rows) + f"\n{len(log):07x}\n").encode()


def canonical_dump(log: bytes) -> Wrapped:
    rows = []
    for at in range(0, len(log), 16):
        part = log[at : at + 16]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        halves = [" ".join(f"{byte:02x}" for byte in half) for half in (part[:8], part[8:])]
        rows.append(f"{at:08x}  {halves[0]:23}  {halves[1]:23}  |{shown}|")
    return "a.txt", ("\n".join(rows) + f"\n{len(log):08x}\n").encode()


def bytes_repr(log: bytes) -> Wrapped:
    return "a.txt", (repr(log) + "\n").encode()


def pretty_strings(log: bytes) -> Wrapped:
    return "a.txt", (pprint.pformat(text(log)) + "\n").encode()


def c_strings(log: bytes) -> Wrapped:
    rows = (json.dumps(row + "\n", ensure_ascii=False) for row in lines(log))
    return "log.c", ("static const char *log[] = {\n" + "".join(f"\t{row},\n" for row in rows) + "};\n").encode(
        "utf-8", "replace"
    )


def shell_variable(log: bytes) -> Wrapped:
    return "env.txt", f"HOME=/root\nDMESG={shlex.quote(text(log))}\nLANG=C\n".encode()


def dollar_quoted(log: bytes) -> Wrapped:
    """Bash's ``declare -p``, ``printf %q``."""
    said = text(log).replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\t", "\\t")
    return "a.txt", f"declare -- log=$'{said}'\n".encode()


def folded(log: bytes) -> Wrapped:
    """``fold -w 80``."""
    rows = []
    for row in lines(log):
        rows += [row[at : at + 80] for at in range(0, max(len(row), 1), 80)]
    return "a.txt", ("\n".join(rows) + "\n").encode()


def folded_at_blanks(log: bytes) -> Wrapped:
    rows = []
    for row in lines(log):
        rows += textwrap.wrap(row, 78, drop_whitespace=True, break_long_words=False, break_on_hyphens=False) or [""]
    return "a.txt", ("\n".join(rows) + "\n").encode()


def one_line(mark: str, name: str = "a.txt") -> Callable[[bytes], Wrapped]:
    return lambda log: (name, (mark.join(lines(log)) + mark + "\n").encode())


def syslog_octal(log: bytes) -> Wrapped:
    return "messages", ("Nov 28 14:24:16 db17 kdump: " + "#012".join(lines(log)) + "\n").encode()


def org(log: bytes) -> Wrapped:
    return "a.org", ("* db17\n" + "".join(f": {row}\n" for row in lines(log))).encode()


def toml(log: bytes) -> Wrapped:
    return "a.toml", f"host = 'db17'\nlog = '''\n{text(log)}'''\n".encode()


def marked_changes(log: bytes) -> Wrapped:
    """Outlook's quoting, each deeper than the one before."""
    return "a.txt", (
        "Hi,\n\n> On Saturday Hans wrote:\n> > see\n" + "".join(f"> > {row}\n" for row in lines(log)) + "\nregards\n"
    ).encode()


WAYS: dict[str, Callable[[bytes], Wrapped]] = {
    "grep -n": each("{at}:{row}"),
    "grep -Hn": each("/var/log/kern.log:{at}:{row}"),
    "grep -b": each("{at}0{at:03}:{row}"),
    "rg": rg,
    "ack": ack,
    "rg --json": rg_json,
    "git grep": each("HEAD~2:logs/dmesg.txt:{at}:{row}"),
    "less -N": each("{at:7} {row}"),
    "vim": each("{at:4} {row}"),
    "nl": each("{at:6}\t{row}"),
    "select-string": each("dmesg.txt:{at}:{row}", end="\r\n"),
    "diff -u": diff,
    "diff": each("> {row}"),
    "diff -y": side_by_side,
    "quoted-printable alone": quoted_printable,
    "od": octal_dump,
    "hexdump": words_dump,
    "hexdump -C": canonical_dump,
    "bytes in Python": bytes_repr,
    "pprint": pretty_strings,
    "c strings": c_strings,
    "a shell's variable": shell_variable,
    "bash's quotes": dollar_quoted,
    "fold": folded,
    "fold -s": folded_at_blanks,
    "line ends as <br>": one_line("<br>"),
    "line ends as <br/> and a newline": one_line("<br/>\n", "a.html"),
    "line ends as \\n": one_line("\\n"),
    "line ends as #012": syslog_octal,
    "line ends as line separators": one_line("\u2028"),
    "empty lines between": each("{row}\n"),
    "blanks at the ends": each("{row}   "),
    "backslashes at the ends": each("{row}\\"),
    "no-break blanks": lambda log: ("a.txt", text(log).replace(" ", "\u00a0").encode()),
    "four blanks": each("    {row}"),
    "a tab": each("\t{row}"),
    "org-mode": org,
    "toml": toml,
    "quoted twice": marked_changes,
    "python's logging": each("2026-11-28 14:24:{s:02},123 - console - INFO - {row}"),
    "a comment": each("# {row}"),
    "utf-16": lambda log: ("a.txt", text(log).replace("\n", "\r\n").encode("utf-16")),
    "utf-16, big end first, no mark": lambda log: ("a.txt", text(log).encode("utf-16-be")),
    "quoted without a blank": each(">{row}"),
    "quoted twice without a blank": each(">>{row}"),
    "quoted twice, one blank": each(">> {row}"),
    "a number without a blank": each("L{at}{row}"),
    "an arrow": each("{at}→{row}"),
    "struck": each("~~{row}~~"),
    "bold": each("**{row}**"),
    "jira's monospace": each("{{{{{row}}}}}"),
    "isolates": each("\u2066{row}\u2069"),
    "guillemets": each("«{row}»"),
    "an exclamation mark": each("!{row}"),
    "narrow blanks": lambda log: ("a.txt", text(log).replace(" ", "\u202f").encode()),
    "ideographic blanks": lambda log: ("a.txt", text(log).replace(" ", "\u3000").encode()),
    "line ends as \\012": one_line("\\012"),
    "fold at 72 columns": lambda log: (
        "a.txt",
        "".join(
            "\n".join(textwrap.wrap(row, 72, drop_whitespace=False, break_on_hyphens=False) or [""]) + "\n"
            for row in lines(log)
        ).encode(),
    ),
}
