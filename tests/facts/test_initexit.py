"""How process 1 ended, by the exit code of the panic."""

from __future__ import annotations

import pytest

from kb import api
from kb.render.text import to_text


@pytest.mark.parametrize(
    ("code", "fact", "value", "said"),
    [
        ("0x00000700", "init_status", 7, "process 1 exited with status 7"),
        ("0x00007f00", "init_status", 127, "a library, loader or program is missing"),
        ("0x00000000", "init_status", 0, "came to its end"),
        ("0x0000000b", "init_signal", "SIGSEGV", "process 1 was killed by SIGSEGV"),
        ("0x0000008b", "init_signal", "SIGSEGV", "process 1 was killed by SIGSEGV"),
        ("0x00000009", "init_signal", "SIGKILL", "somebody killed it"),
        ("0x00000023", "init_signal", "35", "process 1 was killed by signal 35"),
    ],
)
def test_an_exit_code_is_decoded(code: str, fact: str, value: object, said: str) -> None:
    (found,) = api.match(f"[    5.7] Kernel panic - not syncing: Attempted to kill init! exitcode={code}\n".encode())
    assert found.facts.values[fact].value == value
    assert said in " ".join(to_text(found).split())


@pytest.mark.parametrize("what", ["Attempted to kill init!", "Fatal exception", "VFS: Unable to mount root fs"])
def test_without_a_code_nothing_is_said(what: str) -> None:
    (found,) = api.match(f"[    5.7] Kernel panic - not syncing: {what}\n".encode())
    assert {"init_status", "init_signal"}.isdisjoint(found.facts.values)
