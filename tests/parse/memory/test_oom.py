"""OOM reports of each era, read back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.model.log import Line
from kb.parse.memory.oom import parse_oom
from kb.syntax import engine

NEW = """\
stress invoked oom-killer: gfp_mask=0x100cca(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=-5
memory: usage 524288kB, limit 524288kB, failcnt 69
swap: usage 0kB, limit 9007199254740988kB, failcnt 0
Memory cgroup stats for /job:
anon 535658496
pgfault 77
slab 33816
Tasks state (memory values in pages):
[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name
[   1121]  1000  1121      734      366        0      366         0    45056        7         -1000 a name: with 3
[   1122]     0  1122   131800   130720   130720        0         0  1093632        0             0 stress
oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=0,2,cpuset=a,b,mems_allowed=0-1,3,oom_memcg=/job,task_memcg=/job/x,\
task=stress,pid=1122,uid=0
Memory cgroup out of memory: Killed process 1122 (stress) total-vm:527200kB, anon-rss:522880kB, file-rss:4kB, \
shmem-rss:8kB, UID:0 pgtables:1068kB oom_score_adj:0
Tasks in /job are going to be killed due to memory.oom.group set
Memory cgroup out of memory: Killed process 1130 (other) total-vm:4kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB
oom_reaper: reaped process 1122 (stress), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB
oom_reaper: unable to reap pid:1130 (other)
"""

RHEL7 = """\
java invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0
java cpuset=docker-1 mems_allowed=0-1
Task in /docker/1 killed as a result of limit of /docker
memory: usage 1048576kB, limit 1048576kB, failcnt 12
memory+swap: usage 1048576kB, limit 2097152kB, failcnt 0
kmem: usage 0kB, limit 9007199254740988kB, failcnt 0
Memory cgroup stats for /docker: cache:12KB rss:100KB swap:0KB
Memory cgroup stats for /docker/1: cache:8KB rss:50KB swap:0KB
[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name
[ 1234]    99  1234   400000   250000     600      100             0 java
Memory cgroup out of memory: Kill process 1234 (java) score 955 or sacrifice child
Killed process 1250 (sh (x)), UID 99, total-vm:1600000kB, anon-rss:999000kB, file-rss:1000kB, shmem-rss:0kB
"""

EL6 = """\
httpd invoked oom-killer: gfp_mask=0x200da, order=0, oom_adj=0, oom_score_adj=0
httpd cpuset=/ mems_allowed=0
[ pid ]   uid  tgid total_vm      rss cpu oom_adj oom_score_adj name
[  496]     0   496     2757       26   0     -17         -1000 udevd
Out of memory: Kill process 700 (httpd) score 12 or sacrifice child
Killed process 700, UID 48, (httpd) total-vm:100kB, anon-rss:40kB, file-rss:4kB
"""


def read(text: str):
    return parse_oom(engine.split(text))


@pytest.mark.parametrize(("name", "lexer"), [("oom", "lines"), ("oom_fields", "words")])
def test_grammars_have_no_conflict(name, lexer):
    engine.build(name, lexer, strict=True)


def test_the_request_is_read():
    oom = read(NEW)
    assert (oom.invoker, oom.gfp_mask, oom.gfp_names) == ("stress", 0x100CCA, "GFP_HIGHUSER_MOVABLE")
    assert (oom.order, oom.oom_score_adj) == (0, -5)
    assert oom.field_lines["invoked"] == 1
    assert oom.damaged is None


def test_values_of_the_summary_line_keep_their_commas():
    oom = read(NEW)
    assert oom.constraint == "memcg"
    assert (oom.nodemask, oom.cpuset, oom.mems_allowed) == ("0,2", "a,b", "0-1,3")
    assert (oom.oom_memcg, oom.task_memcg) == ("/job", "/job/x")
    assert oom.named_victim == ("stress", 1122, 0)


def test_a_cgroup_path_that_looks_like_a_field_stays_a_path():
    oom = read(
        "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=cri:5,mems_allowed=0,oom_memcg=/a:1,task=x,pid=7,uid=0"
    )
    assert (oom.cpuset, oom.oom_memcg) == ("cri:5", "/a:1")
    assert oom.named_victim == ("x", 7, 0)


def test_cgroup_usage_and_statistics_are_read():
    oom = read(NEW)
    assert [(u.name, u.usage_kb, u.limit_kb, u.failcnt) for u in oom.usages] == [
        ("memory", 524288, 524288, 69),
        ("swap", 0, 9007199254740988, 0),
    ]
    (stats,) = oom.stats
    assert stats.path == "/job"
    assert stats.values == {"anon": 523104, "pgfault": 77, "slab": 33}  # bytes to kB, event counts as they are


def test_task_rows_of_6_8_are_read_by_their_columns():
    first, second = read(NEW).tasks
    assert (first.pid, first.uid, first.name, first.swapents, first.oom_score_adj) == (
        1121, 1000, "a name: with 3", 7, -1000,
    )  # fmt: skip
    assert (second.rss, second.rss_anon, second.pgtables_bytes, second.line) == (130720, 130720, 1093632, 11)


def test_victims_group_and_reaper_are_read():
    oom = read(NEW)
    assert [victim.pid for victim in oom.victims] == [1122, 1130]
    victim = oom.victims[0]
    assert (victim.anon_rss_kb, victim.shmem_rss_kb, victim.pgtables_kb, victim.oom_score_adj) == (522880, 8, 1068, 0)
    assert (victim.uid, victim.reason) == (0, "Memory cgroup out of memory")
    assert (oom.group, oom.reaped, oom.unreaped) == ("/job", (1122,), (1130,))


def test_rhel7_names_the_cgroup_in_its_own_words():
    oom = read(RHEL7)
    assert oom.constraint == "memcg"
    assert (oom.oom_memcg, oom.task_memcg, oom.cpuset) == ("/docker", "/docker/1", "docker-1")
    assert [stats.values["rss"] for stats in oom.stats] == [100, 50]
    assert (oom.tasks[0].page_tables, oom.tasks[0].swapents, oom.tasks[0].name) == (600, 100, "java")
    assert oom.selected == ("java", 1234, 955)
    assert (oom.victims[0].pid, oom.victims[0].name, oom.victims[0].uid) == (1250, "sh (x)", 99)


def test_el6_has_its_own_columns_and_kill_line():
    oom = read(EL6)
    assert oom.constraint is None
    assert (oom.tasks[0].oom_adj, oom.tasks[0].oom_score_adj, oom.tasks[0].name) == (-17, -1000, "udevd")
    assert (oom.victims[0].pid, oom.victims[0].uid, oom.victims[0].anon_rss_kb) == (700, 48, 40)


def test_rows_without_their_head_are_read_by_how_many_numbers_they_have():
    (task,) = read("[   1122]     0  1122   131800   130720  1093632        5           100 stress").tasks
    assert (task.pgtables_bytes, task.swapents, task.oom_score_adj, task.name) == (1093632, 5, 100, "stress")


def test_lines_that_a_mail_program_wrapped_are_put_together():
    oom = read(
        "mkfs.ext4 invoked oom-killer:\ngfp_mask=0x101cc0(GFP_USER|__GFP_WRITE), order=0, oom_score_adj=0\n"
        "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes\nswapents oom_score_adj name\n"
        "[    224]     0   224     3425     1273    28672\n0             0 systemd-journal\n"
        "Out of memory: Killed process 350 (polkitd)\ntotal-vm:100kB, anon-rss:40kB\n"
    )
    assert (oom.gfp_mask, oom.order) == (0x101CC0, 0)
    assert (oom.tasks[0].swapents, oom.tasks[0].name) == (0, "systemd-journal")
    assert oom.victims[0].anon_rss_kb == 40


def test_a_kill_by_hand_is_told_by_its_order():
    assert read("kworker/1:1 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=-1, oom_score_adj=0").sysrq
    assert read("sysrq: Manual OOM execution\nkworker/1:1 invoked oom-killer: gfp_mask=0xd0, order=0").sysrq
    assert not read(NEW).sysrq


def test_the_nodemask_of_4_9_ends_where_the_order_begins():
    oom = read("a invoked oom-killer: gfp_mask=0x6040c0(GFP_KERNEL|__GFP_COMP), nodemask=0,2, order=3, oom_score_adj=0")
    assert (oom.nodemask, oom.order) == ("0,2", 3)


def test_slabs_no_victim_and_the_panic_are_read():
    oom = read(
        "Unreclaimable slab info:\nName                      Used          Total\n"
        "kmalloc-64               12KB         16KB\n"
        "Out of memory and no killable processes...\nKernel panic - not syncing: System is deadlocked on memory"
    )
    assert [(slab.name, slab.used_kb, slab.total_kb) for slab in oom.slabs] == [("kmalloc-64", 12, 16)]
    assert oom.nobody
    assert oom.panic == "System is deadlocked on memory"


def test_only_the_first_report_is_read():
    oom = read(EL6 + NEW)
    assert oom.invoker == "httpd"
    assert len(oom.victims) == 1


def test_a_kill_before_the_report_is_not_its_own():
    oom = read("Out of memory: Killed process 9 (x) total-vm:1kB, anon-rss:1kB, file-rss:0kB\n" + EL6)
    assert [victim.pid for victim in oom.victims] == [700]


def test_a_report_that_ends_before_the_kill_says_so():
    assert read("\n".join(NEW.split("\n")[:4])).damaged == "ends before the kill"


def test_a_table_of_thousands_is_read_whole():
    rows = "\n".join(
        f"[{n:7d}]     0 {n:5d}     1000      {n}    28672        0             0 task {n}" for n in range(1, 5001)
    )
    oom = read("[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n" + rows)
    assert len(oom.tasks) == 5000
    assert oom.tasks[-1].name == "task 5000"


def test_numbers_that_are_none_do_not_raise():
    read("[ pid ]   uid  tgid total_vm      rss\n[    1]     0     1        2        3 \u00b2 --5 x")
    read("oom-kill:constraint=CONSTRAINT_NONE,task=x,pid=" + "9" * 5000 + ",uid=\u00b2")


WORDS = [
    part for line in (NEW + RHEL7 + EL6).split("\n") for part in (line, line[: len(line) // 2], line[len(line) // 3 :])
]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=40), max_size=30))
def test_no_sequence_of_lines_raises(texts):
    parse_oom([Line(text, n, n, b"") for n, text in enumerate(texts, 1)])
