"""Reports recorded into the store; what is returned is there. Nothing else in the service writes sightings."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kb.serve import webhook
from kb.serve.forms import Recorded

if TYPE_CHECKING:
    from kb.records import Records
    from kb.serve.intake.reassembly import Held
    from kb.serve.metrics import Metrics
    from kb.serve.settings import Webhook
    from kb.serve.work import Found


@dataclass(frozen=True, slots=True)
class Origin:
    """What the sender of a log says of it."""

    source: str | None = None
    host: str | None = None
    key: str | None = None
    """The sender's own name of the log."""


class Keeper:
    """Records reports. Its calls are for threads: they wait for the disk.

    Args:
        base: Whose store.
        metrics: Count.
        hook: Who is told.
    """

    def __init__(self, base: Records, metrics: Metrics, hook: Webhook | None):
        self._base = base
        self._metrics = metrics
        self._hook = hook

    def log(self, found: Iterable[Found], origin: Origin) -> list[Recorded]:
        """Record the reports of a log."""
        return [
            self._kept(each, origin.source, origin.host, f"{origin.key}#{number}" if origin.key else None)
            for number, each in enumerate(found, 1)
        ]

    def live(self, reports: Iterable[Held], source: str, host: str | None, boot: str) -> None:
        """Record reports that came in bit by bit."""
        from kb.identity.event import event

        for each in reports:
            # which boot it is, the lines no longer say; two collectors that send one report tell of one event
            key = f"live {boot} {event(each.found.report, 'live', host)}"
            self._kept(each.found, source, host, key, _time(each.stamp))

    def _kept(
        self, found: Found, source: str | None, host: str | None, key: str | None, seen: str | None = None
    ) -> Recorded:
        report, tell = found.report, None
        if self._hook is not None:
            tell = webhook.message(self._hook, found, source or report.source, host or report.host)
        made = self._base.record(report, source=source, host=host, key=key, seen=seen, tell=tell)
        self._metrics.recorded(int(made.new and made.count == 1))
        return Recorded(
            signature=made.signature,
            title=report.title,
            kind=report.kind,
            new=made.new,
            count=made.count,
            first=made.first.seen if made.first is not None else None,
            href=f"/signatures/{made.signature}",
        )


def _time(stamp: int | None) -> str | None:
    """Nanoseconds since 1970 as the store has them; None for a time that is none, or has not come yet."""
    if stamp is None or not 0 < stamp < time.time_ns() + 86_400 * 10**9:
        return None
    from kb.log.containers.exports.records import iso

    return iso(stamp)
