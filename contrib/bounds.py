"""The versions to test against: ``python contrib/bounds.py oldest|newest`` prints requirements for pip.

``oldest``: each dependency of kb at the lowest version that
pyproject.toml allows; ``newest``: at the highest one there is.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def requirements(which: str) -> list[str]:
    """Lines for ``pip install --upgrade -r``."""
    allowed = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["dependencies"]
    if which == "newest":
        return list(allowed)
    return [re.sub(r">=([\w.]+).*", r"==\1", each) for each in allowed]


if __name__ == "__main__":
    print("\n".join(requirements(sys.argv[1])))
