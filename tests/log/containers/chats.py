"""Logs as chats and trackers hand them out: their exports, their interfaces' answers, what is copied from a window."""

from __future__ import annotations

import base64
import csv
import html
import io
import json
from collections.abc import Callable

Wrapped = tuple[str, bytes]


def lines(log: bytes) -> list[str]:
    return log.decode("utf-8", "replace").splitlines()


def text(log: bytes) -> str:
    return "\n".join(lines(log)) + "\n"


def document(value: object, indent: int | None = None) -> Wrapped:
    return "a.json", json.dumps(value, indent=indent, ensure_ascii=False).encode("utf-8", "replace")


def fenced(log: bytes) -> str:
    return f"Hi all, seen on db17 last night:\n```\n{text(log)}```\nany idea?"


def slack(log: bytes) -> Wrapped:
    """An export's day of a channel: ``&``, ``<`` and ``>`` are entities."""
    said = html.escape(fenced(log), quote=False)
    return document(
        [
            {"user": "U01", "type": "message", "ts": "1764331190.000100", "text": "good morning"},
            {"client_msg_id": "5b", "type": "message", "user": "U02", "text": said, "ts": "1764331200.000200"},
        ],
        4,
    )


def slack_lines(log: bytes) -> Wrapped:
    """A bot that posts the console, a message a line."""
    rows = [
        {"type": "message", "bot_id": "B1", "ts": f"{1764331200 + at}.0001", "text": html.escape(row, quote=False)}
        for at, row in enumerate(lines(log))
    ]
    return document({"ok": True, "messages": rows[::-1], "has_more": False})


def teams(log: bytes) -> Wrapped:
    """What Microsoft Graph answers for a channel's messages: HTML in a body."""
    rows = "<br>".join(html.escape(row).replace("  ", "&nbsp; ") for row in lines(log))
    body = {"contentType": "html", "content": f"<div><p>look:</p><p>{rows}</p></div>"}
    return document({"value": [{"id": "1", "createdDateTime": "2026-11-28T12:00:00Z", "body": body}]})


def teams_paragraphs(log: bytes) -> Wrapped:
    """The same behind a code block: an element a line."""
    rows = "".join(f"<div>{html.escape(row)}</div>" for row in lines(log))
    return document({"value": [{"id": "1", "body": {"contentType": "html", "content": f"<div>{rows}</div>"}}]})


def matrix(log: bytes) -> Wrapped:
    content = {"msgtype": "m.text", "body": fenced(log), "format": "org.matrix.custom.html"}
    content["formatted_body"] = f"<p>Hi</p>\n<pre><code>{html.escape(text(log))}</code></pre>\n"
    event = {"type": "m.room.message", "sender": "@hans:example.org", "content": content}
    return document({"chunk": [event | {"origin_server_ts": 1764331200000}], "start": "t1", "end": "t2"})


def discord(log: bytes) -> Wrapped:
    """DiscordChatExporter's: what is too long for one message goes on in the next."""
    rows = lines(log)
    parts = ["```\n" + "\n".join(rows[at : at + 20]) + "\n```" for at in range(0, len(rows), 20)]
    said = [
        {"id": str(at), "type": "Default", "timestamp": f"2026-11-28T12:00:{at:02}+00:00", "content": part}
        for at, part in enumerate(parts)
    ]
    return document({"guild": {"name": "ops"}, "channel": {"name": "kernel"}, "messages": said}, 2)


def telegram(log: bytes) -> Wrapped:
    said = ["see ", {"type": "pre", "text": text(log), "language": ""}, " ?"]
    entities = [{"type": "plain", "text": "see "}, {"type": "pre", "text": text(log), "language": ""}]
    message = {"id": 7, "type": "message", "date": "2026-11-28T12:00:00", "from": "Hans", "text": said}
    return document({"name": "ops", "messages": [message | {"text_entities": entities}]}, 1)


def whatsapp(log: bytes) -> Wrapped:
    return (
        "chat.txt",
        f"28.11.26, 14:20 - Hans: hi\n28.11.26, 14:24 - Hans: {text(log)}28.11.26, 14:25 - Eva: ok\n".encode(),
    )


def irc(log: bytes) -> Wrapped:
    return "irc.log", "".join(f"14:24 <@hans> {row}\n" for row in lines(log)).encode()


def weechat(log: bytes) -> Wrapped:
    return "irc.log", "".join(f"2026-11-28 14:24:16\thans\t{row}\n" for row in lines(log)).encode()


def mattermost(log: bytes) -> Wrapped:
    rows = [
        {"type": "version", "version": 1},
        {"type": "post", "post": {"team": "ops", "user": "hans", "message": fenced(log), "create_at": 1764331200000}},
    ]
    return "export.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode()


def zulip(log: bytes) -> Wrapped:
    page = f'<p>Hi</p>\n<div class="codehilite"><pre><span></span><code>{html.escape(text(log))}</code></pre></div>'
    return document({"result": "success", "messages": [{"id": 1, "timestamp": 1764331200, "content": page}]})


def copied_chat(log: bytes) -> Wrapped:
    """Copied from a window: a head, then the lines."""
    return "a.txt", f"Hans Meier\n  2:24 PM\n{text(log)}\n\nEva  2:25 PM\nthanks\n".encode()


def jira(log: bytes) -> Wrapped:
    said = f"h2. What\n{{noformat:title=dmesg}}\n{text(log)}{{noformat}}\n".replace("\n", "\r\n")
    return document({"key": "OPS-1", "fields": {"summary": "db17 hangs", "description": said, "labels": []}})


def jira_document(log: bytes) -> Wrapped:
    """Atlassian's document format."""
    block = {"type": "codeBlock", "attrs": {}, "content": [{"type": "text", "text": text(log)}]}
    head = {"type": "paragraph", "content": [{"type": "text", "text": "see below"}]}
    fields = {"summary": "db17", "description": {"type": "doc", "version": 1, "content": [head, block]}}
    return document({"id": "1", "key": "OPS-1", "fields": fields})


def jira_paragraphs(log: bytes) -> Wrapped:
    """The same, pasted without a code block: a text and a break a line."""
    parts: list[dict[str, object]] = []
    for row in lines(log):
        parts += [{"type": "text", "text": row or " "}, {"type": "hardBreak"}]
    body = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": parts}]}
    return document({"comments": [{"author": {"displayName": "Hans"}, "body": body}]})


def jira_xml(log: bytes) -> Wrapped:
    page = (
        '<p>see</p>\n<div class="preformatted panel"><div class="preformattedContent"><pre>'
        f"{html.escape(text(log))}</pre></div></div>"
    )
    rss = (
        '<?xml version="1.0" encoding="UTF-8" ?>\n<rss version="0.92">\n'
        f"<channel>\n<item>\n<title>[OPS-1] db17</title>\n<description>{html.escape(page)}</descri"
        "ption>\n</item>\n</channel>\n</rss>\n"
    )
    return "OPS-1.xml", rss.encode()


def tickets(names: list[str], log: bytes, said: str) -> Wrapped:
    held = io.StringIO()
    writer = csv.writer(held, quoting=csv.QUOTE_ALL)
    writer.writerow(names)
    writer.writerow(["INC0001", "printer", "it does not print\nat all"])
    writer.writerow(["INC0002", "db17 hangs", said])
    return "a.csv", held.getvalue().encode("utf-8", "replace")


def jira_csv(log: bytes) -> Wrapped:
    return tickets(["Issue key", "Summary", "Description"], log, f"{{code}}\n{text(log)}{{code}}\n")


def servicenow(log: bytes) -> Wrapped:
    notes = f"28-11-2026 14:24:16 - Hans Meier (Work notes)\n{text(log)}\n\n"
    row = {"number": "INC0002", "short_description": "db17 hangs", "work_notes": notes.replace("\n", "\r\n")}
    return document({"result": [row | {"sys_created_on": "2026-11-28 14:24:16"}]})


def servicenow_csv(log: bytes) -> Wrapped:
    return tickets(["number", "short_description", "description"], log, text(log))


def servicenow_xml(log: bytes) -> Wrapped:
    body = html.escape(text(log), quote=False)
    page = (
        '<?xml version="1.0" encoding="UTF-8"?><unload unload_date="2026-11-28 14:24:16"><inciden'
        f't action="INSERT_OR_UPDATE"><active>true</active><description>{body}</description><numbe'
        "r>INC0002</number></incident></unload>"
    )
    return "a.xml", page.encode()


def zendesk(log: bytes) -> Wrapped:
    page = f'<div class="zd-comment" dir="auto"><pre style="white-space: pre-wrap">{html.escape(text(log))}</pre></div>'
    comment = {"id": 1, "type": "Comment", "body": text(log), "html_body": page, "plain_body": text(log)}
    return document({"comments": [comment], "next_page": None, "count": 1})


def bugzilla_xml(log: bytes) -> Wrapped:
    said = html.escape(text(log))
    page = (
        '<?xml version="1.0" encoding="UTF-8" ?>\n<bugzilla version="5.0">\n'
        "<bug>\n<bug_id>1</bug_id>\n<short_desc>db17 hangs</short_desc>\n"
        f'<long_desc isprivate="0" >\n<commentid>1</commentid>\n<thetext>{said}</thetext>\n'
        "</long_desc>\n</bug>\n</bugzilla>\n"
    )
    return "bug.xml", page.encode()


def bugzilla_attachment(log: bytes) -> Wrapped:
    data = base64.encodebytes(log).decode()
    page = (
        '<?xml version="1.0" encoding="UTF-8" ?>\n<bugzilla version="5.0">\n'
        '<bug>\n<attachment isobsolete="0">\n<filename>dmesg.txt</filename>\n'
        f'<type>text/plain</type>\n<data encoding="base64">{data}</data>\n'
        "</attachment>\n</bug>\n</bugzilla>\n"
    )
    return "bug.xml", page.encode()


def abrt_comment(log: bytes) -> Wrapped:
    """What ABRT files in a tracker: items of several lines have a colon before each."""
    rows = "".join(f":{row}\n" for row in lines(log))
    return (
        "a.txt",
        f"Version-Release number of selected component:\nkernel-6.10.6\n\nTruncated backtrace:\n{rows}\n".encode(),
    )


def github(log: bytes) -> Wrapped:
    said = f"### What happened?\n\n```shell\n{text(log)}```\n".replace("\n", "\r\n")
    return document([{"id": 1, "user": {"login": "hans"}, "body": said, "created_at": "2026-11-28T12:00:00Z"}])


def pagerduty(log: bytes) -> Wrapped:
    body = {"type": "incident_body", "details": {"firing": "KernelOops", "log": text(log)}}
    return document({"messages": [{"event": "incident.trigger", "incident": {"title": "db17", "body": body}}]})


def alertmanager(log: bytes) -> Wrapped:
    alert = {"status": "firing", "labels": {"instance": "db17"}, "annotations": {"description": text(log)}}
    return document({"version": "4", "status": "firing", "alerts": [alert]})


def twice_quoted(log: bytes) -> Wrapped:
    """A message that a queue carries as a string in JSON: SNS, an event bridge."""
    inner = json.dumps({"AlarmName": "oops", "detail": {"log": text(log)}})
    return document({"Type": "Notification", "MessageId": "1", "Message": inner, "SignatureVersion": "1"})


def sql_dump(log: bytes) -> Wrapped:
    said = text(log).replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return "dump.sql", f"INSERT INTO `comment` VALUES (1,'it does not print'),(2,'{said}');\n".encode()


def copied_table(log: bytes) -> Wrapped:
    """PostgreSQL's COPY."""
    said = text(log).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
    return "dump.sql", f"COPY public.comment (id, author, body) FROM stdin;\n7\thans\t{said}\n\\.\n".encode()


def confluence(log: bytes) -> Wrapped:
    body = (
        '<ac:structured-macro ac:name="code"><ac:parameter ac:name="title">dmesg</ac:parameter><a'
        f"c:plain-text-body><![CDATA[{text(log)}]]></ac:plain-text-body></ac:structured-macro>"
    )
    return document({"id": "1", "title": "db17", "body": {"storage": {"value": f"<p>see</p>{body}"}}})


def logwatch(log: bytes) -> Wrapped:
    rows = "".join(f"    {row}\n" for row in lines(log))
    return (
        "a.txt",
        (
            " --------------------- Kernel Begin ------------------------ \n"
            f"\n{rows}\n ---------------------- Kernel End ------------------------- \n"
        ).encode(),
    )


WAYS: dict[str, Callable[[bytes], Wrapped]] = {
    "slack": slack,
    "slack, a message a line": slack_lines,
    "teams": teams,
    "teams, an element a line": teams_paragraphs,
    "matrix": matrix,
    "discord": discord,
    "telegram": telegram,
    "whatsapp": whatsapp,
    "irc": irc,
    "weechat": weechat,
    "mattermost": mattermost,
    "zulip": zulip,
    "a chat's window": copied_chat,
    "jira": jira,
    "jira's document": jira_document,
    "jira, a text a line": jira_paragraphs,
    "jira's feed": jira_xml,
    "jira, csv": jira_csv,
    "servicenow": servicenow,
    "servicenow, csv": servicenow_csv,
    "servicenow, xml": servicenow_xml,
    "zendesk": zendesk,
    "bugzilla, xml": bugzilla_xml,
    "bugzilla, xml with an attachment": bugzilla_attachment,
    "abrt's comment": abrt_comment,
    "github": github,
    "pagerduty": pagerduty,
    "alertmanager": alertmanager,
    "JSON in JSON": twice_quoted,
    "mysqldump": sql_dump,
    "pg_dump": copied_table,
    "confluence": confluence,
    "logwatch": logwatch,
}
