"""The command line: a verb is one call of the API and one renderer.

stdout is the answer, stderr the notes. Nothing heavy is imported here: each command imports what it uses, so that
``kb --help`` and a log without reports cost little more than Python itself.
"""

import argparse
import atexit
import gc
import os
import sys

TYPE_CHECKING = False  # typing's own costs an import; type checkers know the name
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, NoReturn, TextIO

    from _typeshed import SupportsWrite

OK, UNKNOWN, USAGE, EMPTY, UNUSABLE, INTERRUPTED = 0, 1, 2, 3, 4, 130
"""Exit codes: a report matched a known case; reports, none known; usage; no report; unusable file or store; ^C."""


YOUNG = 10_000
"""Objects that may be made before the collector of garbage looks for cycles, of which kb makes few. By Python's own
bound (700) it would look 75 times at what a start makes, and between any two reports at what they leave."""


def main(argv: list[str] | None = None) -> int:
    """Run ``kb``; returns the exit code."""
    gc.set_threshold(YOUNG)
    atexit.register(gc.freeze)  # what is there at the end goes with the process: nobody need look for cycles in it
    code = _main(argv) if _streams() else UNUSABLE
    try:
        sys.stderr.flush()
    except OSError:  # notes that nobody can read are no error, at exit neither
        _discard(sys.stderr)
    return code


def _main(argv: list[str] | None) -> int:
    try:
        try:
            return _run(argv)
        finally:
            sys.stdout.flush()  # also behind --help: what cannot be written must not be found out at exit
    except BrokenPipeError:
        # The reader of a pipe has left: that is its right. What is still buffered goes nowhere, without a word.
        _discard(sys.stdout)
        return OK
    except KeyboardInterrupt:
        return INTERRUPTED
    except MemoryError:
        note("needs more memory than there is")
        return UNUSABLE
    except OSError as error:
        if error.filename is not None:
            raise
        _discard(sys.stdout)
        note(f"cannot write to standard output: {error.strerror or error}")
        return UNUSABLE
    except Exception as error:
        from kb.errors import KbError, UsageError

        if not isinstance(error, KbError):
            raise
        note(str(error))
        return USAGE if isinstance(error, UsageError) else UNUSABLE


def _run(argv: list[str] | None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    parser = build_parser(words[0] if words else "")
    if words and not _is_verb(parser, words[0]):
        words = _meant(parser, words)
        parser = build_parser()
    options, unknown = parser.parse_known_args(words)
    if unknown:
        _refuse(options.asked, unknown)
    if options.run is None:
        options.asked.print_help(sys.stderr)
        return USAGE
    if getattr(options, "kernel", None) is not None:
        from kb.kernel.release import checked

        checked(options.kernel)
    return int(options.run(options))


def verbs(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The verbs of a parser, each with its own parser."""
    found = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(found[0].choices) if found else {}


def _is_verb(parser: argparse.ArgumentParser, word: str) -> bool:
    return word in verbs(parser) or word in parser._option_string_actions


class _Verbs(argparse._SubParsersAction):  # type: ignore[type-arg]
    """The verbs, of which perhaps one only is wanted: of the others no more is made than ``kb --help`` tells."""

    wanted: str | None = None

    def add_parser(self, name: str, **more: "Any") -> "Any":
        """A verb's parser; one that takes anything and does nothing where the verb is not wanted."""
        if self.wanted in (None, name):
            return super().add_parser(name, **more)
        self._choices_actions.append(self._ChoicesPseudoAction(name, (), more["help"]))
        self._name_parser_map[name] = unread = _Unread()
        return unread


class _Unread:
    """Stands for the parser of a verb that nobody asked for."""

    def __getattr__(self, name: str) -> "Callable[..., _Unread]":
        return lambda *args, **more: self


def _meant(parser: argparse.ArgumentParser, words: list[str]) -> list[str]:
    """``kb LOG`` is ``kb match LOG``; of any other word the verbs that are spelt like it are told."""
    first = next((word for word in words if not word.startswith("-") or word == "-"), None)
    if first is not None and (first == "-" or os.path.exists(first)):
        return ["match", *words]
    if words[0].startswith("-"):
        return words
    near = nearest(words[0], verbs(parser))
    help_ = f"did you mean: kb {near[0]}" if near else "kb --help lists the commands; a log is named by its path"
    parser.error(f"no such command or file: {words[0]}\nhelp: {help_}")


def _refuse(parser: argparse.ArgumentParser, unknown: list[str]) -> None:
    """Say what a verb does not know, by that verb's own usage, and what is spelt like it."""
    options = [word for word in unknown if word.startswith("-") and word != "-"]
    if not options:
        parser.error(f"too many arguments: {' '.join(unknown)}")
    near = nearest(options[0].partition("=")[0], (o for o in parser._option_string_actions if o.startswith("--")))
    parser.error(f"unknown option: {options[0]}" + (f"\nhelp: did you mean {near[0]}" if near else ""))


def nearest(word: str, known: "Iterable[str]", most: int = 3) -> list[str]:
    """The known words that are spelt like a word, nearest first."""
    import difflib

    return difflib.get_close_matches(word, list(dict.fromkeys(known)), most, 0.6)


def _streams() -> bool:
    """Make the standard streams take what logs hold, whatever the locale; False where nothing can be written.

    A name that is no UTF-8 comes in as lone surrogates, and goes out as their escapes.
    """
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - for the life of the process
    if sys.stdin is None:
        sys.stdin = open(os.devnull)  # noqa: SIM115
    if sys.stdout is None:
        note("cannot write to standard output: it is closed")
        return False
    for stream, errors in ((sys.stdin, "surrogateescape"), (sys.stdout, "backslashreplace")):
        if hasattr(stream, "reconfigure") and stream.errors != errors:
            stream.reconfigure(errors=errors)
    return True


def _discard(stream: "TextIO") -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def note(text: str) -> None:
    """A note on stderr. Log text and names of files in it cannot drive a terminal; that nobody reads it is no error."""
    from kb.render.safe import safe_lines

    try:
        print(f"kb: {safe_lines(text)}", file=sys.stderr, flush=True)
    except OSError:
        return


class _Parser(argparse.ArgumentParser):
    """A parser that does not keep quiet about help that could not be written."""

    def _print_message(self, message: str, file: "SupportsWrite[str] | None" = None) -> None:
        if file is not None and file is sys.stdout:
            file.write(message)
        else:
            super()._print_message(message, file)

    def error(self, message: str) -> "NoReturn":
        """As argparse does, log text made safe, and near words named where a choice is not one."""
        from kb.render.safe import safe_lines

        self.print_usage(sys.stderr)
        before, _, choices = message.partition(" (choose from ")
        if choices:
            near = nearest(before.rpartition(": ")[2].strip("'"), choices.rstrip(")").replace("'", "").split(", "))
            message += f"\nhelp: did you mean {near[0]}" if near else ""
        self.exit(USAGE, f"{self.prog}: error: {safe_lines(message)}\n")


def build_parser(wanted: str | None = None) -> argparse.ArgumentParser:
    """The whole command line: what :func:`main` parses, and what help, completions and the man page are made from.

    Args:
        wanted: The one verb that can be parsed; the others are known by name. None: all.
    """
    from kb import __version__
    from kb.verbs import cases, fleet, help_, logs, service, sessions, store

    parser: argparse.ArgumentParser = _Parser(
        prog="kb",
        description="What a kernel log says, what is known about it, what to do now. kb LOG is kb match LOG.",
        epilog=_EXITS,
    )
    version = f"kb {__version__}"
    parser.add_argument("-V", "--version", action="version", version=version, help="print the version and exit")
    parser.set_defaults(run=None, asked=parser)
    # without a prog argparse loads all of shutil
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", prog="kb", action=_Verbs)
    assert isinstance(verbs, _Verbs)
    verbs.wanted = wanted
    logs.add_match(verbs)
    logs.add_watch(verbs)
    logs.add_diff(verbs)
    logs.add_inputs(verbs)
    logs.add_whatif(verbs)
    logs.add_verify(verbs)
    store.add_show(verbs)
    store.add_similar(verbs)
    store.add_history(verbs)
    store.add_known(verbs)
    store.add_store(verbs)
    logs.add_clean(verbs)
    fleet.add_scan(verbs)
    cases.add_case(verbs)
    sessions.add_tui(verbs)
    sessions.add_chat(verbs)
    service.add_serve(verbs)
    service.add_report(verbs)
    service.add_mcp(verbs)
    sessions.add_doctor(verbs)
    help_.add_explain(verbs)
    help_.add_samples(verbs)
    help_.add_schema(verbs)
    help_.add_completion(verbs)
    help_.add_help(verbs)
    help_.add_version(verbs)
    return parser


_EXITS = (
    "Exit codes: 0 a report matched a known case, 1 reports but none known, 2 usage, 3 no report, 4 unusable input."
)


if __name__ == "__main__":
    sys.exit(main())
