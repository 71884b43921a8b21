"""What a screen asks of the app: another screen on top. So no screen has to know the app, or what stands above it."""

from dataclasses import dataclass

from textual.message import Message

from kb.model.log import Span
from kb.tui.lists.item import Item


@dataclass
class ReportWanted(Message):
    """Show a report."""

    item: Item


@dataclass
class NotesWanted(Message):
    """Show and write notes on a signature, or on lines of the log."""

    item: Item
    span: Span | None = None


@dataclass
class CaseWanted(Message):
    """Draft a case from a report."""

    item: Item


@dataclass
class SignatureWanted(Message):
    """Show a signature of the store: where and when it was seen."""

    item: Item


@dataclass
class FileWanted(Message):
    """Write reports to a file, whose name says the format."""

    items: list[Item]
    name: str


@dataclass
class NoteOnAll(Message):
    """Write one note on several signatures."""

    items: list[Item]


@dataclass
class ListWanted(Message):
    """Show all signatures of the store."""

    words: str | None
    """A filter; None: one is to be typed."""
