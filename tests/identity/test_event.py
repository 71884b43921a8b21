"""What is the same event, and what is not, by source, host, time and text."""

from dataclasses import replace

import pytest

from kb import api
from kb.identity.event import event
from kb.model.report import Report
from kb.words.speak import said


def log(function: str = "foo_a", pid: int = 7, time: str = "7.250000", more: str = "") -> bytes:
    stamp = f"[{time:>12}] " if time else ""
    lines = [
        f"WARNING: CPU: 0 PID: {pid} at a/b.c:3 {function}+0x1/0x2 [foo]", "Modules linked in: foo",
        "CPU: 0 PID: 7 Comm: x Not tainted 6.1.0 #1", "Hardware name: y", f"RIP: 0010:{function}+0x1/0x2 [foo]",
        "Code: 00", "RSP: 0018:0", "RAX: 0", "RDX: 0", "Call Trace:", f" {function}+0x1/0x2 [foo]", " foo_top+0x1/0x2",
        *more.splitlines(),
    ]  # fmt: skip
    return "".join(f"{stamp}{line}\n" for line in lines).encode()


def report(*args: object, **more: object) -> Report:
    (found,) = api.read(log(*args, **more))  # type: ignore[arg-type]
    return found


ONE = report()
NAME = event(ONE, "ticket:1", "db17")


def test_the_same_report_has_the_same_name_however_often_it_is_read() -> None:
    assert event(report(), "ticket:1", "db17") == NAME


@pytest.mark.parametrize(
    "other",
    [
        event(ONE, "ticket:2", "db17"),
        event(ONE, "ticket:1", "db18"),
        event(ONE, "ticket:1", None),
        event(report(time="7.250001"), "ticket:1", "db17"),
        event(report("foo_b"), "ticket:1", "db17"),
        event(report(pid=8), "ticket:1", "db17"),
    ],
    ids=["source", "host", "no host", "time", "function", "task"],
)
def test_another_source_host_time_or_text_is_another_event(other: str) -> None:
    assert other != NAME


def test_fields_do_not_run_into_each_other() -> None:
    assert event(ONE, "a', 'b", None) != event(ONE, "a", "b")


def test_with_a_time_a_report_that_was_read_half_is_the_same_event() -> None:
    (half,) = api.read(b"".join(log().splitlines(keepends=True)[:9]))
    assert half.title == ONE.title
    assert event(half, "ticket:1", "db17") == NAME


def test_what_kb_makes_of_it_is_no_part_of_it() -> None:
    damage = (said("damage.no_stack"),)
    renamed = replace(ONE, title="WARNING in bar", function="bar", kind="other", kernel="9.9", damage=damage)
    assert event(renamed, "ticket:1", "db17") == NAME


def test_standard_input_is_no_source_so_the_whole_text_counts() -> None:
    """A second boot may print the same headline at the same time."""
    boots = [event(report(more=text), "-", None) for text in ("", " foo_a+0x9/0x9 [foo]", " foo_b+0x9/0x9 [foo]")]
    assert len(set(boots)) == 3
    assert event(report(), "-", None) == boots[0]


def test_a_boot_id_tells_boots_apart_where_the_transport_has_one() -> None:
    lines = [tuple(line._replace(boot=boot) for line in ONE.lines) for boot in ("b1", "b2", "b1")]
    names = [event(replace(ONE, lines=each), "ticket:1", "db17") for each in lines]
    assert (names[0] == names[2], names[0] == names[1]) == (True, False)


def test_the_transport_makes_no_difference() -> None:
    bare = log(time="")
    printed = [
        b"".join(prefix + line for line in bare.splitlines(keepends=True))
        for prefix in (b"[    7.250000] ", b"<4>[    7.250000] ", b"Jan  2 03:04:05 db17 kernel: [    7.250000] ")
    ]
    names = {event(found, "ticket:1", "db17") for text in printed for found in api.read(text)}
    assert len(names) == 1


def test_without_a_time_the_text_and_the_place_among_equals_decide() -> None:
    timeless = b"---[ end trace ]---\n".join([log(time=""), log(pid=8, time=""), log(time=""), b""])
    names = [event(found, "ticket:1", None) for found in api.read(timeless)]
    assert len(set(names)) == 3
    assert names == [event(found, "ticket:1", None) for found in api.read(b"eth0: link up\n" + timeless)]


def test_a_notice_is_the_same_event_when_more_of_it_came() -> None:
    line = b"[    %d.000000] nf_conntrack: nf_conntrack: table full, dropping packet\n"
    few, many = (next(api.notices(b"".join(line % number for number in range(1, count)))) for count in (3, 20))
    assert few.fields["count"] != many.fields["count"]
    for source in ("-", "ticket:1"):
        assert event(few, source, None) == event(many, source, None)
