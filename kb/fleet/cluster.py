"""A Dask cluster reads the files: each of its tasks runs :mod:`kb.fleet.pool` over a share of them.

So a file that ends its worker ends a process of that share, and Dask never sees it. The share runs in a process of its
own, for workers of Dask may have no children of multiprocessing.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from kb import __version__
from kb.errors import UsageError
from kb.fleet.item import Block, Item, Settings

_LARGEST, _SMALLEST = 200, 8
"""Files of a share: a process is started for each."""
_SHARES = 4
"""Shares a thread of a worker."""
_AHEAD = 2
"""Shares a thread that are handed out at once: their results are held here until it is their turn."""
_PROGRAM = "from kb.fleet.cluster import work; work()"


def blocks(items: list[Item], settings: Settings, address: str) -> Iterator[tuple[Item, Block]]:
    """What comes of each file, in the order of the files.

    The files must be there under the same paths, or URLs, on the workers. Cases of one's own go with each share, as
    files that are only read.

    Args:
        items: The files.
        settings: How they are read.
        address: Of the scheduler.

    Raises:
        UsageError: There is no such scheduler, it has no workers, or they have another version of kb.
    """
    with _client(address) as client:
        threads = _threads(client)
        size = max(_SMALLEST, min(_LARGEST, -(-len(items) // (threads * _SHARES))))
        shares = [items[at : at + size] for at in range(0, len(items), size)]
        cases = _files(settings.cases)
        sent = client.scatter([cases], broadcast=True)[0] if cases else cases
        waiting = []
        for share in shares:
            waiting.append((share, _submit(client, share, settings, sent)))
            if len(waiting) >= threads * _AHEAD:
                yield from _result(client, *waiting.pop(0), settings, sent)
        for share, future in waiting:
            yield from _result(client, share, future, settings, sent)


def _client(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise UsageError("--dask needs dask.distributed", help="pip install 'kernel-kb[fleet]'") from error
    try:
        return cast(Any, Client)(address, timeout=10, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"no scheduler at {address}: {error}", help="start one: dask scheduler") from error


def _threads(client: Any) -> int:
    """Threads of all workers, each of which has this version of kb."""
    told = client.run(version)
    other = {address: found for address, found in told.items() if found != __version__}
    if other:
        address, found = next(iter(other.items()))
        raise UsageError(f"the worker {address} has kb {found}, this is {__version__}", help="install the same on all")
    if not told:
        raise UsageError("the scheduler has no workers", help="start some: dask worker ADDRESS")
    return sum(client.nthreads().values())


def version() -> str:
    """Version of kb, where this runs."""
    return __version__


def _submit(client: Any, share: list[Item], settings: Settings, sent: Any) -> Any:
    return client.submit(read, share, settings, sent, pure=False, retries=2)


def _result(client: Any, share: list[Item], future: Any, settings: Settings, sent: Any) -> Iterator[tuple[Item, Block]]:
    """The blocks of a share; of one that is lost again and again, those of each file for itself."""
    try:
        yield from zip(share, future.result(), strict=True)
    except Exception as error:  # what ended it elsewhere comes as it was there
        if len(share) == 1:
            why = f"its worker ended: {type(error).__name__}: {error}"
            yield share[0], Block(b"", size=share[0].size, errors=((share[0].source, why),))
            return
        again = [([item], _submit(client, [item], settings, sent)) for item in share]
        for alone, each in again:
            yield from _result(client, alone, each, settings, sent)


def _files(folder: str | None) -> dict[str, bytes]:
    """The case files of ``--cases`` and of ``$KB_CASES``, by their paths."""
    found: dict[str, bytes] = {}
    for root in filter(None, (*os.environ.get("KB_CASES", "").split(os.pathsep), folder)):
        for path in sorted(Path(root).glob("**/case.md")):
            found[path.relative_to(root).as_posix()] = path.read_bytes()
    return found


# ---- on a worker


def read(share: list[Item], settings: Settings, cases: dict[str, bytes]) -> list[Block]:
    """Read a share of the files, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        input=pickle.dumps((share, settings, cases)),
        stdout=subprocess.PIPE,
        check=True,
    )
    found: list[Block] = pickle.loads(done.stdout)
    return found


def work() -> None:
    """What that process runs: the share comes on stdin, the blocks go to stdout."""
    share, settings, cases = pickle.load(sys.stdin.buffer)
    from kb.fleet.pool import blocks as here

    with tempfile.TemporaryDirectory(prefix="kb-cases-") as folder:
        for name, text in cases.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
            path.chmod(0o444)
        if cases:
            settings = settings._replace(cases=folder)
        found = [block for _, block in here(share, settings, 1)]
    sys.stdout.buffer.write(pickle.dumps(found))
