"""``kb clean``: a log without the names of machines and people, to show to others."""

import argparse
import os
import sys
from collections.abc import Iterator

from kb import api
from kb.cleaner.clean import Cleaner
from kb.cli import OK
from kb.errors import InputError, UsageError
from kb.render.safe import safe


def run(options: argparse.Namespace) -> int:
    """Write the cleaned logs, say how much was replaced."""
    keep = [kind for part in options.keep for kind in part.split(",") if kind]
    sources = list(api.inputs(options.files or ["-"]))
    for path in (options.output, options.map):
        if path is not None and any(_same(path, source.name) for source in sources):
            raise UsageError("that would write over the log itself", help=f"name another file than {path}")
    logs = [source.data for source in sources]
    cleaner = Cleaner(logs, keep)
    pieces = _joined(cleaner, logs)
    if options.output not in (None, "-"):
        _write(options.output, pieces, 0o666)
    elif sys.stdout.isatty():
        for piece in pieces:  # a log may hold what drives a terminal; a file or a pipe gets its bytes as they are
            text = piece.decode("utf-8", "surrogateescape")
            sys.stdout.write("\n".join(map(safe, text.split("\n"))))
    else:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
    if options.map is not None:
        _write(options.map, _table(cleaner), 0o600)
    for source in sources:
        for note in source.notes:
            print(safe(f"kb: {source.name}: {note}"), file=sys.stderr)
    print(f"kb: {_summary(cleaner)}", file=sys.stderr)
    print("kb: read it before you send it: what else is personal only you can know", file=sys.stderr)
    return OK


def _same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


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


def _write(path: str, pieces: Iterator[bytes], mode: int) -> None:
    """All of a file or nothing of it, with those rights from the first byte on."""
    part = f"{path}.part"
    try:
        if os.path.exists(path) and not os.path.isfile(path):  # a device, a pipe
            with open(path, "wb") as stream:
                stream.writelines(pieces)
            return
        with open(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "wb") as stream:
            stream.writelines(pieces)
        os.replace(part, path)
    except FileExistsError:
        raise InputError("is there already", path=part, help="a run that was killed left it: remove it") from None
    except OSError as error:
        raise InputError(f"cannot write it: {error.strerror}", path=path) from None
