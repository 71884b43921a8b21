"""`kb case verify-sources`: what cases cite is held against a pack of known fixes and against a git tree."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from kb.cli import OK, UNUSABLE, main
from kb.imports.verify import told

SUBJECT = "mm: fix what was broken"
MAINLINE, STABLE = "a" * 40, "b" * 40
CASE = f"""```toml
id = "one"
title = "Something fails"
kind = "warning"
status = "draft"
summary = "Because."
[match]
require = ["order >= 1"]
[[fix]]
commit = "{MAINLINE[:12]}"
subject = "{SUBJECT}"
since = "6.2"
[[fix]]
commit = "{STABLE}"
subject = "{SUBJECT}"
since = "6.1.5"
branch = "6.1.y"
```
# Something fails
Cured by {MAINLINE[:12]} ("{SUBJECT}").
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "one").mkdir()
    (tmp_path / "one/case.md").write_text(CASE)
    row = {
        "id": "CVE-2023-1",
        "commit": MAINLINE,
        "subject": told(SUBJECT),
        "fixed": {"6.2": MAINLINE, "6.1.5": STABLE},
    }
    lines = [json.dumps({"schema": "kb.known/1", "commit": None}), json.dumps(row)]
    (tmp_path / "pack").write_text("\n".join(lines) + "\n")
    return tmp_path


def check(place: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, list[tuple[str, int]], str]:
    options = more or ("--pack", str(place / "pack"))
    code = main(["case", "verify-sources", str(place / "one"), "--json", *options])
    out, err = capsys.readouterr()
    return code, [(row["rule"], row["line"]) for row in map(json.loads, out.splitlines())], err


def test_what_the_facts_bear_out_is_confirmed(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found, err = check(place, capsys)
    assert (code, found) == (OK, [])
    assert "2 fixes cited, 2 confirmed, 0 not; 0 contradictions" in err


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('since = "6.2"', 'since = "6.3"', [("KB402", 12)]),
        ('since = "6.1.5"', 'since = "6.1.6"', [("KB402", 16)]),
        (f'commit = "{STABLE}"', f'commit = "{STABLE[:12]}{"c" * 28}"', [("KB401", 14)]),
        (f'subject = "{SUBJECT}"', 'subject = "mm: fix something else"', [("KB403", 11)]),
        (f'("{SUBJECT}")', '("mm: fix something else")', [("KB403", 20)]),
        # the mainline id under a stable branch: the release of that branch is what is checked
        (f'commit = "{STABLE}"', f'commit = "{MAINLINE}"', []),
    ],
)
def test_what_they_contradict_is_told_at_its_line(
    place: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, expected: list[tuple[str, int]]
) -> None:
    file = place / "one/case.md"
    file.write_text(file.read_text().replace(old, new, 1))
    code, found, _ = check(place, capsys)
    assert found == expected
    assert code == (UNUSABLE if expected else OK)


def test_a_commit_that_nobody_knows_is_no_contradiction(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = place / "one/case.md"
    file.write_text(file.read_text().replace(MAINLINE[:12], "c" * 12))
    code, found, err = check(place, capsys)
    assert (code, found) == (OK, [])
    assert "2 fixes cited, 1 confirmed, 1 not" in err


def test_a_git_tree_with_tags_serves_as_well(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = place / "linux"

    def git(*arguments: str) -> str:
        options = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
        return subprocess.run(
            ["git", *options, *arguments], cwd=tree, check=True, capture_output=True, text=True
        ).stdout.strip()

    tree.mkdir()
    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", SUBJECT)
    git("tag", "v6.2-rc1")
    commit = git("rev-parse", "HEAD")
    file = place / "one/case.md"
    file.write_text(CASE.replace(MAINLINE[:12], commit[:12]))
    assert check(place, capsys, "--git", str(tree))[:2] == (OK, [])
    file.write_text(file.read_text().replace('since = "6.2"', 'since = "6.3"'))
    assert check(place, capsys, "--git", str(tree))[:2] == (UNUSABLE, [("KB402", 12)])


def test_a_pack_that_is_none_is_an_error(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "pack").write_text("nothing of that sort\n")
    assert check(place, capsys)[0] == UNUSABLE
