"""The case file: what it may say, and where an error points."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.cases.format import parse, read
from kb.errors import CaseInvalid
from kb.model.case import Fix

GOOD = """```toml
id = "a-case"
title = "Something fails"
kind = "warning"
status = "reviewed"
summary = "Because."
keywords = ["水位"]

[match]
require = [
    "order >= 1",   # why
    "gfp lacks __GFP_FS",
]
support = ["kernel < 4.4"]
[[match.any]]
all = ["module == libceph", "frames has krealloc"]
[[match.any]]
all = ["module == xfs"]

[[fix]]
commit = "97a16fc82a7c"
subject = "mm: fix"
since = "4.10"
by = "src"
[[workaround]]
do = "nothing"
caveat = "none"
by = "src"
[[source]]
id = "src"
text = "somebody"
```

# Something fails
## What happens
## Why
## What to do
## Notes
"""


def test_a_case_is_read_whole() -> None:
    case = parse(GOOD, "cases/a-case/case.md")
    assert (case.id, case.kind, case.status, case.keywords) == ("a-case", ("warning",), "reviewed", ("水位",))
    assert [p.text for p in case.require] == ["order >= 1", "gfp lacks __GFP_FS"]
    assert [p.line for p in case.require] == [11, 12]
    assert [[p.text for p in group] for group in case.any] == [
        ["module == libceph", "frames has krealloc"],
        ["module == xfs"],
    ]
    assert case.fixes == (Fix("97a16fc82a7c", "mm: fix", "4.10", by="src"),)
    assert case.prose.startswith("# Something fails\n## What happens")
    assert case.path == "cases/a-case/case.md"


@pytest.mark.parametrize(
    ("old", "new", "line", "reason", "help"),
    [
        ("```toml\n", "# Title\n", 1, "does not open with a ```toml block", "begin with"),
        ('text = "somebody"\n```', 'text = "somebody"', 1, "never ends", "close it"),
        ('title = "Something fails"', "title = Something", 3, "not valid TOML", "quotes"),
        ('title = "Something fails"', 'title = "a"\ntitle = "b"', 4, "not valid TOML: Cannot overwrite", "once"),
        ('title = "Something fails"', 'titel = "x"', 3, "unknown key 'titel'", "did you mean 'title'?"),
        ('since = "4.10"', 'sicne = "4.10"', 23, "unknown key 'sicne'", "did you mean 'since'?"),
        ('since = "4.10"', "since = 4.10", 23, "since must be text", 'in quotes: "4.1"'),
        ('[[source]]', '[[sources]]', 29, "unknown key 'sources'", "did you mean 'source'?"),
        ('summary = "Because."\n', "", 1, "summary is missing", None),
        ('subject = "mm: fix"\n', "", 20, "subject is missing in [[fix]]", None),
        ('status = "reviewed"', 'status = "done"', 5, "status is 'done'", "draft, unsighted, sighted, reviewed"),
        ('"gfp lacks __GFP_FS"', '"gfp misses __GFP_FS"', 12, "not a predicate", "operators"),
        ('all = ["module == xfs"]', 'al = ["module == xfs"]', 18, "unknown key 'al'", "did you mean 'all'?"),
    ],
)  # fmt: skip
def test_an_error_has_line_reason_and_help(old: str, new: str, line: int, reason: str, help: str | None) -> None:
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    with pytest.raises(CaseInvalid) as caught:
        parse(text, "x/case.md")
    assert (caught.value.path, caught.value.line) == ("x/case.md", line)
    assert reason in caught.value.reason
    assert help is None or help in (caught.value.help or "")


def test_all_errors_of_a_file_are_told_at_once() -> None:
    text = GOOD.replace("title =", "titel =").replace("since", "sicne").replace("order >= 1", "order ~ 1")
    assert [error.line for error in read(text).errors] == [3, 11, 23]


@given(st.text(max_size=200), st.integers(0, len(GOOD)))
def test_no_text_raises_anything_else(noise: str, place: int) -> None:
    for text in (noise, "```toml\n" + noise + "\n```\n", GOOD[:place] + noise + GOOD[place:]):
        document = read(text)
        assert (document.case is None) == bool(document.errors)


def test_a_file_that_is_not_utf8_is_an_error_of_ours(tmp_path: Path) -> None:
    from kb.cases.format import load

    (tmp_path / "case.md").write_bytes(b"```toml\n\xff")
    assert "not UTF-8 at byte 8" in load(tmp_path / "case.md").errors[0].reason
