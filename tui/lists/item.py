"""A report of a log, or a signature of the store, as the lists hold it."""

from dataclasses import dataclass

from kb.model.log import Span
from kb.model.verdict import Diagnosis, Match
from kb.render.answer import severity


@dataclass(slots=True)
class Item:
    """A row of the triage list."""

    number: int
    """Index in the log, or row id in the store."""
    signature: str
    title: str
    kind: str
    kernel: str | None = None
    count: int = 1
    first: str = ""
    last: str = ""
    case: str | None = None
    verdict: str = ""
    """``yes``, ``maybe``, ``none`` (no case matches), or nothing: not looked at yet."""
    corrupted: str | None = None
    source: str = ""
    span: Span = (0, 0)
    host: str | None = None
    hosts: int = 0
    """Hosts it was seen on, in the store."""
    severity: str = ""
    """``harmless``, ``watch``, ``act`` or ``stop``."""
    fix: str = ""
    """Whether the kernel has the fix of the case: ``affected``, ``fixed``, or nothing where that is not known."""
    at: float | None = None
    """Seconds since boot."""
    same: object = None
    """What reports that say the same have in common."""
    follows: int | None = None
    """Number of the report that it follows on from."""
    spark: str = ""
    """Of the store: when it was seen."""
    sample: int | None = None
    """Of the store: which of its logs is shown; None: the latest that bears the signature."""

    @property
    def key(self) -> str:
        """Names the log of a signature that is shown."""
        return self.signature if self.sample is None else f"{self.signature}#{self.sample}"

    @property
    def mark(self) -> str:
        """Tells rows apart: reports of a log may share a signature."""
        return f"{self.signature}:{self.number}"

    @property
    def words(self) -> str:
        """What a filter looks in, lower case."""
        parts = (self.title, self.kind, self.kernel, self.case, self.host, self.source, self.verdict, self.fix)
        return " ".join(part for part in parts if part).lower()


def item_of(number: int, found: Diagnosis) -> Item:
    """A diagnosis as a row."""
    report, best = found.report, found.best
    when = report.wall or (f"{report.time:.6f}" if report.time is not None else "")
    return Item(
        number=number,
        signature=found.signature.id,
        title=report.title,
        kind=report.kind,
        kernel=report.kernel,
        count=int(report.fields.get("count", 1)) if report.kind == "notice" else 1,
        first=when,
        last=when,
        case=best.case.id if best else None,
        verdict=best.standing if best else "none",
        corrupted=report.corrupted,
        source=report.source,
        span=report.span,
        host=report.host,
        severity=severity(found),
        fix=fix_of(best),
        at=report.time,
        same=_same(found),
    )


def fix_of(best: Match | None) -> str:
    """Whether the kernel has the fix, where that is known."""
    return best.fix_status if best is not None and best.fix_status in ("affected", "fixed") else ""


def _same(found: Diagnosis) -> object:
    """What equal reports have in common: the problem, the cause, what is known, whether it is whole."""
    report = found.report
    known = tuple((match.case.id, match.verdict, match.fix_status) for match in found.matches)
    return report.kind, report.title, found.signature.id, found.facts.cause, known, bool(report.damage)
