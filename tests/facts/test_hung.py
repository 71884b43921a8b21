"""Who waits for whom; our own logs, and reports after the print functions of kernel/hung_task.c and lockdep.c."""

from pathlib import Path

from kb import api
from kb.model.verdict import Diagnosis

NAMES = ("waits_for", "waited_seconds", "owner", "owner_pid", "owner_as", "lock_waited", "lock_holders")

TASK = """\
INFO: task foo:777 blocked for more than 120 seconds.
      Not tainted 6.17.0 #1
"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.
task:foo             state:D stack:0     pid:777   tgid:777   ppid:1      flags:0x00004002
Call Trace:
 <TASK>
 __schedule+0x351/0xa20
 schedule+0x5d/0xe0
{wait} foo_commit+0x2b/0x90
 foo_sync+0x11/0x20
 </TASK>
{more}"""
MUTEX = " schedule_preempt_disabled+0x18/0x30\n __mutex_lock.constprop.0+0x3a0/0x700\n"
WRITER = " schedule_preempt_disabled+0x18/0x30\n rwsem_down_write_slowpath+0x2a0/0x700\n"
OWNER = """\
INFO: task foo:777 is blocked on a mutex likely owned by task bar:12.
task:bar             state:S stack:0     pid:12    tgid:12    ppid:1      flags:0x00004002
Call Trace:
 <TASK>
 __schedule+0x351/0xa20
 schedule+0x5d/0xe0
 bar_wait_hw+0x11/0x20
 </TASK>
"""
LOCKS = """\

Showing all locks held in the system:
1 lock held by khungtaskd/30:
 #0: ffffffff8c91f860 (rcu_read_lock){....}-{1:2}, at: debug_show_all_locks+0x53/0x260
2 locks held by foo/777:
 #0: ffff888001230010 (sb_writers#3){.+.+}-{0:0}, at: foo_sync+0x11/0x20
 #1: ffff8880012300a8 (&f->lock){+.+.}-{3:3}, at: foo_commit+0x2b/0x90
2 locks held by bar/12:
 #0: ffff8880012300a8 (&f->lock){+.+.}-{3:3}, at: bar_start+0x11/0x20
 #1: ffff8880012400a8 (&hw->lock){+.+.}-{3:3}, at: bar_wait_hw+0x11/0x20
"""


def diagnose(wait: str, more: str = "") -> Diagnosis:
    return api.match(TASK.format(wait=wait, more=more), cases=())[0]


def facts(found: Diagnosis, *names: str) -> dict[str, object]:
    return {name: fact.value for name in names or NAMES if (fact := found.facts.get(name)) is not None}


def why(found: Diagnosis) -> tuple[str, str]:
    (reason,) = (reason for reason in found.facts.reasoning if " waits " in reason.claim)
    return reason.claim, reason.because


def test_the_stack_tells_what_is_waited_for() -> None:
    found = diagnose(MUTEX)
    assert facts(found) == {"waits_for": "mutex", "waited_seconds": 120}
    assert why(found) == ("foo:777 waits more than 120 s for a mutex", "")
    assert found.facts.values["waits_for"].evidence == ((10, 10),)
    assert facts(diagnose(WRITER))["waits_for"] == "rw-semaphore, as writer"
    io = " io_schedule+0x16/0x40\n folio_wait_bit_common+0x13d/0x350\n"
    assert facts(diagnose(io))["waits_for"] == "page or folio"
    assert facts(diagnose(" io_schedule+0x16/0x40\n"))["waits_for"] == "I/O"


def test_a_wait_of_the_caller_is_not_the_wait() -> None:
    found = api.match(TASK.format(wait="", more="").replace("foo_sync+0x11", "mutex_lock+0x11"), cases=())[0]
    assert facts(found) == {"waited_seconds": 120}


def test_the_kernels_own_word_on_the_owner_stands() -> None:
    found = diagnose(MUTEX, OWNER)
    assert facts(found) == {"waits_for": "mutex", "waited_seconds": 120, "owner": "bar", "owner_pid": 12}
    assert why(found)[1].startswith("bar:12 holds it")
    assert why(found)[1].endswith("look at that task")


def test_readers_and_writers_are_told() -> None:
    line = "INFO: task foo:777 <writer> blocked on an rw-semaphore likely owned by task kworker/u16:0:12 <reader>\n"
    assert facts(diagnose(WRITER, line)) == {
        "waits_for": "rw-semaphore, as writer",
        "waited_seconds": 120,
        "owner": "kworker/u16:0",
        "owner_pid": 12,
        "owner_as": "reader",
    }


def test_an_owner_that_is_not_found_is_not_made_up() -> None:
    found = diagnose(MUTEX, "INFO: task foo:777 is blocked on a mutex, but the owner is not found.\n")
    assert facts(found) == {"waits_for": "mutex", "waited_seconds": 120}
    assert why(found)[1] == "the kernel found no owner"


def test_the_list_of_all_locks_tells_the_holder() -> None:
    found = diagnose(MUTEX, LOCKS)
    assert facts(found) == {
        "waits_for": "mutex",
        "waited_seconds": 120,
        "lock_waited": "&f->lock",
        "lock_holders": ("bar/12",),
    }
    assert why(found) == (
        "foo:777 waits more than 120 s for a mutex (&f->lock)",
        "bar/12 has it: look at that task",
    )
    assert found.facts.values["locks_held"].value == (
        "khungtaskd/30: rcu_read_lock",
        "foo/777: sb_writers#3",
        "foo/777: &f->lock",
        "bar/12: &f->lock",
        "bar/12: &hw->lock",
    )


def test_two_that_have_the_lock_last_may_both_be_waiting() -> None:
    third = "1 lock held by baz/13:\n #0: ffff8880012300a8 (&f->lock){+.+.}-{3:3}, at: baz+0x1/0x2\n"
    waiting = LOCKS.replace(" #1: ffff8880012400a8 (&hw->lock){+.+.}-{3:3}, at: bar_wait_hw+0x11/0x20\n", "") + third
    assert "lock_holders" not in facts(diagnose(MUTEX, waiting.replace("2 locks held by bar", "1 lock held by bar")))


def test_our_own_hung_tasks(corpus: Path) -> None:
    found = api.match(corpus / "vm/100-hung-task-61.log", cases=())
    assert [facts(one).get("waits_for") for one in found[:3]] == ["time to pass", "mutex", "completion"]
    slow = api.match(corpus / "vm/137-slow-disk-hung-61.log", cases=())
    # folio_wait_writeback under ext4_sync_file and sync_inodes_sb, bit_wait_io under jbd2_write_superblock
    assert [facts(one).get("waits_for") for one in slow[:3]] == ["writeback", "writeback", "I/O"]


def test_reports_cut_anywhere_say_less_and_never_raise() -> None:
    lines = TASK.format(wait=MUTEX, more=OWNER + LOCKS).splitlines(keepends=True)
    for end in range(1, len(lines)):
        api.match("".join(lines[:end]).encode(), cases=())
