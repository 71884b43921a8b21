"""Records as they come in, told apart by the boot that they are of; what the kernel did not print is left out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from kb.log.containers.exports.records import PRINTK, TEXT, Told, iso, told
from kb.log.text import encoded, whole
from kb.log.transport import SEVERITIES, strip

LONGEST = 64 << 10
"""Bytes of a line that are kept."""
_NAME = 255
_PROGRAMS = ("syslog_identifier", "appname", "app_name", "app-name", "programname", "syslogtag", "ident")
"""Fields, as :func:`_plain` calls them, of who wrote a record: journald, Vector, rsyslog, Fluent Bit."""
_LEVELS = ("priority", "pri", "severity", "level")
_KAFKA = frozenset({"key", "value", "partition"})
"""A record of Kafka's REST interface, which rsyslog's omhttp speaks (batch.format="kafkarest")."""
_TAG = re.compile(r"[\[:]")


class Boot(NamedTuple):
    """Which run of which machine's kernel."""

    host: str
    """Its name; of a sender that names none, the address."""
    id: str = ""
    """Boot id; empty where it is not told."""
    named: bool = True
    """False where ``host`` is an address alone."""


class Arrived(NamedTuple):
    """A line of a kernel's log."""

    boot: Boot
    line: bytes
    """With printk's stamp, or the time of day, and its end."""
    printk: int | None
    """Microseconds since boot."""
    stamp: int | None
    """Nanoseconds since 1970."""
    key: object
    """What is the same when the record is sent again; None where that cannot be told."""


def of_record(fields: Mapping[str, Any], labels: Mapping[str, Any], sender: Boot) -> tuple[Arrived, ...] | None:
    """The lines of a record; none of one that the kernel did not print; None where it is no record that is known.

    Args:
        fields: As journald, Vector, Fluent Bit, rsyslog and the like name them.
        labels: What was said of it elsewhere: a stream's labels.
        sender: Whose it is where it does not say.
    """
    if "value" in fields and _KAFKA.issuperset(fields):
        value = fields["value"]
        fields = value if isinstance(value, dict) else {"message": value}
    found = _told(fields, labels)
    if found is None:
        return () if any(isinstance(fields.get(name), str) for name in TEXT) else None  # JSON of a program's own
    inner = _told(parsed(found.text), labels) if found.text.startswith("{") else None
    if inner is not None:  # promtail's journal with json = true, docker's log field
        found = inner
    values = _plain(labels) | _plain(found.fields)
    if not _by_kernel(values):
        return ()
    monotonic = _micro(values)
    host = _short(found.host or values.get("hostname")) or strip(found.text[:1000]).host
    boot = Boot(host, _short(values.get("boot_id"))) if host else sender._replace(id=_short(values.get("boot_id")))
    key = values.get("cursor") or None
    return tuple(of_text(found.text, boot, monotonic, found.stamp, _level(values), key))


def of_text(
    text: str, boot: Boot, monotonic: int | None = None, stamp: int | None = None, level: int | None = None,
    key: object = None,
) -> Iterator[Arrived]:  # fmt: skip
    """The lines of a text, each with its time in front where it bears none.

    Args:
        text: As it was printed.
        boot: Whose.
        monotonic: Microseconds since boot, by the record.
        stamp: Nanoseconds since 1970, by the record.
        level: printk's, by the record.
        key: As :attr:`Arrived.key`.
    """
    for part in text.replace("\r\n", "\n").rstrip("\n").split("\n"):
        part = part[:LONGEST]
        printk = monotonic
        own = PRINTK.search(part, 0, 300)
        if own is not None:
            printk = int(own[1] + own[2])
        line = part
        if not strip(part).end:
            if printk is not None:
                line = f"[{printk // 1_000_000:5d}.{printk % 1_000_000:06d}] {part}"
                line = line if level is None else f"<{level}>{line}"
            elif stamp is not None and (wall := iso(stamp)) is not None:
                line = f"{wall} {boot.host} kernel: {part}"
        again = (key, part) if key is not None else (printk, part) if printk is not None else None
        yield Arrived(boot, encoded(line) + b"\n", printk, stamp, again)


def _told(fields: Mapping[str, Any] | None, labels: Mapping[str, Any]) -> Told | None:
    if fields is None:
        return None
    message = fields.get("MESSAGE")
    if isinstance(message, list):  # journald's JSON of a text that is not UTF-8
        try:
            fields = {**fields, "MESSAGE": bytes(message).decode("utf-8", "surrogateescape")}
        except (TypeError, ValueError):
            return None
    return told(fields, labels)


def parsed(text: str | bytes) -> Mapping[str, Any] | None:
    """The object that a text is in JSON."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields by names without case and leading underscores: forwarders take both off journald's."""
    return {name.lstrip("_").lower(): value for name, value in fields.items() if isinstance(value, str | int | float)}


def _by_kernel(values: Mapping[str, Any]) -> bool:
    """Whether the kernel printed it, as far as that is told."""
    transport = values.get("transport")
    if transport == "kernel":
        return True
    program = next((values[name] for name in _PROGRAMS if isinstance(values.get(name), str)), None)
    if program:
        return _TAG.split(str(program), maxsplit=1)[0].strip() == "kernel"
    return transport is None


def _micro(values: Mapping[str, Any]) -> int | None:
    """Microseconds since boot: journald's, or those of Fluent Bit's kmsg."""
    for name in ("source_monotonic_timestamp", "monotonic_timestamp"):
        value = str(values.get(name, ""))
        if value.isascii() and value.isdigit() and len(value) < 16:
            return int(value)
    seconds, micro = values.get("sec"), values.get("usec")
    if isinstance(seconds, int) and isinstance(micro, int) and 0 <= seconds < 10**9 and 0 <= micro < 10**6:
        return seconds * 10**6 + micro
    return None


def _level(values: Mapping[str, Any]) -> int | None:
    for name in _LEVELS:
        value = values.get(name)
        if isinstance(value, str):
            value = int(value) if value in set("01234567") else SEVERITIES.get(value.lower())
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1024:
            return value & 7
    return None


def _short(value: Any) -> str:
    return whole(value.strip()[:_NAME]) if isinstance(value, str) else ""
