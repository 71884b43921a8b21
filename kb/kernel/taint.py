"""Taint letters: what a kernel says about itself before it says what went wrong.

Source: kernel/panic.c ``taint_flags[]`` and Documentation/admin-guide/tainted-kernels.rst of 6.12; letters keep their
meaning once given, so a letter of an older kernel reads the same. RHEL adds H, T (to 7), and X of SUSE differs.
"""

TAINTS: dict[str, tuple[str, str]] = {
    "G": ("only modules with a GPL-compatible licence are loaded", ""),
    "P": ("a proprietary module was loaded", "2.4"),
    "F": ("a module was force loaded", "2.4"),
    "S": ("the processor or system is out of specification (to 4.x: SMP with CPUs not designed for it)", "2.4"),
    "R": ("a module was force unloaded", "2.4"),
    "M": ("the processor reported a machine check", "2.4"),
    "B": ("a bad page was found (bad_page(), or SLUB or KASAN found corruption)", "2.6"),
    "U": ("user space asked for the taint", "2.6.21"),
    "D": ("the kernel oopsed or hit a BUG before", "2.6.21"),
    "A": ("an ACPI table was overridden by the user", "2.6.25"),
    "W": ("a warning was printed before", "2.6.26"),
    "C": ("a driver of the staging tree is loaded", "2.6.28"),
    "I": ("a severe firmware bug is worked around", "2.6.35"),
    "O": ("a module built outside the tree is loaded", "3.2"),
    "E": ("a module without a signature is loaded on a kernel that asks for one", "3.15"),
    "L": ("a soft lockup occurred before", "3.17"),
    "K": ("the kernel was live patched", "4.0"),
    "X": ("auxiliary, defined by the distribution", "4.15"),
    "T": ("the kernel was built with the randstruct plugin", "4.18"),
    "N": ("an in-kernel test ran", "5.18"),
    "J": ("a mutating fwctl debug operation was used", "6.15"),
}
"""Letter to (meaning, first mainline release); G and P exclude each other."""


def explain(letters: str) -> tuple[str, ...]:
    """What each printed letter says, in the order printed; blanks are skipped, unknown letters named as such."""
    known = ((letter, TAINTS.get(letter)) for letter in letters if not letter.isspace())
    return tuple(f"{letter}: {row[0] if row else 'not a letter of mainline kernels'}" for letter, row in known)


def suspicious(letters: str) -> tuple[str, ...]:
    """Letters that make the report itself doubtful: damage seen before, or code that is not the kernel's."""
    return tuple(letter for letter in letters if letter in "PFRMBDOEIL")
