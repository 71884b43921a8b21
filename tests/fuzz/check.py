"""What holds for every log, whatever is in it: it is read, told in every form, and its text drives no terminal."""

import json
import signal
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from kb import api
from kb.errors import InputError, KbError
from kb.evidence.files import parse_evidence
from kb.imports import prose
from kb.render.text import brief

TAGS_ARE_SHOWN = False
"""Whether text output escapes tag characters (U+E0000 on), and a report with undecodable bytes can be recorded."""
SECONDS = 20.0
"""CPU time after which an input counts as endless: a guard, some hundred times what a mutant takes."""

_PLAIN = {"\n", "\t"}


class Hang(AssertionError):
    """An input took too long."""


@contextmanager
def guarded(seconds: float = SECONDS) -> Iterator[None]:
    """Raise :class:`Hang` in what takes more CPU time than that."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Hang(f"more than {seconds:.0f} s of CPU time")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def check(data: bytes, base: api.KnowledgeBase | None = None) -> int:
    """Run a log through the program and see that the answers are sound.

    Args:
        data: The log.
        base: A store that its reports are recorded in.

    Returns:
        How many reports and notices it holds.

    Raises:
        Exception: Whatever is wrong.
    """
    try:
        found = api.match(data, notices=True)
    except InputError:  # a container that cannot be unpacked
        return 0
    lines = data.count(b"\n") + 1
    for diagnosis in found:
        report = diagnosis.report
        if not data.startswith((b"\x1f\x8b", b'{"log": "')):  # numbers are those of the text inside
            assert 1 <= report.span[0] <= report.span[1] <= lines, (report.span, lines)
        for text in (
            diagnosis.to_text(verbose=2),
            diagnosis.to_text(width=60),
            diagnosis.to_markdown().replace("\u200b", ""),  # parts what a forge would act on
            brief(diagnosis),
        ):
            assert driving(text) == [], driving(text)
            text.encode()
        made = diagnosis.to_json()
        line = json.dumps(made, ensure_ascii=True, allow_nan=False)
        assert line.isascii()
        assert line.isprintable()
        assert json.loads(line) == plain(made)
        if base is not None and report.kind != "notice":
            record(base, diagnosis)
    text = data.decode("utf-8", "replace")
    prose.splats(text)
    with suppress(KbError):
        parse_evidence([("file", data)])
    return len(found)


def record(base: api.KnowledgeBase, diagnosis: Any) -> None:
    """Record a report and look at it in the store."""
    report = diagnosis.report
    try:
        sighting = base.record(report, host=None, seen="2026-01-01T00:00:00Z")
        shown = base.show(sighting.signature)
        base.diagnose(report).to_json()
    except UnicodeEncodeError:
        if TAGS_ARE_SHOWN:
            raise
        return
    assert shown.row.signature == sighting.signature
    assert shown.row.count >= 1


def driving(text: str) -> list[str]:
    """The characters of a text that could drive a terminal or make it show something else than what is there."""
    return sorted({hex(ord(char)) for char in text if char not in _PLAIN and _drives(char)})


def _drives(char: str) -> bool:
    if "\U000e0000" <= char <= "\U000e0fff" and not TAGS_ARE_SHOWN:
        return False
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def plain(value: Any) -> Any:
    """A value as JSON knows it: lists for tuples."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


@contextmanager
def store() -> Iterator[api.KnowledgeBase]:
    """A store that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder, api.KnowledgeBase(Path(folder) / "kb.db") as base:
        yield base
