"""Verbs on logs: ``match``, ``inputs``, ``whatif``, ``verify``, ``clean``."""

from kb.verbs.common import common, verb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kb.verbs.common import Verbs


def add_match(verbs: "Verbs") -> None:
    """``kb match``."""
    parser = verb(
        verbs,
        "match",
        "kb.commands.match:run",
        "read logs and tell for each report what happened, whether it is known and what to do",
        "FILE may be packed (.gz .xz .bz2 .zst), an archive (tar, zip), a mail, a crash folder, an export (JSON, CSV), "
        "a folder, or - for standard input. kb inputs shows what is seen of it.",
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="logs (default: standard input)")
    parser.add_argument("--json", action="store_true", help="one JSON object a report and line (schema kb.report/1)")
    parser.add_argument("--markdown", action="store_true", help="Markdown, for a ticket")
    parser.add_argument(
        "--html", action="store_true", help="one page: the answers, pictures, and the log with the lines of evidence"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="where --html and --format write to (default: stdout)")
    parser.add_argument("-b", "--brief", action="store_true", help="one line a report: lines, title, case")
    parser.add_argument(
        "-v",
        "--why",
        "--verbose",
        dest="verbose",
        action="count",
        default=0,
        help="behind each answer: why, the zones, predicates, sources, disputes; twice: each subtraction, too",
    )
    parser.add_argument("--report", type=int, metavar="N", help="only the N-th report")
    parser.add_argument("--each", action="store_true", help="show equal reports one by one, not as one entry")
    parser.add_argument("--no-pager", dest="pager", action="store_false", help="do not show a long answer by $PAGER")
    parser.add_argument(
        "--format",
        choices=("github", "gitlab", "sarif", "junit", "svg"),
        help="for a job that boots kernels: annotations, a code quality report, SARIF 2.1.0, JUnit XML; "
        "svg: the answers and their pictures as an image",
    )
    parser.add_argument(
        "--fail-on",
        metavar="WHAT",
        help="exit 1 when it holds of a report, else 0: known, unknown, severity=act (that, or worse)",
    )
    parser.add_argument("--lang", choices=("en", "zh"), default="en", help="language of what kb says (default: en)")
    parser.add_argument("--kernel", metavar="RELEASE", help="release to assume where the log prints none (uname -r)")
    parser.add_argument(
        "--context",
        metavar="FILE",
        nargs="+",
        default=[],
        action="extend",
        help="files beside the log: /proc/vmstat before and after, buddyinfo, pagetypeinfo, zoneinfo, meminfo, "
        "slabinfo, pressure/memory, memory.stat, extfrag_index, trace, sysctl -a; a log among them is an input",
    )
    parser.add_argument(
        "--notices",
        action="store_true",
        help="single messages that a case may explain (a full table, a slow clock) as reports behind those of each "
        "input; otherwise the gravest three are told as text, a line each",
    )
    parser.add_argument(
        "--all", action="store_true", help="also cases that may match and that only the report's kind speaks for"
    )
    parser.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="processes that read many files, and a file of more than 64 MB with --json and without --notices "
        "(default: one a core)",
    )
    parser.add_argument("--vmlinux", metavar="FILE", help="kernel with debug information: adds source lines to frames")
    parser.add_argument("--debuginfo", metavar="DIR", help="folder of vmlinux and modules with debug information")
    parser.add_argument(
        "--record", action="store_true", help="store a sighting of each report, once however often the log is read"
    )
    parser.add_argument("--host", metavar="NAME", help="host to record where the log names none")
    parser.add_argument("--source", metavar="NAME", help="where the log came from, to record (ticket:4711)")
    parser.add_argument("--stats", action="store_true", help="print counts and timings on stderr")
    common(parser, db=True, cases=True)


def add_watch(verbs: "Verbs") -> None:
    """``kb watch``."""
    parser = verb(
        verbs,
        "watch",
        "kb.commands.watch:run",
        "follow the kernel's log of this machine, and tell of each report as soon as it is over",
        "Follows journald where there is one, else /dev/kmsg; until ^C. A repeat is one line.",
    )
    parser.add_argument("file", nargs="?", metavar="FILE", help="a file that is being written, or - for stdin")
    parser.add_argument("--kmsg", action="store_true", help="follow /dev/kmsg, whatever else there is")
    parser.add_argument("--exec", dest="hook", metavar="CMD", help="run for each report, JSON on its stdin")
    parser.add_argument("--desktop", action="store_true", help="tell the desktop of each report (notify-send)")
    parser.add_argument("--lang", choices=("en", "zh"), default="en", help="language of what kb says (default: en)")
    parser.add_argument("--kernel", metavar="RELEASE", help="release to assume where the log prints none (uname -r)")
    common(parser, db=True, cases=True)


def add_diff(verbs: "Verbs") -> None:
    """``kb diff``."""
    parser = verb(
        verbs,
        "diff",
        "kb.commands.diff:run",
        "tell what is new, gone, more often or rarer between two logs, or between the last two boots of one",
        "Exit code 0 nothing is new or more often, 1 something is, 3 no report in either.",
    )
    parser.add_argument("before", metavar="A", help="a log, as those of kb match")
    parser.add_argument(
        "after", nargs="?", metavar="B", help="a later one (default: A's last boot against the one before)"
    )
    parser.add_argument("--all", action="store_true", help="also what is as often as before")
    parser.add_argument("--json", action="store_true", help="one JSON object a problem and line (schema kb.diff/1)")
    parser.add_argument("--kernel", metavar="RELEASE", help="release to assume where a log prints none (uname -r)")
    common(parser, db=True, cases=True)


def add_inputs(verbs: "Verbs") -> None:
    """``kb inputs``."""
    parser = verb(
        verbs,
        "inputs",
        "kb.commands.inputs:run",
        "show what kb sees in its inputs: members of archives, their transports, lines and reports",
        "A line an input that is read, and what could not be read or was passed over. Exit code 0, or 4 where "
        "something that says it is a log could not be read.",
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="as those of kb match (default: standard input)")
    parser.add_argument("--json", action="store_true", help="one JSON object an input and line (schema kb.input/1)")
    parser.add_argument(
        "-v", "--verbose", action="count", default=0, help="name the reports; twice: why lines were given to them"
    )
    common(parser, color=False)


def add_whatif(verbs: "Verbs") -> None:
    """``kb whatif``."""
    parser = verb(
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


def add_verify(verbs: "Verbs") -> None:
    """``kb verify``."""
    parser = verb(
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
    common(parser, cases=True, color=False)


def add_clean(verbs: "Verbs") -> None:
    """``kb clean``."""
    parser = verb(
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
