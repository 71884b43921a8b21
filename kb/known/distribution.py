"""What a distribution says of its own kernels: which of the known fixes each of its builds holds, by its changelog.

A changelog is kept beside the store as JSON (``<store>-changelogs/<stream>.json``): builds, oldest first, each with the
known fixes that came with it. A build holds what it and all before it brought.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from kb.cases.fixstatus import FixStatus, by_version
from kb.errors import InputError
from kb.kernel.release import Release
from kb.model.case import Case
from kb.words.speak import said

EARLY = 20
"""Build number below which a changelog is whole: it goes back to where the distribution began."""


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
    return Path(f"{store}-changelogs")


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
    found = []
    for path in sorted(folder(store).glob("*.json")):
        try:
            row = json.loads(path.read_bytes())
            builds = tuple(Build(each["version"], each["abi"], tuple(each["holds"])) for each in row["builds"])
            found.append(Changelog(row["stream"], builds))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found


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
