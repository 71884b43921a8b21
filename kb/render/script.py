"""Verification steps -> a script that a cautious operator can read before running it."""

import shlex
from collections.abc import Iterable, Iterator

from kb.kernel.release import Release
from kb.kernel.tracing import Probe, probes
from kb.model.case import Step
from kb.model.verdict import Verdict
from kb.render.safe import safe
from kb.syntax.kinds import printing


def script(title: str, kinds: Iterable[str], steps: Iterable[Step], release: Release | None) -> str:
    """A POSIX shell script: gathers what would confirm or rule out into one new folder, changes nothing lasting.

    Args:
        title: What is being verified.
        kinds: Report kinds; allocation kinds add counters and tracepoints.
        steps: The case's own steps; those of other kernels are left out.
        release: The kernel it is for, None where unknown.
    """
    return "\n".join(_lines(title, frozenset(kinds), tuple(steps), release)) + "\n"


def _lines(title: str, kinds: frozenset[str], steps: tuple[Step, ...], release: Release | None) -> Iterator[str]:
    yield "#!/bin/sh"
    yield f"# To verify: {safe(title)}"
    yield f"# Kernel: {safe(release.text) if release else 'unknown (probes that every kernel has)'}"
    yield "# Reads counters and traces into a folder of its own. Tracing is switched off again at the end and on ^C."
    yield "# Give the folder's files to: kb match LOG --context FOLDER/*"
    yield "set -eu"
    yield 'out=$(mktemp -d "${TMPDIR:-/tmp}/kb-verify.XXXXXX")'
    yield "seconds=${1:-60}   # how long to watch"
    if kinds & printing("MEMORY"):
        yield from _allocation(release)
    yield ""
    for step in steps:
        yield from _step(step, release)
    yield 'echo "written to $out"'


def _step(step: Step, release: Release | None) -> Iterator[str]:
    if step.kernel and release is not None and release.within(step.kernel) is Verdict.NO:
        return
    yield f"# expect: {safe(step.expect)}" + (f"; means: {safe(step.means)}" if step.means else "")
    if step.kernel and release is None:
        yield f"# only on kernels {safe(step.kernel)}:"
    # Shown, not run: a case's step may be a sentence or may change the machine. The operator decides.
    yield f"echo {shlex.quote('by hand: ' + safe(step.run))}"
    yield ""


def _allocation(release: Release | None) -> Iterator[str]:
    yield ""
    yield "snapshot() {"
    yield "    for file in vmstat buddyinfo zoneinfo pagetypeinfo; do"
    yield '        cat "/proc/$file" > "$out/$1-$file" 2> /dev/null || true   # pagetypeinfo: root only from v4.15'
    yield "    done"
    yield "}"
    yield 'sysctl vm > "$out/sysctl" 2> /dev/null || true'
    yield "tracing=/sys/kernel/tracing"
    yield '[ -d "$tracing/events" ] || tracing=/sys/kernel/debug/tracing'
    events = list(probes(release))
    have = [probe for probe, there in events if there]
    lack = [probe for probe, there in events if not there and probe.function]
    yield "stop() {"
    yield '    for event in $on; do echo 0 > "$tracing/events/$event/enable"; done'
    if lack:
        yield '    [ -z "$traced" ] || { echo > "$tracing/set_ftrace_filter"; echo nop > "$tracing/current_tracer"; }'
    yield "}"
    yield 'on="" traced=yes'
    yield 'if [ ! -w "$tracing/tracing_on" ]; then'
    yield "    traced="
    yield '    echo "no tracing here (root only, not in most containers): gathers counters for $seconds s" >&2'
    yield "fi"
    yield "trap stop EXIT INT TERM"
    yield 'if [ -n "$traced" ]; then'
    for probe in have:
        yield from _event(probe)
    if lack:
        yield from _functions(lack)
    yield "fi"
    yield "snapshot before"
    yield 'if [ -n "$traced" ]; then timeout "$seconds" cat "$tracing/trace_pipe" > "$out/trace" || true'
    yield 'else sleep "$seconds"; fi'
    yield "snapshot after"


def _event(probe: Probe) -> Iterator[str]:
    path = probe.event.replace(":", "/")
    yield f"# {probe.event}: {probe.shows}"
    switch = f'"$tracing/events/{path}/enable"'
    yield f'if [ -e {switch} ]; then echo 1 > {switch}; on="$on {path}"; fi'


def _functions(lack: list[Probe]) -> Iterator[str]:
    yield "# This kernel may lack events for the following; the function tracer shows the calls instead:"
    for probe in lack:
        yield f"#   {probe.function}: {probe.shows}"
    yield f"for function in {' '.join(probe.function for probe in lack)}; do"
    yield '    echo "$function" >> "$tracing/set_ftrace_filter" 2> /dev/null || true'
    yield "done"
    yield 'echo function > "$tracing/current_tracer"'
