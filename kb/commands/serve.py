"""``kb serve``: kb as a service."""

import argparse
from pathlib import Path

from kb.errors import UsageError

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def run(options: argparse.Namespace) -> int:
    """Serve until told to stop."""
    try:
        from kb.serve.server import run as serve
        from kb.serve.settings import Place, Settings
    except ImportError as error:
        raise UsageError(
            f"kb serve needs a package that is not installed: {error.name}", help="pip install kernel-kb[serve]"
        ) from None
    more = {"workers": options.workers} if options.workers is not None else {}
    settings = Settings(
        Place(options.db, options.cases),
        host=options.host,
        port=options.port,
        tokens=Path(options.tokens) if options.tokens is not None else None,
        deadline=options.match_timeout,
        largest=size(options.max_body),
        waiting=options.max_waiting,
        **more,
    )
    if settings.workers < 1 or settings.deadline <= 0 or settings.waiting < 1 or settings.largest < 1:
        raise UsageError("workers, limits and times are more than nothing")
    return serve(settings)


def size(text: str) -> int:
    """``64M`` as bytes.

    Raises:
        UsageError: It is no size.
    """
    digits, unit = text.rstrip("KMGkmg"), text[len(text.rstrip("KMGkmg")) :].upper()
    if not digits.isdecimal() or unit not in _UNITS:
        raise UsageError(f"{text!r} is no size", help="bytes, or 64K, 64M, 2G")
    return int(digits) * _UNITS[unit]
