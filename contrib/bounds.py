"""The versions to test against: ``python contrib/bounds.py oldest|newest`` prints requirements for pip.

``oldest``: each dependency of kb, and of its extras, at the lowest version
that pyproject.toml allows; ``newest``: at the highest one there is.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

EXTRAS = ("zstd", "symbols", "disasm", "pdf", "qr", "fleet", "serve", "mcp")
"""Those that the tests use; web wants a newer jinja2 than kb does, llm is never loaded by them."""
PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def requirements(which: str) -> list[str]:
    """Lines for ``pip install --upgrade -r``."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    allowed = [*project["dependencies"], *(each for name in EXTRAS for each in project["optional-dependencies"][name])]
    if which == "newest":
        return list(allowed)
    return [re.sub(r">=([\w.]+).*", r"==\1", each) for each in allowed]


if __name__ == "__main__":
    print("\n".join(requirements(sys.argv[1])))
