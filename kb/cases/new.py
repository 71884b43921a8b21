"""Writing cases: a draft folder proposed from a report, a note appended, the index of a folder."""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from kb.cases.propose import comments, proposed
from kb.errors import CaseChanged, CaseError, UsageError
from kb.model.case import Case
from kb.model.text import plain
from kb.model.verdict import Diagnosis
from kb.syntax.kinds import kind_of

TEMPLATE_TITLE = "What goes wrong, in one line"
TEMPLATE_SUMMARY = "Why it happens, then what to do, in one or two sentences."
TEMPLATE_PREDICATE = "function == foo"
"""What a draft says where nobody has written yet: the linter finds it."""

TO_DO = "# to do:"
"""Stands on each line of a draft that was proposed and is the writer's to say: the linter finds it until it is gone."""

_ID = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*")


def new_case(folder: Path, case_id: str, diagnosis: Diagnosis | None = None, near: Sequence[Diagnosis] = ()) -> Path:
    """Write a draft ``<folder>/<id>/case.md``; what is there already is never touched.

    Args:
        folder: Where cases are kept.
        case_id: Its id, and the name of its folder.
        diagnosis: A report to take kind, title and predicates from; its log becomes ``match-first.log``.
        near: Other reports of its log, which tell what of it is more than colour.

    Returns:
        The new file.
    """
    if not _ID.fullmatch(case_id):
        better = "-".join(re.findall(r"[a-z0-9.]+", case_id.lower())) or "my-case"
        raise UsageError(f"{case_id!r} is no id of a case", help=f"small letters, digits and hyphens: try {better}")
    place = folder / case_id
    path = place / "case.md"
    try:
        place.mkdir(parents=True, exist_ok=True)
        _create(path, _draft(case_id, diagnosis, near).encode())
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


def _draft(case_id: str, diagnosis: Diagnosis | None, near: Sequence[Diagnosis] = ()) -> str:
    title = plain(diagnosis.report.title) if diagnosis else TEMPLATE_TITLE
    kind = diagnosis.report.kind if diagnosis else "warning"
    require, support, seen_in = proposed(diagnosis, near) if diagnosis else ([TEMPLATE_PREDICATE], [], [])
    borne = "".join(
        f"# {_quoted(text)},{f'   # L{line}' if line else ''}\n"
        for text, line in (comments(diagnosis, near) if diagnosis else ())
    )
    return f"""```toml
id = {_quoted(case_id)}
title = {_quoted(title)}   {TO_DO} the cause in one line; what the kernel printed is only the symptom
kind = [{_quoted(kind)}]
status = "draft"   # excused from KB201 and above; then unsighted or sighted, and reviewed once all of it is checked
severity = {_quoted(kind_of(kind).severity)}   {TO_DO} harmless | watch | act | stop: what it asks of who is on call
subsystem = ""   {TO_DO} mm/page_alloc, xfs, net/ceph ...
summary = {_quoted(TEMPLATE_SUMMARY)}
keywords = []

[match]   {TO_DO} require what the defect needs, refute what rules it out; what only this sighting had goes to seen_in
require = [{_listed(require)}]
refute = []
support = [{_listed(support)}]   # what ranks it; the only place for a kernel version
seen_in = [{_listed(seen_in)}]
{"# the report bears, with their lines (kb case facts prints all):" + chr(10) if borne else ""}{borne}
# A line that says "to do" was proposed: say it in your own words, then take the mark away. `kb case lint` lists them.
# [[affected]]
# kernel = ">= 3.10, < 4.4"      # or ">= 5.2, <= 5.2.14", or el7
# by = "commit"                  # the id of a source: shown to readers as "says commit"
# [[fix]]
# commit = "97a16fc82a7c"        # 12 digits or more
# subject = "mm, page_alloc: ..."
# since = "4.4"
# by = "commit"
# [[workaround]]
# do = "sysctl vm.x=1"
# caveat = "What it costs, and where it does not help."
# by = "practice"
# [[verify]]
# run = "grep compact_ /proc/vmstat"
# expect = "compact_stall does not move"
# means = "Direct compaction never ran."
# [[source]]
# id = "commit"
# url = "https://git.kernel.org/linus/97a16fc82a7c"   # or file = "mm/page_alloc.c" and release = "6.12"
# [[dispute]]
# claim = "What others say."
# finding = "What was found instead."
# by = "commit"
```

# {title}

## What happens

<!-- to do: what the operator sees -->

## Why

<!-- to do: the mechanism, with the numbers of the sample -->

## What to do

<!-- to do: what is done first, what it costs, when to stop; then a near-<what>.log that this case must not match -->

## Notes
"""


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are among TOML's once DEL is taken care of."""
    return json.dumps(plain(text), ensure_ascii=False).replace("\x7f", "\\u007f")


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
        replace_file(
            path, old + (b"" if old.endswith(b"\n") else b"\n") + head + b"\n" + plain(note.strip()).encode() + b"\n"
        )
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
            lines.append(
                f"- [{case.id}]({case.id}/case.md) ({case.severity}, {case.status}): {case.title}. {case.summary}"
            )
        lines.append("")
    return "\n".join(lines)
