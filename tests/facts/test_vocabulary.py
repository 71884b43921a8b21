"""Every fact that an engine makes has a meaning that a writer of cases can read."""

from pathlib import Path

from kb import api
from kb.facts.vocabulary import NAMES, PREFIXES, known


def test_all_facts_of_our_logs_are_in_the_vocabulary(example: Path, corpus: Path) -> None:
    logs = [example, *sorted((corpus / "vm").glob("*.log"))]
    made = {name for log in logs for diagnosis in api.match(log, cases=()) for name in diagnosis.facts.values}
    assert sorted(name for name in made if not known(name)) == []


def test_facts_of_the_example_are_in_the_vocabulary(example: Path) -> None:
    (diagnosis,) = api.match(example, cases=())
    assert [name for name in diagnosis.facts.values if not known(name)] == []


def test_a_meaning_is_a_phrase() -> None:
    for meaning in (*NAMES.values(), *PREFIXES.values()):
        assert len(meaning) > 5
        assert not meaning.endswith(".")


def test_a_typing_error_is_no_name() -> None:
    assert not known("zones.refused_only_by_orderwalk")
    assert known("field.order")
