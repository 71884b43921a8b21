"""The samples that hold the patterns of plumbing.toml, of tests/parse/skips.txt."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

from kb.parse import plumbing


class Sample(NamedTuple):
    """A function, and whether a group must skip it."""

    group: str
    function: str
    module: str | None
    skipped: bool

    def holds(self) -> bool:
        """True when the group does what it must; anchors stand for themselves, other groups add to "common"."""
        if self.group == "anchors":
            found = any(entry.covers(self.function, self.module) for entry in plumbing.group("anchors"))
        else:
            groups = () if self.group == "common" else (self.group,)
            found = plumbing.skips(groups)(self.function, self.module) is not None
        return found is self.skipped


@cache
def samples() -> tuple[Sample, ...]:
    """All of them."""
    found, group = [], ""
    for row in Path(__file__).with_name("skips.txt").read_text("utf-8").splitlines():
        if row.startswith("== "):
            group = row[3:]
        elif row and not row.startswith("#"):
            symbol = row.removeprefix("! ").partition("  ")[0]
            function, _, module = symbol.partition(" ")
            found.append(Sample(group, function, module.strip("[]") or None, not row.startswith("! ")))
    return tuple(found)
