"""Logs as terminals, serial lines and their loggers leave them."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

from tests.log.containers.chats import Wrapped, lines, text
from tests.log.containers.jobs import each


def typescript(log: bytes) -> Wrapped:
    said = "\x1b[?2004h\x1b]0;root@db17: ~\x07root@db17:~# dmesg\r\n\x1b[?2004l\r" + text(log).replace("\n", "\r\n")
    said += "\x1b[?2004hroot@db17:~# exit\r\n"
    head = 'Script started on 2026-11-28 14:24:16+00:00 [TERM="xterm" TTY="/dev/pts/1" COLUMNS="80" LINES="24"]\n'
    return "typescript", (head + said + '\nScript done on 2026-11-28 14:24:20+00:00 [COMMAND_EXIT_CODE="0"]\n').encode()


def ttyrec(log: bytes) -> Wrapped:
    """Frames: seconds, microseconds, length, each 32 bits little endian; a frame may end anywhere."""
    data = text(log).replace("\n", "\r\n").encode()
    parts = (data[at : at + 117] for at in range(0, len(data), 117))
    return "a.ttyrec", b"".join(
        struct.pack("<3I", 1764331200 + at, 7, len(part)) + part for at, part in enumerate(parts)
    )


def minicom(log: bytes) -> Wrapped:
    """A capture: carriage returns doubled, colours off, an erased prompt."""
    return "minicom.cap", (
        "\x1b[0m\x1b[2J\x1b[H\r\n" + text(log).replace("\n", "\r\r\n") + "\x1b[K\r\ndb17 login: "
    ).encode()


def screen(log: bytes) -> Wrapped:
    """A hardcopy of a window of 80 columns: long lines go on in the next, the rest is filled with blanks."""
    rows = []
    for row in lines(log):
        rows += [row[at : at + 80].rstrip() for at in range(0, max(len(row), 1), 80)]
    return "hardcopy.0", ("\n".join(rows) + "\n" * 12).encode()


def padded(log: bytes) -> Wrapped:
    """A remote console: each row as wide as the screen."""
    return "ilo.txt", "".join(f"{row:132}\r\n" for row in lines(log)).encode()


def conserver(log: bytes) -> Wrapped:
    rows = lines(log)
    rows[len(rows) // 2 : len(rows) // 2] = ["[-- MARK -- Sat Nov 28 15:00:00 2026]"]
    return "console.log", ("[-- Console up -- Sat Nov 28 14:24:16 2026]\n" + "\r\n".join(rows) + "\r\n").encode()


def sol(log: bytes) -> Wrapped:
    head = "[SOL Session operational.  Use ~? for help]\r\n\r\ndb17 login: "
    return "sol.log", (head + text(log).replace("\n", "\r\n") + "~. [terminated ipmitool]\r\n").encode()


def kermit(log: bytes) -> Wrapped:
    said = text(log).replace("\n", "\r\n").encode()
    return "session.log", b"\0\0\x11" + b"".join(
        row + (b"\0" if at % 7 == 0 else b"") for at, row in enumerate(said.splitlines(keepends=True))
    )


def putty(log: bytes) -> Wrapped:
    head = "=~=~=~=~=~=~=~=~=~=~=~= PuTTY log 2026.11.28 14:24:16 =~=~=~=~=~=~=~=~=~=~=~=\r\n"
    return "putty.log", (head + "login as: root\r\n" + text(log).replace("\n", "\r\n")).encode()


def overwritten(log: bytes) -> Wrapped:
    """A start job's spinner that the kernel writes over."""
    first, rest = text(log).split("\n", 1)
    job = (
        "[  *** ] A start job is running for x (2s / no limit)\r\x1b[K[ ***  ] A start job is run"
        "ning for x (3s)\r\x1b[K"
    )
    return "console.log", (job + first + "\r\n" + rest.replace("\n", "\r\n")).encode()


def tmux(log: bytes) -> Wrapped:
    """Pipe-pane: colours of ``dmesg --color=always``."""
    rows = (re.sub(r"^(\[.*?\] )", "\x1b[32m\\1\x1b[0m", row) for row in lines(log))
    return "pane.log", ("\r\n".join(f"{row}\x1b[0m" for row in rows) + "\r\n\x1b(B\x1b[m").encode()


def carriage_returns(log: bytes) -> Wrapped:
    return "a.txt", text(log).replace("\n", "\r").encode()


def columns(log: bytes) -> Wrapped:
    """Two columns of a screen: another pane on the left."""
    left = ["top - 14:24:16 up 3 days", "Tasks: 312 total", "%Cpu(s):  0.3 us", "MiB Mem : 64000 total", ""]
    return "pane.txt", "".join(f"{left[at % 5]:38}│{row}\n" for at, row in enumerate(lines(log))).encode()


def dialogue(log: bytes) -> Wrapped:
    """A netconsole receiver that prints who sent what: socat -v, nc in a loop."""
    rows = "".join(
        f"> 2026/11/28 14:24:16.{at:06}  length={len(row)} from=0 to={len(row)}\n{row}\n--\n"
        for at, row in enumerate(lines(log))
    )
    return "socat.txt", rows.encode()


def netconsole(before: str) -> Callable[[bytes], Wrapped]:
    """Extended netconsole, long records in pieces (drivers/net/netconsole.c send_ext_msg_udp())."""

    def wrapped(log: bytes) -> Wrapped:
        out = ""
        for at, row in enumerate(lines(log)):
            parts = [row[start : start + 60] for start in range(0, max(len(row), 1), 60)]
            for index, part in enumerate(parts):
                piece = f",ncfrag={index * 60}/{len(row)}" if len(parts) > 1 else ""
                out += f"{before}4,{at},{at * 31},-{piece};{part}\n"
        return "netconsole.log", out.encode()

    return wrapped


WAYS: dict[str, Callable[[bytes], Wrapped]] = {
    "script": typescript,
    "ttyrec": ttyrec,
    "minicom": minicom,
    "minicom, stamped": each("[2026-11-28 14:24:{s:02}] {row}", end="\r\n"),
    "screen": screen,
    "a screen's rows": padded,
    "conserver": conserver,
    "conserver, stamped": each("[Sat Nov 28 14:24:{s:02} 2026]{row}", end="\r\n"),
    "serial over lan": sol,
    "kermit": kermit,
    "putty": putty,
    "cyclades": each("2026-11-28 14:24:{s:02}: ttyS1: {row}", end="\r\n"),
    "tio": each("[14:24:{s:02}.123] {row}"),
    "tio, delta": each("[+00:00:{s:02}.123] {row}"),
    "grabserial": each("[{at}.123456 0.000123] {row}"),
    "ts -i": each("00:00:{s:02} {row}"),
    "libvirt": each("2026-11-28 14:24:{s:02}.123+0000: 4711: debug : virConsole:123 : {row}"),
    "a spinner": overwritten,
    "tmux": tmux,
    "carriage returns only": carriage_returns,
    "two columns": columns,
    "socat": dialogue,
    "netconsole behind syslog": netconsole("Nov 28 14:24:16 db17 "),
    "netconsole with the release": netconsole("6.1.0-18-amd64,"),
    "docklight, ends shown": each("28.11.2026 14:24:{s:02}.123 [RX] - {row}<CR><LF>", end="\r\n"),
    "cutecom": each("[14:24:{s:02}:123] {row}␍␊"),
    "hterm": each("{row}<\\n>"),
    "form feeds": each("{row}\f"),
    "logread -t": each("[Sat Nov 28 14:24:{s:02} 2026] kern.warn kernel: {row}"),
    "sonic": each("2026 Nov 28 14:24:{s:02}.123456 db17 WARNING kernel: {row}"),
    "yocto": each("| DEBUG: {row}"),
    "colours that rsyslog wrote": each("Nov 28 14:24:{s:02} db17 kernel: #033[1;31m{row}#033[0m"),
    "colours as a string has them": each("\\x1b[0;1;31m{row}\\x1b[0m"),
    "fluent bit's stdout": each(
        '[{at}] kmsg.0: [[17643314{s:02}.000000000, {{}}], {{"priority"=>4, "sec"=>1000, "usec"=>1, "msg"=>"{row}"}}]'
    ),
}
