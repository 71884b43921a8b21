"""``kb serve``: kb as a service."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from kb.errors import UsageError
from kb.process import last

if TYPE_CHECKING:
    from kb.serve.settings import Netconsole, Webhook

_PORT = re.compile(r"(?:\[[^\]]{1,64}\]|[^:\[\]]{1,253}):\d{1,5}")
_LONGEST = 36_500
"""Days that a service may be told to keep what is recorded: no date lies before the first year."""
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def run(options: argparse.Namespace) -> int:
    """Serve until told to stop."""
    last()
    try:
        from kb.serve.server import run as serve
        from kb.serve.settings import Place, Settings
    except ImportError as error:
        raise UsageError(
            f"kb serve needs a package that is not installed: {error.name}", help="pip install 'kernel-kb[serve]'"
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
        netconsole=_netconsole(options.netconsole, options.netconsole_from),
        webhook=_webhook(options.webhook, options.webhook_secret, options.webhook_severity),
        keep=options.keep,
        **more,
    )
    if settings.keep is not None and not 1 <= settings.keep <= _LONGEST:
        raise UsageError(f"--keep takes days, 1 to {_LONGEST}")
    if settings.workers < 1 or settings.deadline <= 0 or settings.waiting < 1 or settings.largest < 1:
        raise UsageError("workers, limits and times are more than nothing")
    return serve(settings)


def _netconsole(place: str | None, sources: list[str] | None) -> Netconsole | None:
    import ipaddress

    from kb.serve.guard import is_loopback
    from kb.serve.intake.netconsole import PORT
    from kb.serve.settings import Netconsole

    if place is None:
        return None
    host, _, port = place.rpartition(":") if _PORT.fullmatch(place) else (place, "", str(PORT))
    host = host.strip("[]")
    if sources is None and not is_loopback(host):
        help_ = "give --netconsole-from NETWORK: anybody can send a datagram"
        raise UsageError(f"{host} can be reached by others, and nothing says whose datagrams are taken", help=help_)
    try:
        allowed = tuple(ipaddress.ip_network(each, strict=False) for each in sources or ("127.0.0.0/8", "::1"))
    except ValueError as error:
        raise UsageError(str(error), help="an address, or a network as 10.0.0.0/24") from None
    return Netconsole(host, int(port), allowed)


def _webhook(url: str | None, secret: str | None, severity: str) -> Webhook | None:
    from urllib.parse import urlsplit

    from kb.serve.settings import Webhook

    if url is None:
        return None
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise UsageError(f"{url!r} is no URL to post to", help="http://... or https://...")
    try:
        key = Path(secret).read_bytes().strip() if secret else b""
    except OSError as error:
        raise UsageError(f"the secret cannot be read: {error.strerror}", path=secret) from None
    if not key:
        help_ = "--webhook-secret FILE: by it the receiver knows who sends"
        raise UsageError("the messages of --webhook are signed, and there is no secret", help=help_)
    return Webhook(url, key, severity)


def size(text: str) -> int:
    """``64M`` as bytes.

    Raises:
        UsageError: It is no size.
    """
    digits, unit = text.rstrip("KMGkmg"), text[len(text.rstrip("KMGkmg")) :].upper()
    if not digits.isdecimal() or unit not in _UNITS:
        raise UsageError(f"{text!r} is no size", help="bytes, or 64K, 64M, 2G")
    return int(digits) * _UNITS[unit]
