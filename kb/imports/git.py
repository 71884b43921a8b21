"""Splats in the messages of a git repository's commits: ``git log`` streamed, nothing checked out.

A repository's own configuration can run commands (a remote that lazy fetching asks, hooks, a pager, a monitor of the
file system, filters, signature checkers), so none of it is read: git is given a folder with a configuration of ours
that borrows objects and references from the repository, and no configuration of the system or the user either.
"""

import os
import re
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from kb.errors import InputError, UsageError
from kb.imports import build, message
from kb.log.files import read_regular
from kb.store.imports import Item, Known

BATCH = 5_000
"""Messages with a splat that are named by their tags in one call of git, which walks all tags whatever it names."""
_CHUNK = 1 << 16
_LONGEST = 1 << 20
"""Bytes of a message that are read."""
_FILES = 40
"""Files of a commit that are kept: one that changes more is about no place."""
_HEAD = 66
"""Bytes before a message: its hash and a line end."""
_TAG = re.compile(r"(?:tags/)?v?(?P<version>\d{1,4}\.\d{1,4}(?:\.\d{1,4}){0,2}(?:-rc\d{1,4})?)(?:[~^].*)?$")


def items(
    repository: Path, revisions: Sequence[str], seen: dict[str, bytes], bad: build.Bad | None = None
) -> Iterator[Item | None]:
    """What the messages hold; None for each that has no splat, was dealt with before, or cannot be used.

    Args:
        repository: A clone, bare or not.
        revisions: As ``git log`` takes them (``v6.1..v6.6``), checked by :func:`count`; HEAD when empty.
        seen: Digests of an earlier import, by hash.
        bad: Takes what cannot be used, rather than let it raise.

    Raises:
        InputError: No repository, or git fails.
    """
    origin = origin_of(repository)
    batch: list[tuple[str, str, bytes]] = []
    for commit, text in messages(repository, revisions):
        if not message.worth_reading(text):
            yield None
            continue
        mark = build.digest(text)
        if seen.get(commit) == mark:
            yield None
            continue
        batch.append((commit, text, mark))
        if len(batch) >= BATCH:
            yield from _items(repository, origin, batch, bad)
            batch = []
    yield from _items(repository, origin, batch, bad)


def origin_of(repository: Path) -> str:
    """The name under which the store keeps what was read of a repository."""
    return f"git:{repository.resolve()}"


def count(repository: Path, revisions: Sequence[str]) -> int:
    """How many commits there are to read.

    Raises:
        InputError: No repository, or git knows no such revision.
        UsageError: A revision that looks like an option.
    """
    for revision in revisions:
        if revision.startswith("-"):
            raise UsageError(f"{revision!r} is no range of commits", help="give it as git log takes it: v6.1..v6.6")
    return int(_git(repository, ["rev-list", "--count", *(revisions or ["HEAD"]), "--"]) or 0)


def messages(repository: Path, revisions: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Hash and message of each commit, newest first."""
    arguments = ["log", "-z", "--no-color", "--encoding=UTF-8", "--format=%H%n%B", *(revisions or ["HEAD"]), "--"]
    with (
        _apart(repository) as where,
        tempfile.TemporaryFile() as errors,  # a pipe that nobody reads would stop git once it is full
        subprocess.Popen(
            ["git", "--no-pager", *arguments], stdout=subprocess.PIPE, stderr=errors, stdin=subprocess.DEVNULL, **where
        ) as process,
    ):
        assert process.stdout is not None
        read, done = partial(process.stdout.read, _CHUNK), False
        try:
            yield from map(_split, _records(iter(read, b"")))
            done = True
        finally:
            if not done:
                process.kill()
        process.wait()
        errors.seek(0)
        reason = errors.read(_CHUNK).decode("utf-8", "replace").strip()
    if process.returncode:
        raise InputError(f"git log: {reason.splitlines()[0] if reason else 'failed'}", path=str(repository))


def _records(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """What NULs part, each without what it has beyond a message's limit."""
    rest = b""
    for block in blocks:
        first, *more = block.split(b"\0")
        rest = (rest + first)[: _LONGEST + _HEAD]
        for part in more:
            yield rest
            rest = part
    if rest.strip():
        yield rest


def _split(record: bytes) -> tuple[str, str]:
    head, _, body = record.lstrip(b"\n").partition(b"\n")
    return head.decode("ascii", "replace"), body[:_LONGEST].decode("utf-8", "replace")


def _items(
    repository: Path, origin: str, batch: Sequence[tuple[str, str, bytes]], bad: build.Bad | None
) -> Iterator[Item | None]:
    read = [(message.read(commit, text), mark) for commit, text, mark in batch]
    wanted = {commit for commit, _, _ in batch} | {found.fixes[0] for found, _ in read if found.fixes}
    releases = releases_of(repository, sorted(wanted))
    files = files_of(repository, [commit for commit, _, _ in batch])
    for found, mark in read:
        assert found.commit is not None
        since = releases.get(found.fixes[0]) if found.fixes else None
        release = releases.get(found.commit)
        touched = files.get(found.commit, ())
        make = partial(
            message.known, found, "git", name=found.commit, release=release, since=since, files=touched
        )  # fmt: skip
        yield build.guarded(partial(_made, origin, found.commit, mark, make), found.commit, bad)


def _made(origin: str, commit: str, mark: bytes, make: Callable[[], Known | None]) -> Item:
    return Item(origin, commit, mark, make())


def files_of(repository: Path, commits: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The files that each commit changes; none of a merge, and none at all where a clone lacks its trees."""
    text = "\n".join(commits) + "\n"
    told = _git(repository, ["diff-tree", "--stdin", "--root", "-r", "-z", "--name-only"], text, fails=True)
    found: dict[str, list[str]] = {}
    of: list[str] = []
    wanted = set(commits)
    for part in (told or "").split("\0"):
        head, _, rest = part.partition("\n")  # git 2.4x ends the commit's line with a line feed or a NUL
        if head in wanted:
            of = found.setdefault(head, [])
            part = rest
        if part and len(of) < _FILES:
            of.append(part)
    return {commit: tuple(paths) for commit, paths in found.items()}


def releases_of(repository: Path, commits: Sequence[str]) -> dict[str, str]:
    """The first release that has each commit, by its tags (``v6.1.5``); commits that no such tag has are left out.

    ``git name-rev`` names a commit after the oldest tag that is nearest above it.
    """
    known = _resolved(repository, commits)
    if not known:
        return {}
    text = "\n".join(known.values()) + "\n"
    options = ["name-rev", "--name-only", "--refs=refs/tags/v[0-9]*"]
    named = _git(repository, [*options, "--annotate-stdin"], text, fails=True)
    if named is None:  # before git 2.36
        named = _git(repository, [*options, "--stdin"], text, fails=True) or ""
    found: dict[str, str] = {}
    for commit, name in zip(known, named.splitlines(), strict=False):
        tag = _TAG.match(name.strip())
        if tag is not None:
            found[commit] = tag["version"]
    return found


def subjects_of(repository: Path, commits: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Full hash and subject of each commit that the repository has."""
    known = _resolved(repository, commits)
    if not known:
        return {}
    options = ["log", "--no-walk=unsorted", "--stdin", "-z", "--no-color", "--encoding=UTF-8", "--format=%H%n%s"]
    told = _git(repository, options, "\n".join(known.values()) + "\n", fails=True) or ""
    pairs = (record.partition("\n") for record in told.split("\0") if record)
    subjects = {full.strip(): subject.strip() for full, _, subject in pairs}
    return {commit: (full, subjects[full]) for commit, full in known.items() if full in subjects}


def _resolved(repository: Path, commits: Sequence[str]) -> dict[str, str]:
    """Full hashes of those that the repository has."""
    text = "\n".join(f"{commit}^{{commit}}" for commit in commits) + "\n"
    answers = _git(repository, ["cat-file", "--batch-check=%(objectname)"], text, fails=True) or ""
    pairs = zip(commits, answers.splitlines(), strict=False)
    return {commit: answer for commit, answer in pairs if re.fullmatch(r"[0-9a-f]{40,64}", answer)}


@contextmanager
def _apart(repository: Path) -> Iterator[dict[str, Any]]:
    """How to start git on the objects and references of a repository without its configuration.

    Yields:
        ``cwd`` and ``env`` of a process.
    """
    own, common = _folders(repository)
    with tempfile.TemporaryDirectory(prefix="kb-git-") as name:
        made = Path(name)
        env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        env |= _ENVIRONMENT | {"GIT_DIR": name, "GIT_CEILING_DIRECTORIES": str(made.parent)}
        try:
            (made / "config").write_text(_config(common / "config"), encoding="ascii")
            (made / "HEAD").write_bytes(read_regular(own / "HEAD", _CHUNK))
            for part in ("objects", "refs", "packed-refs", "reftable", "shallow"):
                place = (common / part).resolve()
                if place.is_dir():
                    _refuse_what_blocks(place)
                if place.is_dir() or place.is_file():
                    (made / part).symlink_to(place)
        except OSError as error:
            raise InputError(f"no git repository: {error.strerror}", path=str(repository), help=_HELP) from None
        yield {"cwd": name, "env": env}


def _refuse_what_blocks(folder: Path) -> None:
    """An object or a reference that is a FIFO, a device or a link to one would let git wait for ever."""
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            if not stat.S_ISREG(os.lstat(path).st_mode):
                raise InputError("no regular file, in a git repository", path=path)


_HELP = "give a clone and a range of it"
_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
}
_FORMATS = re.compile(
    r"^[ \t]*(objectformat|refstorage)[ \t]*=[ \t]*(sha1|sha256|files|reftable)[ \t\r]*$", re.M | re.I
)
"""Extensions that tell how objects and references are stored."""


def _folders(repository: Path) -> tuple[Path, Path]:
    """The git folder of a clone, a bare one or a worktree, and the one that its worktrees share."""
    own = repository
    for _ in range(2):
        inner = own / ".git"
        if inner.is_dir():
            own = inner
        elif inner.is_file():  # a worktree, a submodule
            own = own / read_regular(inner, _CHUNK).decode("utf-8", "replace").removeprefix("gitdir:").strip()
        else:
            break
    shared = own / "commondir"
    common = own / read_regular(shared, _CHUNK).decode("utf-8", "replace").strip() if shared.is_file() else own
    if not (own / "HEAD").is_file() or not (common / "objects").is_dir():
        raise InputError("no git repository", path=str(repository), help=_HELP)
    return own, common


def _config(path: Path) -> str:
    """A configuration that says nothing but how the repository is stored."""
    text = read_regular(path, _CHUNK).decode("utf-8", "replace") if path.is_file() else ""
    stored = [f"{name} = {value}" for name, value in _FORMATS.findall(text)]
    return "\n".join(["[core]", "repositoryformatversion = 1", "bare = true", "[extensions]", *stored, ""])


def _git(repository: Path, arguments: Sequence[str], text: str = "", *, fails: bool = False) -> str | None:
    try:
        with _apart(repository) as where:
            done = subprocess.run(
                ["git", "--no-pager", *arguments],
                input=text,
                capture_output=True,
                check=False,
                encoding="utf-8",
                errors="replace",
                **where,
            )
    except FileNotFoundError:
        raise InputError("git is not installed", help="apt-get install git") from None
    if done.returncode:
        if fails:
            return None
        lines = done.stderr.strip().splitlines()
        reason = lines[0] if lines else "failed"
        raise InputError(f"git {arguments[0]}: {reason}", path=str(repository), help=_HELP)
    return str(done.stdout)
