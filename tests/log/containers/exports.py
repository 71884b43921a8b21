"""Logs as search services, agents and queues export them, their text in a field by any name."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Callable

from tests.log.containers.chats import Wrapped, document, lines
from tests.log.containers.collectors import ndjson, rows, stamp

Form = Callable[[int, str], object]
NANO = 1764331456 * 10**9


def newest(form: Form) -> Callable[[bytes], Wrapped]:
    """A record a line, the newest first."""
    return lambda log: ndjson(log, form, newest=True)


def answer(form: Form, indent: int | None = None) -> Callable[[bytes], Wrapped]:
    """The records in an answer that says more, the newest first."""
    return lambda log: document({"took": 3, "status": "ok", "data": {"items": rows(log, form)[::-1]}}, indent)


def marked(form: Form, encoding: str = "utf-8") -> Callable[[bytes], Wrapped]:
    """An array behind a mark of byte order."""
    return lambda log: ("a.json", ("\ufeff" + json.dumps(rows(log, form), indent=1)).encode(encoding))


def table(
    head: list[str] | None, form: Callable[[int, str], list[str]], delimiter: str = ",", **how: int
) -> Callable[[bytes], Wrapped]:
    """CSV behind a mark of byte order, the newest first."""

    def wrapped(log: bytes) -> Wrapped:
        held = io.StringIO()
        writer = csv.writer(held, delimiter=delimiter, **how)  # type: ignore[arg-type]
        writer.writerows([] if head is None else [head])
        writer.writerows([form(at, row) for at, row in enumerate(lines(log))][::-1])
        return "a.csv", ("\ufeff" + held.getvalue()).encode("utf-8", "replace")

    return wrapped


def by_columns(log: bytes) -> Wrapped:
    """Grafana's data frames: a list a column."""
    found = lines(log)[::-1]
    stamps = [NANO // 10**6 + at for at in range(len(found))][::-1]
    fields = [{"name": "labels"}, {"name": "Time"}, {"name": "Line"}]
    frame = {"schema": {"fields": fields}, "data": {"values": [[{"host": "db17"}] * len(found), stamps, found]}}
    return document({"results": {"A": {"status": 200, "frames": [frame]}}})


def splunk_columns(log: bytes) -> Wrapped:
    """Splunk's ``output_mode=json_cols``."""
    found = lines(log)[::-1]
    columns = [[stamp(at) for at in range(len(found))][::-1], ["db17"] * len(found), found]
    return document({"preview": False, "fields": ["_time", "host", "_raw"], "columns": columns})


def script(log: bytes) -> Wrapped:
    return "a.js", ("callback(" + json.dumps({"log": [{"say": row} for row in lines(log)]}) + ");\n").encode()


def shown_by_python(log: bytes) -> Wrapped:
    return "a.txt", "".join(repr({"at": stamp(at), "said": row}) + "\n" for at, row in enumerate(lines(log))).encode()


def without_ends(log: bytes) -> Wrapped:
    return "a.json", "".join(json.dumps({"message": row}) for row in lines(log)).encode()


def old_tables(log: bytes) -> Wrapped:
    """Azure's first API of Log Analytics."""
    columns = [{"ColumnName": "TimeGenerated"}, {"ColumnName": "SyslogMessage"}]
    found = rows(log, lambda at, row: [stamp(at), row])
    return document({"Tables": [{"TableName": "Table_0", "Columns": columns, "Rows": found[::-1]}]})


def encoded(row: str) -> str:
    return base64.b64encode(row.encode()).decode()


def xml(log: bytes) -> Wrapped:
    said = "".join(f'  <message host="db17"><![CDATA[{row}]]></message>\n' for row in lines(log))
    return "a.xml", f"<logs>\n{said}</logs>\n".encode()


WAYS: dict[str, Callable[[bytes], Wrapped]] = {
    "container insights": newest(lambda at, row: {"TimeGenerated": stamp(at), "Computer": "db17", "log_s": row}),
    "container log v2": answer(lambda at, row: {"TimeGenerated": stamp(at), "LogMessage": {"message": row}}),
    "log analytics' raw data": marked(lambda at, row: {"TimeGenerated": stamp(at), "RawData": row}),
    "diagnostics of azure": answer(lambda at, row: {"time": stamp(at), "properties": {"SyslogMessage": row}}),
    "ecs, dotted": answer(lambda at, row: {"@timestamp": stamp(at), "event.original": row, "host.name": "db17"}, 2),
    "splunk's collector": newest(lambda at, row: {"time": NANO // 10**9 + at / 1000, "host": "db17", "event": row}),
    "splunk's collector, an object": answer(lambda at, row: {"time": stamp(at), "event": {"message": row, "n": at}}),
    "graylog's search": answer(lambda at, row: {"message": {"source": "db17", "message": row, "timestamp": stamp(at)}}),
    "loki, JSON in a line": newest(
        lambda at, row: {"line": json.dumps({"MESSAGE": row, "_HOSTNAME": "db17"}), "timestamp": str(NANO + at)}
    ),
    "otel's stdout": answer(lambda at, row: {"Timestamp": stamp(at), "Body": {"Type": "String", "Value": row}}),
    "logdna": newest(lambda at, row: {"_ts": NANO // 10**6 + at, "_line": row, "_host": "db17"}),
    "humio": newest(lambda at, row: {"@timestamp": NANO // 10**6 + at, "@rawstring": row, "#repo": "x"}),
    "chronicle": newest(lambda at, row: {"log_text": row, "ts_rfc3339": stamp(at)}),
    "structlog": newest(lambda at, row: {"event": row, "level": "warning", "timestamp": stamp(at)}),
    "nxlog": newest(lambda at, row: {"EventReceivedTime": stamp(at)[:-1].replace("T", " "), "Message": row}),
    "redfish, newest first": newest(lambda at, row: {"Id": str(at), "Created": stamp(at), "Message": row}),
    "log4j's instant": newest(
        lambda at, row: {"instant": {"epochSecond": NANO // 10**9, "nanoOfSecond": at * 1000}, "message": row}
    ),
    "mongo": newest(lambda at, row: {"ts": {"$date": stamp(at)}, "msg": row}),
    "dynamodb": answer(lambda at, row: {"said": {"S": row}, "date": {"S": stamp(at)}}),
    "rsyslog's jsonmesg": lambda log: ndjson(
        log, lambda at, row: {"msg": " " + row, "rawmsg": "<4>" + row, "syslogtag": "kernel:"}
    ),
    "kinesis": lambda log: document({"Records": rows(log, lambda at, row: {"Data": encoded(row + "\n")})}),
    "pub/sub": lambda log: document(rows(log, lambda at, row: {"ackId": "x", "message": {"data": encoded(row)}}), 2),
    "no name that is known": marked(lambda at, row: {"nr": at, "wer": "db17", "gesagt": row}),
    "no name that is known, UTF-16": marked(lambda at, row: {"nr": at, "gesagt": row}, "utf-16-le"),
    "elastic behind a mark": marked(lambda at, row: {"_source": {"@timestamp": stamp(at), "message": row}}),
    "elastic, UTF-16": marked(lambda at, row: {"_source": {"@timestamp": stamp(at), "message": row}}, "utf-16-be"),
    "grafana's frames": by_columns,
    "splunk's columns": splunk_columns,
    "azure's tables": old_tables,
    "a script": script,
    "dictionaries of Python": shown_by_python,
    "objects without ends of lines": without_ends,
    "xml, a section a line": xml,
    "csv with bars": table(["_time", "host", "_raw"], lambda at, row: [stamp(at), "db17", row], "|"),
    "csv in chinese": table(
        ["时间", "主机", "消息"], lambda at, row: [stamp(at)[:-1].replace("T", " "), "db17", row]
    ),
    "csv in german": table(["Zeit", "Meldung"], lambda at, row: [stamp(at), row], ";", quoting=csv.QUOTE_ALL),
    "csv without a head": table(None, lambda at, row: [stamp(at), "db17", row]),
    "csv, a day and a time": table(
        ["Level", "Date", "Time", "Log"],
        lambda at, row: ["warn", "2026-11-28", f"14:{at // 60:02}:{at % 60:02}", row],
        quoting=csv.QUOTE_ALL,
    ),
}  # fmt: skip
