"""What a member of an archive is, by its name: a log, numbers of the machine, or anything."""

import re

_PACKED = re.compile(r"\.(?:gz|xz|bz2|zst|lz4|lzma|Z|7z|enc\.z)$")
_LOG = re.compile(
    r"(?:vmcore|dmesg|journal|messages|kern(?:el)?[._-]|kern(?:el)?$|kernlog|syslog|boot[._]|bootlog|console|serial|last_kmsg|kmsg"
    r"|crash\.log|currentdmesg|bootdmesg|backtrace|ttyS\d|netconsole).{0,200}"
    r"|.{0,200}(?:dmesg|kmsg|console|\.journal~?|\.log)(?:[._-][\w-]{1,20}){0,3}",
    re.I,
)
"""Names of logs: dmesg, vmcore-dmesg.txt, journalctl_--no-pager, messages-20261128, kern.log.1, system@0005.journal,
console-ramoops-0; and the dump whose log makedumpfile can take out."""
_EVIDENCE = re.compile(
    r"(?:buddyinfo|zoneinfo|pagetypeinfo|vmstat|meminfo|slabinfo|cmdline|sysctl.{0,40}|uname.{0,40}|version"
    r"|ProcVersionSignature|Uname|ProcCmdline|ProcKernelCmdLine|kernel|installed-rpms|package-data|dpkg_-l|rpm.{0,60})"
)


_OF_A_MACHINE = re.compile(
    r"(?:^|(?<=[/!]))(?:"
    r"(?:nodes|hosts|machines|servers)/(?P<node>[^/!]{1,255})(?=[/!])"
    r"|(?P<report>(?:sosreport|scc|nts|vm-support)[-_][^/!]{1,255}?)(?:[-_]\d{4}-?\d\d-?\d\d[^/!]*|[-_]\d{6}_[^/!]*)?(?=[/!])"
    r"|(?P<archive>[^/!]{1,255}?)(?:\.(?:tar|tgz|txz|tbz2?|zip))(?:\.\w{1,5})?!(?=[^!]*$)"
    r")"
)
"""Parts of names that are one machine's: a node of a must-gather, a sosreport or supportconfig (date and number left
out: two of one host are of one), an archive in an archive."""


def machine(name: str) -> str | None:
    """Which machine a member of an archive is of, where its place says that; the innermost counts.

    Args:
        name: As :attr:`kb.log.stream.Source.name`.
    """
    found = [each[each.lastgroup or 0] for each in _OF_A_MACHINE.finditer(name)]
    return found[-1] if found else None


def base(name: str) -> str:
    """The last part of a member's name."""
    return name.rstrip("/").rsplit("/", 1)[-1].rsplit("!", 1)[-1]


def says_log(name: str) -> bool:
    """Whether a name says that it is a log of the kernel or of the system."""
    return _LOG.fullmatch(_PACKED.sub("", base(name))) is not None


def says_numbers(name: str) -> bool:
    """Whether a name says that it holds numbers or the release of the machine."""
    return _EVIDENCE.fullmatch(base(name)) is not None
