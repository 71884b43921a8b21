# ruff: noqa: E501
"""Logs in archives and encodings that other tests do not have, and as people post them."""

from __future__ import annotations

import base64
import bz2
import gzip
import html
import io
import lzma
import quopri
import re
import tarfile
import textwrap
import zipfile
from collections.abc import Callable
from email.message import EmailMessage

from tests.log.containers.chats import Wrapped, document, lines, text
from tests.log.containers.jobs import each


def tar(*members: tuple[str, bytes], mode: str = "w") -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode=mode, format=tarfile.PAX_FORMAT) as made:  # type: ignore[call-overload]
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            made.addfile(info, io.BytesIO(data))
    return held.getvalue()


def tar_in_tar(log: bytes) -> Wrapped:
    inner = tar(("node1/dmesg.txt", log), mode="w:gz")
    return "must-gather.tar", tar(("must-gather/version", b"4.15\n"), ("must-gather/node1.tar.gz", inner))


def must_gather(log: bytes) -> Wrapped:
    """Several nodes, one of which is at fault; the others' logs are good."""
    quiet = b"[    1.000000] eth0: link up\n" * 9
    return "mg.tar.xz", tar(("mg/nodes/a/dmesg", quiet), ("mg/nodes/b/dmesg", log), mode="w:xz")


def abrt(log: bytes) -> Wrapped:
    folder = "ccpp-2026-11-28-14:24:16-1"
    return "abrt.tar.gz", tar(
        (f"{folder}/type", b"Kerneloops"), (f"{folder}/dmesg", log), (f"{folder}/uid", b"0"),
        (f"{folder}/analyzer", b"abrt-oops"), (f"{folder}/kernel", b"6.1.0"), mode="w:gz",
    )  # fmt: skip


def kdump(log: bytes) -> Wrapped:
    folder = "127.0.0.1-2026-11-28-14:24:16"
    return "crash.tar.bz2", tar(
        (f"{folder}/vmcore-dmesg.txt", log), (f"{folder}/kexec-dmesg.log", b"[    0.0] kexec\n"), mode="w:bz2"
    )


def proxmox_report(log: bytes) -> Wrapped:
    said = f"==== general system info ====\n\n# hostname\n\ndb17\n\n==== info about kernel ====\n\n# dmesg\n\n{text(log)}\n\n# lspci\n"
    return "pvereport.txt", said.encode()


def debug_bundle(log: bytes) -> Wrapped:
    """A bundle of kubectl's cluster-info or a vendor's: gzip in zip, names with blanks."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as made:
        made.writestr("Support Bundle 28-11-2026/dmesg output.txt.gz", gzip.compress(log))
        made.writestr("Support Bundle 28-11-2026/manifest.json", "{}")
    return "bundle.zip", held.getvalue()


def mail_with_parts(log: bytes) -> Wrapped:
    """A forwarded mail with the log attached, packed."""
    inner = EmailMessage()
    inner["Subject"], inner["From"] = "oops", "a@example.org"
    inner.set_content("see the attachment\n")
    inner.add_attachment(gzip.compress(log), maintype="application", subtype="gzip", filename="dmesg.txt.gz")
    outer = EmailMessage()
    outer["Subject"], outer["From"] = "Fwd: oops", "b@example.org"
    outer.set_content("fyi\n")
    outer.add_attachment(inner)
    return "fwd.eml", outer.as_bytes()


def flowed(log: bytes) -> Wrapped:
    rows = []
    for row in lines(log):
        parts = textwrap.wrap(row, 72, drop_whitespace=False, break_long_words=False, break_on_hyphens=False) or [""]
        rows += [part if part.endswith(" ") or at == len(parts) - 1 else part + " " for at, part in enumerate(parts)]
    head = "From: a@example.org\nSubject: oops\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8; format=flowed\n\n"
    return "a.eml", (head + "\n".join(rows) + "\n").encode()


def plain_mail(log: bytes) -> Wrapped:
    """Lore's raw text: a mail without an encoding."""
    head = "From mboxrd@z Thu Jan  1 00:00:00 1970\nReturn-Path: <linux-mm@kvack.org>\nFrom: A <a@example.org>\n"
    return "raw.txt", (
        head + "Subject: [BUG] oops\nMessage-ID: <1@x>\n\nHi,\n\nsince 6.7:\n\n" + text(log) + "\nThanks\n"
    ).encode()


def quoted_reply(log: bytes) -> Wrapped:
    head = "From: A <a@example.org>\nSubject: Re: oops\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\nMIME-Version: 1.0\n\n"
    said = "On Sat, Hans wrote:\n" + "".join(f"> {row}\n" for row in lines(log)) + "\nplease bisect\n"
    return "re.eml", head.encode() + quopri.encodestring(said.encode())


def launchpad(log: bytes) -> Wrapped:
    """Launchpad's +text of a bug."""
    rows = "".join(f"{row}\n" for row in lines(log))
    return (
        "bug.txt",
        f'bug: 2012345\ntitle: oops\ndate-reported: Sat, 28 Nov 2026 14:24:16 -0000\n\nContent-Type: multipart/mixed; boundary="==="\n--===\nContent-Type: text/plain; charset="utf-8"\n\n{rows}\n--===--\n'.encode(),
    )


def gitlab_issue(log: bytes) -> Wrapped:
    return document(
        {"id": 7, "iid": 1, "description": f"<details><summary>dmesg</summary>\n\n```\n{text(log)}```\n\n</details>"}
    )


def graphql(log: bytes) -> Wrapped:
    node = {"body": f"~~~\n{text(log)}~~~", "createdAt": "2026-11-28T14:24:16Z", "author": {"login": "hans"}}
    return document({"data": {"repository": {"issue": {"comments": {"nodes": [node]}}}}})


def phabricator(log: bytes) -> Wrapped:
    return document(
        {"result": {"data": [{"fields": {"description": {"raw": "```\n" + text(log) + "```"}}}]}, "error_code": None}
    )


def redmine_xml(log: bytes) -> Wrapped:
    said = html.escape(f"<pre>\n{text(log)}</pre>", quote=False)
    return (
        "issue.xml",
        f'<?xml version="1.0" encoding="UTF-8"?><issue><id>1</id><description>{said}</description></issue>'.encode(),
    )


def discourse(log: bytes) -> Wrapped:
    cooked = f'<p>hi</p>\n<pre><code class="lang-auto">{html.escape(text(log))}</code></pre>'
    return document({"post_stream": {"posts": [{"id": 1, "cooked": cooked}]}})


def stack_page(log: bytes) -> Wrapped:
    page = f'<!DOCTYPE html>\n<html><head><script>var a = "<b>";</script><style>p {{}}</style></head><body><div class="s-prose"><p>I get</p>\n<pre class="lang-none"><code>{html.escape(text(log))}</code></pre></div></body></html>'
    return "a.html", page.encode()


def break_page(log: bytes) -> Wrapped:
    """A forum's: blanks that do not break, numbered entities."""
    rows = "<br />\n".join(
        html.escape(row).replace(" ", "&nbsp;").replace("[", "&#91;").replace("]", "&#93;") for row in lines(log)
    )
    return "a.html", f"<html><body><div class='quote'>{rows}</div></body></html>".encode()


def details(log: bytes) -> Wrapped:
    return "a.md", f"### dmesg\n\n<details>\n<summary>log</summary>\n\n```\n{text(log)}```\n\n</details>\n".encode()


def list_in_fence(log: bytes) -> Wrapped:
    """A fence in an item of a list in a quote."""
    rows = "".join(f">    {row}\n" for row in lines(log))
    return "a.md", f"> 1. boot\n>\n>    ```\n{rows}>    ```\n".encode()


def rst(log: bytes) -> Wrapped:
    return "a.rst", (
        "Oops\n====\n\n.. code-block:: none\n\n" + "".join(f"   {row}\n" for row in lines(log)) + "\nend\n"
    ).encode()


def mediawiki(log: bytes) -> Wrapped:
    return (
        "a.txt",
        f'== Oops ==\n<syntaxhighlight lang="text" line>\n{text(log)}</syntaxhighlight>\n[[Category:Bugs]]\n'.encode(),
    )


def latex(log: bytes) -> Wrapped:
    return "a.tex", f"\\begin{{verbatim}}\n{text(log)}\\end{{verbatim}}\n".encode()


def bbcode(log: bytes) -> Wrapped:
    return "a.txt", f"[QUOTE=hans;123]\nsee\n[CODE]{text(log)}[/CODE]\n[/QUOTE]\n".encode()


def loki_table(log: bytes) -> Wrapped:
    return document(
        [
            {"labels": {"host": "db17"}, "ts": f"2026-11-28T14:24:16.{at:09}Z", "line": row}
            for at, row in enumerate(lines(log))
        ][::-1]
    )


def dynatrace(log: bytes) -> Wrapped:
    return document(
        {
            "results": [
                {"timestamp": 1764331200000 + at, "content": row, "status": "WARN"} for at, row in enumerate(lines(log))
            ][::-1]
        }
    )


def stackdriver_csv(log: bytes) -> Wrapped:
    rows = "".join(
        f'2026-11-28T14:24:16.{at:06}Z,WARNING,"{row.replace(chr(34), chr(34) * 2)}"\n'
        for at, row in enumerate(lines(log))
    )
    return "a.csv", ("timestamp,severity,textPayload\n" + rows).encode()


def excel_csv(log: bytes) -> Wrapped:
    """A mark of order, the separator named, semicolons, Windows' line ends."""
    rows = "".join(f'28.11.2026 14:24;db17;"{row.replace(chr(34), chr(34) * 2)}"\r\n' for row in lines(log))
    return "a.csv", b"\xef\xbb\xbf" + ("sep=;\r\nZeit;Host;Message\r\n" + rows).encode()


def newlines_in_cells(log: bytes) -> Wrapped:
    said = text(log).replace('"', '""')
    return "a.csv", ("\ufeff" + f'Id,Subject,Body\r\n1,hello,"it\r\nworks"\r\n2,oops,"{said}"\r\n').encode()


def eventhub(log: bytes) -> Wrapped:
    return document(
        {
            "records": [
                {
                    "time": f"2026-11-28T14:24:16.{at:07}Z",
                    "category": "Syslog",
                    "properties": {"message": row, "hostname": "db17"},
                }
                for at, row in enumerate(lines(log))
            ]
        }
    )


def quickwit(log: bytes) -> Wrapped:
    return document(
        {
            "num_hits": 3,
            "hits": [
                {"timestamp": 1764331200 + at, "body": {"message": row}, "resource": {}}
                for at, row in enumerate(lines(log))
            ],
        }
    )


def clickhouse(log: bytes) -> Wrapped:
    rows = [["2026-11-28 14:24:16", "db17", row] for row in lines(log)]
    return document(
        {
            "meta": [
                {"name": "ts", "type": "DateTime"},
                {"name": "host", "type": "String"},
                {"name": "message", "type": "String"},
            ],
            "data": rows,
            "rows": 3,
        }
    )


def psql(log: bytes) -> Wrapped:
    """Psql's table of rows."""
    rows = "".join(f" {at:4} | {row}\n" for at, row in enumerate(lines(log)))
    return "a.txt", f"  id  | message\n------+---------\n{rows}({len(lines(log))} rows)\n".encode()


def mysql(log: bytes) -> Wrapped:
    rows = lines(log)
    width = max(map(len, rows), default=1)
    line = f"+------+{'-' * (width + 2)}+\n"
    return "a.txt", (
        line
        + f"| id   | {'message':{width}} |\n"
        + line
        + "".join(f"| {at:4} | {row:{width}} |\n" for at, row in enumerate(rows))
        + line
    ).encode()


def box(log: bytes) -> Wrapped:
    rows = lines(log)
    width = max(map(len, rows), default=1)
    return "a.txt", (
        f"┌{'─' * (width + 2)}┐\n" + "".join(f"│ {row:{width}} │\n" for row in rows) + f"└{'─' * (width + 2)}┘\n"
    ).encode()


def csharp(log: bytes) -> Wrapped:
    return "a.cs", ('var log = @"' + text(log).replace('"', '""') + '";\n').encode()


def python_triple(log: bytes) -> Wrapped:
    return "test_oops.py", f'LOG = """\\\n{text(log)}"""\n'.encode()


def heredoc(log: bytes) -> Wrapped:
    return "a.sh", f"#!/bin/sh\ncat > /tmp/dmesg <<'EOF'\n{text(log)}EOF\n".encode()


def encoded(name: str) -> Callable[[bytes], Wrapped]:
    said = {
        "gbk": "昨晚的日志：\n",
        "shift_jis": "昨夜のログ：\n",
        "euc_kr": "어젯밤 로그:\n",
        "latin-1": "Größe\n",
        "koi8_r": "Журнал:\n",
    }
    return lambda log: ("a.txt", (said[name] + text(log)).encode(name, "replace"))


def utf7(log: bytes) -> Wrapped:
    return "a.txt", ("\ufeff" + text(log)).encode("utf-8")


def form(log: bytes) -> Wrapped:
    """A body of HTML's multipart form."""
    return (
        "body.bin",
        f'--x\r\nContent-Disposition: form-data; name="file"; filename="dmesg.txt"\r\nContent-Type: text/plain\r\n\r\n{text(log)}\r\n--x--\r\n'.encode(),
    )


def http(log: bytes) -> Wrapped:
    return (
        "curl.txt",
        f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(log)}\r\n\r\n{text(log)}".encode(),
    )


def data_url(log: bytes) -> Wrapped:
    return "a.txt", b"data:text/plain;base64," + base64.b64encode(log) + b"\n"


def configmap_binary(log: bytes) -> Wrapped:
    said = f"apiVersion: v1\nbinaryData:\n  dmesg.txt.gz: {base64.b64encode(gzip.compress(log)).decode()}\nkind: ConfigMap\n"
    return "cm.yaml", said.encode()


def nested_packing(log: bytes) -> Wrapped:
    return "dmesg.xz.gz", gzip.compress(lzma.compress(log))


def zst(log: bytes) -> Wrapped:
    import zstandard

    return "dmesg.zst", zstandard.ZstdCompressor().compress(log)


def tar_zst(log: bytes) -> Wrapped:
    import zstandard

    return "a.tar.zst", zstandard.ZstdCompressor().compress(tar(("var/log/kern.log", log)))


def concatenated(log: bytes) -> Wrapped:
    rows = text(log).splitlines(keepends=True)
    half = len(rows) // 2
    return "messages.gz", gzip.compress("".join(rows[:half]).encode()) + gzip.compress("".join(rows[half:]).encode())


def collapsed(log: bytes) -> Wrapped:
    """Copied from a page that shows blanks as pages do: none at a line's start, one for many."""
    return "a.txt", "".join(" ".join(row.split()) + "\n" for row in lines(log)).encode()


def typeset(log: bytes) -> Wrapped:
    """As a blog's typography shows it (WordPress, wptexturize())."""
    said = re.sub(r"(?<=\d)x(?=\d)", "\u00d7", text(log))
    said = re.sub(r"-{3}", "\u2014", said)
    said = re.sub(r" - ", " \u2013 ", said)
    said = re.sub(r'"([^"\n]*)"', "\u201c\\1\u201d", said)
    return "a.txt", re.sub(r"(?<=\w)'(?=\w)", "\u2019", said).encode()


def emptied(log: bytes) -> Wrapped:
    """Copied from a page that took addresses in angle brackets for marks."""
    return "a.txt", re.sub(r"<[0-9a-f]{8,16}>", "", text(log)).encode()


WAYS: dict[str, Callable[[bytes], Wrapped]] = {
    "tar in tar": tar_in_tar, "must-gather": must_gather, "abrt's folder": abrt, "kdump's folder": kdump,
    "pvereport": proxmox_report, "a bundle": debug_bundle, "gzip of xz": nested_packing, "zst": zst, "tar.zst": tar_zst,
    "gzip in members": concatenated, "bz2": lambda log: ("a.bz2", bz2.compress(log)),
    "a forwarded mail": mail_with_parts, "format=flowed": flowed, "a list's mail": plain_mail, "a reply": quoted_reply,
    "launchpad": launchpad, "gitlab's issue": gitlab_issue, "graphql": graphql, "phabricator": phabricator,
    "redmine, xml": redmine_xml, "discourse": discourse, "a page of answers": stack_page, "a forum's page": break_page,
    "details": details, "a fence in a list in a quote": list_in_fence, "rst": rst, "mediawiki": mediawiki, "latex": latex,
    "bbcode": bbcode, "loki's lines": loki_table, "dynatrace": dynatrace, "gcp, csv": stackdriver_csv,
    "excel's csv": excel_csv, "a cell of lines": newlines_in_cells, "event hub": eventhub, "quickwit": quickwit,
    "clickhouse": clickhouse, "psql": psql, "mysql": mysql, "a box": box, "c#": csharp, "python": python_triple,
    "here document": heredoc, "gbk": encoded("gbk"), "shift_jis": encoded("shift_jis"), "euc_kr": encoded("euc_kr"),
    "latin-1": encoded("latin-1"), "koi8-r": encoded("koi8_r"), "a form's body": form, "http": http,
    "a data address": data_url, "configmap, binary": configmap_binary, "windows' line ends": each("{row}", end="\r\n"),
    "a mark of order": utf7, "asciinema's lines": each("{row}\x1b[K", end="\r\n"),
    "emacs' compilation": lambda log: ("a.txt", ("-*- mode: compilation; default-directory: \"~/\" -*-\n" + text(log)).encode()),
    "a man's numbering": each("{at:03}) {row}"), "intellij": each("dmesg.txt ({at}): {row}"), "bat --plain": each("{row}\x1b[0m"),
    "sed -n l": lambda log: ("a.txt", "".join(row.replace("\\", "\\\\").replace("\t", "\\t") + "$\n" for row in lines(log)).encode()),
    "cat -A": lambda log: ("a.txt", "".join(row.replace("\t", "^I") + "^M$\n" for row in lines(log)).encode()),
    "tail of several": lambda log: ("a.txt", ("==> /var/log/kern.log <==\n" + text(log) + "\n==> /var/log/syslog <==\n").encode()),
    "blanks as pages show them": collapsed, "typeset": typeset, "addresses taken for marks": emptied,
    "watch": lambda log: ("a.txt", ("Every 2.0s: dmesg                db17: Sat Nov 28 14:24:16 2026\n\n" + text(log)).encode()),
}  # fmt: skip
