"""A ticketing bot: says in a ticket what is known about the kernel logs in it, and keeps count of what was seen.

python ticket_bot.py STORE TICKET FILE                   prints the comments
python ticket_bot.py STORE github|bugzilla API_URL PORT  comments when its webhook posts to PORT of this machine
$TICKET_TOKEN is for the tracker, $TICKET_SECRET what GitHub signs with, $KB_URL where kb serve shows the same store.
Called twice, or after a failure, it counts and says nothing twice: comments bear a signature, sightings are events.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import kb

LINK = re.compile(r"https?://[^\s)>\"'\]]+/(?:files|assets)/[^\s)>\"'\]]+")
TOKEN = os.environ.get("TICKET_TOKEN", "")
HEADERS = {"Authorization": f"Bearer {TOKEN}", "X-BUGZILLA-API-KEY": TOKEN, "Content-Type": "application/json"}
MARK = re.compile(r"^\((kb\d:[0-9a-f]+)\)\r?$", re.M)


def comments(base: kb.KnowledgeBase, ticket: str, logs: Iterable[bytes | Path]) -> Iterator[tuple[str, str]]:
    """The comments for a ticket, one a problem, each with its signature; every report is recorded."""
    said: set[str] = set()
    for log in logs:
        try:
            for report in base.read(log):
                found, seen = base.diagnose(report), base.record(report, source=ticket)
                if seen.signature not in said:
                    said.add(seen.signature)
                    link = f"seen {seen.count}: {os.environ.get('KB_URL', '')}/signatures/{seen.signature}"
                    yield seen.signature, f"{verdict(found)}\n\n{found.to_markdown()}\n{link}\n\n({seen.signature})\n"
                    base.annotate(report, f"told in {ticket}", author="bot", key=f"{ticket} {seen.signature}")
        except kb.InputError as error:  # what cannot be read is the sender's to mend: a damaged log is no error
            print(f"{ticket}: {error.reason}", file=sys.stderr)


def verdict(found: kb.Diagnosis) -> str:
    """One line; a maybe stays one: a person decides."""
    known = "Known" if found.known else "Maybe known" if found.best is not None else "Not known"
    return f"{known}: {found.report.title} ({found.report.kernel or 'release unknown'})"


class GitHub:
    """GitHub's API: logs are links in what was said, or stand in it."""

    says, said, place = "comments", "body", "repos/{0[repository][full_name]}/issues/{0[issue][number]:d}".format

    def __init__(self, url: str):
        self.url = url

    def call(self, path: str, body: object = None) -> Any:
        """What the tracker answers."""
        data = json.dumps(body).encode() if body is not None else None
        with urlopen(Request(f"{self.url}/{path}", data, HEADERS), timeout=60) as answer:
            return json.load(answer)

    def ticket(self, place: str) -> tuple[list[str], list[bytes]]:
        """What was said, and the logs that hang on it."""
        texts, page = [self.call(place)["body"] or ""], 0
        while len(texts) == 100 * page + 1:
            page += 1
            texts += [each["body"] or "" for each in self.call(f"{place}/comments?per_page=100&page={page}")]
        own = (f"{self.url}/", f"{os.environ.get('TICKET_FILES', 'https://github.com')}/")  # no other place is asked
        links = {link: None for text in texts for link in LINK.findall(text) if link.startswith(own)}
        return texts, [urlopen(link, timeout=60).read(64 << 20) for link in links]


class Bugzilla(GitHub):
    """Bugzilla's API: logs are attachments; what is private stays out."""

    says, said, place = "comment", "comment", "rest/bug/{0[bug][id]:d}".format

    def ticket(self, place: str) -> tuple[list[str], list[bytes]]:  # noqa: D102
        (files,), (said,) = (self.call(f"{place}/{name}")["bugs"].values() for name in ("attachment", "comment"))
        logs = [each["data"] for each in files if not (each.get("is_private") or each.get("is_obsolete"))]
        return [one["text"] for one in said["comments"] if not one.get("is_private")], list(map(base64.b64decode, logs))


def called(base: kb.KnowledgeBase, tracker: GitHub, payload: Any) -> None:
    """Say in the ticket of a payload what was not said in it before."""
    if not payload.keys() & {"bug", "issue"}:
        return  # GitHub's ping
    texts, logs = tracker.ticket(place := tracker.place(payload))
    said = {mark for text in texts for mark in MARK.findall(text)}
    for mark, text in comments(base, place, [*logs, *(text.encode() for text in texts if not MARK.search(text))]):
        if mark not in said:
            tracker.call(f"{place}/{tracker.says}", {tracker.said: text})


def main(store: str, what: str, where: str, port: str = "8742") -> None:
    """Print comments, or answer a tracker, which sends again what is not answered with 204."""

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body, secret = self.rfile.read(int(self.headers["Content-Length"])), os.environ.get("TICKET_SECRET", "")
            signed = f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"
            if trusted := not secret or hmac.compare_digest(signed, self.headers.get("X-Hub-Signature-256", "")):
                called(base, tracker, json.loads(body))
            self.send_response(204 if trusted else 403)
            self.end_headers()

    tracker = Bugzilla(where) if what == "bugzilla" else GitHub(where)
    with kb.KnowledgeBase(store) as base:
        if what not in ("github", "bugzilla"):
            print(*(text for _, text in comments(base, what, [Path(where)])), sep="\n")
        else:
            HTTPServer(("127.0.0.1", int(port)), Hook).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
