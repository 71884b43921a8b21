"""A Diagnosis shows itself in every form, wherever it was made and whatever was imported there."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from kb import api
from kb.model.verdict import Diagnosis, Facts
from kb.render.json import to_json
from kb.render.markdown import to_markdown
from kb.render.text import to_text

ROOT = Path(__file__).resolve().parents[2]

SHOW = """
import json, sys
assert not [name for name in sys.modules if name.startswith("kb.render")]
forms = (diagnosis.to_json(), diagnosis.to_markdown(), diagnosis.to_text(verbose=2, color=True, width=120))
sys.stdout.write(json.dumps(forms))
"""


@pytest.fixture(scope="module")
def diagnosis(example: Path) -> Diagnosis:
    (found,) = api.match(example.read_bytes())
    return found


def shown(program: str, stdin: bytes) -> list[object]:
    """The forms of the variable ``diagnosis`` of a program of its own, which has imported no renderer."""
    command = [sys.executable, "-c", program + SHOW]
    done = subprocess.run(command, cwd=ROOT, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    forms: list[object] = json.loads(done.stdout)
    return forms


def rendered(diagnosis: Diagnosis) -> list[object]:
    text = to_text(diagnosis, verbose=2, color=True, width=120)
    forms: list[object] = json.loads(json.dumps([to_json(diagnosis), to_markdown(diagnosis), text]))
    return forms


def test_a_diagnosis_unpickled_in_another_process_shows_itself(diagnosis: Diagnosis) -> None:
    program = "import pickle, sys; diagnosis = pickle.load(sys.stdin.buffer)"
    assert shown(program, pickle.dumps(diagnosis)) == rendered(diagnosis)


def test_a_diagnosis_of_the_core_alone_shows_itself(diagnosis: Diagnosis) -> None:
    program = (
        "import pickle, sys; from kb.diagnose import diagnose\n"
        "report, cases = pickle.load(sys.stdin.buffer); diagnosis = diagnose(report, cases)"
    )
    cases = tuple(match.case for match in diagnosis.matches)
    assert shown(program, pickle.dumps((diagnosis.report, cases))) == rendered(diagnosis)


def test_a_diagnosis_made_by_hand_of_the_model_shows_itself(diagnosis: Diagnosis) -> None:
    program = (
        "import pickle, sys; from kb.model.verdict import Diagnosis, Facts\n"
        "diagnosis = Diagnosis(*pickle.load(sys.stdin.buffer), Facts())"
    )
    bare = Diagnosis(diagnosis.report, diagnosis.signature, Facts())
    assert shown(program, pickle.dumps((bare.report, bare.signature))) == rendered(bare)
