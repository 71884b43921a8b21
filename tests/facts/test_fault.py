"""Faults explained; logs of our own machines, sums worked out by hand from the printed registers."""

from pathlib import Path

import pytest

from kb import api
from kb.model.verdict import Diagnosis

DATA = Path(__file__).parent.parent / "parse/data"


def golden(name: str) -> Diagnosis:
    return api.match((DATA / f"{name}.txt").read_bytes().partition(b"\n\n")[2], cases=())[0]


def ours(corpus: Path, name: str, number: int = 0) -> Diagnosis:
    return api.match(corpus / "vm" / f"{name}.log", cases=())[number]


def facts(diagnosis: Diagnosis, *names: str) -> dict[str, object]:
    return {name: fact.value for name in names if (fact := diagnosis.facts.get(name)) is not None}


FAULT = ("access", "fault_mode", "fault_why", "fault_register", "fault_offset", "address_kind")


def test_a_write_through_a_null_pointer_names_the_field_and_the_register(corpus: Path) -> None:
    found = ours(corpus, "046-pair-oops-61")
    assert facts(found, *FAULT, "address", "pc") == {
        "access": "write",
        "fault_mode": "kernel",
        "fault_why": "not present",
        "fault_register": "RAX",  # <c7> 40 58: movl $7,0x58(%rax), RAX is 0
        "fault_offset": 0x58,
        "address_kind": "null",
        "address": "0x58",
        "pc": "kblab_null_write",
    }


def test_a_general_protection_fault_names_the_poison(corpus: Path) -> None:
    found = ours(corpus, "046-pair-oops-61", 1)
    assert facts(found, *FAULT) == {"fault_register": "RAX", "fault_offset": 0, "address_kind": "list-poison"}


def test_a_container_of_null_is_told_from_an_object_at_null(corpus: Path) -> None:
    found = ours(corpus, "016-oops-wake_bad-61")  # 0x18(%r8), R08 is -0x18
    assert facts(found, *FAULT)["fault_register"] == "R08"
    reason = next(reason for reason in found.facts.reasoning if "failed" in reason.claim)
    assert "R08 held -0x18: container_of() of a NULL pointer, or the error -EMFILE" in reason.because
    assert reason.numbers == ("operand R08 + 0x18 with R08 = 0xffffffffffffffe8 is 0x0",)


def test_a_timer_in_a_module_that_is_gone_shows_its_range_and_the_poisoned_register(corpus: Path) -> None:
    found = ours(corpus, "026-late-timer-61")
    assert facts(found, *FAULT, "poisoned_registers") == {
        "access": "write",
        "fault_mode": "kernel",
        "fault_why": "not present",
        "fault_register": "RCX",  # 0x8(%rcx), RCX is ffffffffc05dc3c0
        "fault_offset": 8,
        "address_kind": "modules",
        "poisoned_registers": ("RBP",),
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("oops-arm", {"access": "read", "fault_why": "not present", "fault_offset": 0x10, "address_kind": "null"}),
        (
            "oops-arm64",
            {"access": "write", "fault_mode": "kernel", "fault_why": "not present", "address_kind": "list-poison"},
        ),
        (
            "oops-i386-old",
            {
                "access": "read",
                "fault_mode": "kernel",
                "fault_why": "not present",
                "fault_offset": 4,
                "address_kind": "null",
            },
        ),
        (
            "oops-null-call-x86",
            {"access": "execute", "fault_mode": "kernel", "fault_why": "not present", "address_kind": "null"},
        ),
        ("oops-ppc64", {"access": "read", "fault_offset": 0x10, "address_kind": "null"}),
        ("oops-riscv", {"access": "write"}),
        ("oops-s390x", {"access": "write", "fault_why": "protection", "address_kind": "null"}),
        ("oops-mips", {"fault_offset": 0x24, "address_kind": "null"}),
        ("oops-loongarch", {"fault_offset": 0x18, "address_kind": "null"}),
        ("gpf", {"address_kind": "list-poison"}),
    ],
)
def test_each_architecture_bears_what_it_prints(name: str, expected: dict[str, object]) -> None:
    assert facts(golden(name), *FAULT) == expected


def test_a_call_through_null_is_called_so() -> None:
    reasons = golden("oops-null-call-x86").facts.reasoning
    assert any(reason.because == "a call or jump through a NULL function pointer" for reason in reasons)


OLD = b"""\
general protection fault: 0000 [#1] SMP
Modules linked in: foo
CPU: 1 PID: 99 Comm: kt Not tainted 3.10.0-1160.el7.x86_64 #1
RIP: 0010:[<ffffffffc0201022>]  [<ffffffffc0201022>] foo_del+0x22/0x60 [foo]
RSP: 0018:ffff88001b5bfee0  EFLAGS: 00010246
RAX: dead000000200200 RBX: ffff88001b5b0000 RCX: 0000000000000000
RDX: 0000000000000001 RSI: 0000000000000000 RDI: ffff88001b5b0008
Call Trace:
 [<ffffffffc0201080>] foo_release+0x30/0x50 [foo]
Code: 48 89 42 08 48 89 10 <48> 89 50 08 00 00
"""


def test_where_no_address_is_printed_the_instruction_tells_it() -> None:
    (found,) = api.match(OLD, cases=())
    assert facts(found, "address", *FAULT) == {
        "address": "0xdead000000200208",
        "fault_register": "RAX",
        "fault_offset": 8,
        "address_kind": "list-poison",
    }
    assert any("the log prints none" in reason.claim for reason in found.facts.reasoning)


USER = b"""\
BUG: unable to handle page fault for address: 00007f1234567010
#PF: supervisor read access in kernel mode
#PF: error_code(0x0001) - permissions violation
Oops: 0001 [#1] PREEMPT SMP NOPTI
CPU: 1 PID: 99 Comm: kt Not tainted 6.1.0 #1
RIP: 0010:foo_ioctl+0x1b/0x30 [foo]
Code: 0f 1f 44 00 00 53 <8b> 47 10 5b c3
RSP: 0018:ffffc900001bfee0 EFLAGS: 00010246
RAX: 0000000000000000 RBX: ffff88001b5b0000 RCX: 0000000000000000
RDX: 0000000000000001 RSI: 0000000000000000 RDI: 00007f1234567000
CS:  0010 DS: 0000 ES: 0000 CR0: 0000000080050033
CR2: 00007f1234567010 CR3: 0000000002b18000 CR4: 0000000000350ee0
Call Trace:
 <TASK>
 __x64_sys_ioctl+0x90/0xd0
 </TASK>
"""


def test_a_user_pointer_read_by_the_kernel_is_refused_by_smap() -> None:
    (found,) = api.match(USER, cases=())
    assert facts(found, *FAULT)["address_kind"] == "user"
    reason = next(reason for reason in found.facts.reasoning if "failed" in reason.claim)
    assert reason.because.endswith("SMAP forbids it: the kernel must use copy_from_user() or get_user()")


def test_an_operand_that_does_not_explain_the_address_names_no_register() -> None:
    (found,) = api.match(USER.replace(b"RDI: 00007f1234567000", b"RDI: 00007f1234560000"), cases=())
    assert "fault_register" not in found.facts.values


def test_a_cut_report_bears_what_is_left_of_it() -> None:
    lines = USER.splitlines(keepends=True)
    for end in range(len(lines)):
        for found in api.match(b"".join(lines[:end]), cases=()):
            assert "fault_register" not in found.facts.values or end >= 10


def test_the_facts_of_a_fault_point_at_the_lines_they_are_read_from() -> None:
    (found,) = api.match(USER, cases=())
    assert {name: found.facts.values[name].evidence for name in ("address", "access", "fault_register")} == {
        "address": ((1, 1),),
        "access": ((3, 3),),
        "fault_register": ((7, 7), (10, 10)),
    }


def test_a_displacement_that_is_the_whole_address_leaves_null_for_the_register() -> None:
    found = golden("oops-null-x86")  # 8b 47 58, RDI is not printed
    assert facts(found, "fault_register", "fault_offset") == {"fault_register": "RDI", "fault_offset": 0x58}


SHADOW = b"""\
general protection fault, probably for non-canonical address 0xdffffc0000000003: 0000 [#1] PREEMPT SMP KASAN
KASAN: null-ptr-deref in range [0x0000000000000018-0x000000000000001f]
CPU: 1 PID: 99 Comm: kt Not tainted 6.1.0 #1
RIP: 0010:foo_del+0x22/0x60 [foo]
Call Trace:
 <TASK>
 foo_release+0x30/0x50
"""


def test_the_shadow_of_kasan_is_turned_back_into_the_address() -> None:
    (found,) = api.match(SHADOW, cases=())
    assert facts(found, "address_kind", "kasan_address") == {"address_kind": "kasan-shadow", "kasan_address": "0x18"}


ARM64 = b"""\
Unable to handle kernel paging request at virtual address 0000000000001540
Mem abort info:
  ESR = 0x96000004
Internal error: Oops: 96000004 [#1] PREEMPT SMP
CPU: 2 PID: 1234 Comm: kt Not tainted 5.4.0 #1
pstate: 60000005 (nZCv daif -PAN -UAO)
pc : foo_unlink+0x34/0x90
lr : foo_work+0x48/0x70
sp : ffff80000a1bbd40
x29: ffff80000a1bbd40 x28: 0000000000000000
x20: ffff0000c0a41005 x19: 0000000000000000
Call trace:
 foo_unlink+0x34/0x90
 foo_work+0x48/0x70
Code: f9400261 f9400662 (f94aa260)
"""


def test_a_field_behind_the_first_page_of_null_is_told_by_the_register() -> None:
    (found,) = api.match(ARM64, cases=())  # ldr x0, [x19, #0x1540]
    assert facts(found, *FAULT) == {
        "access": "read",
        "fault_mode": "kernel",
        "fault_why": "not present",
        "fault_register": "x19",
        "fault_offset": 0x1540,
        "address_kind": "null",
    }


def test_an_unhandled_fault_of_arm_is_read_from_its_headline() -> None:
    log = b"""\
Unhandled fault: page domain fault (0x81b) at 0x00001044
Internal error: : 81b [#1] SMP ARM
CPU: 0 PID: 131 Comm: kt Not tainted 5.17.0 #1
PC is at foo_probe+0x28/0x7c
LR is at bar_probe+0x5c/0xb8
pc : [<80101028>]    lr : [<806a1f0c>]    psr: 60000013
[<80101028>] (foo_probe) from [<806a1f0c>] (bar_probe+0x5c/0xb8)
"""
    (found,) = api.match(log, cases=())
    assert facts(found, "access", "fault_why", "address") == {
        "access": "write",
        "fault_why": "page domain fault",
        "address": "0x1044",
    }


def test_a_stack_overflow_tells_how_far() -> None:
    head = b"BUG: TASK stack guard page was hit at ffffc9000e4aff58 (stack is ffffc9000e4b0000..ffffc9000e4b4000)\n"
    (found,) = api.match(head + b"CPU: 1 PID: 9 Comm: kt Not tainted 6.1.0 #1\nRIP: 0010:foo+0x1/0x20\n", cases=())
    assert facts(found, "stack_kb") == {"stack_kb": 16}
    assert any(
        reason.claim == "the kernel stack of 16 kB overflowed: 168 bytes below its end were touched"
        for reason in found.facts.reasoning
    )


def test_a_panic_for_want_of_stack_tells_how_far_too(corpus: Path) -> None:
    found = ours(corpus, "156-arm64-stack-overflow")  # FAR ...2e7fd0, the stack is ...2e8000 to ...2ec000
    assert facts(found, "stack_kb", "recursion") == {"stack_kb": 16, "recursion": ("kblab_recurse",)}
    assert any("overflowed: 48 bytes below its end" in reason.claim for reason in found.facts.reasoning)


def test_hashed_pointers_tell_no_size(corpus: Path) -> None:
    found = ours(corpus, "034-stack-overflow-61")
    assert "stack_kb" not in found.facts.values
    assert facts(found, "recursion") == {"recursion": ("kblab_recurse",)}


def test_an_arm64_log_of_the_old_layout_is_not_taken_for_arm() -> None:
    log = b"""\
Unable to handle kernel paging request at virtual address dead000000000108
Internal error: Oops: 96000044 [#1] PREEMPT SMP
PC is at foo_unlink+0x34/0x90
LR is at foo_work+0x48/0x70
pc : [<ffffff8008090a34>] lr : [<ffffff8008090b48>] pstate: 60000145
Call trace:
[<ffffff8008090a34>] foo_unlink+0x34/0x90
"""
    (found,) = api.match(log, cases=())
    assert found.report.arch == "arm64"
    assert facts(found, "access", "address_kind") == {"access": "write", "address_kind": "list-poison"}


def test_the_trap_of_a_bug_is_no_access() -> None:
    log = b"""\
kernel BUG at net/foo.c:570!
Internal error: Oops - BUG: f2000800 [#1] SMP
CPU: 2 PID: 1234 Comm: kt Not tainted 6.6.0 #1
pstate: 60400005 (nZCv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)
pc : foo_unlink+0x34/0x90
lr : foo_work+0x48/0x70
Call trace:
 foo_unlink+0x34/0x90
Code: f9400261 (d4210000)
"""
    (found,) = api.match(log, cases=())
    assert not any("failed" in reason.claim for reason in found.facts.reasoning)
    assert facts(found, "fault", "trap") == {"fault": "BRK instruction", "trap": "bug"}


def test_the_users_instructions_are_not_taken_for_the_kernels(corpus: Path) -> None:
    found = ours(corpus, "017-oops-bug_locked-612")  # "Code: Unable to access opcode bytes", then the program's own
    assert "code" not in found.facts.values
    other = ours(corpus, "046-pair-oops-61")
    assert str(other.facts.values["code"].value).endswith("c3 cc cc cc cc 0f 1f 84 00 00 00 00 00 0f 1f")


def test_kernels_to_4_17_print_their_bytes_behind_the_users_registers() -> None:
    log = b"""\
BUG: unable to handle kernel NULL pointer dereference at 0000000000000058
Oops: 0000 [#1] SMP
CPU: 1 PID: 99 Comm: kt Not tainted 4.14.0 #1
RIP: 0010:foo_read_ring+0x1b/0x30 [foo]
RSP: 0018:ffffc900001bfee0 EFLAGS: 00010246
RAX: 0000000000000000 RBX: ffff88001b5b0000 RCX: 0000000000000000
RDX: 0000000000000001 RSI: 0000000000000000 RDI: 0000000000000000
Call Trace:
 foo_ioctl+0x20/0x40 [foo]
RIP: 0033:0x432b10
RSP: 002b:00007ffe58674268 EFLAGS: 00000202 ORIG_RAX: 0000000000000001
RAX: ffffffffffffffda RBX: 0000000000000004 RCX: 0000000000432b10
Code: 0f 1f 44 00 00 53 <8b> 47 58 5b c3
RIP: foo_read_ring+0x1b/0x30 [foo] RSP: ffffc900001bfee0
"""
    (found,) = api.match(log, cases=())
    assert facts(found, "fault_register", "fault_offset") == {"fault_register": "RDI", "fault_offset": 0x58}


def test_saved_flags_of_a_32_bit_machine_are_no_list_poison() -> None:
    log = b"""\
BUG: unable to handle kernel NULL pointer dereference at 00000008
IP: [<c0123456>] foo_bar+0x10/0x20
Oops: 0000 [#1] SMP
Pid: 1, comm: init Not tainted 3.2.0 #1
EIP is at foo_bar+0x10/0x20
EAX: 00000000 EBX: 00200246 ECX: 00100100 EDX: c1234567
ESI: 00000000 EDI: 00000000 EBP: c1111111 ESP: c2222222
Call Trace:
 [<c0123456>] foo_baz+0x10/0x20
"""
    (found,) = api.match(log, cases=())
    assert facts(found, "poisoned_registers") == {"poisoned_registers": ("ECX",)}


def test_the_operand_of_a_protection_fault_is_no_reason_where_its_address_is_canonical() -> None:
    log = b"""\
general protection fault: 0000 [#1] SMP
CPU: 0 PID: 1 Comm: init Not tainted 4.19.0 #1
RIP: 0010:foo_bar+0x10/0x20
Code: 90 90 90 <0f> 29 40 08 90 90
RSP: 0018:ffff880011112222 EFLAGS: 00010246
RAX: ffff880011113333 RBX: 0000000000000000 RCX: 0000000000000000
Call Trace:
 foo_baz+0x10/0x20
"""
    (found,) = api.match(log, cases=())
    assert facts(found, "address", "fault_register") == {}


def test_an_arm64_report_that_is_given_no_syndrome_has_no_reason_from_it() -> None:
    log = b"""\
Internal error: Oops - bad mode: 0 [#1] PREEMPT SMP
CPU: 0 PID: 1 Comm: init Not tainted 5.4.0 #1
pstate: 60400005 (nZCv daif +PAN -UAO)
pc : foo_bar+0x10/0x20
lr : foo_baz+0x10/0x20
x29: ffff800011112222 x28: 0000000000000000
Call trace:
 foo_bar+0x10/0x20
"""
    (found,) = api.match(log, cases=())
    assert facts(found, "fault", "fault_why") == {}


def test_a_load_code_of_mips_at_the_program_counter_is_a_fetch() -> None:
    log = b"""\
CPU 0 Unable to handle kernel paging request at virtual address 00000010, epc == 00000010, ra == 80123456
Oops[#1]:
CPU: 0 PID: 1 Comm: init Not tainted 5.4.0 #1
$ 0   : 00000000 00000001 00000010 00000000
epc   : 00000010 0x10
ra    : 80123456 foo_bar+0x10/0x20
Cause : 00800008 (ExcCode 02)
BadVA : 00000010
Call Trace:
[<80123456>] foo_bar+0x10/0x20
"""
    (found,) = api.match(log, cases=())
    assert facts(found, "access", "fault_why") == {"access": "execute", "fault_why": "not present"}
