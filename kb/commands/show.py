"""``kb show``: what the store has on a signature."""

import argparse
import sys

from kb.cli import OK
from kb.commands import opened
from kb.render.safe import safe, safe_lines


def run(options: argparse.Namespace) -> int:
    """Print a signature's sightings, notes and evidence."""
    with opened(options) as base:
        shown = base.show(options.prefix)
    if options.json:
        from kb.render.json import line

        print(line(shown.to_json()))
    elif options.raw:
        _raw(b"".join(sample.text for sample in shown.evidence), options.unsafe)
    else:
        print("\n".join(safe(line) for line in shown.lines()))
    return OK


def _raw(data: bytes, unsafe: bool) -> None:
    """The bytes as they were; on a terminal, which would obey some of them, those as escapes."""
    if sys.stdout.isatty() and not unsafe:
        print(safe_lines(data.decode("utf-8", "surrogateescape")), end="")
    else:
        sys.stdout.buffer.write(data)
