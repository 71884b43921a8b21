"""Completions and the man page: current, free of errors, and they complete."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kb.cli import build_parser, main, verbs

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "kb/shell"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_takes_its_completions(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert capsys.readouterr().out == (FOLDER / f"kb.{shell}").read_text(encoding="utf-8")
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    check = "--no-execute" if shell == "fish" else "-n"
    done = subprocess.run([shell, check, str(FOLDER / f"kb.{shell}")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def completed(tmp_path: Path, *words: str) -> list[str]:
    """What bash proposes for the last of some words."""
    kb = tmp_path / "kb"
    kb.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m kb "$@"\n')
    kb.chmod(0o755)
    script = f"""
        source {FOLDER / "kb.bash"}
        COMP_WORDS=({" ".join(f"'{word}'" for word in words)}); COMP_CWORD={len(words) - 1}
        $(complete -p kb | sed 's/.*-F \\([^ ]*\\) .*/\\1/') kb '{words[-1]}' '{words[-2]}'
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=env, cwd=tmp_path, check=False)
    return done.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_bash_completes_commands_options_cases_kinds_and_files(tmp_path: Path) -> None:
    (tmp_path / "some.log").write_text("")
    assert {"match", "mcp"} <= set(completed(tmp_path, "kb", "m"))
    assert "--json" in completed(tmp_path, "kb", "match", "--js")
    assert "nofs-high-order-watermark" in completed(tmp_path, "kb", "case", "show", "nofs")
    assert "oom_kill" in completed(tmp_path, "kb", "scan", "--kind", "oom")
    assert "some.log" in completed(tmp_path, "kb", "match", "so")
    assert "--json" in completed(tmp_path, "kb", "match", "some.log", "--kernel", "6.1", "--js")
    assert "page_allocation_failure" in completed(tmp_path, "kb", "explain", "page_al")
    assert "kb.report/1" in completed(tmp_path, "kb", "schema", "kb.re")
    assert "match" in completed(tmp_path, "kb", "help", "ma")


def test_the_man_page_has_every_command() -> None:
    page = (FOLDER / "kb.1").read_text(encoding="utf-8").replace("\\-", "-").replace("\\fB", "").replace("\\fR", "")
    assert [name for name in verbs(build_parser()) if f"kb {name}" not in page] == []


def test_what_completions_ask_for_is_a_word_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    asked = {"cases": "nofs-high-order-watermark", "kinds": "oom_kill", "words": "GFP_NOFS", "schemas": "kb.report/1"}
    for what, one in (*asked.items(), ("commands", "match")):
        assert main(["completion", what]) == 0
        words = capsys.readouterr().out.split("\n")
        assert one in words
        assert not any(" " in word for word in words)
