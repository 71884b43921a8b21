"""The kernel CVE team's records: git.kernel.org/pub/scm/linux/security/vulns.git.

``cve/published/YEAR/CVE-YEAR-N.mbox`` is the announcement (the fix's message in full), ``.dyad`` the pairs of
vulnerable and fixed commits by release, ``.sha1`` the mainline fix. Versions in a dyad are releases without the
leading v; 0 stands for "since the beginning" and for "not fixed".
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kb.errors import InputError
from kb.imports import build
from kb.imports.prose import has_splat, splats
from kb.known.pack import branch_of
from kb.log.files import passed_over, read_regular
from kb.model.case import Affected, Case, Fix, Source
from kb.model.report import Report
from kb.store.imports import Item, Known

ORIGIN = "vulns"
_BEGIN = "In the Linux kernel, the following vulnerability has been resolved:"
_END = re.compile(r"^The Linux kernel CVE team has assigned CVE-", re.M)
_SUBJECT = re.compile(r"^Subject: CVE-[\d-]+: *(.*(?:\n[ \t].*)*)", re.M)
_ID = re.compile(r"CVE-\d{4}-\d{4,7}")
_PAIR = re.compile(r"([^\s:]{1,64}):([0-9a-f]{1,40}):([^\s:]{1,64}):([0-9a-f]{1,40})")
_FILES = re.compile(r"^The file\(s\) affected by this issue are:\n((?:\t\S+\n)+)", re.M)
_RELEASE = re.compile(r"\d{1,4}(?:\.\d{1,5}){1,3}(?:-rc\d{1,3})?")
_COMMIT = re.compile(r"[0-9a-f]{12,64}")
_LARGEST = 1 << 20
"""Bytes of a record: the longest announcements have 40 kB."""
_PROSE = 20_000


@dataclass(frozen=True, slots=True)
class Pair:
    """One line of a dyad: where the problem came in, where it was mended; None: always there, not mended."""

    since: str | None
    introduced: str | None
    until: str | None
    fix: str | None


def records(folder: Path) -> list[Path]:
    """The announcements under a folder, in the order of their ids.

    Args:
        folder: The repository, or ``cve/published``, or a year of it.

    Raises:
        InputError: There are none.
    """
    for place in (folder / "cve" / "published", folder):
        found = [path for path in place.rglob("CVE-*.mbox") if _ID.fullmatch(path.stem)] if place.is_dir() else []
        if found:
            return sorted(found, key=lambda path: tuple(map(int, path.stem.split("-")[1:])))
    help_ = "give a checkout of linux/security/vulns.git"
    if not folder.is_dir():
        raise InputError("no such folder", path=str(folder), help=help_)
    raise InputError("no CVE records (CVE-*.mbox) in it", path=str(folder), help=help_)


def items(
    folder: Path, seen: dict[str, bytes], *, everything: bool = False, bad: build.Bad | None = None
) -> Iterator[Item | None]:
    """What each record holds; None for one that was dealt with before, and for one that cannot be used.

    Args:
        folder: See :func:`records`.
        seen: Digests of an earlier import, by id.
        everything: Cases of records without a splat, too: searchable, but nothing links to them.
        bad: Takes what cannot be used, rather than let it raise.
    """
    for path in records(folder):
        yield build.guarded(partial(_item, folder, path, seen, everything), path.stem, bad)


def _item(folder: Path, path: Path, seen: dict[str, bytes], everything: bool) -> Item | None:
    text, dyad, commit = parts(path, folder)
    mark = build.digest(text, dyad, commit, "all" if everything else "")
    if seen.get(path.stem) == mark:
        return None
    made = known(path.stem, text, dyad, commit, everything=everything)
    why = "no splat that says enough" if has_splat(description(text)) else "no splat"
    return Item(ORIGIN, path.stem, mark, made, "" if made is not None else why)


def parts(path: Path, folder: Path) -> tuple[str, str, str]:
    """What a record consists of: the announcement, the dyad, the mainline fix; empty what is not there."""
    text, dyad, commit = (_read(path.with_suffix(suffix), folder) for suffix in (".mbox", ".dyad", ".sha1"))
    return text, dyad, commit


def _read(path: Path, folder: Path) -> str:
    if not os.path.lexists(path):
        return ""
    reason = passed_over(path, folder)
    if reason is not None:
        raise InputError(f"{path.name} is not read: {reason}", path=str(path))
    return read_regular(path, _LARGEST).decode("utf-8", "replace")


def quoted(cve: str, text: str) -> list[Report]:
    """The splats of a record that say enough."""
    return build.useful(splats(description(text), cve))


def subject_of(cve: str, text: str) -> str:
    """The subject of a record's fix."""
    found = _SUBJECT.search(text)
    return " ".join(found[1].split()) if found else next(iter(description(text).splitlines()), cve)


def known(
    cve: str, text: str, dyad: str, commit: str, *, everything: bool = False, reports: list[Report] | None = None
) -> Known | None:
    """The case of a record, None where it quotes no splat (unless ``everything``); ``reports`` as of :func:`quoted`."""
    said = description(text)
    reports = quoted(cve, text) if reports is None else reports
    if not reports and not everything:
        return None
    subject = subject_of(cve, text)
    pairs = [_pair(line.strip()) for line in dyad.splitlines() if line.strip() and not line.startswith("#")]
    listed = _FILES.search(text)
    case_id = cve.lower()
    body = said.removeprefix(subject).strip() if said.startswith(subject) else said
    mainline = commit.split()[0] if commit.split() else None
    if mainline is not None and _COMMIT.fullmatch(mainline) is None:
        raise ValueError(f"the mainline fix is {mainline[:40]!r}, which is no commit")
    files = listed[1].split() if listed else []
    fixes = _fixes(pairs, subject, mainline)
    case = Case(
        id=case_id,
        title=subject,
        kind=build.kinds(reports) or ("unknown",),
        status="imported",
        summary=build.summary(body),
        subsystem=build.subsystem(subject, files),
        keywords=build.keywords(reports, cve, *files[:4]),
        affected=affected(pairs),
        fixes=fixes,
        sources=(Source("cve", cve, f"https://www.cve.org/CVERecord?id={cve}"),),
        prose=body[:_PROSE],
        signatures=build.links(reports),
        files=tuple(files),
    )
    commits = tuple(dict.fromkeys(fix.commit for fix in fixes))
    return Known(case, build.stacks(case_id, reports), commits)


def description(text: str) -> str:
    """The message of the fix, out of an announcement."""
    start = text.find(_BEGIN)
    said = text[start + len(_BEGIN) :] if start >= 0 else text.partition("\n\n")[2]
    end = _END.search(said)
    return (said[: end.start()] if end else said).strip("\n")


def _pair(line: str) -> Pair:
    found = _PAIR.fullmatch(line)
    if found is None:
        raise ValueError(f"the dyad holds {line[:40]!r}, which is no pair of releases and commits")
    parts = found.groups()
    for release in (parts[0], parts[2]):
        if not set(release) <= {"0"} and _RELEASE.fullmatch(release) is None:
            raise ValueError(f"the dyad names {release[:40]!r}, which is no release")
    since, introduced, until, fix = (None if set(part) <= {"0"} else part for part in parts)
    return Pair(since, introduced, until, fix)


def _fixes(pairs: list[Pair], subject: str, mainline: str | None) -> tuple[Fix, ...]:
    """One fix a branch, mainline first. A release of three numbers is of a stable branch."""
    found: dict[str, Fix] = {}
    for pair in pairs:
        if pair.until is None or pair.fix is None:
            continue
        branch = branch_of(pair.until) if pair.fix != mainline else "mainline"
        found.setdefault(branch, Fix(pair.fix, subject, pair.until, branch, "cve"))
    if mainline and "mainline" not in found:
        found["mainline"] = Fix(mainline, subject, None, "mainline", "cve")
    return tuple(sorted(found.values(), key=lambda fix: fix.branch != "mainline"))


def affected(pairs: list[Pair]) -> tuple[Affected, ...]:
    """Ranges of releases that have the problem, as the dyad tells; a later branch's fix ends an earlier one's range."""
    ranges: dict[str, str] = {}
    by_since: dict[str | None, list[str | None]] = {}
    commits: dict[str | None, str | None] = {}
    for pair in pairs:
        by_since.setdefault(pair.since, []).append(pair.until)
        commits.setdefault(pair.since, pair.introduced)
    for since, untils in by_since.items():
        ends = [until for until in untils if until is not None]
        main = next((until for until in ends if branch_of(until) == "mainline"), None)
        note = f"introduced by {commit[:12]}" if (commit := commits[since]) else ""
        last = main or (max(ends, key=_key) if ends and None not in untils else None)
        if since is not None and branch_of(since) != "mainline":  # brought into one stable branch by a backport
            own = [until for until in ends if branch_of(until) == branch_of(since)]
            last = own[0] if own else None
            if last == since:
                continue
            ranges[f">= {since}, < {last}" if last else f">= {since}, < {_after(since)}"] = note
            continue
        parts = [f">= {since}"] if since else []
        parts += [f"< {last}"] if last else []
        ranges[", ".join(parts) if parts else ">= 2.6.12"] = note
    return tuple(Affected(text, "cve", note) for text, note in ranges.items())


def _after(version: str) -> str:
    """The release after the branch of a stable release: 6.13 for 6.12.101."""
    first, second, *_ = version.split(".")
    return f"{first}.{int(second) + 1}"


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))
