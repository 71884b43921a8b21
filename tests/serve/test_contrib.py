"""What lies in contrib/: it can be read by who is to read it, and does what it says."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serve.conftest import CLI, ROOT
from tests.serve.test_api import OOPS

CONTRIB = ROOT / "contrib"
UNITS = sorted(CONTRIB.glob("kb-*.*"))


def script(path: Path, after: str) -> str:
    """The shell script of a YAML file: the block behind a line."""
    lines = path.read_text().split(after, 1)[1].splitlines()[1:]
    depth = len(lines[0]) - len(lines[0].lstrip())
    block = []
    for line in lines:
        if line.strip() and len(line) - len(line.lstrip()) < depth:
            break
        block.append(line[depth:])
    return "\n".join(block)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a log and a ``kb`` in it."""
    (tmp_path / "boot log.txt").write_bytes(OOPS)
    (tmp_path / "quiet.txt").write_text("[    1.000000] eth0: link up\n")
    kb = tmp_path / "kb"
    kb.write_text(f"#!/bin/sh\nPYTHONPATH='{ROOT}' exec '{sys.executable}' -c '{CLI}' \"$@\"\n")
    kb.chmod(0o755)
    return tmp_path


def run(text: str, place: Path, shell: str = "bash", **env: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "PATH": f"{place}:{os.environ['PATH']}", "KB_DB": str(place / "kb.db"), **env}
    return subprocess.run([shell, "-e", "-c", text], cwd=place, env=variables, capture_output=True, text=True)


def test_the_action_annotates_and_fails_where_it_is_asked_to(place: Path) -> None:
    text = script(CONTRIB / "github/action.yml", "      run: |")
    files = {
        "GITHUB_STEP_SUMMARY": str(place / "summary"),
        "GITHUB_OUTPUT": str(place / "out"),
        "RUNNER_TEMP": str(place),
    }
    how = {**files, "KB_KERNEL": "", "KB_FORMAT": "github", "KB_FAIL_ON": "severity=act"}
    failed = run(text, place, KB_LOG="boot log.txt", **how)
    assert failed.returncode == 1, failed.stderr
    assert failed.stdout.startswith("::error")
    assert "foo_read" in (place / "summary").read_text()
    assert run(text, place, KB_LOG="boot log.txt", **{**how, "KB_FAIL_ON": "known"}).returncode == 0
    assert run(text, place, KB_LOG="quiet.txt", **how).returncode == 0
    assert run(text, place, KB_LOG="absent.txt", **how).returncode == 4
    assert run(text, place, KB_LOG="boot log.txt", **{**how, "KB_FORMAT": "sarif"}).returncode == 1
    assert '"2.1.0"' in (place / "kb.sarif").read_text()
    assert "file=" in (place / "out").read_text()


def test_the_component_leaves_both_reports_and_fails_where_it_is_asked_to(place: Path) -> None:
    text = script(CONTRIB / "gitlab/templates/kb.yml", "    - |")
    how = {"KB_KERNEL": "6.1.0", "KB_FAIL_ON": "severity=act"}
    failed = run(text, place, "sh", KB_LOG="boot log.txt", **how)
    assert failed.returncode == 1, failed.stderr
    assert "foo_read" in failed.stdout
    assert "foo_read" in (place / "gl-code-quality-report.json").read_text()
    assert "<failure" in (place / "kb-junit.xml").read_text()
    assert run(text, place, "sh", KB_LOG="quiet.txt", **how).returncode == 0
    assert run(text, place, "sh", KB_LOG="absent.txt", **how).returncode == 4


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_units_start_what_kb_has_with_options_that_it_knows(unit: Path) -> None:
    parsed = configparser.RawConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(unit)
    if unit.suffix == ".path":
        assert (CONTRIB / parsed["Path"]["Unit"]).exists()
        return
    service = parsed["Service"]
    _, verb, *words = service["ExecStart"].split()
    help_ = subprocess.run([sys.executable, "-c", CLI, verb, "--help"], cwd=ROOT, capture_output=True, text=True).stdout
    assert [word for word in words if word.startswith("--") and word not in help_] == []
    for name in ("NoNewPrivileges", "ProtectSystem", "PrivateTmp", "SystemCallFilter", "CapabilityBoundingSet"):
        assert name in service, name
    assert service.get("KillMode") == ("mixed" if verb == "serve" else None)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_reads_the_units(unit: Path, tmp_path: Path) -> None:
    for each in UNITS:
        text = each.read_text().replace("/usr/bin/kb", sys.executable)
        (tmp_path / each.name).write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", str(tmp_path / unit.name)], capture_output=True, text=True)
    assert [line for line in done.stderr.splitlines() if unit.name in line and "man" not in line] == []


def test_the_image_starts_what_kb_has() -> None:
    text = (CONTRIB / "Containerfile").read_text()
    words = re.findall(r'"([^"]+)"', text.split("\nCMD ")[1])
    assert words[:2] == ["kb", "serve"]
    assert re.search(r"^USER (?!root|0)", text, re.M)
