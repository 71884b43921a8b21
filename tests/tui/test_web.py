"""``--web``: its command, its guard, and one run in a real browser without a window."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import json
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kb.errors import UsageError
from kb.store import Store
from kb.tui.web import command, places, serve
from tests.tui.driving import CASE
from tests.waiting import LIMIT

ROOT = Path(__file__).resolve().parents[2]


def options(**more: Any) -> argparse.Namespace:
    return argparse.Namespace(**{"files": [], "db": None, "cases": None, "kernel": None, "host": "127.0.0.1"} | more)


def test_the_command_of_a_visitor_is_quoted_and_without_web() -> None:
    words = shlex.split(command(options(files=["a b.log", "--web"], db="x y.db", kernel="6.1")))
    assert words[1:] == ["-m", "kb", "tui", "--db=x y.db", "--kernel=6.1", "--", "a b.log", "--web"]


def test_standard_input_cannot_be_served() -> None:
    with pytest.raises(UsageError, match="not standard input"):
        serve(options(files=["-"]))


def test_loopback_has_several_names_and_other_hosts_one() -> None:
    assert places("127.0.0.1", 8000) == ["127.0.0.1:8000", "localhost:8000", "[::1]:8000"]
    assert places("10.0.0.7", 80) == ["10.0.0.7:80"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Served:
    """A running ``kb tui --web`` over the sample.

    Args:
        process: Its standard error is a pipe.
        port: Where it listens.
    """

    def __init__(self, process: subprocess.Popen[bytes], port: int):
        self.process = process
        self.port = port

    def token(self) -> str:
        """Of the next address that it prints."""
        assert self.process.stderr is not None
        line = self.process.stderr.readline().decode()
        found = re.fullmatch(rf"kb: http://127\.0\.0\.1:{self.port}/\?token=([\w-]{{43}}) \(opens once; .*\)\n", line)
        assert found is not None, line
        return found[1]

    def get(self, path: str = "/", **headers: str) -> tuple[int, Any]:
        """Status and headers of an answer; a redirection is one."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status, answer.headers


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    pytest.importorskip("textual_serve", reason="textual-serve is not installed (kernel-kb[web])")
    port = free_port()
    words = [sys.executable, "-m", "kb", "tui", "--web", f"--port={port}", f"--db={tmp_path / 'kb.db'}"]
    process = subprocess.Popen([*words, str(CASE / "match-seed.log")], cwd=ROOT, stderr=subprocess.PIPE)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
                break
            time.sleep(0.05)
        yield Served(process, port)
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def cookie(served: Served) -> str:
    """What a browser got that opened the address."""
    status, headers = served.get(f"/?token={served.token()}")
    assert (status, headers["Location"]) == (303, "/")
    assert "HttpOnly" in headers["Set-Cookie"]
    assert "SameSite=Strict" in headers["Set-Cookie"]
    return str(headers["Set-Cookie"]).split(";")[0]


PATHS = ("/", "/ws", "/static/js/textual.js", "/static/", "/download/x", "/nothing", "//", "/?x=1", "/static/../ws")
SOCKET = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "x" * 24, "Sec-WebSocket-Version": "13"}


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_nothing_is_answered(path: str, served: Served) -> None:
    token = served.token()
    for given in ({}, SOCKET, {"Cookie": f"kb-{served.port}=x"}, {"Cookie": f"kb-{served.port}={token}"}):
        assert served.get(path, **given)[0] == 403
    for wrong in ("", "x", token[:-1], token + "x", token.swapcase()):
        assert served.get(f"/?token={wrong}")[0] == 403
    assert served.get(f"/static/?token={token}")[0] == 403
    assert served.get(f"/?token={token}")[0] == 303  # none of that used it up


def test_the_address_opens_once_and_the_cookie_stays(served: Served) -> None:
    first = served.token()
    status, headers = served.get(f"/?token={first}")
    assert status == 303
    cookie = headers["Set-Cookie"].split(";")[0]
    assert first not in cookie
    assert served.get(f"/?token={first}")[0] == 403
    assert served.get(f"/?token={first}", Cookie=cookie)[0] == 403
    for _ in range(2):
        status, headers = served.get(Cookie=cookie)
        assert status == 200
        assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert served.get("/static/js/textual.js", Cookie=cookie)[0] == 200
    second = served.token()
    assert second != first
    assert served.get(f"/?token={second}")[0] == 303


def test_a_socket_opens_with_the_cookie_only(served: Served, cookie: str) -> None:
    origin = {"Origin": f"http://127.0.0.1:{served.port}"}
    assert served.get("/ws", **SOCKET, **origin)[0] == 403

    async def first_bytes() -> bytes:
        import aiohttp

        url = f"http://127.0.0.1:{served.port}/ws?width=100&height=30"
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(url, headers={"Cookie": cookie, **origin}) as ws,
        ):
            while True:
                message = await ws.receive(timeout=LIMIT)
                if message.type == aiohttp.WSMsgType.BINARY:
                    return bytes(message.data)

    assert asyncio.run(first_bytes())


def test_pages_of_others_are_refused(served: Served, cookie: str) -> None:
    port = served.port
    assert served.get(Cookie=cookie)[0] == 200
    assert served.get(Cookie=cookie, Origin=f"http://127.0.0.1:{port}")[0] == 200
    assert served.get(Cookie=cookie, Origin="http://elsewhere.example")[0] == 403
    assert served.get(Cookie=cookie, Origin="null")[0] == 403
    assert served.get(Cookie=cookie, Host=f"elsewhere.example:{port}")[0] == 403
    status, headers = served.get("/?token=x", Host=f"localhost:{port}")
    assert (status, headers["Location"]) == (302, f"http://127.0.0.1:{port}/?token=x")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "10.0.0.7", "example.org", "127.0.0.1.example.org"])
def test_only_loopback_is_listened_on(host: str) -> None:
    with pytest.raises(UsageError, match="listens on loopback") as caught:
        serve(options(host=host, port=8000))
    assert "ssh -L 8000:" in str(caught.value.help)


class Browser:
    """Chromium by its debugging protocol."""

    def __init__(self, socket: Any):
        self.socket = socket
        self.number = 0

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self.number += 1
        await self.socket.send_json({"id": self.number, "method": method, "params": parameters})
        while True:
            answer: dict[str, Any] = json.loads((await self.socket.receive(timeout=LIMIT)).data)
            if answer.get("id") == self.number:
                return answer["result"]  # type: ignore[no-any-return]

    async def script(self, text: str) -> Any:
        answer = await self.call("Runtime.evaluate", expression=text, returnByValue=True)
        return answer["result"].get("value")

    async def key(self, key: str, code: int, modifiers: int = 0, text: str = "") -> None:
        common = {"key": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        await self.call("Input.dispatchKeyEvent", type="keyDown", **common, **({"text": text} if text else {}))
        await self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    async def type(self, text: str) -> None:
        for char in text:
            await self.key(char, ord(char.upper()), text=char)


def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("no chromium on this machine")


async def annotate_in_browser(address: str, debug: int, db: Path) -> None:
    import aiohttp

    async with aiohttp.ClientSession() as session:
        for _ in range(200):
            with contextlib.suppress(aiohttp.ClientError, OSError):
                async with session.get(f"http://127.0.0.1:{debug}/json/list") as answer:
                    pages = [page for page in await answer.json() if page["type"] == "page"]
                if pages:
                    break
            await asyncio.sleep(0.1)
        async with session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            browser = Browser(socket)
            await browser.call("Page.navigate", url=address)
            for _ in range(200):
                if await browser.script("document.body && document.body.classList.contains('-first-byte')"):
                    break
                await asyncio.sleep(0.1)
            await browser.type("a")
            await asyncio.sleep(1.5)
            await browser.type("seen")
            await asyncio.sleep(0.5)
            await browser.key("s", 83, modifiers=2)
            for _ in range(100):
                await asyncio.sleep(0.1)
                if db.exists() and note_in(db):
                    return
    raise AssertionError("the note never came to the store")


def note_in(db: Path) -> tuple[str, ...]:
    with Store(db) as store:
        return tuple(note.body for note in store.annotations("signature:kb1:35cb166c9cbb7e74"))


@pytest.mark.slow
def test_a_note_written_in_a_browser_is_in_the_store(served: Served, tmp_path: Path) -> None:
    debug = free_port()
    browser = subprocess.Popen(
        [
            chromium(), "--headless", "--no-sandbox", "--disable-gpu", f"--remote-debugging-port={debug}",
            f"--user-data-dir={tmp_path / 'profile'}", "--no-first-run", "--window-size=1200,800", "about:blank",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        address = f"http://127.0.0.1:{served.port}/?token={served.token()}"
        asyncio.run(annotate_in_browser(address, debug, tmp_path / "kb.db"))
    finally:
        browser.terminate()
        browser.wait(10)
    assert note_in(tmp_path / "kb.db") == ("seen",)
