"""A picture of a panic gives its QR code's text; without the extra, or without a code, it is named and no silence."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

import kb
from kb.cli import UNUSABLE, main
from tests.log.containers.test_containers import LOG, PLAIN, QUIET, archive, said
from tests.log.containers.wrappings import qr


def picture(text: str, form: str) -> bytes:
    """A screen with a code in it."""
    zxingcpp = pytest.importorskip("zxingcpp")
    image = pytest.importorskip("PIL.Image")
    code = zxingcpp.write_barcode_to_image(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode), scale=3)
    height, width = memoryview(code).shape
    drawn = image.frombytes("L", (width, height), memoryview(code).tobytes())
    screen = image.new("RGB", (width + 200, height + 100), (0, 0, 90))
    screen.paste(drawn.convert("RGB"), (100, 50))
    out = io.BytesIO()
    screen.save(out, form)
    return out.getvalue()


def address(log: bytes) -> str:
    return "".join(qr(log, "z").decode().split("\n")[1:-2])


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_the_address_in_a_picture_is_read(form: str, tmp_path: Path) -> None:
    (tmp_path / "screen").write_bytes(picture(address(LOG), form))
    found = kb.match(tmp_path / "screen")
    assert said(found) == PLAIN
    assert found[0].report.kernel == "6.10.6"


def test_a_code_without_address_is_the_log(tmp_path: Path) -> None:
    (tmp_path / "screen.png").write_bytes(picture(LOG[:1200].decode(), "PNG"))
    (found,) = kb.match(tmp_path / "screen.png")
    assert (found.report.kind, found.report.comm) == ("oops", "swapper/2")


def test_without_the_extra_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "screen.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    monkeypatch.setitem(sys.modules, "zxingcpp", None)
    assert main(["match", str(tmp_path / "screen.png")]) == UNUSABLE
    assert "kernel-kb[qr]" in capsys.readouterr().err


def test_a_picture_without_a_code_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = pytest.importorskip("PIL.Image")
    pytest.importorskip("zxingcpp")
    image.new("L", (80, 80)).save(tmp_path / "screen.png")
    assert main(["match", str(tmp_path / "screen.png")]) == UNUSABLE
    assert "without a QR code" in capsys.readouterr().err


def test_a_picture_beside_a_log_is_passed_over() -> None:
    assert said(kb.match(archive(("dmesg", LOG), ("logo.png", b"\x89PNG\r\n\x1a\n" + bytes(100))))) == PLAIN
    assert kb.match(archive(("dmesg", QUIET), ("logo.png", b"\x89PNG\r\n\x1a\n" + bytes(100)))) == []
