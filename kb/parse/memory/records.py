"""What the readers of memory blocks share: records cut to their lines, numbers kept in bounds."""

from collections.abc import Iterable

from kb.model.log import Line

_LIMIT = 1 << 62


def prepare(lines: Iterable[Line]) -> list[Line]:
    r"""Take blanks off and split records that a transport printed with their newlines written out.

    rsyslog writes a newline as ``#012`` (octal), /dev/kmsg as ``\x0a``; the blank behind is the kernel's own.
    """
    result = []
    for line in lines:
        text = line.text
        if "#012" in text or "\\x0a" in text:
            parts = text.replace("\\x0a", "#012").split("#012")
            result.append(line._replace(text=parts[0].strip()))
            result += [line._replace(text=part.strip(), continued=True) for part in parts[1:] if part.strip()]
        else:
            bare = text.strip()
            if bare:
                result.append(line if bare == text else line._replace(text=bare))
    return result


def bounded(text: str) -> int:
    """A number; kept below 2^62, since a log can hold any digits."""
    return max(-_LIMIT, min(_LIMIT, int(text)))
