"""Live logs into a real server, and what it tells of them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import random
import re
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

import kb
from kb.render.schema import schema
from tests.serve.conftest import CLI, ROOT, SECRETS, Server
from tests.serve.intake.test_journal import exported
from tests.serve.intake.test_packed import PACK
from tests.serve.test_api import OOPS
from tests.waiting import LIMIT, wait_for

JOURNAL = {"Content-Type": "application/vnd.fdo.journal", "Accept": "text/plain"}


def entries(host: str, boot: str, log: bytes = OOPS) -> list[dict[str, str]]:
    """A log as the journal has it."""
    rows = []
    for number, line in enumerate(log.decode().splitlines()):
        stamp, text = line.split("] ", 1)
        micro = stamp.strip("[ ").replace(".", "")
        rows.append({
            "__CURSOR": f"s={boot};i={number}", "__REALTIME_TIMESTAMP": str(1_790_000_000_000_000 + int(micro)),
            "__MONOTONIC_TIMESTAMP": micro, "_BOOT_ID": boot, "_TRANSPORT": "kernel", "PRIORITY": "4",
            "SYSLOG_IDENTIFIER": "kernel", "_HOSTNAME": host, "_SOURCE_MONOTONIC_TIMESTAMP": micro, "MESSAGE": text,
        })  # fmt: skip
    return rows


def seen(http: httpx.Client) -> list[tuple[str, str, int]]:
    """Host, source and count of all sightings of the store."""
    rows = http.get("/v1/signatures").json()["signatures"]
    shown = [http.get(f"/v1/signatures/{row['signature']}").json() for row in rows]
    return sorted((each["host"], each["source"], each["count"]) for row in shown for each in row["sightings"])


def taken(http: httpx.Client, source: str) -> int:
    """Lines of live logs that the service counts."""
    found = re.search(rf'^kb_intake_lines_total{{source="{source}"}} (\d+)', http.get("/metrics").text, re.M)
    return int(found[1]) if found is not None else 0


def test_a_journal_without_an_end_is_read_while_it_comes(serve: Callable[..., Server]) -> None:
    server = serve("--workers", "1")
    told = threading.Event()

    def endless() -> Iterator[bytes]:
        data = exported(entries("db17", "b1"))
        for at in range(0, len(data), 100):
            yield data[at : at + 100]
        told.wait(60)

    with server.client() as http, server.client() as other:
        codes: list[int] = []
        sender = threading.Thread(
            target=lambda: codes.append(http.post("/upload", content=endless(), headers=JOURNAL).status_code)
        )
        sender.start()
        wait_for(lambda: seen(other) == [("db17", "journal", 1)], "the report is recorded")
        told.set()
        sender.join()
        assert codes == [202]
        shown = other.get("/v1/signatures").json()["signatures"][0]
        assert shown["first"].startswith("2026-09-21T14:13:32")


def test_what_is_sent_again_counts_once_and_another_boot_counts_again(serve: Callable[..., Server]) -> None:
    server = serve("--workers", "1")
    with server.client() as http:
        for boot in ("b1", "b1", "b2"):
            assert http.post("/upload", content=exported(entries("db17", boot)), headers=JOURNAL).text == "OK.\n"
        wait_for(lambda: seen(http) == [("db17", "journal", 2)], "both boots are recorded")
        http.post("/upload", content=exported(entries("db17", "b1")), headers=JOURNAL)
        http.post("/upload", content=exported(entries("db18", "b3")), headers=JOURNAL)
        wait_for(lambda: ("db18", "journal", 1) in seen(http), "the other host is recorded")
    assert server.stop() == 0
    with kb.KnowledgeBase(server.db) as base:
        assert base.store.rows("select sum(count) from sightings")[0][0] == 3


def test_one_line_a_request_is_a_report_too(serve: Callable[..., Server]) -> None:
    server = serve("--workers", "1")
    with server.client() as http:
        for line in OOPS.decode().splitlines():
            answered = http.post("/v1/ingest", json=[{"message": line, "host": "web1"}], params={"source": "vector"})
            assert (answered.status_code, answered.json()) == (202, {"records": 1, "unread": 0})
        streams = [{"stream": {"host": "web2"}, "values": [[f"179{n:016}", line] for n, line in enumerate(
            OOPS.decode().splitlines())]}]  # fmt: skip
        assert http.post("/loki/api/v1/push", json={"streams": streams}).status_code == 204
        wait_for(lambda: seen(http) == [("web1", "vector", 1), ("web2", "loki", 1)], "both are recorded")
        for source in ("ingest", "loki"):
            assert taken(http, source) == OOPS.count(b"\n")


def test_what_is_no_log_is_refused_with_a_reason(server: Server) -> None:
    with server.client() as http:
        assert http.post("/upload", content=b"<html>\n", headers=JOURNAL).status_code == 400
        assert http.post("/loki/api/v1/push", content=b"{}").status_code == 400
        assert http.post("/v1/ingest", content=b"x", headers={"Content-Encoding": "br"}).status_code == 415
        binary = {"Content-Type": "application/msgpack"}  # what Fluent Bit sends where nobody has told it otherwise
        assert http.post("/v1/ingest", content=b"\x82", headers=binary).status_code == 415
        assert http.post("/v1/ingest", json={"a": 1}).status_code == 422
        assert http.post("/v1/ingest", content=b'{"message": ').status_code == 400
        assert http.post("/v1/ingest", content=b"no gzip", headers={"Content-Encoding": "gzip"}).status_code == 400


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "xz", "zstd"])
@pytest.mark.parametrize("path", ["/upload", "/v1/ingest", "/loki/api/v1/push"])
def test_a_packed_body_that_is_cut_is_refused_with_reason_place_and_help(
    server: Server, encoding: str, path: str
) -> None:
    body = PACK[encoding](exported(entries("db17", "b1")))[:-5]
    with server.client() as http:
        answered = http.post(path, content=body, headers={"Content-Encoding": encoding, **JOURNAL})
    assert (answered.status_code, answered.headers["content-type"]) == (400, "application/problem+json")
    told = answered.json()
    assert "cut" in told["detail"]
    assert (told["place"], bool(told["help"])) == (f"byte {len(body)} of the body", True)


def test_who_may_only_read_sends_no_log(serve: Callable[..., Server], tokens: Path) -> None:
    server = serve("--workers", "1", "--tokens", str(tokens))
    with server.client("read") as http, server.client("record") as other:
        for path in ("/upload", "/v1/ingest", "/loki/api/v1/push"):
            assert http.post(path, content=b"").status_code == 403
        assert other.post("/v1/ingest", content=b"").status_code == 202
        # what systemd-journal-upload can send: the password in its URL
        assert httpx.post(f"{server.url}/upload", auth=("db17", SECRETS["record"]), headers=JOURNAL).status_code == 202


def test_a_stop_reads_what_is_held_and_ends_requests_without_an_end(serve: Callable[..., Server]) -> None:
    server = serve("--workers", "1")
    sent = threading.Event()

    def endless() -> Iterator[bytes]:
        yield exported(entries("db17", "b1"))
        sent.set()
        threading.Event().wait(8)

    codes: list[int] = []
    with server.client() as http, server.client() as other:
        sender = threading.Thread(
            target=lambda: codes.append(http.post("/upload", content=endless(), headers=JOURNAL).status_code)
        )
        sender.start()
        sent.wait()
        assert other.post("/upload", content=exported(entries("db18", "b2")), headers=JOURNAL).status_code == 202
        assert server.stop() == 0
        sender.join()
    assert codes == [503]
    with kb.KnowledgeBase(server.db) as base:
        rows = base.store.rows("select host, count from sightings order by host")
        assert [tuple(row) for row in rows] == [("db17", 1), ("db18", 1)]


def test_workers_that_are_killed_lose_no_line(serve: Callable[..., Server]) -> None:
    server = serve("--workers", "1")
    with server.client() as http:
        for number in range(3):
            http.post("/upload", content=exported(entries(f"db{number}", "b")), headers=JOURNAL)
            for pid in server.children():
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda: [each[0] for each in seen(http)] == ["db0", "db1", "db2"], "all are recorded")
        assert b"kb_intake_lines_lost 0.0" in http.get("/metrics").content


def test_workers_killed_at_any_moment_cost_no_part_of_the_service_and_what_is_lost_is_counted(
    serve: Callable[..., Server],
) -> None:
    server = serve("--workers", "2")
    chance, over = random.Random(7), threading.Event()

    def kill() -> None:
        while not over.wait(chance.uniform(0, 0.3)):
            for pid in server.children():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    with server.client() as http:
        killer.start()
        for number in range(12):
            assert http.post("/upload", content=exported(entries(f"db{number}", "b")), headers=JOURNAL).is_success
            http.post("/v1/match", content=OOPS)
        over.set()
        killer.join()
        assert [http.post("/v1/match", content=OOPS).status_code for _ in range(20)] == [200] * 20
        wait_for(lambda: http.get("/readyz").is_success, "ready")
        lost = "kb_intake_lines_lost 0.0"
        wait_for(lambda: len(seen(http)) == 12 or lost not in http.get("/metrics").text, "all are recorded")
        assert http.post("/upload", content=exported(entries("last", "b")), headers=JOURNAL).is_success
        wait_for(lambda: ("last", "journal", 1) in seen(http), "the intake goes on")
    assert b"a part of the service failed" not in server.log.read_bytes()


# ---- netconsole


def test_datagrams_are_taken_from_those_that_are_listed(serve: Callable[..., Server]) -> None:
    server = serve("--workers", "1", "--netconsole", "127.0.0.1:0", "--netconsole-from", "127.0.0.7")
    port = int(server.log.read_text().split("netconsole on 127.0.0.1 port ")[1].split()[0])
    extended = [
        b"4,%d,%d,-;" % (at, 12_345_678 + at) + line.split(b"] ", 1)[1]
        for at, line in enumerate(OOPS.split(b"\n")[:-1])
    ]
    with server.client() as http:
        for address in ("127.0.0.1", "127.0.0.7"):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
                link.bind((address, 0))
                for line in extended:
                    link.sendto(line[:30], ("127.0.0.1", port))
                    link.sendto(line[30:] + b"\n", ("127.0.0.1", port))
        wait_for(lambda: seen(http) == [("127.0.0.7", "netconsole", 1)], "the report is recorded")
        assert taken(http, "netconsole") == len(extended)


@pytest.mark.parametrize(
    "options",
    [
        ("--netconsole", "0.0.0.0"),
        ("--netconsole", "127.0.0.1", "--netconsole-from", "here"),
        ("--webhook", "http://127.0.0.1/"),
        ("--webhook", "file:///etc/passwd"),
        ("--keep", "0"),
        ("--keep", "10000000"),
    ],
)
def test_what_cannot_be_safe_is_refused_at_the_start(options: tuple[str, ...]) -> None:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-c", CLI, "serve", "--port", "0", *options], cwd=ROOT, capture_output=True, text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("KB_")}, timeout=LIMIT,
    )  # fmt: skip
    assert done.returncode == 2
    assert "help" in done.stderr or "days" in done.stderr


# ---- webhook


WARNING = b"""\
[   50.000000] WARNING: CPU: 1 PID: 7 at mm/foo.c:10 bar_write+0x10/0x20
[   50.000001] CPU: 1 PID: 7 Comm: a Not tainted 6.1.0 #1
[   50.000002] Call Trace:
[   50.000003]  bar_write+0x10/0x20
[   50.000004] ---[ end trace 0000000000000000 ]---
"""


class Receiver(BaseHTTPRequestHandler):
    """Takes messages; refuses the first ones."""

    got: ClassVar[list[tuple[dict[str, str], bytes]]] = []
    refuse = 0

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(500 if len(self.got) <= self.refuse else 204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def receiver(refuse: int = 0, port: int = 0) -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    handler = type("Own", (Receiver,), {"got": [], "refuse": refuse})
    with HTTPServer(("127.0.0.1", port), handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}/hook", handler.got  # type: ignore[attr-defined]
        served.shutdown()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("s3cret\n")
    return path


def rows(got: list[tuple[dict[str, str], bytes]]) -> list[dict[str, Any]]:
    return [json.loads(body) for _, body in got]


def test_new_signatures_and_grave_reports_are_told_signed_until_they_are_taken(
    serve: Callable[..., Server], secret: Path
) -> None:
    with receiver(refuse=2) as (url, got):
        server = serve(
            "--workers", "1", "--webhook", url, "--webhook-secret", str(secret), "--webhook-severity", "stop"
        )
        with server.client() as http:
            for number in range(3):
                http.post("/v1/record", content=WARNING, params={"host": "a", "key": f"w{number}"})
            wait_for(lambda: len(got) == 3, "the message is taken at the third try")
            http.post("/v1/ingest", content=OOPS, headers={"Content-Type": "text/plain"}, params={"host": "db17"})
            wait_for(lambda: len(got) == 4, "the live report is told")
        assert {headers["webhook-id"] for headers, _ in got[:3]} == {got[0][0]["webhook-id"]}
        new, live = rows(got)[2:]
        assert (new["reasons"], new["title"], new["host"], new["count"]) == (["new"], "WARNING in bar_write", "a", 1)
        assert (live["host"], live["source"], live["kind"]) == ("db17", "ingest", "oops")
        assert "new" in live["reasons"]
        jsonschema = pytest.importorskip("jsonschema")
        for row in rows(got):
            jsonschema.validate(row, schema("kb.event/1"))
        headers, body = got[-1]
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.new(b"s3cret", signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"
        assert headers["x-hub-signature-256"] == "sha256=" + hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()


def test_messages_outlive_the_service(serve: Callable[..., Server], secret: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    hook = ("--webhook", f"http://127.0.0.1:{port}/hook", "--webhook-secret", str(secret))
    first = serve("--workers", "1", *hook)
    with first.client() as http:
        assert http.post("/v1/record", content=OOPS, params={"host": "db17"}).status_code == 201
        wait_for(lambda: b'kb_webhook_tries_total{taken="no"}' in http.get("/metrics").content, "it was tried")
    assert first.stop() == 0
    with receiver(port=port) as (_, got):
        again = serve("--workers", "1", *hook, "--db", str(first.db))
        wait_for(lambda: len(got) == 1, "the message comes")
        assert rows(got)[0]["host"] == "db17"
        wait_for(lambda: _waiting(again.url, first.db) == 0, "the outbox is empty")


def _waiting(url: str, db: Path) -> int:
    from kb.store import outbox

    with kb.KnowledgeBase(db) as base, base.store.using() as connection:
        return outbox.waiting(connection)


# ---- retention


def test_what_is_older_than_the_days_to_keep_is_forgotten(serve: Callable[..., Server], tmp_path: Path) -> None:
    db = tmp_path / "old.db"
    with kb.KnowledgeBase(db) as base:
        report = next(iter(base.read(OOPS)))
        for days, host in ((40, "old"), (3, "young")):
            when = (datetime.now(UTC) - timedelta(days=days)).isoformat().replace("+00:00", "Z")
            base.record(report, host=host, seen=when)
    server = serve("--workers", "1", "--keep", "30", "--db", str(db))
    with server.client() as http:
        wait_for(lambda: [each[0] for each in seen(http)] == ["young"], "the old sighting is gone")
