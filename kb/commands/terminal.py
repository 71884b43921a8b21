"""What a terminal gets beside the answer: a pager for a long one, and progress while a long one is made."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from kb.model.report import Report

_SOON = 1.0
"""Seconds of work after which its progress is worth a line."""
_TICK = 0.2
"""Seconds between two looks at it."""
_MUCH, _MANY = 1 << 20, 20
"""Bytes, or inputs, of which it is: a packed one holds ten times as many or more."""


@contextmanager
def paged(options: argparse.Namespace, live: bool) -> Iterator[None]:
    """Show what is written to standard output by the pager, where a person reads it and it is longer than a screen.

    Never what is meant for a program, and never what may go on.
    """
    for_person = not (options.json or options.markdown or options.html or options.format)
    if live or not for_person or not options.pager or not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    import io

    class Held(io.StringIO):
        def isatty(self) -> bool:
            return True  # what is held is for the terminal: its colours, too

    held, terminal = Held(), sys.stdout
    sys.stdout = held
    try:
        yield
    finally:
        sys.stdout = terminal
        _show(held.getvalue())


def _show(text: str) -> None:
    import shlex
    import shutil
    import subprocess

    command = shlex.split(os.environ.get("PAGER", "less"))
    if text.count("\n") < shutil.get_terminal_size().lines or not command or shutil.which(command[0]) is None:
        sys.stdout.write(text)
        return
    # as git does: leave at the end of one screen, pass colours on, keep the text on the screen
    env = {"LESS": "FRX", "LV": "-c", **os.environ}
    subprocess.run(command, input=text.encode("utf-8", "backslashreplace"), env=env, check=False)


class Progress:
    """A line on standard error where that is a terminal and the work takes more than a moment.

    Args:
        live: The input may go on for ever: there is no progress to tell.
        share: How much of the present input was read, 0 to 1, where that is known.
    """

    def __init__(self, live: bool, share: Callable[[], float | None] = lambda: None):
        self._may = not live and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._share = share
        self._thread: Any = None
        self._ended: Any = None
        self._inputs = self._done = self._reports = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def over(self, inputs: list[Any]) -> Callable[[int], None]:
        """What counts the inputs: it takes the place of each when the one before is done."""
        self._inputs = len(inputs)
        if self._may and (len(inputs) >= _MANY or sum(map(_size, inputs)) >= _MUCH):
            import threading

            self._ended = threading.Event()
            self._thread = threading.Thread(target=self._tell, daemon=True)
            self._thread.start()
        return self._begun

    def _begun(self, place: int) -> None:
        self._done = place

    def report(self, report: Report) -> None:
        """Another report was read."""
        self._reports += 1

    def stop(self) -> None:
        """Take the line away."""
        if self._thread is not None:
            self._ended.set()
            self._thread.join()
            self._thread = None

    def _tell(self) -> None:
        """Show how far it is, from a moment on until the end."""
        if self._ended.wait(_SOON):
            return
        from rich.console import Console
        from rich.progress import BarColumn, SpinnerColumn, TextColumn
        from rich.progress import Progress as Bar

        columns = (SpinnerColumn(), BarColumn(), TextColumn("{task.description}"))
        with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(self.text(), total=None)
            while not self._ended.wait(_TICK):
                done = self.done()
                bar.update(task, total=None if done is None else 1.0, completed=done or 0.0, description=self.text())

    def done(self) -> float | None:
        """How much of the work is done, 0 to 1; None where nothing tells."""
        share = self._share()
        if share is None and self._inputs < 2:
            return None
        return min((self._done + (share or 0.0)) / self._inputs, 1.0)

    def text(self) -> str:
        """What stands beside the bar."""
        done = self.done()
        percent = f"{done:.0%}, " if done is not None else ""
        of = f"{self._done + 1} of {self._inputs} inputs, " if self._inputs > 1 else ""
        return f"{percent}{of}{self._reports} reports"


def _size(path: Any) -> int:
    """Bytes of an input; of a folder, and of a device, as many as are worth a line."""
    try:
        return os.path.getsize(path) if os.path.isfile(path) else _MUCH * os.path.exists(path)
    except (OSError, TypeError, ValueError):
        return 0
