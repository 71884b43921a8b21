"""The packages that kb runs on: which are there, of versions that kb was made for or not, and what lacks them."""

import functools
import os
import re
import sys
from typing import Any

from kb.errors import UsageError

PACKAGES: dict[str, tuple[str, str]] = {
    "jinja2": ("", "writes the page of kb match --html"),
    "lark": ("", "reads reports, predicates and questions"),
    "google-re2": ("", "finds reports at the speed of grep"),
    "sqlite-utils": ("", "makes and migrates the store"),
    "platformdirs": ("", "knows where a user's data belongs"),
    "pebble": ("", "processes of kb scan, each file apart from the others"),
    "prompt_toolkit": ("", "the prompt of kb chat"),
    "textual": ("", "kb tui"),
    "textual-serve": ("web", "kb tui --web"),
    "zstandard": ("zstd", "inputs packed with zstd"),
    "zxing-cpp": ("qr", "QR codes of panics in pictures"),
    "pillow": ("qr", "pictures: QR codes of panics"),
    "pypdf": ("pdf", "logs in PDFs"),
    "pyelftools": ("symbols", "source lines: kb match --vmlinux, --debuginfo"),
    "capstone": ("disasm", "instructions of Code: lines: kb match -v"),
    "dask": ("fleet", "kb scan --dask"),
    "distributed": ("fleet", "kb scan --dask"),
    "fsspec": ("fleet", "kb scan of URLs"),
    "s3fs": ("fleet", "kb scan s3://..."),
    "pyarrow": ("fleet", "kb scan: results and columns as Parquet"),
    "llm": ("llm", "a language model for kb chat"),
    "anyio": ("serve", "kb serve: processes that read logs"),
    "fastapi": ("serve", "kb serve: the interface"),
    "prometheus-client": ("serve", "kb serve: counts"),
    "python-multipart": ("serve", "kb serve: forms"),
    "starlette": ("serve", "kb serve: requests and their parts"),
    "uvicorn": ("serve", "kb serve: the server"),
    "uvloop": ("serve", "kb serve: less CPU a request"),
    "mcp": ("mcp", "kb mcp: assistants"),
}
"""Packages that kb uses: the extra that installs each (empty: always installed), and what it is for."""

SPARED = {"google-re2"}
"""Of those that are always installed, what kb does without, only slower: ``kb.pyz`` holds nothing that is compiled."""

LIBRARY = {"_sqlite3": "sqlite3", "_lzma": "lzma", "_bz2": "bz2", "zlib": "zlib", "_ssl": "ssl"}
"""Modules of Python's own library that a Python may have been built without: the compiled part, and its name."""

_MODULES = {
    "google-re2": "re2", "pillow": "PIL.Image", "pyelftools": "elftools", "zxing-cpp": "zxingcpp",
}  # fmt: skip
"""What is imported of a package, where that is not its own name; pillow's compiled part lies below the package."""

_TRY = """
import importlib, os, sys
told = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace")
os.dup2(2, 1)  # whatever they print is none of it
for name in sys.argv[1:]:
    print(name, end="\\t", file=told, flush=True)
    try:
        importlib.import_module(name)
        print(file=told, flush=True)
    except BaseException as error:
        print(" ".join(f"{type(error).__name__}: {error}".split()), file=told, flush=True)
"""
_PATIENCE = 60.0
"""Seconds that a process may take to import all of them; one that takes longer is left, and another tries the rest."""

_NAME = re.compile(r"[\w.-]+")
_BOUND = re.compile(r"(>=|<)\s*(\d{1,9}(?:\.\d{1,9}){0,4})")


def look() -> list[dict[str, Any]]:
    """Each of :data:`PACKAGES`: its version, None where it is absent, whether it fits, why it cannot be loaded."""
    from importlib.metadata import PackageNotFoundError, version

    bounds = _bounds()
    found: list[dict[str, Any]] = []
    for name, (extra, gives) in PACKAGES.items():
        try:
            number = version(name)
        except PackageNotFoundError:
            number = None
        wanted = bounds.get(name)
        fits = None if number is None or wanted is None else within(number, wanted)
        row = {"name": name, "version": number, "extra": extra or None, "for": gives, "wanted": wanted, "fits": fits}
        found.append(row)
    there = {row["name"]: _MODULES.get(row["name"], row["name"].replace("-", "_")) for row in found if row["version"]}
    wrong = broken(tuple(there.values()))
    return [{**row, "problem": wrong.get(there.get(row["name"], ""))} for row in found]


@functools.cache
def broken(modules: tuple[str, ...]) -> dict[str, str]:
    """Those of these modules that cannot be imported, and why; all are tried in another process, which one may end."""
    import subprocess

    found: dict[str, str] = {}
    left = list(modules) if sys.executable else []
    path = os.pathsep.join(each for each in sys.path if each)
    while left:
        run = [sys.executable, "-P", "-c", _TRY, *left]
        try:
            done = subprocess.run(
                run, env={**os.environ, "PYTHONPATH": path}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, timeout=_PATIENCE, check=False,
            )  # fmt: skip
            out, ended = done.stdout, f"its import ends the process ({_ending(done.returncode)})"
        except subprocess.TimeoutExpired as error:
            out, ended = error.stdout or b"", f"its import takes more than {_PATIENCE:.0f} s"
        except OSError:  # there is no such Python any more, or no memory for it: that says nothing of a package
            break
        rows = out.decode("utf-8", "replace").split("\n")
        for name, _, why in (row.partition("\t") for row in rows[:-1]):
            if why:
                found[name] = why
        tried = len(rows) - 1
        if tried < len(left) and rows[-1]:
            found[left[tried]] = ended
        left = left[tried + 1 :] if rows[-1] else []
    return found


def _ending(code: int) -> str:
    """How a process ended."""
    import signal

    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"exit code {code}"


def _bounds() -> dict[str, str]:
    """The versions that this kb asks for (``<6,>=5.2``), by name; none of a checkout that is not installed."""
    from importlib.metadata import PackageNotFoundError, requires

    try:
        lines = requires("kernel-kb") or []
    except PackageNotFoundError:
        return {}
    texts = (line.partition(";")[0].strip() for line in lines)
    names = ((_NAME.match(text), text) for text in texts)
    plain = {re.sub(r"[-_.]+", "-", name[0]).lower(): text[name.end() :].strip(" ()") for name, text in names if name}
    return {name: plain[key] for name in PACKAGES if (key := name.replace("_", "-")) in plain}


def within(version: str, wanted: str) -> bool:
    """Whether a version is inside of bounds of the form ``>=1.2,<3``, by the numbers of its release alone."""
    number = _numbers(version)
    return all(
        number >= _numbers(bound) if sign == ">=" else number < _numbers(bound)
        for sign, bound in _BOUND.findall(wanted)
    )


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"\d+(?:\.\d+)*", version)
    numbers = [int(part) for part in found[0].split(".")] if found else []
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def lacks() -> list[str]:
    """The modules of Python's own library that kb uses and this Python has not."""
    from importlib.util import find_spec

    return [name for module, name in LIBRARY.items() if find_spec(module) is None]


def install(*words: str) -> str:
    """The command that installs into the environment of this kb."""
    return " ".join((sys.executable or "python3", "-m pip install", *words))


def lacking(error: ImportError) -> UsageError | None:
    """What an import that failed says to a user; None where the module is kb's own, which is a fault of kb."""
    name = (error.name or "").partition(".")[0]
    if name in ("", "kb"):
        return None
    if name in sys.stdlib_module_names:
        help_ = "run kb with a Python that has all of its library: on Debian python3, not python3-minimal"
        return UsageError(f"this Python lacks the module {name} of its own library: {sys.executable}", help=help_)
    if isinstance(error, ModuleNotFoundError):
        help_ = f"{install('kernel-kb')} brings what is missing; kb doctor lists it"
        return UsageError(f"a package that kb runs on is not installed: {name}", help=help_)
    help_ = f"{install('--upgrade --force-reinstall kernel-kb')} puts its packages right; kb doctor lists them"
    return UsageError(f"a package that kb runs on cannot be loaded: {name}: {error}", help=help_)
