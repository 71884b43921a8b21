"""The library: case folders of all origins behind one look-up, and a compiled index so that a start parses nothing.

Origins, later ones overlay earlier ones by id: the packaged cases, each folder of ``$KB_CASES``, each ``--cases DIR``.
Within one origin two cases of the same id are an error; an overlay replaces and leaves a note.

The index of an origin is a pickle in the user's cache folder. A pickle can run code, so it is read only from a folder
and a file that belong to the user and that nobody else may write to; anything else is parsed afresh. Its name holds the
origin and the version of kb and Python, its content the name, size and time of each file: whichever changed, it is
rebuilt. Deleting it loses nothing.

What was read of an origin is held in memory, too, as long as its files have the same names, sizes and times. A caller
that comes often (a bot, once a log) says for how long that need not be looked at again.
"""

import contextlib
import os
import stat
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import kb
from kb.errors import CaseDuplicate, CaseError
from kb.log.files import passed_over
from kb.model.case import Case

FILE = "case.md"
"""The name of a case's file within its folder."""

RECENT = 1.0
"""Seconds for which a look at the files is good enough for a program that matches log after log."""

_LAYOUT = 3
"""Raised when what the index holds changes within a version of kb."""
_MOST_HELD = 64
"""Origins held in memory: a program may make a folder of cases for each of its tasks."""

_Stamp = tuple[str, int, int]


@dataclass(frozen=True)
class Library:
    """Cases by id, and what was remarkable on loading them."""

    cases: tuple[Case, ...]
    """In the order of their ids."""
    notes: tuple[str, ...] = ()
    """For stderr: overlays."""
    errors: tuple[CaseError, ...] = ()
    """Cases left out, when the caller asked to go on without them."""

    def __iter__(self) -> Iterator[Case]:
        return iter(self.cases)

    def __len__(self) -> int:
        return len(self.cases)

    def get(self, case_id: str) -> Case | None:
        """The case of that id, or the only one whose id starts so."""
        found = [case for case in self.cases if case.id.startswith(case_id)]
        exact = [case for case in found if case.id == case_id]
        return exact[0] if exact else found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class _Held:
    """What was read of an origin."""

    looked: float
    """When its files were last seen to have these stamps, by ``_clock``."""
    stamps: list[_Stamp]
    cases: list[Case]


_clock = time.monotonic
_held: dict[tuple[str, str], _Held] = {}
"""By the absolute path of the origin and the path as given, which is what its cases bear."""
_reading = threading.Lock()


def _start_child() -> None:
    """A thread that holds the lock while another one forks does not live on in the child."""
    global _reading
    _reading = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_child)


def folder(name: str) -> Path:
    """A data folder of the project: inside the package when installed, beside it in a checkout.

    ``kb/cases`` is there in both (the package of this module), so what tells them apart is ``kb/grammars``.
    """
    package = Path(kb.__file__).resolve().parent
    return package / name if (package / "grammars").is_dir() else package.parent / name


def origins(extra: Sequence[str | Path] = ()) -> list[Path]:
    """The folders cases come from, weakest first: packaged, ``$KB_CASES``, then ``extra``."""
    named = [Path(part) for part in os.environ.get("KB_CASES", "").split(os.pathsep) if part]
    return [folder("cases"), *named, *map(Path, extra)]


def load(extra: Sequence[str | Path] = (), *, skip_broken: bool = False, recent: float = 0.0) -> Library:
    """All cases. Threads may call it at once: they wait for the one that reads.

    Args:
        extra: Folders of cases beyond the packaged ones and ``$KB_CASES``.
        skip_broken: Leave cases that cannot be used out, listed in ``errors``, rather than raise.
        recent: Seconds for which a folder whose files were looked at is not looked at again (:data:`RECENT`).

    Raises:
        CaseError: A folder that cannot be read, a case that breaks the format, or an id that stands twice.
    """
    cases: dict[str, Case] = {}
    notes: list[str] = []
    errors: list[CaseError] = []
    for index, place in enumerate(origins(extra)):
        if not place.is_dir():
            if index == 0:
                continue
            errors.append(CaseError("no such folder of cases", path=str(place), help="see $KB_CASES and --cases"))
            continue
        try:
            found, broken = _origin(place, recent)
        except CaseError as error:
            found, broken = [], [error]
        errors += broken
        for case in found:
            if case.id in cases:
                notes.append(f"case {case.id}: {case.path} replaces {cases[case.id].path}")
            cases[case.id] = case
    if errors and not skip_broken:
        raise errors[0]
    return Library(tuple(cases[key] for key in sorted(cases)), tuple(notes), tuple(errors))


def files(place: Path) -> list[Path]:
    """The case files of a folder, or of one case when ``place`` is a case's own folder or file."""
    return [Path(path) for path, _ in _listed(place)]


def _listed(place: Path) -> list[tuple[str, bool]]:
    """The same by name, each with whether one look says that it is the folder's own: a file and a folder, no links."""
    if place.is_file():
        return [(str(place), False)]
    if (place / FILE).is_file():
        return [(str(place / FILE), False)]
    found = []
    try:
        with os.scandir(place) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                path = str(place / entry.name / FILE)
                with contextlib.suppress(OSError):  # no case
                    mode = os.lstat(path).st_mode
                    found.append((path, stat.S_ISREG(mode) and entry.is_dir(follow_symlinks=False)))
    except OSError as error:
        raise CaseError(f"cannot list the cases: {error.strerror}", path=str(place)) from None
    return found


def samples(folder: Path, *patterns: str) -> list[Path]:
    """The sample logs of a case, sorted: regular files of the library that its folder stands in.

    Args:
        folder: The case's.
        patterns: ``match-*.log``, ``near-*.log``.
    """
    found = sorted(path for pattern in patterns for path in folder.glob(pattern))
    return [path for path in found if passed_over(path, folder.parent) is None]


def _origin(place: Path, recent: float) -> tuple[list[Case], list[CaseError]]:
    """The cases of one folder: from memory where that is fresh, else from its index, else parsed."""
    name = (os.path.abspath(place), str(place))
    with _reading:
        now = _clock()
        held = _held.get(name)
        if held is not None and now - held.looked < recent:
            return held.cases, []
        stamps, foreign = _looked(place)
        cases, errors = (held.cases, []) if held is not None and held.stamps == stamps else _read(place, stamps)
        errors = [*foreign, *errors]
        _held.pop(name, None)  # what was looked at last stands last
        if not errors:
            _held[name] = _Held(now, stamps, cases)
        if len(_held) > _MOST_HELD:
            del _held[next(iter(_held))]
        return cases, errors


def _read(place: Path, stamps: list[_Stamp]) -> tuple[list[Case], list[CaseError]]:
    """The cases of one folder, from its index where that is fresh."""
    index = _index_file(place)
    known = _read_index(index) if index is not None else None
    if known is not None and known[0] == stamps:
        return known[1], []
    cases, errors = _parse(Path(path) for path, _, _ in stamps)
    if index is not None and not errors:
        _write_index(index, (stamps, cases))
    return cases, errors


def _looked(place: Path) -> tuple[list[_Stamp], list[CaseError]]:
    """The stamps of the files that are the folder's own, and why the others are not read."""
    stamps: list[_Stamp] = []
    errors: list[CaseError] = []
    for path, plain in _listed(place):
        reason = None if plain else passed_over(path, place)
        if reason is not None and os.path.lexists(path):  # else taken away since it was listed
            errors.append(CaseError(f"the case is not read: {reason}", path=path))
            continue
        with contextlib.suppress(FileNotFoundError):
            stamps.append(_stamp(path))
    return stamps, errors


def _parse(paths: Iterable[Path]) -> tuple[list[Case], list[CaseError]]:
    from kb.cases.format import load as load_file

    cases: dict[str, Case] = {}
    errors: list[CaseError] = []
    for path in paths:
        try:
            document = load_file(path)
        except CaseError as error:
            errors.append(error)
            continue
        case = document.case
        errors += document.errors[:1]
        if case is None:
            continue
        if case.id in cases:
            line = document.line("id")
            reason = f"the id {case.id!r} is taken by {cases[case.id].path}"
            errors.append(CaseDuplicate(reason, path=str(path), line=line, help="name it after its folder"))
            continue
        cases[case.id] = case
    return list(cases.values()), errors


def _stamp(path: str | Path) -> _Stamp:
    status = os.stat(path)
    return (str(path), status.st_mtime_ns, status.st_size)


def _index_file(place: Path) -> Path | None:
    """Where the index of an origin belongs, None where no private folder can be had."""
    import hashlib
    import sys

    try:
        import platformdirs

        private = Path(platformdirs.user_cache_dir("kb")) / "cases"
        private.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _own(private.lstat(), 0o077):
            return None
        grammar = _stamp(folder("grammars") / "predicate.lark")
    except (OSError, RuntimeError, ImportError):
        return None
    key = repr((str(place.resolve()), kb.__version__, _LAYOUT, sys.version, grammar))
    return private / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.bin"


def _own(status: os.stat_result, forbidden: int) -> bool:
    """True when a thing is the user's own, no link, and nobody else has those rights on it."""
    if stat.S_ISLNK(status.st_mode):
        return False
    return not hasattr(os, "getuid") or (status.st_uid == os.getuid() and not status.st_mode & forbidden)


def _read_index(path: Path) -> tuple[list[_Stamp], list[Case]] | None:
    """The index, or None where it is absent, not the user's alone, or of no use."""
    import pickle

    try:
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as stream:
            if not _own(os.fstat(stream.fileno()), 0o022):
                return None
            value: Any = pickle.load(stream)
        stamps, cases = value
        return (stamps, cases) if all(isinstance(case, Case) for case in cases) else None
    except Exception:  # cut, of another layout, gone: the case files are the truth
        return None


def _write_index(path: Path, value: object) -> None:
    """All or nothing: written beside its place, then moved there. Costs the next start some time where it fails."""
    import pickle
    import tempfile

    class Calls(pickle.Pickler):
        """Frozen values as calls of their classes: by their own way each is read field by field."""

        def reducer_override(self, one: Any) -> Any:
            if not is_dataclass(one) or isinstance(one, type):
                return NotImplemented
            return type(one), tuple(getattr(one, each.name) for each in fields(one))

    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as stream:
                Calls(stream, pickle.HIGHEST_PROTOCOL).dump(value)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except Exception:
        return
