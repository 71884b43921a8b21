"""What the verbs have in common: how one is declared, options that many take."""

import argparse

TYPE_CHECKING = False  # typing's own costs an import; type checkers know the name
if TYPE_CHECKING:
    from collections.abc import Callable

    Verbs = argparse._SubParsersAction[argparse.ArgumentParser]


def verb(verbs: "Verbs", name: str, run: str, words: str, more: str = "") -> argparse.ArgumentParser:
    """A sub-command; ``run`` is ``module:function`` and imported when the command is used."""
    parser = verbs.add_parser(name, help=words, description=(words[0].upper() + words[1:] + ". " + more).strip())
    parser.set_defaults(run=lambda options: _load(run)(options), asked=parser)
    return parser


def _load(place: str) -> "Callable[[argparse.Namespace], int]":
    import importlib

    module, _, name = place.partition(":")
    command: Callable[[argparse.Namespace], int] = getattr(importlib.import_module(module), name)
    return command


def common(parser: argparse.ArgumentParser, *, db: bool = False, cases: bool = False, color: bool = True) -> None:
    """Options that mean the same wherever they stand."""
    if db:
        parser.add_argument("--db", metavar="PATH", help="the store (default: $KB_DB, else the user's data folder)")
    if cases:
        parser.add_argument("--cases", metavar="DIR", help="a folder of cases over the packaged ones and $KB_CASES")
    if color:
        parser.add_argument(
            "--color",
            choices=("auto", "always", "never"),
            default="auto",
            help="colour (default: on a terminal, unless NO_COLOR)",
        )
