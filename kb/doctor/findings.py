"""What is wrong with an installation, and what helps, told by what was seen of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kb.doctor.packages import SPARED, install


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    about: str
    """Part of the report that it was seen in."""
    reason: str
    help: str | None = None
    grave: bool = False
    """Whether kb, the store or a folder of cases cannot be used because of it; else something is missed only."""


def findings(seen: dict[str, Any]) -> Iterator[Finding]:
    """All that is wrong in the parts of a report.

    Args:
        seen: The parts by name; one that could not be looked at is ``{"failed": why}``.
    """
    whole = "failed" in seen["packages"] or not _absent(seen["packages"])
    for name, look in _LOOKS.items():
        part = seen[name]
        if "failed" not in part:
            yield from look(part)
        elif name in _NEEDED and whole:  # else it fails for want of a package, which is told
            yield Finding(name, f"{_NEEDED[name]} cannot be used: {part['failed']}", grave=True)


def _python(part: dict[str, Any]) -> Iterator[Finding]:
    for name in part["lacks"]:
        help_ = "run kb with a Python that has all of its library: on Debian python3, not python3-minimal"
        yield Finding("python", f"this Python lacks the module {name} of its own library", help_, name == "sqlite3")


def _sqlite(part: dict[str, Any]) -> Iterator[Finding]:
    if not part["fts5"]:
        reason = f"no store can be made: SQLite {part['version']} lacks FTS5 with the trigram tokenizer"
        yield Finding("sqlite", reason, "run kb with a Python whose SQLite is 3.34 or newer, built with FTS5", True)


def _packages(part: list[dict[str, Any]]) -> Iterator[Finding]:
    if absent := _absent(part):
        what = ", ".join(f"{each['name']} ({each['for']})" for each in absent)
        yield Finding("packages", f"not installed, though kb always runs on it: {what}", install("kernel-kb"), True)
    for each in part:
        extra = each["extra"]
        if each["version"] is None and each["name"] in SPARED:
            reason = f"{each['name']} is not installed: logs are read, but slower"
            yield Finding("packages", reason, install("kernel-kb"))
        elif each["fits"] is False:
            reason = f"{each['name']} {each['version']} is not a version that this kb runs on: {each['wanted']}"
            what = f"'kernel-kb[{extra}]'" if extra else "kernel-kb"
            yield Finding("packages", reason, install("--upgrade", what), not extra)
        if each["problem"]:
            reason = f"{each['name']} is installed but cannot be loaded ({each['for']}): {each['problem']}"
            help_ = f"{install('--force-reinstall --no-cache-dir', each['name'])}, for this Python and this machine"
            yield Finding("packages", reason, help_, not extra and each["name"] not in SPARED)


def _absent(part: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in part if not row["version"] and not row["extra"] and row["name"] not in SPARED]


def _store(part: dict[str, Any]) -> Iterator[Finding]:
    path = part["path"]
    if part["problem"]:
        yield Finding("store", f"the store {path} cannot be used: {part['problem']}", part["help"], True)
    elif part["there"] and not part["writable"]:
        help_ = "mind the rights of the file and its folder, or name another file with --db or KB_DB"
        yield Finding("store", f"the store {path} may only be read: nothing can be recorded", help_)
    if part["there"] and part["private"] is False:
        reason = f"the store {path} can be read by others: logs name hosts and people"
        yield Finding("store", reason, f"chmod 600 {path}, and own it yourself")


def _cache(part: dict[str, Any]) -> Iterator[Finding]:
    if part["there"] and not (part["private"] and part["writable"]):
        reason = f"the cache {part['path']} is not used: it is not yours alone to write; each start takes longer"
        yield Finding("cache", reason, f"chmod -R go-rwx,u+w {part['path']}, and own it yourself")


def _cases(part: dict[str, Any]) -> Iterator[Finding]:
    for folder in part["folders"]:
        if folder["problem"]:
            reason = f"the cases in {folder['path']} cannot be used: {folder['problem']}"
            yield Finding("cases", reason, "mind KB_CASES and --cases, and the rights of the folder", True)
    if part["broken"]:
        yield Finding("cases", f"{len(part['broken'])} cases are left out, for they are broken", "kb case lint")


def _known(part: dict[str, Any]) -> Iterator[Finding]:
    if part["path"] is None:
        yield Finding("known", "the known fixes are not looked up: their index cannot be made", "mind the cache above")
    elif not part["fit"]:
        help_ = install("--upgrade --force-reinstall kernel-kb")
        yield Finding("known", "the known fixes are not looked up: their keys are another version's", help_)


def _locale(part: dict[str, Any]) -> Iterator[Finding]:
    other = sorted({name for name in (part["encoding"], part["stdout"]) if name and name.lower() not in _UTF8})
    if other:
        reason = (
            f"the locale {part['locale']} writes {', '.join(other)}, not UTF-8: what that lacks is shown as escapes"
        )
        yield Finding("locale", reason, "LC_ALL=C.UTF-8 kb ...")


_UTF8 = {"utf-8", "utf8"}
_NEEDED = {"sqlite": "a store", "store": "the store", "cases": "the library of cases"}
"""Parts that kb cannot be used without, and what they are."""
_LOOKS: dict[str, Any] = {
    "packages": _packages,
    "python": _python,
    "sqlite": _sqlite,
    "store": _store,
    "cache": _cache,
    "cases": _cases,
    "known": _known,
    "locale": _locale,
}
"""What tells the findings of a part; parts that are missing first, since others fail for want of them."""
