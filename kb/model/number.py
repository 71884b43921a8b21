"""Numbers out of text that may hold any digits."""


def number(text: str | None, base: int = 10) -> int | None:
    """What the kernel can have printed as a number: at most 64 bits, signed or not; None for all else.

    Args:
        text: Digits, with or without a sign and ``0x``.
        base: 10 or 16.
    """
    if text is None or len(text) > _LONGEST or "_" in text:
        return None
    try:
        value = int(text, base)
    except ValueError:
        return None
    return value if -(1 << 63) <= value < 1 << 64 else None


_LONGEST = 40
"""Characters: twenty digits with room for leading zeros."""
