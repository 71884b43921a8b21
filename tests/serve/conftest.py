"""A real server on a port of its own. Its output goes to a file: a worker that outlives it would hold a pipe open."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.waiting import LIMIT, wait_for

ROOT = Path(__file__).resolve().parents[2]
SECRETS = {role: f"secret-of-{role}" for role in ("read", "record", "annotate", "admin")}
CLI = "import sys; from kb.cli import main; sys.exit(main())"


@dataclass
class Server:
    """A running ``kb serve``."""

    process: subprocess.Popen[bytes]
    url: str
    db: Path
    log: Path

    def client(self, role: str | None = None, **more: object) -> httpx.Client:
        headers = {"Authorization": f"Bearer {SECRETS[role]}"} if role else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=LIMIT, trust_env=False, **more)  # type: ignore[arg-type]

    def children(self) -> list[int]:
        place = Path(f"/proc/{self.process.pid}/task")
        return [int(pid) for task in place.iterdir() for pid in (task / "children").read_text().split()]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def start(folder: Path, *options: str) -> Server:
    db, log = folder / "kb.db", folder / "stderr"
    env = {name: value for name, value in os.environ.items() if not name.startswith("KB_")}
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", CLI, "serve", "--port", "0", "--db", str(db), *options],
            cwd=ROOT, env=env, stdout=stderr, stderr=stderr, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    wait_for(lambda: b"serving on" in log.read_bytes() or process.poll() is not None, "the server listens")
    assert process.poll() is None, log.read_text()
    return Server(process, log.read_text().split("serving on ")[1].split()[0], db, log)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers; all of them are gone at the end."""
    running: list[Server] = []

    def started(*options: str) -> Server:
        folder = tmp_path / str(len(running))
        folder.mkdir()
        running.append(start(folder, *options))
        return running[-1]

    yield started
    for each in running:
        if each.process.poll() is None:
            os.killpg(each.process.pid, signal.SIGKILL)
            each.process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for tests that leave it as it was."""
    made = start(tmp_path_factory.mktemp("serve"), "--workers", "2", "--max-body", "4M")
    yield made
    os.killpg(made.process.pid, signal.SIGKILL)
    made.process.wait()


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    """A file of tokens, one a role."""
    rows = [f"{role}er {role} {hashlib.sha256(secret.encode()).hexdigest()}" for role, secret in SECRETS.items()]
    path = tmp_path / "tokens"
    path.write_text("# who may do what\n" + "\n".join(rows) + "\n")
    return path
