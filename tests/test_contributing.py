"""The steps of CONTRIBUTING.md lead where they say, in a copy of the project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from kb.syntax.kinds import rows

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = shutil.ignore_patterns(".*", "dist", "build", "fuzz.*")
"""What a copy has not; what is compiled it has, else each would be compiled anew."""
LOG = (
    "kmem_cache_create(bar_cache) failed with error -12\nCPU: 0 PID: 7 Comm: insmod Not tainted 3.10.0 #1\n"
    "Call Trace:\n [<ffffffff81000001>] dump_stack+0x19/0x1b\n [<ffffffff81000002>] kmem_cache_create+0x1c3/0x230\n"
    " [<ffffffffa0000003>] bar_probe+0x20/0x1000 [bar]\n"
)


def section(name: str) -> str:
    return (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def block(text: str, language: str) -> str:
    found = re.search(rf"(?ms)^ *```{language}\n(.*?)^ *```$", text)
    assert found is not None, language
    return textwrap.dedent(found[1])


@pytest.mark.slow
def test_a_new_kind_is_made_by_the_steps_that_are_told(tmp_path: Path) -> None:
    text = section("A new report kind")
    assert "CACHE_CREATE" not in rows(), "the example is no new kind any more"
    copy = tmp_path / "kb"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)

    grammar = copy / "grammars/headline.lark"
    told = re.search(r"add `\| (\w+)` to the\s+end of `(\w+):`", text)
    assert told is not None
    family = re.compile(rf"(?m)^({told[2]}:.*(?:\n +\|.*)*)$")
    written, times = family.subn(rf"\1 | {told[1]}", grammar.read_text("utf-8"))
    assert times == 1
    grammar.write_text(f"{written}\n{block(text, 'lark')}", "utf-8")
    for language, place in (("toml", "kb/syntax/kinds.toml"), ("text", "tests/kinds/cache_creation.txt")):
        assert f"`{place}`" in text
        with (copy / place).open("a", encoding="utf-8") as file:
            file.write("\n" * (language == "toml") + block(text, language))

    # Of what `make docs` writes that which names kinds and headlines; that it writes all is held by docs-check.
    steps = {
        "make docs": ["docs/generate.py", "kb/log/openers.txt", "docs/kinds.md", "docs/reference/grammar.md"],
        "pytest tests/kinds": ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/kinds"],
        "make mutate": ["-m", "tests.mutate", "kinds"],
    }
    assert block(text, "sh").split("\n")[:-1] == list(steps)
    for step in [*steps.values(), ["-m", "kb", "match", "--brief", "-"]]:
        done = subprocess.run(
            [sys.executable, *step],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(copy)},
            input=LOG,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == (1 if "match" in step else 0), done.stdout + done.stderr
    assert "kmem_cache_create failed in bar_probe" in done.stdout


FENCE = re.compile(r"(?ms)^(`{3,4})(\w+)\n(.*?)^\1$")
PLACE = re.compile(r"(A new file|In|it is) `([^`]+)`(?:, under `([^`]+)`)?")
JOINED = re.compile(r"`\| (\w+)` added to the end of `(\w+):`")


def put(copy: Path, said: str, text: str) -> None:
    """Do with a block what the words before it say."""
    *_, (how, name, anchor) = PLACE.findall(said)
    place = copy / name
    if how != "In":
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8")
        return
    old = place.read_text("utf-8")
    if anchor:
        begin, found, rest = old.partition(anchor)
        assert found, f"{anchor} is not in {name}"
        line, end, after = rest.partition("\n")
        place.write_text(begin + found + line + end + text + after, "utf-8")
    else:
        place.write_text(old + text, "utf-8")
    for terminal, family in JOINED.findall(said):
        rule = re.compile(rf"(?m)^({family}:.*(?:\n +\|.*)*)$")
        written, times = rule.subn(rf"\1 | {terminal}", place.read_text("utf-8"))
        assert times == 1
        place.write_text(written, "utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["notice", "prefix", "container", "picture", "case"])
def test_a_first_contribution_is_made_by_the_steps_that_are_told(name: str, tmp_path: Path) -> None:
    copy, programs = tmp_path / "kb", tmp_path / "bin"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    programs.mkdir()
    for program, module in {"kb": "kb", "pytest": "pytest -q -p no:cacheprovider"}.items():
        (programs / program).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n')
        (programs / program).chmod(0o755)
    env = {
        **os.environ,
        "PYTHONPATH": str(copy),
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "LC_ALL": "C.UTF-8",
    }
    text, done, steps = section(f"A new {name}"), 0, 0
    for block in FENCE.finditer(text):
        said, done = text[done : block.start()], block.end()
        if block[2] != "sh":
            put(copy, said, block[3])
            continue
        for step in block[3].splitlines():
            ran = subprocess.run(["sh", "-c", step], cwd=copy, env=env, capture_output=True, text=True, check=False)
            assert ran.returncode in ((0, 1) if "kb match" in step else (0,)), f"{step}\n{ran.stdout}{ran.stderr}"
            steps += 1
    assert steps


def test_nothing_of_a_drafted_kind_is_left_open() -> None:
    """What `make new-kind` marks is said before it is handed in."""
    places = [ROOT / "grammars/headline.lark", ROOT / "kb/syntax/kinds.toml", *(ROOT / "tests/kinds").glob("*.txt")]
    lines = [
        f"{place.relative_to(ROOT)}:{number}: {line.strip()}"
        for place in places
        for number, line in enumerate(place.read_text("utf-8").splitlines(), 1)
        if "TODO" in line
    ]
    assert lines == []


@pytest.mark.slow
def test_a_draft_of_a_kind_is_a_kind(tmp_path: Path) -> None:
    copy = tmp_path / "kb"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    env = {**os.environ, "PYTHONPATH": str(copy)}
    steps = [
        ["contrib/new_kind.py", "cache_creation", "kmem_cache_create(foo_cache) failed with error -12 at 0x1f/2"],
        ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/kinds"],
    ]
    code = "import sys; sys.path.insert(0, 'docs'); import openers; openers.PLACE.write_text(openers.text(), 'utf-8')"
    steps.insert(1, ["-c", code])
    for step in steps:
        done = subprocess.run([sys.executable, *step], cwd=copy, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    again = subprocess.run([sys.executable, *steps[0]], cwd=copy, env=env, capture_output=True, text=True, check=False)
    assert again.returncode == 1
    assert "already" in again.stderr
