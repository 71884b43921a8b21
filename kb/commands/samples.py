"""``kb samples``: the logs that the documents use, so that each command in them can be typed as it is printed."""

import argparse
import gzip
import io
import tarfile
from pathlib import Path

from kb.cases.library import folder
from kb.cli import OK
from kb.commands.files import write
from kb.errors import InputError

LOGS = {
    "dmesg.txt": "nofs-high-order-watermark/match-seed.log",
    "near.log": "nofs-high-order-watermark/near-node1-admits.log",
    "db17.log": "ext4-mbcache-reusable/match-loop.log",
    "build3.log": "oom-memcg-limit/match-cgroup.log",
    "scrub.txt": "btrfs-scrub-system-chunks/match-scrub.log",
}
"""The names of the documents, and the samples of packaged cases that they are."""
TICKET = "ticket-4711.tar.gz"
"""An archive of a support team's, with the log of db17 in it."""


def run(options: argparse.Namespace) -> int:
    """Write them; what is there already stays as it is."""
    target = Path(options.folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder: {error.strerror}", path=str(target)) from None
    made = {target / name: data for name, data in logs().items()}
    there = {place for place in made if place.exists() or place.is_symlink()}
    for place in there:
        if not (place.is_file() and place.read_bytes() == made[place]):
            raise InputError("is there already, with something else in it", path=str(place), help="name a new folder")
    for place, data in made.items():
        if place not in there:
            write(str(place), (data,), 0o644)
        print(place)
    return OK


def logs() -> dict[str, bytes]:
    """Each file by its name, the same bytes whenever it is made."""
    found = {name: (folder("cases") / source).read_bytes() for name, source in LOGS.items()}
    return {**found, TICKET: _ticket(found["db17.log"])}


def _ticket(log: bytes) -> bytes:
    held = io.BytesIO()
    with gzip.GzipFile(fileobj=held, mode="wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo("sosreport-db17/sos_commands/kernel/dmesg")
        member.size = len(log)
        archive.addfile(member, io.BytesIO(log))
    return held.getvalue()
