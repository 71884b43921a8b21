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
_MUCH, _MANY = 8 << 20, 20
"""Bytes, or inputs, of which it is."""


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
    """

    def __init__(self, live: bool):
        self._may = not live and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._timer: Any = None
        self._bar: Any = None
        self._task: Any = None
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

            self._timer = threading.Timer(_SOON, self._begin)
            self._timer.daemon = True
            self._timer.start()
        return self._begun

    def _begun(self, place: int) -> None:
        self._done = place
        self._update()

    def report(self, report: Report) -> None:
        """Another report was read."""
        self._reports += 1
        self._update()

    def stop(self) -> None:
        """Take the line away."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
            self._timer = None
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _begin(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, SpinnerColumn, TextColumn
        from rich.progress import Progress as Bar

        columns = (SpinnerColumn(), BarColumn(), TextColumn("{task.description}"))
        bar = Bar(*columns, console=Console(stderr=True), transient=True)
        self._task = bar.add_task(self._text(), total=self._inputs if self._inputs > 1 else None)
        bar.start()
        self._bar = bar

    def _update(self) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done, description=self._text())

    def _text(self) -> str:
        of = f"{self._done + 1} of {self._inputs} inputs, " if self._inputs > 1 else ""
        return f"{of}{self._reports} reports"


def _size(path: Any) -> int:
    """Bytes of an input; of a folder, and of a device, as many as are worth a line."""
    try:
        return os.path.getsize(path) if os.path.isfile(path) else _MUCH * os.path.exists(path)
    except (OSError, TypeError, ValueError):
        return 0
