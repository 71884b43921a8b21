"""Splats in the messages of a git repository's commits: ``git log`` streamed, nothing checked out."""

import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from kb.errors import InputError, UsageError
from kb.imports import build, message
from kb.store.imports import Item

BATCH = 5_000
"""Messages with a splat that are named by their tags in one call of git, which walks all tags whatever it names."""
_CHUNK = 1 << 16
_LONGEST = 1 << 20
"""Bytes of a message that are read."""
_TAG = re.compile(r"(?:tags/)?v?(?P<version>\d{1,4}\.\d{1,4}(?:\.\d{1,4}){0,2}(?:-rc\d{1,4})?)(?:[~^].*)?$")


def items(repository: Path, revisions: Sequence[str], seen: dict[str, bytes]) -> Iterator[Item | None]:
    """What the messages hold; None for each that has no splat or was dealt with before.

    Args:
        repository: A clone, bare or not.
        revisions: As ``git log`` takes them (``v6.1..v6.6``), checked by :func:`count`; HEAD when empty.
        seen: Digests of an earlier import, by hash.

    Raises:
        InputError: No repository, or git fails.
    """
    origin = f"git:{repository.resolve()}"
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
            yield from _items(repository, origin, batch)
            batch = []
    yield from _items(repository, origin, batch)


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
    command = _command(repository, ["log", "-z", "--no-color", "--encoding=UTF-8", "--format=%H%n%B"])
    command += [*(revisions or ["HEAD"]), "--"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        done = False
        try:
            rest = b""
            while block := process.stdout.read(_CHUNK):
                *whole, rest = (rest + block).split(b"\0")
                yield from map(_split, whole)
            if rest.strip():
                yield _split(rest)
            done = True
        finally:
            if not done:
                process.kill()
            error = process.stderr.read().decode("utf-8", "replace").strip()
    if process.returncode:
        raise InputError(f"git log: {error.splitlines()[0] if error else 'failed'}", path=str(repository))


def _split(record: bytes) -> tuple[str, str]:
    head, _, body = record.lstrip(b"\n").partition(b"\n")
    return head.decode("ascii", "replace"), body[:_LONGEST].decode("utf-8", "replace")


def _items(repository: Path, origin: str, batch: Sequence[tuple[str, str, bytes]]) -> Iterator[Item]:
    read = [(message.read(commit, text), mark) for commit, text, mark in batch]
    wanted = {commit for commit, _, _ in batch} | {found.fixes[0] for found, _ in read if found.fixes}
    releases = releases_of(repository, sorted(wanted))
    for found, mark in read:
        assert found.commit is not None
        since = releases.get(found.fixes[0]) if found.fixes else None
        release = releases.get(found.commit)
        yield Item(
            origin,
            found.commit,
            mark,
            message.known(found, "git", name=found.commit, release=release, since=since),
        )


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


def _resolved(repository: Path, commits: Sequence[str]) -> dict[str, str]:
    """Full hashes of those that the repository has."""
    text = "\n".join(f"{commit}^{{commit}}" for commit in commits) + "\n"
    answers = _git(repository, ["cat-file", "--batch-check=%(objectname)"], text, fails=True) or ""
    pairs = zip(commits, answers.splitlines(), strict=False)
    return {commit: answer for commit, answer in pairs if re.fullmatch(r"[0-9a-f]{40,64}", answer)}


def _command(repository: Path, arguments: Sequence[str]) -> list[str]:
    return ["git", "-C", str(repository), "--no-pager", "-c", "log.showSignature=false", *arguments]


def _git(repository: Path, arguments: Sequence[str], text: str = "", *, fails: bool = False) -> str | None:
    try:
        done = subprocess.run(
            _command(repository, arguments),
            input=text,
            capture_output=True,
            check=False,
            encoding="utf-8",
            errors="replace",
        )
    except FileNotFoundError:
        raise InputError("git is not installed", help="apt-get install git") from None
    if done.returncode:
        if fails:
            return None
        lines = done.stderr.strip().splitlines()
        reason = lines[0] if lines else "failed"
        raise InputError(f"git {arguments[0]}: {reason}", path=str(repository), help="give a clone and a range of it")
    return done.stdout
