"""Report -> signature: the named fields that say "same problem".

Identity has layers. The *exact* key is the kind and the title (which holds the guilty function and the fields the kind
names itself by), so it is the same for every build, compiler, architecture and transport; where two problems have one
title, what tells them apart stands behind it. *Former* keys are those of other versions, by which what was written down
then is found; they link nothing. *Alternative* keys join kinds that one bug can show itself as (a
use-after-free that is caught by KASAN on one kernel and faults on another). The *stack* key covers the significant
frames; it suggests, it never links.
"""

import hashlib
from collections.abc import Iterator

from kb.model.report import Report, Signature
from kb.parse.guilty import significant

VERSION = 2
"""Of the way keys are made. An id bears the version in which its own form of a key came: an id that can stay, stays."""
_CORRUPTED = "corrupted"
"""Stands in the titles of version 1 where the function is lost."""
_STACK_DEPTH = 8


def signature(report: Report) -> Signature:
    """The signature of a report; pure, and equal for reports that differ only in where and how they were printed."""
    plain_key = f"{report.kind}|{report.title}"
    key = "|".join((plain_key, *report.apart))
    frames = significant(report)[:_STACK_DEPTH]
    alt = [identifier(f"alt|{alt}") for alt in report.alt_titles if report.function is not None]
    return Signature(
        id=identifier(key, 2 if report.apart else 1),
        key=key,
        version=2 if report.apart else 1,
        title=report.title,
        guilt=report.guilt,
        alt=tuple(dict.fromkeys(alt)),
        former=tuple(dict.fromkeys(map(identifier, _former(report)))),
        stack=identifier("stack|" + "|".join(frames)) if frames else None,
    )


def _former(report: Report) -> Iterator[str]:
    """Keys that other versions made: a store that was not rekeyed yet has its notes there.

    What is told apart now had one key then, so that two bugs may share a former key.
    """
    if report.apart:
        yield f"{report.kind}|{report.title}"
    head, found, _ = report.title.partition(" at ")
    if found and report.function is None and report.apart:
        yield f"{report.kind}|{head} in {_CORRUPTED}"
    if report.kind == "oom_kill" and ": memcg, killed " in report.title:
        yield f"{report.kind}|{report.title.replace(': memcg,', ': memory cgroup,')}"


def identifier(key: str, version: int = 1) -> str:
    """The id of a key: ``kb1:`` and the first 16 hexadecimal digits of its SHA-256."""
    return f"kb{version}:{hashlib.sha256(key.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}"
