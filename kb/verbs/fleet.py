"""Verbs on a fleet's logs: ``scan``."""

from kb.verbs.common import common, verb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kb.verbs.common import Verbs


def add_scan(verbs: "Verbs") -> None:
    """``kb scan``."""
    parser = verb(
        verbs,
        "scan",
        "kb.commands.scan:run",
        "read the logs of a fleet by many processes, and leave reports and counts as Parquet or NDJSON",
        "SRC is a file, a folder, a pattern, or a URL of either (s3://...), with the extra fleet. A file that ends its "
        "worker is tried twice and then named in the table of errors; all others count. Exit code 0 all files were "
        "read, 4 some were not, 3 no report is in any. docs/fleet.md tells what the tables hold.",
    )
    parser.add_argument("sources", nargs="+", metavar="SRC", help="logs; those of a folder are read one by one")
    parser.add_argument("--out", required=True, metavar="DIR", help="where the results go; older ones are replaced")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes (default: one a core)")
    parser.add_argument("--dask", metavar="ADDRESS", help="a Dask scheduler whose workers read instead (extra fleet)")
    parser.add_argument("--resume", action="store_true", help="go on with a scan that was stopped")
    parser.add_argument("--since", metavar="DAY", help="only reports of that day or later, and those without a date")
    parser.add_argument("--kind", metavar="KIND,...", action="append", default=[], help="only reports of these kinds")
    parser.add_argument(
        "--sample", type=int, default=3, metavar="N", help="reports of a signature and day to keep as text (default 3)"
    )
    parser.add_argument("--column", metavar="NAME", help="SRC are tables (Parquet, JSON): the column of messages")
    parser.add_argument("--host-column", metavar="NAME", help="the column of hosts: each is a log of its own")
    parser.add_argument("--time-column", metavar="NAME", help="the column of times")
    parser.add_argument(
        "--timeout", type=float, default=60, metavar="S", help="seconds for a file, and 10 more a MB (default 60)"
    )
    parser.add_argument("--format", choices=("parquet", "ndjson"), help="default: parquet where pyarrow is installed")
    parser.add_argument("--record", action="store_true", help="fold the results into the store, too (kb store load)")
    common(parser, db=True, cases=True, color=False)
