"""Verbs that tell what kb knows: ``explain``, ``samples``, ``schema``, ``completion``, ``help``, ``version``."""

from kb.verbs.common import common, verb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kb.verbs.common import Verbs


def add_explain(verbs: "Verbs") -> None:
    """``kb explain``."""
    parser = verb(
        verbs,
        "explain",
        "kb.commands.explain:run",
        "explain a word of an answer: a kind of report, a cause, a fact, a reason, a GFP flag, a taint letter, a term",
        "What it means, where the kernel prints it, an example. Exit code 3 where the word is not known.",
    )
    parser.add_argument("words", nargs="*", metavar="WORD", help="what to explain (default: list all words)")
    parser.add_argument("--json", action="store_true", help="one JSON object an explanation and line (kb.term/1)")
    common(parser, color=False)


def add_samples(verbs: "Verbs") -> None:
    """``kb samples``."""
    parser = verb(
        verbs,
        "samples",
        "kb.commands.samples:run",
        "write the logs that the documents use, to try kb without a log of your own",
        "Each is a sample of a packaged case: dmesg.txt is a real allocation failure. Nothing is overwritten.",
    )
    parser.add_argument(
        "folder", nargs="?", default=".", metavar="DIR", help="where to (default: here; made if absent)"
    )


def add_schema(verbs: "Verbs") -> None:
    """``kb schema``."""
    parser = verb(
        verbs,
        "schema",
        "kb.commands.help_:schema",
        "print the JSON Schema of what --json prints",
        "JSON Schema, draft 2020-12. Fields may be added to an output, never changed.",
    )
    parser.add_argument(
        "name", nargs="?", default="kb.report/1", metavar="NAME", help="of which (default: kb.report/1)"
    )
    parser.add_argument("--list", action="store_true", help="the names that there are")


def add_completion(verbs: "Verbs") -> None:
    """``kb completion``."""
    parser = verb(
        verbs,
        "completion",
        "kb.commands.help_:completion",
        "print a shell's completions of kb",
        'For bash: eval "$(kb completion bash)" in ~/.bashrc; zsh: a file _kb in $fpath; fish: '
        "~/.config/fish/completions/kb.fish.",
    )
    parser.add_argument(
        "what",
        choices=("bash", "zsh", "fish", "cases", "kinds", "words", "schemas", "commands"),
        metavar="SHELL",
        help="bash, zsh or fish; cases, kinds, words, schemas, commands: what the completions ask for",
    )


def add_help(verbs: "Verbs") -> None:
    """``kb help``."""
    parser = verb(verbs, "help", "kb.commands.help_:show", "print the help of a command")
    parser.add_argument("words", nargs="*", metavar="COMMAND", help="a command and its own (case lint)")


def add_version(verbs: "Verbs") -> None:
    """``kb version``."""
    verb(verbs, "version", "kb.commands.help_:version", "print the version")
