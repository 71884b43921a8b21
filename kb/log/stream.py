"""Lines of an input that never ends."""

import os
import select
import time
from collections.abc import Iterator
from typing import BinaryIO

from kb.model.log import Line


def follow(stream: BinaryIO, idle: float = 1.0) -> Iterator[Line | None]:
    """Lines as they come; None once after ``idle`` seconds of silence."""
    raise NotImplementedError
