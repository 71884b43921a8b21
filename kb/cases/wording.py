"""What of a case's words can be told to be wrong: a cause that is written as an instruction, a text shown without the
table that it points at.
"""

import re

_INSTRUCTS = frozenset(
    "add allow answer ask backup block boot bring build buy change check choose clean clear close collect "
    "compact compare convert copy count cut decide defragment delete disable do enable enlarge extend fetch find "
    "force free get give go ignore install keep leave let limit load look lower make mend mount move note open "
    "plan plug power press pull push put raise read reboot rebuild recreate reduce reinstall reload remount "
    "remove repair replace report reseat reset restart restore revert rotate run save scan search see send set "
    "shrink sign spread stop swap switch take tell test try tune turn unload unmount unplug update upgrade use "
    "wait watch write".split()
)
"""Verbs with which advice begins. Names that are written like one (``mount``, ``swap``) begin no sentence as a subject
without an article."""
_FIRST = re.compile(r"(?:(?:please|then|first|just|do not|don't|never)\s+)?(?P<word>[A-Za-z']+)(?P<next>\W*\w*)", re.I)
_ELSEWHERE = re.compile(
    r"\(below\)|\b(?:tables?|rows?|list|section|prose)\b[^.;]{0,40}\b(?:below|above)\b"
    r"|\bsee (?:the |its )?(?:row|table|prose|below|above)\b|\bthe table names\b",
    re.I,
)
_SUBJECT = re.compile(r"\W*(?:is|are|was|were|has|had|did|does|do|of|by|on|in|to|for|with|failed|fails)\b", re.I)
"""What behind a word makes a noun of it: ``Swap is full``."""


def instructs(text: str) -> bool:
    """Whether a text begins by telling what to do."""
    found = _FIRST.match(text.strip())
    if found is None or found["word"].lower() not in _INSTRUCTS:
        return text.lower().startswith(("nothing to do", "do not ", "no need to "))
    return found["word"].lower() in ("look", "go", "ask", "wait") or _SUBJECT.match(found["next"]) is None


def points_elsewhere(text: str) -> bool:
    """Whether a text that is shown alone points at what stands below or above it in the file."""
    return _ELSEWHERE.search(text) is not None
