"""Drafts a new kind of report: ``make new-kind NAME=cache_creation LINE='the line as the kernel prints it'``.

Writes the terminal, the row and the samples that CONTRIBUTING.md tells of, with what only a person knows left open.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_VALUE = re.compile(r"0x[0-9a-f]+|\d+")


def pattern(line: str) -> str:
    """The line as a terminal's pattern: numbers are any number, with a bound; the rest is as it stands."""
    parts, last = [], 0
    for found in _VALUE.finditer(line):
        parts += [re.escape(line[last : found.start()]), r"0x[0-9a-f]{1,16}" if found[0][:2] == "0x" else r"\d{1,10}"]
        last = found.end()
    return "".join([*parts, re.escape(line[last:])]).replace("/", r"\/").replace(r"\ ", " ").replace(r"\-", "-")


def draft(name: str, line: str) -> dict[str, str]:
    """What is added, by file; the samples are a file of their own."""
    terminal = name.upper()
    grammar = (
        '\n// TODO file function() vX.Y+ "the format string"; below, what is a name there becomes (?P<name>\\S{1,40})\n'
        f"{terminal}.50: /{pattern(line)}/\n"
    )
    row = (
        f'\n[{name}]\nmeans = "TODO what it is, one sentence for the reader"\nseverity = "act"\n'
        f'sample = "tests/kinds/{name}.txt"\n[{name}.{terminal}]\ntitle = "{name} in {{fn}}"\nguilty = ["trace"]\n'
    )
    samples = (
        f"# Samples of {name}: TODO what it is. Our own text in the wording of the kernel.\n\n"
        f"= {terminal} {line}\n! {terminal} foo: {line}\n\n== {terminal}: the caller is blamed\n"
        f"{name} {name} in foo_init\n  foo_init [foo]: first frame of the stack that is not plumbing\n  lines 1-6\n\n"
        f"{line}\nCPU: 1 PID: 4242 Comm: modprobe Not tainted 6.12.0 #1\nCall Trace:\n <TASK>\n"
        " dump_stack_lvl+0x44/0x5c\n foo_init+0x20/0x40 [foo]\n"
    )
    return {
        "grammars/headline.lark": grammar,
        "kb/syntax/kinds.toml": row,
        f"tests/kinds/{name}.txt": samples,
    }


def main(words: list[str]) -> int:
    """Write the draft, and say what is next."""
    name, line = [*words, "", ""][:2]
    if not re.fullmatch(r"[a-z][a-z0-9_]{2,40}", name):
        sys.exit("new-kind: NAME is small letters, digits and _: make new-kind NAME=cache_creation LINE='...'")
    line = line or f"{name.replace('_', ' ')}: TODO the line as the kernel prints it"
    kinds, grammar = ROOT / "kb/syntax/kinds.toml", ROOT / "grammars/headline.lark"
    told = grammar.read_text(encoding="utf-8")
    if f"\n[{name}]" in kinds.read_text(encoding="utf-8") or re.search(rf"(?m)^{name.upper()}[.:]", told):
        sys.exit(f"new-kind: there is a kind or a headline {name} already")
    joined, times = re.subn(r"(?m)^(other:.*(?:\n +\|.*)*)$", rf"\1 | {name.upper()}", told)
    assert times == 1
    grammar.write_text(joined, encoding="utf-8")
    for place, text in draft(name, line).items():
        with (ROOT / place).open("a", encoding="utf-8") as file:
            file.write(text)
        print(place)
    print("next: say what is marked TODO; make docs; pytest tests/kinds --update, and read the difference; make mutate")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
