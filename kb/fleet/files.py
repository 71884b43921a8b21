"""What is to be scanned: files, folders, patterns, and what fsspec reaches, as items with names of their own."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from kb.errors import InputError, UsageError
from kb.fleet.item import Item

_MAGIC = "*?["


def items(sources: Iterable[str]) -> list[Item]:
    """The files that sources name, each once, sorted by name.

    Their names are relative to the folder named, to the part of a pattern in front of its first wildcard, or to the
    folder of a file; where several are named, to what these have in common.

    Args:
        sources: Paths, folders, patterns (``**`` goes through folders), or URLs of them.

    Raises:
        InputError: There is no such file, or a pattern finds none.
        UsageError: A URL whose file system needs a package that is not there.
    """
    found: dict[str, tuple[int, bool]] = {}
    roots: list[str] = []
    for source in sources:
        root, files = _remote(source) if "://" in source else _here(source)
        roots.append(root)
        for place, size, met in files:
            found.setdefault(place, (size, met))
    root = _common(roots)
    listed = [
        Item(place[len(root) :].lstrip("/") or place.rpartition("/")[2], place, size, met)
        for place, (size, met) in found.items()
    ]
    return sorted(listed)


def _common(roots: list[str]) -> str:
    """What paths begin with in common, up to a separator; empty for several file systems."""
    if len(set(roots)) == 1:
        return roots[0]
    schemes = {root.partition("://")[0] if "://" in root else "" for root in roots}
    if len(schemes) > 1:
        return ""
    if schemes == {""}:
        return os.path.commonpath(roots)
    parts = [root.split("/") for root in roots]
    same = next((n for n, each in enumerate(zip(*parts, strict=False)) if len(set(each)) > 1), min(map(len, parts)))
    return "/".join(parts[0][:same]) if same > 2 else ""


def _here(source: str) -> tuple[str, Iterator[tuple[str, int, bool]]]:
    path = os.path.abspath(source)
    if os.path.isdir(path):
        return path, _walk(path)
    if os.path.exists(path):
        return os.path.dirname(path), iter([(path, os.path.getsize(path), False)])
    if not any(sign in source for sign in _MAGIC):
        raise InputError("no such file", path=source)
    paths = sorted(glob.glob(path, recursive=True))
    if not paths:
        raise InputError("no file has such a name", path=source)
    root = _before(path, os.sep)
    return root, (each for one in _without_results(paths, root) for each in _matched(one))


def _without_results(paths: list[str], root: str) -> Iterator[str]:
    """What a pattern finds below a folder, but for what scans have left there: ``**`` goes through it, too."""
    from kb.fleet.result import left

    of = cache(left)
    for path in paths:
        parts = path[len(root) :].lstrip(os.sep).split(os.sep)
        if not any(part in of(Path(root, *parts[:place])) for place, part in enumerate(parts)):
            yield path


def _matched(path: str) -> Iterator[tuple[str, int, bool]]:
    """A file that a pattern finds; of a folder, what is in it."""
    if os.path.isdir(path):
        yield from _walk(path)
    else:
        yield path, os.path.getsize(path), True


def _walk(root: str) -> Iterator[tuple[str, int, bool]]:
    """The files of a folder, links and what is no regular file left out, as ``kb match FOLDER`` does."""
    from kb.fleet.result import left
    from kb.log.files import passed_over

    def unreadable(error: OSError) -> None:
        raise InputError(f"cannot read the folder: {error.strerror}", path=str(error.filename)) from error

    for folder, folders, files in os.walk(root, onerror=unreadable):
        own = left(Path(folder))  # it holds the texts of reports, which would count again
        folders[:] = sorted(name for name in folders if name not in own)
        for name in sorted(name for name in files if name not in own):
            path = os.path.join(folder, name)
            if passed_over(path, root) is None:
                yield path, os.path.getsize(path), True


def _before(pattern: str, separator: str) -> str:
    """The folder that a pattern names in front of its first wildcard."""
    first = min(pattern.index(sign) for sign in _MAGIC if sign in pattern)
    return pattern[:first].rpartition(separator)[0]


# ---- elsewhere


def _filesystem(url: str) -> tuple[Any, str]:
    """The file system of a URL, as fsspec has it, and the path in it."""
    try:
        import fsspec

        system, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        help_ = "pip install 'kernel-kb[fleet]', or the package of fsspec for that scheme"
        raise UsageError(f"cannot read {url.partition('://')[0]}://: {error}", help=help_) from error
    except ValueError as error:
        raise UsageError(f"cannot read {url}: {error}") from error
    return system, path


def _remote(url: str) -> tuple[str, Iterator[tuple[str, int, bool]]]:
    scheme = url.partition("://")[0]
    system, path = _filesystem(url)
    met = True
    try:
        if any(sign in path for sign in _MAGIC):
            root, rows = _before(path, "/"), system.glob(path, detail=True)
        elif system.isdir(path):
            root, rows = path.rstrip("/"), system.find(path, detail=True)
        else:
            root, rows, met = path.rpartition("/")[0], {path: system.info(path)}, False
    except FileNotFoundError:
        raise InputError("no such file", path=url) from None
    except Exception as error:  # each file system has errors of its own
        raise InputError(f"cannot be listed: {type(error).__name__}: {error}", path=url) from error
    files = [(f"{scheme}://{name}", int(row.get("size") or 0), met) for name, row in rows.items() if _is_file(row)]
    if not files:
        raise InputError("no file has such a name", path=url)
    return f"{scheme}://{root}", iter(files)


def _is_file(row: dict[str, Any]) -> bool:
    return row.get("type") == "file"


def fetch(url: str, path: str) -> None:
    """Copy a file from elsewhere.

    Raises:
        InputError: It cannot be read.
    """
    system, place = _filesystem(url)
    try:
        system.get_file(place, path)
    except Exception as error:  # each file system has errors of its own
        raise InputError(f"cannot be fetched: {type(error).__name__}: {error}", path=url) from error
