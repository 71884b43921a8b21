"""What libraries log becomes lines of the service's log, without what they were told."""

from __future__ import annotations

import json
import logging

import pytest

pytest.importorskip("uvicorn")


def test_an_error_of_a_library_is_a_line_without_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    from kb.serve.server import _Rows

    logger = logging.Logger("uvicorn.error")
    logger.addHandler(_Rows())
    try:
        raise ValueError("secret")
    except ValueError:
        logger.exception("Exception in %s", "secret")
    (line,) = capsys.readouterr().err.splitlines()
    row = json.loads(line)
    assert (row["logger"], row["message"], row["error"]) == ("uvicorn.error", "Exception in %s", "ValueError")
    assert row["at"].partition(":")[0].endswith("test_rows.py")
    assert "secret" not in line
