"""An imported case as a case folder: from then on people keep it, in git, by review."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

from kb.errors import CaseError
from kb.model.case import Case, is_id
from kb.model.text import plain


def promote(folder: Path, case: Case) -> Path:
    """Write ``<folder>/<id>/case.md`` as a draft that still links by signatures; returns the file.

    Raises:
        CaseError: It is there already, or cannot be written.
    """
    if not is_id(case.id):
        raise CaseError(f"{case.id[:80]!r} is no id of a case", path=str(folder))
    path = folder / case.id / "case.md"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644), "w", encoding="utf-8") as stream:
            stream.write(markdown(case))
    except FileExistsError:
        raise CaseError("the file is there already", path=str(path), help="it was promoted before") from None
    except OSError as error:
        raise CaseError(f"cannot write the case: {error.strerror}", path=str(path)) from None
    return path


def markdown(case: Case) -> str:
    """The text of the case's file. Its status stays ``imported`` until somebody gives it predicates."""
    head = [
        f"id = {_quoted(case.id)}",
        f"title = {_quoted(case.title)}",
        f"kind = {_listed(case.kind)}",
        'status = "imported"             # becomes draft, then reviewed, once [match] demands something',
        f"subsystem = {_quoted(case.subsystem)}",
        f"summary = {_quoted(case.summary)}",
        f"keywords = {_listed(case.keywords)}",
        f"signatures = {_listed(case.signatures)}",
    ]
    for affected in case.affected:
        head += _table("affected", kernel=affected.kernel, by=affected.by, note=affected.note)
    for fix in case.fixes:
        head += _table(
            "fix", commit=fix.commit, subject=fix.subject, since=fix.since or "", branch=fix.branch, by=fix.by
        )
    for source in case.sources:
        head += _table("source", id=source.id, text=source.text, url=source.url)
    body = "\n".join(f"    {line}".rstrip() for line in case.prose.splitlines())
    parts = [
        "## What happens",
        "",
        body,
        "",
        "## Why",
        "",
        "The sources say it; nobody has written it down here yet.",
        "",
        "## What to do",
        "",
        _advice(case),
        "",
        "## Notes",
        "",
    ]
    return "\n".join(["```toml", *head, "```", "", f"# {case.title}", "", *parts])


def _advice(case: Case) -> str:
    releases = ", ".join(fix.since for fix in case.fixes if fix.since)
    return f"Run a kernel that has the fix: {releases}." if releases else "Run a kernel that has the fix."


def _table(name: str, **values: str) -> list[str]:
    return ["", f"[[{name}]]", *(f"{key} = {_quoted(value)}" for key, value in values.items() if value)]


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes are among TOML's but for DEL and surrogates."""
    return json.dumps(plain(text), ensure_ascii=False).replace("\x7f", "\\u007f")


def _listed(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(_quoted, texts))}]"
