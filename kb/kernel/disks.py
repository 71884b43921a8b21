"""Names of block devices, as their drivers give them: drivers/scsi/sd.c, drivers/nvme/host, drivers/block (v6.12)."""

import re

_BY_LETTER = r"(?:sd[a-z]{1,3}|vd[a-z]{1,2}|xvd[a-z]{1,2}|hd[a-z])"
_BY_NUMBER = r"(?:nvme\d{1,3}n\d{1,3}|mmcblk\d{1,2}|loop\d{1,3}|md\d{1,3}|nbd\d{1,3})"
_WHOLE = r"(?:dm-\d{1,4}|sr\d{1,2}|rbd\d{1,4}|zram\d{1,2})"
BLOCK = re.compile(rf"(?:/dev/)?((?:{_BY_LETTER}(?:\d{{1,3}})?|{_BY_NUMBER}(?:p\d{{1,3}})?|{_WHOLE}))")
"""A block device or a partition of one, its name without ``/dev/`` in group 1."""
_PARTITION = re.compile(rf"({_BY_LETTER})\d{{1,3}}|({_BY_NUMBER})p\d{{1,3}}")


def whole(name: str) -> str:
    """The disk that a partition is of; block/partitions/core.c puts a ``p`` between where the disk ends in a digit."""
    found = _PARTITION.fullmatch(name)
    return (found[1] or found[2]) if found is not None else name
