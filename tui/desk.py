"""What stands behind the screens: the log or the store, and the threads that read them.

All parsing, diagnosing and writing is done by one thread, a short step at a time, so that nothing needs a lock and a
request of the person at the keys is never far behind in the queue. Pages and searches of the store have a thread each.
"""

import asyncio
import contextlib
import getpass
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from kb import api
from kb.cases.library import samples
from kb.errors import CaseError, KbError
from kb.model.case import Case
from kb.model.report import Report
from kb.model.verdict import Diagnosis
from kb.tui.doc import Doc
from kb.tui.feed import Feed
from kb.tui.lists.item import Item, item_of

T = TypeVar("T")

STEP = 0.02
"""Seconds of reading between two looks at what else is to be done."""
KEPT = 40
"""Diagnoses that are kept, some 100 kB each; others are made again from the text when they are looked at."""
STALLS = ("soft_lockup", "hard_lockup", "rcu_stall", "csd_lock", "workqueue_lockup")
KIN = {"hung_task": ("hung_task",), **dict.fromkeys(STALLS, STALLS)}
"""Kinds whose reports of one log are seen together."""
NOTICE = "notice"
KIN_KEPT = 300
"""Of those and of notices so many are kept: they are small."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A step of reading."""

    found: tuple[Item, ...]
    said: str
    """How far it is."""
    fresh: bool = False
    """What was found before is found again: forget it."""
    idle: bool = False
    """Nothing came: no hurry with the next step."""


@dataclass(frozen=True, slots=True)
class Near:
    """A neighbour of a report."""

    subject: str
    """``kb1:...`` or ``case:<id>``."""
    title: str
    score: float
    because: str
    pairs: tuple[tuple[str, str], ...]
    """Both stacks, outwards: ``(ours, theirs)``, empty where one lacks the frame."""
    same: bool | None
    """What was declared: one problem, not, or nothing."""


@dataclass
class Desk:
    """The session: a log (``files`` or ``text``) or the store, and the knowledge base.

    Args:
        base: Cases and store.
        files: Logs to read; empty for the store.
        feed: Standard input, where that is the log.
        kernel: Release to assume where the log prints none.
        folders: Folders of cases beyond the packaged ones and ``$KB_CASES``.
    """

    base: api.KnowledgeBase
    files: tuple[str, ...] = ()
    feed: Feed | None = None
    kernel: str | None = None
    folders: tuple[str, ...] = ()
    author: str = field(default_factory=lambda: _author())
    docs: dict[str, Doc] = field(default_factory=dict)
    closed: bool = False
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    """What "this week" is counted from."""

    def __post_init__(self) -> None:
        self._work = ThreadPoolExecutor(1, "kb-work")
        self._diagnoses: dict[int | str, Diagnosis] = {}
        self._broken: tuple[CaseError, ...] | None = None
        self._gathered: dict[int, tuple[tuple[tuple[str, bytes], ...], tuple[str, ...]]] = {}
        """Of reports of an archive: what it says of the machine, and where else the event is told."""

    @property
    def of_log(self) -> bool:
        """True when the desk shows a log rather than the store."""
        return bool(self.files) or self.feed is not None

    @property
    def name(self) -> str:
        """What is shown, for the head of the screen."""
        if self.feed is not None:
            return "standard input"
        if len(self.files) == 1:
            return self.files[0]
        return f"{len(self.files)} logs" if self.files else str(self.base.path)

    @property
    def first(self) -> Doc | None:
        """The first log that is not empty, before what else an archive holds."""
        filled = [doc for doc in self.docs.values() if len(doc)]
        return min(filled, key=lambda doc: api.no_log(doc.name), default=None)

    def load_cases(self) -> tuple[CaseError, ...]:
        """Read the cases, once; those that are broken are left out and told. On the working thread."""
        if self._broken is None:
            self._broken = self.base.reload(*self.folders, skip_broken=True).errors
        return self._broken

    def case(self, case_id: str) -> Case | None:
        """A case. On the working thread."""
        self.load_cases()
        return self.base.case(case_id)

    def add_folder(self, folder: str) -> None:
        """Match against the cases of another folder too, and read all of them afresh. On the working thread."""
        if folder not in self.folders:
            self.folders = (*self.folders, folder)
        self._broken = None
        self._diagnoses.clear()

    def diagnose(self, report: Report) -> Diagnosis:
        """A report against the library. On the working thread."""
        self.load_cases()
        return self.base.diagnose(report, kernel=self.kernel)

    def do(self, work: Callable[..., T], *args: object) -> "asyncio.Future[T]":
        """Run something on the working thread, behind what was asked of it before: parsing, diagnosing, and all use of
        ``base.store``. Who is cancelled while waiting takes it back if it has not begun; writers shield themselves.
        """
        return asyncio.get_running_loop().run_in_executor(self._work, work, *args)

    def steps(self) -> Iterator[Progress]:
        """Read the log. For :meth:`do`, one ``next`` a step."""
        if self.feed is None:
            yield from self._read(self.files)
            return
        read, took = -1, 0.0
        while not self.closed:
            self.feed.poll()
            # a log that is still written is read again from its start: the more that costs, the more seldom
            if self.feed.size != read and self.feed.quiet and time.monotonic() > took:
                read, began = self.feed.size, time.monotonic()
                self._diagnoses.clear()
                yield Progress((), "", fresh=True)
                yield from self._read(self.feed.data)
                took = time.monotonic() + 5 * (time.monotonic() - began)
            elif self.feed.ended and self.feed.size == read:
                return
            else:
                yield Progress((), f"{self.feed.size:,} bytes from standard input", idle=True)

    def _read(self, log: bytes | tuple[str, ...]) -> Iterator[Progress]:
        number = 0
        found: list[Item] = []
        places: list[int] = []  # numbers of the reports of this input: what follows is told by its place among them
        end = ("", 0)
        since = time.monotonic()
        notices: list[Report] = []
        for each in api.documents(log, in_place=self._opened, notices=True):
            if not isinstance(each, Report):
                yield Progress(tuple(found), each.name)
                found, since = [], time.monotonic()
                self.docs[each.name] = Doc.of(each.name, each.data, each.notes)
                continue
            if each.kind == NOTICE:
                notices += [each] if not number else []
                continue
            notices.clear()
            places = places if (each.source, each.span[0]) >= end and each.source == end[0] else []
            end = each.source, each.span[0]
            item = self._item(number, each)
            if each.follows is not None and each.follows < len(places):
                item.follows = places[each.follows]
            places.append(number)
            found.append(item)
            if each.beside or each.sources:
                self._gathered[number] = each.beside, each.sources
            number += 1
            if number == 1 or time.monotonic() - since > STEP:
                yield Progress(tuple(found), f"line {each.span[1]:,}, {self.docs[each.source].read:.0%} read")
                found, since = [], time.monotonic()
        yield Progress(tuple(found), f"{sum(map(len, self.docs.values())):,} lines read")
        # what is to be seen in a log without a report: the single messages that a case can explain
        for number, each in enumerate(notices):
            yield Progress((self._item(number, each),), "notices")

    def _opened(self, each: "api.Input") -> None:
        self.docs[each.name] = Doc.in_file(each)

    def _item(self, number: int, report: Report) -> Item:
        found = self.diagnose(report)
        if len(self._diagnoses) < (KIN_KEPT if report.kind in (*KIN, NOTICE) else KEPT):
            self._diagnoses[number] = found
        return item_of(number, found)

    def diagnosis(self, item: Item) -> Diagnosis | None:
        """The diagnosis of a row, made again where it is not at hand; None where the store keeps no log of it."""
        key: int | str = item.number if self.of_log else item.key
        known = self._diagnoses.get(key)
        if known is None:
            known = self._again(item) if self.of_log else self._from_store(item)
            if known is not None:
                if len(self._diagnoses) >= KEPT:
                    gone = next(iter(self._diagnoses))
                    self._diagnoses.pop(gone)
                    if not self.of_log:
                        self.docs.pop(str(gone), None)
                self._diagnoses[key] = known
        return known

    def _again(self, item: Item) -> Diagnosis | None:
        doc = self.docs[item.source]
        first, last = item.span
        # empty lines in front keep the numbers of the lines what they are
        text = b"\n" * (first - 1) + doc.span(first, last)
        beside, sources = self._gathered.get(item.number, ((), ()))
        read = api.notices(text) if item.kind == NOTICE else api.reports(text)
        found = (replace(report, source=doc.name, beside=beside, sources=sources) for report in read)
        return self._best(found, item)

    def _from_store(self, item: Item) -> Diagnosis | None:
        shown = self.base.show(item.signature)
        logs = shown.evidence
        if item.sample is not None and item.sample < len(logs):
            logs = (logs[item.sample],)
        for sample in reversed(logs):
            found = self._best(api.reports(sample.text, sample.source), item)
            if found is not None:
                self.docs[item.key] = Doc.of(sample.source, sample.text)
                return found
        return None

    def _best(self, reports: Iterable[Report], item: Item) -> Diagnosis | None:
        """The diagnosis of the report that bears the row's signature, else of the first one."""
        first: Diagnosis | None = None
        for report in reports:
            if report.kernel is None and item.kernel is not None:
                report = replace(report, kernel=item.kernel)
            found = self.diagnose(report)
            if found.signature.id == item.signature:
                return found
            first = first or found
        return first

    def drafts(self) -> frozenset[str]:
        """Signatures with a note of this person that is not saved yet. On the working thread."""
        store = self.base.known
        subjects = store.drafts(self.author) if store is not None else ()
        return frozenset(subject.removeprefix("signature:") for subject in subjects if subject.startswith("signature:"))

    def kin(self, item: Item, kinds: Sequence[str]) -> list[Diagnosis]:
        """Diagnoses of the same log and of these kinds, in its order, as far as they are at hand."""
        if not self.of_log:
            return []
        known = sorted(
            ((number, found) for number, found in self._diagnoses.items() if isinstance(number, int)),
            key=lambda pair: pair[0],
        )
        return [each for _, each in known if each.report.source == item.source and each.report.kind in kinds]

    def sample(self, found: Diagnosis) -> list[str]:
        """The stack of the best case's first sample, innermost function first; empty where there is none."""
        if found.best is None or not found.best.case.path:
            return []
        for path in samples(Path(found.best.case.path).parent, "match-*.log"):
            try:
                for report in api.read(path):
                    if report.kind == found.report.kind:
                        return [frame.function for frame in report.frames if frame.reliable]
            except KbError:
                continue
        return []

    def near(self, found: Diagnosis) -> list[Near]:
        """Neighbours of a report in the store, best first, with what people declared about them."""
        store = self.base.known  # without one the known fixes are near, and nobody has declared a thing
        from kb.store.duplicates import Duplicates

        declared = Duplicates(store) if store is not None else None
        same = declared.same_as(found.signature.id) if declared else ()
        out = []
        for each in self.base.similar(found.report, limit=20):
            subject = f"case:{each.entry.case}" if each.entry.case else each.entry.signature
            history = declared.history(found.signature.id, subject) if declared else ()
            verdict = True if subject in same else history[-1].same if history else None
            pairs = tuple(each.explained())
            out.append(Near(subject, each.entry.title, each.score, each.because, pairs, verdict))
        return out

    def declare_all(self, signatures: Sequence[str]) -> None:
        """Keep that several signatures are one problem."""
        from kb.store.duplicates import Duplicates

        declared = Duplicates(self.base.store)
        for other in signatures[1:]:
            declared.declare(signatures[0], other, same=True, author=self.author)

    def annotate_all(self, subjects: Sequence[str], body: str) -> None:
        """Keep one note on several subjects. On the working thread."""
        for subject in subjects:
            self.base.store.annotate(subject, body, author=self.author)

    def declare(self, found: Diagnosis, subject: str, same: bool) -> None:
        """Keep what a person says of two ids: one problem, or not."""
        from kb.store.duplicates import Duplicates

        Duplicates(self.base.store).declare(found.signature.id, subject, same=same, author=self.author)

    def doc(self, item: Item) -> Doc | None:
        """The text a row's lines are numbered in."""
        return self.docs.get(item.source if self.of_log else item.key)

    def close(self) -> None:
        """Let the threads go; what is being written is finished first."""
        self.closed = True
        with contextlib.suppress(RuntimeError):
            self._work.submit(self.base.close)
        self._work.shutdown(wait=True, cancel_futures=False)


def _author() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without a user database
        return "unknown"
