"""``kb import changelog FILE|PACKAGE``: which known fixes the builds of a distribution hold, by its own changelog.

Two forms are read: Debian's (also Ubuntu's), ``linux (6.1.106-3) ...`` over entries with ``(CVE-...)`` behind subjects,
and that of rpm, ``* date author [5.14.0-427.el9]`` over lines ``- subject (author) [bug] {CVE-...}``. A fix is told by
its CVE or by its subject, which backports keep.
"""

import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from kb.errors import InputError, UsageError
from kb.kernel.release import Release
from kb.known.distribution import Build, Changelog
from kb.known.pack import subject_id
from kb.log.source import open_sources

_DEB = re.compile(r"^(linux[\w.+-]{0,60}) \(([\d.]{3,30}-[\w.+~-]{1,60})\) \S")
_RPM = re.compile(r"^\* \w{3} \w{3} {1,2}\d{1,2} \d{4} .{0,200}?\[?-? ?(\d{1,2}\.\d{1,3}\.\d{1,3}-[\w.]{1,60})\]?\s*$")
_CVE = re.compile(r"CVE-\d{4}-\d{4,7}")
_ABI = re.compile(r"\bBump ABI to (\d{1,4})\b")
_ITEM = re.compile(r"^\s*[-*] (?=\S)")
_BEHIND = re.compile(r"(?:\([^()]{1,80}\)|\[[^\[\]]{1,80}\]|\{[^{}]{1,400}\})$")
_BEFORE = re.compile(r"^(?:\[[\w,/ -]{1,40}\] )")
_NAME = re.compile(r"[a-z0-9][\w.+-]{1,100}")


def text_of(name: str) -> str:
    """A changelog: a file, packed or not, else what apt or rpm has of a package.

    Raises:
        UsageError: It is neither.
        InputError: It cannot be read.
    """
    path = Path(name)
    if path.is_file():
        return "".join(source.data.decode("utf-8", "replace") for source in open_sources([path]))
    if "/" in name or _NAME.fullmatch(name) is None:
        raise InputError("cannot read it: no such file", path=name)
    for command in (["rpm", "-q", "--changelog", name], ["apt-get", "changelog", name]):
        try:
            done = subprocess.run(command, capture_output=True, timeout=300, check=False)
        except (OSError, subprocess.SubprocessError):
            continue
        if done.returncode == 0 and done.stdout:
            return done.stdout.decode("utf-8", "replace")
    help_ = (
        "give a file: `rpm -q --changelog kernel-core`, `apt-get changelog linux-image-...`, or the package's changelog"
    )
    raise UsageError(f"{name!r} is no file, and neither rpm nor apt has its changelog", help=help_)


def read(text: str, subjects: dict[str, str], known: frozenset[str]) -> Changelog:
    """A changelog as builds with the known fixes that each brought.

    Args:
        text: The changelog, newest build first, as both forms are.
        subjects: Ids of known fixes by :func:`kb.known.pack.subject_id`.
        known: Ids of all known fixes.

    Raises:
        InputError: No build is in it.
    """
    builds, stream = [], ""
    for name, version, lines in _blocks(text.splitlines()):
        stream = stream or _stream(name, version)
        abi = next((int(found[1]) for line in lines if (found := _ABI.search(line))), None)
        listed = {cve.lower() for line in lines for cve in _CVE.findall(line)} & known
        listed |= {subjects[mark] for item in _items(lines) if (mark := subject_id(item)) in subjects}
        builds.append(Build(version, abi, tuple(sorted(listed))))
    if not builds:
        raise InputError(
            "no changelog of a kernel: no line like `linux (6.1.106-3) ...` or `* date author [5.14.0-427.el9]`"
        )
    builds.reverse()
    return Changelog(stream, tuple(_with_abi(builds)))


def _blocks(lines: Iterable[str]) -> Iterator[tuple[str, str, list[str]]]:
    """Each build: the package, the version, the lines under it."""
    name, version, block = "", "", list[str]()
    for line in lines:
        head = _DEB.match(line) or _RPM.match(line)
        if head is not None:
            if version:
                yield name, version, block
            name, version = (head[1], head[2]) if head.re is _DEB else ("kernel", head[1])
            block = []
        elif version:
            block.append(line)
    if version:
        yield name, version, block


def _items(lines: Iterable[str]) -> Iterator[str]:
    """The subjects that a block lists, on one line each, without what stands before and behind them."""
    item = ""
    for line in (*lines, "- "):
        if _ITEM.match(line) or not line.strip() or line == "- ":
            if item:
                yield _bare(item)
            item = _ITEM.sub("", line).strip() if _ITEM.match(line) else ""
        elif item and len(item) < 400:
            item += f" {line.strip()}"


def _bare(item: str) -> str:
    """The subject alone: ``[x86] subject (CVE-1)``, ``subject (author) [bug] {CVE-1}``."""
    item = _BEFORE.sub("", item)
    for _ in range(4):
        item = item.rstrip()
        found = _BEHIND.search(item)
        if found is None or found.start() == 0 or item[found.start() :].strip() == "()":
            break
        item = item[: found.start()]
    return item.rstrip(". ")


def _stream(name: str, version: str) -> str:
    release = Release.parse(version)
    base = ".".join(version.split(".")[:2])
    if release is not None and release.major is not None and release.family == "rhel":
        return f"{name}-{version.partition('-')[0]}.el{release.major}"
    return f"{name}-{base}"


def _with_abi(builds: Iterable[Build]) -> Iterator[Build]:
    """Ubuntu's builds name their ABI in the version; Debian's keep the one that was set last."""
    last: int | None = None
    for build in builds:
        release = Release.parse(build.version)
        part = build.version.partition("-")[2]
        if release is not None and release.family == "rhel":
            yield build
        elif re.fullmatch(r"\d{1,4}\.\d{1,4}(?:[~.+]\S*)?", part):
            yield Build(build.version, int(part.split(".")[0]), build.holds)
        else:
            last = build.abi if build.abi is not None else last
            yield Build(build.version, last, build.holds)
