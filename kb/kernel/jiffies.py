"""How long so many jiffies of an RCU stall are, though no log prints HZ.

kernel/rcu/tree_stall.h rcu_jiffies_till_stall_check() (v6.12): a stall is told once CONFIG_RCU_CPU_STALL_TIMEOUT
seconds are over (21 by default, 60 in kernels to 3.9 and of RHEL; 100 and 120 where fuzzers run), and 5 more with
CONFIG_PROVE_RCU. The first report comes within a moment of that, so most numbers fit one HZ only.
"""

RATES = (100, 250, 300, 1000)
"""kernel/Kconfig.hz."""
_TIMEOUTS = tuple(sorted({base + more for base in (21, 60, 100, 120) for more in (0, 5)}))
_MOMENT = 0.6
"""Seconds within which the tick that finds the stall comes."""


def rate(jiffies: int) -> int | None:
    """The HZ at which so many jiffies are one of the times at which stalls are told; None where none or several fit."""
    fitting = [hz for hz in RATES if any(0 <= jiffies / hz - timeout <= _MOMENT for timeout in _TIMEOUTS)]
    return fitting[0] if len(fitting) == 1 else None
