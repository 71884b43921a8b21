"""A small fleet: folders of hosts with logs, packed and plain, some with reports."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from kb import api

ROOT = Path(__file__).resolve().parents[2]
QUIET = b"".join(b"[%5d.%06d] usb 1-1: new high-speed USB device number %d\n" % (n, n, n % 99) for n in range(200))
KB = [sys.executable, "-c", "import sys; from kb.cli import main; sys.exit(main())"]


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty logs of four hosts; every third has a report."""
    root = tmp_path_factory.mktemp("fleet")
    samples = [path for path in sorted(ROOT.glob("cases/*/match-*.log")) if any(api.read(path))][:12]
    for n in range(40):
        folder = root / f"host{n // 10}"
        folder.mkdir(exist_ok=True)
        data = QUIET + (samples[n % len(samples)].read_bytes() if n % 3 == 0 else b"")
        if n % 2:
            (folder / f"dmesg-{n}.gz").write_bytes(gzip.compress(data))
        else:
            (folder / f"dmesg-{n}").write_bytes(data)
    return root


def kb(*words: object, code: int | None = 0, env: dict[str, str] | None = None) -> str:
    """Run the command in a process of its own; gives stderr."""
    done = subprocess.run(
        [*KB, *map(str, words)], cwd=ROOT, capture_output=True, env={**os.environ, **(env or {})}, check=False
    )
    assert code is None or done.returncode == code, done.stderr.decode()
    assert done.stdout == b""
    return done.stderr.decode()


def rows(out: Path) -> list[dict[str, Any]]:
    """The reports of results, as NDJSON or Parquet has them."""
    from kb.fleet.tables import stored

    return list(stored(out))


def digest(out: Path) -> str:
    """A hash over all reports, whatever their order."""
    texts = sorted(json.dumps(row, sort_keys=True, default=repr) for row in rows(out))
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def errors(out: Path) -> dict[str, str]:
    """The table of errors, of NDJSON."""
    found = map(json.loads, (out / "errors.ndjson").read_text().splitlines())
    return {row["source"]: row["error"] for row in found}


def begun(out: Path, files: int, *words: object) -> subprocess.Popen[bytes]:
    """A slow scan that has read so many files and goes on."""
    command = [*KB, "scan", *map(str, words), "--out", str(out)]
    env = {**os.environ, "KB_SCAN_HOOK": "tests.fleet.hooks:slow"}
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, env=env)
    journal = out / ".scan/journal"
    while process.poll() is None and (not journal.exists() or journal.read_bytes().count(b'{"done": ') < files):
        time.sleep(0.01)
    return process


def workers(process: subprocess.Popen[bytes]) -> list[int]:
    """The workers of a scan, by /proc."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            words = (path.parent / "cmdline").read_bytes()
        except (OSError, ValueError):
            continue
        if parent == process.pid and b"spawn_main" in words:
            found.append(int(path.parent.name))
    return found


def end(process: subprocess.Popen[bytes], number: signal.Signals) -> int:
    process.send_signal(number)
    return process.wait()
