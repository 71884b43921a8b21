"""Telling another service of what was recorded: messages wait in the store's outbox until they have been taken.

Signed as standardwebhooks.com has it (``webhook-id``, ``webhook-timestamp``, ``webhook-signature``), and as receivers
that know GitHub's check it (``X-Hub-Signature-256`` over the body). A message may come twice: its id tells.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import anyio
from anyio import to_thread

from kb.errors import StoreError
from kb.store import outbox

if TYPE_CHECKING:
    from kb.model.verdict import Sighting
    from kb.records import Records
    from kb.serve.metrics import Metrics
    from kb.serve.settings import Webhook
    from kb.serve.work import Found
    from kb.store.base import Tell

SEVERITIES = ("harmless", "watch", "act", "stop")
_LOOK = 1.0
"""Seconds between two looks into the outbox."""
_PATIENCE = 10.0
"""Seconds that a receiver may take."""
_LONGEST = 3600.0
"""Seconds between two tries, at most."""
_TRIES = 100
"""Tries after which a message is given up: some four days."""


def message(hook: Webhook, found: Found, source: str, host: str | None) -> Tell:
    """What makes the message on a report that is being recorded."""

    def made(sighting: Sighting, first_on_kernel: bool) -> tuple[str, str] | None:
        reasons = []
        if sighting.count == 1:
            reasons.append("new")
        if found.fixed and first_on_kernel:
            reasons.append("regression")
        if SEVERITIES.index(found.severity) >= SEVERITIES.index(hook.severity):
            reasons.append("severity")
        if not reasons:
            return None
        report = found.report
        body = {
            "schema": "kb.event/1",
            "reasons": reasons,
            "time": sighting.seen,
            "signature": sighting.signature,
            "title": report.title,
            "kind": report.kind,
            "severity": found.severity,
            "kernel": report.kernel,
            "host": host,
            "source": source,
            "count": sighting.count,
            "case": found.case,
            "verdict": found.verdict,
            "fixed": found.fixed,
            "href": f"/signatures/{sighting.signature}",
        }
        return f"{sighting.signature} {host} {' '.join(reasons)}", json.dumps(body)

    return made


async def run(base: Records, metrics: Metrics, hook: Webhook) -> None:
    """Send what waits, for ever."""
    while True:
        try:
            if base.known is not None:
                await to_thread.run_sync(_round, base, metrics, hook, abandon_on_cancel=True)
        except StoreError:  # another process holds it: the next round will do
            pass
        await anyio.sleep(_LOOK)


def _round(base: Records, metrics: Metrics, hook: Webhook) -> None:
    store = base.store
    with store.using() as db:
        waiting = outbox.due(db)
    for each in waiting:
        taken = _sent(hook, each)
        metrics.told(taken)
        with store.writing() as db:
            if taken or each.tries >= _TRIES:
                outbox.sent(db, each)
            else:
                outbox.failed(db, each, min(2.0**each.tries, _LONGEST))
        if not taken:
            return  # the others would fare no better


def _sent(hook: Webhook, each: outbox.Message) -> bool:
    """Whether the receiver has taken a message."""
    body = each.body.encode()
    request = urllib.request.Request(hook.url, body, headers(hook.secret, each.id, body), method="POST")
    try:
        with _OPENER.open(request, timeout=_PATIENCE) as answer:
            return bool(200 <= answer.status < 300)
    except (OSError, http.client.HTTPException, ValueError):
        return False


def headers(secret: bytes, name: str, body: bytes) -> dict[str, str]:
    """The headers of a message: what it is, and that it comes from who knows the secret."""
    stamp = str(int(time.time()))
    signed = hmac.new(secret, f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "User-Agent": "kb",
        "webhook-id": name,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
        "X-Hub-Signature-256": f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}",
    }


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A receiver that sends elsewhere has taken nothing."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)
