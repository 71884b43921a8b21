"""Lines and splats: a log before anything in it is understood."""

from typing import NamedTuple

from kb.model.said import Said

Span = tuple[int, int]
"""First and last physical line of the input, 1-based, both included: what a claim points at."""


class Line(NamedTuple):
    """One logical printk record, its transport's prefix taken off.

    A tuple rather than a dataclass: a log has a hundred thousand of them.
    """

    text: str
    """The message as printk formatted it, without line end; undecodable bytes are surrogate-escaped."""
    number: int
    """First physical line of the input that holds it, 1-based."""
    last: int
    """Last such line: larger than ``number`` where a transport wrapped the record."""
    raw: bytes
    """The bytes of the input, line end included. Records that one physical line held (``#012``) share them."""
    time: float | None = None
    """Seconds since boot (printk's stamp), or None."""
    wall: str | None = None
    """The transport's own time of day as it stood in the log."""
    caller: str | None = None
    """CONFIG_PRINTK_CALLER's id, ``T123`` (task) or ``C1`` (CPU), also from extended netconsole and /dev/kmsg."""
    level: int | None = None
    """printk level 0..7 where the transport tells it."""
    host: str | None = None
    """Host name where the transport tells it (syslog, journal)."""
    boot: str | None = None
    """Boot id where the transport tells it (journal)."""
    continued: bool = False
    """True for the second and later records of one physical line or one multi-line printk."""

    @property
    def span(self) -> Span:
        """The physical lines this record stands on."""
        return (self.number, self.last)


class Doubt(NamedTuple):
    """A line that two reports, printed at once by different CPUs, may claim."""

    line: int
    """Physical line of the input, 1-based."""
    other: int
    """Physical line of the other report's headline."""
    own: bool
    """True where the line stands in this report, False where the other has it."""


class Splat(NamedTuple):
    """The lines of one report, as printed."""

    source: str
    """Name of the input (``-`` for standard input)."""
    lines: tuple[Line, ...]
    opener: int
    """Index in ``lines`` of the line that opens the report (what stands before it is its banner)."""
    release: str | None = None
    """Kernel release of the boot this splat belongs to, from a ``Linux version`` line before it."""
    truncated: Said | None = None
    """Why the splat ends early, when it does: ``cut.log_ends``, ``cut.rebooted``, ``cut.another_report`` ..."""
    doubts: tuple[Doubt, ...] = ()
    """Lines that may be another report's, and lines of others that may be this one's, in the order of the log."""

    @property
    def span(self) -> Span:
        """First and last physical line."""
        return (min(line.number for line in self.lines), max(line.last for line in self.lines))
