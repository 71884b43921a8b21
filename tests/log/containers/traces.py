# ruff: noqa: E501
"""Logs in traces of calls, in what pages are drawn from, in attributes, and as bytes that are written as text."""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
import tarfile
import textwrap
import zipfile
import zlib
from collections.abc import Callable

from tests.log.containers.chats import Wrapped, lines, text


def quoted(said: str) -> str:
    """As strace and ltrace write a string."""
    return (
        said.encode().decode("latin-1").encode("unicode_escape").decode().replace('"', '\\"').replace("\\x1b", "\\33")
    )


LIBRARY = (
    'openat(AT_FDCWD, "/lib/libc.so.6", O_RDONLY|O_CLOEXEC) = 3\n'
    r'read(3, "\177ELF\2\1\1\3\0\0\0\0\0\0\0\0\3\0>\0\1\0\0\0\220q\2\0"..., 832) = 832'
    "\n"
)
"""What any program that is linked with libraries reads first."""


def calls(form: str, head: str = "") -> Callable[[bytes], Wrapped]:
    def wrapped(log: bytes) -> Wrapped:
        rows = (form.replace("{row}", quoted(row)).replace("{size}", str(len(row) + 1)) for row in lines(log))
        return "a.strace", (head + "\n".join(rows) + "\n+++ exited with 0 +++\n").encode()

    return wrapped


def split_writes(log: bytes) -> Wrapped:
    """Buffers of a pipe: a call ends anywhere."""
    parts = [text(log)[at : at + 333] for at in range(0, len(text(log)), 333)]
    return "a.strace", "".join(
        f'[pid 4711] write(1</dev/pts/0>, "{quoted(one)}", {len(one)}) = {len(one)}\n' for one in parts
    ).encode()


def in_hex(log: bytes) -> Wrapped:
    rows = ("".join(f"\\x{byte:02x}" for byte in row.encode()) for row in lines(log))
    return "a.strace", "".join(f'write(1, "{row}\\x0a", 80) = 80\n' for row in rows).encode()


def short_writes(log: bytes) -> Wrapped:
    """To a pipe that is full: what was not taken is written again."""
    said, rows = text(log), [LIBRARY.rstrip()]
    while said:
        taken = min(len(said), 777)
        rows.append(f'write(1, "{quoted(said)}", {len(said)}) = -1 EAGAIN (Resource temporarily unavailable)')
        rows.append(f'write(1, "{quoted(said)}", {len(said)}) = {taken}')
        said = said[taken:]
    return "a.strace", ("\n".join(rows) + "\n").encode()


def resumed(log: bytes) -> Wrapped:
    """Two tasks: every second call is shown in two parts."""
    forms = (
        '4711 read(3, "{row}\\n", 8191) = {size}\n4712 futex(0x7f, FUTEX_WAKE) = 0\n',
        '4711 read(3,  <unfinished ...>\n4712 futex(0x7f, FUTEX_WAKE) = 0\n4711 <... read resumed>"{row}\\n", 8191) = {size}\n',
    )
    rows = (
        forms[at % 2].replace("{row}", quoted(row)).replace("{size}", str(len(row) + 1))
        for at, row in enumerate(lines(log))
    )
    return "a.strace", "".join(rows).encode()


def long_write(log: bytes) -> Wrapped:
    said = "[    1.000000] usb 1-1: new high-speed USB device number 2\n" * 20000 + text(log)
    return "a.strace", f'{LIBRARY}write(1, "{quoted(said)}", {len(said)}) = {len(said)}\n'.encode()


def attributes(form: str) -> Callable[[bytes], Wrapped]:
    def wrapped(log: bytes) -> Wrapped:
        rows = "".join(
            form.replace("{row}", html.escape(row)).replace("{at}", str(at)) for at, row in enumerate(lines(log))
        )
        return "a.xml", f'<?xml version="1.0" encoding="UTF-8"?>\n<events>\n{rows}</events>\n'.encode()

    return wrapped


def junit_attribute(log: bytes) -> Wrapped:
    said = html.escape(text(log)).replace("\n", "&#10;")
    return (
        "a.xml",
        f'<?xml version="1.0"?>\n<testsuite><testcase name="boot"><failure message="{said}" type="panic"/></testcase></testsuite>'.encode(),
    )


def console_answer(log: bytes) -> Wrapped:
    """AWS's GetConsoleOutput by its query API."""
    said = base64.b64encode(log).decode()
    return "a.xml", (
        '<GetConsoleOutputResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">\n<requestId>59dbff89</requestId>\n'
        f"<instanceId>i-1</instanceId>\n<timestamp>2026-11-28T14:24:16Z</timestamp>\n<output>{said}</output>\n</GetConsoleOutputResponse>\n"
    ).encode()


def drawn(before: str, after: str = "</script></body></html>", name: str = "log") -> Callable[[bytes], Wrapped]:
    """A page that its scripts draw."""
    head = '<!DOCTYPE html>\n<html><head><title>x</title></head><body><div id="root"></div><script'
    return lambda log: (
        "a.html",
        (head + before + json.dumps({"props": {name: text(log)}}).replace("</", "<\\/") + after).encode(),
    )


def rows_drawn(log: bytes) -> Wrapped:
    rows = json.dumps({"payload": {"lines": [{"n": at, "text": row} for at, row in enumerate(lines(log))]}})
    return "a.html", f'<html><body><script type="application/json">{rows}</script></body></html>'.encode()


def state(log: bytes) -> Wrapped:
    return "a.html", (
        "<html><body><div data-props='" + html.escape(json.dumps({"log": text(log)})) + "'></div></body></html>"
    ).encode()


def srcdoc(log: bytes) -> Wrapped:
    return "a.html", (
        '<html><body><iframe srcdoc="'
        + html.escape(f"<pre>{html.escape(text(log))}</pre>")
        + '"></iframe></body></html>'
    ).encode()


def code(log: bytes) -> bytes:
    return base64.b64encode(log)


def ldif(width: int) -> Callable[[bytes], Wrapped]:
    """RFC 2849: a line goes on behind a blank; the name is within the width of the first (OpenLDAP: 76)."""

    def wrapped(log: bytes) -> Wrapped:
        said, rows = b"log:: " + code(log), []
        while said:
            rows.append(said[:width])
            said = said[width:] and b" " + said[width:]
        return "a.ldif", b"dn: cn=log\n" + b"\n".join(rows) + b"\n\ndn: cn=b\n"

    return wrapped


def format_hex(log: bytes) -> Wrapped:
    rows = (
        f"{at:08X}   {' '.join(f'{byte:02X}' for byte in log[at : at + 16]):47}  "
        + "".join(chr(byte) if 32 <= byte < 127 else "." for byte in log[at : at + 16])
        for at in range(0, len(log), 16)
    )
    return "a.txt", ("           00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F\n\n" + "\n".join(rows) + "\n").encode()


def array(log: bytes) -> Wrapped:
    rows = ",\n".join("  " + ", ".join(f"0x{byte:02x}" for byte in log[at : at + 12]) for at in range(0, len(log), 12))
    return "a.h", f"unsigned char dmesg[] = {{\n{rows}\n}};\nunsigned int dmesg_len = {len(log)};\n".encode()


def unpacks_itself(program: bytes) -> Callable[[bytes], Wrapped]:
    def wrapped(log: bytes) -> Wrapped:
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("dmesg.txt", log)
        return "dmesg.exe", program + held.getvalue()

    return wrapped


def makeself(log: bytes) -> Wrapped:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as archive:
        info = tarfile.TarInfo("dmesg.txt")
        info.size = len(log)
        archive.addfile(info, io.BytesIO(log))
    return "dmesg.run", b"#!/bin/sh\n" + b"# a line of the script\n" * 900 + b"exit 0\n" + held.getvalue()


def ebcdic(page: str, swap: bytes = b"", by: bytes = b"") -> Callable[[bytes], Wrapped]:
    return lambda log: ("CONSOLE.LOG", text(log).encode(page, "replace").translate(bytes.maketrans(swap, by)))


def level(form: str) -> Callable[[bytes], Wrapped]:
    return lambda log: (
        "a.log",
        "".join(form.replace("{at}", f"{at % 60:02}") + row + "\n" for at, row in enumerate(lines(log))).encode(),
    )


WAYS: dict[str, Callable[[bytes], Wrapped]] = {
    "strace": calls('write(1, "{row}\\n", {size}) = {size}', 'execve("/usr/bin/dmesg", ["dmesg"], 0x7ffc /* 20 vars */) = 0\n'),
    "strace -f -tt -T": calls('4711  14:24:16.123456 write(1, "{row}\\n", {size}) = {size} <0.000012>'),
    "strace, both sides": calls('read(3, "{row}\\n", 8191) = {size}\nwrite(1, "{row}\\n", {size}) = {size}'),
    "strace, a library": calls('read(3, "{row}\\n", 8191) = {size}', LIBRARY),
    "strace, a library, early lines": calls('write(1, "{row}\\n", {size}) = {size}', LIBRARY + 'write(1, "fine\\n", 5) = 5\n' * 12000),
    "strace, a library, both sides": calls('read(3, "{row}\\n", 8191) = {size}\nwrite(1, "{row}\\n", {size}) = {size}', LIBRARY),
    "strace, one write": long_write,
    "strace, short writes": short_writes,
    "strace, calls resumed": resumed,
    "strace -f -Y": calls('[pid 4711<dmesg -w>] write(1, "{row}\\n", {size}) = {size}'),
    "strace -f -Y -o": calls('4711<dmesg> write(1</dev/pts/0<char 136:0>>, "{row}\\n", {size}) = {size}'),
    "strace -r": calls('     0.000012 write(1, "{row}\\n", {size}) = {size}'),
    "strace, a named socket": calls('sendto(3, "<4>Nov 28 14:24:16 kernel: {row}", {size}, MSG_NOSIGNAL, {sa_family=AF_UNIX, sun_path="/dev/log"}, 110) = {size}'),
    "strace, writev": calls('writev(1, [{iov_base="{row}", iov_len=9}, {iov_base="\\n", iov_len=1}], 2) = {size}'),
    "strace, datagrams": calls('sendto(3, "<4>Nov 28 14:24:16 kernel: {row}", {size}, MSG_NOSIGNAL, NULL, 0) = {size}'),
    "strace, one call unfinished": calls('4711 write(1, "{row}\\n", {size} <unfinished ...>\n4712 futex(0x7f, FUTEX_WAKE) = 0\n4711 <... write resumed>) = {size}'),
    "strace, split writes": split_writes,
    "strace -x": in_hex,
    "ltrace": calls('dmesg->puts("{row}") = {size}'),
    "ltrace, fwrite": calls('fwrite("{row}\\n", 1, {size}, 0x7f12) = {size}'),
    "xml, attributes": attributes('<e t="{at}" level="warn" msg="{row}"/>\n'),
    "xml, attributes of empty elements": attributes('<event id="{at}" message="{row}"></event>'),
    "xml, one attribute": junit_attribute,
    "xml, base64": console_answer,
    "a page's data": drawn(' type="application/json">'),
    "a page's state": drawn(">window.__STATE__ = ", ";\nrender(window);</script></body></html>"),
    "a page's data, a row a line": rows_drawn,
    "an element's state": state,
    "a page in a page": srcdoc,
    "base64 on one line in a text": lambda log: ("a.txt", b"Hi,\nhere it is:\n\n" + code(log) + b"\n\nHans\n"),
    "base64 behind a name": lambda log: ("a.yaml", b"#cloud-config\nwrite_files:\n- path: /x\n  encoding: b64\n  content: " + code(log) + b"\n"),
    "base64 of addresses": lambda log: ("a.txt", base64.urlsafe_b64encode(log)),
    "base64 in a field of texts": lambda log: ("a.json", json.dumps({"data": {"content": code(log).decode()}}).encode()),
    "base64 of zlib": lambda log: ("a.json", json.dumps({"payload": code(zlib.compress(log)).decode()}).encode()),
    "ldif": ldif(76),
    "ldif, 78 columns": ldif(78),
    "xxd -p": lambda log: ("a.txt", textwrap.fill(log.hex(), 60).encode() + b"\n"),
    "xxd -i": array,
    "format-hex": format_hex,
    "zlib": lambda log: ("a.zz", zlib.compress(log)),
    "zlib, fast": lambda log: ("a.zz", zlib.compress(log, 1)),
    "zlib in tar.gz": lambda log: ("a.gz", gzip.compress(zlib.compress(log))),
    "a program that unpacks itself": unpacks_itself(b"MZ" + bytes(range(256)) * 200),
    "a program of Linux's that does": unpacks_itself(b"\x7fELF" + bytes(range(256)) * 2000),
    "a script that does": makeself,
    "ebcdic, 037": ebcdic("cp037"),
    "ebcdic, 1047": ebcdic("cp037", b"\xba\xbb\x25", b"\xad\xbd\x15"),
    "ebcdic, 500": ebcdic("cp500"),
    "log4j, warn": level("14:24:{at}.123 [thread-1] WARN  kernel - "),
    "zap, warn": level("2026-11-28T14:24:{at}.123Z\tWARN\tkernel\t"),
    "vmkernel": level("2026-11-28T14:24:{at}.123Z cpu12:2097152)"),
    "vmkwarning": level("2026-11-28T14:24:{at}.123Z Wa(180) vmkwarning: cpu3:2097990)WARNING: "),
    "vertical tabs": lambda log: ("a.txt", text(log).replace("\n", "\x0b").encode()),
    "separators of records": lambda log: ("a.txt", text(log).replace("\n", "\x1e\n").encode()),
}  # fmt: skip
