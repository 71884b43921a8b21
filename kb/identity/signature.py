"""Report -> signature: the named fields that say "same problem".

Identity has layers. The *exact* key is the kind and the title (which holds the guilty function and the fields the kind
names itself by), so it is the same for every build, compiler, architecture and transport. *Alternative* keys join kinds
that one bug can show itself as (a use-after-free that is caught by KASAN on one kernel and faults on another). The
*stack* key covers the significant frames; it suggests, it never links.
"""

import hashlib

from kb.model.report import Report, Signature
from kb.parse.guilty import significant

VERSION = 1
"""Of the way keys are made; part of every id, so that a store can be brought to a newer one."""
_STACK_DEPTH = 8


def signature(report: Report) -> Signature:
    """The signature of a report; pure, and equal for reports that differ only in where and how they were printed."""
    key = f"{report.kind}|{report.title}"
    frames = significant(report)[:_STACK_DEPTH]
    return Signature(
        id=identifier(key),
        key=key,
        version=VERSION,
        title=report.title,
        guilt=report.guilt,
        alt=tuple(identifier(f"alt|{alt}") for alt in report.alt_titles if report.function is not None),
        stack=identifier("stack|" + "|".join(frames)) if frames else None,
    )


def identifier(key: str) -> str:
    """The id of a key: ``kb1:`` and the first 16 hexadecimal digits of its SHA-256."""
    return f"kb{VERSION}:{hashlib.sha256(key.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}"
