"""Logs as collectors write, index and export them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

from tests.log.containers.chats import Wrapped, document, lines
from tests.log.containers.jobs import each


def rows(log: bytes, form: Callable[[int, str], object]) -> list[object]:
    return [form(at, row) for at, row in enumerate(lines(log))]


def ndjson(log: bytes, form: Callable[[int, str], object], *, newest: bool = False) -> Wrapped:
    found = rows(log, form)
    said = (json.dumps(one, ensure_ascii=False) + "\n" for one in (found[::-1] if newest else found))
    return "a.jsonl", "".join(said).encode("utf-8", "replace")


def table(
    head: list[str], log: bytes, form: Callable[[int, str], list[str]], *, newest: bool = False, **how: str
) -> Wrapped:
    held = io.StringIO()
    writer = csv.writer(held, lineterminator="\n", quoting=csv.QUOTE_ALL if how else csv.QUOTE_MINIMAL, **how)  # type: ignore[arg-type]
    if head:
        writer.writerow(head)
    found = [form(at, row) for at, row in enumerate(lines(log))]
    writer.writerows(found[::-1] if newest else found)
    return "a.csv", held.getvalue().encode("utf-8", "replace")


def stamp(at: int) -> str:
    return f"2026-11-28T14:24:{at // 1000:02}.{at % 1000:03}Z"


def debug_format(log: bytes) -> Wrapped:
    """RSYSLOG_DebugFormat."""
    said = "".join(
        f"Debug line with all properties:\nFROMHOST: 'db17', fromhost-ip: '127.0.0.1', HOSTNAME: 'db17', PRI: 4,\n"
        f"syslogtag 'kernel:', programname: 'kernel', APP-NAME: 'kernel', PROCID: '-', MSGID: '-',\n"
        f"TIMESTAMP: 'Nov 28 14:24:16', STRUCTURED-DATA: '-',\nmsg: ' {row}'\nescaped msg: ' {row}'\n"
        f"inputname: imklog rawmsg: '{row}'\n$!:\n$.:\n$/:\n\n"
        for row in lines(log)
    )
    return "debug.log", said.encode()


def cee(log: bytes) -> Wrapped:
    said = ("Nov 28 14:24:16 db17 kernel: @cee: " + json.dumps({"pri": "4", "msg": row}) + "\n" for row in lines(log))
    return "messages", "".join(said).encode()


def splunk_page(log: bytes) -> Wrapped:
    """Copied from Splunk's page: an event is three lines."""
    said = "".join(
        f"11/28/26\n2:24:16.{at % 1000:03} PM\t\n{row}\nhost = db17 source = /var/log/messages sourcetype = syslog\n"
        for at, row in enumerate(lines(log))
    )
    return "splunk.txt", said.encode()


def nxos(log: bytes) -> Wrapped:
    """Cisco NX-OS: the facility in front, the program behind."""
    said = (f"2026 Nov 28 14:24:16 n9k %KERN-3-SYSTEM_MSG: {row} - kernel\n" for row in lines(log))
    return "logflash.txt", "".join(said).encode()


def kiwi(log: bytes) -> Wrapped:
    said = (
        f"2026-11-28 14:24:16\tKernel.Warning\t192.0.2.17\tNov 28 14:24:16 db17 kernel: {row}\r\n" for row in lines(log)
    )
    return "SyslogCatchAll.txt", "".join(said).encode()


def headless(log: bytes) -> Wrapped:
    """A table without a head."""
    return table([], log, lambda at, row: [stamp(at), "db17", "kernel", row])


def headless_quoted(log: bytes) -> Wrapped:
    return table([], log, lambda at, row: [stamp(at), "db17", row], delimiter=";")


def logfmt(log: bytes) -> Wrapped:
    said = (
        f'level=warn ts={stamp(at)} msg="{row}" host=db17 unit=kernel\n'.replace("\\", "\\\\")
        for at, row in enumerate(lines(log))
    )
    return "a.log", "".join(said).encode()


def logfmt_bare(log: bytes) -> Wrapped:
    """A value that nobody quoted."""
    return "a.log", "".join(f"time={stamp(at)} level=warning msg={row}\n" for at, row in enumerate(lines(log))).encode()


WAYS: dict[str, Callable[[bytes], Wrapped]] = {
    "rsyslog's debug format": debug_format,
    "cee": cee,
    "syslog-ng's template": each("2026-11-28T14:24:{s:02}+00:00 db17 warning kernel: {row}"),
    "syslog-ng's chain": each("Nov 28 14:24:{s:02} src@relay/db17 kernel: {row}"),
    "two hosts": each("Nov 28 14:24:{s:02} relay db17 kernel: {row}"),
    "syslog with a year": each("Nov 28 2026 14:24:{s:02} db17 kernel: {row}"),
    "rfc 5424": each('<4>1 2026-11-28T14:24:{s:02}.123456Z db17 kernel - - [meta seq="{at}"] {row}'),
    "logread": each("Sat Nov 28 14:24:{s:02} 2026 kern.warn kernel: {row}"),
    "metalog": each("Nov 28 14:24:{s:02} [kernel] {row}"),
    "socklog": each("2026-11-28_14:24:{s:02}.12345 kern.warn: {row}"),
    "multilog": each("@4000000065{at:014x} kern.warn: {row}"),
    "bigip": each("Nov 28 14:24:{s:02} bigip1 warning kernel: {row}"),
    "nx-os": nxos,
    "kiwi": kiwi,
    "papertrail": each("Nov 28 14:24:{s:02} db17 kernel:  {row}"),
    "cef": each("CEF:0|Linux|kernel|6.1|100|kernel|5|dhost=db17 msg={row}"),
    "journal with a program": each("Nov 28 14:24:{s:02} db17 dmesg[4711]: {row}"),
    "ksystemlog": each("28/11/26 14:24\tkernel\t{row}"),
    "a table without a head": headless,
    "a table without a head, in quotes": headless_quoted,
    "logfmt": logfmt,
    "logfmt without quotes": logfmt_bare,
    "graylog's csv": lambda log: table(
        ["timestamp", "source", "message"], log, lambda at, row: [stamp(at), "db17", row], newest=True, quotechar='"'
    ),
    "datadog's csv": lambda log: table(
        ["Date", "Host", "Service", "Content"],
        log,
        lambda at, row: [stamp(at), "db17", "kernel", row],
        newest=True,
        quotechar='"',
    ),
    "datadog": lambda log: document(
        {
            "data": rows(
                log,
                lambda at, row: {
                    "id": str(at),
                    "type": "log",
                    "attributes": {"message": row, "host": "db17", "timestamp": stamp(at)},
                },
            )[::-1]
        }
    ),
    "splunk's csv": lambda log: table(
        ["_time", "host", "_raw"], log, lambda at, row: [stamp(at), "db17", row], newest=True, quotechar='"'
    ),
    "splunk's page": splunk_page,
    "grafana's json": lambda log: document(
        rows(
            log,
            lambda at, row: {
                "line": row,
                "timestamp": str(1764331200000000000 + at),
                "date": stamp(at),
                "fields": {"host": "db17"},
            },
        )[::-1]
    ),
    "grafana's csv": lambda log: table(
        ["Date", "labels", "Line", "tsNs"],
        log,
        lambda at, row: [stamp(at), '{"host":"db17"}', row, str(1764331200000000000 + at)],
        newest=True,
        quotechar='"',
    ),
    "grafana's text": lambda log: (
        "a.txt",
        "".join(
            f"{1764331200000 + at}\t{stamp(at)}\t{row}\n" for at, row in reversed(list(enumerate(lines(log))))
        ).encode(),
    ),
    "new relic": lambda log: ndjson(
        log, lambda at, row: {"message": row, "timestamp": 1764331200000 + at, "hostname": "db17"}, newest=True
    ),
    "sumo's csv": lambda log: table(
        ["_messagetimems", "_sourcehost", "_raw"],
        log,
        lambda at, row: [str(1764331200000 + at), "db17", row],
        newest=True,
        quotechar='"',
    ),
    "sentry": lambda log: document(
        {"event_id": "1", "logentry": {"formatted": "\n".join(lines(log)) + "\n"}, "platform": "other"}
    ),
    "fluent bit": lambda log: document(rows(log, lambda at, row: {"date": 1764331200 + at / 1000, "log": row})),
    "vector": lambda log: ndjson(
        log, lambda at, row: {"host": "db17", "message": row, "source_type": "file", "timestamp": stamp(at)}
    ),
    "winston": lambda log: ndjson(
        log, lambda at, row: {"severity": "WARNING", "jsonPayload": {"message": row}, "timestamp": stamp(at)}
    ),
    "elastic's scroll": lambda log: ndjson(
        log,
        lambda at, row: {"_source": {"@timestamp": stamp(at), "event": {"original": row}, "host": {"name": "db17"}}},
        newest=True,
    ),
    "azure boot diagnostics": lambda log: (
        "a.txt",
        ("﻿" + "".join(row + "\r\n" for row in lines(log))).encode("utf-16"),
    ),
}
