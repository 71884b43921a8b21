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


def base(name: str) -> str:
    """The last part of a member's name."""
    return name.rstrip("/").rsplit("/", 1)[-1].rsplit("!", 1)[-1]


def says_log(name: str) -> bool:
    """Whether a name says that it is a log of the kernel or of the system."""
    return _LOG.fullmatch(_PACKED.sub("", base(name))) is not None


def says_numbers(name: str) -> bool:
    """Whether a name says that it holds numbers or the release of the machine."""
    return _EVIDENCE.fullmatch(base(name)) is not None
