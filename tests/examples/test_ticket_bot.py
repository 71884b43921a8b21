"""The bot against a tracker: a small server that answers as GitHub's API does, and as Bugzilla's."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

import kb
from tests.serve.test_api import OOPS
from tests.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
BOT = ROOT / "examples/ticket_bot.py"
MAYBE = b"[  100.000000] page allocation failure: order:5, mode:0x104050\n"


class Tracker:
    """One ticket of either kind, and how often each thing was asked for."""

    def __init__(self) -> None:
        self.body = "It hangs.\n"
        self.files: dict[str, bytes] = {}
        self.hidden: list[str] = []
        self.comments: list[str] = []
        self.asked: list[str] = []
        self.tokens: set[str] = set()
        self.fails = 0
        self.url = ""

    def get(self, path: str) -> Any:
        self.asked.append(path)
        if path.startswith("/files/"):
            return self.files[path.removeprefix("/files/")]
        if path == "/repos/o/r/issues/7":
            links = "\n".join(f"[{name}]({self.url}/files/{name})" for name in self.files)
            return {"body": f"{self.body}\n{links}"}
        if path.startswith("/repos/o/r/issues/7/comments"):
            page = int(path.rpartition("=")[2])
            return [{"body": text} for text in self.comments[(page - 1) * 100 : page * 100]]
        if path == "/rest/bug/7/attachment":
            rows = [
                {"id": n, "file_name": name, "data": base64.b64encode(data).decode(), "is_obsolete": False,
                 "is_private": name in self.hidden}
                for n, (name, data) in enumerate(self.files.items())
            ]  # fmt: skip
            return {"bugs": {"7": rows}}
        assert path == "/rest/bug/7/comment"
        return {"bugs": {"7": {"comments": [{"text": text} for text in (self.body, *self.comments)]}}}


@pytest.fixture
def tracker() -> Iterator[Tracker]:
    made = Tracker()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = made.get(self.path)
            self.answer(200, found if isinstance(found, bytes) else json.dumps(found).encode())

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            made.tokens |= {self.headers["Authorization"], self.headers["X-BUGZILLA-API-KEY"]}
            if made.fails:
                made.fails -= 1
                self.answer(502, b"{}")
                return
            made.comments.append(body["body" if self.path == "/repos/o/r/issues/7/comments" else "comment"])
            self.answer(201, b"{}")

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        made.url = f"http://127.0.0.1:{served.server_port}"
        yield made
        served.shutdown()


PAYLOADS = {
    "github": {"action": "opened", "issue": {"number": 7}, "repository": {"full_name": "o/r"}},
    "bugzilla": {"event": {"action": "create", "target": "bug"}, "bug": {"id": 7, "summary": "It hangs"}},
}


class Bot:
    """A running bot."""

    def __init__(self, folder: Path, kind: str, url: str):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        env = {
            **os.environ, "TICKET_TOKEN": "t0ken", "KB_URL": "https://kb.example.org", "PYTHONPATH": str(ROOT),
            "TICKET_SECRET": "s3cret" if kind == "github" else "",
        }  # fmt: skip
        command = [sys.executable, str(BOT), str(folder / "kb.db"), kind, url, str(self.port)]
        self.kind = kind
        self.process = subprocess.Popen(command, env=env, stderr=(folder / "stderr").open("wb"))
        wait_for(self.listens, "the bot listens")

    def listens(self) -> bool:
        with socket.socket() as link:
            return link.connect_ex(("127.0.0.1", self.port)) == 0

    def call(self, payload: object = None, secret: str = "s3cret") -> int:
        body = json.dumps(payload or PAYLOADS[self.kind]).encode()
        signed = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        try:
            return httpx.post(
                f"http://127.0.0.1:{self.port}/", content=body, headers={"X-Hub-Signature-256": signed}, timeout=120,
                trust_env=False,
            ).status_code  # fmt: skip
        except httpx.HTTPError:  # the bot failed: the tracker will send it again
            return 0


@pytest.fixture
def bot(tmp_path: Path, tracker: Tracker) -> Iterator[Callable[[str], Bot]]:
    running: list[Bot] = []

    def started(kind: str) -> Bot:
        running.append(Bot(tmp_path, kind, tracker.url))
        return running[-1]

    yield started
    for each in running:
        each.process.kill()
        each.process.wait()


KINDS = pytest.mark.parametrize("kind", ["github", "bugzilla"])


@KINDS
def test_a_ticket_gets_one_comment_a_problem_with_its_permalink(
    bot: Callable[[str], Bot], tracker: Tracker, kind: str, example: Path, tmp_path: Path
) -> None:
    tracker.files = {"dmesg.gz": gzip.compress(example.read_bytes()), "console.log": OOPS * 3}
    running = bot(kind)
    assert running.call() == 204
    assert len(tracker.comments) == 2
    known, unknown = tracker.comments
    assert known.startswith("Known: page allocation failure: order:5 in osdmap_set_max_osd")
    assert "`nofs-high-order-watermark`" in known
    assert unknown.startswith("Not known: BUG: unable to handle kernel NULL pointer dereference in foo_read (6.1.0-13")
    with kb.KnowledgeBase(tmp_path / "kb.db") as base:
        for text, row in zip(tracker.comments, reversed(base.store.signatures()), strict=True):
            assert f"https://kb.example.org/signatures/{row.signature}" in text
    assert tracker.tokens == {"Bearer t0ken", "t0ken"}


@KINDS
def test_deliveries_that_come_again_and_restarts_say_and_count_nothing_twice(
    bot: Callable[[str], Bot], tracker: Tracker, kind: str, tmp_path: Path
) -> None:
    tracker.files = {"a.log": OOPS, "again.log": OOPS}
    running = bot(kind)
    assert [running.call(), running.call()] == [204, 204]
    running.process.send_signal(signal.SIGKILL)
    running.process.wait()
    running = bot(kind)
    assert running.call() == 204
    tracker.body = f"The same once more:\n{OOPS.decode()}"
    assert running.call() == 204
    assert len(tracker.comments) == 1
    with kb.KnowledgeBase(tmp_path / "kb.db") as base:
        assert base.store.rows("select count from signatures") == [(1,)]
    tracker.files["other.log"] = OOPS.replace(b"foo_read", b"bar_read")
    assert running.call() == 204
    assert len(tracker.comments) == 2


@KINDS
def test_a_comment_that_the_tracker_did_not_take_is_made_when_it_calls_again(
    bot: Callable[[str], Bot], tracker: Tracker, kind: str
) -> None:
    tracker.files, tracker.fails = {"a.log": OOPS}, 1
    running = bot(kind)
    assert running.call() != 204
    assert running.call() == 204
    assert len(tracker.comments) == 1


@KINDS
def test_a_maybe_is_said_as_a_maybe(bot: Callable[[str], Bot], tracker: Tracker, kind: str, example: Path) -> None:
    cut = b"".join(example.read_bytes().splitlines(keepends=True)[:20])  # without the zones nothing decides
    tracker.body = f"It said:\n\n{cut.decode()}"
    (found,) = kb.match(cut)
    assert found.best is not None
    assert found.best.verdict is kb.Verdict.MAYBE
    assert bot(kind).call() == 204
    assert [text.partition(":")[0] for text in tracker.comments] == ["Maybe known"]


@KINDS
def test_a_ticket_without_a_log_and_a_file_that_cannot_be_read_get_no_comment(
    bot: Callable[[str], Bot], tracker: Tracker, kind: str
) -> None:
    tracker.files = {"screen.png": b"\x89PNG\r\n\x1a\n" + bytes(100), "core": bytes(range(256)) * 20}
    assert bot(kind).call() == 204
    assert tracker.comments == []


def test_what_is_private_is_not_read(bot: Callable[[str], Bot], tracker: Tracker) -> None:
    tracker.files, tracker.hidden = {"a.log": OOPS}, ["a.log"]
    assert bot("bugzilla").call() == 204
    assert tracker.comments == []


def test_who_does_not_know_the_secret_and_a_link_elsewhere_are_not_followed(
    bot: Callable[[str], Bot], tracker: Tracker
) -> None:
    tracker.body = "see http://127.0.0.1:1/files/1/dmesg and http://127.0.0.1:1/" + tracker.url + "/files/x"
    running = bot("github")
    assert running.call(secret="guessed") == 403
    assert tracker.asked == []
    assert running.call({"zen": "Keep it logically awesome."}) == 204
    assert tracker.asked == []
    assert running.call() == 204
    assert [path for path in tracker.asked if path.startswith("/files")] == []


def test_of_a_ticket_with_hundreds_of_comments_all_are_read(bot: Callable[[str], Bot], tracker: Tracker) -> None:
    tracker.files, tracker.comments = {"a.log": OOPS}, ["me too"] * 250
    running = bot("github")
    assert [running.call(), running.call()] == [204, 204]
    assert len(tracker.comments) == 251
