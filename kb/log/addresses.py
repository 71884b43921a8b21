"""Addresses of a panic screen's QR code in any input: what they say is an input of its own, behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kb.errors import InputError
from kb.log.stream import Input
from kb.log.tape import Tape

if TYPE_CHECKING:
    from kb.log.containers.screens.drm_qr import Watch

_ADDRESS = (b"z=", b"zl=")
"""What an address of :mod:`kb.log.containers.screens.drm_qr` holds, behind ``?``, ``&`` or ``&amp;``."""


def watched(each: Input) -> Iterator[Input]:
    """An input, and behind it what the addresses of a panic's QR code in it say."""
    watch: list[Watch] = []
    before = b""

    def seen(data: bytes) -> None:
        nonlocal before
        if addressed(data) or addressed(before[-8:] + data[:8]) or (watch and watch[0].holds):
            if not watch:
                from kb.log.containers.screens.drm_qr import Watch

                watch.append(Watch(before))
            watch[0](data)
        before = data[-512:]

    each.tape.watch(seen)
    yield each
    for number, panic in enumerate(watch[0].panics() if watch else (), 1):
        told = f" (release {panic.release}, {panic.arch})" if panic.release else ""
        if not panic.text:
            yield from _lost(each, told)
            continue
        note = f"unpacked from the address of a panic screen's QR code{told}: the beginning of the log is not in it"
        note += "" if panic.whole else "; the address is cut or damaged: the end is missing, too"
        yield Input(f"{each.name}!qr{number}", Tape(panic.text), [note], each.walk, panic.release)


def _lost(each: Input, told: str) -> Iterator[Input]:
    """Say that an address in an input tells nothing: behind an input of its own, as one that ends a walk."""
    from kb.log.containers.walk import Walk

    reason = f"holds the address of a panic screen's QR code{told} that is cut or damaged: no line of it can be read"
    walk = each.walk if each.walk is not None else Walk(each.name)
    walk.unread.append(
        InputError(reason, path=each.name, help="scan the code again, and give all digits of the address")
    )
    if each.walk is None:
        walk.alone = True
        yield Input(each.name, Tape(b""), [], walk, ends=True)


def addressed(data: bytes) -> bool:
    """Whether bytes hold what an address of a panic may: passes at memory speed, for every byte of every log.

    What stands before the mark is looked for: single bytes are found ten times as fast as two, and these are rare.
    """
    if b"=" not in data or b"z" not in data:
        return False
    for before in (b"?", b"&", b";"):
        at = data.find(before)
        while at >= 0:
            if data.startswith(_ADDRESS, at + 1):
                return True
            at = data.find(before, at + 1)
    return False
