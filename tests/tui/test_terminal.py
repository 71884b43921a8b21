"""One run in a real terminal: the log comes by standard input, the keys from the terminal."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.tui.driving import CASE
from tests.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]


class Terminal:
    """A tmux server of its own, with one pane."""

    def __init__(self, folder: Path):
        self.socket = str(folder / "tmux")

    def tmux(self, *words: str) -> str:
        done = subprocess.run(["tmux", "-S", self.socket, *words], capture_output=True, text=True, check=False)
        return done.stdout

    def start(self, command: str, size: tuple[int, int] = (100, 30)) -> None:
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), command)

    def keys(self, *keys: str) -> None:
        self.tmux("send-keys", *keys)

    def shows(self, text: str) -> str:
        return self.until(lambda screen: text in screen, text)

    def until(self, holds: Callable[[str], bool], what: str) -> str:
        screen = ""

        def seen() -> bool:
            nonlocal screen
            screen = self.tmux("capture-pane", "-p")
            return holds(screen)

        wait_for(seen, lambda: f"{what}\n{screen}")
        return screen


@pytest.fixture
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    if shutil.which("tmux") is None:
        pytest.skip("no tmux on this machine")
    terminal = Terminal(tmp_path_factory.mktemp("t"))
    yield terminal
    terminal.tmux("kill-server")


def command(tmp_path: Path, log: Path) -> str:
    kb = shlex.join([sys.executable, "-m", "kb", "tui", f"--db={tmp_path / 'kb.db'}"])
    return (
        f"cd {shlex.quote(str(ROOT))}; TERM=xterm-256color XDG_CACHE_HOME={shlex.quote(str(tmp_path))} "
        f"{kb} < {shlex.quote(str(log))}; echo ended $?; sleep 60"
    )


def test_from_start_to_end_with_the_log_on_standard_input(terminal: Terminal, tmp_path: Path) -> None:
    terminal.start(command(tmp_path, CASE / "match-seed.log"))
    terminal.shows("1 report   1 known")
    terminal.shows("yes     nofs-high-order-watermark")
    terminal.keys("Enter")
    terminal.shows("order_walk_refusal")
    terminal.keys("2")
    assert "█" in terminal.shows("Left against needed")
    terminal.keys("3")
    terminal.shows("Predicates")
    terminal.keys("a")
    terminal.shows("no notes yet")
    terminal.keys("-l", "from a real terminal")
    terminal.keys("C-s")
    terminal.shows("saved ")
    terminal.keys("Escape")
    terminal.shows("Predicates")
    terminal.keys("q")
    terminal.shows("1 report   1 known")
    terminal.keys("q")
    terminal.shows("ended 0")


def test_the_terminal_is_handed_to_the_person_s_editor_and_taken_back(terminal: Terminal, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\necho edited by hand; printf '\\n- by hand\\n' >> \"$1\"\n")
    editor.chmod(0o755)
    settings = shlex.join([f"KB_CASES={tmp_path / 'cases'}", f"EDITOR={editor}"])
    terminal.start(f"export {settings}; {command(tmp_path, CASE / 'near-with-fs.log')}")
    (tmp_path / "cases").mkdir()
    terminal.shows("1 report ")
    terminal.keys("c")
    terminal.shows("a draft with its predicates proposed")
    terminal.keys("Enter")
    terminal.shows(" findings;")
    terminal.keys("C-e")
    path = next((tmp_path / "cases").glob("*/case.md"))
    terminal.until(lambda _: path.read_text().endswith("- by hand\n"), "the editor ran")
    terminal.keys(*["PageDown"] * 30)
    terminal.shows("- by hand")
    terminal.keys("Escape")
    terminal.shows("1 report ")


def test_a_log_drives_no_real_terminal(terminal: Terminal, tmp_path: Path) -> None:
    hostile = tmp_path / "hostile.log"
    hostile.write_bytes(
        b"\x1b]2;stolen\x07\x1b[2J\x1b[31m\n" + (CASE / "match-seed.log").read_bytes() + b"\x9b31m\x1bP\x90q\n"
    )
    terminal.start(command(tmp_path, hostile))
    terminal.shows("1 report   1 known")
    terminal.keys("Enter")
    terminal.shows("order_walk_refusal")
    terminal.keys("Enter")  # one pane at a time: to the log, at the headline
    screen = terminal.shows(r"\x1b]2;stolen\x07\x1b[2J")
    assert "▶ kworker/31:0: page allocation failure" in screen
    assert "stolen" not in terminal.tmux("display-message", "-p", "#{pane_title}")


def test_without_a_terminal_it_says_what_to_use_instead(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kb", "tui", f"--db={tmp_path / 'kb.db'}", str(CASE / "match-seed.log")],
        cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, start_new_session=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert "terminal" in done.stderr
    assert "help:" in done.stderr
