"""Source text that looks like a log: a line of printk's format strings instead of what they print."""

import re
from collections.abc import Mapping

from kb.model.log import Line

_CONVERSION = re.compile(
    r"%[-+#0]{0,3}(?:\d{1,3}|\*)?(?:\.(?:\d{1,3}|\*))?(?:hh?|ll?|[zjtLq])?(?:[diouxXcs]|p[A-Za-z]{0,4})(?![A-Za-z])"
)
"""A conversion of lib/vsprintf.c format_decode() (v6.12). Without the blank flag: "90% of" is no conversion."""
_NAMED = re.compile(r"\S{1,15}[:/\[]\d{1,7}\b")
"""A task's name before its pid: what a person called a process may look like a conversion."""
_GIVEN = ("comm", "comm2", "victim", "task", "killer")
"""Fields that hold such a name."""


def is_format(line: Line, fields: Mapping[str, str]) -> bool:
    """Whether a line holds a conversion (``%s``, ``%016lx``, ``%pS``) where the kernel would have printed a value.

    A line that bears a stamp or a level was printed, whatever it says.

    Args:
        line: What may be a message.
        fields: What was read out of it, by name.
    """
    text = line.text
    if "%" not in text or line.time is not None or line.wall is not None or line.level is not None:
        return False
    if _CONVERSION.search(text) is None:
        return False
    for name in _GIVEN:
        if fields.get(name):
            text = text.replace(fields[name], "")
    return _CONVERSION.search(_NAMED.sub("", text)) is not None
