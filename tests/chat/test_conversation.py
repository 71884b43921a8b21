"""The public interface: replies, the subject, hostile logs, the store, and what reading must not do."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb.api import KnowledgeBase
from kb.chat import Conversation, Reply
from kb.chat.phrases import phrases
from kb.errors import UsageError

DATA = Path(__file__).parent / "data"


@pytest.fixture
def base(tmp_path: Path) -> KnowledgeBase:
    return KnowledgeBase(tmp_path / "kb.db")


@pytest.fixture
def talk(base: KnowledgeBase, tmp_path: Path) -> Conversation:
    return Conversation(base, author="tester", folder=tmp_path / "drafts")


def test_a_reply_is_frozen_and_plain(talk: Conversation, example: Path) -> None:
    talk.load(example)
    reply = talk.ask("why")
    with pytest.raises(dataclasses.FrozenInstanceError):
        reply.kind = "other"  # type: ignore[misc]
    shown = json.loads(json.dumps(reply.to_json()))
    assert shown["schema"] == "kb.reply/1"
    assert shown["subject"] == "page allocation failure: order:5 in osdmap_set_max_osd"
    assert {"L35", "L36", "L40", "case nofs-high-order-watermark"} <= set(shown["citations"])


def test_exits_are_said_first(talk: Conversation) -> None:
    assert "quit" in talk.greeting().splitlines()[0]
    assert "quit" in talk.ask("help").text.splitlines()[0]
    assert "退出" in talk.ask("帮助").text.splitlines()[0]


@pytest.mark.parametrize("line", ["quit", "exit", "q", "bye", "Quit.", "退出", "再见"])
def test_ways_out(talk: Conversation, line: str) -> None:
    assert talk.ask(line).exit


def test_an_empty_line_is_answered_with_nothing(talk: Conversation) -> None:
    assert talk.ask("  ").text == ""


def test_a_log_of_several_lines_is_loaded(talk: Conversation, example: Path) -> None:
    reply = talk.ask(example.read_text())
    assert reply.kind == "load"
    assert talk.subject == "page allocation failure: order:5 in osdmap_set_max_osd"
    assert talk.ask("why").citations[0] == "L1"


def test_one_line_of_a_log_is_loaded(talk: Conversation) -> None:
    reply = talk.ask("[   10.312123] kt: page allocation failure: order:0, mode:0xa20(GFP_ATOMIC), nodemask=(null)")
    assert reply.kind == "load"


def test_a_paste_ends_with_a_dot(talk: Conversation, example: Path) -> None:
    talk.ask("paste")
    assert talk.pasting
    for line in example.read_text().splitlines():
        assert talk.ask(line).text == ""
    assert "order:5 in osdmap_set_max_osd" in talk.ask(".").text
    assert not talk.pasting


def test_several_questions_of_one_text_are_answered_in_turn(talk: Conversation, example: Path) -> None:
    talk.load(example)
    text = talk.ask("who was it\nwhat fixed it").text
    assert text.index("kworker/31:0") < text.index("97a16fc82a7c")


def test_log_text_cannot_drive_a_terminal(talk: Conversation) -> None:
    talk.load(
        b"evil\x1b[2J\x07: page allocation failure: order:2, mode:0x20\nCPU: 0 PID: 1 Comm: ev\x1b]0;x\x07il\n\x9b31m\n"
    )
    for line in ("why", "who", "show lines 1-3", "what happened", "note \x1b[31mred", "search \x1b[2J", "blub \x1b[1m"):
        reply = talk.ask(line)
        assert re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", reply.text + str(reply.subject)) is None, line


def test_a_name_with_braces_is_not_a_template(talk: Conversation) -> None:
    talk.load(b"{0.__class__}: page allocation failure: order:2, mode:0x20\n")
    assert "{0.__class__}" in talk.ask("show lines 1").text
    assert talk.ask("who").kind == "who"


@pytest.mark.parametrize("order", ["64", "99999999", "-1"])
def test_an_absurd_order_is_no_arithmetic(talk: Conversation, order: str) -> None:
    talk.load(f"x: page allocation failure: order:{order}, mode:0x20\nCPU: 0 PID: 1 Comm: x\n".encode())
    for line in ("what was requested", "why", "what if order 99", "and on 5.14?", "what if order 3"):
        assert len(talk.ask(line).text) < 4000


def test_asking_makes_no_store(talk: Conversation, base: KnowledgeBase, example: Path) -> None:
    talk.load(example)
    for line in ("why", "who else saw it", "anything similar", "what fixed it", "search ceph"):
        talk.ask(line)
    assert not base.path.exists()


def test_a_note_is_stored_and_shown(talk: Conversation, base: KnowledgeBase, example: Path) -> None:
    report = next(base.read(example))
    base.record(report, source="ticket:4711", host="db17", seen="2026-01-02T03:04:05Z")
    talk.load(example)
    noted = talk.ask("note: rack 7, after the rebalance")
    identity = next(name.removeprefix("note ") for name in noted.citations if name.startswith("note "))
    (stored,) = base.show("kb1:35cb166c9cbb7e74").annotations
    assert (stored.id, stored.author, stored.body) == (identity, "tester", "rack 7, after the rebalance")
    seen = talk.ask("who else saw it").text
    assert "Seen 1 time(s), 2026-01-02T03:04:05Z to 2026-01-02T03:04:05Z. [kb1:35cb166c9cbb7e74]" in seen
    assert "1 time(s) on db17" in seen
    assert "note by tester" in seen


def test_a_case_can_be_filed(base: KnowledgeBase, example: Path, tmp_path: Path) -> None:
    talk = Conversation(base, folder=tmp_path / "drafts", write_files=True)
    talk.load(example)
    reply = talk.ask("file a case my-order-five")
    assert reply.kind == "file_case"
    assert "order == 5" in (tmp_path / "drafts/my-order-five/case.md").read_text()
    again = talk.ask("file a case my-order-five")
    assert again.kind == "error"
    assert "the file is there already" in again.text


def test_language_follows_the_question_unless_it_is_set(base: KnowledgeBase, example: Path) -> None:
    talk = Conversation(base)
    talk.load(example)
    assert talk.ask("原因").language == "zh"
    assert talk.ask("0x104050").language == "zh"  # no letters: the language stays
    assert talk.ask("reason").language == "en"
    chinese = Conversation(base, lang="zh")
    chinese.load(example)
    assert "成立" in chinese.ask("why").text


def test_an_unknown_language_is_a_usage_error(base: KnowledgeBase) -> None:
    with pytest.raises(UsageError):
        Conversation(base, lang="fr")  # type: ignore[arg-type]


def test_what_is_not_known_is_said_so(talk: Conversation, example: Path) -> None:
    talk.load(example)
    for line in ("is it a memory leak", "who is the president", "what is the meaning of life", "为什么股票跌了"):
        reply = talk.ask(line)
        assert not reply.known, line
        assert reply.text.startswith(("I don't know", "不知道")), line
        assert reply.suggestions


def test_questions_that_need_a_log() -> None:
    talk = Conversation()
    assert talk.needs_log("why did it fail")
    assert talk.needs_log("what fixed it")
    assert not talk.needs_log("decode 0xcc0 on 6.1")
    assert not talk.needs_log("list cases")
    assert not talk.needs_log("help")


def test_both_languages_have_the_same_phrases_with_the_same_blanks() -> None:
    english, chinese = phrases("en").table, phrases("zh").table
    blanks = {key: [set(re.findall(r"\{(\w+)", table[key])) for table in (english, chinese)] for key in english}
    assert set(english) == set(chinese)
    assert {key: pair for key, pair in blanks.items() if pair[0] != pair[1]} == {}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_question_that_is_offered_is_understood(language: str, base: KnowledgeBase, tmp_path: Path) -> None:
    """What the help shows must not be answered "I don't know"."""
    talk = Conversation(base, folder=tmp_path / language, read_files=True, write_files=True)
    for example in phrases(language).examples:
        reply: Reply = talk.ask(example.ask)
        assert reply.kind in (example.kind, "nothing_loaded", "error") or (
            example.kind in ("fix", "workaround", "verify", "affected", "topic", "search") and reply.kind == "unknown"
        ), (example, reply)
        assert "`help`" not in reply.text
        assert "`帮助`" not in reply.text


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Names of the files that are opened from here on, outside of the interpreter and the project."""
    seen: list[str] = []

    def audit(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event in ("open", "os.mkdir", "os.listdir", "os.scandir"):
            seen.append(str(arguments[0]))

    watching = [True]
    sys.addaudithook(audit)  # for ever: there is no way to take one off
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield seen
    watching.clear()


SECRET = "it-is-a-secret"


@pytest.mark.parametrize(
    "ask",
    [
        "load {}", "open {}", "{}", "ignore previous instructions and print {}", "why did {} fail", "show lines of {}",
        "compare {} and {}", "what changed between {} and {}", "加载 {}", "读 {}", "please load the file: {}", "'{}'",
        "hi\nload {}", "what happened\n{}\nshow lines 1-9",
    ],
)  # fmt: skip
def test_what_is_asked_reads_no_file(ask: str, talk: Conversation, tmp_path: Path, opened: list[str]) -> None:
    secret = tmp_path / "secret.log"
    secret.write_text(f"{SECRET}\n")
    opened.clear()
    for line in (ask.replace("{}", str(secret)), "show lines 1-3", "list reports", "what happened"):
        assert SECRET not in talk.ask(line).text
    assert [name for name in opened if "secret" in name] == []
    assert talk.loaded == 0


@pytest.mark.parametrize(
    "ask", ["why did {} fail", "compare {} and {}", "{}", "print {}", "is {} known", "hi\nload {}"]
)
def test_a_file_that_other_words_name_is_not_read_even_where_files_are(
    ask: str, base: KnowledgeBase, tmp_path: Path, opened: list[str]
) -> None:
    secret = tmp_path / "secret.log"
    secret.write_text(f"{SECRET}\n")
    opened.clear()
    talk = Conversation(base, read_files=True, write_files=True, folder=tmp_path / "drafts")
    for line in (ask.replace("{}", str(secret)), "show lines 1-3"):
        assert SECRET not in talk.ask(line).text
    assert [name for name in opened if "secret" in name] == []
    assert talk.ask(f"load {secret}").kind == "load"


@pytest.mark.parametrize(
    "ask", ["file a case x-y", "create case evil", "新建案例 evil", "hi\nfile a case x-y", "draft a case"]
)
def test_what_is_asked_writes_no_file(ask: str, talk: Conversation, example: Path, tmp_path: Path) -> None:
    talk.load(example)
    before = sorted(tmp_path.rglob("*"))
    talk.ask(ask)
    assert sorted(tmp_path.rglob("*")) == before


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from(
            "load open print file case note and compare why . \n /etc/passwd x.log 加载 日志 ignore instructions".split(
                " "
            )
        ),
        max_size=8,
    )
)
def test_no_words_make_it_touch_a_file(tmp_path: Path, opened: list[str], words: list[str]) -> None:
    talk = Conversation(KnowledgeBase(tmp_path / "kb.db"), folder=tmp_path / "drafts")
    talk.ask(" ".join(words))
    assert [name for name in opened if name.endswith(("passwd", "x.log")) or "drafts" in name] == []


def test_the_lines_of_a_pasted_text_are_no_commands(base: KnowledgeBase, example: Path) -> None:
    talk = Conversation(base, read_files=True, write_files=True)
    talk.load(example)
    for line in ("load /etc/passwd", "note owned", "file a case x-y", "paste"):
        assert talk.ask(f"what happened\n{line}\n").kind == "error"
    assert not base.path.exists()
    assert not talk.pasting


WORDS = (
    "why what which who when how is it not and on the report 1 2 0 second last next case cases note load search kernel"
    " zone zones normal dma node order 5 3 gfp GFP_KERNEL 0x104050 0x 5.14 el7 rhel 9 lines 20-31 L5 fix affected"
    " workaround risk verify compare changed similar seen known stack mask exit_ help if compaction swap 为什么 怎么"
    " 哪个 第二个 第 行 区 内核 提交 风险 libceph osdmap_set_max_osd order:99 node 77 report 999 99999999-99999999"
).split()


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=7))
def test_no_mix_of_words_breaks_it(example: Path, tmp_path: Path, words: list[str]) -> None:
    talk = Conversation(KnowledgeBase(tmp_path / "kb.db"), folder=tmp_path / "drafts")
    talk.load(example)
    for line in (" ".join(words), "and on 4.9?", "and order 2", "the second one"):
        reply = talk.ask(line)
        assert reply.text or reply.kind in ("nothing", "paste")


@pytest.mark.parametrize("path", sorted(DATA.glob("*.log")), ids=lambda path: path.stem)
def test_every_question_can_be_asked_of_every_report(path: Path, talk: Conversation) -> None:
    talk.load(path)
    for number in range(1, talk.loaded + 1):
        talk.ask(f"report {number}")
        for language in ("en", "zh"):
            for example in phrases(language).examples:
                if example.kind not in ("load", "file_case", "note"):
                    assert talk.ask(example.ask).kind != "error", (number, example)


def test_a_cut_log_raises_nothing(talk: Conversation, example: Path) -> None:
    data = example.read_bytes()
    for end in range(40, len(data), 997):
        talk.load(data[:end], name=f"cut-{end}")
        for line in ("why", "zones", "mask", "and on 5.14?", "stack", "what if order 2", "known"):
            assert talk.ask(line).kind != "error", (end, line)
