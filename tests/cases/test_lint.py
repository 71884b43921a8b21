"""The linter's rules, each with a case that breaks it and nothing else; drafts, notes and the index."""

import hashlib
import re
from pathlib import Path

import pytest

from kb import api
from kb.cases import lint
from kb.cases.library import files, folder, load
from kb.cases.new import TEMPLATE_SUMMARY, TO_DO, append_note, index_markdown, new_case
from kb.errors import CaseChanged, CaseError
from kb.model.verdict import Verdict

GOOD = """```toml
id = "good"
title = "Something fails"
kind = "warning"
status = "reviewed"
severity = "act"
checked = [
    {what = "sources", on = 2026-11-29, against = "linux 6.12 mm/page_alloc.c"},
    {what = "predicates", on = 2026-11-29, against = "match-a.log"},
    {what = "commands", on = "2026-11-29", against = "linux 6.12"}, {what = "text", on = 2026-11-29, against = "it"},
]
subsystem = "mm"
summary = "Because."
[match]
require = ["order >= 1"]
support = ["kernel < 4.4"]
[[affected]]
kernel = ">= 3.10, < 4.4; el7"
by = "src"
[[fix]]
commit = "97a16fc82a7c"
subject = "mm: fix"
by = "src"
[[workaround]]
do = "nothing"
caveat = "it costs some speed"
by = "src"
[[source]]
id = "src"
file = "mm/page_alloc.c"
release = "6.12"
```

# Something fails
## What happens
It fails.
## Why
Because.
## What to do
Wait.
## Notes
"""


@pytest.fixture
def good(tmp_path: Path) -> Path:
    place = tmp_path / "good"
    place.mkdir()
    (place / "case.md").write_text(GOOD)
    (place / "match-a.log").write_text("")
    (place / "near-a.log").write_text("")
    return place / "case.md"


def test_a_good_case_has_no_findings(good: Path) -> None:
    assert lint.lint(good) == []


@pytest.mark.parametrize(
    ("old", "new", "rule", "line"),
    [
        ('id = "good"', 'idd = "good"', "KB001", 2),
        ('id = "good"', 'id = "Good one"', "KB002", 2),
        ('title = "Something fails"', 'title = "Something fails."', "KB004", 3),
        ('summary = "Because."', f'summary = "{"x" * 301}"', "KB004", 13),
        ("## Why\n", "", "KB005", 40),
        ("## Why\nBecause.\n", "## Notes\n## Why\nBecause.\n", "KB005", 37),
        ('require = ["order >= 1"]\n', "", "KB101", 14),
        ('require = ["order >= 1"]', 'require = ["kernel < 4.4"]', "KB102", 15),
        ('require = ["order >= 1"]', 'require = ["order >= 1"]\nrefute = ["kernel >= 4.4"]', "KB102", 16),
        ('require = ["order >= 1"]', 'require = ["order >= high"]', "KB104", 15),
        ('require = ["order >= 1"]', 'require = ["reason.gfp.forbids_wating == holds"]', "KB103", 15),
        ('require = ["order >= 1"]', 'require = ["reason.gfp.forbids_waiting == true"]', "KB106", 15),
        ('require = ["order >= 1"]', 'require = ["reason.zone.refuses.because has zone.walks"]', "KB106", 15),
        ('caveat = "it costs some speed"\n', "", "KB201", 24),
        ('"it costs some speed"', '"Down time."', "KB201", 26),
        ('caveat = "it costs some speed"\nby = "src"', 'caveat = "it costs some speed"', "KB202", 24),
        ('caveat = "it costs some speed"\nby = "src"', 'caveat = "it costs some speed"\nby = "who"', "KB202", 27),
        ('commit = "97a16fc82a7c"', 'commit = "97a16fc"', "KB203", 21),
        ('file = "mm/page_alloc.c"\n', "", "KB204", 28),
        ('release = "6.12"\n', "", "KB204", 28),
        ('release = "6.12"', 'release = "6.12, new"', "KB204", 31),
        ('severity = "act"\n', "", "KB206", 5),
        ('on = "2026-11-29"', 'on = "lately"', "KB207", 7),
        ('    {what = "predicates", on = 2026-11-29, against = "match-a.log"},\n', "", "KB207", 5),
        ('summary = "Because."', 'summary = "Look at the disk first: it fails."', "KB208", 13),
        ('caveat = "it costs some speed"', 'caveat = "See the table below."', "KB209", 26),
        ('severity = "act"', 'severity = "act"\nrecorded = ["match-b.log"]', "KB305", 7),
        ('status = "reviewed"', 'status = "unsighted"', "KB305", 5),
        ('kernel = ">= 3.10, < 4.4; el7"', 'kernel = "old ones"', "KB205", 18),
        ('kernel = ">= 3.10, < 4.4; el7"', 'kernel = "5.2 to 5.2.14"', "KB205", 18),
        ('kernel = ">= 3.10, < 4.4; el7"', 'kernel = "5.2-5.2.14"', "KB205", 18),
        ('kernel = ">= 3.10, < 4.4; el7"', 'kernel = "5.4.y"', "KB205", 18),
    ],
)
def test_a_broken_rule_is_told_by_number_and_line(good: Path, old: str, new: str, rule: str, line: int) -> None:
    text = good.read_text().replace(old, new, 1)
    good.write_text(text)
    found = lint.lint(good)
    assert (rule, line) in [(finding.rule, finding.line) for finding in found], "\n".join(map(str, found))
    assert all(finding.help or finding.rule == "KB001" for finding in found)


def test_a_reason_may_be_asked_for_by_name(good: Path) -> None:
    asked = (
        "reason.zone.refuses has holds",
        "reason.zone.refuses.because has zone.walk_fails",
        "reason.page.bad != excluded",
    )
    good.write_text(good.read_text().replace('require = ["order >= 1"]', f"require = {list(asked)}".replace("'", '"')))
    assert lint.lint(good) == []


def test_a_misspelt_reason_is_told_its_neighbour(good: Path) -> None:
    text = good.read_text().replace("order >= 1", "reason.gfp.forbids_wating == holds")
    good.write_text(text)
    assert [finding.help for finding in lint.lint(good)] == ["did you mean 'reason.gfp.forbids_waiting'?"]


@pytest.mark.parametrize("sample", ["match-a.log", "near-a.log"])
def test_a_reviewed_case_needs_both_samples(good: Path, sample: str) -> None:
    (good.parent / sample).unlink()
    assert [finding.rule for finding in lint.lint(good)] == ["KB301"]


def test_a_draft_is_held_to_the_format_and_its_predicates_only(good: Path) -> None:
    good.write_text(good.read_text().replace("reviewed", "draft").replace('caveat = "it costs some speed"\n', ""))
    assert lint.lint(good) == []


def test_a_finding_reads_as_error_place_help() -> None:
    finding = lint.Finding("KB201", "a workaround without a caveat", "cases/a/case.md", 17, "add one")
    assert str(finding) == "error[KB201]: a workaround without a caveat\n  --> cases/a/case.md:17\n  help: add one"


def test_every_rule_says_what_it_asks_for_and_is_documented() -> None:
    text = (folder("docs") / "case-format.md").read_text()
    for number, rule in lint.RULES.items():
        assert rule.__doc__
        assert f"`{number}`" in text


@pytest.mark.parametrize("path", files(folder("cases")), ids=lambda path: path.parent.name)
def test_packaged_cases_hold_and_their_samples_agree(path: Path) -> None:
    assert lint.lint(path) == []
    cases = load().cases
    case = next(case for case in cases if Path(case.path) == path)
    found = lint.run_case(case, lambda data: api.match(data, cases=cases, notices=True), folder("tests") / "baseline")
    assert found == []


def test_samples_that_disagree_are_told(good: Path) -> None:
    case = load([good.parent.parent]).get("good")
    assert case is not None
    seed = folder("cases") / "nofs-high-order-watermark/match-seed.log"
    text = good.read_text().replace('"warning"', '"page_allocation_failure"')
    good.write_text(text)
    (good.parent / "near-a.log").write_bytes(seed.read_bytes())
    cases = load([good.parent.parent]).cases
    case = next(case for case in cases if case.id == "good")
    found = lint.run_case(case, lambda data: api.match(data, cases=cases), good.parent)
    assert [(f.rule, Path(f.path).name) for f in found] == [
        ("KB302", "match-a.log"), ("KB303", "near-a.log"), ("KB304", "near-a.log"),
    ]  # fmt: skip


def test_samples_of_a_case_that_no_log_decides_are_maybe_and_no(good: Path) -> None:
    waits = good.read_text().replace("[match]\n", '[match]\nprovided = "nothing is in flight"\n')
    good.write_text(waits.replace('"warning"', '"page_allocation_failure"'))
    seed = (folder("cases") / "nofs-high-order-watermark/match-seed.log").read_bytes()
    for name in ("match-a.log", "near-a.log"):
        (good.parent / name).write_bytes(seed)
    cases = load([good.parent.parent]).cases
    case = next(case for case in cases if case.id == "good")
    found = lint.run_case(case, lambda data: api.match(data, cases=cases))
    assert [(f.rule, Path(f.path).name) for f in found] == [("KB303", "near-a.log")]


def test_a_draft_proposed_from_a_report_is_valid_and_matches_it(tmp_path: Path) -> None:
    log = (folder("cases") / "nofs-high-order-watermark/match-seed.log").read_bytes()
    diagnosis = api.match(log, cases=())[0]
    path = new_case(tmp_path, "my-case", diagnosis)
    assert [(found.rule, found.reason) for found in lint.lint(path)] == UNTOUCHED
    finished(path)
    assert lint.lint(path) == []
    assert [(found.rule, found.reason) for found in lint.owed(path)] == [
        ("KB204", "no source"), ("KB301", "no near miss"),
    ]  # fmt: skip
    assert (path.parent / "match-first.log").read_bytes() == log
    case = load([tmp_path]).get("my-case")
    assert case is not None
    assert "cause == order_walk_refusal" in [p.text for p in case.require]
    assert [m.verdict for m in api.match(log, cases=(case,))[0].matches] == [Verdict.YES]
    with pytest.raises(CaseError, match="there already"):
        new_case(tmp_path, "my-case")


UNTOUCHED = [
    ("KB005", "the section 'What happens' is empty"),
    ("KB005", "the section 'Why' is empty"),
    ("KB005", "the section 'What to do' is empty"),
    ("KB006", "no subsystem"),
    ("KB107", "the summary is that of the template"),
    ("KB107", "title is as it was proposed"),
    ("KB107", "severity is as it was proposed"),
    ("KB107", "subsystem is as it was proposed"),
    ("KB107", "match is as it was proposed"),
]
"""What the linter says of a draft that nobody has touched."""


def finished(path: Path) -> None:
    """The draft in its writer's words."""
    text = path.read_text().replace(TEMPLATE_SUMMARY, "Compact by hand: no block is large enough.")
    text = re.sub(rf" *{TO_DO}.*", "", text).replace('subsystem = ""', 'subsystem = "mm/page_alloc"')
    path.write_text(re.sub(r"<!-- to do:.*?-->", "Said by who wrote it.", text))


@pytest.mark.parametrize("key", ["title", "severity", "subsystem", "match"])
def test_a_proposal_is_flagged_until_its_mark_is_taken_away(tmp_path: Path, key: str) -> None:
    log = (folder("cases") / "nofs-high-order-watermark/match-seed.log").read_bytes()
    path = new_case(tmp_path, "my-case", api.match(log, cases=())[0])
    marked = next(line for line in path.read_text().split("\n") if line.startswith((f"{key} =", f"[{key}]")))
    finished(path)
    text = path.read_text()
    path.write_text(
        text.replace(
            marked.partition(TO_DO)[0].rstrip() if key != "subsystem" else 'subsystem = "mm/page_alloc"', marked
        )
    )
    assert ("KB107", f"{key} is as it was proposed") in [(each.rule, each.reason) for each in lint.lint(path)]


def test_a_heading_that_is_not_the_title_is_told(good: Path) -> None:
    good.write_text(good.read_text().replace("\n# ", "\n# Not "))
    assert [finding.reason for finding in lint.lint(good)] == ["the heading is not the title"]


def test_a_case_without_a_near_miss_is_not_tested(good: Path) -> None:
    (good.parent / "near-a.log").unlink()
    good.write_text(good.read_text().replace("reviewed", "draft"))
    case = load([good.parent.parent]).get("good")
    assert case is not None
    assert ("KB301", "no near miss") in [(each.rule, each.reason) for each in lint.run_case(case, lambda _: [])]


def test_a_draft_made_from_nothing_fails_until_it_says_something(tmp_path: Path) -> None:
    found = [finding.reason for finding in lint.lint(new_case(tmp_path, "my-case"))]
    assert {"the title is that of the template", "the summary is that of the template"} < set(found)
    assert "function == foo is the template's" in found


def test_a_note_is_only_ever_appended(good: Path) -> None:
    old = good.read_bytes()
    append_note(good, hashlib.sha256(old).hexdigest(), "### 2026-11-22 chen\n\nSeen on db17.")
    new = good.read_bytes()
    assert new == old + b"\n### 2026-11-22 chen\n\nSeen on db17.\n"
    with pytest.raises(CaseChanged):
        append_note(good, hashlib.sha256(old).hexdigest(), "again")
    assert good.read_bytes() == new
    assert sorted(p.name for p in good.parent.iterdir()) == ["case.md", "match-a.log", "near-a.log"]


def test_the_index_is_fresh() -> None:
    path = folder("cases") / "README.md"
    packaged = [case for case in load() if Path(case.path).is_relative_to(folder("cases"))]
    assert path.read_text() == index_markdown(packaged), "run `kb case index`"
    for case in packaged:
        assert re.search(rf"\]\({case.id}/case\.md\)", path.read_text())


@pytest.mark.parametrize("path", sorted((folder("tests") / "baseline").glob("*.log")), ids=lambda path: path.stem)
def test_what_is_told_of_a_good_log_is_harmless(path: Path) -> None:
    told = [match for found in api.match(path.read_bytes(), notices=True) for match in found.matches]
    assert {match.severity for match in told} <= {"harmless"}


_NOT_FIRST = re.compile(
    r"mkfs|discard-my-data|has_journal|ethtool -A|xfs_repair -L|--assemble --force|--create|lvremove"
    r"|check --repair|--write-sector|mitigations=off|hardened_usercopy=off|setenforce 0|split_lock_detect=off"
    r"|Secure Boot off|wipefs|\bdd\b.* of=/dev"
)
"""What cannot be taken back, drops a link for everybody, or gives up protection."""


def test_what_is_to_be_done_first_can_be_taken_back() -> None:
    for case in load():
        for first in case.workarounds[:1]:
            only = len(case.workarounds) == 1
            assert only or not _NOT_FIRST.search(first.do.partition("; later ")[0]), (case.id, first.do)


_EXAMPLE = re.compile(
    r"\b[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\b|/dev/(?:sd[a-z]\d?|md\d+|nvme\d\w*)\b|\b(?:wlan|eth|br|ata)\d\b"
)
"""A device of the samples: whoever copies the command does to it what was meant for his own."""


def test_commands_name_no_device_of_an_example() -> None:
    for case in load():
        for command in (*(each.do for each in case.workarounds), *(each.run for each in case.verify)):
            found = _EXAMPLE.search(command.partition("   #")[0])
            assert found is None or "sd[a" in command, (case.id, command)
