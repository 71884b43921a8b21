"""Makes ``kb.pyz``, one file that runs wherever there is Python 3.11: ``python contrib/pyz.py WHEEL TARGET``.

For rescue systems without pip and network. It holds the wheel and the pure parts of what kb runs on, as they are
installed beside this interpreter; what is compiled is left out, and kb does without (docs/decisions/pyz.md). What it
holds is decided for all the Pythons of :data:`PYTHONS`, not for this one, and equal parts give equal bytes.
"""

from __future__ import annotations

import hashlib
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

COMPILED = {"google-re2"}
PYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.15")
"""Versions that the file may meet: a part that any of them asks for goes in."""
_LEFT_OUT = {".so", ".pyd", ".pyc", ".c", ".exe"}
_MADE = (2020, 2, 2, 0, 0, 0)
"""Time of every member, as in the wheel."""

MAIN = '''"""Unpacks what this file holds, once, into the user's cache, and runs kb from there."""

import atexit
import os
import shutil
import sys
import tempfile
import zipfile

MARK = "@MARK@"


def trusted(place):
    """Whether it is a folder that nobody but root or this user has made."""
    return os.path.isdir(place) and os.lstat(place).st_uid in (0, os.getuid())


def unpacked():
    archive = os.path.dirname(os.path.abspath(__file__))
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    place = os.path.join(home, "kb", "pyz-" + MARK)
    if trusted(place):
        return place
    try:
        os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
        made = tempfile.mkdtemp(dir=os.path.dirname(place))
    except OSError:
        made = place = tempfile.mkdtemp(prefix="kb-pyz-")
    try:
        with zipfile.ZipFile(archive) as file:
            file.extractall(made)
    except OSError:
        shutil.rmtree(made, ignore_errors=True)
        raise
    if place != made:
        try:
            os.rename(made, place)
            return place
        except OSError:  # another process was faster, or what lies there is somebody else's
            if trusted(place):
                shutil.rmtree(made, ignore_errors=True)
                return place
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


if __name__ == "__main__":
    if sys.version_info < (3, 11):
        sys.exit("kb needs Python 3.11 or newer, and " + sys.executable + " is older; try: python3.11 kb.pyz")
    try:
        sys.path[0] = unpacked()
    except OSError as error:
        sys.exit("kb: no place to unpack to: " + str(error) + "\\n  help: name a folder of yours in XDG_CACHE_HOME")
    from kb.cli import main

    sys.exit(main())
'''


def parts(name: str, extras: frozenset[str] = frozenset()) -> dict[str, Distribution]:
    """The installed distributions that one needs to run, itself included, but for the compiled ones."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(name, extra) for extra in ("", *extras)]
    while waiting:
        key = canonicalize_name(waiting[-1][0]), waiting.pop()[1]
        if key in seen or key[0] in COMPILED:
            continue
        seen.add(key)
        try:
            found[key[0]] = one = distribution(key[0])
        except PackageNotFoundError:
            sys.exit(f"{key[0]} has to go into the file, for one of Python {', '.join(PYTHONS)}: install it first")
        waiting += [each for line in one.requires or () for each in _asked(Requirement(line), key[1])]
    return found


def _asked(wanted: Requirement, extra: str) -> Iterator[tuple[str, str]]:
    """Name and extras that a requirement asks for, where it holds for any of the Pythons."""
    versions = ({"python_version": python, "python_full_version": f"{python}.0", "extra": extra} for python in PYTHONS)
    if wanted.marker is None or any(wanted.marker.evaluate(environment) for environment in versions):
        yield from ((wanted.name, each) for each in ("", *wanted.extras))


def make(wheel: Path, target: Path) -> None:
    """Write the file."""
    with zipfile.ZipFile(wheel) as archive:
        held = {name: archive.read(name) for name in archive.namelist() if ".data/" not in name}
    for name, one in parts("kernel-kb").items():
        for file in () if name == "kernel-kb" else one.files or ():
            if not (file.suffix in _LEFT_OUT or ".." in file.parts or {"__pycache__", *_LOCAL} & {*file.parts}):
                held[file.as_posix()] = Path(str(file.locate())).read_bytes()
    digest = hashlib.sha256()
    for path, content in sorted(held.items()):
        digest.update(path.encode() + content)
    held["__main__.py"] = MAIN.replace("@MARK@", digest.hexdigest()[:16]).encode()
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as out:
        out.write(b"#!/usr/bin/env python3\n")
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content in sorted(held.items()):
                archive.writestr(zipfile.ZipInfo(path, _MADE), content, zipfile.ZIP_DEFLATED)
    target.chmod(0o755)


_LOCAL = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
"""What an installer leaves beside a package, which differs from place to place."""


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]))
