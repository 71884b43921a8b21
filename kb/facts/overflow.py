"""A kernel stack that overflowed: how large it was, how far it ran over, and what recursed."""

import re
from collections import Counter

from kb.facts.finding import Finding, at, spans
from kb.model.report import Report
from kb.syntax.frames import plain
from kb.words.speak import said

_RECURSION = 6
"""Times that a function stands in a stack before it is called recursion."""
# arch/x86/mm/fault.c, traps.c handle_stack_overflow() "BUG: %s stack guard page was hit at %p (stack is %p..%p)"
_STACK = re.compile(r"hit at (?P<at>[0-9a-f]{8,16}) \(stack is (?P<low>[0-9a-f]{8,16})\.\.(?P<high>[0-9a-f]{8,16})\)")


# arch/arm64/kernel/traps.c panic_bad_stack() and arch/riscv: "FAR: 0x%016lx", "Task stack:     [0x%016lx..0x%016lx]"
_FAR = re.compile(r"\s*FAR: 0x(?P<at>[0-9a-f]{8,16})")
_TASK_STACK = re.compile(r"\s*Task stack: +\[0x(?P<low>[0-9a-f]{8,16})\.\.0x(?P<high>[0-9a-f]{8,16})\]")


def overflow_facts(report: Report) -> Finding:
    """``stack_kb`` and ``recursion`` of a stack that overflowed; nothing for other reports of the same kinds."""
    out = Finding()
    if report.kind == "panic" and report.subtype != "stack-overflow":
        return out
    found = _STACK.search(report.headline)
    where = at(report)
    numbers = found.groupdict() if found is not None else {}
    for line in report.lines[:64] if found is None else ():
        if (told := _FAR.match(line.text) or _TASK_STACK.match(line.text)) is not None:
            numbers |= told.groupdict()
            where = spans((*where, (line.number, line.number)))
    if len(numbers) == 3:
        hit, low, high = (int(numbers[name], 16) for name in ("at", "low", "high"))
        size = (high - low + 1023) // 1024
        out.add("stack_kb", size if 0 < size <= 1024 else None, where)
        if 0 < low - hit <= 1 << 16 and "stack_kb" in out.values:
            claim = said("stack.overflowed", stack_kb=size, below_bytes=low - hit)
            out.say(claim, (said("stack.deep_or_large"),), where)
    _recursion(report, out)
    return out


def _recursion(report: Report, out: Finding) -> None:
    frames = [frame for frame in report.frames if frame.reliable]
    counts = Counter(plain(frame.function) for frame in frames)
    often = [name for name, count in counts.most_common(4) if count >= _RECURSION and count * 8 >= len(frames)]
    if not often:
        return
    lines = [frame.line for frame in frames if plain(frame.function) in often]
    where = spans([(min(lines), max(lines))])
    out.add("recursion", tuple(often), where)
    why = said("stack.times_printed", times=counts[often[0]])
    out.say(said("stack.recursed", functions=often), (why,), where)
