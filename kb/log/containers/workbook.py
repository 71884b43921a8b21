"""Sheets of Office Open XML (ECMA-376 part 1, 18.3 and 18.4): the rows of a table, a line each.

A cell's text stands in it, or is a number into the workbook's strings, where each stands once; of cells that were
merged the first has it. Read by the standard library's parser, without what a document may define for itself.
"""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Iterator

from kb.log.containers.export import ordered
from kb.log.containers.export_table import records
from kb.log.containers.walk import Member, Walk, pieces
from kb.log.unpack import Read

_STRINGS = "xl/sharedStrings.xml"
_SHEETS = "xl/worksheets/"
_HOLDERS = frozenset({"sst", "sheetData"})
"""What rows and strings stand in: without this, the parser would keep them all."""
_LARGEST = 32 << 20
"""Bytes of the strings of a workbook, unpacked: a sheet has a million rows at most."""
_NOTE = "line numbers are those of the sheet's rows"


def holds(name: str) -> bool:
    """Whether a member of an archive is a part of a workbook that is read here."""
    return name == _STRINGS or (name.startswith(_SHEETS) and name.endswith(".xml"))


def sheets(name: str, archive: zipfile.ZipFile, walk: Walk) -> Iterator[Member]:
    """The sheets of a workbook, in the order of its parts.

    Args:
        name: Name of the archive.
        archive: The workbook.
        walk: Counts members and bytes.
    """
    names = [each for each in archive.namelist() if holds(each)]
    strings = list(_strings(archive, walk)) if _STRINGS in names else []
    for each in sorted(set(names) - {_STRINGS}, key=lambda one: (len(one), one)):
        if not walk.member():
            return
        with archive.open(each) as opened:
            rows = _rows(opened.read, strings)
            text = ordered(records(rows), walk, f"{name}!{each}")
            yield Member(each.removeprefix(_SHEETS).removesuffix(".xml"), pieces(text), text=True, note=_NOTE)


class _Plain(io.RawIOBase):
    """A document as the parser reads it; one with definitions of its own, which may grow, is refused."""

    def __init__(self, read: Read, most: int | None = None):
        self._read = read
        self._left = most

    def read(self, size: int = -1) -> bytes:
        piece = self._read(size if size > 0 else 1 << 16)
        if b"<!" in piece.replace(b"<![CDATA[", b""):
            raise ValueError("a document with definitions")
        if self._left is not None:
            self._left -= len(piece)
            if self._left < 0:
                raise ValueError("too many strings")
        return piece


def _elements(read: Read, name: str, most: int | None = None) -> Iterator[ElementTree.Element]:
    """The elements of a name, each let go behind its use; damage ends them."""
    try:
        holder: ElementTree.Element | None = None
        for event, element in ElementTree.iterparse(_Plain(read, most), ("start", "end")):
            if _local(element) in _HOLDERS:
                holder = element
            elif event == "end" and _local(element) == name:
                yield element
                if holder is not None:
                    holder.clear()
    except (ElementTree.ParseError, ValueError, zipfile.BadZipFile):
        return


def _strings(archive: zipfile.ZipFile, walk: Walk) -> Iterator[str]:
    with archive.open(_STRINGS) as opened:
        yield from map(_text, _elements(walk.counted(opened.read, _STRINGS, []), "si", _LARGEST))


def _rows(read: Read, strings: list[str]) -> Iterator[list[str]]:
    for row in _elements(read, "row"):
        yield [_cell(cell, strings) for cell in row if _local(cell) == "c"]


def _cell(cell: ElementTree.Element, strings: list[str]) -> str:
    if cell.get("t") == "inlineStr":
        return _text(cell)
    value = next((each.text or "" for each in cell if _local(each) == "v"), "")
    if cell.get("t") != "s":
        return value
    at = int(value) if value.isdecimal() and len(value) < 9 else len(strings)
    return strings[at] if at < len(strings) else ""


def _text(element: ElementTree.Element) -> str:
    """The runs of a text, without what says how to pronounce them."""
    runs = (each for part in element if _local(part) != "rPh" for each in part.iter() if _local(each) == "t")
    return "".join(run.text or "" for run in runs)


def _local(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]
