"""Source text is no log: format strings open no report, whatever stands before them; real lines do."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb import api
from kb.model.log import Line
from kb.syntax.formats import is_format

FORMATS = Path(__file__).with_name("formats.txt").read_text().splitlines()
"""Format strings of v6.1, each of which opened a report or is one of a report's first lines."""
LEADS = ("", '\tpr_err("', '+\t\tprintk(KERN_ALERT "', 'mm/x.c:461:\tpr_warn("', "> ")


@pytest.mark.parametrize("lead", LEADS)
def test_format_strings_are_no_report(lead: str) -> None:
    tail = '\\n",' if '"' in lead else ""
    text = "".join(f"{lead}{each}{tail}\n" for each in FORMATS)
    assert [report.headline for report in api.read(text, notices=True)] == []


SOURCE = """\
static void dump_header(struct oom_control *oc, struct task_struct *p)
{
	pr_warn("%s invoked oom-killer: gfp_mask=%#x(%pGg), order=%d, oom_score_adj=%hd\\n",
		current->comm, oc->gfp_mask, &oc->gfp_mask, oc->order,
			current->signal->oom_score_adj);
	if (!IS_ENABLED(CONFIG_COMPACTION) && oc->order)
		pr_warn("COMPACTION is disabled!!!\\n");
	dump_stack();
	pr_err("BUG: KASAN: %s in %pS\\n", bug_type, (void *)ip);
	printk("Call Trace:\\n");
	WARN(1, "refcount_t: underflow; use-after-free.\\n");
	panic("Out of memory: %s panic_on_oom is enabled\\n", "compulsory");
}
"""


@pytest.mark.parametrize("lead", ["", "+", "-", "> ", " 12:"])
def test_source_of_the_kernel_is_no_report(lead: str) -> None:
    assert list(api.read("".join(f"{lead}{line}\n" for line in SOURCE.splitlines()), notices=True)) == []


REAL = (
    "BUG: Bad page state in process %s  pfn:00beef", "INFO: task %d:123 blocked for more than 120 seconds.",
    "watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [a%sb:123]", "BUG: scheduling while atomic: %s/123/0x00000002",
    "%s invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
    "%lu: page allocation failure: order:2, mode:0xcc0(GFP_KERNEL), nodemask=(null)",
    "BUG: using smp_processor_id() in preemptible [00000000] code: %p/321",
    "Kernel panic - not syncing: disk is 90% of its limit", "Kernel panic - not syncing: 100% sure",
    "Kernel panic - not syncing: %eax holds nothing",
)  # fmt: skip


@pytest.mark.parametrize("line", REAL)
def test_a_real_line_is_a_report_whatever_a_process_is_called(line: str) -> None:
    assert len(list(api.read(line + "\n"))) == 1


@given(st.sampled_from("%s %d %u %lu %llu %08lx %#x %hd %pS %pGg %*pbl %px %zu %c %-5s %.3s %5.2d".split()))
def test_conversions_are_known_and_percents_are_not(conversion: str) -> None:
    assert is_format(Line(f"at {conversion}.", 1, 1, b""), {})
    assert not is_format(Line(f"at {conversion.replace('%', '% ')}.", 1, 1, b""), {})
    assert not is_format(Line(conversion.replace("%", ""), 1, 1, b""), {})


@pytest.mark.parametrize("lead", ["[    1.000000] ", "<4>", "Nov 28 17:14:00 db17 kernel: ", "kern  :warn  : "])
def test_what_bears_a_stamp_or_a_level_was_printed(lead: str) -> None:
    assert len(list(api.read(f"{lead}BUG: driver %s has no probe routine\n"))) == 1
