"""What a report of a fault of kb needs to say: versions, places, whether the store and the cases can be used.

Nothing here raises: a part that cannot be looked at says why. Nothing is made but the index of the cases, which every
other command makes, too.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC
from pathlib import Path
from typing import Any

import kb
from kb.doctor.findings import findings
from kb.doctor.packages import lacks
from kb.doctor.packages import look as _packages

TOOLS = {("git",): "kb import git", ("llvm-addr2line", "addr2line", "eu-addr2line"): "source lines of frames"}
"""Programs that kb calls, any one of each row, and for what."""

ENVIRONMENT = {
    "KB_DB": "the store",
    "KB_SCAN_HOOK": "module:function that kb scan calls before each file, for tests",
    "KB_CASES": "folders of cases over the packaged ones",
    "KB_MAX_INPUT": "bytes an input may have once unpacked",
    "KB_LLM_MODEL": "the language model of kb chat",
    "PAGER": "what shows a long answer of kb match",
    "NO_COLOR": "no colour",
    "TERM": "what the terminal can do",
    "LC_ALL": "language of kb chat",
    "LC_MESSAGES": "the same",
    "LANG": "the same",
    "VISUAL": "the editor that kb tui opens",
    "EDITOR": "the same",
    "TEXTUAL_DRIVER": "set by kb tui --web",
}
"""Environment variables that kb reads, and for what."""

_OPTIONS = ("FTS5", "JSON", "SECURE_DELETE", "THREADSAFE", "OMIT", "MAX_VARIABLE")
"""Words of SQLite's compile options that matter to a store."""


def examine(store: str | Path | None = None, cases: str | Path | None = None) -> dict[str, Any]:
    """All of it as plain values (schema ``kb.doctor/1``).

    Args:
        store: The store's file, which need not be there; None: the one that kb takes by itself.
        cases: A folder of cases over the packaged ones.

    Returns:
        A part a key; a part that cannot be looked at is ``{"failed": why}``. ``findings`` says what is wrong and what
        helps, the grave ones first; ``problems`` are the reasons of the grave ones: kb, the store or a folder of cases
        cannot be used.
    """
    parts: dict[str, Callable[[], Any]] = {
        "kb": _kb,
        "python": _python,
        "system": _system,
        "sqlite": _sqlite,
        "packages": _packages,
        "tools": _tools,
        "store": lambda: _store(store),
        "cache": _cache,
        "cases": lambda: _cases(cases),
        "known": _known,
        "locale": _locale,
        "terminal": _terminal,
        "environment": lambda: {name: os.environ.get(name) for name in ENVIRONMENT},
    }
    found: dict[str, Any] = {"schema": "kb.doctor/1"}
    for name, look in parts.items():
        try:
            found[name] = look()
        except Exception as error:  # whatever is wrong here is what the report is to say
            found[name] = {"failed": f"{type(error).__name__}: {error}"}
    wrong = sorted(findings(found), key=lambda one: not one.grave)
    found["findings"] = [asdict(one) for one in wrong]
    found["problems"] = [one.reason for one in wrong if one.grave]
    return found


def _kb() -> dict[str, Any]:
    place = Path(kb.__file__).resolve().parent
    return {"version": kb.__version__, "path": str(place), "commit": _commit(place.parent)}


def _commit(root: Path) -> str | None:
    """The commit of a checkout, None for an installed package."""
    if not (root / ".git").exists():
        return None
    import subprocess

    run = ["git", "-C", str(root), "rev-parse", "--short", "HEAD"]
    try:
        done = subprocess.run(run, capture_output=True, text=True, timeout=2, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def _python() -> dict[str, Any]:
    return {
        "version": sys.version.split()[0],
        "implementation": sys.implementation.name,
        "executable": sys.executable,
        "environment": sys.prefix != sys.base_prefix,
        "lacks": lacks(),
    }


def _system() -> dict[str, Any]:
    import platform

    try:
        name = platform.freedesktop_os_release().get("PRETTY_NAME")
    except OSError:
        name = None
    return {"platform": platform.platform(), "name": name, "machine": platform.machine()}


def _sqlite() -> dict[str, Any]:
    import sqlite3

    connection = sqlite3.connect(":memory:")
    try:
        options = [row[0] for row in connection.execute("pragma compile_options")]
        return {
            "version": sqlite3.sqlite_version,
            "fts5": _works(connection, "create virtual table t using fts5 (a, tokenize='trigram')"),
            "json": _works(connection, "select json('[]')"),
            "options": [option for option in options if any(word in option for word in _OPTIONS)],
        }
    finally:
        connection.close()


def _works(connection: Any, sql: str) -> bool:
    import sqlite3

    try:
        connection.execute(sql)
    except sqlite3.Error:
        return False
    return True


def _tools() -> list[dict[str, Any]]:
    import shutil

    found = []
    for names, gives in TOOLS.items():
        path = next((place for name in names if (place := shutil.which(name))), None)
        found.append({"name": " ".join(names), "path": path, "for": gives})
    return found


def _store(path: str | Path | None) -> dict[str, Any]:
    from kb.store.base import default_path
    from kb.store.health import examine

    return asdict(examine(default_path() if path is None else Path(path)))


def _cache() -> dict[str, Any]:
    import stat

    import platformdirs

    path = Path(platformdirs.user_cache_dir("kb"))
    if not path.is_dir():
        return {"path": str(path), "there": False}
    status = path.stat()
    sizes = [file.stat().st_size for file in path.rglob("*") if file.is_file()]
    inner = [each.stat().st_mode for each in path.iterdir() if each.is_dir()]
    return {
        "path": str(path),
        "there": True,
        "files": len(sizes),
        "size": sum(sizes),
        "mode": f"{stat.S_IMODE(status.st_mode):04o}",
        "private": not any(mode & 0o077 for mode in inner),
        "writable": os.access(path, os.W_OK),
    }


def _cases(extra: str | Path | None) -> dict[str, Any]:
    from kb.cases.library import load, origins

    more = () if extra is None else (extra,)
    folders: list[dict[str, Any]] = []
    for place in origins(more):
        readable = place.is_dir() and os.access(place, os.R_OK | os.X_OK)
        problem = None if readable else "no right to read it" if place.is_dir() else "no such folder"
        folders.append({"path": str(place), "cases": 0, "writable": os.access(place, os.W_OK), "problem": problem})
    if any(folder["problem"] for folder in folders):
        return {"cases": None, "broken": [], "folders": folders}
    library = load(more, skip_broken=True)
    for case in library:
        home = next((folder for folder in folders[::-1] if Path(case.path or "").is_relative_to(folder["path"])), None)
        if home is not None:
            home["cases"] += 1
    broken = [{"path": error.path, "line": error.line, "reason": error.reason} for error in library.errors]
    return {"cases": len(library), "broken": broken, "folders": folders}


def _known() -> dict[str, Any]:
    """What the known fixes were made from, and how old that is."""
    from datetime import datetime

    from kb.identity.signature import VERSION
    from kb.known.index import head, opened

    index = opened()
    if index is None:
        return {"path": None, "fixes": 0, "commit": None, "date": None, "days": None, "fit": False}
    made = head(index)
    age = datetime.now(UTC) - datetime.fromisoformat(made.date) if made.date else None
    return {
        "path": str(index.path),
        "fixes": made.records,
        "commit": made.commit,
        "date": made.date,
        "days": age.days if age is not None else None,
        "fit": made.keys == VERSION,
    }


def _locale() -> dict[str, Any]:
    import locale

    return {
        "locale": locale.setlocale(locale.LC_CTYPE),
        "encoding": locale.getpreferredencoding(False),
        "stdin": getattr(sys.stdin, "encoding", None),
        "stdout": getattr(sys.stdout, "encoding", None),
        "files": sys.getfilesystemencoding(),
        "utf8_mode": bool(sys.flags.utf8_mode),
    }


def _terminal() -> dict[str, Any]:
    import shutil

    streams = {"stdin": sys.stdin, "stdout": sys.stdout, "stderr": sys.stderr}
    size = shutil.get_terminal_size((0, 0))
    return {
        **{name: stream is not None and stream.isatty() for name, stream in streams.items()},
        "columns": size.columns or None,
        "lines": size.lines or None,
        "color": bool(sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"),
    }
