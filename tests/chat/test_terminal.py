"""The terminal's own part: wrapping, colours, completion, history; and the commands kb ask and kb chat."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from kb.api import KnowledgeBase
from kb.chat import Conversation
from kb.chat.paint import paint, wrapped
from kb.chat.terminal import _history, _Questions
from kb.cli import main
from kb.render.safe import width

ROOT = Path(__file__).resolve().parents[2]
OOPS = ROOT / "tests/chat/data/oops-pair.log"


def test_long_lines_are_wrapped_at_words_and_indented() -> None:
    rows = wrapped("  holds: " + "word " * 30 + "[L1]", 60)
    assert len(rows) == 3
    assert all(width(row) <= 60 for row in rows)
    assert [row[:7] for row in rows] == ["  holds", "      w", "      w"]
    assert " ".join(" ".join(rows).split()) == "holds: " + "word " * 30 + "[L1]"


def test_lines_of_a_log_and_commands_stay_whole() -> None:
    for line in ("    15  " + "x " * 100, "2. cd /sys && " + "cat x && " * 30):
        assert wrapped(line, 60) == [line]


def test_citations_are_dim_and_log_text_in_brackets_is_not() -> None:
    assert paint("a [L1, L2] [case some-case]", True) == "a \x1b[2m[L1, L2]\x1b[0m \x1b[2m[case some-case]\x1b[0m"
    assert paint("f [libceph]", True) == "f [libceph]"
    assert paint("a [L1]", False) == "a [L1]"


def test_completion_offers_questions_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dmesg-of-db17.txt").touch()
    monkeypatch.chdir(tmp_path)
    completer = _Questions(Conversation(KnowledgeBase(tmp_path / "kb.db")))

    def offered(text: str) -> list[str]:
        return [one.text for one in completer.get_completions(Document(text), CompleteEvent())]

    assert offered("what f") == ["what fixed it"]
    assert offered("load dmesg-") == ["of-db17.txt"]
    assert offered("") == []


def test_history_is_the_users_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    _history().store_string("why")
    path = tmp_path / "kb/chat-history"
    assert path.stat().st_mode & 0o077 == 0
    assert "+why" in path.read_text()


def test_history_keeps_what_is_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    _history().store_string("why \udcff\ud800")
    assert r"+why \xff\ud800" in (tmp_path / "kb/chat-history").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "fragment"),
    [
        (["why did it fail", "EXAMPLE"], 0, "[L1, L35, L36, L40]"),
        (["为什么失败", "EXAMPLE"], 0, "23 个 order 5"),
        (["why", "EXAMPLE", "--lang", "zh"], 0, "成立"),
        (["why is the sky blue", "EXAMPLE"], 1, "I don't know about sky, blue"),
        (["what fixed it", str(OOPS)], 1, "I don't know a fix"),
        (["decode 0xcc0 on 6.1"], 0, "GFP_KERNEL"),
        (["why did it fail", os.devnull], 3, "no report"),
    ],
)
def test_ask(
    arguments: list[str], code: int, fragment: str, example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(example) if word == "EXAMPLE" else word for word in arguments]
    assert main(["ask", "--db", str(tmp_path / "kb.db"), *words]) == code
    assert fragment in capsys.readouterr().out


def test_ask_in_json(example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "--json", "--db", str(tmp_path / "kb.db"), "is my kernel affected", str(example)]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["schema"], answer["kind"]) == ("kb.reply/1", "affected")
    assert "97a16fc82a7c" in answer["citations"]


@pytest.mark.parametrize("arguments", [["ask", ""], ["ask", "why", "no/such/file.log"]])
def test_bad_usage_and_bad_files_have_their_exit_codes(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == (2 if not arguments[1] else 4)
    assert capsys.readouterr().err.startswith("kb: ")


def piped(arguments: list[str], stdin: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "KB_DB": str(tmp_path / "kb.db"), "PYTHONUTF8": "1"}
    run = [sys.executable, "-c", "import sys; from kb.cli import main; sys.exit(main())", *arguments]
    return subprocess.run(run, input=stdin, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_ask_reads_a_log_from_a_pipe(example: Path, tmp_path: Path) -> None:
    done = piped(["ask", "who was it"], example.read_text(), tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "kworker/31:0, pid 635928, CPU 31, tainted G [L1, L2]\n"


def test_an_empty_pipe_holds_no_report(tmp_path: Path) -> None:
    assert piped(["ask", "why"], "", tmp_path).returncode == 3


def test_a_piped_script_is_a_conversation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    script = f"load {OOPS}\nthe second one\nwhich task\nquit\nwhy\n"
    done = piped(["chat"], script, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("Leave with `quit`")
    assert done.stdout.rstrip().endswith("Bye.")
    assert "kblab_b, pid 101" in done.stdout


def test_the_greeting_speaks_the_users_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert piped(["chat"], "quit\n", tmp_path).stdout.startswith("输入 `quit`")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert piped(["chat"], "quit\n", tmp_path).stdout.startswith("Leave with `quit`")


def test_a_script_needs_no_terminal_library(tmp_path: Path) -> None:
    code = (
        "import sys; from kb.cli import main; main(['chat']); main(['ask', 'help'])\n"
        "assert not {'prompt_toolkit', 'asyncio', 'sqlite_utils', 'llm'} & set(sys.modules)"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT), "KB_DB": str(tmp_path / "kb.db")}
    done = subprocess.run(
        [sys.executable, "-c", code], input="quit\n", cwd=ROOT, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
