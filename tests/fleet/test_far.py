"""A cluster, object storage and tables give the same records as files on one machine."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fleet.conftest import ROOT, digest, errors, kb, rows

NDJSON = ("--format", "ndjson")


def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextlib.contextmanager
def serving(*words: str, at: int | None = None, env: dict[str, str] | None = None) -> Iterator[int]:
    """A server in a process group of its own, until the block ends; waits for its port."""
    command = [sys.executable, "-m", *words]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        env={**os.environ, **(env or {})},
    )  # fmt: skip
    try:
        while at is not None:
            assert process.poll() is None
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", at)):
                break
            time.sleep(0.1)
        yield process.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


@pytest.mark.extra
def test_a_cluster_leaves_the_same_records(fleet: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    at, bad = port(), tmp_path / "bad"
    bad.mkdir()
    (bad / "abort.log").write_bytes(b"")
    hook = {"KB_SCAN_HOOK": "tests.fleet.hooks:misbehave"}
    kb("scan", fleet, bad, "--out", tmp_path / "here", *NDJSON, code=4, env=hook)
    address = f"tcp://127.0.0.1:{at}"
    scheduler = ("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(at), "--no-dashboard")
    worker = ("distributed.cli.dask_worker", address, "--nworkers", "2", "--nthreads", "1", "--no-dashboard")
    with serving(*scheduler, at=at), serving(*worker):
        time.sleep(1)
        for _ in range(60):  # until both workers are there
            from distributed import Client

            with Client(address, set_as_default=False) as client:
                if len(client.nthreads()) == 2:
                    break
            time.sleep(0.5)
        kb("scan", fleet, bad, "--out", tmp_path / "far", "--dask", address, *NDJSON, code=4, env=hook)
    assert digest(tmp_path / "far") == digest(tmp_path / "here")
    assert list(errors(tmp_path / "far").values()) == ["its worker ended: signal 6"]


@pytest.mark.extra
def test_object_storage_leaves_the_same_records(fleet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec = pytest.importorskip("fsspec")
    pytest.importorskip("s3fs")
    pytest.importorskip("moto")
    at = port()
    env = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
    env["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{at}"
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    kb("scan", fleet, "--out", tmp_path / "here", *NDJSON)
    with serving("moto.server", "-p", str(at), at=at):
        store = fsspec.filesystem("s3")
        store.mkdir("logs")
        store.put(f"{fleet}/", "logs/", recursive=True)
        for name, source in (("a", "s3://logs"), ("b", "s3://logs/*/*")):
            kb("scan", source, "--out", tmp_path / name, *NDJSON)
            assert digest(tmp_path / name) == digest(tmp_path / "here")
        kb("scan", "s3://logs/none", "--out", tmp_path / "c", *NDJSON, code=4)


def test_columns_of_json_are_logs_one_a_host(tmp_path: Path, example: Path) -> None:
    lines = [line.rstrip("\n") for line in example.read_text().splitlines()]
    table = tmp_path / "logs.ndjson"
    both = ({"ts": "2026-11-28T10:00:00+00:00", "machine": host, "msg": line} for line in lines for host in ("a", "b"))
    table.write_text("".join(json.dumps(row) + "\n" for row in both))
    how = ("--column", "msg", "--host-column", "machine", "--time-column", "ts")
    kb("scan", table, "--out", tmp_path / "out", *how, *NDJSON)
    kb("scan", example, "--out", tmp_path / "one", *NDJSON)
    (one,) = rows(tmp_path / "one")
    found = rows(tmp_path / "out")
    assert [(row["source"], row["host"], row["day"]) for row in found] == [
        (f"logs.ndjson!{host}", host, "2026-11-28") for host in ("a", "b")
    ]
    assert {(row["signature"], row["title"], tuple(row["lines"])) for row in found} == {
        (one["signature"], one["title"], tuple(one["lines"]))
    }
    kb("scan", table, "--out", tmp_path / "none", "--column", "text", *NDJSON, code=4)
    assert errors(tmp_path / "none") == {"logs.ndjson": "has no column text"}


def test_columns_of_parquet_are_logs(tmp_path: Path, example: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    log = example.read_text()
    pq.write_table(pa.table({"text": [log, None, log], "host": ["a", "a", "b"]}), tmp_path / "logs.parquet")
    kb("scan", tmp_path / "logs.parquet", "--out", tmp_path / "out", "--column", "text", "--host-column", "host")
    assert [row["host"] for row in rows(tmp_path / "out")] == ["a", "b"]
