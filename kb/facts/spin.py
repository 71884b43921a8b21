"""Whether a CPU only spun for a lock: what keeps it is then whoever holds the lock, not the code under the spinning.

Names of slow paths and of the primitives they are inlined into: ``queued_spin_lock_slowpath``
(kernel/locking/qspinlock.c; ``native_`` and ``__pv_`` on x86), ``queued_read_lock_slowpath`` (kernel/locking/qrwlock.c;
``queue_`` to 4.1), ``__ticket_spin_lock`` and ``_raw_spin_lock`` (ticket locks), ``__write_lock_failed`` (x86 to 3.15),
``arch_spin_lock_wait`` (s390), ``__spin_yield`` and ``yield_to_prev`` (powerpc), ``do_raw_spin_lock``
(kernel/locking/spinlock_debug.c), ``osq_lock`` and ``mutex_spin_on_owner`` (mutexes before they sleep).
"""

import re

from kb.facts.finding import spans
from kb.model.report import Report
from kb.model.verdict import Fact
from kb.syntax.frames import plain

_SPINS = re.compile(
    r"(?:_|arch_|do_|raw_|native_|pv_|kvm_|xen_|hv_|ticket_|queued?_|resilient_|mcs_|bit_)*"
    r"(?:spin|read|write|rw)_(?:lock(?!ed|ing_|dep)\w*|yield\w*)"
    r"|(?:kvm|xen)_lock_spinning|yield_(?:to_prev|head_to_locked_owner)|osq_lock|hlist_bl_lock|raw_spin_rq_lock\w*"
    r"|(?:mutex|rwsem|rtmutex)_(?:optimistic_spin|spin_on_owner)"
)
_PAUSES = re.compile(
    r"kvm_wait|xen_(?:qlock_wait|poll_irq\w*)|hv_qlock_wait|_*pv_wait\w*|(?:pv_)?native_(?:safe_)?halt|native_pause"
    r"|(?:arch_)?cpu_relax|rep_nop|_*(?:const_|loop_)?u?delay\w*|_*cmpwait\w*|plpar_hcall\w*|yield_to_preempted"
)
"""What a loop that waits for a lock calls meanwhile."""
_CALLERS = 3


def spin_facts(report: Report) -> dict[str, Fact]:
    """``pc.spins``: of the program counter, or of the stack where no registers were printed; nothing without either."""
    registers = report.registers
    pc = registers.frame if registers is not None else None
    frames = [frame for frame in report.frames if frame.reliable]
    if pc is None:
        inner = frames
    elif _PAUSES.fullmatch(plain(pc.function)):
        inner = [pc, *frames[: _CALLERS + 1]]
    else:
        inner = [pc]
    if not inner:
        return {}
    found = next((frame for frame in inner if _SPINS.fullmatch(plain(frame.function))), None)
    shown = found or inner[0]
    return {"pc.spins": Fact("pc.spins", found is not None, spans([(shown.line, shown.line)] if shown.line else []))}
