"""What a conversation remembers: the logs, the subject, the last list and the last question."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from kb.identity.signature import signature
from kb.model.case import Case
from kb.model.log import Line
from kb.model.report import Report, Signature
from kb.model.verdict import Diagnosis, Match

if TYPE_CHECKING:
    from kb.api import KnowledgeBase
    from kb.chat.phrases import Example, Phrases


@dataclass
class Log:
    """A loaded input."""

    name: str
    data: bytes

    @cached_property
    def lines(self) -> list[bytes]:
        """Its physical lines, without line ends."""
        rows = self.data.split(b"\n")
        if rows and not rows[-1]:
            rows.pop()
        return [row.removesuffix(b"\r") for row in rows]

    @cached_property
    def records(self) -> tuple[Line, ...]:
        """Its records, with the time and the host that each bears."""
        from kb.log.reader import Reader

        return tuple(Reader(self.data, self.name).lines())


@dataclass
class Entry:
    """One report of the conversation."""

    number: int
    """1-based, over all logs in the order they were loaded."""
    log: Log
    report: Report
    base: "KnowledgeBase"

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """Made when it is first asked about."""
        return self.base.diagnose(self.report)

    @cached_property
    def mark(self) -> Signature:
        """Its identity, without a diagnosis: logs of thousands of reports are compared by it."""
        return signature(self.report)


@dataclass
class State:
    """The memory of one conversation."""

    base: "KnowledgeBase"
    author: str
    folder: str = "."
    """Where drafts of cases are written."""
    off: frozenset[str] = frozenset()
    """Questions that are not carried out here: what reads (``load``) or writes files (``file_case``)."""
    say: "Phrases | None" = None
    """Phrases of the language in use."""
    logs: list[Log] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    current: Entry | None = None
    chosen: Case | None = None
    """A case that was asked for by name; the subject until a report is."""
    listed: tuple[str, ...] = ()
    """Ids of the cases that the last answer listed; "the second one" is one of them."""
    offered: str | None = None
    """What the last line may have been meant as; "yes" asks it."""
    last: str | None = None
    """The last question's kind."""
    asked: dict[str, str] = field(default_factory=dict)
    """What the last question was about (``hex``, ``names``, ``order``), for "and on 5.14?"."""

    @property
    def p(self) -> "Phrases":
        """The phrases of the language in use."""
        assert self.say is not None
        return self.say

    @property
    def entry(self) -> Entry:
        """The current report, for answers that are only asked with one."""
        assert self.current is not None
        return self.current

    def logged(self, word: str) -> bool:
        """Whether a word stands in a log as a whole."""
        pattern = re.compile(rb"(?<!\w)" + re.escape(word.encode()) + rb"(?!\w)", re.IGNORECASE)
        return any(pattern.search(log.data) for log in self.logs)

    def examples(self, say: "Phrases | None" = None) -> "tuple[Example, ...]":
        """Questions that can be asked here."""
        return tuple(example for example in (say or self.p).examples if example.kind not in self.off)

    @property
    def match(self) -> Match | None:
        """The best match of the current report."""
        return self.current.diagnosis.best if self.current is not None else None

    @property
    def case(self) -> Case | None:
        """The case in question: the one asked for by name, else the one that the current report matches."""
        if self.chosen is not None:
            return self.chosen
        return self.match.case if self.match is not None else None

    @property
    def subject(self) -> str | None:
        """What the conversation is about."""
        if self.chosen is not None:
            return f"case {self.chosen.id}"
        return self.current.report.title if self.current is not None else None

    def source(self, entry: Entry) -> str | None:
        """The log's name for citations, needed where several are loaded: its last part where that tells it."""
        if len(self.logs) < 2:
            return None
        last = entry.log.name.rpartition("/")[2]
        others = sum(log.name.rpartition("/")[2] == last for log in self.logs)
        return last if last and others == 1 else entry.log.name

    def use(self, entry: Entry) -> None:
        """Make a report the subject."""
        self.current, self.chosen = entry, None

    def show(self, case: Case) -> None:
        """Make a case the subject."""
        self.chosen = case
