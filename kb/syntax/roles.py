"""Roles: what part a single line plays in a report, by the terminals of grammars/report.lark."""

import functools
import re
from collections.abc import Callable
from typing import Literal, cast

from kb.syntax.lines import grammar

Role = Literal[
    "CUT", "END", "BORDER", "TRACE_HEAD", "MARK", "FRAME", "ARM_FRAME", "SOURCE_FRAME", "DECODED_FRAME",
    "CRASH_FRAME", "PC", "LR", "CODE", "REG", "CPU", "CPU_OLD", "RELEASE", "HARDWARE",
    "WORKQUEUE", "MODULES", "TASK", "ACCESS", "LOCK_WHO", "LOCK_AT", "LOCKS", "SLAB_CACHE", "LAST_FUNCTION",
    "IN_FLIGHT", "HANDLER", "RECOVERY", "MEMORY", "OOM", "MACHINE", "CPER", "FAULT_CODE", "DISK", "NOTE", "DUMP",
    "HEADLINE", "TRACKED", "TAINT",
]  # fmt: skip
"""The terminals of grammars/report.lark; ``HEADLINE`` is a line of headline.lark that a report took, ``TRACKED`` and
``TAINT`` are lines without a terminal that tell whose they are (:func:`kb.split.untangle.loose`)."""
STACK: frozenset[Role] = frozenset({"FRAME", "ARM_FRAME", "SOURCE_FRAME", "DECODED_FRAME", "CRASH_FRAME"})
"""Terminals that are entries of a stack."""

_BOOT = re.compile(r"Linux version \d+\.\d+|Booting Linux on physical CPU")
_ALONE = re.compile(r"\s*(?:Call [Tt]race|Backtrace|NMI backtrace for cpu \d+\s*$)|Mem-Info:")
_GOES_DOWN = re.compile(
    r"(?:reboot: )?(?:Restarting system|System halted|Power down)|Rebooting in \d"
    r"|(?:sysrq: |SysRq ?: ?)(?:Resetting|Power Off)|(?:kexec(?:_core)?: )?Starting new kernel"
)
_REQUEST = re.compile(r"(?:sysrq: |SysRq ?: ?)(?:Show|Dump)")
_ON_PURPOSE = re.compile(r"FAULT_INJECTION: forcing a failure|FAULT_FLAG_ALLOW_RETRY missing|CPU\d{1,4}: stopping")
_ASIDE = re.compile(r"\s*(?:Preemption disabled at|(?:hard|soft)irqs last)")
_LIMIT = 4096


@functools.cache
def classifier() -> Callable[[str], Role | None]:
    """A function from the text of a line to the name of its terminal, None where it has none.

    It is what the parser asks, too, so that the splitter and the parser cannot disagree.
    """
    recall = grammar("report").recall

    def role(text: str) -> Role | None:
        found = recall(text[:_LIMIT])
        return cast(Role, found[0]) if found is not None else None

    return role


TELLING = "LBrRSPskFC"
"""The first letters of lines that :func:`is_boot`, :func:`goes_down`, :func:`is_request` and :func:`is_on_purpose` ask
for: most lines begin with none of them."""


def is_boot(text: str) -> bool:
    """True for the line a kernel begins its log with."""
    return text.startswith(("Linux version ", "Booting Linux")) and _BOOT.match(text) is not None


def goes_down(text: str) -> bool:
    """True where the kernel says that it stops (kernel/reboot.c, panic.c, kexec_core.c; drivers/tty/sysrq.c)."""
    return text[:1] in "rRSPsk" and _GOES_DOWN.match(text) is not None


def opens_alone(text: str) -> bool:
    """True for the head of a stack, or of show_mem()'s block, that makes a report even where its headline is lost."""
    return ("race" in text or "Mem-I" in text) and _ALONE.match(text) is not None


def is_aside(text: str) -> bool:
    """True for the head of a stack that is not the report's own, printed before it."""
    return _ASIDE.match(text) is not None


def is_request(text: str) -> bool:
    """True where somebody asked the kernel for stacks (drivers/tty/sysrq.c: "Show backtrace of all active CPUs")."""
    return text.startswith(("sysrq", "SysRq")) and _REQUEST.match(text) is not None


def is_on_purpose(text: str) -> bool:
    """True where what follows was made to happen, and is no report.

    lib/fault-inject.c fail_dump(), mm/userfaultfd.c; arch/arm/kernel/smp.c ipi_cpu_stop(), of CPUs that stop.
    """
    return text.startswith(("FAULT_", "CPU")) and _ON_PURPOSE.match(text) is not None
