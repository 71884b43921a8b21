"""The title of a report by its row of kinds.toml, with what differs from build to build made alike."""

import re
from collections.abc import Mapping
from dataclasses import replace

from kb.parse.guilt import Guilt
from kb.syntax.frames import plain
from kb.syntax.kinds import Row

_NUMBER = re.compile(r"\b\d+\b")
_UUID = re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
_DIGITS = re.compile(r"\d+")
_OFFSET = re.compile(
    r"(?:\.(?:cold|isra|constprop|part|llvm|lto_priv)(?:\.\d{1,20})?){0,4}\+0x[0-9a-f]{1,8}/0x[0-9a-f]{1,8}\b"
    r"(?: [\w./+~-]{1,200}\.(?:[chS]|rs):\d{1,9})?"
    r"| \([\w./+~-]{1,200}\.(?:[chS]|rs):\d{1,9}(?: \(discriminator \d{1,9}\)| [\w./+~-]{1,200}:\d{1,9}){0,20}\)"
)
"""Where in a function, and what the compiler made of its name: differs with every build."""
_ADDRESS = re.compile(r"\b(?:0x)?[0-9a-f]{8,16}\b|0x[0-9a-f]+\b")


def titles(
    row: Row, fields: Mapping[str, str], guilt: Guilt | None, *, named: bool = True
) -> tuple[str, tuple[str, ...]]:
    """The title and the alternative titles; ``corrupted`` stands where the function is lost, as on syzbot.

    Args:
        row: What the kind is called.
        fields: The report's named fields; ``origin`` is who allocated the memory (KMSAN), or empty.
        guilt: Whom it blames, None where nobody could be.
        named: False where the kernel has no symbols: no function is lost then, and none is in the title.
    """
    values = _Values(fields)
    values["fn"] = guilt.function if guilt else "corrupted"
    if not named:
        row = replace(row, title=row.title.replace(" in {fn}", ""), alt=())
    if _placed(row, fields, guilt):
        row = replace(row, title=row.title.replace(" in {fn}", f" at {place(fields['file'])}"), alt=())
    if row.needs and row.needs not in fields:
        where = f" in {plain(fields['fn'])}" if "fn" in fields else ""
        text = _ADDRESS.sub("ADDR", fields.get("what", "") + where + fields.get("rest", ""))
        return f"{row.title.split(':')[0]}: {_NUMBER.sub('NUM', text)}", ()
    if row.kind == "oom_kill":
        values |= _oom(fields)
    sides = [plain(fields[name]) for name in ("fn", "fn2") if name in fields]
    values["pair"] = " / ".join(sides) or "corrupted"
    if row.kind == "fuzzer":
        values["what"] = _DIGITS.sub("NUM", values["what"])
    title = _filled(row.title, values)
    alt: list[str] = []
    for name in (values["fn"], *(guilt.aliases if guilt else ())):
        values["fn"] = name
        forms = (form for form in (row.title, *row.alt) if "{origin}" not in form or values["origin"])
        alt += [made for form in forms if (made := _filled(form, values)) != title]
    return title.strip().removesuffix(" in").removesuffix(":"), tuple(dict.fromkeys(alt))


def apart(row: Row, fields: Mapping[str, str], guilt: Guilt | None) -> tuple[str, ...]:
    """What tells two problems of this title apart: fields that the kind names, the line of a place without function."""
    found = [fields[name] for name in row.apart if name in fields]
    if _placed(row, fields, guilt):
        found.append(fields.get("fileline", ""))
    return tuple(filter(None, found))


def _placed(row: Row, fields: Mapping[str, str], guilt: Guilt | None) -> bool:
    """True where no function is known but the file that the headline names."""
    return guilt is None and row.place and " in {fn}" in row.title and "file" in fields


_FOLDERS = "arch|block|certs|crypto|drivers|fs|include|init|io_uring|ipc|kernel|lib|mm|net|rust|security|sound|virt"
_ROOT = re.compile(rf"/(?=(?:{_FOLDERS})/)")
_TREE = re.compile(rf"(?<!include)/(?:linux|kernel-source|source|src)[\w.+~-]{{0,80}}/(?=(?:{_FOLDERS})/)")
"""What a tree is called, which include/linux is not: folders above it may be called as those in it."""


def place(file: str) -> str:
    """A source file from the root of the kernel's tree on: where it was built is no part of its name."""
    if not file.startswith(("/", ".")):
        return file
    found = next(reversed([*_TREE.finditer(file)]), None) or _ROOT.search(file)
    return file[found.end() :] if found is not None else file.lstrip("./")


def _filled(form: str, values: dict[str, str]) -> str:
    return form.format_map(values).replace(": order: in ", " in ")  # of a headline that is lost, or has no order


_LIMITS = {
    "CONSTRAINT_NONE": "global",
    "CONSTRAINT_MEMCG": "memcg",
    "CONSTRAINT_CPUSET": "cpuset",
    "CONSTRAINT_MEMORY_POLICY": "memory policy",
}


def _oom(fields: Mapping[str, str]) -> dict[str, str]:
    """What names an OOM kill: the limit that was reached (old kernels say it in the kill line only) and the victim.

    What the log does not hold is not said; where it holds neither, who asked for memory is the name.
    """
    reason = fields.get("reason", "")
    limit = _LIMITS.get(fields.get("constraint", ""), "")
    if not limit and (reason.startswith("Memory cgroup") or "charge" in fields):
        limit = "memcg"
    elif not limit and reason:
        limit = "global"
    victim = fields.get("victim") or fields.get("task")
    told = f"killed {victim}" if victim else "killed nobody" if "nobody" in fields else ""
    if not told and "comm" in fields:
        told = f"invoked by {fields['comm']}"
    return {"told": ", ".join(filter(None, (limit, told)))}


class _Values(dict[str, str]):
    """Fields for a title: addresses and numbers of free text made alike, absent ones left out."""

    def __missing__(self, name: str) -> str:
        return ""

    def __init__(self, fields: Mapping[str, str]):
        super().__init__(fields)
        if "what" in fields:
            self["what"] = _alike(fields["what"]).replace("_error", " error")
        self["panicked"] = _alike(fields.get("message", "rust panic"))


def _alike(text: str) -> str:
    return _NUMBER.sub("NUM", _ADDRESS.sub("ADDR", _UUID.sub("UUID", _OFFSET.sub("", text)))).rstrip(". ")
