"""Files that commands write."""

import os
from collections.abc import Iterable

from kb.errors import InputError


def same(one: str, other: str) -> bool:
    """Whether two paths are one file."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def write(path: str, pieces: Iterable[bytes], mode: int) -> None:
    """All of a file or nothing of it, with those rights from the first byte on.

    Raises:
        InputError: It cannot be written.
    """
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
