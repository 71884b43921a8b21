"""``kb tui``: the triage desk."""

import argparse
import os
import sys

from kb import api
from kb.cli import OK
from kb.errors import UsageError
from kb.process import last


def run(options: argparse.Namespace) -> int:
    """Show logs, standard input, or the store."""
    last()
    if options.web:
        from kb.tui.web import serve

        return serve(options)
    from kb.tui.feed import Feed

    feed = None
    served = "TEXTUAL_DRIVER" in os.environ  # by --web: keys come from the browser, through the driver's own pipe
    if served:
        pass
    elif "-" in options.files or (not options.files and not sys.stdin.isatty()):
        feed = Feed(_keys_from_terminal())
    elif not sys.stdin.isatty():
        _keys_from_terminal()
    if not served and not sys.stderr.isatty():
        raise UsageError("kb tui needs a terminal", help="kb match prints the same as text, JSON or Markdown")
    from kb.tui.app import Tui
    from kb.tui.desk import Desk

    files = tuple(name for name in options.files if name != "-")
    folders = (options.cases,) if options.cases else ()
    app = Tui(Desk(api.KnowledgeBase(options.db, cases=options.cases), files, feed, options.kernel, folders))
    app.run()
    return app.return_code or OK


def _keys_from_terminal() -> int:
    """Standard input becomes the terminal's; returns the descriptor of the log that came in on it."""
    log = os.dup(sys.stdin.fileno())
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError as error:
        help_ = "give the log as a file where there is no terminal to take keys from"
        raise UsageError(f"no terminal to read keys from: {error.strerror}", help=help_) from None
    os.dup2(terminal, sys.stdin.fileno())
    os.close(terminal)
    return log
