"""Taint letters: what a kernel says about itself before it says what went wrong.

Source: kernel/panic.c ``taint_flags[]`` of v6.15 (letters and their bits), the meanings from
Documentation/admin-guide/tainted-kernels.rst. A letter of mainline keeps its meaning once given, so an older kernel's
reads the same; what it meant before is told where it changed. From v6.12 the kernel prints the names too, on a line of
its own (``Tainted: [W]=WARN, [O]=OOT_MODULE``). Distributions add letters of their own: RHEL ``H`` and ``T``, SUSE
``N`` and ``X``; kernels of v6.19 may print ``H`` as well.
"""

from typing import NamedTuple

from kb.model.said import Said
from kb.words.speak import said


class Taint(NamedTuple):
    """One letter of the table."""

    name: str
    """``TAINT_`` constant without its prefix, as v6.12+ prints it."""
    bit: int
    """Bit of /proc/sys/kernel/tainted."""
    says: Said
    """What it says."""
    weight: str = ""
    """``damage`` where something had gone wrong before, ``foreign`` for code that is not this kernel's, else empty."""

    @property
    def words(self) -> str:
        """What it says, in English."""
        return str(self.says)


TAINTS: dict[str, Taint] = {
    "P": Taint("PROPRIETARY_MODULE", 0, said("taint.proprietary_module"), "foreign"),
    "F": Taint("FORCED_MODULE", 1, said("taint.forced_module"), "foreign"),
    "S": Taint("CPU_OUT_OF_SPEC", 2, said("taint.cpu_out_of_spec")),
    "R": Taint("FORCED_RMMOD", 3, said("taint.forced_rmmod"), "damage"),
    "M": Taint("MACHINE_CHECK", 4, said("taint.machine_check"), "damage"),
    "B": Taint("BAD_PAGE", 5, said("taint.bad_page"), "damage"),
    "U": Taint("USER", 6, said("taint.user")),
    "D": Taint("DIE", 7, said("taint.die"), "damage"),
    "A": Taint("OVERRIDDEN_ACPI_TABLE", 8, said("taint.overridden_acpi_table")),
    "W": Taint("WARN", 9, said("taint.warn"), "damage"),
    "C": Taint("CRAP", 10, said("taint.staging"), "foreign"),
    "I": Taint("FIRMWARE_WORKAROUND", 11, said("taint.firmware_workaround")),
    "O": Taint("OOT_MODULE", 12, said("taint.out_of_tree"), "foreign"),
    "E": Taint("UNSIGNED_MODULE", 13, said("taint.unsigned"), "foreign"),
    "L": Taint("SOFTLOCKUP", 14, said("taint.soft_lockup"), "damage"),
    "K": Taint("LIVEPATCH", 15, said("taint.livepatch"), "foreign"),
    "X": Taint("AUX", 16, said("taint.aux")),
    "T": Taint("RANDSTRUCT", 17, said("taint.randstruct")),
    "N": Taint("TEST", 18, said("taint.test")),
    "J": Taint("FWCTL", 19, said("taint.fwctl")),
    "H": Taint("HW_ERROR_RECOVERED", 20, said("taint.hardware")),
}
"""By letter. ``G`` stands in the place of ``P``: all modules are GPL-compatible, which says nothing."""


def explain(letters: str) -> tuple[str, ...]:
    """What each printed letter says, in the order printed; ``G`` says nothing, an unknown letter is named as such."""
    shown = (letter for letter in letters if letter not in "G-" and not letter.isspace())
    return tuple(f"{letter}: {TAINTS[letter].words if letter in TAINTS else said('taint.unknown')}" for letter in shown)


def weighty(letters: str, weight: str) -> tuple[str, ...]:
    """The letters of one weight (``damage`` or ``foreign``), each once, in the order printed."""
    found = (letter for letter in letters if letter in TAINTS and TAINTS[letter].weight == weight)
    return tuple(dict.fromkeys(found))
