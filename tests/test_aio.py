"""The twin for event loops: the same answers, and a loop that goes on meanwhile."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import kb
from kb import aio, api


def test_the_answers_are_those_of_the_api(example: Path, tmp_path: Path) -> None:
    async def main() -> None:
        plain = kb.match(example)
        assert [each.to_json() for each in await aio.match(example)] == [each.to_json() for each in plain]
        async with aio.KnowledgeBase(tmp_path / "kb.db") as base:
            reports = [report async for report in base.read(example)]
            assert reports == [each.report for each in plain]
            assert (await base.diagnose(reports[0])).best == plain[0].best
            first = await base.record(reports[0], source="ticket:1", host="db17", key="1")
            again = await base.record(reports[0], source="ticket:1", host="db17", key="1")
            assert (first.new, again.new, again.count) == (True, False, 1)
            note = await base.annotate(reports[0], "seen", author="bot", key="n")
            assert (await base.annotate(reports[0], "seen", author="bot", key="n")).id == note.id
            shown = await base.show(first.signature)
            assert [each.body for each in shown.annotations] == ["seen"]
            assert (await base.case("nofs-high-order-watermark")) == base.sync.case("nofs-high-order-watermark")
            assert "nofs-high-order-watermark" in [row[0] for row in await base.search("GFP_NOFS watermark")]
            assert isinstance(await base.similar(reports[0], cases=False), list)
        with pytest.raises(kb.StoreError):
            await base.record(reports[0])

    asyncio.run(main())


def test_errors_are_those_of_the_api(tmp_path: Path) -> None:
    async def main() -> None:
        with pytest.raises(kb.InputError, match="no such file"):
            await aio.match(tmp_path / "absent.log")
        with pytest.raises(kb.InputError):
            async for _ in aio.read(tmp_path / "absent.log"):
                pass

    asyncio.run(main())


def test_the_loop_goes_on_while_a_log_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, begun = threading.Event(), threading.Event()

    def slow(*_: Any, **__: Any) -> Iterator[int]:
        for number in range(3):
            begun.set()
            gate.wait(60)
            yield number

    monkeypatch.setattr(api, "read", slow)

    async def main() -> None:
        stream: Any = aio.read(b"")
        task = asyncio.create_task(anext(stream))
        await asyncio.to_thread(begun.wait, 60)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        gate.set()
        assert [each async for each in stream] == [0, 1, 2]  # what was read for who left is not lost

    asyncio.run(main())


def test_two_tasks_may_share_a_stream(example: Path) -> None:
    async def main() -> None:
        stream = aio.read(example.read_bytes() + b"[ 99999.000000] BUG: kernel NULL pointer dereference, address: 0\n")

        async def some() -> list[kb.Report]:
            return [report async for report in stream]

        one, two = await asyncio.gather(some(), some())
        assert len({report.headline_line for report in (*one, *two)}) == 2
        assert len(one) + len(two) == 2

    asyncio.run(main())


@pytest.mark.parametrize("name", ["read", "diagnose", "record", "annotate", "show", "similar", "case", "search"])
def test_a_twin_takes_what_its_call_takes(name: str) -> None:
    ours = inspect.signature(getattr(aio.KnowledgeBase, name)).parameters
    theirs = inspect.signature(getattr(kb.KnowledgeBase, name)).parameters
    assert {n: p.default for n, p in ours.items()} == {n: p.default for n, p in theirs.items() if n != "tell"}
