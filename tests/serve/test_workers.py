"""Workers that die or hang cost their own request; a stop loses nothing that was acknowledged."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

import kb
from tests.serve.conftest import ROOT, Server
from tests.serve.test_api import OOPS
from tests.waiting import wait_for


def ready(http: httpx.Client) -> bool:
    return http.get("/readyz").status_code == 200


def test_after_all_workers_were_killed_the_next_requests_are_answered(serve: Callable[..., Server]) -> None:
    server = serve("--workers", "2")
    with server.client() as http:
        wait_for(lambda: ready(http), "ready")
        for pid in server.children():
            os.kill(pid, signal.SIGKILL)
        assert [http.post("/v1/match", content=OOPS).status_code for _ in range(20)] == [200] * 20
        wait_for(lambda: ready(http), "ready")


def test_a_worker_lost_while_it_rested_is_told_until_another_is_there(serve: Callable[..., Server]) -> None:
    server = serve("--workers", "1")
    with server.client() as http:
        wait_for(lambda: ready(http), "ready")
        for pid in server.children():
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: b"kb_workers_lost 0.0" not in http.get("/metrics").content, "a worker is counted")
        wait_for(lambda: ready(http), "ready")


def test_a_worker_that_hangs_costs_its_own_request(serve: Callable[..., Server]) -> None:
    server = serve("--workers", "2", "--match-timeout", "8")
    with server.client() as http:
        wait_for(lambda: ready(http), "ready")
        for pid in server.children():
            os.kill(pid, signal.SIGSTOP)
        with ThreadPoolExecutor(1) as threads:
            hung = threads.submit(http.post, "/v1/match", content=OOPS)
            assert http.get("/healthz").status_code == 200
            answered = hung.result()
        assert answered.status_code == 503
        assert answered.headers["retry-after"] == "1"
        assert "8 s" in answered.json()["detail"]
        wait_for(lambda: ready(http), "ready")
        assert http.post("/v1/match", content=OOPS).status_code == 200


SPINS = """
import functools, kb.serve.work as work

def spinning(function):
    @functools.wraps(function)
    def read(*arguments):
        while "spins_read" in repr(arguments):
            pass
        return function(*arguments)
    return read

work.match, work.live = spinning(work.match), spinning(work.live)
"""
"""What the server and its workers load at their start, so that a log that says so is read for ever."""


@pytest.fixture
def spins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(SPINS)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'hook'}:{ROOT}")
    return OOPS.replace(b"foo_read", b"spins_read")


def test_a_log_that_spins_is_503_at_the_deadline_and_others_go_on(serve: Callable[..., Server], spins: bytes) -> None:
    server = serve("--workers", "2", "--match-timeout", "10")
    with server.client() as http, ThreadPoolExecutor(1) as threads:
        wait_for(lambda: ready(http), "ready")
        spun = threads.submit(http.post, "/v1/match", content=spins)
        wait_for(lambda: "kb_workers_busy 1.0" in http.get("/metrics").text, "it is being read")
        assert [http.post("/v1/match", content=OOPS).status_code for _ in range(5)] == [200] * 5
        answered = spun.result()
        assert (answered.status_code, answered.headers["retry-after"]) == (503, "1")
        assert "10 s" in answered.json()["detail"]
        assert [http.post("/v1/match", content=OOPS).status_code for _ in range(5)] == [200] * 5
        wait_for(lambda: ready(http), "ready")


@pytest.mark.extra
def test_a_live_log_that_spins_is_given_up_and_others_are_recorded(serve: Callable[..., Server], spins: bytes) -> None:
    server = serve("--workers", "2", "--match-timeout", "4")
    with server.client() as http:
        wait_for(lambda: ready(http), "ready")
        for host, log in (("spins", spins), ("other", OOPS)):
            http.post("/v1/ingest", content=log, params={"host": host}, headers={"Content-Type": "text/plain"})
        wait_for(lambda: "kb_intake_lines_lost 9.0" in http.get("/metrics").text, "its lines are given up")
        wait_for(lambda: len(http.get("/v1/signatures").json()["signatures"]) == 1, "the other is recorded")


def test_more_requests_than_may_wait_are_told_to_come_again(serve: Callable[..., Server]) -> None:
    server = serve("--workers", "1", "--max-waiting", "1", "--match-timeout", "10")
    with server.client() as http:
        wait_for(lambda: ready(http), "ready")
        for pid in server.children():
            os.kill(pid, signal.SIGSTOP)
        with ThreadPoolExecutor(4) as threads:
            codes = [each.result() for each in [threads.submit(http.post, "/v1/match", content=OOPS) for _ in range(4)]]
        assert any(each.status_code == 503 and "wait" in each.json()["detail"] for each in codes)
        assert all("retry-after" in each.headers for each in codes if each.status_code == 503)


def test_requests_in_flight_are_answered_when_the_server_is_told_to_stop(serve: Callable[..., Server]) -> None:
    server = serve("--workers", "2")
    data = (b"[    1.000000] eth0: link up\n" * 70_000) + OOPS
    with server.client() as http, ThreadPoolExecutor(6) as threads:
        wait_for(lambda: ready(http), "ready")
        flying = [threads.submit(http.post, "/v1/match", content=data) for _ in range(6)]
        wait_for(lambda: b"kb_workers_busy 0.0" not in http.get("/metrics").content, "a worker is counted")
        assert server.stop() == 0
        codes = [each.result().status_code for each in flying if each.exception() is None]
    assert codes
    assert set(codes) == {200}


@pytest.mark.extra
def test_what_was_acknowledged_is_in_the_store_whenever_the_server_was_stopped(serve: Callable[..., Server]) -> None:
    server = serve("--workers", "2")
    acknowledged: list[str] = []
    enough = threading.Event()

    def send(sender: int) -> None:
        with server.client() as http:
            for number in range(125):
                try:
                    answered = http.post("/v1/record", content=OOPS, params={"key": f"{sender}-{number}"})
                except httpx.HTTPError:
                    return
                if answered.status_code == 201:
                    acknowledged.append(f"{sender}-{number}")
                if len(acknowledged) > 300:
                    enough.set()

    threads = [threading.Thread(target=send, args=(each,)) for each in range(8)]
    for each in threads:
        each.start()
    enough.wait(300)
    assert server.stop() == 0
    for each in threads:
        each.join()
    with kb.KnowledgeBase(server.db) as base:
        report = next(iter(base.read(OOPS)))
        assert len(acknowledged) > 300
        assert all(not base.record(report, key=f"{name}#1").new for name in acknowledged)
