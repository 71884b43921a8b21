"""What ``kb match`` writes: a class a form. Each takes the diagnoses of a run in their order."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from kb.identity.group import Group, Groups

if TYPE_CHECKING:
    from kb.commands.spool import Spool
    from kb.log.kept import Kept
    from kb.model.verdict import Diagnosis

_HELD = 1000
"""Groups that are held back to be told with all their repeats; more are told in parts."""
_WAIT = 10.0
"""Seconds that a group of a live input waits for its repeats, at most."""
_CALM = 0.4
"""Seconds without another report after which it is told, whatever else a live input goes on with."""


class Output(Protocol):
    """A form of the answer."""

    groups: Groups

    def add(self, found: Diagnosis) -> None:
        """Take the next diagnosis."""

    def pause(self) -> None:
        """Say what is known so far: a live input is silent."""

    def due(self) -> bool:
        """True when what is held of a live input has waited long enough."""

    def end(self) -> None:
        """Say the rest."""


class _Each:
    """One text a diagnosis, written at once."""

    def __init__(self, shown: Callable[[Diagnosis, Group], str], only: int | None = None):
        self.groups = Groups()
        self._shown = shown
        self._only = only

    def add(self, found: Diagnosis) -> None:
        group = self.groups.add(found)
        if self._only in (None, self.groups.count):
            write(self._shown(found, group))

    def pause(self) -> None:
        pass

    def due(self) -> bool:
        return False

    def end(self) -> None:
        pass


class _Json(_Each):
    """One object a report and line; held back until each group and incident is known, or a live input is silent."""

    def __init__(self, only: int | None):
        from kb.render.again import Lines

        lines = Lines()
        super().__init__(lambda found, group: lines.line(_member(found, group)) + "\n", only)
        self._since = self._latest = 0.0
        self._held: list[Group] = []
        self._texts: Spool | None = None

    def add(self, found: Diagnosis) -> None:
        if self._texts is None:
            from kb.commands.spool import Spool

            self._texts = Spool()
        group = self.groups.add(found)
        self._latest = time.monotonic()
        self._since = self._since or self._latest
        if self._only in (None, self.groups.count):
            self._held.append(group)
            self._texts.write(self._shown(found, group).encode("ascii"))

    def due(self) -> bool:
        return bool(self._since) and _waited(self._since, self._latest)

    def pause(self) -> None:
        if self._texts is None:
            return
        texts, held, self._texts, self._held, self._since = self._texts, self._held, None, [], 0.0
        list(self.groups.take())  # tells which groups are one incident
        for group, raw in zip(held, texts.lines(), strict=True):
            text = raw.decode("ascii")
            told = f', "of": {group.count}, "incident": {group.incident}}}\n'
            sys.stdout.write(text.rpartition(', "of": ')[0] + told)
        sys.stdout.flush()

    def end(self) -> None:
        self.pause()


def _waited(since: float, latest: float) -> bool:
    """Whether what has been held since a time is to be told, when the latest report came at another."""
    now = time.monotonic()
    return now - since > _WAIT or now - latest > _CALM


def _member(found: Diagnosis, group: Group) -> Diagnosis:
    return replace(found, group=group.number, of=group.count)


class _Grouped:
    """One text a group, with a blank line between them."""

    def __init__(self, shown: Callable[[Diagnosis, Group], str], again: Callable[[Group], str], *, apart: bool):
        self.groups = Groups()
        self._shown = shown
        self._again = again
        self._apart = apart
        self._since = self._latest = 0.0
        self._told: set[int] = set()
        self._between = ""

    def add(self, found: Diagnosis) -> None:
        group = self.groups.add(found, apart=self._apart)
        if id(group) in self._told:
            self._write(self._again(group))
        self._latest = time.monotonic()
        self._since = self._since or self._latest
        if self.groups.held >= _HELD:
            self.pause()

    def due(self) -> bool:
        return bool(self._since) and _waited(self._since, self._latest)

    def pause(self) -> None:
        groups = list(self.groups.take())
        named = {id(under) for group in groups for under in group.under if not under.first.matches}
        for group in groups:
            self._told.add(id(group))
            if self._apart or id(group) not in named:  # its cause has named it, and nothing more is known
                self._write(self._shown(group.first, group))
        self._since = 0.0

    def end(self) -> None:
        self.pause()

    def _write(self, text: str) -> None:
        write(self._between + text)
        self._between = "\n"


class _Whole:
    """One document of all groups, at the end."""

    def __init__(self, options: argparse.Namespace, kept: Kept | None):
        self.groups = Groups()
        self._options = options
        self._kept = kept

    def add(self, found: Diagnosis) -> None:
        self.groups.add(found, apart=self._options.each)

    def pause(self) -> None:
        pass

    def due(self) -> bool:
        return False

    def end(self) -> None:
        from kb import __version__
        from kb.words.speak import words

        only = self._options.report
        groups = [group for group in self.groups.take() if only in (None, group.number)]
        if self._options.html:
            from kb.render.html.document import page

            _put(page(groups, words(self._options.lang), __version__, self._kept), self._options.output)
            return
        if self._options.format == "svg":
            from kb.render.html.card import card

            _put(card(groups, words(self._options.lang)), self._options.output)
            return
        from kb.render.ci import FORMS

        _put(FORMS[self._options.format](groups, words(self._options.lang), __version__), self._options.output)


class _One(_Grouped):
    """The text of the group that one report is of."""

    def __init__(self, shown: Callable[[Diagnosis, Group], str], only: int):
        super().__init__(shown, lambda group: "", apart=True)
        self._only = only

    def pause(self) -> None:
        for group in self.groups.take():
            if group.number == self._only:
                write(self._shown(group.first, group))


def output(options: argparse.Namespace, several: bool, kept: Kept | None = None) -> Output:
    """The form that a command's options ask for.

    Args:
        options: Of ``kb match``.
        several: There may be several inputs, which are to be told apart by their paths.
        kept: The lines of the inputs, for a page that shows them.
    """
    if options.json:
        return _Json(options.report)
    if options.format or options.html:
        return _Whole(options, kept)
    if options.brief:
        from kb.render.text import brief

        return _Each(lambda found, group: brief(found, options.lang) + "\n", options.report)
    from kb.render.text import again, page

    if options.markdown:
        from kb.render.markdown import ticket

        def shown(found: Diagnosis, group: Group) -> str:
            return ticket(found, group, lang=options.lang)

    else:
        look = {"verbose": options.verbose, "color": colored(options.color), "width": width(), "lang": options.lang}

        def shown(found: Diagnosis, group: Group) -> str:
            return page(found, group, paths=several, **look)

    if options.report is not None:
        return _One(shown, options.report)
    return _Grouped(shown, lambda group: again(group, options.lang) + "\n", apart=options.each)


def _put(text: str, path: str | None) -> None:
    """Write a document to a file, or to standard output."""
    if path is None or path == "-":
        write(text)
        return
    from kb.commands import files

    files.write(path, (text.encode("utf-8", "backslashreplace"),), 0o666)


def write(text: str) -> None:
    """Write to standard output, now."""
    sys.stdout.write(text)
    sys.stdout.flush()


def colored(choice: str) -> bool:
    """Whether to colour stdout: only on a terminal, and never where NO_COLOR is set, unless asked to."""
    if choice != "auto":
        return choice == "always"
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width() -> int:
    """Columns of a page."""
    import shutil

    return min(shutil.get_terminal_size((100, 24)).columns, 140)
