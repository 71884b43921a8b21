"""Verbs on the library: ``case`` and what comes behind it."""

from kb.verbs.common import common, verb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kb.verbs.common import Verbs


def add_case(verbs: "Verbs") -> None:
    """``kb case``."""
    parser = verbs.add_parser(
        "case",
        help="the case library: list, show, search, facts, lint, test, verify-sources, new, promote, index",
        description="The case library.",
    )
    parser.set_defaults(run=None, asked=parser)
    inner = parser.add_subparsers(title="commands", metavar="COMMAND")
    listing = verb(inner, "list", "kb.commands.case:list_cases", "list the cases: id, status, kind and title")
    listing.add_argument("--json", action="store_true", help="one JSON object a case and line (kb.case-line/1)")
    show = verb(inner, "show", "kb.commands.case:show", "show a case: what it demands, explains and advises")
    show.add_argument("id", metavar="ID", help="a case's id or the beginning of one")
    show.add_argument("--json", action="store_true", help="JSON (schema kb.case/1)")
    lint = verb(inner, "lint", "kb.commands.case:lint", "check case files against the rules of the format")
    test = verb(
        inner, "test", "kb.commands.case:test", "run cases on their samples: match-*.log say yes, near-*.log do not"
    )
    facts = verb(
        inner, "facts", "kb.commands.case:facts", "print what the reports of a log bear, as predicates for a case"
    )
    facts.add_argument("log", metavar="FILE", help="a log")
    facts.add_argument("--kernel", metavar="RELEASE", help="release to assume where the log prints none (uname -r)")
    new = verb(inner, "new", "kb.commands.case:new", "start a case: a draft folder, its predicates proposed from a log")
    new.add_argument("id", metavar="ID", help="id of the case: small letters, digits and hyphens")
    new.add_argument("log", nargs="?", metavar="FILE", help="a log with the report that the case is about")
    new.add_argument(
        "--report", type=int, default=1, metavar="N", help="the Nth report of the log (default: the first)"
    )
    new.add_argument(
        "--into", metavar="DIR", default=".", help="folder to make the case's folder in (default: this one)"
    )
    sources = verb(
        inner,
        "verify-sources",
        "kb.commands.case:verify_sources",
        "check ids, releases and subjects of the commits that cases cite against known history; nothing is fetched",
    )
    sources.add_argument(
        "--git", metavar="DIR", action="append", default=[], help="a clone of the kernel with its tags (repeatable)"
    )
    sources.add_argument("--pack", metavar="FILE", help="facts of known fixes (default: those that come with kb)")
    index = verb(inner, "index", "kb.commands.case:index", "print the generated index of the library, by subsystem")
    index.add_argument("--write", action="store_true", help="write it to README.md in the library's folder")
    for each in (lint, test, sources):
        each.add_argument(
            "paths", nargs="*", metavar="PATH", help="case folders or folders of them (default: the library)"
        )
        each.add_argument("--json", action="store_true", help="one JSON object a finding and line (kb.finding/1)")
    search = verb(inner, "search", "kb.commands.imports:search", "find cases by words, imported ones too")
    search.add_argument("words", nargs="+", metavar="WORD", help="each must occur in the case")
    search.add_argument("--limit", type=int, default=20, metavar="N", help="cases to list (default 20)")
    search.add_argument("--json", action="store_true", help="one JSON object a case and line (kb.case-line/1)")
    promote = verb(inner, "promote", "kb.commands.imports:promote", "make a case folder of an imported case")
    promote.add_argument("id", metavar="ID", help="an imported case's id")
    promote.add_argument("--into", metavar="DIR", default=".", help="folder to make the case's folder in")
    for each in (listing, show, lint, test, sources, new, index, search, promote):
        common(each, db=each in (show, search, promote), cases=True, color=False)
