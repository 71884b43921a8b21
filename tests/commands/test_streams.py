"""The standard streams: full, closed, of another encoding; and what a command says on stderr."""

from __future__ import annotations

import contextlib
import io
import lzma
import os
import pty
import random
import re
import select
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from kb import api
from kb.log.source import open_inputs
from kb.render.safe import safe_lines
from tests.test_cli import OOPS
from tests.waiting import LIMIT

ROOT = Path(__file__).resolve().parents[2]
CASE = "nofs-high-order-watermark"
COMMANDS = (
    "match LOG", "match --json LOG", "match --markdown LOG", "match -b LOG", "--help", "--version", "match --help",
    f"case show {CASE}", "case list", "case list --json", "case facts LOG", "case index", f"verify {CASE}",
    "whatif --order 3 --gfp GFP_KERNEL", "ask why LOG", "ask --json why LOG", "chat LOG", "case search ceph",
    "similar LOG", "show kb1", "show --raw kb1", "show --json kb1", "export", "stats", "log", "log --json",
    f"affected {CASE} --kernel 5.14",
)  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a log and a store that holds its report."""
    folder = tmp_path_factory.mktemp("streams")
    (folder / "log").write_bytes(OOPS)
    run("match --record LOG", folder)
    return folder


def run(words: str, place: Path, more: str = "", **env: str) -> subprocess.CompletedProcess[bytes]:
    """A command by a shell, with its redirections."""
    words = words.replace("LOG", str(place / "log"))
    own = {**os.environ, "KB_DB": str(place / "kb.db"), **env}
    command = f"exec {sys.executable} -m kb {words} {more}"
    return subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=own,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=LIMIT,
        check=False,
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
@pytest.mark.parametrize("words", COMMANDS)
def test_output_that_cannot_be_written_is_one_line_and_exit_code_4(words: str, place: Path) -> None:
    done = run(words, place, "> /dev/full")
    lines = done.stderr.decode().splitlines()
    assert done.returncode == 4, lines
    assert [line for line in lines if "standard output" in line] == [
        "kb: cannot write to standard output: No space left on device"
    ]
    assert "Traceback" not in done.stderr.decode()
    assert "Exception ignored" not in done.stderr.decode()


@pytest.mark.parametrize("words", COMMANDS[::4])
def test_a_reader_that_left_is_no_error(words: str, place: Path) -> None:
    done = run(words, place, "| true; exit ${PIPESTATUS[0]}".replace("exec ", ""))
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


@pytest.mark.parametrize("words", ["match LOG", "ask why LOG", "chat", "similar"])
@pytest.mark.parametrize("more", [">&-", "<&-", "2>&-", "<&- 2>&-", "2> /dev/full", "2> /dev/full > /dev/full"])
def test_a_stream_that_is_closed_or_full_is_no_traceback(words: str, more: str, place: Path) -> None:
    done = run(words, place, more)
    assert b"Traceback" not in done.stderr
    usual = run(words, place)
    unwritten = more == ">&-" or (more.endswith("> /dev/full") and more.count("full") == 2 and usual.stdout)
    assert done.returncode == (4 if unwritten else usual.returncode)


@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8"])
@pytest.mark.parametrize("words", ["match LOG", "match --markdown LOG", "ask --lang zh why LOG", f"case show {CASE}"])
def test_every_locale_can_show_it(words: str, locale: str, place: Path) -> None:
    done = run(words, place, LC_ALL=locale, PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert done.returncode == run(words, place).returncode, done.stderr
    assert done.stderr == b""


def test_a_script_of_questions_may_hold_any_bytes(place: Path) -> None:
    script = b"load \xff\nwhat is \xff\xfe\nnote \xff\x00\nquit\n"
    done = subprocess.run(
        [sys.executable, "-m", "kb", "chat", str(place / "log")], input=script, cwd=ROOT, capture_output=True,
        env={**os.environ, "KB_DB": str(place / "kb.db")}, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"Noted" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        "match --kernel banana LOG", "match --kernel '' LOG", "match --kernel x.y.z < /dev/null", "verify x --kernel v",
        f"affected {CASE} --kernel el7", "case facts LOG --kernel latest", "tui --kernel banana",
        "whatif --order 1 --gfp GFP_KERNEL --kernel banana", "match --kernel $'\\x1b[2J' LOG",
    ],
)  # fmt: skip
def test_a_release_that_cannot_be_read_is_a_usage_error_with_help(words: str, place: Path) -> None:
    done = run(words, place)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"is no kernel release\n  help: as uname -r prints it" in done.stderr
    assert b"\x1b" not in done.stderr


def test_names_of_files_on_stderr_cannot_drive_the_terminal(tmp_path: Path, place: Path) -> None:
    name = tmp_path / "a\x1b]0;x\x07\nkb: all is well\udcff\U000e0041"
    for path in (name, name.with_suffix(".gz")):
        done = subprocess.run(
            [sys.executable, "-m", "kb", "match", str(path)], cwd=ROOT, capture_output=True, check=False
        )
        assert done.returncode == 4
        assert b"\x1b" not in done.stderr
        assert b"\nkb: all is well" not in done.stderr
        assert "\U000e0041".encode() not in done.stderr


def on_terminal(words: str, place: Path, keys: bytes = b"") -> bytes:
    """What a command writes to a terminal."""
    outer, inner = pty.openpty()
    environment = {**os.environ, "KB_DB": str(place / "raw.db"), "TERM": "xterm"}
    run = [sys.executable, "-m", "kb", *words.split()]
    process = subprocess.Popen(run, cwd=ROOT, env=environment, stdout=inner, stderr=inner, stdin=subprocess.DEVNULL)
    os.close(inner)
    shown = b""
    with contextlib.suppress(OSError):  # EIO: the other end is closed
        while piece := os.read(outer, 65536):
            shown += piece
    os.close(outer)
    process.wait(60)
    return shown


EVIL = b"Kernel panic - not syncing: \x1b]52;c;ZXZpbA==\x07 \x9b31m \xc2\x9b31m \xf3\xa0\x81\x81 \xe2\x80\xaex\n"


def test_evidence_on_a_terminal_is_shown_and_in_a_pipe_it_is_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(EVIL)
    environment = {**os.environ, "KB_DB": str(tmp_path / "raw.db")}
    kb = [sys.executable, "-m", "kb"]
    subprocess.run([*kb, "match", "--record", "LOG".replace("LOG", str(tmp_path / "log"))], cwd=ROOT, env=environment)
    shown = on_terminal("show --raw kb1", tmp_path)
    assert shown.decode() == (
        r"Kernel panic - not syncing: \x1b]52;c;ZXZpbA==\x07 \x9b31m \x9b31m \U000e0041 \u202ex" + "\r\n"
    )
    assert on_terminal("show --raw --unsafe kb1", tmp_path) == EVIL.replace(b"\n", b"\r\n")
    piped = subprocess.run([*kb, "show", "--raw", "kb1"], cwd=ROOT, env=environment, capture_output=True, check=True)
    assert piped.stdout == EVIL


@pytest.mark.parametrize(
    "words", ["match --color=always LOG", "match -v LOG", "match -b LOG", "match --json LOG", "match --markdown LOG",
              "show kb1", "show --json kb1", "log", "log --json", "similar LOG", "case facts LOG", "ask why LOG",
              "ask --json why LOG", "match LOG LOG-absent", "export"]
)  # fmt: skip
def test_no_command_lets_log_text_drive_the_terminal(words: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(EVIL)
    environment = {**os.environ, "KB_DB": str(tmp_path / "raw.db")}
    record = [sys.executable, "-m", "kb", "match", "--record", "--host", "a\x1b[2J\u202e", str(tmp_path / "log")]
    subprocess.run(record, cwd=ROOT, env=environment, capture_output=True)
    shown = on_terminal(words.replace("LOG", str(tmp_path / "log")), tmp_path)
    own = re.sub(rb"\x1b\[[0-9;]*m", b"", shown) if "always" in words or words.startswith(("match", "ask")) else shown
    text = own.decode()
    assert safe_lines(text.replace("\r\n", "\n").replace("\u200b", "")) == text.replace("\r\n", "\n").replace(
        "\u200b", ""
    )
    assert b"Traceback" not in shown


CASE_TEXT = """```toml
id = "evil"
title = "t\\u001b[2J\\u009b31m\\U000E0041"
kind = "panic"
status = "STATUS"
summary = "s\\u001b]52;c;ZXZpbA==\\u0007"
subsystem = "\\u202e"
[match]
require = ["title has 'x\\u001b[2J'"]
```
# \x1b[2J
"""


@pytest.mark.parametrize("status", ["draft", "\\u001b[2J"])
@pytest.mark.parametrize(
    "words", ["case list", "case show evil", "case lint CASES", "case test CASES", "case index", "verify evil",
              "match LOG", "case search evil", "ask 'show case evil'"]
)  # fmt: skip
def test_no_command_lets_a_case_drive_the_terminal(words: str, status: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(EVIL)
    place = tmp_path / "cases"
    (place / "evil\x1b[2J").mkdir(parents=True)
    (place / "evil\x1b[2J/case.md").write_text(CASE_TEXT.replace("STATUS", status))
    (place / "evil\x1b[2J/match-\x1b[2J.log").write_bytes(EVIL)
    full = words.replace("LOG", str(tmp_path / "log")).replace("CASES", str(place)) + f" --cases {place}"
    shown = re.sub(rb"\x1b\[[0-9;]*m", b"", on_terminal(full, tmp_path)).decode().replace("\r\n", "\n")
    assert safe_lines(shown) == shown
    assert "Traceback" not in shown


def test_a_row_without_end_is_refused(tmp_path: Path) -> None:
    with open("/dev/zero", "rb") as zeros:
        done = subprocess.run(
            [sys.executable, "-m", "kb", "import", "-", "--db", str(tmp_path / "kb.db")], cwd=ROOT, stdin=zeros,
            capture_output=True, check=False, timeout=120,
        )  # fmt: skip
    assert done.returncode == 4
    assert b"a line of more than" in done.stderr


@pytest.mark.parametrize("words", ["match --json", "match", "match --brief"])
def test_a_report_is_told_while_a_live_input_goes_on_without_a_pause(words: str) -> None:
    run = [sys.executable, "-m", "kb", *words.split()]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "bufsize": 0}
    with subprocess.Popen(run, cwd=ROOT, **pipes) as process:  # type: ignore[call-overload]
        process.stdin.write(OOPS)
        told = False
        for number in range(600):  # a line more often than what counts as a pause
            process.stdin.write(b"[%12.6f] eth0: NIC Link is Up 1000 Mbps Full Duplex\n" % (90_000 + number))
            told = bool(select.select([process.stdout], [], [], 0.1)[0])
            if told:
                break
        process.stdin.close()
        assert told


@pytest.mark.parametrize("kind", ["xz", "tar"])
def test_the_share_of_a_packed_input_is_that_of_the_file_that_holds_it(tmp_path: Path, kind: str) -> None:
    drawn = random.Random(1)
    noise = b"".join(b"[%5d.000000] usb 1-1: %s\n" % (i, drawn.randbytes(24).hex().encode()) for i in range(30000))
    logs = [noise + b"[40000.0] BUG: unable to handle page fault for address: ffff8880dead%04d\n" % i for i in range(3)]
    path = tmp_path / f"log.{kind}"
    if kind == "xz":
        path.write_bytes(lzma.compress(b"".join(logs), preset=0))
    else:
        with tarfile.open(path, "w") as archive:
            for i, log in enumerate(logs):
                member = tarfile.TarInfo(f"var/log/kern{i}.log")
                member.size = len(log)
                archive.addfile(member, io.BytesIO(log))
    tally = api.Tally()
    shares = []
    for each in open_inputs([str(path)]):
        tally.begins(each.tape)
        while not each.tape.ended:
            each.tape.fill(each.tape.end)
            shares.append(tally.share)
    known = [share for share in shares if share is not None]
    assert known == sorted(known)
    assert all(0 < share < 1 for share in known)
    assert known
