"""``kb help`` and ``kb version``."""

import argparse
import sys

from kb.cli import OK, nearest, parser, verbs


def show(options: argparse.Namespace) -> int:
    """Print the help of a command."""
    found = parser()
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
