"""``kb show``: what the store has on a signature."""

import argparse
import sys

from kb.cli import OK
from kb.commands import opened
from kb.render.safe import safe


def run(options: argparse.Namespace) -> int:
    """Print a signature's sightings, notes and evidence."""
    with opened(options) as base:
        shown = base.show(options.prefix)
    if options.json:
        import json

        print(json.dumps(shown.to_json(), ensure_ascii=True))
    elif options.raw:
        for sample in shown.evidence:
            sys.stdout.buffer.write(sample.text)
    else:
        print("\n".join(safe(line) for line in shown.lines()))
    return OK
