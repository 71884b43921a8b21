"""``kb inputs``: what is seen of an input, and what could not be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kb.cli import OK, UNUSABLE, main
from tests.log.containers import wrappings
from tests.log.containers.test_containers import LOG, archive


def test_members_are_listed_with_their_roles_and_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.tar"
    sysctl = b"vm.min_free_kbytes = 4242\nvm.swappiness = 60\n"
    path.write_bytes(
        archive(("s/dmesg", LOG), ("s/sysctl_-a", sysctl), ("s/etc/motd", b"hello\n"), ("s/sh", b"\x7fELF"))
    )
    assert main(["inputs", "--json", str(path)]) == OK
    told = capsys.readouterr()
    rows = [json.loads(line) for line in told.out.splitlines()]
    assert [(row["name"].partition("!")[2], row["role"], row["lines"], len(row["reports"])) for row in rows] == [
        ("s/dmesg", "log", LOG.count(b"\n"), 2), ("s/sysctl_-a", "sysctl", 2, 0), ("s/etc/motd", "text", 1, 0)
    ]  # fmt: skip
    assert (rows[0]["schema"], rows[0]["transport"], rows[0]["encoding"]) == ("kb.input/1", "printk", "utf-8")
    assert f"{path}!s/sh" in told.err


def test_what_could_not_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(archive(("dmesg", LOG), ("kern.log.lz4", b"\x04\x22\x4d\x18xxxx")))
    assert main(["inputs", str(path)]) == UNUSABLE
    assert f"{path}!kern.log.lz4" in capsys.readouterr().err


def test_the_address_of_a_panic_is_an_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(wrappings.qr(LOG, "z"))
    assert main(["inputs", "-v", str(path)]) == OK
    told = capsys.readouterr().out
    assert f"{path}!qr1: text, transport printk" in told
    assert "try_to_wake_up (oops)" in told


def test_twice_verbose_tells_why_lines_were_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two = b"".join(
        b"[    1.00000%d][ C%d] WARNING: CPU: %d PID: 9 at a.c:1 foo+0x1/0x2\n" % (cpu, cpu, cpu) for cpu in (1, 2)
    )
    body = b"".join(b"[    1.000003] Call Trace:\n[    1.000004]  bar%d+0x1/0x20\n" % number for number in (1, 2))
    (tmp_path / "a.log").write_bytes(two.replace(b"[ C1]", b"").replace(b"[ C2]", b"") + body)
    assert main(["inputs", "-vv", str(tmp_path / "a.log")]) == OK
    assert "gets it" in capsys.readouterr().out
