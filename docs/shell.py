"""Makes what shells and man want of the command line: completions and the man page, in kb/shell/ (``make docs``).

By shtab and argparse-manpage, at development time: what is made is part of the package, so that kb needs neither.
"""

from __future__ import annotations

import argparse
import re
import tomllib
from pathlib import Path

import shtab
from argparse_manpage.manpage import Manpage

from kb.cli import build_parser, verbs

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "kb/shell"

_FILES = frozenset("FILE LOG SRC OLD NEW PATH A B vulns|git|patches|changelog|FILE FILE|SIGNATURE".split())
_WORDS = {"CASE": "cases", "CASE|FILE": "cases"}
"""What ``kb completion`` is asked for, by metavar."""
_WORDS_OF = {
    ("case show", "ID"): "cases",
    ("case promote", "ID"): "cases",
    ("scan", "KIND,..."): "kinds",
    ("explain", "WORD"): "words",
    ("schema", "NAME"): "schemas",
    ("help", "COMMAND"): "commands",
}
"""The same, by command and metavar, where the metavar alone says too little."""


def _asked(what: str) -> dict[str, str]:
    """The words that ``kb completion WHAT`` prints."""
    return {"bash": f"_kb_{what}", "zsh": f"_kb_{what}", "fish": f"(kb completion {what} 2>/dev/null)"}


_ALL = sorted({*_WORDS.values(), *_WORDS_OF.values()})
_PREAMBLE = {
    "bash": "\n".join(f'_kb_{what}() {{ compgen -W "$(kb completion {what} 2>/dev/null)" -- "$1"; }}' for what in _ALL),
    "zsh": "\n".join(f'_kb_{what}() {{ compadd -- ${{(f)"$(kb completion {what} 2>/dev/null)"}} }}' for what in _ALL),
    "fish": "",
}


def _complete(parser: argparse.ArgumentParser, path: tuple[str, ...] = ()) -> None:
    """Tell shtab what each argument takes, by its metavar."""
    for action in parser._actions:
        name = str(action.metavar)
        if what := _WORDS.get(name) or _WORDS_OF.get((" ".join(path), name)):
            action.complete = _asked(what)  # type: ignore[attr-defined]
        elif name in _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif name == "DIR":
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    for name, inner in verbs(parser).items():
        _complete(inner, (*path, name))


def _plain(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """A parser whose help is laid out the same whatever Python and terminal."""
    parser.formatter_class = lambda prog: argparse.HelpFormatter(prog, width=100)  # type: ignore[assignment]
    for inner in verbs(parser).values():
        _plain(inner)
    return parser


def made() -> dict[str, str]:
    """The files of kb/shell by name."""
    parser = build_parser()
    _complete(parser)
    found = {f"kb.{shell}": shtab.complete(parser, shell, preamble=_PREAMBLE) for shell in ("bash", "zsh", "fish")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    data = {"description": project["description"], "project_name": "kb", "version": project["version"],
            "manual_title": "User Commands", "date": " "}  # fmt: skip
    found["kb.1"] = str(Manpage(_plain(build_parser()), data))
    return {name: re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE).rstrip("\n") + "\n" for name, text in found.items()}


def write(*, check: bool) -> list[str]:
    """Write the files, or with ``check`` name those that are stale."""
    stale = [name for name, text in made().items() if _read(FOLDER / name) != text]
    if not check:
        FOLDER.mkdir(exist_ok=True)
        for name, text in made().items():
            (FOLDER / name).write_text(text, encoding="utf-8")
    return [f"kb/shell/{name}" for name in stale]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
