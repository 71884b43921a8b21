"""The pack: a line of JSON a known fix, below a line that says what it was made from.

It holds facts and no text of others: ids, commits, releases and names of files as the records give them, and of every
splat what kb itself reads in it. Equal records make equal bytes, so that the difference of two packs reviews an update.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb.errors import InputError
from kb.model.case import Affected, Case, Fix
from kb.model.stack import Stack
from kb.store.imports import Known

SCHEMA = "kb.known/1"
ORIGIN = "known"
PACKED = Path(__file__).with_name("fixes.ndjson")
"""The pack that comes with kb."""
_BY = "cve"
_HASH = 12
_NOTE = "introduced by "
_SUBJECT = 200
"""Letters and digits of a subject that count."""


@dataclass(frozen=True, slots=True)
class Splat:
    """What kb reads in one splat of a record."""

    kind: str
    title: str
    keys: tuple[str, ...]
    """Ids of all keys that it identifies the problem by, its own first; none where it names no function."""
    frames: tuple[str, ...]
    """Normalised names, innermost first."""
    function: str | None = None
    module: str | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """What a pack was made from."""

    commit: str | None
    """Of the records' tree."""
    date: str | None
    """Of that commit, ISO 8601."""
    keys: int
    """:data:`kb.identity.signature.VERSION` that made the keys."""
    readings: int
    """:data:`kb.imports.build.VERSION` that read the splats."""
    records: int


def entry(known: Known, splats: Iterable[Splat], subject: str) -> dict[str, Any]:
    """A record as plain values.

    Args:
        known: What the importer made of it.
        splats: What kb reads in its splats.
        subject: :func:`subject_id` of its fix.
    """
    case = known.case
    mainline = next((fix for fix in case.fixes if fix.branch == "mainline"), None)
    return {
        "id": case.id.upper(),
        "commit": mainline.commit if mainline is not None else None,
        "subject": subject,
        "fixed": {fix.since: fix.commit for fix in case.fixes if fix.since is not None},
        "affected": {each.kernel: each.note.removeprefix(_NOTE) for each in case.affected},
        "files": list(case.files),
        "splats": [_splat(each) for each in splats],
    }


def subject_id(subject: str) -> str:
    """What a subject is recognised by in a distribution's changelog, which breaks and shortens lines."""
    plain = "".join(char for char in subject.lower() if char.isalnum())[:_SUBJECT]
    return hashlib.sha256(plain.encode("utf-8", "surrogateescape")).hexdigest()[:_HASH]


def _splat(splat: Splat) -> dict[str, Any]:
    named = {"function": splat.function, "module": splat.module}
    return {
        "kind": splat.kind,
        "title": splat.title,
        **{name: value for name, value in named.items() if value is not None},
        "keys": list(splat.keys),
        "frames": " ".join(splat.frames),
    }


def known_of(row: Mapping[str, Any]) -> Known:
    """The case of a line of a pack; its title is kb's own title of the splat."""
    case_id, splats = row["id"].lower(), row["splats"]
    mainline = row["commit"]
    fixes = [_fix(since, commit, mainline) for since, commit in row["fixed"].items()]
    if mainline is not None and all(fix.branch != "mainline" for fix in fixes):
        fixes.insert(0, Fix(mainline, "", None, "mainline", _BY))
    case = Case(
        id=case_id,
        title=splats[0]["title"],
        kind=tuple(dict.fromkeys(each["kind"] for each in splats)),
        status="imported",
        summary="",
        keywords=tuple(dict.fromkeys(each["module"] for each in splats if "module" in each)),
        affected=tuple(
            Affected(text, _BY, f"{_NOTE}{commit}" if commit else "") for text, commit in row["affected"].items()
        ),
        fixes=tuple(sorted(fixes, key=lambda fix: fix.branch != "mainline")),
        signatures=tuple(dict.fromkeys(key for each in splats for key in each["keys"])),
        files=tuple(row["files"]),
    )
    return Known(case, tuple(_stacks(case_id, splats)))


def _fix(since: str, commit: str, mainline: str | None) -> Fix:
    if commit == mainline:
        return Fix(mainline, "", since, "mainline", _BY)
    return Fix(commit, "", since, branch_of(since), _BY)


def branch_of(release: str) -> str:
    """The branch that a release is of: 6.1 of 6.1.90, mainline of 6.2 and 6.2-rc3."""
    parts = release.split("-")[0].split(".")
    stem = 3 if parts[0] == "2" else 2  # 2.6.32.7 is of the branch 2.6.32
    return ".".join(parts[:stem]) if len(parts) > stem else "mainline"


def _stacks(case_id: str, splats: Iterable[Mapping[str, Any]]) -> Iterator[Stack]:
    for each in splats:
        if frames := tuple(each["frames"].split()):
            key = each["keys"][0] if each["keys"] else ""
            yield Stack(key, each["title"], each["kind"], frames, case_id, each.get("function"))


def write(path: Path, header: Header, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a pack: records in the order of their ids."""
    made = sorted(rows, key=lambda row: number(row["id"]))
    head = {
        "schema": SCHEMA, "commit": header.commit, "date": header.date, "keys": header.keys,
        "readings": header.readings, "records": len(made),
    }  # fmt: skip
    try:
        with open(path, "w", encoding="ascii", newline="\n") as stream:
            for row in (head, *made):
                stream.write(json.dumps(row, ensure_ascii=True, separators=(",", ":")) + "\n")
    except OSError as error:
        raise InputError(f"cannot write it: {error.strerror}", path=str(path)) from None


def number(cve: str) -> tuple[int, ...]:
    """By what records are sorted: the year and the number of ``CVE-2024-1234``."""
    return tuple(int(part) for part in cve.split("-")[1:])


def read(path: Path = PACKED) -> tuple[Header, Iterator[dict[str, Any]]]:
    """A pack's header, and its records one by one.

    Raises:
        InputError: It cannot be read, or is no pack that this kb knows.
    """
    try:
        stream = open(path, encoding="ascii")  # noqa: SIM115 - closed by who reads to the end
    except OSError as error:
        raise InputError(f"cannot read it: {error.strerror}", path=str(path)) from None
    try:
        head = json.loads(stream.readline())
        if head["schema"] != SCHEMA:
            raise KeyError(head["schema"])
        header = Header(head["commit"], head["date"], head["keys"], head["readings"], head["records"])
    except (ValueError, KeyError, TypeError):
        stream.close()
        help_ = "`kb import vulns DIR --pack FILE` makes one"
        raise InputError(f"not a pack of known fixes ({SCHEMA})", path=str(path), help=help_) from None
    return header, _rows(stream, path)


def _rows(stream: Any, path: Path) -> Iterator[dict[str, Any]]:
    with stream:
        for count, line in enumerate(stream, 2):
            try:
                row: dict[str, Any] = json.loads(line)
                number(row["id"])
            except (ValueError, KeyError, TypeError):
                raise InputError("not a line of a pack", path=str(path), line=count) from None
            yield row


def header(path: Path = PACKED) -> Header:
    """What a pack was made from."""
    head, rows = read(path)
    rows.close()  # type: ignore[attr-defined]
    return head


def differences(old: Path, new: Path) -> Iterator[str]:
    """What a reviewer wants to see of an update, a line a change: ``+ CVE-2024-1``, ``- ...``, ``~ ... fixed: ...``."""
    (head, before), (other, after) = read(old), read(new)
    for name in ("commit", "date", "keys", "readings", "records"):
        if getattr(head, name) != getattr(other, name):
            yield f"~ {name}: {getattr(head, name)} -> {getattr(other, name)}"
    left, right = ({row["id"]: row for row in rows} for rows in (before, after))
    for cve in sorted({*left, *right}, key=number):
        if cve not in right:
            yield f"- {_shown(left[cve])}"
        elif cve not in left:
            yield f"+ {_shown(right[cve])}"
        else:
            yield from _changes(cve, left[cve], right[cve])


def _shown(row: Mapping[str, Any]) -> str:
    return f"{row['id']} {(row['commit'] or '')[:_HASH]} {'; '.join(each['title'] for each in row['splats'])}"


def _changes(cve: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted({*old, *new}):
        left, right = (_parts(row.get(name)) for row in (old, new))
        gone, come = (", ".join(x for x in a if x not in b) for a, b in ((left, right), (right, left)))
        if left != right:
            changes = [f"-{gone}"] * bool(gone) + [f"+{come}"] * bool(come)
            yield f"~ {cve} {name}: {' '.join(changes) or 'in another order'}"


def _parts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [f"{key} ({item})" if item else key for key, item in value.items()]
    if isinstance(value, list):
        return [item if isinstance(item, str) else json.dumps(item, separators=(",", ":")) for item in value]
    return [] if value is None else [str(value)]
