"""``kb known diff``: what an update of the known fixes changes."""

import argparse
from pathlib import Path

from kb.cli import OK, UNKNOWN
from kb.errors import UsageError
from kb.known.pack import PACKED, differences
from kb.render.safe import safe


def diff(options: argparse.Namespace) -> int:
    """Print the differences of two packs."""
    old, new = (Path(options.old), Path(options.new)) if options.new is not None else (PACKED, Path(options.old))
    if not PACKED.exists() and options.new is None:
        raise UsageError("an installed kb has an index of the pack only", help="give both packs: kb known diff OLD NEW")
    changed = False
    for row in differences(old, new):
        changed = True
        print(safe(row))
    return UNKNOWN if changed else OK
