"""Splats out of lines: by caller id, by headline, by time; what is no report opens none."""

from kb.log.reader import Reader
from kb.model.log import Line, Splat
from kb.split.machines import Machines
from kb.split.splitter import Splitter
from kb.split.windows import split, split_lines
from kb.syntax import engine


def lines(*rows: str) -> list[Line]:
    """Rows ``[time] [caller] text`` as lines; a row without them is a bare text."""
    made = []
    for number, row in enumerate(rows, 1):
        time, caller, text = None, None, row
        if row.startswith("["):
            stamp, _, text = row[1:].partition("] ")
            words = stamp.split()
            time = float(words[0])
            caller = words[1] if len(words) > 1 else None
        made.append(Line(text, number, number, row.encode(), time, None, caller))
    return made


def splats(*rows: str) -> list[Splat]:
    return list(split_lines(lines(*rows)))


def numbers(splat: Splat) -> list[int]:
    return [line.number for line in splat.lines]


TWO_CALLERS = (
    "[1.0 T57] ------------[ cut here ]------------",
    "[1.0 T58] ------------[ cut here ]------------",
    "[1.1 T57] WARNING: CPU: 0 PID: 57 at foo.c:1 foo_a+0x1/0x2",
    "[1.1 T58] WARNING: CPU: 1 PID: 58 at foo.c:2 foo_b+0x1/0x2",
    "[1.2 T58] Call Trace:",
    "[1.2 T57] Call Trace:",
    "[1.3 T58]  foo_b_caller+0x1/0x2",
    "[1.3 T57]  foo_a_caller+0x1/0x2",
)


def test_two_reports_are_told_apart_by_their_callers() -> None:
    first, second = splats(*TWO_CALLERS)
    assert numbers(first) == [1, 3, 6, 8]
    assert numbers(second) == [2, 4, 5, 7]


def test_a_one_line_report_leaves_the_report_around_it_open() -> None:
    found = splats(
        "[1.0] INFO: task foo:1 blocked for more than 120 seconds.",
        "[1.0] Call Trace:",
        "[1.0]  schedule+0x1/0x2",
        "[1.1] unregister_netdevice: waiting for lo to become free. Usage count = 6",
        "[1.2]  foo_wait+0x1/0x2",
    )
    assert sorted(map(numbers, found)) == [[1, 2, 3, 5], [4]]


def test_a_pause_ends_a_report() -> None:
    found = splats(
        "[1.0] BUG: Bad page state in process foo  pfn:1",
        "[1.0] Call Trace:",
        "[1.0]  foo+0x1/0x2",
        "[90.0]  bar+0x1/0x2",
    )
    assert [numbers(splat) for splat in found] == [[1, 2, 3]]


def test_time_that_runs_backwards_ends_nothing() -> None:
    found = splats(
        "[76.8] BUG: using smp_processor_id() in preemptible [00000000] code: foo/1",
        "[35.1] caller is foo+0x1/0x2",
        "[35.1] Call Trace:",
        "[35.1]  foo+0x1/0x2",
    )
    assert [numbers(splat) for splat in found] == [[1, 2, 3, 4]]


def test_a_panic_joins_the_warning_whose_stack_is_not_printed_yet() -> None:
    (found,) = splats(
        "------------[ cut here ]------------",
        "WARNING: CPU: 0 PID: 1 at foo.c:1 foo+0x1/0x2",
        "Kernel panic - not syncing: panic_on_warn set ...",
        "Call Trace:",
        " foo+0x1/0x2",
    )
    assert numbers(found) == [1, 2, 3, 4, 5]
    assert found.lines[found.opener].number == 2


def test_the_stack_of_who_disabled_preemption_is_not_the_reports_own() -> None:
    (found,) = splats(
        "BUG: scheduling while atomic: foo/1/0x00000002",
        "Preemption disabled at:",
        " [<ffffffff81000000>] foo_begin+0x1/0x2",
        "Kernel panic - not syncing: scheduling while atomic",
        "Call Trace:",
        " __schedule_bug+0x1/0x2",
        " foo_sleep+0x1/0x2",
    )
    assert numbers(found) == [1, 2, 3, 4, 5, 6, 7]


def test_a_boot_ends_what_is_open() -> None:
    report = ("BUG: Bad page state in process foo  pfn:1", "Call Trace:", " a+0x1/0x2")
    found = splats(*report, "Linux version 6.1.0", " b+0x1/0x2")
    assert [numbers(splat) for splat in found] == [[1, 2, 3]]


def test_stacks_that_somebody_asked_for_are_no_report() -> None:
    asked = ("sysrq: Show backtrace of all active CPUs", "NMI backtrace for cpu 0", "Call Trace:", " foo+0x1/0x2")
    dump = ("task:foo             state:S stack:0     pid:1     ppid:0      flags:0x0", "Call Trace:", " foo+0x1/0x2")
    injected = ("FAULT_INJECTION: forcing a failure.", "CPU: 0 PID: 1 Comm: foo Not tainted 6.1.0 #1", "Call Trace:")
    assert splats(*asked) == []
    assert splats(*injected, " should_fail_ex+0x1/0x2") == []
    assert splats(*dump) == []


def test_a_stack_without_headline_is_kept() -> None:
    (found,) = splats("Call Trace:", " foo+0x1/0x2", " bar+0x1/0x2")
    assert numbers(found) == [1, 2, 3]


def test_thirty_foreign_lines_before_the_stack_do_not_end_a_report() -> None:
    foreign = [f"eth0: link is up, attempt {number}" for number in range(30)]
    (found,) = splats("BUG: Bad page state in process foo  pfn:1", *foreign, "Call Trace:", " foo+0x1/0x2")
    assert found.lines[-1].text == " foo+0x1/0x2"


def test_a_report_of_fifty_thousand_lines_is_one_splat() -> None:
    head = engine.split("BUG: Bad page state in process foo  pfn:1\nCall Trace:\n" + " foo+0x1/0x2\n" * 50_000)
    (found,) = split_lines(head)
    assert len(found.lines) == 50_002


def test_a_pause_of_the_input_ends_what_is_open() -> None:
    stream = [*lines("BUG: Bad page state in process foo  pfn:1", "Call Trace:", " foo+0x1/0x2"), None]
    assert [numbers(splat) for splat in split_lines(stream)] == [[1, 2, 3]]


def test_a_stack_without_headline_takes_what_says_who_ran() -> None:
    registers = [f"[1.0] R{n:02}: 0000000000000000 R{n + 1:02}: 0000000000000000" for n in range(8, 15)]
    (found,) = splats(
        "[1.0] usb 1-1: new high-speed USB device",
        "[1.0] CPU: 73 PID: 341283 Comm: kworker/u514:2 Not tainted 6.9.0 #1",
        "[1.0] Hardware name: Foo/Bar, BIOS 2.13.3 09/12/2023",
        "[1.0] RIP: 0010:native_queued_spin_lock_slowpath+0x86/0x300",
        *registers,
        "[1.0] Call Trace:",
        "[1.0]  _raw_spin_lock+0x2d/0x40",
        "[1.0]  foo_work+0x38/0x1e0",
    )
    assert numbers(found) == list(range(2, 15))


def test_many_lines_of_a_page_in_one_physical_line_are_one_line_before_a_report() -> None:
    page = [line._replace(number=1, last=1, continued=n > 0) for n, line in enumerate(lines(*["prose"] * 40))]
    machines = Machines("-")
    for line in page:
        machines.feed(line)
    assert machines.idle == 1


def test_of_more_callers_than_a_machine_has_cpus_the_oldest_report_ends() -> None:
    splitter = Splitter("-")
    rows = lines(*(f"[1.0 T{n}] WARNING: CPU: 1 PID: {n} at foo.c:1 foo+0x1/0x2" for n in range(600)))
    ended = [splat for line in rows for splat in splitter.feed(line)]
    assert [splat.lines[0].caller for splat in ended] == [f"T{n}" for n in range(88)]  # 600 - 512
    assert {str(splat.truncated) for splat in ended} == {"too many reports at once"}


def test_a_report_whose_caller_is_silent_ends_when_ten_seconds_have_passed() -> None:
    splitter = Splitter("-")
    first, second, early, late = lines(
        "[10.0 T1] WARNING: CPU: 1 PID: 1 at foo.c:1 foo_a+0x1/0x2",
        "[15.0 T2] WARNING: CPU: 2 PID: 2 at foo.c:2 foo_b+0x1/0x2",
        "[19.9 T3] usb 1-1: new device",
        "[20.5 T3] usb 1-1: new device",
    )
    assert [splitter.feed(line) for line in (first, second, early)] == [[], [], []]
    assert [splat.lines[0].caller for splat in splitter.feed(late)] == ["T1"]


def test_reports_that_end_in_any_order_are_told_in_the_order_of_their_headlines() -> None:
    rows = lines(
        "[1.0 T1] WARNING: CPU: 1 PID: 1 at foo.c:1 foo_a+0x1/0x2",
        *(f"[1.{n:03} T2] INFO: task foo:{n} blocked for more than 120 seconds." for n in range(50)),
        *(f"[1.{n:03} T3] INFO: task foo:{n} blocked for more than 120 seconds." for n in range(50)),
    )
    splats = [splat for splat in split([(1, iter(rows))], "-") if splat is not None]
    assert [splat.lines[splat.opener].number for splat in splats] == list(range(1, 102))


def test_where_a_window_ends_has_no_part_in_what_a_report_is() -> None:
    """A candidate that is none opens a window, which ends between the marks of a report and its headline."""
    head = "------------[ cut here ]------------\nWARNING: CPU: 0 PID: 1 at foo.c:1 foo+0x1/0x2\n"
    report = head + "Call Trace:\n foo_a+0x1/0x2\n"
    for quiet in range(20):
        log = "what follows will trigger a WARN_ON():\n" + "eth0: link is up\n" * quiet + report
        (found,) = (splat for splat in split(Reader(log.encode()).windows(), "-") if splat is not None)
        assert numbers(found) == [quiet + 2, quiet + 3, quiet + 4, quiet + 5]


def test_a_memory_state_is_a_report_where_messages_before_it_were_lost() -> None:
    state = ("Mem-Info:", "active_anon:31 inactive_anon:1 isolated_anon:0", "Node 0 DMA free:15904kB min:64kB low:80kB")
    for lost in ("Missed 4505 kernel messages", "** 12 printk messages dropped **"):
        (found,) = splats(lost, "Journal started", *state)
        assert [line.text for line in found.lines][-3:] == list(state)
    assert splats("low file detected : 4516kB < 307200KB", *state) == []  # a vendor's watcher, or a key
    assert splats("Missed 3 kernel messages", "sysrq: Show Memory", *state) == []
    (kill,) = splats(*state, "Out of memory: Killed process 300 (java) total-vm:1000kB, anon-rss:900kB, file-rss:0kB")
    assert numbers(kill) == [1, 2, 3, 4]
    (failure,) = splats("cat: page allocation failure: order:3, mode:0x20", "Call Trace:", " foo+0x1/0x2", *state)
    assert numbers(failure) == [1, 2, 3, 4, 5, 6]


def test_what_names_a_memory_state_in_a_sentence_is_no_report() -> None:
    assert splats("look at Mem-Info: it tells which zone was short", "my Mem-Info:") == []
