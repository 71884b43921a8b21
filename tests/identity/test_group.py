"""Equal reports are one entry; what follows from another stands under it."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kb import api
from kb.identity.group import Groups, key_of

ROOT = Path(__file__).resolve().parents[2]
OOPS = (ROOT / "tests/chat/data/oops-pair.log").read_bytes()
OTHERS = [
    (ROOT / f"tests/chat/data/{name}.log").read_bytes() for name in ("hung-task", "oom-memcg", "oops-pair")
]  # of machines of their own


def test_equal_reports_are_one_group_and_all_are_counted() -> None:
    groups = Groups()
    found = api.match(OOPS, cases=()) * 3
    for one in found:
        groups.add(one)
    taken = list(groups.take())
    assert [group.count for group in taken] == [3] * (len(found) // 3)
    assert groups.count == len(found)
    assert list(groups.take()) == []  # told once


def test_reports_of_two_problems_stay_two_groups() -> None:
    first, second = api.match(OOPS, cases=())
    assert key_of(first) != key_of(second)


def test_what_is_known_of_a_report_is_part_of_what_makes_it_equal() -> None:
    seed = ROOT / "cases/nofs-high-order-watermark/match-seed.log"
    (with_cases,), (without,) = api.match(seed), api.match(seed, cases=())
    assert key_of(with_cases) != key_of(without)


def test_what_follows_from_a_report_comes_right_behind_it() -> None:
    log = (ROOT / "tests/chat/data/oops-pair.log").read_bytes()
    first, second = api.match(log, cases=())
    assert second.report.follows == 0
    groups = Groups()
    groups.add(first)
    groups.add(second)
    cause, effect = groups.take()
    assert cause.under == [effect]


def test_apart_makes_a_group_of_each() -> None:
    groups = Groups()
    for one in api.match(OOPS, cases=()) * 2:
        groups.add(one, apart=True)
    assert [group.count for group in groups.take()] == [1] * 4


@given(st.lists(st.sampled_from(range(len(OTHERS))), max_size=6))
def test_every_report_is_in_one_group_and_the_json_tells_which(order: list[int]) -> None:
    found = api.match([OTHERS[index] for index in order], cases=())
    members: dict[int, int] = {}
    for number, one in enumerate(found, 1):
        assert one.group <= number
        members[one.group] = members.get(one.group, 0) + 1
    assert all(one.of == members[one.group] for one in found)
    assert sum(members.values()) == len(found)
