"""What happened: reports recorded into a store, and what people say of them."""

from __future__ import annotations

import os
from _thread import allocate_lock  # threading would cost every quiet log a millisecond
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from kb.model.report import Report
    from kb.model.verdict import Annotation, Sighting
    from kb.store import Shown, Store
    from kb.store.base import Tell
    from kb.store.forget import Forgotten


class Records:
    """A store that is opened on first use and shared by threads, each of which has a connection of its own.

    Args:
        path: As :class:`kb.api.KnowledgeBase`.
    """

    def __init__(self, path: str | Path | None = None):
        self._path = path
        self._default: Path | None = None
        self._store: Store | None = None
        self._closed = False
        self._lock = allocate_lock()

    @property
    def path(self) -> Path:
        """The store's file, which need not be there yet."""
        from pathlib import Path

        if self._path is not None:
            return Path(self._path)
        if self._default is None:  # asked for each report
            from kb.store import default_path

            self._default = default_path()
        return self._default

    @property
    def named(self) -> bool:
        """Whether somebody named the store, here or in ``$KB_DB``."""
        return self._path is not None or bool(os.environ.get("KB_DB"))

    @property
    def store(self) -> Store:
        """The store, opened (and made) on first use; folders are made for the default place only.

        Raises:
            StoreError: It cannot be used, the base is closed, or the folder of a place that was named is not there.
        """
        from kb.errors import StoreError

        with self._lock:
            if self._closed:
                help_ = "make another one: close() ends all use"
                raise StoreError("the knowledge base is closed", path=str(self.path), help=help_)
            if self._store is None:
                from kb.store import Store

                if self.named and not self.path.parent.is_dir():
                    reason, help_ = f"the folder {self.path.parent} is not there", "make it, or name another place"
                    raise StoreError(reason, path=str(self.path), help=help_)
                self._store = Store(self._path)
            return self._store

    @property
    def known(self) -> Store | None:
        """The store if its file is there, None otherwise: reading makes none."""
        return self.store if self._store is not None or os.path.exists(self.path) else None

    def record(
        self, report: Report, *, source: str | None = None, host: str | None = None, seen: str | None = None,
        key: str | None = None, tell: Tell | None = None,
    ) -> Sighting:  # fmt: skip
        """Store one sighting of a report's signature, with the raw text as evidence; each event counts once.

        What was recorded before changes nothing: the sighting is returned as it was then, with ``new`` False. With a
        ``key`` that alone decides. Without, it is the same report of the same source and host at the same printk time,
        or the n-th equal one of an input that prints no time (docs/store.md).

        Args:
            report: From :func:`kb.api.read`.
            source: Where it came from (``ticket:4711``); the input's name by default.
            host: Host it happened on; what the log says by default.
            seen: UTC time in ISO 8601; now by default.
            key: The caller's own name of the event (``ticket:4711#3``): one a report, not one a log.
            tell: Makes a message for the outbox, written together with the sighting; not for what was there already.

        Raises:
            UsageError: The key is empty.
        """
        from kb.identity.event import event
        from kb.identity.signature import signature

        _check_key(key)
        mark = signature(report)
        source, host = source or report.source, host or report.host
        sighting = self.store.record(
            mark.id,
            title=mark.title,
            kind=report.kind,
            key=mark.key,
            alt=mark.alt,
            former=mark.former,
            source=source,
            host=host,
            kernel=report.kernel,
            seen=seen,
            evidence=raw_text(report),
            event=f"key {key}" if key is not None else f"report {event(report, source, host)}",
            tell=tell,
        )
        if sighting.signature == mark.id:  # not so for a key that was another report's
            from kb.recall import remember

            remember(self.store, report, mark)
        return sighting

    def annotate(self, subject: Report | str, body: str, *, author: str, key: str | None = None) -> Annotation:
        """Add a note to a report's signature, or to a subject by name (``case:<id>``, ``signature:kb1:...``).

        Args:
            subject: A report, or the name.
            body: The text.
            author: Who says so.
            key: The caller's own name of the note: when it comes again, the note that is there is returned as it is.

        Raises:
            UsageError: A text or a key of nothing but blanks.
            StoreError: The store cannot be written.
        """
        from kb.errors import UsageError
        from kb.identity.signature import signature

        if not body.strip():
            raise UsageError("an annotation needs a text")
        _check_key(key)
        name = subject if isinstance(subject, str) else f"signature:{signature(subject).id}"
        return self.store.annotate(name, body, author=author, key=key)

    def show(self, prefix: str) -> Shown:
        """A signature by the beginning of its id: its sightings, evidence and annotations.

        Raises:
            UsageError: No signature begins so, or several do.
            StoreError: The store cannot be read.
        """
        return self.store.show(prefix)

    def forget(
        self,
        *,
        source: str | None = None,
        host: str | None = None,
        before: str | datetime | None = None,
        dry_run: bool = False,
    ) -> Forgotten:
        """Take out of the store what matches all criteria given, for good: docs/personal-data.md says what matches.

        Args:
            source: Where logs came from, as recorded (``ticket:4711``).
            host: Host name as recorded.
            before: Everything earlier: ISO 8601, UTC where it names no offset.
            dry_run: Only tell what would go.

        Raises:
            UsageError: No criterion, a date that is none, or no store.
            StoreError: The store cannot be written, or another process keeps its file from being cleared.
        """
        from kb.errors import UsageError
        from kb.store.forget import forget

        store = self.known
        if store is None:
            raise UsageError(f"there is no store at {self.path}", help="name another file with --db or KB_DB")
        return forget(store, source=source, host=host, before=before, dry_run=dry_run)

    def close(self) -> None:
        """Close the store, if it was opened, for all threads."""
        with self._lock:
            self._closed = True
            if self._store is not None:
                self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _check_key(key: str | None) -> None:
    if key is not None and not key.strip():
        from kb.errors import UsageError

        raise UsageError("a key needs a text", help="None, where there is none: an empty one would name every event")


def raw_text(report: Report) -> bytes:
    """The bytes of a report's lines as they stood in the input, each physical line once, all pieces of a long one."""
    seen: dict[int, dict[int, bytes]] = {}
    for line in report.lines:
        seen.setdefault(line.number, {})[id(line.raw)] = line.raw
    rows = (b"".join(seen[number].values()) for number in sorted(seen))
    return b"".join(row if row.endswith((b"\n", b"\r")) else row + b"\n" for row in rows)
