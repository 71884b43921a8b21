"""Symbols to source lines: a report's frames with the file, line and inlined callers that debug information knows.

The ELF symbol table is read by pyelftools (extra ``kernel-kb[symbols]``), the DWARF by binutils' or LLVM's addr2line,
which do in a second what pure Python takes minutes for on a vmlinux. A frame is only annotated when the function's size
in the file is the size that the report prints: another build would give wrong lines without a word.
"""

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from kb.errors import InputError
from kb.model.report import Frame, Report, Trace

_NAME = re.compile(r"[\w-]{0,64}")
"""A module's name as files are looked for by it: log text must be no pattern and no path."""
_TOOLS = ("llvm-addr2line", "addr2line", "eu-addr2line")


@dataclass(frozen=True)
class Binary:
    """One ELF file with debug information: vmlinux or a module."""

    path: Path

    @cached_property
    def functions(self) -> Mapping[str, tuple[tuple[int, int, str], ...]]:
        """Address, size in bytes and section of each function, by name; a static name may stand several times."""
        try:
            from elftools.common.exceptions import ELFError
            from elftools.elf.elffile import ELFFile
        except ImportError as error:
            raise InputError("source lines need pyelftools", help="pip install 'kernel-kb[symbols]'") from error
        found: dict[str, list[tuple[int, int, str]]] = {}
        try:
            with self.path.open("rb") as stream:
                elf = ELFFile(stream)
                table: Any = elf.get_section_by_name(".symtab")
                for symbol in table.iter_symbols() if table is not None else ():
                    entry = symbol.entry
                    if entry["st_info"]["type"] == "STT_FUNC" and isinstance(entry["st_shndx"], int):
                        section = elf.get_section(entry["st_shndx"]).name
                        found.setdefault(symbol.name, []).append((entry["st_value"], entry["st_size"], section))
        except (OSError, ELFError, ValueError, LookupError, AttributeError, MemoryError) as error:  # a damaged file
            raise InputError(
                f"no debug information: {error}", path=str(self.path), help="give a vmlinux or .ko"
            ) from error
        return {name: tuple(places) for name, places in found.items()}

    def place(self, frame: Frame) -> tuple[int, str] | None:
        """Address and section of a frame; None where the file is of another build."""
        places = self.functions.get(frame.function, ())
        fitting = [place for place in places if frame.size is not None and _fits(place[1], frame.size)]
        if len(fitting) != 1 or frame.offset is None:
            return None
        address, _size, section = fitting[0]
        return address + frame.offset, section


def _fits(size: int, printed: int) -> bool:
    """True for a size in the file that explains the printed one: kallsyms has no sizes, the kernel prints the distance
    to the next symbol, padding (up to 64 bytes) included.
    """
    return size <= printed < size + 64


class Symbols:
    """Where debug information is: one vmlinux, and a folder of modules.

    Args:
        vmlinux: The kernel's ELF file with debug information.
        debuginfo: A folder that holds ``vmlinux`` and modules (``name.ko``, ``name.ko.debug``) at any depth.
    """

    def __init__(self, vmlinux: Path | None = None, debuginfo: Path | None = None):
        for path in (vmlinux, debuginfo):
            if path is not None and not path.exists():
                raise InputError("no such file or folder", path=str(path), help="give a vmlinux, or a debuginfo folder")
        self._tool = next((found for tool in _TOOLS if (found := shutil.which(tool))), None)
        if self._tool is None:
            raise InputError("source lines need addr2line", help="apt-get install binutils, or llvm")
        self._folder = debuginfo
        self._binaries: dict[str | None, Binary | None] = {}
        if vmlinux is not None:
            self._binaries[None] = Binary(vmlinux)

    def annotate(self, report: Report) -> Report:
        """The report with source lines on its frames, and the functions that were inlined into each before it."""
        lines = self._lines(frame for trace in report.traces for frame in trace.frames)
        traces = tuple(replace(trace, frames=tuple(_expanded(trace, lines))) for trace in report.traces)
        return replace(report, traces=traces)

    def _lines(self, frames: Iterable[Frame]) -> dict[Frame, list[tuple[str, str]]]:
        """Function and ``file:line`` of each frame, innermost inlined function first."""
        wanted: dict[tuple[Path, str], list[tuple[Frame, int]]] = {}
        for frame in dict.fromkeys(frames):
            binary = self._binary(frame.module)
            place = binary.place(frame) if binary is not None else None
            if binary is not None and place is not None:
                wanted.setdefault((binary.path, place[1]), []).append((frame, place[0]))
        found: dict[Frame, list[tuple[str, str]]] = {}
        for (path, section), places in wanted.items():
            for (frame, _address), answer in zip(places, self._ask(path, section, places), strict=True):
                if answer:
                    found[frame] = answer
        return found

    def _ask(self, path: Path, section: str, places: list[tuple[Frame, int]]) -> Iterator[list[tuple[str, str]]]:
        """addr2line's answers, one list an address: ``fn at file:line``, then ``(inlined by) fn at file:line`` ..."""
        # A stack holds return addresses: the call is the instruction before. Offset 0 is an entry, not a return.
        addresses = [f"{address - (frame.offset != 0):#x}" for frame, address in places]
        run = [str(self._tool), "-e", str(path), "-f", "-i", "-p", "-a"]
        if path.suffix != "" and ".ko" in path.name and "llvm" not in str(self._tool):
            run += ["-j", section]  # modules are relocatable: an address is one within its section
        done = subprocess.run([*run, *addresses], capture_output=True, text=True, errors="replace", check=False)
        answers: list[list[tuple[str, str]]] = []
        for line in done.stdout.splitlines():
            head, colon, rest = line.partition(": ")
            if colon and head.startswith("0x"):
                answers.append([])
                line = rest
            name, at, source = line.strip().removeprefix("(inlined by) ").partition(" at ")
            if at and answers and not source.startswith("?"):
                answers[-1].append((name, source.split(" (")[0]))
        return iter(answers if len(answers) == len(places) else [[] for _ in places])

    def _binary(self, module: str | None) -> Binary | None:
        if module not in self._binaries:
            self._binaries[module] = self._search(module)
        return self._binaries[module]

    def _search(self, module: str | None) -> Binary | None:
        if self._folder is None or not _NAME.fullmatch(module or ""):
            return None
        names = (
            ["vmlinux*"] if module is None else [f"{form}.ko{end}" for form in _forms(module) for end in ("", ".debug")]
        )
        for name in names:
            for path in sorted(self._folder.rglob(name)):
                if path.is_file():
                    return Binary(path)
        return None


def _forms(module: str) -> tuple[str, ...]:
    """A module's name as lsmod has it, and as its file may be spelled (``snd-hda-intel.ko``)."""
    return tuple(dict.fromkeys((module, module.replace("_", "-"), module.replace("-", "_"))))


def _expanded(trace: Trace, lines: Mapping[Frame, list[tuple[str, str]]]) -> Iterator[Frame]:
    """The frames of a stack with their lines, the functions inlined into each before it."""
    for frame in trace.frames:
        answer = lines.get(frame)
        if answer is None:
            yield frame
            continue
        *inlined, own = answer
        for name, source in inlined:
            yield Frame(name, module=frame.module, reliable=frame.reliable, source=source, inline=True, line=frame.line)
        yield replace(frame, source=own[1])
