"""Dates as logs write them, on one axis."""

import pytest

from kb.model.wall import Wall, wall_of


@pytest.mark.parametrize(
    ("text", "wall"),
    [
        ("2026-03-04T05:06:08.123456Z", Wall(2026, (3, 4, 5, 6, 8), 0.0)),
        ("2026-03-04 05:06:08,1 +0530", Wall(2026, (3, 4, 5, 6, 8), 19800.0)),
        ("2026-03-04T05:06:08-03:00", Wall(2026, (3, 4, 5, 6, 8), -10800.0)),
        ("2026-03-04 05:06:08", Wall(2026, (3, 4, 5, 6, 8))),
        ("Mar  4 05:06:08", Wall(None, (3, 4, 5, 6, 8))),
        ("Wed Mar  4 05:06:08 2026", Wall(2026, (3, 4, 5, 6, 8), None, True)),
        ("05:06:08", None),
        ("2026-13-04T05:06:08Z", None),
        ("Arr  4 05:06:08", None),  # letters of two months
        ("", None),
        (None, None),
    ],
)
def test_a_date_is_read_as_it_stands(text: str | None, wall: Wall | None) -> None:
    assert wall_of(text) == wall


def test_a_moment_is_the_same_in_any_zone_and_unsure_without_a_year() -> None:
    one, other = wall_of("2023-02-28T23:30:00Z"), wall_of("2023-03-01T01:30:00+02:00")
    assert one is not None
    assert other is not None
    assert one.seconds() == other.seconds()
    new_year = wall_of("Jan  1 00:00:10")
    assert new_year is not None
    last = wall_of("2025-12-31T23:59:50Z")
    assert last is not None
    assert min(abs(each - last.seconds()) for each in new_year.moments(2025)) == 20.0
