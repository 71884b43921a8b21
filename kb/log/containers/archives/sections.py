"""Texts that hold the output of many commands, each under a head: a supportconfig's, Android's bugreport.

supportutils: ``#==[ Command ]======#`` and ``# /bin/dmesg -T`` on the next line, or ``Log File`` and the like.
Android's dumpstate: ``------ KERNEL LOG (dmesg) ------``.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from kb.log.containers.walk import Member, Walk, lines_of, pieces
from kb.log.unpack import Read

_SUSE = re.compile(rb"#==\[ ([A-Z][\w /-]{1,40}) \]=")
_ANDROID = re.compile(rb"------ ([A-Z][^\n]{1,200}?) ------\r?\n?$")


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The sections, called as their heads say, and the text before the first."""
    rows = _Rows(lines_of(read))
    title = "head"
    while title:
        if not walk.member():
            return
        yield Member(title, pieces(rows.section()), text=True)
        title = rows.title()


class _Rows:
    """The lines of a text; a section ends where the next begins."""

    def __init__(self, rows: Iterator[bytes]):
        self._rows = rows
        self._next = ""

    def section(self) -> Iterator[bytes]:
        """The lines of the section that is read."""
        for row in self._rows if not self._next else ():
            found = _ANDROID.match(row)
            if found is not None:
                self._next = found[1].decode("utf-8", "replace")
                return
            if _SUSE.match(row):
                self._next = next(self._rows, b"#").decode("utf-8", "replace").strip("# \r\n") or "section"
                return
            yield row

    def title(self) -> str:
        """What the next section is called, empty behind the last."""
        for _ in self.section():
            pass
        title, self._next = self._next, ""
        return title.replace("!", "_")
