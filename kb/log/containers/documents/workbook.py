"""Sheets of Office Open XML (ECMA-376 part 1, 18.3 and 18.4): the rows of a table, a line each.

A cell's text stands in it, or is a number into the workbook's strings, where each stands once; of cells that were
merged the first has it. Read by the standard library's parser, without what a document may define for itself.
"""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Iterator

from kb.log.containers.exports.records import ordered
from kb.log.containers.exports.table import records
from kb.log.containers.walk import Member, Walk, pieces
from kb.log.unpack import Read

_STRINGS = "xl/sharedStrings.xml"
_SHEETS = "xl/worksheets/"
_HOLDERS = frozenset({"sst", "sheetData"})
"""What rows and strings stand in: without this, the parser would keep them all."""
_LARGEST = 32 << 20
"""Bytes of the strings of a workbook, unpacked: a sheet has a million rows at most."""
_CELL = 32_767
"""Characters of a cell (the limits of Excel's specification); a string may be used by any number of them."""
_ROW = 1 << 20
"""Characters of a row."""
_ELEMENTS = 100_000
"""Elements within one row or string, and beside them: a row has 16,384 cells at most."""
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
            rows = _rows(walk.counted(opened.read, f"{name}!{each}", []), strings, walk)
            text = ordered(records(rows), walk, f"{name}!{each}")
            yield Member(each.removeprefix(_SHEETS).removesuffix(".xml"), pieces(text), text=True, note=_NOTE)


class _Plain(io.RawIOBase):
    """A document as the parser reads it; one with definitions of its own, which may grow, is refused."""

    def __init__(self, read: Read, most: int | None = None):
        self._read = read
        self._left = most
        self._last = b""

    def read(self, size: int = -1) -> bytes:
        piece = self._read(size if size > 0 else 1 << 16)
        if b"<!" in self._last + piece:
            raise ValueError("definitions of its own")
        self._last = piece[-1:]
        if self._left is not None:
            self._left -= len(piece)
            if self._left < 0:
                raise ValueError(f"more than {_LARGEST} bytes of strings")
        return piece


def _elements(read: Read, name: str, walk: Walk, most: int | None = None) -> Iterator[ElementTree.Element]:
    """The elements of a name, each let go behind its use; damage ends them, and a bound the walk."""
    try:
        holder: ElementTree.Element | None = None
        alive = 0
        for event, element in ElementTree.iterparse(_Plain(read, most), ("start", "end")):
            alive += event == "start"
            if alive > _ELEMENTS:
                raise ValueError(f"more than {_ELEMENTS} elements in one row")
            if _local(element) in _HOLDERS:
                holder = element
            elif event == "end" and _local(element) == name:
                yield element
                if holder is not None:
                    holder.clear()
                    alive = 0
    except (ElementTree.ParseError, zipfile.BadZipFile) as error:
        walk.say(name, f"a part of the workbook is cut or damaged: {error}")
    except ValueError as error:
        walk.stop(f"is a workbook with {error}", "save its sheet as CSV, and give that")


def _strings(archive: zipfile.ZipFile, walk: Walk) -> Iterator[str]:
    with archive.open(_STRINGS) as opened:
        yield from map(_text, _elements(walk.counted(opened.read, _STRINGS, []), "si", walk, _LARGEST))


def _rows(read: Read, strings: list[str], walk: Walk) -> Iterator[list[str]]:
    for row in _elements(read, "row", walk):
        cells: list[str] = []
        left = _ROW
        for cell in row:
            if _local(cell) == "c" and left > 0:
                cells.append(_cell(cell, strings)[:_CELL])
                left -= len(cells[-1])
        yield cells


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
