"""The compass points where its labels say."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from tests.score.restamp import STYLES, restamp
from tests.score.run import Job, Result, Seen, run
from tests.score.sets import score_real, score_restamp, score_syzkaller, score_vm, title_functions
from tests.score.table import against, as_json, cell, table


def seen(
    first: int = 1, last: int = 9, *, kind: str = "warning", title: str = "WARNING in foo", **more: object
) -> Seen:
    values: dict[str, object] = {
        "alt_titles": (), "function": "foo", "headline": first, "corrupted": None, "signature": "kb1:1", "cause": None,
        "zones": None, "freelists": None,
    }  # fmt: skip
    return Seen(kind=kind, title=title, first=first, last=last, **{**values, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("title", "functions"),
    [
        ("KASAN: use-after-free Read in foo", ("foo",)),
        ("KCSAN: data-race in foo / bar", ("foo", "bar")),
        ("INFO: task hung in do_x (2)", ()),
        ("kernel panic: Attempted to kill init!", ()),
    ],
)
def test_function_is_what_follows_the_last_in(title: str, functions: tuple[str, ...]) -> None:
    assert title_functions(title) == functions


def test_syzkaller_counts_title_function_and_false_reports_apart() -> None:
    rows = [
        {"file": "a", "title": "WARNING in foo", "alt": []},
        {"file": "b", "title": "WARNING in bar", "alt": ["x"]},
        {"file": "c", "alt": []},
        {"file": "d", "title": "WARNING in corrupted", "alt": [], "corrupted": "Y"},
    ]
    results = [Result("a", (seen(),)), Result("b", (seen(),)), Result("c", (seen(),)), Result("d")]
    whole, damaged, _ = score_syzkaller(rows, results)
    assert {name: (tally.got, tally.of) for name, tally in whole.tallies.items()} == {
        "found": (2, 2), "title": (1, 2), "function": (1, 2), "kind": (2, 2), "alt": (0, 1), "false": (1, 1),
    }  # fmt: skip
    assert (damaged.tallies["found"].got, damaged.tallies["found"].of) == (0, 1)


def test_grouping_counts_pairs() -> None:
    rows = [{"file": name, "title": title, "alt": []} for name, title in [("a", "t"), ("b", "t"), ("c", "u")]]
    results = [Result(name, (seen(signature=key),)) for name, key in [("a", "k"), ("b", "l"), ("c", "k")]]
    grouping = score_syzkaller(rows, results)[2]
    assert [(grouping.tallies[name].got, grouping.tallies[name].of) for name in ("precision", "recall")] == [
        (0, 1),
        (0, 1),
    ]


@pytest.mark.parametrize(("first", "last", "found"), [(10, 20, 1), (8, 9, 0), (13, 20, 1), (14, 20, 0), (2, 10, 1)])
def test_real_label_is_found_when_spanned_or_three_lines_before(first: int, last: int, found: int) -> None:
    rows = [{"file": "a", "reports": [{"type": "warning", "line": 10, "func": "foo"}]}]
    score = score_real(rows, [Result("a", (seen(first, last),))])[0]
    assert score.tallies["found"].got == found
    assert score.tallies["function"].got == found


def test_real_prefers_the_report_of_the_labelled_kind() -> None:
    rows = [{"file": "a", "reports": [{"type": "oops", "line": 10, "func": "bar"}]}]
    both = (seen(1, 50, headline=10), seen(9, 20, kind="oops", function="bar"))
    assert score_real(rows, [Result("a", both)])[0].tallies["function"].got == 1


def test_vm_asks_only_for_functions_that_stand_in_the_log(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(" kblab_x+0x1/0x2 [kblab]\n")
    rows = [{"file": "a", "reports": [], "triggered": [{"guilty": "kblab_x, kblab_y"}]}]
    score = score_vm(tmp_path, rows, [Result("a", (seen(function="kblab_x"),))])[0]
    assert (score.tallies["function"].got, score.tallies["function"].of) == (1, 1)
    assert score.tallies["false"].got == 1


@pytest.mark.parametrize("style", STYLES)
def test_restamping_as_bare_undoes_every_style(style: str) -> None:
    plain = b"BUG: x\n ? foo+0x1/0x2\n[not a stamp] y\n"
    stamped = b"".join(b"[    1.000000][ T12] " + line for line in plain.splitlines(keepends=True))
    assert restamp(stamped, "bare") == plain
    assert restamp(stamped, style).count(b"\n") == 3
    if style in ("dmesg", "caller", "level", "bare"):
        assert restamp(restamp(stamped, style), "bare") == plain


def test_restamping_keeps_time_and_caller() -> None:
    assert restamp(b"[   12.345678][   C1] x\r\n", "caller") == b"[   12.345678][    C1] x\r\n"
    assert restamp(b"[   12.345678][   C1] x\r\n", "level") == b"<4>[   12.345678] x\r\n"


@pytest.mark.parametrize(
    ("after", "same"), [(Result("a", (seen(),)), 1), (Result("a"), 0), (Result("a", error="hang"), 0)]
)
def test_a_restamped_log_is_the_same_only_when_read_to_the_same_title(after: Result, same: int) -> None:
    score = score_restamp("bare", [{"file": "a", "alt": []}], [Result("a", (seen(),))], [after])
    assert score.tallies["same"].got == same


def test_two_logs_that_fail_are_not_the_same() -> None:
    failed = [Result("a", error="hang")]
    assert score_restamp("bare", [{"file": "a", "alt": []}], failed, failed).tallies["same"].got == 0


def die_on_b(job: Job) -> Result:
    if job.name == "b":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.01)
    return Result(job.name)


def test_a_dying_worker_takes_only_its_own_log_with_it() -> None:
    results = list(run([Job(name, Path(name)) for name in "abc"], die_on_b))
    assert [result.name for result in results] == ["a", "b", "c"]
    assert [result.error is None for result in results] == [True, False, True]


def test_a_share_is_never_rounded_up() -> None:
    assert cell(9999, 10000) == "9999/10000 99.9%"


def test_against_names_what_came_and_went(tmp_path: Path) -> None:
    rows = [{"file": "a", "title": "WARNING in foo", "alt": []}]
    before = score_syzkaller(rows, [Result("a")])
    (tmp_path / "old.json").write_text(json.dumps(as_json(before)))
    after = score_syzkaller(rows, [Result("a", (seen(),))])
    said = against(after, tmp_path / "old.json")
    assert "syzkaller title: 0/1 -> 1/1" in said
    assert "better  title\ta\tWARNING in foo" in said
    assert "worse" not in said
    assert table(after).splitlines()[1].startswith("syzkaller")
