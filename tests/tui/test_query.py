from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kb.tui.lists.query import candidates, completed, read

KNOWN = {"kind": {"oops", "warning", "oom_kill"}, "host": {"db17", "db18"}, "case": {"nofs-high-order-watermark"}}
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def test_words_and_fields_are_told_apart_and_lowered() -> None:
    found = read("KASAN kind:Oops order:5 host:", KNOWN, NOW)
    assert found.words == ("kasan", "order:5")  # titles hold colons, too
    assert found.fields == (("kind", "oops"),)
    assert not found.wrong
    assert found.stored == "kasan order:5 kind:oops"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("knd:oops", "kind: is"),
        ("hots:db17", "host: is"),
        ("kind:oopz", "did you mean kind:oops?"),
        ("host:dbb17", "did you mean host:db17?"),
        ("since:yesterday", "since: takes"),
        ("since:2026-13-01", "since: takes"),
    ],
)
def test_what_is_mistyped_is_said_with_what_it_should_be(text: str, said: str) -> None:
    assert said in read(text, KNOWN, NOW).wrong


def test_a_value_that_nothing_is_known_about_is_not_called_wrong() -> None:
    assert not read("kernel:6.1 host:db1", KNOWN, NOW).wrong


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("since:2d", "2026-03-08T12:00:00"),
        ("since:90m", "2026-03-10T10:30:00"),
        ("since:2026-01-31", "2026-01-31T00:00:00"),
        ("since:2026-01-31T14:05+02:00", "2026-01-31T12:05:00"),
    ],
)
def test_since_takes_spans_days_and_times(text: str, start: str) -> None:
    assert read(text, KNOWN, NOW).since == start


def test_the_last_word_is_completed_by_fields_then_by_their_values() -> None:
    known = lambda name: KNOWN.get(name, ())  # noqa: E731
    assert candidates("kasan ki", known) == ["kind:"]
    assert candidates("kind:o", known) == ["kind:oom_kill", "kind:oops"]
    assert candidates("kind:kill", known) == ["kind:oom_kill"]
    assert candidates("kind:oops ", known) == []
    assert completed("kasan ki", "kind:") == "kasan kind:"
