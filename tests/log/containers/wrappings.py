"""Ways in which people hand in a log: each takes its bytes and gives a file's name and bytes."""

from __future__ import annotations

import base64
import binascii
import bz2
import csv
import gzip
import html
import io
import json
import lzma
import re
import tarfile
import urllib.parse
import zipfile
import zlib
from collections.abc import Callable
from email.message import EmailMessage

Wrapped = tuple[str, bytes]
START = 1_764_331_200_000_000_000
"""Nanoseconds of the first record of an export."""


def lines(log: bytes) -> list[str]:
    return log.decode().splitlines()


def tar(log: bytes, member: str = "sos-1/sos_commands/kernel/dmesg") -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        for name, data in (("sos-1/etc/motd", b"hello\n"), (member, log), ("sos-1/bin/sh", b"\x7fELF" + bytes(400))):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("sos-1/dmesg")
        link.type, link.linkname = tarfile.SYMTYPE, member
        archive.addfile(link)
    return held.getvalue()


def zipped(log: bytes, member: str = "logs/dmesg.txt") -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, log)
        archive.writestr("readme", "the log of last night\n")
    return held.getvalue()


def mail(log: bytes, encoding: str, name: str | None = "dmesg.log") -> bytes:
    message = EmailMessage()
    message["From"], message["Subject"] = "a@example.org", "oops"
    message.set_content("see below\n")
    if name is None:
        message.set_content(log.decode(), cte=encoding)
    else:
        message.add_attachment(log, maintype="text", subtype="plain", filename=name, cte=encoding)
    return message.as_bytes()


def apport(log: bytes) -> bytes:
    """problem_report.py ``write()``: the gzip header, raw deflate by blocks, the trailer, each base64 of its own."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, 0)
    rows = [b"\x1f\x8b\x08\0\0\0\0\0\2\xff", packer.compress(log[:999]), packer.compress(log[999:]), packer.flush()]
    rows.append(zlib.crc32(log).to_bytes(4, "little") + len(log).to_bytes(4, "little"))
    field = b"".join(b" " + base64.b64encode(row) + b"\n" for row in rows if row)
    return (
        b"ProblemType: KernelCrash\nArchitecture: amd64\nVmCoreDmesg: base64\n"
        + field
        + b"Uname: Linux 6.10.6 x86_64\n"
    )


def records(
    log: bytes, text: str, stamp: str | None = None, form: Callable[[int], object] = str
) -> list[dict[str, object]]:
    return [
        {text: line, **({stamp: form(START + at * 1_000_000)} if stamp else {})} for at, line in enumerate(lines(log))
    ]


def table(log: bytes, delimiter: str = ",") -> bytes:
    held = io.StringIO()
    writer = csv.writer(held, delimiter=delimiter)
    writer.writerow(["@timestamp", "host.name", "message"])
    for at, line in reversed(list(enumerate(lines(log)))):
        writer.writerow([START // 10**6 + at, "db17", line])
    return held.getvalue().encode()


def ndjson(rows: list[dict[str, object]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def elastic(log: bytes, **how: int) -> bytes:
    rows = records(log, "message", "@timestamp", lambda stamp: stamp // 10**6)
    hits = [
        {"_index": "j", "_id": str(at), "_source": {**row, "host": {"name": "db17"}}} for at, row in enumerate(rows)
    ]
    return json.dumps({"took": 3, "hits": {"total": {"value": 3}, "hits": hits[::-1]}}, **how).encode()  # type: ignore[arg-type]


def loki(log: bytes) -> bytes:
    values = [[str(START + at), line] for at, line in enumerate(lines(log))][::-1]
    return json.dumps(
        {"status": "success", "data": {"result": [{"stream": {"host": "db17"}, "values": values}]}}
    ).encode()


def otlp(log: bytes) -> bytes:
    rows = [{"timeUnixNano": str(START + at), "body": {"stringValue": line}} for at, line in enumerate(lines(log))]
    return json.dumps(
        {"resourceLogs": [{"resource": {"attributes": []}, "scopeLogs": [{"logRecords": rows}]}]}
    ).encode()


def insights(log: bytes) -> bytes:
    rows = [
        [{"field": "@timestamp", "value": str(START // 10**6 + at)}, {"field": "@message", "value": line}]
        for at, line in enumerate(lines(log))
    ]
    return json.dumps({"results": rows[::-1], "status": "Complete"}, indent=2).encode()


def azure(log: bytes) -> bytes:
    rows = [[f"2026-11-28T12:00:00.{at:06d}Z", line] for at, line in enumerate(lines(log))]
    columns = [{"name": "TimeGenerated", "type": "datetime"}, {"name": "Message", "type": "string"}]
    columns[1]["name"] = "message"
    return json.dumps({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]}).encode()


def cloudwatch(log: bytes) -> bytes:
    rows = records(log, "message", "timestamp", lambda stamp: stamp // 10**6)
    return json.dumps({"events": rows, "nextForwardToken": "f/1"}, indent=4).encode()


def sse(log: bytes) -> bytes:
    """Journalctl -o json-sse; the journal keeps printk's stamp in a field of its own."""
    out = b""
    for line in lines(log):
        stamp, _, text = line.removeprefix("[").partition("] ")
        micro = stamp.strip().replace(".", "")
        row = {"MESSAGE": text, "_TRANSPORT": "kernel", "_HOSTNAME": "db17", "_SOURCE_MONOTONIC_TIMESTAMP": micro}
        out += b"data: " + json.dumps(row).encode() + b"\n\n"
    return out


def gelf(log: bytes) -> bytes:
    return ndjson(
        [{"version": "1.1", "host": "db17", "timestamp": 1.0, **row} for row in records(log, "short_message")]
    )


def splunk(log: bytes) -> bytes:
    return ndjson([{"preview": False, "result": row} for row in records(log, "_raw", "_time")][::-1])


def suse(log: bytes) -> bytes:
    text = b"#==[ Command ]===========================#\n# /bin/uname -a\nLinux db17 6.10.6 #1 SMP\n\n"
    text += b"#==[ Command ]===========================#\n# /bin/dmesg -T\n" + log + b"\n"
    return tar(text, "scc_1/boot.txt")


def page(log: bytes) -> bytes:
    text = html.escape(log.decode()).replace("+", "&#43;").replace("'", "&#39;")
    return f"<!doctype html>\n<html><body><table><tr><td><pre>{text}</pre></td></tr></table></body></html>\n".encode()


def markdown(log: bytes) -> bytes:
    rows = "".join(f"| {at} | `{line}` |\n" for at, line in enumerate(lines(log)))
    return ("Look:\n\n| n | message |\n|---|---|\n" + rows).encode()


def raw_deflate(log: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -12)
    return packer.compress(b"Panic#1 Part1\n" + log) + packer.flush()


def qr(log: bytes, how: str) -> bytes:
    """drm_panic_qr.rs: ``z`` seven bytes little endian as 17 digits, ``zl`` thirteen bits as four."""
    packed = zlib.compress(log, 9)
    if how == "z":
        sizes = {1: 3, 2: 5, 3: 8, 4: 10, 5: 13, 6: 15, 7: 17}
        parts = [packed[at : at + 7] for at in range(0, len(packed), 7)]
        digits = "".join(f"{int.from_bytes(part, 'little'):0{sizes[len(part)]}d}" for part in parts)
    else:
        bits = bin(int.from_bytes(b"\1" + packed, "big"))[3:]
        groups = [bits[at : at + 13] for at in range(0, len(bits), 13)]
        width = [0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]
        digits = "".join(f"{int(group, 2):0{width[len(group)]}d}" for group in groups)
    wrapped = "\n".join(digits[at : at + 70] for at in range(0, len(digits), 70))
    return f"Hello,\nhttps://example.org/p/?a=x86_64&v=6.10.6&{how}={wrapped}\nregards\n".encode()


def uu(log: bytes) -> bytes:
    rows = (binascii.b2a_uu(log[at : at + 45]) for at in range(0, len(log), 45))
    return b"begin 644 dmesg.txt\n" + b"".join(rows) + b"`\nend\n"


def xxd(log: bytes) -> bytes:
    rows = []
    for at in range(0, len(log), 16):
        part = log[at : at + 16]
        pairs = " ".join(part[index : index + 2].hex() for index in range(0, len(part), 2))
        rows.append(f"{at:08x}: {pairs:39}  " + "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part))
    return "\n".join(rows).encode() + b"\n"


def newest_first(log: bytes) -> bytes:
    """Journalctl -r: a second a line."""
    rows = [f"Nov 28 12:{at // 60:02}:{at % 60:02} db17 kernel: {row}" for at, row in enumerate(lines(log))]
    return "\n".join(rows[::-1]).encode() + b"\n"


def xml(log: bytes) -> bytes:
    rows = (f"<result offset='{at}'><v trim=\"0\">{html.escape(row)}</v></result>" for at, row in enumerate(lines(log)))
    return ("<?xml version='1.0'?>\n<results>\n" + "\n".join(rows) + "\n</results>\n").encode()


def kibana(log: bytes) -> bytes:
    rows = [[f"Nov 28, 2026 @ 12:00:00.{at:03}", "db17", row] for at, row in enumerate(lines(log))]
    held = io.StringIO()
    csv.writer(held, quoting=csv.QUOTE_ALL).writerows([["@timestamp", "host.name", "SyslogMessage"], *rows[::-1]])
    return held.getvalue().encode()


def recording(log: bytes) -> bytes:
    """Asciinema's, version 2: what the terminal showed, cut anywhere."""
    text = log.decode("utf-8", "replace").replace("\n", "\r\n")
    events = [[at / 100, "o", text[at : at + 37]] for at in range(0, len(text), 37)]
    head = json.dumps({"version": 2, "width": 120, "height": 40}) + "\n"
    return (head + "".join(json.dumps(event) + "\n" for event in events)).encode()


def rich_text(log: bytes) -> bytes:
    rows = [re.sub(r"([\\{}])", r"\\\1", row) for row in lines(log)]
    rows = ["".join(char if char.isascii() else f"\\u{ord(char)}?" for char in row) for row in rows]
    head = "{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0\\fmodern Courier New;}}\n{\\*\\generator x}\\pard\\f0\\fs20 "
    return (head + "\\par\n".join(rows) + "\\par\n}\n").encode("latin-1")


def open_document(log: bytes) -> bytes:
    """ISO 26300: blanks in a row are an element."""
    rows = (
        re.sub("  +", lambda found: f' <text:s text:c="{len(found[0]) - 1}"/>', html.escape(row)) for row in lines(log)
    )
    text = "".join(f"<text:p>{row}</text:p>" for row in rows)
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("content.xml", f'<?xml version="1.0"?><office:document-content xmlns:text="x">{text}')
    return held.getvalue()


def gcloud(log: bytes) -> bytes:
    """``gcloud logging read``: a YAML document a record, the newest first."""
    rows = [
        f"---\ninsertId: a{at}\ntextPayload: '{row.replace(chr(39), chr(39) * 2)}'\n"
        f"timestamp: '2026-11-28T12:00:00.{at:06}Z'\n"
        for at, row in enumerate(lines(log))
    ]
    return "".join(rows[::-1]).encode()


def byte_lists(log: bytes) -> bytes:
    """A journal's records whose text is no UTF-8, written again by somebody's script."""
    return ndjson([{"PRIORITY": "4", "MESSAGE": list(row.encode()), "_TRANSPORT": "kernel"} for row in lines(log)])


def notebook(log: bytes) -> bytes:
    output = {"name": "stdout", "output_type": "stream", "text": [row + "\n" for row in lines(log)]}
    return json.dumps({"cells": [{"cell_type": "code", "outputs": [output]}], "nbformat": 4}, indent=1).encode()


def over_new_year(log: bytes) -> bytes:
    """Syslog, newest first, with most of the log in the old year."""
    rows = lines(log)
    days = ["Dec 31 23:59:{:02}" if at < len(rows) - 2 else "Jan  1 00:00:{:02}" for at in range(len(rows))]
    said = [
        f"{day.format(at * 59 // len(rows))} db17 kernel: {row}"
        for at, (day, row) in enumerate(zip(days, rows, strict=True))
    ]
    return "\n".join(said[::-1]).encode() + b"\n"


WRAPPINGS: dict[str, Callable[[bytes], Wrapped]] = {
    "tar": lambda log: ("a.tar", tar(log)),
    "tar.gz": lambda log: ("a.tar.gz", gzip.compress(tar(log))),
    "tar.xz": lambda log: ("a.tar.xz", lzma.compress(tar(log))),
    "tar.bz2": lambda log: ("a.tar.bz2", bz2.compress(tar(log))),
    "log.gz in a tar": lambda log: ("a.tar", tar(gzip.compress(log), "sos-1/var/log/messages-1.gz")),
    "tar in a zip": lambda log: ("a.zip", zipped(gzip.compress(tar(log)), "sos.tar.gz")),
    "zip": lambda log: ("a.zip", zipped(log)),
    "zip in a mail": lambda log: ("a.eml", mail(zipped(log), "base64", "logs.zip")),
    "supportconfig": lambda log: ("scc.txz", lzma.compress(suse(log))),
    "base64": lambda log: ("a.eml", mail(log, "base64")),
    "quoted-printable": lambda log: ("a.eml", mail(log, "quoted-printable")),
    "quoted-printable body": lambda log: ("a.eml", mail(log, "quoted-printable", None)),
    "mbox": lambda log: ("a.mbox", b"From a@b Thu Jan  1 00:00:00 1970\n" + mail(log, "base64") + b"\n\n"),
    "apport": lambda log: ("_linux.crash", apport(log)),
    "aws": lambda log: ("a.json", json.dumps({"InstanceId": "i", "Output": base64.b64encode(log).decode()}).encode()),
    "gcp": lambda log: ("a.json", json.dumps({"contents": log.decode(), "next": "1"}, indent=1).encode()),
    "azure console": lambda log: ("a.json", json.dumps(log.decode()).encode()),
    "html": lambda log: ("a.html", page(log)),
    "markdown": lambda log: ("a.md", markdown(log)),
    "pstore": lambda log: ("dmesg-efi-1.enc.z", raw_deflate(log)),
    "qr z": lambda log: ("a.txt", qr(log, "z")),
    "qr zl": lambda log: ("a.txt", qr(log, "zl")),
    "elastic": lambda log: ("a.json", elastic(log)),
    "elastic, indented": lambda log: ("a.json", elastic(log, indent=2)),
    "loki": lambda log: ("a.json", loki(log)),
    "otlp": lambda log: ("a.json", otlp(log)),
    "cloudwatch": lambda log: ("a.json", cloudwatch(log)),
    "insights": lambda log: ("a.json", insights(log)),
    "log analytics": lambda log: ("a.json", azure(log)),
    "json-sse": lambda log: ("a.txt", sse(log)),
    "gelf": lambda log: ("a.json", gelf(log)),
    "splunk": lambda log: ("a.json", splunk(log)),
    "logcli": lambda log: ("a.jsonl", ndjson(records(log, "line", "timestamp")[::-1])),
    "array": lambda log: ("a.json", json.dumps(records(log, "textPayload", "timestamp")[::-1], indent=2).encode()),
    "csv": lambda log: ("a.csv", table(log)),
    "tsv": lambda log: ("a.tsv", table(log, "\t")),
    "base64 alone": lambda log: ("a.txt", base64.encodebytes(log)),
    "base64, one line": lambda log: ("a.txt", base64.b64encode(gzip.compress(log)) + b"\n"),
    "uuencode": lambda log: ("a.uu", uu(log)),
    "xxd": lambda log: ("a.txt", xxd(log)),
    "utf-32": lambda log: ("a.txt", log.decode("utf-8", "replace").encode("utf-32")),
    "newest first": lambda log: ("a.log", newest_first(log)),
    "xml": lambda log: ("a.xml", xml(log)),
    "kibana": lambda log: ("a.csv", kibana(log)),
    "a command's output": lambda log: (
        "a.json",
        json.dumps({"rc": 0, "stdout": log.decode("utf-8", "replace")}).encode(),
    ),
    "a list of lines": lambda log: ("a.json", json.dumps(lines(log), indent=2).encode()),
    "a recorded terminal": lambda log: ("a.cast", recording(log)),
    "rich text": lambda log: ("a.rtf", rich_text(log)),
    "a word processor's document": lambda log: ("a.odt", open_document(log)),
    "gcloud": lambda log: ("a.yaml", gcloud(log)),
    "lists of bytes": lambda log: ("a.json", byte_lists(log)),
    "a notebook": lambda log: ("a.ipynb", notebook(log)),
    "newest first over New Year": lambda log: ("a.log", over_new_year(log)),
    "a ticket's answer": lambda log: (
        "a.json",
        json.dumps(
            {"bugs": {"1": {"comments": [{"id": 1, "text": "Hi\n\n" + log.decode("utf-8", "replace")}]}}}
        ).encode(),
    ),
    "an attachment in JSON": lambda log: (
        "a.json",
        json.dumps({"1": {"data": base64.b64encode(log).decode()}}).encode(),
    ),
    "a list that Python shows": lambda log: ("a.txt", repr(lines(log)).encode()),
    "what ansible shows": lambda log: (
        "a.txt",
        b"TASK [shell] ***\nfatal: [db17]: FAILED! => "
        + json.dumps({"rc": 1, "stdout": log.decode("utf-8", "replace"), "stdout_lines": lines(log)}).encode(),
    ),
    "a form's field": lambda log: ("a.txt", b"log=" + urllib.parse.quote_plus(log).encode() + b"\n"),
    "base64 in a text": lambda log: ("a.txt", b"Hi,\n\n" + base64.encodebytes(gzip.compress(log)) + b"\nregards\n"),
    "uuencode in a text": lambda log: ("a.txt", b"Hi,\n\n" + uu(log) + b"regards\n"),
    "words in colours": lambda log: ("a.log", re.sub(rb"([A-Za-z]+)", b"\x1b[1;32m\\1\x1b[0m", log)),
    "a screen": lambda log: (
        "a.log",
        "".join(f"\x1b[{at % 24 + 1};1H{row}\x1b[K" for at, row in enumerate(lines(log))).encode(),
    ),
    "a CI's marks": lambda log: (
        "a.log",
        "".join(f"\x1b_bk;t=17643314{at:05}\x07{row}\r\n" for at, row in enumerate(lines(log))).encode(),
    ),
    "export in a zip": lambda log: ("a.zip", zipped(elastic(log), "hits.json")),
}
