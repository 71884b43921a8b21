"""Grammars read like a description of what the kernel prints: short lines, shared parts in one place."""

import re
from pathlib import Path

import pytest

from kb.syntax import engine

GRAMMARS = sorted(engine.folder().glob("*.lark"))


@pytest.mark.parametrize("path", GRAMMARS, ids=lambda path: path.stem)
def test_no_line_of_a_grammar_is_too_long_to_be_read(path: Path) -> None:
    long = [number for number, line in enumerate(path.read_text("utf-8").splitlines(), 1) if len(line) > 200]
    assert long == []


@pytest.mark.parametrize("path", [path for path in GRAMMARS if path.stem != "common"], ids=lambda path: path.stem)
def test_the_class_of_a_symbol_stands_in_the_common_file(path: Path) -> None:
    assert "[A-Za-z_.$][" not in path.read_text("utf-8")


@pytest.mark.parametrize("path", GRAMMARS, ids=lambda path: path.stem)
def test_no_blank_at_the_end_of_a_line_is_part_of_a_pattern(path: Path) -> None:
    """An editor may take it away."""
    assert re.findall(r"(?m)[ \t]$", path.read_text("utf-8")) == []


def test_a_part_of_a_terminal_is_no_role() -> None:
    names = {terminal.name for terminal in engine.build("report").terminals}
    assert names & {"FN", "OFFSET", "DIE_NOTE", "CALL_TRACE"} == set()
