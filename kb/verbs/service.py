"""Verbs that answer others: ``serve``, ``report``, ``mcp``."""

from kb.verbs.common import common, verb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kb.verbs.common import Verbs


def add_serve(verbs: "Verbs") -> None:
    """``kb serve``."""
    parser = verb(
        verbs,
        "serve",
        "kb.commands.serve:run",
        "answer over HTTP what kb match answers: for bots, collectors and browsers (needs the extra serve)",
        "On this machine's own address everybody on it may use it; any other needs --tokens. docs/serve.md tells the "
        "rest.",
    )
    parser.add_argument("--host", metavar="ADDRESS", default="127.0.0.1", help="where to listen (default: 127.0.0.1)")
    parser.add_argument(
        "--port", metavar="N", type=int, default=8741, help="port (default: 8741); 0: any, printed on stderr"
    )
    parser.add_argument("--tokens", metavar="FILE", help="who may do what: a line a token, NAME ROLE SHA256")
    parser.add_argument("--workers", metavar="N", type=int, help="processes that read logs (default: one a processor)")
    parser.add_argument(
        "--match-timeout", metavar="SECONDS", type=float, default=30.0, help="what a log may take (default: 30)"
    )
    parser.add_argument("--max-body", metavar="SIZE", default="64M", help="the longest body (default: 64M)")
    parser.add_argument(
        "--max-waiting", metavar="N", type=int, default=32, help="requests that may wait for a worker (default: 32)"
    )
    parser.add_argument(
        "--netconsole", metavar="ADDRESS[:PORT]", help="also take datagrams of netconsole (default port: 6666)"
    )
    parser.add_argument(
        "--netconsole-from",
        metavar="NETWORK",
        action="append",
        help="whose datagrams are taken: an address or 10.0.0.0/24, may be given again (default: this machine's)",
    )
    parser.add_argument(
        "--webhook",
        metavar="URL",
        help="tell this URL of new signatures, of those seen on a kernel that has the fix, and of grave reports",
    )
    parser.add_argument("--webhook-secret", metavar="FILE", help="holds what the messages are signed with")
    parser.add_argument(
        "--webhook-severity",
        metavar="WORD",
        choices=("harmless", "watch", "act", "stop"),
        default="stop",
        help="from which severity on every report is told: harmless, watch, act, stop (default: stop)",
    )
    parser.add_argument("--keep", metavar="DAYS", type=int, help="forget what was recorded longer ago (default: never)")
    common(parser, db=True, cases=True, color=False)


def add_report(verbs: "Verbs") -> None:
    """``kb report``."""
    parser = verb(
        verbs,
        "report",
        "kb.commands.report:run",
        "hand in what a crash left behind (vmcore-dmesg of kdump, pstore) to a kb serve",
        "Of a folder, the kernel logs below it; what lies in one folder is one crash. Exit codes: 0 all was handed in, "
        "3 there is none, 4 some was not taken.",
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="default: /var/crash, /var/lib/systemd/pstore, pstore")
    parser.add_argument("--to", metavar="URL", required=True, help="where kb serve listens")
    parser.add_argument("--token", metavar="FILE", help="holds a token that may record")
    parser.add_argument("--host", metavar="NAME", help="whose crash it is (default: this machine's)")
    parser.add_argument("--done", metavar="FILE", help="remembers what was handed in, which is not sent again")
    parser.add_argument(
        "--wait", metavar="SECONDS", type=float, default=60.0, help="how long a service is tried (default: 60)"
    )


def add_mcp(verbs: "Verbs") -> None:
    """``kb mcp``."""
    parser = verb(
        verbs,
        "mcp",
        "kb.commands.mcp:run",
        "answer an assistant by the Model Context Protocol (needs the extra mcp)",
        "Over standard input and output, or with --http over HTTP on this machine.",
    )
    parser.add_argument("--http", metavar="PORT", type=int, help="streamable HTTP at this port; 0: any")
    parser.add_argument("--root", metavar="DIR", help="files below this folder may be named (default: none)")
    parser.add_argument("--allow-write", action="store_true", help="notes may be added")
    common(parser, db=True, cases=True, color=False)
