"""Stacks that a debugger printed: one is a report where the kernel went down in it."""

from kb.model.report import Report

_DOWN = frozenset(
    "machine_kexec __machine_kexec machine_kdump crash_kexec __crash_kexec crash_setup_regs panic vpanic oops_end die "
    "sysrq_handle_crash xmon_core".split()
)
"""Who takes the kernel down (kernel/crash_core.c, kernel/panic.c, arch/*/kernel/machine_kexec*.c)."""


def bystander(report: Report) -> bool:
    """Whether a report is the stack of a task that only ran, or slept, when the dump was made (``bt -a``)."""
    return report.kind == "debugger" and not any(
        frame.function in _DOWN for trace in report.traces for frame in trace.frames
    )
