"""Two reports printed at once, as CPUs without caller ids do it, and what a splitter made of them.

The kernel serialises printk by record, dump_stack() by a lock of its own (lib/dump_stack.c), oopses by die_lock;
nothing serialises a warning's registers with another CPU's. So a report is found inside another, the headers of two
before the whole stack of each, or, where registers print the stacks, both line by line.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from kb.log.reader import Reader
from kb.model.log import Line, Splat
from kb.parse.report import parse
from kb.split.windows import split, split_lines
from kb.syntax import roles
from kb.syntax.headline import classify

GOLDEN = Path(__file__).parents[1] / "parse/data"
MODES = ("inside", "blocks", "lines")
_APART = {
    "CPU: ": 4,
    "CPU#": 4,
    "on cpu ": 4,
    "for cpu ": 4,
    "PID: ": 5000,
    "/": 5000,
    ":": 5000,
    "pid:": 5000,
    "pid: ": 5000,
}
_OTHER = re.compile(
    r"(CPU: |CPU#|on cpu |for cpu |PID: |pid: |pid:|(?<=\w)/(?=\d+/0x)|(?<=\w)/(?=\d+$)|(?<=\w):(?=\d+[] ]))(\d+)"
)
_X86 = re.compile(r"RIP: 00|entry_SYSCALL_64|ret_from_fork")
_EVIDENCE = roles.STACK | {"TRACE_HEAD", "PC"}


@dataclass(frozen=True)
class Part:
    """A report as it stands alone."""

    name: str
    texts: tuple[str, ...]
    title: str


@dataclass(frozen=True)
class Outcome:
    """What became of two reports that were woven."""

    frames: int
    right: int
    """Frames in the report that printed them."""
    lost: int
    """Frames in no report at all."""
    bold: int
    """Frames in the wrong report without a word of doubt."""
    titles: int
    """Of the two titles, those that came out as alone."""
    reports: int
    doubted: int
    """Frames, rightly attributed or not, whose report says that it is uncertain."""


def parts_of(name: str, data: bytes) -> Iterator[Part]:
    """The reports of a log that have a headline, each as the texts of its lines."""
    for splat in split(Reader(data, name).windows(), name):
        assert splat is not None
        if classify(splat.lines[splat.opener]) is not None:
            texts = tuple(line.text for line in splat.lines)
            (alone,) = found if len(found := list(split_lines(lines_of(texts)))) == 1 else (None,)
            if alone is not None and len(alone.lines) == len(texts):
                yield Part(f"{name}:{splat.span[0]}", texts, parse(alone).title)


def lines_of(texts: Sequence[str]) -> list[Line]:
    """Texts as lines without caller, stamped in the order of the log."""
    return [Line(text, n, n, text.encode(), 5 + n / 1e5) for n, text in enumerate(texts, 1)]


def elsewhere(part: Part) -> Part:
    """The same report of another CPU and process: no two CPUs run one task."""
    texts = [_OTHER.sub(lambda found: found[1] + str(int(found[2]) + _APART[found[1]]), text) for text in part.texts]
    (splat,) = split_lines(lines_of(texts))
    return Part(part.name, tuple(texts), parse(splat).title)


def of_folder(folder: Path) -> list[Part]:
    """One report of each title in the logs of a folder, of x86 and not longer than a screen or two."""
    seen: dict[str, Part] = {}
    for path in sorted(folder.glob("*.log")):
        for part in parts_of(path.stem, path.read_bytes()):
            if len(part.texts) <= 110 and any(_X86.search(text) for text in part.texts):
                seen.setdefault(part.title, part)
    return list(seen.values())


def measure(parts: Sequence[Part], mode: str, count: int, seed: int) -> Outcome:
    """The outcomes of so many random pairs, added up."""
    chance = random.Random(seed)
    pairs = [(first, second) for first in parts for second in parts if first.title != second.title]
    total = [0] * len(fields(Outcome))
    for _ in range(count):
        pair = chance.choice(pairs)
        found = outcome(pair, weave(*pair, mode, chance))
        total = [have + more for have, more in zip(total, astuple(found), strict=True)]
    return Outcome(*total)


def golden() -> list[Part]:
    """The reports of the golden logs of x86: CPUs of one machine have one architecture."""
    found = []
    for path in sorted(GOLDEN.glob("*.txt")):
        data = path.read_bytes().partition(b"\n\n")[2]
        if _X86.search(data.decode()) is not None:
            found += list(parts_of(path.stem, data))[:1]
    return found


def weave(first: Part, second: Part, mode: str, chance: random.Random) -> list[tuple[str, int]]:
    """The lines of both, each with the number of its report (0 or 1), in an order that the mode allows."""
    second = elsewhere(second)
    if mode == "inside":
        at = chance.randrange(1, len(first.texts))
        return [(t, 0) for t in first.texts[:at]] + [(t, 1) for t in second.texts] + [(t, 0) for t in first.texts[at:]]
    units = [_units(part, whole_stacks=mode == "blocks") for part in (first, second)]
    out: list[tuple[str, int]] = []
    turn = 0
    while units[0] and units[1]:
        for _ in range(chance.randint(1, 4)):
            if units[turn]:
                out += [(text, turn) for text in units[turn].pop(0)]
        turn = 1 - turn
    for number in (0, 1):
        out += [(text, number) for unit in units[number] for text in unit]
    return out


def _units(part: Part, *, whole_stacks: bool) -> list[list[str]]:
    """What is printed without another's line in it: single lines, or what dump_stack() prints."""
    role = roles.classifier()
    units: list[list[str]] = []
    inside = False
    marks = 0
    for text in part.texts:
        name = role(text)
        held = marks > 0 or name in roles.STACK or name in ("TRACE_HEAD", "MARK", "HARDWARE", "WORKQUEUE")
        if whole_stacks and inside and held:
            units[-1].append(text)
        else:
            units.append([text])
        inside = held or name == "CPU"
        if name == "MARK":
            marks = max(marks - 1, 0) if "</" in text else marks + 1
    return units


def outcome(parts: tuple[Part, Part], woven: list[tuple[str, int]]) -> Outcome:
    """How the splitter told two woven reports apart."""
    lines = lines_of([text for text, _ in woven])
    splats = list(split_lines(lines))
    return judge(parts, woven, splats)


def judge(parts: tuple[Part, Part], woven: list[tuple[str, int]], splats: list[Splat]) -> Outcome:
    """Which splat is whose (by its headline), and where the frames went."""
    role = roles.classifier()
    owner: dict[int, tuple[int, bool]] = {}
    reports = [parse(splat) for splat in splats]
    for splat, report in zip(splats, reports, strict=True):
        whose = woven[splat.lines[splat.opener].number - 1][1]
        for line in splat.lines:
            owner.setdefault(line.number, (whose, report.corrupted is not None))
    frames = [n for n, (text, _) in enumerate(woven, 1) if role(text) in _EVIDENCE]
    right = sum(n in owner and owner[n][0] == woven[n - 1][1] for n in frames)
    bold = sum(n in owner and owner[n] == (1 - woven[n - 1][1], False) for n in frames)
    lost = sum(n not in owner for n in frames)
    doubted = sum(n in owner and owner[n][1] for n in frames)
    titles = [report.title for report in reports]
    kept = 0
    for part in parts:
        if part.title in titles:
            titles.remove(part.title)
            kept += 1
    return Outcome(len(frames), right, lost, bold, kept, len(splats), doubted)
