"""Which known crash fixes a kernel lacks: what to ask before an update."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from kb.kernel.release import Release
from kb.known.distribution import Changelog, held, status
from kb.known.index import head, opened
from kb.model.case import Case
from kb.store.base import Store
from kb.store.imports import Imports

SCHEMA = "kb.affected-list/1"
_MODULE = re.compile(r"[A-Za-z0-9][\w-]{0,63}")
_STATUS = ("affected", "fixed", "not_affected", "unknown")


@dataclass(frozen=True, slots=True)
class Lacking:
    """A fix that a kernel lacks."""

    case: Case
    reason: str
    own: str | None
    """The release of the kernel's own branch that has it, None where there is none."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a kernel lacks."""

    kernel: str
    lacks: tuple[Lacking, ...]
    counts: dict[str, int]
    """Known fixes that were looked at, by status: ``affected``, ``fixed``, ``not_affected``, ``unknown``."""
    modules: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    commit: str | None = None
    date: str | None = None

    def summary(self) -> str:
        """The counts in a sentence."""
        of = sum(self.counts.values())
        return (
            f"{self.kernel} lacks {self.counts['affected']} of {of} known crash fixes; it has {self.counts['fixed']},"
            f" needs no {self.counts['not_affected']}, and of {self.counts['unknown']} nothing tells"
        )

    def to_json(self) -> dict[str, Any]:
        """The ``kb.affected-list/1`` object."""
        return {
            "schema": SCHEMA,
            "kernel": self.kernel,
            "modules": list(self.modules),
            "files": list(self.files),
            "source": {"commit": self.commit, "date": self.date},
            "known": sum(self.counts.values()),
            "counts": self.counts,
            "lacks": [_row(each) for each in self.lacks],
        }


def _row(each: Lacking) -> dict[str, Any]:
    case = each.case
    return {
        "id": case.id.upper(),
        "case": case.id,
        "title": case.title,
        "kind": list(case.kind),
        "status": "affected",
        "reason": each.reason,
        "fixed_in_branch": each.own,
        "commit": next((fix.commit for fix in case.fixes if fix.branch == "mainline"), None),
        "fixed_in": [fix.since for fix in case.fixes if fix.since is not None],
        "files": list(case.files),
    }


def lacking(
    store: Store | None,
    kernel: str,
    *,
    modules: Collection[str] = (),
    files: Collection[str] = (),
    changelogs: Iterable[Changelog] = (),
) -> Found:
    """The known crash fixes that a release lacks, in the order of their ids.

    Args:
        store: Whose imported CVE records count, too, before those that come with kb.
        kernel: The release, as ``uname -r`` prints it.
        modules: Only fixes of these modules: a splat names it, or a file of the fix is where it is made from.
        files: Only fixes that change one of these files or something below these folders.
        changelogs: What distributions say of their kernels.
    """
    release = Release.parse(kernel)
    assert release is not None  # who takes it from a person has checked it
    counts, lacks = dict.fromkeys(_STATUS, 0), []
    index, own = opened(), held(changelogs, release)
    for case in _known(store, index):
        if not _chosen(case, modules, files):
            continue
        answer, why = status(case, release, own)
        if answer == "unknown" and why.name == "fix.outside_ranges":
            answer = "not_affected"
        counts[answer] += 1
        if answer == "affected":
            lacks.append(Lacking(case, str(why), _own(case, release)))
    made = head(index) if index is not None else None
    return Found(
        kernel, tuple(lacks), counts, tuple(modules), tuple(files),
        made.commit if made is not None else None, made.date if made is not None else None,
    )  # fmt: skip


def _known(store: Store | None, index: Store | None) -> Iterable[Case]:
    """Every known crash fix once, by its id."""
    found: dict[str, Case] = {}
    for place in (index, store):
        if place is not None:
            found.update((case.id, case) for case in Imports(place) if case.id.startswith("cve-") and case.signatures)
    return (found[case_id] for case_id in sorted(found, key=_order))


def _order(case_id: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", case_id))


def _own(case: Case, release: Release) -> str | None:
    for fix in case.fixes:
        since = Release.parse(fix.since) if fix.since is not None else None
        if since is not None and fix.branch != "mainline" and since.base == release.base:
            return fix.since
    return None


def modules_of(texts: Iterable[str]) -> tuple[str, ...]:
    """The names of modules in texts: a name alone, names by commas, or what lsmod and /proc/modules print."""
    found: dict[str, None] = {}
    for text in texts:
        rows = text.splitlines()
        names = re.split(r"[,\s]+", text) if len(rows) == 1 and len(text.split()) == 1 else _first(rows)
        found.update(dict.fromkeys(name.replace("-", "_") for name in names if _MODULE.fullmatch(name)))
    found.pop("Module", None)  # the head of lsmod's table
    return tuple(found)


def _first(rows: Iterable[str]) -> list[str]:
    return [row.split()[0] for row in rows if row.split()]


def _chosen(case: Case, modules: Collection[str], files: Collection[str]) -> bool:
    if files and not any(
        path == file or path.startswith(file.rstrip("/") + "/") for path in case.files for file in files
    ):
        return False
    if not modules:
        return True
    named = {module.replace("-", "_") for module in case.keywords}
    return not named.isdisjoint(modules) or any(made_from(module, path) for module in modules for path in case.files)


def made_from(module: str, path: str) -> bool:
    """Whether a module is made from a file: it is called by the file, by its folder, or by both.

    ``ext4`` of ``fs/ext4/inode.c``, ``nf_tables`` of ``net/netfilter/nf_tables_api.c``, ``mlx5_core`` of
    ``drivers/net/ethernet/mellanox/mlx5/core/main.c``.
    """
    parts = [part.replace("-", "_") for part in re.sub(r"\.[A-Za-z]{1,4}$", "", path).split("/")]
    joined = {f"{first}_{second}" for first, second in pairwise(parts)}
    return module in parts or module in joined or parts[-1].startswith(f"{module}_")
