"""``--web``: its command, its guard, and one run in a real browser without a window."""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import shlex
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kb.errors import UsageError
from kb.store import Store
from kb.tui.web import command, places, serve
from tests.tui.driving import CASE
from tests.waiting import LIMIT, wait_for

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


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@pytest.fixture
def served(tmp_path: Path) -> Iterator[int]:
    """The port of a running ``kb tui --web`` over the sample."""
    pytest.importorskip("textual_serve", reason="textual-serve is not installed (kernel-kb[web])")
    port = free_port()
    words = [sys.executable, "-m", "kb", "tui", "--web", f"--port={port}", f"--db={tmp_path / 'kb.db'}"]
    process = subprocess.Popen([*words, str(CASE / "match-seed.log")], cwd=ROOT, stderr=subprocess.PIPE)
    try:
        wait_for(lambda: answers(port), "the server answers")
        yield port
    finally:
        process.terminate()
        process.wait(LIMIT)


def status(port: int, **headers: str) -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_pages_of_others_are_refused(served: int) -> None:
    assert status(served) == 200
    assert status(served, Origin=f"http://127.0.0.1:{served}") == 200
    assert status(served, Origin="http://elsewhere.example") == 403
    assert status(served, Host=f"elsewhere.example:{served}") == 403


class Browser:
    """Chromium by its debugging protocol."""

    def __init__(self, socket: Any):
        self.socket = socket
        self.number = 0
        self.terminal = ""
        """What the app sent for the terminal of the page."""

    async def _next(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads((await self.socket.receive(timeout=LIMIT)).data)
        if message.get("method") == "Network.webSocketFrameReceived":
            frame = message["params"]["response"]
            text = base64.b64decode(frame["payloadData"]) if frame["opcode"] == 2 else frame["payloadData"].encode()
            self.terminal += text.decode("utf-8", "replace")
        return message

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self.number += 1
        await self.socket.send_json({"id": self.number, "method": method, "params": parameters})
        while (answer := await self._next()).get("id") != self.number:
            pass
        return answer["result"]  # type: ignore[no-any-return]

    async def shows(self, text: str) -> None:
        """Wait until the app has painted a text since the last one that was waited for."""
        async with asyncio.timeout(LIMIT):
            while text not in self.terminal:
                await self._next()
        self.terminal = ""

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


async def annotate_in_browser(port: int, debug: int) -> None:
    import aiohttp

    wait_for(lambda: answers(debug), "the browser answers")
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{debug}/json/list") as answer:
            page = next(page for page in await answer.json() if page["type"] == "page")
        async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            browser = Browser(socket)
            await browser.call("Network.enable")
            await browser.call("Page.navigate", url=f"http://127.0.0.1:{port}/")
            await browser.shows("1 known")
            await browser.script("document.querySelector('textarea').focus()")
            await browser.type("a")
            await browser.shows("no notes yet")
            await browser.type("seen")
            await browser.key("s", 83, modifiers=2)
            await browser.shows("saved ")


def note_in(db: Path) -> tuple[str, ...]:
    with Store(db) as store:
        return tuple(note.body for note in store.annotations("signature:kb1:35cb166c9cbb7e74"))


@pytest.mark.slow
def test_a_note_written_in_a_browser_is_in_the_store(served: int, tmp_path: Path) -> None:
    debug = free_port()
    browser = subprocess.Popen(
        [
            chromium(), "--headless", "--no-sandbox", "--disable-gpu", f"--remote-debugging-port={debug}",
            f"--user-data-dir={tmp_path / 'profile'}", "--no-first-run", "--window-size=1200,800", "about:blank",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        asyncio.run(annotate_in_browser(served, debug))
    finally:
        browser.terminate()
        browser.wait(LIMIT)
    assert note_in(tmp_path / "kb.db") == ("seen",)
