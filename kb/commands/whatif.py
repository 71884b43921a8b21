"""``kb whatif``: would such an allocation be admitted now?"""

import argparse
import os
from pathlib import Path

from kb.cli import EMPTY, OK, UNKNOWN
from kb.errors import InputError
from kb.evidence.procfs import read_zones
from kb.facts.allocation.whatif import whatif
from kb.kernel.release import Release, checked
from kb.log.files import read_named
from kb.render.json import line
from kb.render.whatif import whatif_text

_PROC = Path("/proc")


def run(options: argparse.Namespace) -> int:
    """Read the state (live by default), replay the request, print; 0 admitted, 1 refused, 3 undecided."""
    given = any((options.zoneinfo, options.buddyinfo, options.pagetypeinfo))
    release = _release(options.kernel, live=not given)
    texts = {name: _text(getattr(options, name), name, given) for name in ("zoneinfo", "buddyinfo", "pagetypeinfo")}
    zones = read_zones(**texts)
    if not zones:
        raise InputError(
            "no zone in the state", path=options.zoneinfo or str(_PROC / "zoneinfo"), help="give --zoneinfo FILE"
        )
    answer = whatif(
        options.order, options.gfp, zones, release, node=options.node, interrupt=options.interrupt, rt=options.realtime,
        page_kb=4 if given else os.sysconf("SC_PAGE_SIZE") // 1024,
    )  # fmt: skip
    if options.json:
        print(line(answer))
    else:
        print(whatif_text(answer, verbose=options.verbose), end="")
    return {True: OK, False: UNKNOWN, None: EMPTY}[answer["admitted"]]


def _release(text: str | None, *, live: bool) -> Release | None:
    if text is None:
        return Release.parse(os.uname().release) if live else None
    return Release.parse(checked(text))


def _text(path: str | None, name: str, given: bool) -> str:
    """A captured file, or the live one; pagetypeinfo is root's alone from v4.15 and may be missing."""
    if path is None and given:
        return ""
    try:
        return read_named(path if path is not None else _PROC / name).decode("utf-8", "replace")
    except InputError as error:
        if path is None and name != "zoneinfo":
            return ""
        raise InputError(error.reason, path=error.path, help="give a captured file") from error
