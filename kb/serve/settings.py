"""What a service is started with."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

MEMORY = 1 << 20
"""Bytes of a body that are held in memory; a longer one goes to a file."""

JSON = 8 << 20
"""Bytes of a question or a note, which are held in memory whole."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which store and which cases: all that a worker needs to know of a service."""

    db: str | None = None
    """The store's file; None: the default one."""
    cases: str | None = None


@dataclass(frozen=True, slots=True)
class Netconsole:
    """Where to listen to datagrams of netconsole, and to whom."""

    host: str
    port: int
    sources: tuple[IPv4Network | IPv6Network, ...]


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where messages on what is recorded go."""

    url: str
    secret: bytes
    severity: str = "stop"
    """From which severity on every report is told."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Limits and places of a service."""

    place: Place = field(default_factory=Place)
    host: str = "127.0.0.1"
    port: int = 8741
    """0: any that is free."""
    tokens: Path | None = None
    """A file of tokens (:mod:`kb.serve.tokens`); None: everybody on this machine may do all."""
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    """Processes that read logs."""
    waiting: int = 32
    """Requests that may wait for a worker; more are told to come again."""
    deadline: float = 30.0
    """Seconds that a log may take, and that a request may wait for a worker."""
    largest: int = 64 << 20
    """Bytes of a body."""
    netconsole: Netconsole | None = None
    """Where datagrams of netconsole are listened to."""
    webhook: Webhook | None = None
    """Who is told of what is recorded."""
    keep: int | None = None
    """Days after which what was recorded is forgotten; None: never."""
    grace: int = 30
    """Seconds that requests in flight are given when the service is told to stop."""
