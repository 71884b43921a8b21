"""Writing cases: a draft folder proposed from a report, a note appended, the index of a folder."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from kb.errors import CaseChanged, CaseError
from kb.model.case import Case
from kb.model.verdict import Diagnosis

_PROPOSED = (
    "cause", "order", "gfp_name", "compaction.allowed", "zones.refused_only_by_order_walk", "function", "module",
)  # fmt: skip
"""Facts that go into the predicates of a draft, the telling ones first."""


def new_case(folder: Path, case_id: str, diagnosis: Diagnosis | None = None) -> Path:
    """Write a draft ``<folder>/<id>/case.md``; what is there already is never touched.

    Args:
        folder: Where cases are kept.
        case_id: Its id, and the name of its folder.
        diagnosis: A report to take kind, title and predicates from; its log becomes ``match-first.log``.

    Returns:
        The new file.
    """
    place = folder / case_id
    path = place / "case.md"
    try:
        place.mkdir(parents=True, exist_ok=True)
        _create(path, _draft(case_id, diagnosis).encode())
        if diagnosis is not None:
            raw = b"".join(
                {line.number: line.raw for line in diagnosis.report.lines}.values()
            )  # a line may hold several
            _create(place / "match-first.log", raw)
    except FileExistsError as error:
        raise CaseError("the file is there already", path=str(error.filename), help="choose another id") from None
    except OSError as error:
        raise CaseError(f"cannot write the case: {error.strerror}", path=str(path)) from None
    return path


def _create(path: Path, data: bytes) -> None:
    with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644), "wb") as stream:
        stream.write(data)


def _draft(case_id: str, diagnosis: Diagnosis | None) -> str:
    title = diagnosis.report.title if diagnosis else "What goes wrong, in one line"
    kind = diagnosis.report.kind if diagnosis else "warning"
    require, seen_in = _proposed(diagnosis) if diagnosis else (["function == foo"], [])
    return f"""```toml
id = {_quoted(case_id)}
title = {_quoted(title)}
kind = [{_quoted(kind)}]
status = "draft"                 # draft | reviewed | withdrawn
subsystem = ""                   # mm/page_alloc, xfs, net/ceph ...
summary = "Why it happens, in one or two sentences."
keywords = []

[match]                          # one predicate a line; go to the cause, not to this sighting
require = [{_listed(require)}]
refute = []                      # what rules the case out
support = []                     # what ranks it; the only place for a kernel version
seen_in = [{_listed(seen_in)}]

# [[affected]]                   # kernel = ">= 3.10, < 4.4", by = a source's id
# [[fix]]                        # commit, subject, since, branch, by
# [[workaround]]                 # do, caveat, by
# [[verify]]                     # run, expect, means
# [[source]]                     # id, text, url
# [[dispute]]                    # claim, finding, source, by
```

# {title}

## What happens

## Why

## What to do

## Notes
"""


def _proposed(diagnosis: Diagnosis) -> tuple[list[str], list[str]]:
    """Predicates that hold on the report: cause and request demand, the place it was seen at only colours."""
    require: list[str] = []
    seen_in: list[str] = []
    for name in ("subtype",) if diagnosis.report.kind == "notice" else _PROPOSED:
        fact = diagnosis.facts.get(name)
        if fact is None or fact.value is None or isinstance(fact.value, tuple | list | dict | frozenset):
            continue
        value = fact.value
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        if not isinstance(value, bool | int) and not _plain(shown):
            shown = "'" + shown.replace("'", "") + "'"
        place = name in ("function", "module") and diagnosis.facts.cause is not None
        (seen_in if place else require).append(f"{name} == {shown}")
    return require, seen_in


def _plain(text: str) -> bool:
    return bool(text) and all(char.isalnum() or char in "_.:/@+-" for char in text)


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are among TOML's once DEL is taken care of."""
    clean = text.encode("utf-8", "replace").decode("utf-8")
    return json.dumps(clean, ensure_ascii=False).replace("\x7f", "\\u007f")


def _listed(texts: list[str]) -> str:
    return ", ".join(map(_quoted, texts))


def append_note(path: Path, shown_sha256: str, note: str) -> None:
    """Append a note under ``## Notes``, the last section; nothing that was there changes.

    Args:
        path: The case's file.
        shown_sha256: Hash (hex) of the file as the writer saw it.
        note: Markdown.

    Raises:
        CaseChanged: The file is no longer what the writer saw.
    """
    try:
        old = path.read_bytes()
        if hashlib.sha256(old).hexdigest() != shown_sha256:
            help_ = "look at it again; the note is not lost, repeat to append it"
            raise CaseChanged("the case changed since it was shown", path=str(path), help=help_)
        head = b"" if b"\n## Notes" in old else b"\n## Notes\n"
        replace_file(path, old + (b"" if old.endswith(b"\n") else b"\n") + head + b"\n" + note.strip().encode() + b"\n")
    except OSError as error:
        raise CaseError(f"cannot write the note: {error.strerror}", path=str(path)) from None


def replace_file(path: Path, data: bytes) -> None:
    """All or nothing, also when the machine goes down: beside its place, to the disk, then moved there."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".case-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, path.stat().st_mode & 0o777)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def index_markdown(cases: Iterable[Case]) -> str:
    """cases/README.md: all cases by subsystem, each with its summary. Generated; ``kb case index`` writes it."""
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(case.subsystem or "other", []).append(case)
    lines = ["# Cases", "", "Known problems by subsystem. Generated from the case files; do not edit.", ""]
    for subsystem in sorted(groups):
        lines += [f"## {subsystem}", ""]
        for case in sorted(groups[subsystem], key=lambda case: case.id):
            status = "" if case.status == "reviewed" else f" ({case.status})"
            lines.append(f"- [{case.id}]({case.id}/case.md){status}: {case.title}. {case.summary}")
        lines.append("")
    return "\n".join(lines)
