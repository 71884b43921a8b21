"""What an archive holds of the machine beside its logs: numbers for ``--context``, and the kernel's release."""

import re

from kb.evidence.files import recognise
from kb.log.scan import find

LARGEST = 1 << 20
"""Bytes of a file that is looked at."""
_MARKS = (b", zone ", b"nr_free_pages ", b"vm.", b"# tracer:", b"MemTotal: ", b"slabinfo - version", b"some avg10=")
_RELEASE = (
    re.compile(r"Linux version (\d{1,3}\.\d{1,4}[\w.+~-]{0,100})"),
    re.compile(r"Linux (?:[\w.-]{1,255} )?(\d{1,3}\.\d{1,4}[\w.+~-]{0,100}) "),
    re.compile(r"(?:\S{0,255} )?BOOT_IMAGE=\S{0,255}?vmlinu[xz]-(\d{1,3}\.\d{1,4}[\w.+~-]{0,100})"),
    re.compile(r"(\d{1,3}\.\d{1,4}\.\d{1,4}-[\w.+~-]{1,100})\s*"),
)
"""/proc/version, uname -a, /proc/cmdline as GRUB makes it, ABRT's ``kernel``."""


def numbers(data: bytes) -> bool:
    """Whether a file is evidence (:func:`kb.evidence.files.recognise`); a quick look spares most the slow one."""
    if len(data) > LARGEST or not any(mark in data[:65536] for mark in _MARKS):
        return False
    kind = recognise(data.decode("utf-8", "replace"))
    if kind is None or (kind == "trace" and b"# tracer:" not in data):
        return False
    return next(find(data), None) is None  # a support tool's text may hold the numbers and the log


def release_of(data: bytes) -> str | None:
    """The kernel's release that a file of the machine's names says, None for any other file."""
    line = data[:4096].decode("utf-8", "replace").strip().split("\n", 1)[0]
    return next((found[1] for pattern in _RELEASE if (found := pattern.match(line)) is not None), None)
