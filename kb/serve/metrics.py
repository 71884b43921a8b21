"""What a service counts, for Prometheus. Labels are routes, codes and kinds alone: what a log says is unbounded."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from kb.serve.intake.reassembly import Reassembly
from kb.serve.pool import Pool

MEDIA = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """A registry of the service's own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter("kb_requests", "Requests answered", ("route", "code"), registry=self._registry)
        self._reports = Counter("kb_reports", "Reports read, by kind", ("kind",), registry=self._registry)
        self._known = Counter("kb_reports_known", "Reports that matched a known case", registry=self._registry)
        self._new = Counter("kb_signatures_new", "Signatures recorded for the first time", registry=self._registry)
        self._taken = Counter("kb_intake_lines", "Lines of live logs taken", ("source",), registry=self._registry)
        self._told = Counter("kb_webhook_tries", "Messages sent to the webhook", ("taken",), registry=self._registry)
        self._boots = Gauge("kb_intake_boots", "Boots of which lines are held", registry=self._registry)
        self._held = Gauge("kb_intake_bytes", "Bytes of lines that are held", registry=self._registry)
        self._unread = Gauge("kb_intake_lines_lost", "Lines that no worker could read", registry=self._registry)
        self._seconds = Histogram("kb_match_seconds", "Time a log took, waiting included", registry=self._registry)
        self._lost = Gauge("kb_workers_lost", "Workers that died or were ended", registry=self._registry)
        self._busy = Gauge("kb_workers_busy", "Workers that read a log", registry=self._registry)
        self._queued = Gauge("kb_requests_waiting", "Requests that wait for a worker", registry=self._registry)

    def answered(self, route: str, status: int) -> None:
        """Count a request."""
        self._requests.labels(route, str(status)).inc()

    def matched(self, kinds: Iterable[str], known: int, seconds: float) -> None:
        """Count the reports of a log."""
        for kind in kinds:
            self._reports.labels(kind).inc()
        self._known.inc(known)
        self._seconds.observe(seconds)

    def read(self, kinds: Iterable[str]) -> None:
        """Count the reports of a live log."""
        for kind in kinds:
            self._reports.labels(kind).inc()

    def recorded(self, new: int) -> None:
        """Count signatures that were not there before."""
        self._new.inc(new)

    def taken(self, source: str, lines: int) -> None:
        """Count lines of a live log."""
        self._taken.labels(source).inc(lines)

    def told(self, taken: bool) -> None:
        """Count a try to send a message."""
        self._told.labels("yes" if taken else "no").inc()

    def text(self, pool: Pool, intake: Reassembly) -> bytes:
        """All of it, as Prometheus reads it."""
        self._boots.set(intake.boots)
        self._held.set(intake.size)
        self._unread.set(intake.lost)
        self._lost.set(pool.lost)
        self._busy.set(pool.busy)
        self._queued.set(pool.queued)
        return generate_latest(self._registry)
