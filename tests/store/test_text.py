"""Whatever a log, a file's name or an argument holds, it can be recorded, shown, searched for and exported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb.api import KnowledgeBase
from kb.store.dump import export

ROOT = Path(__file__).resolve().parents[2]
ANY = st.text(st.characters(exclude_categories=()), max_size=30)
LOG = (
    b"Kernel panic - not syncing: foo\xffbar\x00\x1b[2J\nCPU: 1 PID: 12 Comm: a\xffb Not tainted 5.10.0\xff #1\n"
    b"Hardware name: \xff\nCall Trace:\n foo+0x1/0x2\n"
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200), source=ANY, host=ANY, author=ANY, body=ANY, words=ANY)
def test_no_text_keeps_a_report_from_being_recorded_shown_and_found(
    tmp_path: Path, data: bytes, source: str, host: str, author: str, body: str, words: str
) -> None:
    with KnowledgeBase(tmp_path / "kb.db") as base:
        (report,) = base.read(LOG.replace(b"foo", b"foo" + data.replace(b"\n", b"").replace(b"\r", b""), 1))
        sighting = base.record(report, source=source or None, host=host or None)
        f"{sighting.source}{sighting.host}".encode()
        if body.strip():
            note = base.annotate(report, body, author=author)
            f"{note.body}{note.author}".encode()
        shown = base.show(sighting.signature)
        "\n".join(shown.lines()).encode()
        assert shown.evidence[-1].text  # bytes, as they were
        base.search(words)
        base.similar(report)
        list(base.store.signatures(words=words))
        for line in export(base.store):
            json.dumps(json.loads(line), ensure_ascii=False).encode()


def test_evidence_is_the_bytes_of_the_log(tmp_path: Path) -> None:
    with KnowledgeBase(tmp_path / "kb.db") as base:
        (report,) = base.read(LOG)
        shown = base.show(base.record(report).signature)
    assert shown.evidence[0].text == LOG


@pytest.mark.parametrize(
    "message", [r"Kernel panic - not syncing: \ud800", r"Kernel panic - not syncing: a\ud83d b", r"\udfff\u0000"]
)
@pytest.mark.parametrize("field", ["MESSAGE", "_HOSTNAME", "SYSLOG_IDENTIFIER", "_PID", "__REALTIME_TIMESTAMP"])
def test_lone_surrogates_of_json_are_read_and_recorded(field: str, message: str, tmp_path: Path) -> None:
    record = {"MESSAGE": "Kernel panic - not syncing: x", "_TRANSPORT": "syslog", "SYSLOG_IDENTIFIER": "a"}
    text = json.dumps(record | {field: "HERE"}).replace("HERE", message) + "\n"
    with KnowledgeBase(tmp_path / "kb.db") as base:
        for log in (text.encode(), text, text.encode().decode("unicode_escape") + "\n"):
            for report in base.read(log):
                base.record(report)
                base.diagnose(report).to_text().encode()


@pytest.mark.parametrize("stamp", ["²" * 16, "9" * 16, "1e999", "NaN", "-1", "٣" * 16, "9" * 5000])
def test_a_record_s_time_may_be_anything(stamp: str, tmp_path: Path) -> None:
    record = {"MESSAGE": "Kernel panic - not syncing: x", "_TRANSPORT": "kernel"}
    for key in ("__REALTIME_TIMESTAMP", "__MONOTONIC_TIMESTAMP", "PRIORITY"):
        for value in (json.dumps(stamp), stamp):
            line = json.dumps(record)[:-1] + f', "{key}": {value}}}\n'
            for diagnosis in map(KnowledgeBase().diagnose, KnowledgeBase().read(line)):
                json.dumps(diagnosis.to_json(), allow_nan=False)


def kb(*words: bytes | str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "kb", *words], cwd=ROOT, input=stdin, capture_output=True, check=False)


def test_arguments_may_hold_any_bytes(tmp_path: Path) -> None:
    db = f"--db={tmp_path / 'kb.db'}"
    name = bytes(tmp_path) + b"/log-\xff\xfe.txt"
    Path(name.decode("utf-8", "surrogateescape")).write_bytes(LOG)
    odd = b"\xff\xfe\x1b[2J"
    for words, codes in (
        (["match", "--record", "--host", odd, "--source", odd, db, name], [1]),
        (["match", "--record", db, name], [1]),
        (["match", "--json", name], [1]),
        (["show", odd, db], [2]),
        (["log", db], [0]),
        (["case", "search", odd, db], [1]),
        (["case", "show", odd, db], [2]),
        (["similar", name, db], [0, 1]),
        (["dup", odd, odd, db], [2]),
        (["ask", odd, name, db], [1]),
        (["ask", b"note " + odd, name, db], [0]),
        (["import", odd, db], [4]),
        (["affected", odd, "--kernel", "6.1", db], [2]),
        (["case", "new", "x-y", name, "--into", bytes(tmp_path) + b"/" + b"\xff"], [0]),
        (["case", "facts", name], [0]),
        (["export", db], [0]),
        (["stats", db], [0]),
    ):
        done = kb(*words)
        assert done.returncode in codes, (words, done.stderr)
        assert b"Traceback" not in done.stderr
        assert b"\x1b" not in done.stderr
        assert b"\xff" not in done.stderr
        if "--json" not in words:
            done.stdout.decode("utf-8")
    shown = kb("log", db).stdout.decode()
    assert r"\xff\xfe\x1b[2J" in shown
    assert r"log-\xff\xfe.txt" in shown
