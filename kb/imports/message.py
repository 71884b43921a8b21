"""A commit message: which upstream commit it is, what it mends, who reported it, and what it quotes.

The styles of naming the upstream commit are those of stable ("commit X upstream.", "[ Upstream commit X ]"),
``git cherry-pick -x``, SUSE ("Git-commit:"), Red Hat ("Upstream-status:", "commit X" under "Upstream"), openEuler
("mainline inclusion ... commit X"), Android ("(cherry picked from ...)", "Upstream-commit:") and backports in words.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from kb.imports import build
from kb.imports.prose import has_splat, splats
from kb.model.case import Affected, Case, Fix, Source
from kb.store.imports import Known

_HASH = r"(?P<hash>[0-9a-f]{12,40})"
_UPSTREAM = tuple(
    re.compile(pattern, re.M | re.I)
    for pattern in (
        r"^[ \t]{0,16}\[?[ \t]{0,4}(?:mainline |upstream )?commit[: ]{1,4}"
        + _HASH
        + r"(?: \(.{1,200}\))?,? upstream\b",
        r"^[ \t]{0,16}\[?\(?[ \t]{0,4}(?:linux )?upstream[ -](?:commit|id|hash)(?: id)?[: ]{1,4}\s{0,12}" + _HASH,
        r"\((?:cherry[ -]?picked|backported|adapted|back-ported) from (?:mainline |upstream )?commit\s{1,12}" + _HASH,
        r"^[ \t]{0,16}(?:git-commit|source kernel commit|x-upstream-commit|mainline-commit|linux-commit|origin)"
        r"[ \t]{0,4}: {0,4}(?:upstream, )?(?:https?://\S{1,200}[/=])?" + _HASH,
        r"^(?:mainline|stable|upstream)[ -]inclusion\n(?:.{0,120}\n){0,3}?commit " + _HASH,
        r"^[ \t]{0,16}(?:this (?:is|was)|is) (?:a |an )?(?:partial |modified )?(?:backport|cherry-pick) of"
        r" (?:upstream |mainline )?(?:commit )?" + _HASH,
        r"^[ \t]{0,16}upstream(?: commit)?:?\s{1,12}(?:commit )?" + _HASH + r"\b",
    )
)
_FIXES = re.compile(r"^[ \t]{0,8}Fixes: {1,4}(?:commit )?([0-9a-f]{8,40})\b", re.M | re.I)
_LINK = re.compile(r"^[ \t]{0,8}(?:Link|Closes|BugLink|Bugzilla|References|Bug|URL|Buglink): {1,4}(\S{8,400})", re.M)
_SYZBOT = re.compile(r"syzbot\+([0-9a-f]{10,40})@|syzkaller\.appspot\.com/bug\?(?:ext)?id=([0-9a-f]{10,64})")
_CVE = re.compile(r"\bCVE-\d{4}-\d{4,7}\b")
_TRAILER = re.compile(r"^[A-Z][\w-]{1,30}: .*$")
_BRANCH = re.compile(r"v?(\d{1,4}\.\d{1,4})(?:\.(\d{1,4}))?(?:-rc\d{1,4})?$")
_PROSE = 20_000


@dataclass(frozen=True, slots=True)
class Message:
    """A commit message taken apart."""

    commit: str | None
    """Its own hash, None where it is not known (a patch)."""
    subject: str
    body: str
    upstream: str | None = None
    """Hash of the mainline commit that it is a copy of."""
    fixes: tuple[str, ...] = ()
    """Hashes that brought the problem in, as far as they were quoted."""
    links: tuple[str, ...] = ()
    syzbot: tuple[str, ...] = ()
    cves: tuple[str, ...] = ()

    @property
    def identity(self) -> str | None:
        """What the same change is known by in every tree: the mainline commit, else its own hash."""
        return self.upstream or self.commit


def read(commit: str | None, text: str) -> Message:
    """Take a message apart.

    Args:
        commit: Its own hash.
        text: Subject, blank line, body.
    """
    head, _, body = text.lstrip("\n").partition("\n\n")
    subject = " ".join(head.split())
    upstream = next((found["hash"] for pattern in _UPSTREAM if (found := pattern.search(body))), None)
    bugs = (first or second for first, second in _SYZBOT.findall(body))
    return Message(
        commit,
        subject,
        body.strip("\n"),
        upstream.lower() if upstream and upstream.lower() != commit else None,
        tuple(dict.fromkeys(_FIXES.findall(body))),
        tuple(dict.fromkeys(_LINK.findall(body)))[:8],
        tuple(dict.fromkeys(bugs)),
        tuple(dict.fromkeys(_CVE.findall(body))),
    )


def worth_reading(text: str) -> bool:
    """False for most messages: nothing in them can be a splat."""
    return has_splat(text)


def known(
    message: Message,
    origin: str,
    *,
    name: str,
    release: str | None = None,
    since: str | None = None,
    files: tuple[str, ...] = (),
) -> Known | None:
    """The case of a message that quotes a splat; None where it quotes none that says enough.

    Args:
        message: What :func:`read` made.
        origin: What made it: ``git``, ``patches``.
        name: Its name where it has no hash: a file's.
        release: First release that has the commit (``6.1.5``, ``6.2-rc3``), None where that is not known.
        since: First release that has the commit that brought the problem in.
        files: What it changes, as far as that is known.
    """
    reports = build.useful(splats(message.body, message.commit or name))
    if not reports:
        return None
    identity = message.identity
    case_id = f"commit-{identity[:12]}" if identity else f"patch-{build.digest(name).hex()[:12]}"
    said = "\n".join(line for line in message.body.splitlines() if not _TRAILER.match(line))
    body = next((said[found.end() :] for pattern in _UPSTREAM[:2] if (found := pattern.match(said))), said)
    case = Case(
        id=case_id,
        title=message.subject,
        kind=build.kinds(reports),
        status="imported",
        summary=build.summary(body.lstrip(".] \n")),
        subsystem=build.subsystem(message.subject, files),
        keywords=build.keywords(reports, *message.cves, *message.syzbot, *((identity[:12],) if identity else ())),
        affected=_affected(message, since, release),
        fixes=_fixes(message, release),
        sources=_sources(message, name, origin),
        prose=body.strip(".] \n")[:_PROSE],
        signatures=build.links(reports),
        files=files,
    )
    commits = tuple(dict.fromkeys(hash_ for hash_ in (message.upstream, message.commit) if hash_))
    return Known(case, build.stacks(case_id, reports), commits)


def branch(release: str | None) -> str:
    """The branch a release is of: ``6.1`` for 6.1.5, ``mainline`` for 6.2 and 6.2-rc3, ``unknown`` for none."""
    found = _BRANCH.match(release) if release else None
    if found is None:
        return "unknown"
    return found[1] if found[2] else "mainline"


def _fixes(message: Message, release: str | None) -> tuple[Fix, ...]:
    made = []
    if message.upstream is not None:
        made.append(Fix(message.upstream, message.subject, None, "mainline", "commit"))
    if message.commit is not None:
        own = branch(release)
        if message.upstream is None and own == "unknown":
            own = "mainline"
        made.append(Fix(message.commit, message.subject, release if own != "unknown" else None, own, "commit"))
    return tuple(made)


def _affected(message: Message, since: str | None, release: str | None) -> tuple[Affected, ...]:
    if since is None:
        return ()
    note = f"introduced by {message.fixes[0][:12]}" if message.fixes else ""
    end = f", < {release}" if release and branch(release) == "mainline" and branch(since) == "mainline" else ""
    if branch(since) != "mainline" or (branch(release) != "mainline" and release):
        return ()
    return (Affected(f">= {since}{end}", "commit", note),)


def _sources(message: Message, name: str, origin: str) -> tuple[Source, ...]:
    made = [Source("commit", f"{(message.commit or name)[:40]} ({origin})")]
    made += [Source(f"link-{index}", "", url) for index, url in enumerate(message.links, 1) if "://" in url]
    made += [Source("syzbot", bug) for bug in message.syzbot[:1]]
    return tuple(made)


def merged(old: Case, new: Case) -> Case:
    """One case of two commits that are the same change on different branches: the fixes of both.

    Everything else is the mainline commit's where there is one, since backports shorten messages.
    """
    from dataclasses import replace

    first, second = (new, old) if _is_mainline(new) and not _is_mainline(old) else (old, new)
    fixes: dict[tuple[str, str], Fix] = {}
    for fix in (*first.fixes, *second.fixes):
        key = (fix.branch, fix.commit if fix.branch == "unknown" else "")
        if key not in fixes or (fixes[key].since is None and fix.since is not None):
            fixes[key] = fix
    ordered = sorted(fixes.values(), key=lambda fix: fix.branch != "mainline")
    return replace(
        first,
        fixes=tuple(ordered),
        affected=first.affected or second.affected,
        kind=_union(first.kind, second.kind),
        keywords=_union(first.keywords, second.keywords),
        signatures=_union(first.signatures, second.signatures),
        files=_union(first.files, second.files),
    )


def _is_mainline(case: Case) -> bool:
    return any(fix.branch == "mainline" and fix.since is not None for fix in case.fixes)


def _union(first: Iterable[str], second: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))
