"""The title of a report by its row of kinds.toml, with what differs from build to build made alike."""

import re
from collections.abc import Mapping

from kb.parse.guilt import Guilt
from kb.syntax.frames import plain
from kb.syntax.kinds import Row

_NUMBER = re.compile(r"\b\d+\b")
_DIGITS = re.compile(r"\d+")
_OFFSET = re.compile(r"\+0x[0-9a-f]{1,8}/0x[0-9a-f]{1,8}\b")
"""Where in a function: differs with every build."""
_ADDRESS = re.compile(r"\b(?:0x)?[0-9a-f]{8,16}\b|0x[0-9a-f]+\b")


def titles(row: Row, fields: Mapping[str, str], guilt: Guilt | None) -> tuple[str, tuple[str, ...]]:
    """The title and the alternative titles; ``corrupted`` stands where the function is lost, as on syzbot.

    Args:
        row: What the kind is called.
        fields: The report's named fields; ``origin`` is who allocated the memory (KMSAN), or empty.
        guilt: Whom it blames, None where nobody could be.
    """
    values = _Values(fields)
    values["fn"] = guilt.function if guilt else "corrupted"
    if row.needs and row.needs not in fields:
        where = f" in {fields['fn']}" if "fn" in fields else ""
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
    return title.strip().removesuffix(" in"), tuple(dict.fromkeys(alt))


def _filled(form: str, values: dict[str, str]) -> str:
    return form.format_map(values).replace(": order: in ", " in ")  # of a headline that is lost, or has no order


_LIMITS = {
    "CONSTRAINT_MEMCG": "memory cgroup",
    "CONSTRAINT_CPUSET": "cpuset",
    "CONSTRAINT_MEMORY_POLICY": "memory policy",
}


def _oom(fields: Mapping[str, str]) -> dict[str, str]:
    """What names an OOM kill: the limit that was reached (old kernels say it in the kill line only) and the victim."""
    cgroup = fields.get("reason", "").startswith("Memory cgroup")
    limit = _LIMITS.get(fields.get("constraint", ""), "memory cgroup" if cgroup else "global")
    return {"limit": limit, "victim": fields.get("victim") or fields.get("task") or "nobody"}


class _Values(dict[str, str]):
    """Fields for a title: addresses and numbers of free text made alike, absent ones left out."""

    def __missing__(self, name: str) -> str:
        return ""

    def __init__(self, fields: Mapping[str, str]):
        super().__init__(fields)
        if "what" in fields:
            alike = _NUMBER.sub("NUM", _ADDRESS.sub("ADDR", _OFFSET.sub("", fields["what"])))
            self["what"] = alike.rstrip(". ").replace("_error", " error")
