"""Bytes written as text at the beginning of a text, and lines that look like them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from kb import api
from tests.log.containers import wrappings
from tests.log.test_prefixes import same

LOG = Path(__file__).parents[1] / "data" / "oops.log"
QUIET = b"".join(b"[ %4d.000000] usb 1-1: new high-speed USB device number %d\n" % (at, at) for at in range(60))
CODED: dict[str, Callable[[bytes], bytes]] = {
    "base64": base64.encodebytes,
    "base64, one line": lambda data: base64.b64encode(data) + b"\n",
    "armour": lambda data: b"begin-base64 644 a.txt\n" + base64.encodebytes(data) + b"====\n",
    "uuencode": lambda data: wrappings.uu(data) * 12,
    "xxd": lambda data: wrappings.xxd(data),
}


@pytest.mark.parametrize("between", [b"", b"\nand the log:\n\n"])
@pytest.mark.parametrize("way", CODED)
def test_a_log_behind_what_a_text_begins_with_is_read(way: str, between: bytes) -> None:
    log = LOG.read_bytes()
    for part in (QUIET[:200], QUIET * 9):
        assert same(api.read(CODED[way](part) + between + log)) == same(api.read(log))


@pytest.mark.parametrize("line", ["-" * 60, "_" * 60, "-----BEGIN DMESG-----"])
def test_a_rule_above_a_log_is_no_code(line: str) -> None:
    log, part = LOG.read_bytes(), base64.encodebytes(QUIET)
    assert same(api.read(line.encode() + b"\n" + log + b"and beside it:\n" + part)) == same(api.read(log))


@pytest.mark.parametrize("at", range(5))
def test_a_number_on_a_line_of_its_own_makes_no_dump_of_a_text_with_an_encoded_part(at: int) -> None:
    log, part = LOG.read_bytes(), base64.encodebytes(QUIET * 9)
    rows = [b"a machine:\n"] * at + [b"d0763edaa9d9bd2a9516280e9044d885\n", log, b"and beside it:\n", part]
    assert same(api.read(b"".join(rows))) == same(api.read(log))
