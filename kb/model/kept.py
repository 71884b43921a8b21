"""What is dear to make is kept in the user's cache folder.

The folder is the user's own and closed to others (0700): what is kept may be a pickle, and whoever can write that can
run code. Where it cannot be had, things are made each time. Deleting it loses nothing.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def kept(room: str) -> Path | None:
    """A private folder below the user's cache folder; None where none can be had."""
    try:
        import platformdirs

        private = Path(platformdirs.user_cache_dir("kb")) / room
        private.mkdir(mode=0o700, parents=True, exist_ok=True)
        return private if _is_private(private) else None
    except (OSError, RuntimeError, ImportError):
        return None


def toml(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """A TOML table of the program, read once and then kept as JSON under a name that tells its content.

    TOML's dates, which JSON has not, are no part of such a table.
    """
    import hashlib
    import json

    raw = path.read_bytes()
    folder = kept("tables")
    place = folder / f"{path.stem}-{hashlib.sha256(raw).hexdigest()[:32]}.json" if folder is not None else None
    if place is not None:
        try:
            return json.loads(place.read_bytes())  # type: ignore[no-any-return]
        except (OSError, ValueError):  # absent, cut: the file is the truth
            pass
    import tomllib

    made = tomllib.loads(raw.decode("utf-8"))
    if place is not None:
        save(json.dumps(made).encode(), place)
    return made


def _is_private(path: Path) -> bool:
    """True when the folder is the user's own and nobody else could have put anything into it."""
    if not hasattr(os, "getuid"):
        return True
    status = path.lstat()
    if status.st_uid != os.getuid() or path.is_symlink() or status.st_mode & 0o022:
        return False
    if status.st_mode & 0o077:
        path.chmod(0o700)
    return True


def save(content: bytes, path: Path) -> None:
    """Write beside its place, then move it there: a reader sees all or nothing."""
    import tempfile

    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except Exception:  # a full or read-only disk costs the next start 50 ms, nothing else
        return
