"""Building a wheel makes the index of the known fixes: kb reads it where it lies."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class KnownFixes(BuildHookInterface):
    """Makes ``kb/known/index.db`` out of ``kb/known/fixes.ndjson``, by kb's own code, which needs no other package."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make it in the build's folder; an editable install makes its own on first use."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from kb.known.index import build

        target = Path(self.directory, "known-index.db")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        build(target)
        build_data["force_include"][str(target)] = "kb/known/index.db"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Leave nothing but the wheel."""
        Path(self.directory, "known-index.db").unlink(missing_ok=True)
