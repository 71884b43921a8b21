"""Source lines come from debug information of the same build, or not at all."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from kb.errors import InputError
from kb.model.report import Frame, Report, Trace
from kb.symbols import Binary, Symbols

pytest.importorskip("elftools", reason="pyelftools is not installed")
pytestmark = pytest.mark.skipif(
    not (shutil.which("gcc") and shutil.which("addr2line")), reason="no gcc and addr2line to make a sample with"
)
CODE = """\
volatile int sink;
static inline __attribute__((always_inline)) void inner(int n) {
    sink = n;
    __builtin_trap();
}
__attribute__((noinline)) void outer(int n) {
    sink = 1;
    inner(n);
}
int main(void) { outer(3); return 0; }
"""


@pytest.fixture(scope="module")
def vmlinux(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("build")
    (folder / "sample.c").write_text(CODE)
    subprocess.run(["gcc", "-g", "-O1", "-o", "vmlinux", "sample.c"], cwd=folder, check=True)
    return folder / "vmlinux"


def report(*frames: Frame) -> Report:
    return Report("-", (), "oops", None, "", 0, "", traces=(Trace("main", "Call Trace:", frames, 0),))


def outer(vmlinux: Path, offset: int, *, grown: int = 0) -> Frame:
    ((_address, size, _section),) = Binary(vmlinux).functions["outer"]
    return Frame("outer", offset, size + grown, line=7)


def test_a_frame_gets_its_line_and_the_functions_inlined_there(vmlinux: Path) -> None:
    ((_address, size, _section),) = Binary(vmlinux).functions["outer"]
    found = Symbols(vmlinux).annotate(report(outer(vmlinux, size - 1)))
    inlined, own = found.frames
    assert (inlined.function, inlined.inline, inlined.line) == ("inner", True, 7)
    assert (own.function, own.inline) == ("outer", False)
    assert str(inlined.source).endswith("sample.c:4")
    assert str(own.source).endswith("sample.c:8")


def test_a_function_of_another_size_is_of_another_build_and_left_alone(vmlinux: Path) -> None:
    frame = outer(vmlinux, 4, grown=4096)
    assert Symbols(vmlinux).annotate(report(frame)).frames == (frame,)


def test_unknown_functions_and_modules_are_left_alone(vmlinux: Path) -> None:
    frames = (Frame("nowhere", 1, 2), Frame("outer", 1, 2, module="absent"))
    assert Symbols(vmlinux).annotate(report(*frames)).frames == frames


def test_a_folder_is_searched_for_the_kernel(vmlinux: Path) -> None:
    found = Symbols(debuginfo=vmlinux.parent).annotate(report(outer(vmlinux, 4)))
    assert "sample.c:" in str(found.frames[-1].source)


def test_a_file_without_symbols_is_an_error_that_says_where(tmp_path: Path) -> None:
    place = tmp_path / "vmlinux"
    place.write_text("not an ELF file")
    with pytest.raises(InputError) as raised:
        Symbols(place).annotate(report(Frame("outer", 1, 2)))
    assert raised.value.path == str(place)
    with pytest.raises(InputError):
        Symbols(tmp_path / "absent")


@pytest.mark.parametrize("module", ["*", "../../etc/passwd", "/etc/passwd", "a" * 5000, "[", ""])
def test_a_module_s_name_is_no_pattern_and_no_path(module: str, vmlinux: Path) -> None:
    (vmlinux.parent / "foo.ko").write_bytes(vmlinux.read_bytes())
    frame = replace(outer(vmlinux, 4), module=module)
    found = Symbols(debuginfo=vmlinux.parent).annotate(report(frame))
    assert found.frames[-1].source is None
