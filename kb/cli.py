"""The command line: a verb is one call of the API and one renderer.

stdout is the answer, stderr the notes. Nothing heavy is imported here: each command imports what it uses, so that
``kb --help`` and a log without reports cost little more than Python itself.
"""

import argparse
import os
import sys

TYPE_CHECKING = False  # typing's own costs an import; type checkers know the name
if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import SupportsWrite

    Verbs = argparse._SubParsersAction[argparse.ArgumentParser]

OK, UNKNOWN, USAGE, EMPTY, UNUSABLE, INTERRUPTED = 0, 1, 2, 3, 4, 130
"""Exit codes: a report matched a known case; reports, none known; usage; no report; unusable file or store; ^C."""


def main(argv: list[str] | None = None) -> int:
    """Run ``kb``; returns the exit code."""
    if not _streams():
        return UNUSABLE
    try:
        try:
            return _run(argv)
        finally:
            sys.stdout.flush()  # also behind --help: what cannot be written must not be found out at exit
    except BrokenPipeError:
        # The reader of a pipe has left: that is its right. What is still buffered goes nowhere, without a word.
        _discard_output()
        return OK
    except KeyboardInterrupt:
        return INTERRUPTED
    except MemoryError:
        note("needs more memory than there is")
        return UNUSABLE
    except OSError as error:
        if error.filename is not None:
            raise
        _discard_output()
        note(f"cannot write to standard output: {error.strerror or error}")
        return UNUSABLE
    except Exception as error:
        from kb.errors import KbError, UsageError

        if not isinstance(error, KbError):
            raise
        note(str(error))
        return USAGE if isinstance(error, UsageError) else UNUSABLE


def _run(argv: list[str] | None) -> int:
    parser = _parser()
    options = parser.parse_args(argv)
    if options.run is None:
        parser.print_help(sys.stderr)
        return USAGE
    if getattr(options, "kernel", None) is not None:
        from kb.kernel.release import checked

        checked(options.kernel)
    return int(options.run(options))


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


def _discard_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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


def _parser() -> argparse.ArgumentParser:
    from kb import __version__

    parser: argparse.ArgumentParser = _Parser(
        prog="kb", description="What a kernel log says, what is known about it, what to do now.", epilog=_EXITS
    )
    parser.add_argument("--version", action="version", version=f"kb {__version__}", help="print the version and exit")
    parser.set_defaults(run=None)
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", prog="kb")  # else argparse loads all of shutil
    _add_match(verbs)
    _add_whatif(verbs)
    _add_verify(verbs)
    _add_show(verbs)
    _add_similar(verbs)
    _add_history(verbs)
    _add_store(verbs)
    _add_clean(verbs)
    _add_case(verbs)
    _add_tui(verbs)
    _add_chat(verbs)
    _add_doctor(verbs)
    return parser


_EXITS = (
    "Exit codes: 0 a report matched a known case, 1 reports but none known, 2 usage, 3 no report, 4 unusable input."
)


def _verb(verbs: "Verbs", name: str, run: str, words: str, more: str = "") -> argparse.ArgumentParser:
    """A sub-command; ``run`` is ``module:function`` and imported when the command is used."""
    parser = verbs.add_parser(name, help=words, description=(words[0].upper() + words[1:] + ". " + more).strip())
    parser.set_defaults(run=lambda options: _load(run)(options))
    return parser


def _load(place: str) -> "Callable[[argparse.Namespace], int]":
    import importlib

    module, _, name = place.partition(":")
    command: Callable[[argparse.Namespace], int] = getattr(importlib.import_module(module), name)
    return command


def _common(parser: argparse.ArgumentParser, *, db: bool = False, cases: bool = False, color: bool = True) -> None:
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


def _add_match(verbs: "Verbs") -> None:
    parser = _verb(
        verbs,
        "match",
        "kb.commands.match:run",
        "read logs and tell for each report what happened, whether it is known and what to do",
        "FILE may be packed (.gz .xz .bz2 .zst), a folder, or - for standard input.",
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="logs (default: standard input)")
    parser.add_argument("--json", action="store_true", help="one JSON object a report and line (schema kb.report/1)")
    parser.add_argument("--markdown", action="store_true", help="Markdown, for a ticket")
    parser.add_argument("-b", "--brief", action="store_true", help="one line a report: lines, title, case")
    parser.add_argument("-v", "--verbose", action="store_true", help="show each subtraction and every predicate")
    parser.add_argument("--lang", choices=("en", "zh"), default="en", help="language of what kb says (default: en)")
    parser.add_argument("--kernel", metavar="RELEASE", help="release to assume where the log prints none (uname -r)")
    parser.add_argument(
        "--context",
        metavar="FILE",
        nargs="+",
        default=[],
        action="extend",
        help="files beside the log: /proc/vmstat before and after, buddyinfo, pagetypeinfo, zoneinfo, trace, "
        "sysctl -a; a log among them is an input",
    )
    parser.add_argument(
        "--notices",
        action="store_true",
        help="behind the reports of each input, single messages that a case may explain: a full table, a slow clock",
    )
    parser.add_argument("--vmlinux", metavar="FILE", help="kernel with debug information: adds source lines to frames")
    parser.add_argument("--debuginfo", metavar="DIR", help="folder of vmlinux and modules with debug information")
    parser.add_argument(
        "--record", action="store_true", help="store a sighting of each report, once however often the log is read"
    )
    parser.add_argument("--host", metavar="NAME", help="host to record where the log names none")
    parser.add_argument("--source", metavar="NAME", help="where the log came from, to record (ticket:4711)")
    parser.add_argument("--stats", action="store_true", help="print counts and timings on stderr")
    _common(parser, db=True, cases=True)


def _add_whatif(verbs: "Verbs") -> None:
    parser = _verb(
        verbs,
        "whatif",
        "kb.commands.whatif:run",
        "tell whether an allocation would be admitted now, zone by zone, by which rule",
        "Reads /proc by default, or captured files. Exit code 0 admitted, 1 refused, 3 undecided. The answer is of the "
        "first attempt: reclaim and compaction may still find a page for a request that may wait.",
    )
    parser.add_argument("--order", type=int, required=True, metavar="N", help="2^N contiguous pages")
    parser.add_argument("--gfp", required=True, metavar="FLAGS", help="GFP_NOFS|__GFP_COMP, or the mask in hex")
    parser.add_argument(
        "--kernel", metavar="RELEASE", help="whose rules (default: this machine's; captured files: current)"
    )
    for name in ("zoneinfo", "buddyinfo", "pagetypeinfo"):
        parser.add_argument(f"--{name}", metavar="FILE", help=f"a captured /proc/{name}")
    parser.add_argument("--node", type=int, metavar="N", help="preferred node")
    parser.add_argument("--interrupt", action="store_true", help="the request comes from interrupt context")
    parser.add_argument("--realtime", action="store_true", help="the task has a realtime policy")
    parser.add_argument("--json", action="store_true", help="JSON (schema kb.whatif/1)")
    parser.add_argument("-v", "--verbose", action="store_true", help="print each subtraction")


def _add_verify(verbs: "Verbs") -> None:
    parser = _verb(
        verbs,
        "verify",
        "kb.commands.verify:run",
        "print a script that gathers what would confirm or rule out a case, on that kernel",
        "The script reads counters and traces into a folder of its own, for kb match --context.",
    )
    parser.add_argument(
        "subject", metavar="CASE|FILE", help="a case's id, or a log whose first report is meant (- for stdin)"
    )
    parser.add_argument("--kernel", metavar="RELEASE", help="the kernel it is to run on (uname -r)")
    _common(parser, cases=True, color=False)


def _add_show(verbs: "Verbs") -> None:
    parser = _verb(verbs, "show", "kb.commands.show:run", "show what the store has on a signature")
    parser.add_argument("prefix", metavar="SIGNATURE", help="a signature's id or the beginning of one")
    parser.add_argument("--json", action="store_true", help="JSON (schema kb.identity.signature/1)")
    parser.add_argument(
        "--raw", action="store_true", help="the stored evidence, as it was printed; on a terminal, escapes are shown"
    )
    parser.add_argument("--unsafe", action="store_true", help="with --raw: pass escapes to a terminal, too")
    _common(parser, db=True)


def _add_similar(verbs: "Verbs") -> None:
    similar = _verb(
        verbs,
        "similar",
        "kb.commands.similar:run",
        "tell what resembles a report or a signature, and why",
        "It suggests and explains; it never links. Exit code 1 when nothing is near.",
    )
    similar.add_argument("subject", nargs="?", default="-", metavar="FILE|SIGNATURE", help="a log (default: stdin)")
    similar.add_argument("--limit", type=int, default=5, metavar="N", help="neighbours to show (default 5)")
    similar.add_argument("--only", choices=("cases", "seen"), help="imported cases only, or what was seen only")
    similar.add_argument("--json", action="store_true", help="one JSON object a report and line (kb.identity/1)")
    for name, run, words in (
        ("dup", "duplicate", "declare that two signatures are one problem; nothing is merged"),
        ("undup", "distinct", "take such a declaration back"),
    ):
        each = _verb(verbs, name, f"kb.commands.similar:{run}", words)
        each.add_argument("left", metavar="A", help="a signature's id or the beginning of one")
        each.add_argument("right", metavar="B", help="another")
        each.add_argument("--reason", default="", metavar="TEXT", help="why")
        each.add_argument("--author", metavar="NAME", help="who says so (default: the user's name)")
        _common(each, db=True, color=False)
    _common(similar, db=True)


def _add_history(verbs: "Verbs") -> None:
    parser = _verb(
        verbs,
        "import",
        "kb.commands.imports:run",
        "take known issues out of history, or a store's export back in",
        "kb import vulns DIR (the kernel CVE team's records), kb import git REPO [RANGE...], kb import patches "
        "DIR|MBOX..., kb import FILE (what kb export wrote; - is stdin). Goes on where it was stopped; running it "
        "again changes nothing.",
    )
    parser.add_argument("what", metavar="vulns|git|patches|FILE", help="what to import")
    parser.add_argument("arguments", nargs="*", metavar="ARGUMENT", help="where from")
    parser.add_argument("--all", action="store_true", help="vulns: also records that quote no splat")
    _common(parser, db=True, color=False)
    affected = _verb(
        verbs,
        "affected",
        "kb.commands.imports:affected",
        "tell whether a kernel has the fix of a case",
        "Exit code 0 fixed, 1 affected, 3 unknown.",
    )
    affected.add_argument("case", metavar="CASE", help="a case's id: of the library or imported (CVE-2024-1234)")
    affected.add_argument("--kernel", required=True, metavar="RELEASE", help="the kernel, as uname -r prints it")
    affected.add_argument("--json", action="store_true", help="JSON (schema kb.affected/1)")
    _common(affected, db=True, cases=True, color=False)


def _add_store(verbs: "Verbs") -> None:
    rekey = _verb(
        verbs,
        "rekey",
        "kb.commands.store:rekey",
        "bring the store to this version of signatures; old ids keep resolving",
        "Signatures without evidence keep their ids.",
    )
    export = _verb(verbs, "export", "kb.commands.store:export", "write all of the store as NDJSON")
    export.add_argument("file", nargs="?", default="-", metavar="FILE", help="where to (default: stdout)")
    stats = _verb(verbs, "stats", "kb.commands.store:stats", "count what the store holds")
    log = _verb(
        verbs, "log", "kb.commands.store:log", "list recent sightings; marks what was seen on a kernel that has the fix"
    )
    log.add_argument("--limit", type=int, default=20, metavar="N", help="rows (default 20)")
    log.add_argument("--regressions", action="store_true", help="only what was seen again after its fix")
    for each in (stats, log):
        each.add_argument("--json", action="store_true", help="one JSON object a row")
    forget = _verb(
        verbs,
        "forget",
        "kb.commands.forget:run",
        "take sightings, evidence and notes out of the store for good, as the law on personal data may want it",
        "What matches all criteria given goes; at least one is needed. Says first what it will take, and asks. "
        "docs/personal-data.md tells what matches.",
    )
    forget.add_argument("--source", metavar="NAME", help="what came from there, as recorded (ticket:4711)")
    forget.add_argument("--host", metavar="NAME", help="what was seen on that host, or names it")
    forget.add_argument("--before", metavar="DATE", help="what is earlier: 2026-01-31, or an ISO 8601 time (UTC)")
    forget.add_argument("--yes", action="store_true", help="do not ask")
    forget.add_argument("--dry-run", action="store_true", help="only say what would go")
    for each in (rekey, export, stats, log, forget):
        _common(each, db=True, color=False)


def _add_clean(verbs: "Verbs") -> None:
    parser = _verb(
        verbs,
        "clean",
        "kb.commands.clean:run",
        "write a log without the names of machines and people, to show it to others",
        "Host and user names, addresses, serial numbers, ids and secrets are replaced, the same by the same; what the "
        "reports say stays. docs/personal-data.md tells what is recognised. Read the result before you send it.",
    )
    parser.add_argument(
        "files", nargs="*", metavar="LOG", help="logs, packed ones and folders too (default: standard input)"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="where to (default: stdout)")
    parser.add_argument(
        "--keep", metavar="KIND,...", action="append", default=[], help="kinds to leave as they are: host,ip"
    )
    parser.add_argument(
        "--map", metavar="FILE", help="write there what was replaced by what (tab-separated, mode 0600)"
    )


def _add_case(verbs: "Verbs") -> None:
    parser = verbs.add_parser(
        "case",
        help="the case library: list, show, search, facts, lint, test, new, promote, index",
        description="The case library.",
    )
    parser.set_defaults(run=lambda _options: _help(parser))
    inner = parser.add_subparsers(title="commands", metavar="COMMAND")
    listing = _verb(inner, "list", "kb.commands.case:list_cases", "list the cases: id, status, kind and title")
    listing.add_argument("--json", action="store_true", help="one JSON object a case and line")
    show = _verb(inner, "show", "kb.commands.case:show", "show a case: what it demands, explains and advises")
    show.add_argument("id", metavar="ID", help="a case's id or the beginning of one")
    show.add_argument("--json", action="store_true", help="JSON (schema kb.case/1)")
    lint = _verb(inner, "lint", "kb.commands.case:lint", "check case files against the rules of the format")
    test = _verb(
        inner, "test", "kb.commands.case:test", "run cases on their samples: match-*.log say yes, near-*.log do not"
    )
    facts = _verb(
        inner, "facts", "kb.commands.case:facts", "print what the reports of a log bear, as predicates for a case"
    )
    facts.add_argument("log", metavar="FILE", help="a log")
    facts.add_argument("--kernel", metavar="RELEASE", help="release to assume where the log prints none (uname -r)")
    new = _verb(
        inner, "new", "kb.commands.case:new", "start a case: a draft folder, its predicates proposed from a log"
    )
    new.add_argument("id", metavar="ID", help="id of the case: small letters, digits and hyphens")
    new.add_argument("log", nargs="?", metavar="FILE", help="a log whose first report the case is about")
    new.add_argument(
        "--into", metavar="DIR", default=".", help="folder to make the case's folder in (default: this one)"
    )
    index = _verb(inner, "index", "kb.commands.case:index", "print the generated index of the library, by subsystem")
    index.add_argument("--write", action="store_true", help="write it to README.md in the library's folder")
    for each in (lint, test):
        each.add_argument(
            "paths", nargs="*", metavar="PATH", help="case folders or folders of them (default: the library)"
        )
        each.add_argument("--json", action="store_true", help="one JSON object a finding and line")
    search = _verb(inner, "search", "kb.commands.imports:search", "find cases by words, imported ones too")
    search.add_argument("words", nargs="+", metavar="WORD", help="each must occur in the case")
    search.add_argument("--limit", type=int, default=20, metavar="N", help="cases to list (default 20)")
    search.add_argument("--json", action="store_true", help="one JSON object a case and line")
    promote = _verb(inner, "promote", "kb.commands.imports:promote", "make a case folder of an imported case")
    promote.add_argument("id", metavar="ID", help="an imported case's id")
    promote.add_argument("--into", metavar="DIR", default=".", help="folder to make the case's folder in")
    for each in (listing, show, lint, test, new, index, search, promote):
        _common(each, db=each in (show, search, promote), cases=True, color=False)


def _add_tui(verbs: "Verbs") -> None:
    parser = _verb(
        verbs,
        "tui",
        "kb.commands.tui:run",
        "browse a log or the store, see the evidence, annotate, write cases",
        "Shows FILE, standard input (kb tui < dmesg), or the store when neither is given.",
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="logs (default: standard input, or the store)")
    parser.add_argument("--kernel", metavar="RELEASE", help="release to assume where the log prints none (uname -r)")
    parser.add_argument("--web", action="store_true", help="serve it to a browser (needs kernel-kb[web])")
    parser.add_argument(
        "--host",
        metavar="ADDRESS",
        default="127.0.0.1",
        help="where on loopback --web listens (default: 127.0.0.1)",
    )
    parser.add_argument("--port", metavar="N", type=int, default=8000, help="port of --web (default: 8000)")
    _common(parser, db=True, cases=True, color=False)


def _add_chat(verbs: "Verbs") -> None:
    ask = _verb(
        verbs,
        "ask",
        "kb.commands.chat:ask",
        "answer one question about a log, the cases or the store, in English or Chinese",
        "Exit code 0 answered, 1 not known, 3 no report where one is needed.",
    )
    ask.add_argument("question", metavar="QUESTION", help='in your own words: "why did it fail"')
    ask.add_argument("--json", action="store_true", help="JSON (schema kb.reply/1)")
    chat = _verb(
        verbs,
        "chat",
        "kb.commands.chat:run",
        "talk about a log, the cases or the store, in English or Chinese",
        "Without a terminal, standard input is a script of questions.",
    )
    for each in (ask, chat):
        each.add_argument("files", nargs="*", metavar="FILE", help="logs to load first")
        each.add_argument(
            "--lang",
            choices=("auto", "en", "zh"),
            default="auto",
            help="language of the answers (default: that of each question)",
        )
        each.add_argument("--model", metavar="NAME", help="a language model of the llm package for other questions")
        _common(each, db=True, cases=True)


def _add_doctor(verbs: "Verbs") -> None:
    parser = _verb(
        verbs,
        "doctor",
        "kb.commands.doctor:run",
        "print what a report of a fault of kb needs: versions, places, the state of the store and the cases",
        "Exit code 4 when the store or a folder of cases cannot be used; optional packages may be missing.",
    )
    parser.add_argument("--json", action="store_true", help="JSON (schema kb.doctor/1)")
    _common(parser, db=True, cases=True, color=False)


def _help(parser: argparse.ArgumentParser) -> int:
    parser.print_help(sys.stderr)
    return USAGE


if __name__ == "__main__":
    sys.exit(main())
