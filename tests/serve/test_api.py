"""What the interface answers: the same as the command line and the API, in the form that was asked for."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest

from tests.serve.conftest import CLI, ROOT, Server
from tests.waiting import LIMIT

OOPS = b"""\
[   12.345678] BUG: kernel NULL pointer dereference, address: 0000000000000008
[   12.345690] #PF: supervisor read access in kernel mode
[   12.345700] Oops: 0000 [#1] SMP PTI
[   12.345710] CPU: 0 PID: 4242 Comm: cat Not tainted 6.1.0-13-amd64 #1
[   12.345720] RIP: 0010:foo_read+0x10/0x40 [foo]
[   12.345730] Call Trace:
[   12.345740]  vfs_read+0x9f/0x320
[   12.345750]  ksys_read+0x6f/0xf0
[   12.345760] ---[ end trace 0000000000000000 ]---
"""


@pytest.fixture
def http(server: Server) -> httpx.Client:
    return server.client()


def kb(*args: str, data: bytes) -> bytes:
    return subprocess.run([sys.executable, "-c", CLI, *args], cwd=ROOT, input=data, capture_output=True).stdout


def test_a_log_is_answered_as_kb_match_answers_it(http: httpx.Client, example: Path, tmp_path: Path) -> None:
    data = example.read_bytes()
    answered = http.post("/v1/match", content=data)
    assert answered.status_code == 200
    assert answered.headers["content-type"] == "application/x-ndjson"
    told = kb("match", "--json", "--db", str(tmp_path / "none.db"), data=data)
    assert [json.loads(row) for row in answered.text.splitlines()] == [json.loads(row) for row in told.splitlines()]


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("*/*", "application/x-ndjson"),
        ("application/json", "application/json"),
        ("text/markdown", "text/markdown; charset=utf-8"),
        ("text/plain", "text/plain; charset=utf-8"),
        ("text/html, application/xhtml+xml, */*;q=0.1", "text/html; charset=utf-8"),
    ],
)
def test_the_form_is_chosen_by_accept(http: httpx.Client, accept: str, media: str) -> None:
    answered = http.post("/v1/match", content=OOPS, headers={"Accept": accept})
    assert (answered.status_code, answered.headers["content-type"]) == (200, media)
    assert "foo_read" in answered.text.replace("\\", "")
    assert answered.headers["kb-reports"] == "1"


def test_a_form_that_is_not_offered_is_refused(http: httpx.Client) -> None:
    answered = http.post("/v1/match", content=OOPS, headers={"Accept": "image/png"})
    assert answered.status_code == 406
    assert answered.headers["content-type"] == "application/problem+json"
    assert "text/markdown" in answered.json()["help"]


def test_a_form_with_files_is_read_and_named_as_the_sender_names_them(http: httpx.Client) -> None:
    files = [("log", ("one.log", OOPS)), ("log", ("two.log", OOPS.replace(b"foo_read", b"bar_read")))]
    answered = http.post("/v1/match", files=files)
    rows = [json.loads(row) for row in answered.text.splitlines()]
    assert [(row["source"], row["function"]) for row in rows] == [("one.log", "foo_read"), ("two.log", "bar_read")]


def test_a_log_without_reports_is_no_error(http: httpx.Client) -> None:
    answered = http.post("/v1/match", content=b"[    1.000000] eth0: link up\n")
    assert (answered.status_code, answered.content, answered.headers["kb-reports"]) == (200, b"", "0")


def test_a_request_without_a_body_is_told_so_and_an_empty_log_is_a_log(http: httpx.Client) -> None:
    assert http.post("/v1/match").status_code == 422
    assert http.post("/v1/match", content=b"", headers={"Content-Type": "text/plain"}).status_code == 200


def test_what_kb_cannot_look_into_is_a_problem_with_reason_and_help(http: httpx.Client) -> None:
    answered = http.post("/v1/match", content=bytes(range(256)) * 40)
    assert answered.status_code == 422
    assert answered.json()["detail"]
    assert answered.json()["help"]
    assert "/tmp" not in answered.text


@pytest.mark.parametrize("lines", [1, 80_000])
def test_what_its_sender_calls_text_is_text_short_or_long(http: httpx.Client, lines: int) -> None:
    data = b"PK\3\4\n" + b"[    1.000000] eth0: link up\n" * lines + OOPS
    assert http.post("/v1/match", content=data).status_code == 422
    answered = http.post("/v1/match", content=data, headers={"Content-Type": "text/plain"})
    assert (answered.status_code, answered.headers["kb-reports"]) == (200, "1")


def test_a_long_log_is_read_from_a_file_that_its_answer_does_not_name(http: httpx.Client) -> None:
    data = b"[    1.000000] eth0: link up\n" * 80_000 + OOPS
    answered = http.post("/v1/match", content=data)
    assert [json.loads(row)["source"] for row in answered.text.splitlines()] == ["-"]


def test_a_body_that_is_too_long_is_refused_while_it_comes(http: httpx.Client) -> None:
    sent = 0

    def endless() -> object:
        nonlocal sent
        while sent < 1 << 30:
            sent += 1 << 16
            yield b"x" * (1 << 16)

    try:
        answered = http.post("/v1/match", content=endless())  # type: ignore[arg-type]
        assert answered.status_code == 413
        assert "--max-body" in answered.json()["help"]
    except httpx.WriteError:  # the server hung up before the answer was read, as HTTP/1.1 has it
        pass
    assert sent < 16 << 20


def test_a_length_that_is_too_long_is_refused_before_anything_is_sent(server: Server) -> None:
    link = HTTPConnection(server.url.removeprefix("http://"), timeout=LIMIT)
    link.putrequest("POST", "/v1/match")
    link.putheader("Content-Length", str(1 << 40))
    link.endheaders()
    assert link.getresponse().status == 413
    link.close()


@pytest.mark.parametrize("path", ["/v1/ask", "/v1/annotations"])
def test_a_body_that_is_read_as_a_whole_is_bounded_too(server: Server, path: str) -> None:
    link = HTTPConnection(server.url.removeprefix("http://"), timeout=LIMIT)
    link.putrequest("POST", path)
    link.putheader("Transfer-Encoding", "chunked")
    link.putheader("Content-Type", "application/json")
    link.endheaders()
    piece, sent = b"%x\r\n%s\r\n" % (1 << 16, b" " * (1 << 16)), 0
    try:
        while sent < 1 << 28:
            link.send(piece)
            sent += 1 << 16
    except OSError:  # it hung up
        pass
    assert sent < 16 << 20
    link.close()
    with server.client() as http:
        blank = {"question": "why", "log": " " * (5 << 20)} if path == "/v1/ask" else {"subject": " " * (5 << 20)}
        assert http.post(path, json=blank).status_code == 413
        assert http.post(path, json={"subject": "case:x", "body": "x" * 70_000}).status_code == 422


def test_a_record_is_found_again_with_its_days_and_notes(http: httpx.Client) -> None:
    made = http.post("/v1/record", content=OOPS, params={"host": "db17", "source": "ticket:1", "key": "t1"})
    assert made.status_code == 201
    (row,) = made.json()["recorded"]
    again = http.post("/v1/record", content=OOPS, params={"host": "db17", "source": "ticket:1", "key": "t1"})
    assert [each["new"] for each in again.json()["recorded"]] == [False]
    note = {"subject": f"signature:{row['signature']}", "body": "seen by hand", "key": "n1"}
    first, second = (http.post("/v1/annotations", json=note) for _ in range(2))
    assert first.status_code == 201
    assert first.json()["id"] == second.json()["id"]
    shown = http.get(f"/v1/signatures/{row['signature']}").json()
    assert (shown["hosts"], shown["count"]) == (["db17"], 1)
    assert [day["count"] for day in shown["timeline"]] == [1]
    assert [each["body"] for each in shown["annotations"]] == ["seen by hand"]
    listed = http.get("/v1/signatures", params={"limit": 1}).json()
    assert listed["signatures"][0]["signature"] == row["signature"]
    assert http.get("/v1/signatures", params={"after": row["signature"]}).json()["signatures"] == []


@pytest.mark.parametrize(
    "path", ["/v1/signatures/kb1:ffff", "/v1/cases/no-such-case", "/nowhere", "/cases/no-such-case"]
)
def test_what_is_not_there_is_404_as_a_problem(http: httpx.Client, path: str) -> None:
    answered = http.get(path)
    assert answered.status_code == 404
    assert answered.headers["content-type"] == "application/problem+json"


def test_cases_are_listed_shown_and_found(http: httpx.Client) -> None:
    listed = http.get("/v1/cases").json()["cases"]
    assert "nofs-high-order-watermark" in [each["id"] for each in listed]
    assert http.get("/v1/cases/nofs-high-order-watermark").json()["schema"] == "kb.case/1"
    found = http.get("/v1/search", params={"q": "GFP_NOFS watermark"}).json()["cases"]
    assert "nofs-high-order-watermark" in [each["id"] for each in found]


def test_affected_answers_for_a_case_and_for_a_kernel(http: httpx.Client) -> None:
    case = {"case": "nofs-high-order-watermark"}
    assert http.get("/v1/affected", params={**case, "kernel": "3.16.0"}).json()["status"] == "affected"
    assert http.get("/v1/affected", params={**case, "kernel": "5.10.0"}).json()["status"] == "fixed"
    assert http.get("/v1/affected", params={"kernel": "no release"}).status_code == 422
    assert http.get("/v1/affected", params={"case": "none", "kernel": "6.1"}).status_code == 404


def test_a_question_is_answered_and_changes_nothing(http: httpx.Client, example: Path) -> None:
    log = example.read_text()
    answered = http.post("/v1/ask", json={"question": "why did it fail", "log": log}).json()
    assert answered["known"]
    assert answered["citations"]
    assert http.post("/v1/ask", json={"question": "note: it was me", "log": log}).status_code == 422
    assert http.post("/v1/ask", json={"question": "load /etc/passwd"}).status_code == 422


def test_the_service_tells_of_itself(http: httpx.Client) -> None:
    assert http.get("/healthz").json()["status"] == "ok"
    http.post("/v1/match", content=OOPS)
    counts = http.get("/metrics").text
    assert 'kb_requests_total{code="200",route="/v1/match"}' in counts
    assert "kb_reports_total{kind=" in counts
    document = http.get("/openapi.json").json()
    assert set(document["paths"]) >= {"/v1/match", "/v1/record", "/v1/signatures/{name}", "/healthz", "/metrics"}
    assert "HTTPValidationError" not in json.dumps(document)


def test_the_page_takes_a_log_without_a_script_and_gives_a_link_only_when_asked(http: httpx.Client) -> None:
    page = http.get("/")
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    # fetch.spec.whatwg.org, "append a request Origin header": no-referrer makes the Origin of the page's own form null
    assert page.headers["referrer-policy"] == "same-origin"
    hostile = OOPS.replace(b"Comm: cat", b"Comm: <script>")
    shown = http.post("/", files={"log": ("a.log", hostile)})
    assert "<script>" not in shown.text
    assert 'href="/signatures/' not in shown.text
    assert "sha256-" in shown.text  # the page's own policy
    kept = http.post("/", data={"text": OOPS.decode(), "record": "yes"}, files={"log": ("", b"")})
    link = "/signatures/" + kept.text.split('href="/signatures/')[1].split('"')[0]
    assert "foo_read" in http.get(link).text
    for path in ("/signatures", "/cases", "/cases/nofs-high-order-watermark", "/search?q=watermark"):
        assert http.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/", "/v1/cases", "/healthz", "/openapi.json", "/metrics", "/nowhere"])
def test_head_is_get_without_the_body(server: Server, path: str) -> None:
    with server.client() as http:
        got, head = http.get(path), http.head(path)
    assert (head.status_code, head.headers["content-type"]) == (got.status_code, got.headers["content-type"])
    assert head.content == b""


def test_a_body_that_is_packed_in_an_unknown_way_is_not_read_as_a_log(server: Server) -> None:
    with server.client() as http:
        for path in ("/v1/match", "/v1/record"):
            assert http.post(path, content=OOPS, headers={"Content-Encoding": "br"}).status_code == 415
        packed = http.post("/v1/match", content=gzip.compress(OOPS), headers={"Content-Encoding": "gzip"})
        assert packed.headers["kb-reports"] == "1"
        for encoding, status in (("br", 415), ("gzip", 200)):  # of a file in a form
            data = gzip.compress(OOPS) if encoding == "gzip" else OOPS
            head = '--x\r\nContent-Disposition: form-data; name="log"; filename="a"\r\n'
            head += f"Content-Encoding: {encoding}\r\n\r\n"
            form = {"Content-Type": "multipart/form-data; boundary=x"}
            body = head.encode() + data + b"\r\n--x--\r\n"
            assert http.post("/v1/match", content=body, headers=form).status_code == status
            assert http.post("/v1/match", content=body, headers={**form, "Content-Encoding": "br"}).status_code == 415


def test_only_what_takes_a_body_is_said_to_refuse_bodies(http: httpx.Client) -> None:
    for path, operations in http.get("/openapi.json").json()["paths"].items():
        for method, operation in operations.items():
            assert ("415" in operation["responses"]) <= ("requestBody" in operation), (method, path)
            assert ("413" in operation["responses"]) <= ("requestBody" in operation), (method, path)
