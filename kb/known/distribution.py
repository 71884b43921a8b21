"""What a distribution says of its own kernels: which of the known fixes each of its builds holds, by its changelog.

A changelog is kept beside the store as JSON (``<store>-changelogs/<stream>.json``): builds, oldest first, each with the
known fixes that came with it. A build holds what it and all before it brought.
"""

import functools
import json
import os
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

from kb.cases.fixstatus import FixStatus, by_version
from kb.errors import InputError
from kb.kernel.release import Release
from kb.model.case import Case
from kb.model.verdict import Diagnosis, Match, Verdict
from kb.words.speak import said

EARLY = 20
"""Build number below which a changelog is whole: it goes back to where the distribution began."""
_BESIDE = "-changelogs"
"""Behind the path of a store: the folder of its changelogs."""


@dataclass(frozen=True, slots=True)
class Build:
    """A build of a distribution's kernel."""

    version: str
    """As the changelog prints it: ``6.1.106-3``, ``5.14.0-427.13.1.el9_4``, ``5.15.0-105.115``."""
    abi: int | None = None
    """What uname prints behind the upstream version instead of it (``6.1.0-25-amd64``), where that is so."""
    holds: tuple[str, ...] = ()
    """Ids of the known fixes that came with it."""


@dataclass(frozen=True, slots=True)
class Changelog:
    """The builds of one line of a distribution's kernels, oldest first."""

    stream: str
    builds: tuple[Build, ...]


class Held(NamedTuple):
    """What is known of one kernel."""

    build: Build
    fixes: frozenset[str]
    whole: bool
    """The changelog goes back to the distribution's first builds: what it does not list is not there."""


def folder(store: Path) -> Path:
    """Where the changelogs of a store lie."""
    return Path(f"{store}{_BESIDE}")


def keep(store: Path, log: Changelog) -> Path:
    """Keep a changelog over an earlier one of the same stream."""
    path = folder(store) / f"{log.stream}.json"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        new.write_text(json.dumps(asdict(log), separators=(",", ":")), encoding="ascii")
        new.replace(path)
    except OSError as error:
        raise InputError(f"cannot write it: {error.strerror}", path=str(path)) from None
    return path


def kept(store: Path) -> list[Changelog]:
    """The changelogs of a store; what cannot be read is left out."""
    place = f"{store}{_BESIDE}"
    try:
        return list(_kept(place, os.stat(place).st_mtime_ns))  # keeping one renames a file into the folder
    except OSError:
        return []


@functools.lru_cache(maxsize=8)
def _kept(place: str, _written: int) -> tuple[Changelog, ...]:
    found = []
    for path in sorted(Path(place).glob("*.json")):
        try:
            row = json.loads(path.read_bytes())
            builds = tuple(Build(each["version"], each["abi"], tuple(each["holds"])) for each in row["builds"])
            found.append(Changelog(row["stream"], builds))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return tuple(found)


def concerned(found: Diagnosis) -> bool:
    """Whether a diagnosis names fixes of imported records, of which a distribution has a word to say."""
    return any(match.case.status == "imported" for match in (*found.matches, *found.known_fixes))


def told(found: Diagnosis, logs: Collection[Changelog]) -> Diagnosis:
    """A diagnosis with what a distribution says of its own kernel: whether it holds the fixes of imported records."""
    if not logs:
        return found
    fact = found.facts.get("kernel")
    release = Release.parse(str(fact.value)) if fact is not None and fact.value is not None else None
    own = held(logs, release) if release is not None else None
    if release is None or own is None:
        return found

    def with_status(match: Match) -> Match:
        if match.case.status != "imported":
            return match
        answer = status(match.case, release, own)
        there = answer.status == "fixed" and match.verdict is Verdict.YES
        doubts = (*match.doubts, answer.why) if there else match.doubts
        verdict = Verdict.MAYBE if there else match.verdict
        return replace(match, verdict=verdict, doubts=doubts, fix_status=answer.status, fix_why=answer.why)

    def settled(matches: Iterable[Match]) -> tuple[Match, ...]:
        return tuple(sorted(map(with_status, matches), key=lambda match: match.verdict is not Verdict.YES))

    return replace(found, matches=settled(found.matches), known_fixes=settled(found.known_fixes))


def held(logs: Iterable[Changelog], release: Release) -> Held | None:
    """What the changelogs say of a release, None where none of them has it."""
    for log in logs:
        place = next((place for place, build in enumerate(log.builds) if _is(build, release)), None)
        if place is not None:
            fixes = frozenset(case for build in log.builds[: place + 1] for case in build.holds)
            return Held(log.builds[place], fixes, _whole(log))
    return None


def _is(build: Build, release: Release) -> bool:
    """Whether a release is a build: the first one of its ABI, since uname does not tell which of them."""
    if release.text == build.version:
        return True
    of = Release.parse(build.version)
    if of is None:
        return False
    if build.abi is not None:
        return release.family in ("debian", "ubuntu") and release.base == of.base and release.build[:1] == (build.abi,)
    if release.family == "debian":  # 6.12.41+deb13-amd64
        return release.version == of.version and release.point is not None
    same = (of.family, of.major, of.version) == (release.family, release.major, release.version)
    return same and bool(of.build) and of.build == release.build


def _whole(log: Changelog) -> bool:
    first = Release.parse(log.builds[0].version)
    return first is not None and first.build[:1] < (EARLY,)


def status(case: Case, release: Release, known: Held | None) -> FixStatus:
    """Whether a release has the fix of a case: its distribution knows better than its number."""
    if known is None:
        return by_version(case, release)
    if case.id in known.fixes:
        return FixStatus("fixed", said("fix.listed", release=release.name))
    of = Release.parse(known.build.version.partition("-")[0])
    assert of is not None  # who kept the changelog has read it
    plain = by_version(case, of)
    if of.point and of.version[2]:  # made from that stable release, and has what it has
        return plain
    if plain.status == "affected" and known.whole:
        return FixStatus("affected", said("fix.not_listed", release=release.name))
    return plain if plain.status == "fixed" else by_version(case, release)
