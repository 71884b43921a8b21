"""What all tests share: the labelled logs if they are there, the example, a home of their own, one flag for goldens."""

from __future__ import annotations

import atexit
import gc
import itertools
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import hypothesis
import pytest

# A shell without job control starts what runs in the background with ^C ignored (POSIX 2.11), and programs inherit it.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ.pop("PYTHONUNBUFFERED", None)  # hides what a process finds out when it flushes at its end
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of interpreters are started: each would compile kb anew
sys.dont_write_bytecode = False

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT.parent / "shared/corpus"
_HOMES = itertools.count()
if "TESTS_CACHE" not in os.environ:  # made by the first process; its workers, and tests that run tests, share it
    os.environ["TESTS_CACHE"] = tempfile.mkdtemp(prefix="kb-tests-")
    atexit.register(shutil.rmtree, os.environ["TESTS_CACHE"], ignore_errors=True)


# A slow machine is no counter-example; and continuous integration must give the same answer twice.
hypothesis.settings.register_profile(
    "kb", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], derandomize="CI" in os.environ
)
hypothesis.settings.load_profile("kb")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite the golden files, to be reviewed as a diff")


def pytest_collection() -> None:
    """Twenty thousand tests are made, and all of them stay: there is no garbage to look for."""
    gc.disable()


def pytest_collection_finish() -> None:
    gc.enable()


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """True when golden files are to be rewritten rather than compared."""
    return bool(request.config.getoption("--update"))


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of labelled logs, which is no part of the repository."""
    if not CORPUS.is_dir():
        pytest.skip("no ../shared/corpus beside the checkout")
    return CORPUS


@pytest.fixture(scope="session")
def example() -> Path:
    """The packaged example: a match sample of the first case."""
    return next((ROOT / "cases/nofs-high-order-watermark").glob("match-*.log"))


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the store, the cases or the caches of the person who runs it."""
    for name in ("KB_DB", "KB_CASES"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path_factory.getbasetemp() / "home"
    own = home / f"{next(_HOMES)}"  # made by who writes there: a store of another test would be found and searched
    for name in ("DATA", "CONFIG", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(own / name.lower()))
    monkeypatch.setenv("XDG_CACHE_HOME", os.environ["TESTS_CACHE"])  # grammars, the index of known fixes: made once
