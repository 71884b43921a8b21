"""``kb tui --web``: the same app for a browser, through textual-serve. Loopback by default: it asks for no password."""

import argparse
import shlex
import sys

from kb.errors import UsageError

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def serve(options: argparse.Namespace) -> int:
    """Serve until interrupted; each visitor gets a process of their own.

    Args:
        options: Of ``kb tui``; standard input can be no log here, since each visitor reads it anew.
    """
    if "-" in options.files:
        raise UsageError("--web reads files or the store, not standard input", help="save the log to a file first")
    try:
        from textual_serve.server import Server
    except ImportError:
        raise UsageError("--web needs the package textual-serve", help="pip install 'kernel-kb[web]'") from None
    if options.host not in LOOPBACK:
        print(
            f"kb: whoever reaches {options.host}:{options.port} may read the log and write notes as you",
            file=sys.stderr,
        )
    server = Server(command(options), host=options.host, port=options.port, title="kb")
    server.serve()
    return 0


def command(options: argparse.Namespace) -> str:
    """The command that is run for each visitor: this one, without ``--web``."""
    words = [sys.executable, "-m", "kb", "tui", *options.files]
    for name in ("db", "cases", "kernel"):
        if getattr(options, name):
            words.append(f"--{name}={getattr(options, name)}")
    return shlex.join(words)
