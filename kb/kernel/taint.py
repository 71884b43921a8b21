"""Taint letters: what a kernel says about itself before it says what went wrong.

Source: kernel/panic.c ``taint_flags[]`` of v6.15 (letters and their bits), the meanings from
Documentation/admin-guide/tainted-kernels.rst. A letter of mainline keeps its meaning once given, so an older kernel's
reads the same; what it meant before is told where it changed. From v6.12 the kernel prints the names too, on a line of
its own (``Tainted: [W]=WARN, [O]=OOT_MODULE``). Distributions add letters of their own: RHEL ``H`` and ``T``, SUSE
``N`` and ``X``; kernels of v6.19 may print ``H`` as well.
"""

from typing import NamedTuple


class Taint(NamedTuple):
    """One letter of the table."""

    name: str
    """``TAINT_`` constant without its prefix, as v6.12+ prints it."""
    bit: int
    """Bit of /proc/sys/kernel/tainted."""
    words: str
    """What it says."""
    weight: str = ""
    """``damage`` where something had gone wrong before, ``foreign`` for code that is not this kernel's, else empty."""


TAINTS: dict[str, Taint] = {
    "P": Taint("PROPRIETARY_MODULE", 0, "a proprietary module was loaded", "foreign"),
    "F": Taint("FORCED_MODULE", 1, "a module was force loaded", "foreign"),
    "S": Taint("CPU_OUT_OF_SPEC", 2, "the processor or system is out of specification (to v3.14: SMP of unfit CPUs)"),
    "R": Taint("FORCED_RMMOD", 3, "a module was force unloaded", "damage"),
    "M": Taint("MACHINE_CHECK", 4, "the processor reported a machine check", "damage"),
    "B": Taint("BAD_PAGE", 5, "a bad page or corrupted slab object was found", "damage"),
    "U": Taint("USER", 6, "user space asked for the taint"),
    "D": Taint("DIE", 7, "the kernel oopsed or hit a BUG", "damage"),
    "A": Taint("OVERRIDDEN_ACPI_TABLE", 8, "an ACPI table was overridden by the user"),
    "W": Taint("WARN", 9, "a warning was printed", "damage"),
    "C": Taint("CRAP", 10, "a driver of the staging tree is loaded", "foreign"),
    "I": Taint("FIRMWARE_WORKAROUND", 11, "a severe firmware bug is worked around"),
    "O": Taint("OOT_MODULE", 12, "a module built outside the tree is loaded", "foreign"),
    "E": Taint("UNSIGNED_MODULE", 13, "an unsigned module is loaded on a kernel that supports signatures", "foreign"),
    "L": Taint("SOFTLOCKUP", 14, "a soft lockup occurred", "damage"),
    "K": Taint("LIVEPATCH", 15, "the kernel was live patched", "foreign"),
    "X": Taint("AUX", 16, "auxiliary, defined by the distribution (SUSE: a module with external support)"),
    "T": Taint("RANDSTRUCT", 17, "the kernel was built with structure layouts randomised (RHEL: a technology preview)"),
    "N": Taint("TEST", 18, "an in-kernel test ran (SUSE: a module without support is loaded)"),
    "J": Taint("FWCTL", 19, "user space used a mutating debug operation of fwctl"),
    "H": Taint("HW_ERROR_RECOVERED", 20, "a hardware error was recovered from (RHEL: the hardware is not supported)"),
}
"""By letter. ``G`` stands in the place of ``P``: all modules are GPL-compatible, which says nothing."""


def explain(letters: str) -> tuple[str, ...]:
    """What each printed letter says, in the order printed; ``G`` says nothing, an unknown letter is named as such."""
    shown = (letter for letter in letters if letter not in "G-" and not letter.isspace())
    return tuple(
        f"{letter}: {TAINTS[letter].words if letter in TAINTS else 'not a letter of mainline kernels'}"
        for letter in shown
    )


def weighty(letters: str, weight: str) -> tuple[str, ...]:
    """The letters of one weight (``damage`` or ``foreign``), each once, in the order printed."""
    found = (letter for letter in letters if letter in TAINTS and TAINTS[letter].weight == weight)
    return tuple(dict.fromkeys(found))
