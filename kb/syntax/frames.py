"""Frames: the entries of a stack trace, out of the tokens of grammars/report.lark."""

import functools
import re
from collections.abc import Mapping

from kb.model.number import number
from kb.model.report import Frame
from kb.syntax.engine import LineToken
from kb.syntax.lines import USUAL, fields, grammar
from kb.syntax.rust import demangled

_MODULE = re.compile(
    r"\[(?P<mod>[A-Za-z_][\w-]*)(?:\([A-Z+-]*\))?(?: (?P<build>[0-9a-f]{16,40}))?(?: ?\([A-Z+-]+\))?\]"
)
_DECODED = re.compile(r"\.(?:[chS]|rs):[\d?]{1,9}(?: \(discriminator \d{1,9}\))?\) (?P<mod>[A-Za-z_][\w-]{0,63})\s?$")
"""The end of a line of scripts/decode_stacktrace.sh: the module stands behind the place, without brackets."""
_SOURCE = re.compile(r"(?P<src>[\w./+-]{1,200}\.(?:[chS]|rs):\d+)")
# gcc: .isra.N .constprop.N .part.N .cold .cold.N; clang: .llvm.N .__uniq.N; LTO: .lto_priv.N; old gcc: .clone.N
_SUFFIX = re.compile(
    r"(?:\.(?:isra|constprop|part|cold|llvm|lto_priv|clone|__uniq|localalias|ipa|resolved)(?:\.\d+)?){1,8}$"
)
_BPF = re.compile(r"^bpf_prog_[0-9a-f]{16}(?![0-9a-zA-Z])")
"""kernel/bpf/core.c bpf_get_prog_name() ``bpf_prog_`` and the program's tag, a hash of its instructions, and a name."""
_BARE = re.compile(r"(?<![\w.$])\d*(?P<fn>[A-Za-z_.$][\w.$]*)\+(?P<off>0x[0-9a-f]{1,16})(?:/0x[0-9a-f]{1,16})?")
_AT = re.compile(r"\bat:? +(?:\[<[^>]{0,40}>\] +)?(?P<fn>[A-Za-z_.$][\w.$]*)\+0x[0-9a-f]+")
_HEX = re.compile(r"(?:0x)?[0-9a-f]{6,16}$")


@functools.lru_cache(maxsize=8192)
def plain(function: str) -> str:
    """A symbol without what the compiler added: ``foo.isra.0.cold`` is ``foo``; Rust symbols are
    demangled; a BPF program loses the tag that every build changes.
    """
    name = _SUFFIX.sub("", function)
    if name.startswith(("_R", "_ZN")):
        return demangled(name)
    if name.startswith("bpf_prog_"):
        return _BPF.sub("bpf_prog", name)
    if name.startswith("."):  # ppc64 ELFv1 entry points
        name = name[1:]
    return name


_ENTRY = re.compile(r"__(?:x64|ia32|arm64|riscv|s390x?|mips|powerpc|loongarch)_(?P<name>(?:compat_)?sys_\w+)$")
_SYSCALL = re.compile(r"(?:compat_)?(?:SyS|SYSC|__(?:se|do)_(?:compat_)?sys|k?sys)_(?P<name>\w+)$")


@functools.lru_cache(maxsize=4096)
def shown(function: str) -> str:
    """A plain symbol as titles name it: system calls without the wrapper that differs by release and architecture.

    The register-argument wrappers of v4.17+ (include/linux/syscalls.h, arch/*/include/asm/syscall_wrapper.h) keep
    ``sys_``: ``__x64_sys_rmdir`` is ``sys_rmdir``. All older names and the bodies inside the wrapper lose it:
    ``SyS_pause`` is ``pause``, ``__se_sys_mremap`` is ``mremap``. So does ``ksys_mount``, the call as kernel code
    makes it.
    """
    entry = _ENTRY.match(function)
    if entry is not None:
        return entry["name"]
    body = _SYSCALL.match(function)
    return body["name"] if body is not None else function


def aliases(function: str) -> tuple[str, ...]:
    """What else a plain symbol is called in titles: as it stood, and half stripped (``sys_mremap``)."""
    name = shown(function)
    if name == function:
        return ()
    half = re.sub(r"^__(?:se|do)_", "", function)
    return tuple(dict.fromkeys(alias for alias in (function, half) if alias != name))


_NAMELESS = re.compile(r"\s*\(?\[<?(?:0x)?(?P<addr>[0-9a-f]{8,16})>?\]\)? (?:\? )?0x[0-9a-f]{6,16}\)?\s*")


def nameless(text: str) -> str | None:
    """The address of an entry as a kernel without symbols (CONFIG_KALLSYMS) prints it: ``[<8011c2f2>] 0x8011c2f2``.

    lib/vsprintf.c symbol_string(): "%pS" is a plain number there.
    """
    found = _NAMELESS.fullmatch(text)
    return found["addr"] if found is not None else None


def is_address(function: str) -> bool:
    """True for an entry whose symbol could not be resolved."""
    return _HEX.match(function) is not None


def frames(token: LineToken) -> tuple[Frame, ...]:
    """The frames that a line of a stack holds; two for the last line of an arm trace, none for a foreign role."""
    read = READERS.get(token.type)
    return read(token) if read is not None else ()


def module_of(tail: str) -> str | None:
    """The ``[module]`` in what stands behind a symbol."""
    found = _MODULE.search(tail) or _DECODED.search(tail)
    return found["mod"] if found and found["mod"] != "inline" else None


def source_of(tail: str) -> str | None:
    """The ``file.c:12`` in what stands behind a symbol of a symbolised log."""
    found = _SOURCE.search(tail)
    return found["src"] if found else None


def from_text(text: str, line: int) -> Frame | None:
    """The frame that stands alone in a text, such as behind "Call Trace:" on the same line."""
    found = _BARE.search(text)
    if found is None:
        return None
    return Frame(found["fn"], number(found["off"], 16), module=module_of(text[found.end() :]), line=line)


def named_at(text: str, line: int) -> Frame | None:
    """The function behind ``at:`` on a line of lockdep's."""
    found = _AT.search(text)
    return Frame(found["fn"], module=module_of(text[found.end() :]), line=line) if found else None


Parts = tuple[str, int | None, int | None, str | None, bool, int | None, str | None, bool]
"""Fields of a frame up to the number of its line."""


def _parts(text: str, got: Mapping[str, str]) -> tuple[Parts, str | None]:
    """What an entry of a stack says by itself, and the build id of its module."""
    tail = got.get("tail", "")
    module = _MODULE.search(tail)
    own = (
        got["fn"],
        number(got["off"], 16),
        number(got.get("size"), 16),
        module_of(tail),
        "unrel" not in got and "? " not in text.split("+", 1)[0] and "(unreliable)" not in tail,
        number(got.get("addr"), 16),
        source_of(tail),
        "[inline]" in tail,
    )
    return own, module["build"] if module else None


@functools.lru_cache(maxsize=4096)
def _usual(text: str) -> tuple[Parts, str | None]:
    """The same by its text: half the lines of a dense log are frames, and most of them stand in many stacks."""
    found = grammar("report").recall(text)
    assert found is not None  # it was asked for by its terminal
    return _parts(text, fields(found[1]))


def _frame(token: LineToken) -> tuple[Frame, ...]:
    text = token.line.text
    own, build = _usual(text) if len(text) <= USUAL else _parts(text, token.fields)
    return (Frame(*own, token.line.number, build),)


def _arm_frame(token: LineToken) -> tuple[Frame, ...]:
    got = token.fields
    return (Frame(function=got["fn"], module=got.get("mod"), line=token.line.number),)


def arm_caller(token: LineToken) -> Frame | None:
    """Who called the function of an arm stack entry: the outermost frame has no line of its own."""
    got = token.fields
    if "caller" not in got:
        return None
    return Frame(
        function=got["caller"],
        offset=number(got.get("off"), 16),
        size=number(got.get("size"), 16),
        module=module_of(got.get("tail", "")),
        line=token.line.number,
    )


def _source_frame(token: LineToken) -> tuple[Frame, ...]:
    got = token.fields
    tail = got.get("tail", "")
    return (
        Frame(
            function=got["fn"],
            module=module_of(tail),
            reliable="unrel" not in got,
            source=got["src"],
            inline="[inline]" in tail,
            line=token.line.number,
        ),
    )


def _decoded_frame(token: LineToken) -> tuple[Frame, ...]:
    got = token.fields
    return (
        Frame(
            function=got["fn"],
            module=got.get("mod"),
            reliable="unrel" not in got,
            source=got["src"],
            line=token.line.number,
        ),
    )


def _crash_frame(token: LineToken) -> tuple[Frame, ...]:
    got = token.fields
    return (Frame(function=got["fn"], module=got.get("mod"), source=got.get("src"), line=token.line.number),)


READERS = {
    "FRAME": _frame,
    "ARM_FRAME": _arm_frame,
    "SOURCE_FRAME": _source_frame,
    "DECODED_FRAME": _decoded_frame,
    "CRASH_FRAME": _crash_frame,
}
