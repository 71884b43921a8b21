"""Makes ``kb.pyz``, one file that runs wherever there is Python 3.11: ``python contrib/pyz.py WHEEL TARGET``.

For rescue systems without pip and network. It holds the wheel and the pure parts of what kb runs on, as they are
installed beside this interpreter; what is compiled is left out, and kb does without (docs/decisions/pyz.md).
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import zipapp
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

COMPILED = {"google-re2"}
_LEFT_OUT = {".so", ".pyd", ".pyc", ".c", ".exe"}

MAIN = '''"""Unpacks what this file holds, once, into the user's cache, and runs kb from there."""

import atexit
import os
import shutil
import sys
import tempfile
import zipfile

MARK = "@MARK@"


def unpacked():
    archive = os.path.dirname(os.path.abspath(__file__))
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    place = os.path.join(home, "kb", "pyz-" + MARK)
    if os.path.isdir(place) and os.stat(place).st_uid in (0, os.getuid()):
        return place
    try:
        os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
        made = tempfile.mkdtemp(dir=os.path.dirname(place))
    except OSError:
        made = tempfile.mkdtemp(prefix="kb-pyz-")
        atexit.register(shutil.rmtree, made, ignore_errors=True)
        place = made
    with zipfile.ZipFile(archive) as file:
        file.extractall(made)
    if place != made:
        try:
            os.rename(made, place)
        except OSError:  # another process was faster
            shutil.rmtree(made, ignore_errors=True)
    return place


if __name__ == "__main__":
    if sys.version_info < (3, 11):
        sys.exit("kb needs Python 3.11 or newer")
    sys.path[0] = unpacked()
    from kb.cli import main

    sys.exit(main())
'''


def parts(name: str, found: dict[str, Distribution] | None = None) -> dict[str, Distribution]:
    """The installed distributions that one needs to run, itself included, but for the compiled ones."""
    found = {} if found is None else found
    one = distribution(name)
    found[canonicalize_name(name)] = one
    for line in one.requires or ():
        wanted = Requirement(line)
        key = canonicalize_name(wanted.name)
        if key not in found and key not in COMPILED and (not wanted.marker or wanted.marker.evaluate({"extra": ""})):
            parts(key, found)
    return found


def make(wheel: Path, target: Path) -> None:
    """Write the file."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Path(folder)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(stage, [name for name in archive.namelist() if ".data/" not in name])
        for name, one in parts("kernel-kb").items():
            if name == "kernel-kb":
                continue
            for file in one.files or ():
                if file.suffix in _LEFT_OUT or ".." in file.parts or "__pycache__" in file.parts:
                    continue
                place = stage / file
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(Path(str(file.locate())).read_bytes())
        digest = hashlib.sha256()
        for path in sorted(path for path in stage.rglob("*") if path.is_file()):
            digest.update(str(path.relative_to(stage)).encode() + path.read_bytes())
        (stage / "__main__.py").write_text(MAIN.replace("@MARK@", digest.hexdigest()[:16]), encoding="utf-8")
        target.parent.mkdir(parents=True, exist_ok=True)
        zipapp.create_archive(stage, target, "/usr/bin/env python3", compressed=True)


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]))
