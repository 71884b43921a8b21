"""Writes every generated part of the documents, or with --check fails when one is stale: ``make docs``.

``generate.py FILE...`` writes (or checks) these only, by their names in the repository.

Generated parts stand between cog markers in Markdown comments and call the functions of this file. kb/log/openers.txt
is generated as a whole, from the grammar of headlines.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = "cases/nofs-high-order-watermark"
# argparse lays its help out a little differently in each release of Python; the documents show this one's.
HELP_PYTHON = (3, 11)


def _environment() -> dict[str, str]:
    """Nobody's settings; the cache is the one of who runs it: what is dear to make is made once, not once a page."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("KB_", "XDG_"))}
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    told = {"COLUMNS": "100", "LC_ALL": "C.UTF-8", "NO_COLOR": "1", "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    return own | told | {"XDG_CACHE_HOME": cache}


@cache
def kb(*args: str) -> str:
    """What ``kb args`` prints on stdout, as on a terminal of 100 columns without colour."""
    code = "import sys; from kb.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, *args],
        cwd=ROOT,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode not in (0, 1, 3):
        raise SystemExit(f"kb {shlex.join(args)} failed:\n{done.stderr.decode()}")
    return done.stdout.decode().rstrip() + "\n"


PICTURES = {
    "answer.svg": ("match", "--format", "svg", f"{EXAMPLES}/match-seed.log"),
    "answer-zh.svg": ("match", "--format", "svg", "--lang", "zh", f"{EXAMPLES}/match-seed.log"),
}
"""The pictures of the documents, and the command that makes each."""


class Sandbox:
    """A folder where the commands of a page are run one after the other, as its reader would run them."""

    def __init__(self) -> None:
        self._kept = tempfile.TemporaryDirectory(prefix="kb-docs-")
        home = Path(self._kept.name)
        self.folder, programs = home / "work", home / "bin"
        self.folder.mkdir()
        programs.mkdir()
        kb("samples", str(self.folder))
        log = shlex.quote(str(self.folder / "dmesg.txt"))
        code = "import sys; from kb.cli import main; sys.exit(main())"
        for name, does in {
            "kb": f'exec {shlex.quote(sys.executable)} -c "{code}" "$@"',
            "python": f'exec {shlex.quote(sys.executable)} "$@"',
            "dmesg": f"cat {log}",
            "journalctl": f"cat {log}",
        }.items():
            (programs / name).write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
            (programs / name).chmod(0o755)
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        self.environment = _environment() | {"HOME": str(home), "PATH": path, "TZ": "UTC", "USER": "ada"}

    def run(self, command: str) -> str:
        """What a line of a shell prints on a terminal, notes included; 0, 1 and 3 are answers, others fail."""
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        answer = done.stdout.decode()
        if done.returncode not in (0, 1, 3):
            raise SystemExit(f"{command!r} of a document failed with {done.returncode}:\n{answer}")
        answer = (
            answer.replace(str(self.folder), "/home/ada")
            .replace(str(self.folder.parent), "/home/ada")
            .replace(str(ROOT), "/usr/lib/kb")
        )
        moment = r"20\d\d-\d\d-\d\d([T ])\d\d:\d\d(?::\d\d)?(?:\.\d+)?(Z|\+00:00)?"
        return re.sub(moment, r"2026-11-29\g<1>03:04:05\g<2>", answer)


@cache
def _sandbox(page: str) -> Sandbox:
    return Sandbox()


def session(commands: str, lines: int | None = None) -> str:
    """Commands, a line each, and what they print; those of one page share a folder: one finds what another made.

    Args:
        commands: What is typed.
        lines: Lines of each answer to show; the rest is cut to ``...``. All by default.
    """
    import cog  # type: ignore[import-not-found]

    place = _sandbox(cog.inFile)
    shown = []
    for command in commands.strip().splitlines():
        answer = place.run(command).rstrip("\n").split("\n")
        cut = answer[:lines] if lines is None or len(answer) > lines else answer
        shown += [
            f"$ {command}",
            *(line.rstrip() for line in cut if answer != [""]),
            *["..."] * (len(cut) < len(answer)),
        ]
    return "```console\n" + "\n".join(shown) + "\n```\n"


def block(case: str) -> str:
    """The TOML block of a case of the library."""
    text = (ROOT / f"cases/{case}/case.md").read_text(encoding="utf-8")
    return text[: text.index("\n```\n") + 5]


def vocabulary() -> str:
    """The facts that predicates may name, as tables."""
    sys.path.insert(0, str(ROOT))
    from kb.facts.vocabulary import NAMES, PREFIXES, REASONS

    rows = [f"| `{name}` | {meaning} |" for name, meaning in NAMES.items()]
    rows += [f"| `{name}` | {meaning} |" for name, meaning in REASONS.items()]
    more = [f"| `{name}...` | {meaning} |" for name, meaning in PREFIXES.items()]
    return "\n".join(["| fact | means |", "|---|---|", *rows, *more]) + "\n"


def reasons() -> str:
    """The claims that a chain of reasons may make, as a table; notices have a table of their own."""
    sys.path.insert(0, str(ROOT))
    from kb.words.speak import reasons as known

    rows = [f"| `{name}` | {claim} |" for name, claim in known().items() if not name.startswith("notice.")]
    return "\n".join(["| reason | claims |", "|---|---|", *rows]) + "\n"


def causes() -> str:
    """The causes of allocation failures."""
    return (ROOT / "kb/words/causes.md").read_text(encoding="utf-8")


def terms() -> str:
    """The words of the field that kb uses, as a table."""
    sys.path.insert(0, str(ROOT))
    from kb.glossary import terms as known

    rows = [f"| {name} | {row['means']} | {row.get('printed', '')} |" for name, row in known().items()]
    return "\n".join(["| term | means | where it is seen |", "|---|---|---|", *rows]) + "\n"


def personal() -> str:
    """What ``kb clean`` replaces, by kind, with the first sample of each."""
    sys.path.insert(0, str(ROOT))
    from kb.cleaner.clean import Cleaner
    from kb.cleaner.rules import KINDS, rules

    rows = ["| kind | what | who prints it | so that |", "|---|---|---|---|"]
    for kind, what in KINDS.items():
        own = [rule for rule in rules() if kind in dict(rule.groups).values()]
        first = next((rule for rule in own if {kind} == {each for _, each in rule.groups}), own[0]).sample.encode()
        cleaner = Cleaner([first])
        list(cleaner.clean(first))
        made = next(each for each in cleaner.replaced if each.kind == kind)
        shown = f"`{made.original.decode()}` becomes `{made.replacement.decode()}`"
        rows.append(f"| `{kind}` | {what} | {'; '.join(rule.prints for rule in own)} | {shown} |")
    return "\n".join(rows) + "\n"


def questions() -> str:
    """The questions that the conversation offers, English and Chinese side by side."""
    sys.path.insert(0, str(ROOT))
    from kb.chat.phrases import phrases

    both = zip(phrases("en").examples, phrases("zh").examples, strict=True)
    rows = [f"| {english.ask} | {chinese.ask} |" for english, chinese in both]
    return "\n".join(["| English | 中文 |", "|---|---|", *rows]) + "\n"


def commands() -> list[tuple[str, ...]]:
    """Every command of kb as its words, in the order of its help: ``()``, ``("match",)``, ``("case",)`` ..."""
    return list(_walk(()))


def _walk(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield words
    for name in _subcommands(kb(*words, "--help")):
        yield from _walk((*words, name))


def _subcommands(text: str) -> list[str]:
    """The names in a help text's list of commands; empty where the usage line does not end in ``...``."""
    if not re.search(r"\.\.\.\s*$", text.split("\n\n", 1)[0]):
        return []
    return re.findall(r"(?m)^ {4}([a-z][\w-]*)(?: {2,}|$)", text)


def help_pages() -> str:
    """Every command's ``--help``, a heading each."""
    parts = []
    for words in commands():
        name = " ".join(("kb", *words))
        parts.append(f"\n## {name}\n\n```console\n$ {name} --help\n{kb(*words, '--help')}```\n")
    return "".join(parts)


def documents() -> list[Path]:
    """The Markdown files that hold generated parts."""
    places = [ROOT, *(path for path in sorted((ROOT / "docs").glob("**/")) if path.is_dir()), ROOT / "cases"]
    files = [path for place in [*places, ROOT / "grammars"] for path in sorted(place.glob("*.md"))]
    return [path for path in files if "[[[cog" in path.read_text(encoding="utf-8")]


def _case_index(check: bool) -> int:
    """Write cases/README.md, or with ``check`` tell whether it is stale."""
    place, text = ROOT / "cases/README.md", kb("case", "index")
    if not check:
        place.write_text(text, encoding="utf-8")
    elif place.read_text(encoding="utf-8") != text:
        print(f"{place.relative_to(ROOT)} is stale", file=sys.stderr)
        return 1
    return 0


def _openers(check: bool) -> int:
    """Write kb/log/openers.txt, or with ``check`` tell whether it is stale."""
    import openers

    if not check:
        openers.PLACE.write_text(openers.text(), encoding="utf-8")
    elif openers.PLACE.read_text(encoding="utf-8") != openers.text():
        print(f"{openers.PLACE.relative_to(ROOT)} is stale", file=sys.stderr)
        return 1
    return 0


def _pictures(check: bool) -> int:
    """Make the pictures, or with ``check`` tell which are stale."""
    folder = ROOT / "docs/pictures"
    folder.mkdir(exist_ok=True)
    stale = 0
    for name, command in PICTURES.items():
        place, text = folder / name, kb(*command)
        if not check:
            place.write_text(text, encoding="utf-8")
        elif not place.exists() or place.read_text(encoding="utf-8") != text:
            print(f"{place.relative_to(ROOT)} is stale", file=sys.stderr)
            stale = 1
    return stale


def _shell(check: bool) -> int:
    """Write what shells and man want, or with ``check`` tell what of it is stale."""
    import shell

    stale = shell.write(check=check)
    if stale and check:
        print(f"stale: {', '.join(stale)}", file=sys.stderr)
    return int(check and bool(stale))


_WHOLE = {
    "kb/log/openers.txt": _openers,
    "cases/README.md": _case_index,
    "kb/shell": _shell,
    "docs/pictures": _pictures,
}
"""What is made as a whole, by no cog."""


def main() -> int:
    """Runs cog over the documents, and writes what is generated besides."""
    from cogapp import Cog

    check = "--check" in sys.argv[1:]
    files = {str(path.relative_to(ROOT)): path for path in documents()}
    named = [name for name in sys.argv[1:] if name != "--check"] or [*files, *_WHOLE]
    if unknown := set(named) - {*files, *_WHOLE}:
        raise SystemExit(f"nothing is generated in {', '.join(sorted(unknown))}")
    if check and sys.version_info[:2] != HELP_PYTHON:
        files.pop("docs/cli.md")
        print(f"docs/cli.md is compared on Python {HELP_PYTHON[0]}.{HELP_PYTHON[1]} only", file=sys.stderr)
    mode = ["--check", "--diff"] if check else ["-r"]
    sys.path.insert(0, str(ROOT / "docs"))
    pages = [str(files[name]) for name in named if name in files]
    code: int = Cog().main(["cog", *mode, "-U", "-I", str(ROOT / "docs"), *pages]) or 0 if pages else 0
    code = max([code, *(make(check) for name, make in _WHOLE.items() if name in named)])
    if code and check:
        print("help: make docs, then look at the difference", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
