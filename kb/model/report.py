"""Reports: what the grammars read out of a splat."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING

from kb.model.log import Doubt, Line, Span
from kb.model.said import Said, joined

if TYPE_CHECKING:
    from kb.model.memory import MemInfo, OomTask

_NUMBER, _LAST = attrgetter("number"), attrgetter("last")


@dataclass(frozen=True, slots=True)
class Frame:
    """One entry of a stack trace."""

    function: str
    """Symbol as printed, compiler suffixes included."""
    offset: int | None = None
    """Bytes from the start of the symbol, None where the trace does not print it."""
    size: int | None = None
    """Size of the symbol in bytes, None where not printed."""
    module: str | None = None
    reliable: bool = True
    """False for ``? function`` entries: an address found on the stack that may be left over."""
    address: int | None = None
    source: str | None = None
    """``file.c:123`` of a symbolised log."""
    inline: bool = False
    line: int = 0
    """Physical line of the input, 1-based."""
    build: str | None = None
    """Module build id (CONFIG_STACKTRACE_BUILD_ID)."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One stack of a report: the main one, or an ``Allocated by task`` and the like."""

    role: str
    """``main``, ``irq``, ``allocated``, ``freed``, ``origin``, ``first``, ``other_cpu``, ``registers`` ..."""
    title: str
    """The line that introduced it, as printed."""
    frames: tuple[Frame, ...]
    line: int
    task: str | None = None
    """``comm:pid`` where the introduction names it."""
    cpu: int | None = None
    breaks: tuple[int, ...] = ()
    """Indices in ``frames`` at which an interrupted context begins (a register dump or an ``<EOI>`` mark)."""


@dataclass(frozen=True, slots=True)
class Registers:
    """Where the CPU was: the symbol of the program counter and what the register dump adds."""

    frame: Frame | None = None
    """Program counter (RIP, EIP, pc, NIP, PSW, epc, era) resolved to a symbol."""
    pc: int | None = None
    link: Frame | None = None
    """Link register's symbol (lr, LR, ra), where the architecture has one."""
    values: Mapping[str, int] = field(default_factory=dict)
    code: str | None = None
    """The ``Code:`` bytes as printed."""
    user: bool = False
    """True when the dump is of user mode."""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Signature:
    """The named fields that say "same problem"."""

    id: str
    """``kb1:`` (``kb2:``: ``version``) and 16 hex digits of the SHA-256 of ``key``."""
    key: str
    """The fields joined, readable: ``warning|foo_bar|drivers/x.c``."""
    version: int
    """Of the form of the key: 1 kind and title, 2 what tells two problems of one title apart, too."""
    title: str
    guilt: tuple[Said, ...]
    """Why this frame was taken as guilty, and what is uncertain of that."""
    alt: tuple[str, ...] = ()
    """Ids of alternative keys that also link."""
    former: tuple[str, ...] = ()
    """Ids that other versions made of what is told apart now: several bugs may share one, so that none links."""
    stack: str | None = None
    """Id over the significant frames of the main stack; suggests, never links."""

    @property
    def chosen_because(self) -> str:
        """Why this frame was taken as guilty, in English."""
        return joined(self.guilt)


@dataclass(frozen=True, slots=True)
class Report:
    """A parsed splat. ``damage`` carries the reasons when it is damaged; nothing here ever raises."""

    source: str
    lines: tuple[Line, ...]
    kind: str
    """``page_allocation_failure``, ``oops``, ``warning``, ``oom_kill`` ... (docs/kinds.md lists them all)."""
    subtype: str | None
    headline: str
    """The line that names the bug, as printed."""
    headline_line: int
    title: str
    """In syzbot's convention."""
    alt_titles: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    """What tells two problems of this title apart: the line of the file in the title, the buffer that is bad."""
    function: str | None = None
    """Guilty function, compiler suffixes removed."""
    module: str | None = None
    guilt: tuple[Said, ...] = ()
    """Why this function is blamed, or why none is (``guilty.first_not_plumbing``), and what is uncertain of that."""
    damage: tuple[Said, ...] = ()
    """Why the report is not whole (``damage.no_stack``); empty when it is."""
    kernel: str | None = None
    """Release as ``uname -r`` prints it."""
    arch: str | None = None
    comm: str | None = None
    pid: int | None = None
    cpu: int | None = None
    time: float | None = None
    """Seconds since boot of the opening line."""
    wall: str | None = None
    host: str | None = None
    taint: str | None = None
    """Taint letters as printed, blanks removed (``G``, ``GOE``); None where the report has none."""
    hardware: str | None = None
    workqueue: str | None = None
    traces: tuple[Trace, ...] = ()
    registers: Registers | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    """Named fields of the headline and of single lines: ``order``, ``mode``, ``address``, ``file`` ..."""
    field_lines: Mapping[str, int] = field(default_factory=dict)
    """Physical line each field was read from."""
    memory: "MemInfo | None" = None
    tasks: "tuple[OomTask, ...]" = ()
    understood: tuple[int, ...] = ()
    """Physical lines that the grammar gave a role; the others are foreign or unknown."""
    doubts: tuple[Doubt, ...] = ()
    """Lines that may be of another report, printed at the same time; ``damage`` says so."""
    follows: int | None = None
    """Index (in the same input) of the report that this one follows on from."""
    occurrence: int = 0
    """Reports of the same input before it that are equal to it, where the log prints no time to tell them apart."""
    input_notes: tuple[str, ...] = ()
    """What was wrong with the input as a whole: ``gzip data is cut or damaged after 4096 bytes``."""
    sources: tuple[str, ...] = ()
    """All inputs of one archive that tell of this event, ``source`` first; empty where it is the only one."""
    beside: tuple[tuple[str, bytes], ...] = field(default=(), repr=False, compare=False)
    """Files of the machine that the archive holds beside the log, name and content: what ``--context`` takes."""

    @property
    def chosen_because(self) -> str:
        """Why this function is blamed, or why none is, in English."""
        return joined(self.guilt)

    @property
    def corrupted(self) -> str | None:
        """Why the report is damaged, in English; None when it is whole."""
        return joined(self.damage) or None

    @property
    def span(self) -> Span:
        """First and last physical line."""
        return min(map(_NUMBER, self.lines)), max(map(_LAST, self.lines))

    @property
    def frames(self) -> tuple[Frame, ...]:
        """Frames of the main stack, innermost first; the program counter's before it where registers come before it."""
        trace = next((trace for trace in self.traces if trace.role == "main"), self.traces[0] if self.traces else None)
        inner = self.registers.frame if self.registers is not None else None
        if trace is None:
            return (inner,) if inner is not None else ()
        if inner is None or self.registers is None or self.registers.line > trace.line:
            return trace.frames
        same = trace.frames and trace.frames[0].function == inner.function
        return trace.frames if same else (inner, *trace.frames)
