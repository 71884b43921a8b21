"""``kb help``, ``kb version``, ``kb schema``, ``kb completion``."""

import argparse
import sys
from collections.abc import Iterable

from kb.cli import OK, build_parser, nearest, verbs


def show(options: argparse.Namespace) -> int:
    """Print the help of a command."""
    found = build_parser()
    for word in options.words:
        inner = verbs(found)
        if word not in inner:
            from kb.errors import UsageError

            near = nearest(word, inner)
            raise UsageError(f"no such command: {word}", help=f"did you mean: {near[0]}" if near else "kb --help")
        found = inner[word]
    found.print_help(sys.stdout)
    return OK


def version(options: argparse.Namespace) -> int:
    """Print the version."""
    from kb import __version__

    print(f"kb {__version__}")
    return OK


def schema(options: argparse.Namespace) -> int:
    """Print the JSON Schema of an output, or the names of all."""
    from kb.render.schema import names, text

    print("\n".join(names()) if options.list else text(options.name), end="\n" if options.list else "")
    return OK


def completion(options: argparse.Namespace) -> int:
    """Print a shell's completions, or the words that they ask for."""
    if options.what in _ASKED:
        print("\n".join(dict.fromkeys(word for word in _ASKED[options.what]() if " " not in word)))
    else:
        from importlib.resources import files

        print(files("kb").joinpath(f"shell/kb.{options.what}").read_text(encoding="utf-8"), end="")
    return OK


def _cases() -> Iterable[str]:
    from kb.api import library

    return (case.id for case in library().cases)


def _kinds() -> Iterable[str]:
    from kb.syntax.kinds import kinds

    return sorted(kinds())


def _words() -> Iterable[str]:
    from kb.glossary import everything

    return (one.word for one in everything())


def _schemas() -> Iterable[str]:
    from kb.render.schema import names

    return names()


def _commands() -> Iterable[str]:
    return verbs(build_parser())


_ASKED = {"cases": _cases, "kinds": _kinds, "words": _words, "schemas": _schemas, "commands": _commands}
"""What the completions ask for: a word a line, none with a blank, which no shell takes as one."""
