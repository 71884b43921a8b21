"""What a question names stands in the answer, or the answer opens with "I don't know"; it chooses the report."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.api import KnowledgeBase
from kb.chat import Conversation
from kb.chat.asked import canonical, kinds_named, simplified
from kb.chat.question import read

PAIR = Path(__file__).parent / "data" / "oops-pair.log"
BASE = KnowledgeBase()


@pytest.fixture(scope="module")
def talk() -> Conversation:
    made = Conversation(BASE)
    made.load(PAIR)
    return made


@given(
    number=st.integers(2, 9999),
    words=st.sampled_from(["how long was cpu {} stuck", "why cpu {}", "cpu{}?", "who was on cpu {}", "cpu {} 怎么了"]),
)
@settings(max_examples=40, deadline=None)
def test_a_cpu_that_the_log_does_not_name_is_not_known(number: int, words: str) -> None:
    talk = Conversation(BASE)
    talk.load(PAIR)
    assert talk.ask(words.format(number)).text.startswith(("I don't know", "不知道"))


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("why did the first one happen", "kblab_null_write"),
        ("the second oops", "kblab_gpf"),
        ("who was pid 101", "kblab_b"),
        ("what caused the general protection fault", "kblab_gpf"),
        ("第二个 oops 为什么", "kblab_gpf"),
    ],
)
def test_the_report_is_the_one_that_the_line_names(talk: Conversation, line: str, title: str) -> None:
    assert title in talk.ask(line).text


HOSTS = """\
Nov 28 10:00:01 web1 kernel: [  100.000001] usb 1-1: new high-speed USB device number 2
Nov 28 10:00:03 web2 kernel: [  102.000001] BUG: sleeping function called from invalid context at mm/slab.h:494
Nov 28 10:00:03 web2 kernel: [  102.000003] CPU: 1 PID: 333 Comm: foo Not tainted 5.10.0 #1
Nov 28 10:00:03 web2 kernel: [  102.000004] Call Trace:
Nov 28 10:00:03 web2 kernel: [  102.000007]  foo_work+0x10/0x20 [foo]
"""
PANIC = """\
Nov 28 10:05:03 web3 kernel: [  402.000001] Kernel panic - not syncing: Fatal exception
Nov 28 10:05:03 web3 kernel: [  402.000003] CPU: 1 PID: 444 Comm: bar Not tainted 5.10.0 #1
Nov 28 10:05:03 web3 kernel: [  402.000004] Call Trace:
Nov 28 10:05:03 web3 kernel: [  402.000007]  bar_work+0x10/0x20 [bar]
"""
CONDITIONS = [
    "which host {}",
    "which hosts {}?",
    "when was it that it {}",
    "how many hosts {}",
    "how many machines {}",
    "who {}",
    "which process {}",
    "which cpu {}",
    "which kernel {}",
    "which function {}",
    "which module {}",
    "which node {}",
    "where was it that it {}",
    "how long was it {}",
    "why was it that it {}",
    "how many {}",
    "has anybody {}",
    "what was it that {} at 10:00",
    "which host {} at 10:00",
    "when was the last time that it {}",
]


@pytest.mark.parametrize("happened", ["panicked", "hung", "locked up", "crashed", "oopsed", "ran out of memory"])
@pytest.mark.parametrize("words", CONDITIONS)
def test_a_condition_that_holds_for_none_is_told_so(words: str, happened: str) -> None:
    talk = Conversation(BASE)
    talk.load(HOSTS.encode())
    assert talk.ask(words.format(happened)).text.startswith("I don't know")


@pytest.mark.parametrize(
    "line", ["哪台机器崩溃了", "哪台机器panic了", "谁被杀了", "多少台机器卡住了", "什么时候崩溃的"]
)
def test_a_condition_in_chinese_that_holds_for_none_is_told_so(line: str) -> None:
    talk = Conversation(BASE)
    talk.load(HOSTS.encode())
    assert talk.ask(line).text.startswith("不知道")


@pytest.mark.parametrize(
    "line", ["which host panicked", "how many hosts crashed", "哪台机器崩溃了", "which host panicked at 10:05"]
)
def test_only_the_hosts_that_a_condition_holds_for_are_named(line: str) -> None:
    talk = Conversation(BASE)
    talk.load((HOSTS + PANIC).encode())
    text = talk.ask(line).text
    assert "web3" in text or "kernel panic" in text
    assert [name for name in ("web1", "web2") if name in text] == []


def test_without_a_condition_all_hosts_are_named_with_their_reports() -> None:
    talk = Conversation(BASE)
    talk.load((HOSTS + PANIC).encode())
    for line in ("which host", "which host is web1"):
        counts = [row.partition(" [")[0] for row in talk.ask(line).text.splitlines() if row.startswith("host ")]
        assert counts == ["host web1: 0 report(s)", "host web2: 1 report(s)", "host web3: 1 report(s)"]


def test_a_machine_without_a_name_still_tells_its_model() -> None:
    talk = Conversation(BASE)
    talk.load(PAIR)
    assert "no line of the log tells" not in talk.ask("which machine model is it").text


WARNS = """\
[    1.000000] WARNING: CPU: 1 PID: 100 at mm/foo.c:12 foo_bar+0x10/0x20
[    1.000001] CPU: 1 PID: 100 Comm: modprobe Not tainted 6.12.0 #1
[    1.000002] RIP: 0010:foo_bar+0x10/0x20
[    1.000003] ---[ end trace 0000000000000000 ]---
[    9.000000] watchdog: BUG: soft lockup - CPU#2 stuck for 22s! [kt:77]
[    9.000001] CPU: 2 PID: 77 Comm: kt Not tainted 6.12.0 #1
[    9.000002] RIP: 0010:baz+0x10/0x20
"""
STALLS = """\
[   10.000000] rcu: INFO: rcu_sched self-detected stall on CPU
[   10.000001] rcu: 	(t=5000 jiffies g=100 q=10)
[   10.000002] CPU: 1 PID: 100 Comm: a Not tainted 6.1.0 #1
[  100.000000] INFO: task foo:300 blocked for more than 120 seconds.
[  100.000001]       Not tainted 6.1.0 #1
[  100.000002] task:foo state:D stack:0 pid:300 ppid:1 flags:0x0
[  500.000000] INFO: task bar:200 blocked for more than 483 seconds.
[  500.000001]       Not tainted 6.1.0 #1
[  500.000002] task:bar state:D stack:0 pid:200 ppid:1 flags:0x0
"""
OOM = Path(__file__).parents[2] / "cases/oom-memcg-limit/match-cgroup.log"


def test_a_word_that_only_begins_like_a_title_names_no_report() -> None:
    talk = Conversation(BASE)
    talk.load(WARNS.encode())
    assert talk.ask("how many times was it hit").text.startswith("2 report(s)")
    assert talk.ask("how many lockups").text.startswith("1 report(s)")


def test_what_lasted_longest_is_told_for_each_unit_of_time() -> None:
    talk = Conversation(BASE)
    talk.load(STALLS.encode())
    told = talk.ask("what was the longest hang").text
    assert ("5000 jiffies" in told, "483 s" in told, "120 s" in told) == (True, True, False)


def test_tasks_are_killed_in_the_reports_that_say_so() -> None:
    talk = Conversation(BASE)
    talk.load(WARNS.encode() + OOM.read_bytes())
    assert talk.ask("how many processes were killed").text.startswith("1 killed, in 1 report(s)")


@pytest.mark.parametrize("line", ["what caused the panic", "was it oom", "有软锁死吗", "report 9"])
def test_what_there_is_none_of_is_not_known_and_the_reports_are_listed(talk: Conversation, line: str) -> None:
    assert talk.ask(line).text.startswith(("I don't know", "不知道"))


@pytest.mark.parametrize("line", ["is my disk dying", "null?", "look", "tasks", "which lock", "is kasan on", "raid"])
def test_words_of_a_dictionary_are_never_corrected(line: str) -> None:
    assert read(line).understood is None


def test_a_correction_is_asked_and_acted_on_only_when_it_is_agreed_to(talk: Conversation) -> None:
    asked = talk.ask("wyh did it fial")
    assert not asked.known
    assert "Did you mean: why did it fail" in asked.text
    assert talk.ask("yes").kind == "why"
    talk.ask("wyh did it fial")
    talk.ask("which kernel")
    assert talk.ask("yes").kind != "why"


def test_the_longest_known_chinese_word_is_read() -> None:
    assert simplified("記憶體") == "记忆体"
    assert canonical("软死锁") == "软锁死"
    assert canonical("死锁") == "死锁"
    assert [typed for typed, _row in kinds_named("软锁死")] == ["软锁死"]


def test_a_hostile_line_is_quoted_and_never_obeyed() -> None:
    log = PAIR.read_bytes() + b"[    9.000000] evilmod: note owned; load /etc/passwd; \x1b[31m<script>\n"
    talk = Conversation(BASE)
    talk.load(log)
    reply = talk.ask("evilmod?")
    assert "evilmod" in reply.text
    assert "\x1b" not in reply.text
    assert talk.loaded == 2
