"""Whose log it is: the hosts that its prefixes name, and where their names may be replaced as words.

A host may be called as the kernel calls something: ``node``, ``nvme``, ``a1``. Inside a report such a name is replaced
in the prefix only, so that a report says after cleaning what it said before.
"""

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from kb.cleaner.rules import finder, is_public, rules
from kb.log.reader import Reader
from kb.log.scan import BOOT
from kb.log.transport import strip
from kb.model.report import Report
from kb.parse.reading import reports_and_notices
from kb.split.windows import belongs, opens

_PLAUSIBLE = re.compile(rb"[A-Za-z0-9\x80-\xff](?:[\w.\x80-\xff-]{0,251}[A-Za-z0-9\x80-\xff])?")
_ADDRESS = re.compile(rb"[0-9.]+|[0-9A-Fa-f]*:[0-9A-Fa-f:]*")
_OURS = re.compile(rb"(?i)host[0-9]{1,9}(?:\.example\.com|\.localdomain)?|localhost[0-9]?(?:\.localdomain)?")
_IDENTIFIERS = frozenset(b"kernel vmunix klogd".split())
"""Who speaks, in a prefix without a host."""
_FILES = frozenset(b"log txt gz xz bz zst json conf cfg service slice scope socket mount so ko img".split())
"""What ends a name that goes on behind a host's but is a file or a unit."""
_SHORT = 3
"""Letters that a name has at least to be told from any word."""
_SHARED = re.compile(rb"(?:co|com|org|net|ac|edu|gov|or|ne|go)\.[a-z]{2}")
"""Domains below which anybody may be: ``co.uk``."""


_RUN = re.compile(rb"[0-9A-Za-z_]+|[\x80-\xff]+")
"""A word, or a part of one: Chinese puts no blank around a name."""
_GOES_ON = re.compile(rb"[0-9A-Za-z_]")
_BEHIND = re.compile(rb"(?:\.[0-9a-z-]{1,63}){1,5}\.[a-z]{2,24}(?![0-9a-z_])")
_BEFORE = re.compile(rb"(?<![0-9a-z_.-])(?:[0-9a-z_-]{1,63}\.){1,5}$")


_THINGS = "device device2 netdev driver disk module cache fs clocksource comm task victim".split()
"""Fields of a report that hold names of the kernel's own."""


class Places(NamedTuple):
    """What reports and kernels say of themselves in one input."""

    lines: Mapping[int, bytes | None]
    """Lines of reports, and those that name the kernel, each with its host."""
    words: frozenset[bytes]
    """Names of tasks, modules, functions, releases and hardware of its reports, in small letters."""


NOWHERE = Places({}, frozenset())


def places(data: bytes) -> Places:
    """Where the reports of an input stand, and the names that are in them."""
    lines: dict[int, bytes | None] = {}
    words: set[str] = set()
    for report in reports_and_notices(data, "-"):
        for line in report.lines:
            lines.update(dict.fromkeys(range(line.number, line.last + 1), _raw(line.host)))
        words.update(_words(report))
    if BOOT in data:
        for number, raw in enumerate(io.BytesIO(data), 1):
            if BOOT in raw:
                lines.setdefault(number, _raw(strip(raw.decode("utf-8", "surrogateescape")).host))
    return Places(lines, frozenset(word.lower().encode("utf-8", "surrogateescape") for word in words))


def _words(report: Report) -> Iterator[str]:
    frames = [frame for trace in report.traces for frame in trace.frames]
    names = [
        report.comm,
        report.module,
        report.function,
        report.kernel,
        report.hardware,
        report.workqueue,
        report.title,
    ]
    names += [name for frame in frames for name in (frame.function, frame.module)]
    names += [task.name for task in report.tasks]
    names += [report.fields.get(name) for name in _THINGS]
    for name in filter(None, names):
        yield name
        yield from re.findall(r"\w+", name)


def _raw(host: str | None) -> bytes | None:
    return host.encode("utf-8", "surrogateescape") if host else None


def named(data: bytes) -> set[bytes]:
    """Hosts that an input names: its transports' prefixes, and rules whose finds spread; in full where it says that."""
    reader = Reader(data, opens=opens, belongs=belongs)
    for _ in reader.windows():  # learns the prefixes that no rule explains
        pass
    found = {line.host for line in reader.lines() if line.host}
    names = {name.encode("utf-8", "surrogateescape") for name in found}
    spreading = [rule for rule in rules() if rule.spreads]
    for line in finder(rb"[^\n]*(?:" + b"|".join(rule.hint for rule in spreading) + rb")[^\n]*")(data):
        for rule in spreading:
            names.update(
                each["host"] for each in rule.pattern.finditer(line[0]) if rule.check is None or rule.check(each)
            )
    names = {name for name in names if _PLAUSIBLE.fullmatch(name) and not _ADDRESS.fullmatch(name)}
    names = {name for name in names if not _OURS.fullmatch(name) and name.lower() not in _IDENTIFIERS}
    if not names:
        return names
    names |= {json.dumps(name.decode("utf-8", "replace"))[1:-1].encode() for name in names if not name.isascii()}
    small = {name.lower() for name in names}
    for each in finder(rb"\b[0-9A-Za-z_-]{1,63}(?:\.[0-9A-Za-z-]{1,63}){1,5}\.[A-Za-z]{2,24}\b")(data):
        full = each[0].lower()
        if full.partition(b".")[0] in small and full.rpartition(b".")[2] not in _FILES:
            names.add(each[0])
    return names


class Hosts:
    """Names of hosts, found as words.

    Args:
        names: What inputs named as hosts.
    """

    def __init__(self, names: Iterable[bytes]):
        self._exact: set[bytes] = set()
        self._domains: set[bytes] = set()
        for name in names:
            label, _, domain = name.lower().partition(b".")
            self._exact |= {name, label if domain else name}
            self._domains |= _own(domain)
        self._by_run: dict[bytes, list[bytes]] = {}
        """All of them in small letters by their first letters and figures, longest first."""
        for name in sorted({name.lower() for name in self._exact} | self._domains, key=lambda name: (-len(name), name)):
            begin = _RUN.search(name)
            if begin is not None:
                self._by_run.setdefault(begin[0], []).append(name)

    def __bool__(self) -> bool:
        return bool(self._by_run)

    def words(self, line: bytes, number: int, where: Places) -> Iterator[tuple[int, int, bool]]:
        """Where names stand in a line: start, end, and whether it is a domain alone.

        Args:
            line: A line of a log.
            number: Its number.
            where: What its log says of itself.
        """
        prefix = where.lines.get(number, b"")
        for start, end in self._found(line.lower()) if self._by_run else ():
            name = line[start:end]
            if self._stands(line, start, end, name) and (
                number not in where.lines or name == prefix or not self._guarded(name, where)
            ):
                yield start, end, name.lower() in self._domains
            if name == prefix:
                prefix = None  # behind it, it may be something else

    def _found(self, line: bytes) -> Iterator[tuple[int, int]]:
        """Where names stand as words, with the domain behind a host and the host before a domain."""
        at = 0
        for run in _RUN.finditer(line):
            for name in self._by_run.get(run[0], ()) if run.start() >= at else ():
                start = run.start() - (name[:1] == b"\\")  # JSON's spelling of another script
                end = start + len(name)
                if not line.startswith(name, start) or _GOES_ON.match(line, end) is not None:
                    continue
                if name in self._domains:
                    before = _BEFORE.search(line, max(at, start - 320), start)
                    start = before.start() if before is not None else start
                else:
                    behind = _BEHIND.match(line, end)
                    end = behind.end() if behind is not None else end
                yield start, end
                at = end
                break

    def _stands(self, text: bytes, start: int, end: int, name: bytes) -> bool:
        """Whether a name that is a mere word stands as one: not in another case, not as a part of ``a-word``."""
        if not (name.isalpha() or len(name) < _SHORT):
            return True
        apart = text[max(0, start - 1) : start] not in (b"-", b".") and text[end : end + 1] != b"-"
        return apart and name in self._exact

    def _guarded(self, name: bytes, where: Places) -> bool:
        """Whether a name may be something else inside a report."""
        small = name.lower()
        return (
            name.isalpha()
            or len(name) < _SHORT
            or re.fullmatch(rb"[0-9a-f]+", small) is not None
            or small in where.words
        )


def _own(domain: bytes) -> set[bytes]:
    """A host's domain and those that it lies in, as long as they are somebody's own: ``acme.de``, not ``de``."""
    labels = domain.split(b".")
    above = {b".".join(labels[at:]) for at in range(len(labels) - 1)}
    return {name for name in above if not is_public(name) and not _SHARED.fullmatch(name)}
