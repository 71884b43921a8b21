"""The optional language model: off unless given, fed with evidence only, its sentences checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kb.api import KnowledgeBase
from kb.chat import Conversation
from kb.chat.model import checked, open_model
from kb.errors import UsageError

EXAMPLE = Path(__file__).resolve().parents[2] / "cases/nofs-high-order-watermark/match-seed.log"
EVIDENCE = {
    "L1": "kworker/31:0: page allocation failure: order:5, mode:0x104050",
    "L35": "Node 1 Normal free:3315332kB min:205324kB",
    "case nofs-high-order-watermark": "High-order GFP_NOFS | fix 97a16fc82a7c mm, page_alloc in 4.4",
}


class Parrot:
    """A model that says what it is told to."""

    name = "parrot"

    def __init__(self, says: str):
        self.says = says
        self.prompts: list[str] = []

    def complete(self, prompt: str) -> str:
        self.prompts.append(prompt)
        return self.says


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("The request was of order 5 [L1].", ["The request was of order 5. [L1]"]),
        ("The request was of order 5. [L1] It rains.", ["The request was of order 5. [L1]"]),
        ("It was order 5 [L1]. Nobody cites this.", ["It was order 5. [L1]"]),
        ("It was order 5 [L99].", []),
        ("It was order 6 [L1].", []),
        ("The mask was 0x104051 [L1].", []),
        ("osdmap_set_max_osd failed [L1].", []),
        ("Fixed by 97a16fc82a7c in 4.4 [case nofs-high-order-watermark].", ["Fixed by 97a16fc82a7c in 4.4."]),
        ("Fixed by deadbeef1234 [case nofs-high-order-watermark].", []),
        ("It was order 5 and min was 205324 [L1, L35].", ["It was order 5 and min was 205324. [L1] [L35]"]),
        ("I don't know.", []),
        ("", []),
    ],
)
def test_only_cited_sentences_without_inventions_stand(written: str, kept: list[str]) -> None:
    found = [str(claim) for claim in checked(written, EVIDENCE)]
    assert len(found) == len(kept)
    assert all(line.startswith(start) for line, start in zip(found, kept, strict=True)), found


def test_a_hostile_model_cannot_hang_the_check() -> None:
    checked("a.b" * 20_000 + "[" * 20_000, EVIDENCE)
    checked("[L1]" * 20_000, EVIDENCE)


def test_a_model_is_asked_only_what_the_grammar_does_not_know(example: Path, tmp_path: Path) -> None:
    model = Parrot("The request was of order:5 [L1]. It is a bug of the moon [L1, L2, L777].")
    talk = Conversation(KnowledgeBase(tmp_path / "kb.db"), model=model)
    talk.load(example)
    assert talk.ask("why did it fail").by_model is None
    assert model.prompts == []
    reply = talk.ask("does the moon matter for this allocation")
    assert reply.by_model == "parrot"
    assert reply.kind == "model"
    assert "The request was of order:5. [L1]" in reply.text
    assert "bug of the moon" not in reply.text
    assert "parrot" in reply.text
    assert "[L1] kworker/31:0: page allocation failure: order:5" in model.prompts[0]


def test_a_model_that_cites_nothing_is_not_heard(example: Path, tmp_path: Path) -> None:
    talk = Conversation(KnowledgeBase(tmp_path / "kb.db"), model=Parrot("Certainly! It is cosmic rays."))
    talk.load(example)
    reply = talk.ask("do cosmic rays matter")
    assert reply.kind == "unknown"
    assert "Certainly" not in reply.text


def test_without_evidence_no_model_is_asked(tmp_path: Path) -> None:
    model = Parrot("anything")
    Conversation(KnowledgeBase(tmp_path / "kb.db"), model=model).ask("xyzzy plugh")
    assert model.prompts == []


def test_a_model_that_breaks_is_an_answer_and_no_crash(example: Path, tmp_path: Path) -> None:
    class Broken:
        name = "broken"

        def complete(self, prompt: str) -> str:
            raise RuntimeError("no network \x1b[2J")

    talk = Conversation(KnowledgeBase(tmp_path / "kb.db"), model=Broken())
    talk.load(example)
    reply = talk.ask("do cosmic rays matter")
    assert reply.kind == "error"
    assert "\x1b" not in reply.text


def test_a_model_without_its_package_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "llm", None)
    with pytest.raises(UsageError, match="llm package"):
        open_model("some-model")


def test_a_model_that_a_plugin_of_llm_registers_is_asked_and_checked(tmp_path: Path) -> None:
    """The real package, with a model that runs here: registered as its plugins register theirs."""
    llm = pytest.importorskip("llm", reason="the extra kernel-kb[llm] is not installed")
    from llm.plugins import pm

    class Stub(llm.Model):  # type: ignore[misc]
        model_id = "kb-stub"
        can_stream = False

        def execute(self, prompt: object, stream: bool, response: object, conversation: object) -> Iterator[str]:
            yield "The request was of order 5 [L1]. The moon did it. It needed 77 pages [L1]."

    class Plugin:
        @llm.hookimpl  # type: ignore[misc]
        def register_models(self, register: Callable[[object], None]) -> None:
            register(Stub())

    plugin = Plugin()
    pm.register(plugin, name="kb-stub")
    try:
        with KnowledgeBase(tmp_path / "kb.db") as base:
            talk = Conversation(base, model=open_model("kb-stub"))
            talk.load(EXAMPLE)
            reply = talk.ask("why is the sky blue")
            plain = Conversation(base)
            plain.load(EXAMPLE)
            without = plain.ask("why is the sky blue")
    finally:
        pm.unregister(plugin)
    assert reply.by_model == "kb-stub"
    assert "The request was of order 5. [L1]" in reply.text
    assert "moon" not in reply.text
    assert "77" not in reply.text
    assert without.by_model is None
