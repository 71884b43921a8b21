"""Facts as predicates: what is printed to be pasted holds for the report it came from."""

from pathlib import Path

import pytest

from kb import api
from kb.cases.paste import predicates
from kb.cases.predicate import evaluate, parse
from kb.model.verdict import Fact, Facts, Verdict

LOGS = sorted((Path(__file__).parents[2] / "cases").glob("[a-o]*/match-*.log"))


@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_each_line_is_a_predicate_that_holds(path: Path) -> None:
    for diagnosis in api.match(path, cases=(), notices=True):
        told = [text for text, _ in predicates(diagnosis.facts)]
        assert f"kind == {diagnosis.report.kind}" in told
        for text in told:
            assert evaluate(parse(text), diagnosis.facts).verdict is Verdict.YES, text


def test_text_is_quoted_where_it_must_be_and_left_out_where_it_cannot() -> None:
    values = {"comm": 'a "b"', "title": "it's 4.10", "module": "true", "kernel": "both ' and \"", "pc": None}
    facts = Facts(values={name: Fact(name, value, ((1, 1),)) for name, value in values.items()})
    assert [text for text, _ in predicates(facts)] == [
        "comm == 'a \"b\"'", "kernel present", 'module == "true"', "pc absent", 'title == "it\'s 4.10"',
    ]  # fmt: skip


def test_a_function_of_the_stack_comes_with_its_own_line() -> None:
    text = "BUG: kernel NULL pointer dereference, address: 0000000000000008\nCall Trace:\n foo+0x1/0x2\n bar+0x1/0x2\n"
    (diagnosis,) = api.match(text, cases=())
    assert ("frames has bar", ((4, 4),)) in list(predicates(diagnosis.facts))
    assert evaluate(parse("frames has bar"), diagnosis.facts).evidence == ((4, 4),)
