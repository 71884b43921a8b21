"""The rules of rules.toml: what is personal in a log, and what only looks like it."""

import functools
import re
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any, NamedTuple

Found = re.Match[bytes]

KINDS = {
    "host": "names of hosts: in the log's own prefixes, of servers, in addresses of the web",
    "ip": "IPv4 and IPv6 addresses",
    "mac": "hardware addresses: Ethernet, Wi-Fi, Bluetooth, InfiniBand",
    "serial": "serial numbers, asset and service tags, IMEI, PPIN",
    "uuid": "UUIDs: of file systems, partitions, pods; ids of machines and boots",
    "user": "names of users",
    "email": "e-mail addresses",
    "secret": "passwords, tokens, keys and their fingerprints",
    "path": "what lies under /home and /root",
    "wwn": "World Wide Names, SAS addresses, GUIDs of InfiniBand, names of iSCSI and NVMe targets",
    "ssid": "names of wireless networks",
    "container": "ids of containers, names of virtual machines",
}
"""What is replaced, by kind."""

_TEXTS = {
    "NAME": r"[A-Za-z0-9\x80-\xff](?:[\w.\x80-\xff-]{0,251}[A-Za-z0-9\x80-\xff])?",  # RFC 1123 and more
    "USER": r"[A-Za-z_\x80-\xff](?:[\w.\x80-\xff-]{0,62}[\w\x80-\xff-])?",
    "PATH": r"[^\s\"'<>|;:,()\[\]{}\\#$&*?`=]",
    "END": r"(?![0-9A-Za-z_]|[:-][0-9A-Fa-f]{2}(?![0-9A-Za-z_]))",
    "PAIR": r"[0-9A-Fa-f]{2}",
    "HEX": r"[0-9A-Fa-f]",
    "TAIL": r"(?![0-9A-Za-z_])",
}


class Rule(NamedTuple):
    """One way in which something personal is printed; rules.toml explains the fields."""

    name: str
    prints: str
    pattern: re.Pattern[bytes]
    groups: tuple[tuple[str, str], ...]
    """Names of the groups that are replaced, and their kinds."""
    hint: bytes
    """One expression of RE2."""
    sample: str
    miss: str
    spreads: bool = False
    check: Callable[[Found], bool] | None = None
    """Says no to what the pattern alone cannot tell."""


@functools.cache
def rules() -> tuple[Rule, ...]:
    """All rules, in the order of preference."""
    import tomllib

    raw = tomllib.loads(Path(__file__).with_name("rules.toml").read_text(encoding="utf-8"))
    return tuple(_rule(name, **row) for name, row in raw.items())


def _rule(
    name: str, *, prints: str, pattern: str, hint: list[str], sample: str, miss: str, spreads: bool = False
) -> Rule:
    for key, text in _TEXTS.items():
        pattern = pattern.replace(f"<{key}>", text)
    made = re.compile(pattern.encode("ascii"), re.M)
    kinds = ((group, group.rstrip("0123456789")) for group in made.groupindex)
    groups = tuple((group, kind) for group, kind in kinds if kind in KINDS)
    return Rule(name, prints, made, groups, "|".join(hint).encode("ascii"), sample, miss, spreads, _CHECKS.get(name))


def finder(pattern: bytes) -> Callable[[bytes], Iterable[Any]]:
    """A function that finds all places of a pattern, whatever the case: by google-re2 where it is installed.

    The pattern needs to mean the same to both.
    """
    try:
        import re2
    except ImportError:
        return re.compile(pattern, re.I).finditer
    found: Callable[[bytes], Iterable[Any]] = re2.compile(pattern, _options(re2)).finditer
    return found


def selector() -> Callable[[bytes], Collection[int]]:
    """A function that tells which rules a line may be for, by their numbers; without google-re2, each for all."""
    try:
        import re2
    except ImportError:
        every = range(len(rules()))
        return lambda _line: every
    made = re2.Set.SearchSet(_options(re2))
    for rule in rules():
        made.Add(rule.hint)
    made.Compile()
    match: Callable[[bytes], Collection[int] | None] = made.Match
    return lambda line: match(line) or ()


def _options(re2: Any) -> Any:
    options = re2.Options()
    options.max_mem = 256 << 20
    options.encoding = re2.Options.Encoding.LATIN1
    options.case_sensitive = False
    return options


_PAIR_BEFORE = re.compile(rb"(?:^|[^0-9A-Za-z_])[0-9A-Fa-f]{2}[:-]$")


def _begins(found: Found) -> bool:
    """Whether a row of pairs begins here, rather than is the rest of a longer one."""
    return _PAIR_BEFORE.search(found.string, max(0, found.start() - 4), found.start()) is None


_VERSION = re.compile(
    rb"(?:version|vers?\.?|firmware|fw|bios|revision|rev\.?|release|driver|build|tainted|Linux|microcode|Controller)"
    rb"[ \t:=(#]{0,3}$|(?<![0-9.])[0-9]{1,3}(?:\.[0-9]{1,3}){1,2}-$",
    re.I,
)
"""Before four numbers that are a version: a word that says so, or the head of a distribution's release."""
_KERNEL_2_6 = re.compile(rb"2\.6\.(?:1[1-9]|[23][0-9])\.")


def _is_ipv4(found: Found) -> bool:
    value, start = found["ip"], found.start("ip")
    if any(int(part) > 255 for part in value.split(b".")) or _KERNEL_2_6.match(value) is not None:
        return False
    return _VERSION.search(found.string, max(0, start - 24), start) is None


def _is_ipv6(found: Found) -> bool:
    import ipaddress

    try:
        ipaddress.IPv6Address(found["ip"].decode("ascii"))
    except ValueError:
        return False
    return any(byte in b"0123456789" for byte in found["ip"])  # "add::fed" is a name of C++ or Rust


_UNITS = frozenset(b"service socket slice scope target timer mount automount device path swap apex".split())
"""What ends names with an @ in them that are no mail address: units of systemd, Android's packages."""


def _is_mail(found: Found) -> bool:
    domain = found["email"].rpartition(b"@")[2]
    labels = domain.lower().split(b".")
    if labels[-1] in _UNITS or _is_list(domain):
        return False
    # a node of a device tree: serial@3f215040.dss; but there are providers such as 163.com
    return len(labels) > 2 or re.fullmatch(rb"[0-9a-f]{5,16}|[0-9]{1,2}", labels[0]) is None


def _is_uuid(found: Found) -> bool:
    """Not behind a PCI address: such a GUID names a device's function, not a thing somebody owns."""
    return re.search(rb"[0-9a-f]{2}\.[0-7]-$", found.string[max(0, found.start() - 5) : found.start()]) is None


def _is_serial(found: Found) -> bool:
    """A number, and not the name of a port: ``10011000.serial: ttySIF1``."""
    value = found["serial"]
    return any(byte in b"123456789" for byte in value) and not value.startswith(b"tty")


_BUS = re.compile(rb"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]|[\w.-]{1,40}\.[0-9]{1,3}(?:\.auto)?$")


def _is_own(found: Found) -> bool:
    """Not the name on its bus that a host controller gives for its serial number: ``0000:00:14.0``, ``vhci_hcd.1``."""
    return _BUS.match(found["serial"]) is None


_CHECKS: dict[str, Callable[[Found], bool]] = {
    "builder": lambda found: not _is_list(found["host"]) and not _is_vendor(found["host"]),
    "url": lambda found: not is_public(found["host"]),
    "mail": _is_mail,
    "mac-netfilter": _begins,
    "mac-infiniband": _begins,
    "wwn-pairs": _begins,
    "mac": _begins,
    "ipv4": _is_ipv4,
    "ipv6": _is_ipv6,
    "uuid": _is_uuid,
    "serial": _is_serial,
    "usb-serial": _is_own,
}

PUBLIC = frozenset(
    b"kernel.org kvack.org infradead.org linux.dev linuxfoundation.org linux-nfs.org freedesktop.org lkml.org "
    b"netfilter.org wireless.wiki linuxwireless.org sourceforge.net sf.net github.com github.io gitlab.com goo.gl "
    b"bit.ly tinyurl.com launchpad.net ubuntu.com canonical.com debian.org redhat.com fedoraproject.org centos.org "
    b"suse.com opensuse.org archlinux.org gentoo.org almalinux.org rockylinux.org oracle.com microsoft.com "
    b"google.com intel.com 01.org amd.com nvidia.com mellanox.com broadcom.com ibm.com arm.com linaro.org "
    b"systemd.io gnu.org samba.org zx2c4.com wireguard.com selenic.com xenproject.org kernelnewbies.org "
    b"appspot.com groups.google.com".split()
)
"""Domains to which addresses of the web point that the kernel, its documents and its vendors print."""
_LISTS = (b"lists", b"vger.kernel.org", b"kvack.org", b"googlegroups.com", b"appspotmail.com")


def is_public(host: bytes) -> bool:
    """Whether a host is a public domain or one name below it: ``www.kernel.org``, not ``db.corp.google.com``."""
    name = host.lower().rstrip(b".")
    return name in PUBLIC or name.partition(b".")[2] in PUBLIC or name.endswith(b".kernel.org")


def _is_vendor(host: bytes) -> bool:
    """Whether a host lies anywhere in a public domain: where distributions build."""
    labels = host.lower().split(b".")
    return any(b".".join(labels[at:]) in PUBLIC for at in range(len(labels) - 1))


def _is_list(domain: bytes) -> bool:
    name = domain.lower()
    return name.startswith(b"lists.") or name in _LISTS


SYSTEM_USERS = frozenset(
    b"root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc gnats nobody nogroup apache "
    b"nginx http mysql postgres redis mongodb ceph nfsnobody rpc rpcuser rpcbind statd sshd ntp chrony chronyd dbus "
    b"messagebus polkitd avahi colord rtkit pulse gdm lightdm sddm systemd-network systemd-resolve systemd-timesync "
    b"systemd-oom systemd-coredump syslog syslogd _apt postfix dovecot named bind kvm qemu libvirt-qemu docker lxd "
    b"unconfined system_u unset none unknown adm operator halt shutdown ftp tty tss sssd mockbuild buildd builder "
    b"linuxbrew".split()
)
"""Names of users that belong to a system or a package, not to a person."""
