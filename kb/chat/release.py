"""The kernel release that a question names."""

import re

from kb.chat.question import Question
from kb.kernel.release import RHEL_BASE, RHEL_MINORS


def release_of(question: Question) -> tuple[str | None, bool]:
    """The kernel release that a line names, and whether it had to be made up from a distribution's version."""
    for parts in question.all("release"):
        if "release" in parts:
            return _enterprise(parts["release"])
        major, minor = int(parts["major"]), parts.get("minor")
        builds = RHEL_MINORS.get(major)
        if builds is None:
            return f"el{major}", True
        index = int(minor) if minor is not None and int(minor) < len(builds) else len(builds) - 1
        base = ".".join(map(str, RHEL_BASE[major]))
        return f"{base}-{builds[index]}.el{major}", True
    return None, False


_BUILD = re.compile(r"(\d{1,3}\.\d{1,4}\.\d{1,4})-(\d{2,4})(?:\.\d{1,4}){0,6}")


def _enterprise(text: str) -> tuple[str, bool]:
    """``3.10.0-1160`` is RHEL 7's: nobody else numbers so. Anything else is taken as it stands."""
    found = _BUILD.fullmatch(text)
    for major, base in RHEL_BASE.items():
        if found is not None and found[1] == ".".join(map(str, base)) and int(found[2]) >= RHEL_MINORS[major][0]:
            return f"{text}.el{major}", True
    return text, False
