"""Who is let in, and what is said of requests."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.serve.conftest import CLI, ROOT, Server
from tests.serve.test_api import OOPS
from tests.waiting import LIMIT


@pytest.mark.parametrize(
    "headers",
    [{"Host": "kb.example.org"}, {"Host": "127.0.0.1.evil.org"}, {"Origin": "https://evil.org"}, {"Origin": "null"}],
)
def test_no_page_of_the_web_drives_a_server_without_tokens(server: Server, headers: dict[str, str]) -> None:
    with server.client() as http:
        assert http.get("/v1/cases", headers=headers).status_code == 403
        assert http.post("/v1/record", content=OOPS, headers=headers).status_code == 403


@pytest.mark.parametrize("host", ["localhost", "localhost:1", "[::1]:80", "127.0.0.1"])
def test_this_machine_is_let_in_by_each_of_its_names(server: Server, host: str) -> None:
    with server.client() as http:
        headers = {"Host": host, "Origin": f"http://{host}"}
        assert http.get("/v1/cases", headers=headers).status_code == 200


def test_with_tokens_each_role_may_do_what_is_its(serve: Callable[..., Server], tokens: Path) -> None:
    server = serve("--tokens", str(tokens), "--workers", "1")
    with server.client() as http:
        document = http.get("/openapi.json").json()
        assert http.get("/healthz").status_code == 200
        for path, operations in [*document["paths"].items(), ("/", {"get": 0, "post": 0}), ("/nowhere", {"get": 0})]:
            if path != "/healthz":
                codes = {http.request(method.upper(), path).status_code for method in operations}
                assert codes == {401}, path
        assert http.get("/v1/cases", headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert http.get("/", auth=("anyone", "secret-of-read")).status_code == 200
    note = {"subject": "case:nofs-high-order-watermark", "body": "text"}
    for role, may in (("read", (403, 403)), ("record", (201, 403)), ("annotate", (201, 201)), ("admin", (201, 201))):
        with server.client(role) as http:
            assert http.post("/v1/match", content=OOPS).status_code == 200
            codes = (
                http.post("/v1/record", content=OOPS).status_code,
                http.post("/v1/annotations", json=note).status_code,
            )
            assert codes == may, role
            asked = http.post("/", data={"record": "yes"}, files={"log": ("a", OOPS)}).status_code
            assert asked == (200 if may[0] == 201 else 403)


def test_a_header_without_an_end_is_not_held(server: Server) -> None:
    """Whatever parser of requests is installed beside kb: h11 is bounded, httptools is not."""
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), 60) as link:
        link.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
        with pytest.raises(OSError, match=r"reset|[Pp]ipe"):
            link.sendall(b"a" * (64 << 20))


def test_every_route_with_a_body_of_json_has_a_bound(tmp_path: Path) -> None:
    """FastAPI reads such a body whole before any code of kb's runs."""
    from fastapi.routing import APIRoute

    from kb.serve.guard import _WHOLE
    from kb.serve.routes import router

    read = {each.path for each in router.routes if isinstance(each, APIRoute) and each.body_field is not None}
    assert read == set(_WHOLE)


def kb(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", CLI, *args], cwd=ROOT, capture_output=True, text=True, timeout=LIMIT)


def test_an_address_that_others_reach_needs_tokens() -> None:
    done = kb("serve", "--host", "0.0.0.0", "--port", "0")
    assert done.returncode == 2
    assert "help: give --tokens" in done.stderr


@pytest.mark.parametrize("text", ["", "name read\n", f"name root {'0' * 64}\n", "name read abc\n"])
def test_a_file_of_tokens_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tokens"
    path.write_text(text)
    done = kb("serve", "--port", "0", "--tokens", str(path))
    assert done.returncode == 2
    assert "SHA256" in done.stderr


def test_a_line_of_json_is_logged_for_each_request_without_a_word_of_its_log(serve: Callable[..., Server]) -> None:
    server = serve("--workers", "1")
    with server.client() as http:
        http.post("/v1/match", content=OOPS, params={"name": "secret-name"})
        http.get("/secret-path")
    assert server.stop() == 0
    text = server.log.read_text()
    rows = [json.loads(row) for row in text.splitlines()[1:]]
    assert [(row["route"], row["status"], row["bytes"]) for row in rows] == [
        ("/v1/match", 200, len(OOPS)),
        ("-", 404, 0),
    ]
    assert "foo_read" not in text
    assert "secret" not in text
