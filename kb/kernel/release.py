"""Kernel releases: what ``uname -r`` says, and whether it lies in a range.

The grammar of ranges (cases write them in ``affected.kernel``, ``verify.kernel``)::

    range      = clause *(";" clause)           any clause holds
    clause     = comparison *("," comparison)   all comparisons hold
               | name *("," name)               any name fits
    comparison = (">=" | ">" | "<=" | "<" | "=") name
    name       = upstream version ("4.19", "4.19.3", "5.0-rc2")
               | distribution release ("3.10.0-514.el7"): only releases of that distribution compare to it
               | distribution ("el7", "debian", "ubuntu")

The answer is three-valued. A candidate of X (X-rc3) has what X brings from its merge window on, so it is ``>= X``; what
X mends may come in any of its candidates, so ``< X`` is MAYBE.

An enterprise or distribution kernel keeps the upstream number and backports what it likes, so its number proves two
things only: what its base already had it still has (``>= base`` is YES), and a defect mended before its base is not in
it (``< base`` is NO). Anything later may have been backported: MAYBE. The same holds for a tree that says how many
commits it has on top of a release (``6.10.0-04483-g0be9ae5486cd``).
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from kb.errors import UsageError
from kb.model.verdict import Verdict

_HEAD = re.compile(r"(\d{1,3})\.(\d{1,4})(?:\.(\d{1,4}))?(?:\.(\d{1,4}))?")
_RC = re.compile(r"-rc(\d{1,3})")
_EL = re.compile(r"\.el(\d{1,2})(?:[_.](\d{1,2}))?")
_BUILD = re.compile(r"-(\d{1,5}(?:\.\d{1,5}){0,5})")
_ELREPO = re.compile(r"\.elrepo\b")
"""kernel-ml and kernel-lt of ELRepo are mainline and stable as they are, built for a RHEL."""
_UBUNTU = re.compile(r"-(\d{1,4})-(generic|lowlatency|aws|azure|gcp|kvm|oracle|raspi|virtual|server|gke|ibm|hwe|oem)\b")
_DEBIAN = re.compile(
    r"-(\d{1,3}|trunk|0\.(?:deb|bpo)\d{1,2}\.[\d.]{1,8}|[a-z]{2,8}\d{1,3})-(?:[a-z]{2,12}-){0,3}"
    r"(?:amd64|686|arm64|armmp|arm|powerpc64le|s390x|riscv64|loong64|octeon|4kc|5kc)"
)
_FLAVOUR = re.compile(r"-(\d{1,4})-[a-z][a-z0-9-]{1,30}(?![a-z0-9.])")
"""``-1045-intel-iotg``, ``-1012-nvidia-64k``: Ubuntu's ABI number and a flavour, where the third number is always 0."""
_SUSE = re.compile(r"-(?:lp\d{2,4}|\d{1,6})\.\d[\d.]{0,20}-[a-z][a-z0-9-]{1,20}$")
"""``-150500.55.12-azure``, ``-122.46-rt``, ``-lp152.106-preempt``: SLES and Leap, whatever the flavour."""
_VENDOR = re.compile(
    # the tag of an rpm's distribution: openEuler (oe2203sp1), Anolis (an8), Alibaba (al7), TencentOS (tl2), Virtuozzo
    # (vz7), Kylin (ky10), UOS (uelc20), EulerOS (eulerosv2r9, hce2), OpenCloudOS (oc9); then those without a tag
    r"\.(?!el\d|fc\d|amzn|mga\d|aarch|arm|riscv|loong)[a-z]{2,8}\d{1,5}(?:sp\d|v?\d?r\d{1,2})?(?:[._]|$)|\.tlinux|\.alios|\d{3}stab\d"
    r"|-\d{1,4}(?:\.\d{1,4})?-pve|\+\d{1,3}$|-\d{5}-g[0-9a-f]{7,40}|-next-\d{8}|-rpi\d{0,2}-"
)
"""Kernels that backport, or that have commits on top of the release that they name."""
_BACKPORTS = ("rhel", "ubuntu", "suse", "oracle", "android", "vendor")
_DEBIAN_NEW = re.compile(r"\+deb(\d{1,2})")

RHEL_MINORS: dict[int, tuple[int, ...]] = {
    6: (71, 131, 220, 279, 358, 431, 504, 573, 642, 696, 754),
    7: (123, 229, 327, 514, 693, 862, 957, 1062, 1127, 1160),
    8: (80, 147, 193, 240, 305, 348, 372, 425, 477, 513, 553),
    9: (70, 162, 284, 362, 427, 503, 570, 611),
    10: (55, 124),
}
"""First build number of each minor release of RHEL, by major (the builds whose trees were read, and those between)."""

RHEL_BASE: dict[int, tuple[int, int, int]] = {
    6: (2, 6, 32),
    7: (3, 10, 0),
    8: (4, 18, 0),
    9: (5, 14, 0),
    10: (6, 12, 0),
}
"""Upstream version that ``uname -r`` of each RHEL major claims."""


@dataclass(frozen=True, slots=True)
class Release:
    """A kernel release as ``uname -r`` prints it, taken apart."""

    text: str
    version: tuple[int, int, int]
    """Upstream version; 2.6.y.z and 3.x+ alike: the third number is 0 where none is printed."""
    rc: int | None = None
    family: str = "mainline"
    """``mainline`` (and stable), ``rhel`` (and rebuilds), ``debian``, ``ubuntu``, ``suse``, ``fedora``, ``amazon``,
    ``oracle``, ``android``, ``vendor`` (others that backport), ``local`` (an unknown suffix)."""
    major: int | None = None
    """The distribution's major release where the text tells it (7 of ``el7``)."""
    build: tuple[int, ...] = ()
    """The distribution's own build number: (1160, 15, 2) of ``3.10.0-1160.15.2.el7``."""

    @classmethod
    def parse(cls, text: str) -> "Release | None":
        """The release a text names, or None when it does not start like one."""
        return _parse(text.strip())

    @property
    def base(self) -> tuple[int, int]:
        """The mainline release it is made from: (6, 1) of 6.1.76; for 2.6.x the third number counts: (2, 632)."""
        return base_of(self.version)

    @property
    def el(self) -> tuple[int, int] | None:
        """RHEL major and build, None for everything else."""
        if self.family == "rhel" and self.major is not None and self.build:
            return (self.major, self.build[0])
        return None

    @property
    def point(self) -> int | None:
        """Stable point release; None where uname hides it (Debian to 12, Ubuntu, RHEL)."""
        if self.family == "vendor" and self.version[2]:  # made from a stable release
            return self.version[2]
        if self.family in ("mainline", "local", "fedora", "amazon", "android") or _DEBIAN_NEW.search(self.text):
            return self.version[2]
        return None

    @property
    def name(self) -> str:
        """How a person calls it: ``RHEL 7.9 (3.10.0-1160)``, ``5.10.223``, ``Debian 6.1.0-18``."""
        if self.el:
            printed = _EL.search(self.text)
            minor = int(printed[2]) if printed and printed[2] else rhel_minor(*self.el)
            return f"RHEL {self.major}{'' if minor is None else f'.{minor}'}"
        head = self.text if self.family in ("debian", "ubuntu", "suse", "oracle", "vendor") else _dotted(self.version)
        return head + (f"-rc{self.rc}" if self.rc is not None and self.family == "mainline" else "")

    def within(self, range_text: str) -> Verdict:
        """Whether the release lies in a range (grammar above). A range that cannot be read is MAYBE."""
        verdicts = [_clause(self, clause) for clause in range_text.split(";") if clause.strip()]
        if not verdicts:
            return Verdict.YES
        if Verdict.YES in verdicts:
            return Verdict.YES
        return Verdict.MAYBE if Verdict.MAYBE in verdicts else Verdict.NO


def checked(text: str) -> str:
    """A release that somebody names, as it was given.

    Raises:
        UsageError: It cannot be read: an answer that rests on it would be none.
    """
    if Release.parse(text) is None:
        raise UsageError(f"{text[:80]!r} is no kernel release", help="as uname -r prints it: 5.14.0-427.el9.x86_64")
    return text


def base_of(version: tuple[int, int, int]) -> tuple[int, int]:
    """Comparable mainline release: 2.6.32 becomes (2, 632), 4.19.78 becomes (4, 19)."""
    if version[0] == 2:
        return (2, version[1] * 100 + version[2])
    return version[:2]


def rhel_minor(major: int, build: int) -> int | None:
    """Minor release of RHEL that a build belongs to."""
    starts = RHEL_MINORS.get(major, ())
    minors = [index for index, start in enumerate(starts) if start <= build]
    return minors[-1] if minors else None


def _dotted(version: tuple[int, int, int]) -> str:
    return ".".join(str(part) for part in (version if version[2] or version[0] == 2 else version[:2]))


@lru_cache(maxsize=1024)
def _parse(text: str) -> Release | None:
    head = _HEAD.match(text)
    if head is None:
        return None
    numbers = [int(part) if part else 0 for part in head.groups()]
    version = (numbers[0], numbers[1], numbers[2])
    rc = _RC.search(text)
    family, major, build = _family(text[head.end() :], version)
    return Release(text, version, int(rc[1]) if rc else None, family, major, build)


def _family(rest: str, version: tuple[int, int, int]) -> tuple[str, int | None, tuple[int, ...]]:
    """Distribution family, its major release and its build number, from what follows the version."""
    el = _EL.search(rest)
    number = _BUILD.match(rest)
    build = tuple(int(part) for part in number[1].split(".")) if number else ()
    if _ELREPO.search(rest):
        return "mainline", None, ()
    if el and "uek" in rest:
        return "oracle", int(el[1]), build
    if el:
        return "rhel", int(el[1]), build
    if debian := _DEBIAN_NEW.search(rest):
        return "debian", int(debian[1]), ()
    if debian := _DEBIAN.match(rest):
        return "debian", None, (int(debian[1]),) if debian[1].isdecimal() else ()
    if ubuntu := _UBUNTU.match(rest):
        return "ubuntu", None, (int(ubuntu[1]),)
    if _SUSE.match(rest):
        return "suse", None, build
    for mark, family in (("amzn", "amazon"), (".fc", "fedora"), ("android", "android"), ("-default", "suse")):
        if mark in rest:
            return family, None, build
    if version[2] == 0 and (flavour := _FLAVOUR.match(rest)):
        return "ubuntu", None, (int(flavour[1]),)
    if _VENDOR.search(rest):
        return "vendor", None, build
    plain = _RC.sub("", rest).lstrip("+")
    return ("local" if plain else "mainline"), None, ()


def _clause(release: Release, clause: str) -> Verdict:
    parts = [part.strip() for part in clause.split(",") if part.strip()]
    comparisons = [part for part in parts if part[0] in "<>="]
    if comparisons:
        return _all([_compare(release, part) for part in parts])
    verdicts = [_named(release, part) for part in parts]
    if Verdict.YES in verdicts:
        return Verdict.YES
    return Verdict.MAYBE if Verdict.MAYBE in verdicts else Verdict.NO


def _all(verdicts: list[Verdict]) -> Verdict:
    if Verdict.NO in verdicts:
        return Verdict.NO
    return Verdict.MAYBE if Verdict.MAYBE in verdicts else Verdict.YES


def _named(release: Release, name: str) -> Verdict:
    """Whether a release is the named one, or a build, point release or member of it."""
    word = name.lower()
    if word in ("debian", "ubuntu", "suse", "fedora", "amazon", "oracle", "rhel", "android"):
        return Verdict.YES if release.family == word else Verdict.NO
    if word.startswith("el") and word[2:].isdecimal():
        return Verdict.YES if release.family == "rhel" and release.major == int(word[2:]) else Verdict.NO
    other = Release.parse(name)
    if other is None:
        return Verdict.MAYBE
    if other.family == "rhel" or other.build:
        same = (other.family, other.major) == (release.family, release.major) and other.version == release.version
        return Verdict.YES if same and release.build[: len(other.build)] == other.build else Verdict.NO
    if release.base != other.base:
        return Verdict.NO
    if name.count(".") < 2 or release.version[0] == 2:
        return Verdict.YES
    if release.point is None:
        return Verdict.MAYBE
    return Verdict.YES if release.version == other.version else Verdict.NO


def _compare(release: Release, comparison: str) -> Verdict:
    op = comparison[:2] if comparison[1:2] == "=" else comparison[0]
    name = comparison[len(op) :].strip()
    if op in ("=", "=="):
        return _named(release, name)
    other = Release.parse(name)
    if other is None:
        return Verdict.MAYBE
    if other.family == "rhel" or other.build:
        if (other.family, other.major) != (release.family, release.major):
            return Verdict.NO
        return _verdict(op, _sign(release.build, other.build))
    sign = _sign(_key(release), _key(other))
    if release.point is None and release.base == other.base and other.version[2] and release.family != "rhel":
        return Verdict.MAYBE
    if _candidate_of(release, other):
        return Verdict.YES if op.startswith(">") else Verdict.MAYBE
    exact = _verdict(op, sign)
    if release.family not in _BACKPORTS and (release.point is not None or release.build):
        return exact
    if op.startswith(">"):
        return Verdict.YES if exact is Verdict.YES else Verdict.MAYBE
    return Verdict.NO if exact is Verdict.NO else Verdict.MAYBE


def _candidate_of(release: Release, other: Release) -> bool:
    """Whether a release is a candidate of the other one, which is no candidate itself."""
    return release.rc is not None and other.rc is None and release.version == other.version


def _key(release: Release) -> tuple[int, int, int, int]:
    return (*release.version, release.rc if release.rc is not None else 1 << 16)


def _sign(left: tuple[int, ...], right: tuple[int, ...]) -> int:
    return (left > right) - (left < right)


def _verdict(op: str, sign: int) -> Verdict:
    holds = {">=": sign >= 0, ">": sign > 0, "<=": sign <= 0, "<": sign < 0}[op]
    return Verdict.YES if holds else Verdict.NO
