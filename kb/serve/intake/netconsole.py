"""What kernels send by netconsole (drivers/net/netconsole.c): datagrams without sender, order or receipt.

Anybody can send one under any address, hence the list of addresses that are listened to. Lines that a datagram cuts,
and fragments of extended netconsole, are put together where lines are read.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

import anyio

from kb.serve.intake.arrived import LONGEST, Arrived, Boot, of_text
from kb.serve.intake.reassembly import Reassembly, Request
from kb.serve.settings import Netconsole

PORT = 6666
"""What netconsole sends to by default."""
_SENDERS = 4096
_QUEUE = 4 << 20
"""Bytes of datagrams that wait in the kernel: a panic sends a hundred lines at once."""
_BEHIND = 16_384
"""Lines that wait for senders of which as much is being read as may be held."""
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Datagrams:
    """Lines out of datagrams: one may end in the middle of a line."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, bytes] = OrderedDict()

    def lines(self, sender: str, data: bytes) -> list[Arrived]:
        """The lines that a datagram ends."""
        *whole, rest = (self._held.pop(sender, b"") + data).split(b"\n")
        if rest and len(rest) < LONGEST:
            self._held[sender] = rest
            if len(self._held) > _SENDERS:
                self._held.popitem(last=False)
        boot, now = Boot(sender, named=False), time.time_ns()
        return [
            arrived for line in whole for arrived in of_text(line.decode("utf-8", "surrogateescape"), boot, stamp=now)
        ]


def allowed(address: str, sources: Sequence[Network]) -> bool:
    """Whether an address is listened to."""
    found: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in each for each in sources)


def opened(place: Netconsole) -> socket.socket:
    """A socket that takes datagrams.

    Raises:
        OSError: The address cannot be had.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_DGRAM)[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _QUEUE)
        made.bind(address)
        made.setblocking(False)
    except BaseException:
        made.close()
        raise
    return made


async def run(
    listening: socket.socket, sources: Sequence[Network], into: Reassembly, taken: Callable[[str, int], None]
) -> None:
    """Take datagrams, for ever; ``taken`` counts their lines."""
    datagrams, behind = Datagrams(), dict[str, list[Arrived]]()

    async def add(sender: str, lines: list[Arrived]) -> None:
        while lines:
            await into.add(lines, Request("netconsole"))
            lines, behind[sender] = behind[sender], []
        del behind[sender]

    async with anyio.create_task_group() as group:
        while True:
            await anyio.wait_readable(listening)
            try:
                data, address = listening.recvfrom(1 << 16)
            except OSError:  # somebody's answer to a datagram of nobody's: the next one may be good
                continue
            if not allowed(address[0], sources):
                continue
            lines = datagrams.lines(address[0], data)
            taken("netconsole", len(lines))
            if address[0] not in behind:
                behind[address[0]] = []
                group.start_soon(add, address[0], lines)
                await anyio.lowlevel.checkpoint()  # lines are added in their order
            elif sum(map(len, behind.values())) < _BEHIND:  # what is held of it is being read: the others go on
                behind[address[0]] += lines
            else:  # nobody can be told to wait
                into.lost += len(lines)
