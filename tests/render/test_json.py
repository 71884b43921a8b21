"""The ``kb.report/1`` object: beside each sentence stand its name and values, and they say the same."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from kb import api
from kb.words.speak import words

ROOT = Path(__file__).resolve().parents[2]
LOGS = [*sorted((ROOT / "cases").glob("*/match-*.log")), *sorted((ROOT / "tests/chat/data").glob("*.log"))]
PARTS = 4


def told(named: Any) -> str:
    """What the named twin of a field says in English."""
    if named is None:
        return ""
    rows = named if isinstance(named, list) else [named]
    return "; ".join(words("en").named(row) for row in rows)


def pairs(row: Any) -> Iterator[tuple[Any, Any]]:
    """Each English text of an object with its named twin."""
    if isinstance(row, Mapping):
        for key, value in row.items():
            plain = key.removesuffix("_named")
            if plain != key and isinstance(row[plain], list):
                yield from zip(row[plain], value, strict=True)
            elif plain != key:
                yield row[plain], value
            elif key == "named":
                yield row["text"], value
            else:
                yield from pairs(value)
        if "claim" in row and "name" in row:
            yield row["claim"], {"name": row["name"], "values": row["values"]}
    elif isinstance(row, list):
        for item in row:
            yield from pairs(item)


@pytest.mark.parametrize("part", range(PARTS))
def test_names_and_values_say_what_the_text_says(part: int) -> None:
    for path in LOGS[part::PARTS]:
        for found in api.match(path, notices=True):
            row = json.loads(json.dumps(found.to_json()))
            said = list(pairs(row))
            assert len(said) >= 4
            assert [(text, named) for text, named in said if (text or "") != told(named)] == [], path


def test_numbers_are_numbers_and_lists_are_lists(example: Path) -> None:
    (found,) = api.match(example, cases=())
    reasons = {row["name"]: row for row in found.to_json()["diagnosis"]["reasoning"]}
    assert reasons["size.fails_easily"]["because_named"] == [
        {"name": "size.costly", "values": {"order": 5, "pages": 32, "size_kb": 128, "costly_order": 3}}
    ]
    tried = reasons["zones.none_serves"]["because_named"][0]
    zones = ["Node 0 Normal", "Node 1 Normal", "Node 0 DMA32", "Node 0 DMA"]
    assert tried == {"name": "zones.tried", "values": {"zones": zones}}
    assert reasons["zone.refuses"]["values"] == {"zone": "Node 0 DMA"}


def test_a_damaged_report_names_its_damage() -> None:
    log = b"[1.0] BUG: unable to handle kernel NULL pointer dereference at 0000000000000008\n"
    (found,) = api.match(log, cases=())
    row = found.to_json()
    assert row["corrupted"] == "no stack trace: the log ends"
    cut = {"name": "cut.log_ends", "values": {}}
    assert row["corrupted_named"] == [{"name": "damage.no_stack_cut", "values": {"cut": cut}}]
    assert {"name": "unknown.kernel.not_in_log", "values": {}} in row["diagnosis"]["unknown_named"]
