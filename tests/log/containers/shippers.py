"""Logs as search pages, agents, routers and editors hand them on: what the other tables have no row for."""

from __future__ import annotations

import json
import re
from xml.sax.saxutils import escape

from tests.log.containers.chats import Wrapped, document, lines
from tests.log.containers.collectors import ndjson, rows, stamp
from tests.log.containers.jobs import each


def markdown(log: bytes) -> Wrapped:
    """As an editor exports it: each mark that Markdown would read has a backslash."""
    return "a.md", "".join(re.sub(r"([][_*<>])", r"\\\1", row) + "\n" for row in lines(log)).encode()


def splunk_xml(log: bytes) -> Wrapped:
    """The answer of a search in Splunk's own XML."""
    found = "".join(
        f"\t<result offset='{at}'>\n\t\t<field k='_raw'><v xml:space='preserve' trim='0'>{escape(row)}</v></field>\n"
        "\t</result>\n"
        for at, row in enumerate(lines(log))
    )
    return "a.xml", f"<?xml version='1.0' encoding='UTF-8'?>\n<results preview='0'>\n{found}</results>\n".encode()


def behind(wrapped: Wrapped, prefix: str) -> Wrapped:
    """The same with something before each line."""
    name, data = wrapped
    return name, "".join(f"{prefix}{row}\n" for row in data.decode().splitlines()).encode()


def otel_debug(log: bytes) -> Wrapped:
    """OpenTelemetry's debug exporter, verbosity detailed (exporter/internal/otlptext/logs.go)."""
    head = "2026-11-28T14:24:16.123Z\tinfo\tResourceLog #0\nResource SchemaURL: \nResource attributes:\n"
    head += "     -> host.name: Str(db17)\nScopeLogs #0\nScopeLogs SchemaURL: \nInstrumentationScope  \n"
    said = "".join(
        f"LogRecord #{at}\nObservedTimestamp: 2026-11-28 14:24:16.123 +0000 UTC\n"
        "Timestamp: 1970-01-01 00:00:00 +0000 UTC\nSeverityText: \nSeverityNumber: Unspecified(0)\n"
        f"Body: Str({row})\nAttributes:\n     -> log.file.name: Str(kern.log)\nTrace ID: \nSpan ID: \nFlags: 0\n"
        for at, row in enumerate(lines(log))
    )
    return "otel.log", (head + said).encode()


def gcloud_yaml(log: bytes) -> Wrapped:
    """``gcloud logging read``: a document an entry."""
    return "a.yaml", "---\n".join(
        f"insertId: {at:x}\nlogName: projects/p/logs/syslog\ntextPayload: {json.dumps(row)}\ntimestamp: '{stamp(at)}'\n"
        for at, row in enumerate(lines(log))
    ).encode()


def trac(log: bytes) -> Wrapped:
    return "a.txt", ("Log:\n{{{#!text\n" + "\n".join(lines(log)) + "\n}}}\n").encode()


WAYS = {
    "markdown, escaped": markdown,
    "splunk's xml": splunk_xml,
    "gcloud's yaml": gcloud_yaml,
    "otel's debug exporter": otel_debug,
    "otel's debug exporter in the journal": lambda log: behind(otel_debug(log), "Nov 28 14:24:16 db17 otelcol[471]: "),
    "a level alone": each("WARN\t{row}"),
    "a host named as a note begins": each("detected2: {row}"),
    "trac": trac,
    "sumo's job": lambda log: document(
        {"messages": rows(log, lambda at, row: {"map": {"_messagetime": str(1764331200000 + at), "_raw": row}})[::-1]}
    ),
    "papertrail's json": lambda log: document(
        {"events": rows(log, lambda at, row: {"received_at": stamp(at), "hostname": "db17", "message": row})}
    ),
    "insights": lambda log: document(
        {"results": rows(log, lambda at, row: [{"field": "@timestamp", "value": stamp(at)},
                                               {"field": "@message", "value": row}])}
    ),
    "splunk's export": lambda log: ndjson(
        log, lambda at, row: {"preview": False, "offset": at, "result": {"_time": stamp(at), "_raw": row}}
    ),
    "stamped by two kernels": each("[   12.000{s:03}] {row}"),
    "stamped by two kernels, a vendor's": each("<4>[   12.000{s:03}]  (0)[1:init]{row}"),
    "ios-xr": each("0/RP0/CPU0:Nov 28 14:24:{s:02}.123 UTC: kernel: {row}"),
    "log4j": each("2026-11-28 14:24:{s:02},123 WARN  [serial-1] c.e.Console (Console.java:42) - {row}"),
    "glog": each("W20261128 14:24:{s:02}.123456 123 a.cc:77] {row}"),
    "env_logger": each("[2026-11-28T14:24:{s:02}Z WARN  vmm::serial] {row}"),
}  # fmt: skip
