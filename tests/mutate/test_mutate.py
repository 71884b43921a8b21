"""No row of a table is there for nothing: without it a sample fails. `./run mutate` says the same at more length."""

import pytest

from tests import mutate
from tests.kinds import samples
from tests.mutate import kinds
from tests.mutate.table import Mutant, without, words


@pytest.mark.parametrize("table", mutate.TABLES)
def test_each_row_of_a_table_and_each_of_its_words_is_held_by_a_sample(table: str) -> None:
    made = list(mutate.mutants(table))
    assert len(made) >= 50
    assert [mutant.name for mutant in made if mutant.survives()] == []


def test_a_table_that_is_as_it_was_fails_no_sample() -> None:
    """Else what fails without a row would say nothing; also behind all mutants, whose tables no cache may keep."""
    for mutant in list(kinds.mutants())[::40]:
        mutant.survives()
    with kinds.ALL():
        assert [
            log.shows for kind in samples.KINDS for log in samples.logs(kind) if samples.said(log) != log.said
        ] == []


def test_a_mutant_is_the_table_without_one_thing() -> None:
    table = {"a": {"list": [1, 2], "word": True, "must": 0}, "b": {}}
    assert list(words(table["a"], ("must",), ("a",))) == [("a", "list", 0), ("a", "list", 1), ("a", "word")]
    assert without(table, ("a", "list", 0)) == {"a": {"list": [2], "word": True, "must": 0}, "b": {}}
    assert without(table, ("b",)) == {"a": table["a"]}
    assert table["a"]["list"] == [1, 2]


def test_what_no_sample_misses_survives() -> None:
    changed = kinds.ALL
    assert Mutant("x.toml", "row", "", changed, lambda: False).survives()
    assert not Mutant("x.toml", "row", "", changed, lambda: True).survives()
