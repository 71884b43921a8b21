"""Numbers as a log prints them: any digits may stand there, so each reading has a bound."""

import re

_DECIMAL = re.compile(r"-?[0-9]{1,20}")


def number(text: str | None) -> int | None:
    """A decimal number of at most the digits of 64 bits, None for anything else.

    ``isdigit`` would take a superscript, which ``int`` refuses, as it does more than 4300 digits.
    """
    return int(text) if text is not None and _DECIMAL.fullmatch(text) else None
