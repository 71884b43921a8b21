"""Verbs on the store: ``show``, ``similar``, ``import``, ``export`` and the like."""

from kb.verbs.common import common, verb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kb.verbs.common import Verbs


def add_show(verbs: "Verbs") -> None:
    """``kb show``."""
    parser = verb(verbs, "show", "kb.commands.show:run", "show what the store has on a signature")
    parser.add_argument("prefix", metavar="SIGNATURE", help="a signature's id or the beginning of one")
    parser.add_argument("--json", action="store_true", help="JSON (schema kb.identity.signature/1)")
    parser.add_argument(
        "--raw", action="store_true", help="the stored evidence, as it was printed; on a terminal, escapes are shown"
    )
    parser.add_argument("--unsafe", action="store_true", help="with --raw: pass escapes to a terminal, too")
    common(parser, db=True)


def add_similar(verbs: "Verbs") -> None:
    """``kb similar``, ``kb dup``, ``kb undup``."""
    similar = verb(
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
        each = verb(verbs, name, f"kb.commands.similar:{run}", words)
        each.add_argument("left", metavar="A", help="a signature's id or the beginning of one")
        each.add_argument("right", metavar="B", help="another")
        each.add_argument("--reason", default="", metavar="TEXT", help="why")
        each.add_argument("--author", metavar="NAME", help="who says so (default: the user's name)")
        common(each, db=True, color=False)
    common(similar, db=True)


def add_history(verbs: "Verbs") -> None:
    """``kb import``, ``kb affected``."""
    parser = verb(
        verbs,
        "import",
        "kb.commands.imports:run",
        "take known issues out of history, or a store's export back in",
        "kb import vulns DIR (the kernel CVE team's records), kb import git REPO [RANGE...], kb import patches "
        "DIR|MBOX..., kb import changelog FILE|PACKAGE (which known fixes a distribution's kernels hold), "
        "kb import FILE (what kb export wrote; - is stdin). Goes on where it was stopped; running it "
        "again changes nothing.",
    )
    parser.add_argument("what", metavar="vulns|git|patches|changelog|FILE", help="what to import")
    parser.add_argument("arguments", nargs="*", metavar="ARGUMENT", help="where from")
    parser.add_argument("--all", action="store_true", help="vulns: also records that quote no splat")
    parser.add_argument("--pack", metavar="FILE", help="vulns: write the facts of all records there, not to the store")
    common(parser, db=True, color=False)
    affected = verb(
        verbs,
        "affected",
        "kb.commands.affected:run",
        "tell whether a kernel has the fix of a case, or which known crash fixes it lacks",
        "Exit code 0 fixed, 1 affected, 3 unknown. Without CASE: 0 it lacks none, 1 it lacks some, 3 its number "
        "does not tell.",
    )
    affected.add_argument(
        "case", nargs="?", metavar="CASE", help="a case's id: of the library, imported or known (CVE-2024-1234)"
    )
    affected.add_argument("--kernel", required=True, metavar="RELEASE", help="the kernel, as uname -r prints it")
    affected.add_argument(
        "--module",
        nargs="+",
        action="extend",
        default=[],
        metavar="M",
        help="without CASE: only fixes of these modules; a file of names, as lsmod prints them, will do",
    )
    affected.add_argument(
        "--file",
        nargs="+",
        action="extend",
        default=[],
        metavar="PATH",
        help="without CASE: only fixes that change these files of the kernel or something below these folders",
    )
    affected.add_argument("--json", action="store_true", help="JSON (schema kb.affected/1, kb.affected-list/1)")
    common(affected, db=True, cases=True, color=False)


def add_known(verbs: "Verbs") -> None:
    """``kb known diff``."""
    known = verbs.add_parser("known", help="review the known fixes that come with kb", description="Known fixes.")
    known.set_defaults(run=None, asked=known)
    inner = known.add_subparsers(title="commands", metavar="COMMAND", prog="kb known")
    diff = verb(
        inner,
        "diff",
        "kb.commands.known:diff",
        "tell what differs between two packs of known fixes, a line a change",
        "+ came, - went, ~ changed. Exit code 0 nothing differs, 1 something does.",
    )
    diff.add_argument("old", metavar="OLD", help="a pack, as kb import vulns DIR --pack FILE writes it")
    diff.add_argument("new", metavar="NEW", nargs="?", help="another (default: the one that comes with kb against OLD)")


def add_store(verbs: "Verbs") -> None:
    """``kb rekey``, ``kb export``, ``kb stats``, ``kb log``, ``kb forget``."""
    rekey = verb(
        verbs,
        "rekey",
        "kb.commands.store:rekey",
        "bring the store to this version of signatures; old ids keep resolving",
        "Signatures without evidence keep their ids.",
    )
    export = verb(verbs, "export", "kb.commands.store:export", "write all of the store as NDJSON (kb.export/1)")
    export.add_argument("file", nargs="?", default="-", metavar="FILE", help="where to (default: stdout)")
    stats = verb(verbs, "stats", "kb.commands.store:stats", "count what the store holds")
    log = verb(
        verbs, "log", "kb.commands.store:log", "list recent sightings; marks what was seen on a kernel that has the fix"
    )
    log.add_argument("--limit", type=int, default=20, metavar="N", help="rows (default 20)")
    log.add_argument("--regressions", action="store_true", help="only what was seen again after its fix")
    stats.add_argument("--json", action="store_true", help="JSON (schema kb.stats/1)")
    log.add_argument("--json", action="store_true", help="one JSON object a sighting and line (kb.log/1)")
    forget = verb(
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
        common(each, db=True, color=False)
    inner = verbs.add_parser("store", help="fold the results of a scan into the store", description="The store.")
    inner.set_defaults(run=None, asked=inner)
    load = verb(
        inner.add_subparsers(title="commands", metavar="COMMAND", prog="kb store"),
        "load",
        "kb.commands.store:load",
        "fold the results of kb scan into the store",
        "Each report counts once, by its source and its lines, however often its results are loaded.",
    )
    load.add_argument("folder", metavar="DIR", help="what kb scan --out wrote")
    common(load, db=True, color=False)
