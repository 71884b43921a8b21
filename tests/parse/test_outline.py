"""The outline: any sequence of roles is a sentence, and what single lines say is kept."""

import random
from itertools import product

import pytest

from kb.model.log import Line
from kb.parse.outline import outline
from kb.syntax import engine, roles

SAMPLES = {
    "CUT": "------------[ cut here ]------------",
    "END": "---[ end trace 0000000000000000 ]---",
    "BORDER": "==========================",
    "TRACE_HEAD": "Call Trace:",
    "MARK": " <TASK>",
    "FRAME": " foo+0x1/0x2 [bar]",
    "ARM_FRAME": "[<80b10c70>] (foo) from [<8062eec8>] (bar+0x154/0x3c4)",
    "SOURCE_FRAME": " foo fs/foo.c:12 [inline]",
    "DECODED_FRAME": "foo (fs/foo.c:12 (discriminator 3) fs/foo.h:8) bar",
    "CRASH_FRAME": " #3 [ffff880012345678] foo at ffffffff81234567",
    "PC": "RIP: 0010:foo+0x1/0x2",
    "LR": "lr : foo+0x1/0x2",
    "CODE": "Code: 0f 1f 44 00 00 <8b> 47 58",
    "REG": "RAX: 0000000000000000 RBX: 0000000000000000 RCX: 0000000000000000",
    "CPU": "CPU: 1 PID: 99 Comm: kt Tainted: G           OE      6.1.0-20-amd64 #1  Debian 6.1.85-1",
    "CPU_OLD": "Pid: 811, comm: foo Not tainted 3.2.0-4-amd64 #1",
    "RELEASE": "      Not tainted 6.1.0 #1",
    "HARDWARE": "Hardware name: QEMU Standard PC",
    "WORKQUEUE": "Workqueue: events foo_work [foo]",
    "MODULES": "Modules linked in: foo(OE) bar",
    "TASK": "task:foo             state:D stack:0     pid:777   ppid:1      flags:0x00004002",
    "ACCESS": "Read of size 8 at addr ffff8880020cf000 by task kt/64",
    "LOCK_WHO": "foo/321 is trying to acquire lock:",
    "LOCK_AT": "ffff88800123a0a8 (&a->lock){+.+.}-{3:3}, at: foo_take_a+0x20/0x60",
    "LOCKS": "but task is already holding lock:",
    "SLAB_CACHE": "  cache: kmalloc-64, object size: 64, buffer size: 64, default order: 0, min order: 0",
    "LAST_FUNCTION": "     last function: foo_work",
    "IN_FLIGHT": "    in-flight: 123:foo_work",
    "HANDLER": "[<00000000a1b2c3d4>] foo_irq [foo] threaded [<00000000a1b2c3d8>] foo_thread [foo]",
    "RECOVERY": "pcieport 0000:00:1c.0: AER: device recovery successful",
    "MEMORY": "Mem-Info:",
    "OOM": "Tasks state (memory values in pages):",
    "MACHINE": "[Hardware Error]: Error Addr: 0x0000000123456780",
    "CPER": "{1}[Hardware Error]:   section_type: memory error",
    "FAULT_CODE": "#PF: error_code(0x0002) - not-present page",
    "DISK": "ata1.00: status: { DRDY ERR }",
    "NOTE": "PGD 0 P4D 0",
    "DUMP": "dd40:                   977bdda0 8062eec8 9f576840 8062ed74",
}


def lines(names: tuple[str, ...]) -> list[Line]:
    return engine.split("\n".join(SAMPLES[name] for name in names))


@pytest.mark.parametrize("role", SAMPLES)
def test_a_line_has_the_role_that_it_plays(role: str) -> None:
    assert roles.classifier()(SAMPLES[role]) == role


def test_every_role_has_a_sample() -> None:
    terminals = {terminal.name for terminal in engine.build("report").terminals}
    assert terminals - {"NOISE"} == set(SAMPLES)


def test_every_pair_of_lines_is_a_sentence() -> None:
    for pair in product(SAMPLES, repeat=2):
        outline(lines(pair))


def test_any_sequence_of_lines_is_a_sentence() -> None:
    rng = random.Random(1)
    for _ in range(300):
        outline(lines(tuple(rng.choices(list(SAMPLES), k=rng.randint(0, 40)))))


def test_a_line_without_a_role_is_passed_over() -> None:
    out = outline(engine.split("Call Trace:\n foo+0x1/0x2\neth0: link is up\n bar+0x1/0x2"))
    assert [frame.function for frame in out.traces[0].frames] == ["foo", "bar"]
    assert out.understood == [1, 2, 4]


def test_the_line_of_the_cpu_tells_who_and_on_what() -> None:
    fields = outline(lines(("CPU",))).fields
    assert fields == {"cpu": "1", "pid": "99", "comm": "kt", "kernel": "6.1.0-20-amd64", "taint": "GOE"}


@pytest.mark.parametrize(
    ("text", "comm", "pid"),
    [
        ("Process insmod (pid: 743, stack limit = 0xdf46a2f0)", "insmod", "743"),
        ("Process Web (x) (pid: 9, stack limit = 0x(____ptrval____))", "Web (x)", "9"),
        ("Process sh (pid: 12943, threadinfo=24898ed1, task=5506fe17, tls=77e28e64)", "sh", "12943"),
        ("Process cat (pid: 2211, ti=f5d2a000 task=f60d1560 task.ti=f5d2a000)", "cat", "2211"),
        ("Process sshd (pid: 12, exited)", None, None),
        ("Process accounting resumed", None, None),
    ],
)
def test_who_died_stands_among_the_registers(text: str, comm: str | None, pid: str | None) -> None:
    out = outline(engine.split(f"PC is at foo+0x1c/0x60\n{text}"))
    assert (out.fields.get("comm"), out.fields.get("pid")) == (comm, pid)


@pytest.mark.parametrize(
    ("text", "comm", "taint"),
    [
        ("CPU: 1 PID: 99 Comm: systemd-journalNot tainted 6.1.0 #1", "systemd-journal", "-"),
        ("CPU: 1 PID: 99 Comm: kworker/31:0Tainted: G        W  6.1.0 #1", "kworker/31:0", "GW"),
        ("CPU: 1 PID: 99 Comm: fooKdump: loadedNot tainted 6.1.0 #1", "foo", "-"),
        ("Pid: 811, comm: fooNot tainted 3.2.0-4-amd64 #1", "foo", "-"),
        ("CPU: 1 PID: 99 Comm: Untainted Not tainted 6.1.0 #1", "Untainted", "-"),
        ("CPU: 1 PID: 99 Comm: Web Content", "Web Content", None),
    ],
)
def test_a_comm_ends_where_a_page_took_the_blank_behind_it(text: str, comm: str, taint: str | None) -> None:
    out = outline(engine.split(text))
    assert (out.fields.get("comm"), out.fields.get("taint")) == (comm, taint)


def test_a_loaded_crash_kernel_is_no_part_of_the_comm() -> None:
    text = "CPU: 0 PID: 6020 Comm: TestIommu Kdump: loaded Tainted: G  OE  3.10.0-1062.el7.x86_64 #1"
    out = outline(engine.split(text))
    assert (out.fields["comm"], out.fields["taint"]) == ("TestIommu", "GOE")


def test_an_nmi_backtrace_is_the_other_cpus_stack_with_its_program_counter_first() -> None:
    text = "NMI backtrace for cpu 3\nRIP: 0010:foo+0x1/0x2\nCall Trace:\n bar+0x1/0x2"
    (trace,) = outline(engine.split(text)).traces
    assert (trace.role, trace.cpu, [frame.function for frame in trace.frames]) == ("nmi", 3, ["foo", "bar"])


def test_the_owner_that_a_hung_task_waits_for_is_kept() -> None:
    text = "INFO: task foo:12 is blocked on a mutex likely owned by task bar:34."
    fields = outline(engine.split(text)).fields
    assert (fields["owner"], fields["owner_pid"]) == ("bar", "34")


def test_a_line_without_end_is_read_up_to_a_bound() -> None:
    assert outline(engine.split("Call Trace:\n foo+0x1/0x2" + " " * 1_000_000)).traces[0].frames[0].function == "foo"


def test_an_error_of_a_pci_device_tells_whether_it_recovered() -> None:
    text = "pcieport 0000:00:02.0:   device [1b36:000c] error status/mask=00001000/00000000\n"
    for word in ("successful", "failed"):
        got = outline(engine.split(f"{text}pcieport 0000:00:02.0: AER: device recovery {word}"))
        assert got.fields["recovery"] == word


def test_the_stack_of_a_cpu_that_a_panic_stopped_is_not_the_reports() -> None:
    """arch/arm/kernel/smp.c ipi_cpu_stop() prints it behind the panic's own stack."""
    own = "Backtrace:\n[<80100000>] (foo) from [<80100010>] (bar+0x1/0x2)\n"
    other = "Backtrace:\n[<80100000>] (idle) from [<80100010>] (start+0x1/0x2)\n"
    got = outline(engine.split(f"{own}CPU0: stopping\nCPU: 0 PID: 7 Comm: b Not tainted\n{other}"))
    assert [(trace.role, trace.cpu, trace.frames[0].function) for trace in got.traces] == [
        ("main", None, "foo"), ("nmi", 0, "idle"),
    ]  # fmt: skip
    assert "pid" not in got.fields


def test_what_runs_in_the_stuck_pool_is_a_field() -> None:
    text = (
        "BUG: workqueue lockup - pool cpus=1 node=0 flags=0x0 nice=0 stuck for 31s!\n"
        "Showing busy workqueues and worker pools:\n"
        "workqueue events: flags=0x0\n"
        "  pwq 4: cpus=2 node=0 flags=0x0 nice=0 active=1/256 refcnt=2\n"
        "    in-flight: 77:other_fn\n"
        "  pwq 2: cpus=1 node=0 flags=0x0 nice=0 active=4/256 refcnt=5\n"
        "    in-flight: 123:foo_work_fn [foo] ,456(RESCUER):bar_work_fn\n"
    )
    out = outline(engine.split(text))
    assert out.fields["in_flight"] == "123:foo_work_fn [foo], 456:bar_work_fn"
    assert out.field_lines["in_flight"] == 7
