"""Whether a kernel has the fix of a case: by what its distribution says of it, else by its number."""

from collections.abc import Iterable
from typing import Any

from kb.cases.fixstatus import fix_status
from kb.kernel.release import Release
from kb.known.distribution import Changelog, held, status
from kb.model.case import Case


def affected(case: Case, kernel: str, changelogs: Iterable[Changelog]) -> dict[str, Any]:
    """The ``kb.affected/1`` object.

    Args:
        case: Of the library, imported or known.
        kernel: The release, as ``uname -r`` prints it.
        changelogs: What distributions say of their kernels.
    """
    found = fix_status(case, kernel)
    release = Release.parse(kernel)
    if release is not None and (own := held(changelogs, release)) is not None:
        found = status(case, release, own)
    return {
        "schema": "kb.affected/1",
        "case": case.id,
        "kernel": kernel,
        "status": found.status,
        "reason": found.reason,
        "fixes": [{"commit": fix.commit, "branch": fix.branch, "since": fix.since} for fix in case.fixes],
    }
