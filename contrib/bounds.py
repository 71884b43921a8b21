"""The versions to test against: ``python contrib/bounds.py oldest|newest`` prints requirements for pip.

``oldest``: each dependency of kb, and of its extras, at the lowest version
that pyproject.toml allows; ``newest``: at the highest one there is.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

EXTRAS = ("zstd", "symbols", "disasm", "pdf", "fleet", "serve")
"""Those that the tests use as they come; of mcp and qr they want newer ones than kb does (the dev group), and web wants
a newer jinja2."""
OTHERS = {"anyio"}  # the tests' mcp wants a newer one
PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def requirements(which: str) -> list[str]:
    """Lines for ``pip install --upgrade -r``."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    allowed = [*project["dependencies"], *(each for name in EXTRAS for each in project["optional-dependencies"][name])]
    allowed = [each for each in allowed if not OTHERS & set(re.findall(r"^[\w-]+", each))]
    if which == "newest":
        return list(allowed)
    return [re.sub(r">=([\w.]+).*", r"==\1", each) for each in allowed]


if __name__ == "__main__":
    print("\n".join(requirements(sys.argv[1])))
