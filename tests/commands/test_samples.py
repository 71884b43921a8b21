"""``kb samples`` gives who has no log of their own what the documents use, and takes nothing from anybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from kb import api
from kb.cli import main
from kb.commands.samples import logs


def test_each_log_is_written_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "not/there"
    assert main(["samples", str(folder)]) == 0
    assert capsys.readouterr().out.splitlines() == [str(folder / name) for name in logs()]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == logs()
    assert main(["samples", str(folder)]) == 0  # again


def test_each_log_has_a_report_that_kb_knows() -> None:
    for name, data in logs().items():
        assert [one.known for one in api.match(data)] == [True], name


def test_the_ticket_holds_the_log_of_its_host() -> None:
    (inside,) = api.inputs(logs()["ticket-4711.tar.gz"])
    assert inside.data == logs()["db17.log"]
    assert logs() == logs()


def test_a_file_of_the_user_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "near.log").write_text("mine")
    assert main(["samples", str(tmp_path)]) == 4
    assert "near.log" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["near.log"]
    assert (tmp_path / "near.log").read_text() == "mine"
