"""What building makes: the index of the known fixes, which kb reads where it lies, and the page that PyPI shows."""

import os
import re
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

_RELATIVE = re.compile(r"\]\((?!\w+:|#)([^)\s]+)\)")


class Readme(MetadataHookInterface):
    """README.md as the description. Where a release is built, its links lead into the repository, at that tag."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add ``readme`` to the project's metadata, and ``urls`` where the place of the repository is known."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        if repository := os.environ.get("GITHUB_REPOSITORY"):
            place = f"{os.environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{repository}"
            tag = os.environ.get("GITHUB_REF_NAME", "HEAD")

            def absolute(found: re.Match[str]) -> str:
                return f"]({place}/{'raw' if found[1].endswith('.svg') else 'blob'}/{tag}/{found[1]})"

            text = _RELATIVE.sub(absolute, text)
            metadata["urls"] = {"Source": place, "Changes": f"{place}/blob/{tag}/CHANGELOG.md"}
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


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
