"""``kb clean``: a log without the names of machines and people, to show to others."""

import argparse
import sys
from collections.abc import Iterator

from kb import api
from kb.cleaner.clean import Cleaner
from kb.cli import OK
from kb.commands.files import same, write
from kb.errors import UsageError
from kb.render.safe import safe


def run(options: argparse.Namespace) -> int:
    """Write the cleaned logs, say how much was replaced."""
    keep = [kind for part in options.keep for kind in part.split(",") if kind]
    sources = list(api.inputs(options.files or ["-"]))
    for path in (options.output, options.map):
        if path is not None and any(same(path, source.name) for source in sources):
            raise UsageError("that would write over the log itself", help=f"name another file than {path}")
    logs = [source.data for source in sources]
    cleaner = Cleaner(logs, keep)
    pieces = _joined(cleaner, logs)
    if options.output not in (None, "-"):
        write(options.output, pieces, 0o666)
    elif sys.stdout.isatty():
        for piece in pieces:  # a log may hold what drives a terminal; a file or a pipe gets its bytes as they are
            text = piece.decode("utf-8", "surrogateescape")
            sys.stdout.write("\n".join(map(safe, text.split("\n"))))
    else:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
    if options.map is not None:
        write(options.map, _table(cleaner), 0o600)
    for source in sources:
        for note in source.notes:
            print(safe(f"kb: {source.name}: {note}"), file=sys.stderr)
    print(f"kb: {_summary(cleaner)}", file=sys.stderr)
    print("kb: read it before you send it: what else is personal only you can know", file=sys.stderr)
    return OK


def _joined(cleaner: Cleaner, logs: list[bytes]) -> Iterator[bytes]:
    """The cleaned logs one after the other; a log that does not end a line is ended before the next."""
    for index, data in enumerate(logs):
        if index and logs[index - 1] and not logs[index - 1].endswith(b"\n"):
            yield b"\n"
        yield from cleaner.clean(data)


def _summary(cleaner: Cleaner) -> str:
    if not cleaner.places:
        return "nothing personal was recognised"
    different: dict[str, int] = {}
    for each in cleaner.replaced:
        different[each.kind] = different.get(each.kind, 0) + 1
    parts = (f"{kind} {count} ({different[kind]} different)" for kind, count in sorted(cleaner.places.items()))
    return "replaced: " + ", ".join(parts)


def _table(cleaner: Cleaner) -> Iterator[bytes]:
    """What was replaced by what, tab-separated; who holds it can undo the cleaning."""
    yield b"kind\toriginal\treplacement\n"
    for each in cleaner.replaced:
        texts = (value.decode("utf-8", "surrogateescape") for value in (each.original, each.replacement))
        yield "\t".join((each.kind, *(safe(text).replace("\t", "\\t") for text in texts))).encode() + b"\n"
