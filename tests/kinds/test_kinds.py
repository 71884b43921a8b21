"""Kinds: each row of kinds.toml is held by its samples, and says only what can be understood."""

import importlib
from collections.abc import Iterator
from typing import get_args

import pytest

from kb.log.scan import OPENERS, literals
from kb.model.log import Line
from kb.split.anatomy import NOTES
from kb.syntax import engine
from kb.syntax.headline import classify
from kb.syntax.kinds import Form, Note, Place, kinds, rows
from kb.syntax.roles import Role
from tests.kinds import families, samples

REPORTS = [kind for kind in kinds().values() if kind.form is Form.REPORT]
LOGS = [log for kind in samples.KINDS for log in samples.logs(kind)]
WORDINGS = [wording for kind in samples.KINDS for wording in samples.wordings(kind)]
HEADLESS = {"HEADLESS"}
"""Rows of what has no line to open it."""


def name(text: str) -> str | None:
    head = classify(Line(text, 1, 1, text.encode("utf-8", "surrogateescape")))
    return head.row.name if head else None


def test_every_kind_of_report_has_the_file_of_samples_that_it_names() -> None:
    assert {kind.name: kind.sample for kind in REPORTS} == {name: f"tests/kinds/{name}.txt" for name in samples.KINDS}


@pytest.mark.parametrize("log", LOGS, ids=lambda log: f"{log.kind}-{log.shows[:60]}")
def test_kb_makes_of_a_log_what_its_sample_says(log: samples.Log, update: bool) -> None:
    if update:
        samples.update(log.kind)
        return
    assert samples.said(log) == log.said
    assert samples.lacking(log) == set()


@pytest.mark.parametrize("kind", REPORTS, ids=lambda kind: kind.name)
def test_each_headline_of_a_kind_has_a_wording_and_opens_a_log(kind: object) -> None:
    assert kind in REPORTS
    own = {row.name for row in rows().values() if row.kind == kind.name}  # type: ignore[attr-defined]
    told = {wording.terminal for wording in samples.wordings(kind.name) if wording.fits}  # type: ignore[attr-defined]
    shown = {log.shows.partition(":")[0] for log in samples.logs(kind.name)}  # type: ignore[attr-defined]
    assert own - HEADLESS == told
    assert own <= shown


@pytest.mark.parametrize("kind", samples.KINDS)
def test_each_kind_has_a_near_miss(kind: str) -> None:
    assert any(not wording.fits for wording in samples.wordings(kind))


@pytest.mark.parametrize("wording", WORDINGS, ids=lambda wording: f"{wording.terminal}-{wording.text[:40]}")
def test_a_printk_is_the_headline_of_its_kind_and_what_looks_like_it_is_none(wording: samples.Wording) -> None:
    assert (name(wording.text) == wording.terminal) is wording.fits


@pytest.mark.parametrize("literal", literals((OPENERS[0],)))
def test_each_literal_of_the_scanner_stands_in_a_wording(literal: str) -> None:
    assert any(literal in wording.text for wording in WORDINGS if wording.fits)


# ---- closed sets


def test_a_row_uses_words_that_are_known() -> None:
    printed = {*get_args(Role), *get_args(Note)}
    for kind in kinds().values():
        assert kind.prints <= printed, kind.name
    for row in rows().values():
        changed = [place for variant in row.variants for place in variant.changes.get("guilty", ())]
        assert {*row.guilty, *changed} <= {*get_args(Place)}, row.name
        assert row.joins <= {*kinds(), "*"}, row.name


def test_roles_are_the_terminals_of_the_grammar_and_notes_those_that_are_told_apart() -> None:
    terminals = {terminal.name for terminal in engine.build("report").terminals} - {"NOISE"}
    assert {*get_args(Role)} == terminals | {"HEADLINE", "TRACKED", "TAINT"}
    assert {*get_args(Note)} == set(NOTES)


def places() -> Iterator[str]:
    for kind in kinds().values():
        yield from kind.decoders
        if kind.engine is not None:
            yield kind.engine


@pytest.mark.parametrize("place", sorted(set(places())))
def test_an_engine_or_decoder_that_a_row_names_is_there(place: str) -> None:
    module, _, function = place.partition(":")
    assert callable(getattr(importlib.import_module(module), function))


# ---- families


def test_what_is_like_an_allocation_has_the_allocators_engine() -> None:
    assert families.allocations_have_their_engine()


def test_what_is_like_a_stall_has_a_decoder_of_stalls() -> None:
    assert families.stalls_have_their_decoder()
