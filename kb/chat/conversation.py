"""Class :class:`Conversation`: one line in, one reply out; remembers what it is about."""

import importlib
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

from kb.chat.meant import FOLLOWED, foreign, kind_of
from kb.chat.phrases import LANGUAGES, Phrases, phrases
from kb.chat.question import COMMANDS, Question, language_of, read
from kb.chat.reply import Answer, Claim, Reply, answer
from kb.chat.state import State
from kb.errors import KbError, UsageError
from kb.log.text import encoded
from kb.render.safe import safe

if TYPE_CHECKING:
    from kb.api import KnowledgeBase
    from kb.chat.model import Model

_HOMES = {
    "logs": "load reports select compare changed",
    "report": "field frame why happened excluded missing who kernel when blamed stack lines signature topic",
    "memory": "zones mask whatif request",
    "case": "affected fix workaround verify known sources show_case search cases file_case",
    "store": "seen similar note archive",
    "triage": "severity now reboot boss recovered told",
    "tally": "used count",
    "define": "define",
    "times": "during duration host",
}
_PLACES = {kind: f"kb.chat.answers.{home}" for home, kinds in _HOMES.items() for kind in kinds.split()}
"""Where each question is answered: a function of its name, ``(State, Question) -> Answer``."""


_LOG_LINE = 30
"""Characters from which a single line without a question word may be one of a log."""

_NEEDS_LOG = frozenset(
    "request field frame why happened excluded missing who kernel when blamed stack lines signature topic zones known"
    " similar seen reports compare changed select severity now reboot boss recovered used count told during duration"
    " host".split()
)
_UNBOUND = COMMANDS | frozenset(
    "mask whatif compare changed select lines topic field frame reports cases define used during duration"
    " archive".split()
)
"""Questions whose answers do not repeat what they are asked with, or see to it themselves."""
_KINDLESS = COMMANDS | frozenset(
    "mask whatif compare changed define count cases affected during duration archive".split()
)
"""Questions for which a kind of report that is named chooses none."""
_NUMBERED = ("told", "mention", "who", "blamed", "when", "kernel", "stack", "happened", "why")
"""Questions in which a bare number names something of the log."""
_YES = re.compile(r"(?i)\W*(?:y|yes|yep|yeah|sure|是|是的|对|对的|嗯|好)\W*")


_ACTING = ("load", "note", "file_case", "paste")
"""What does something rather than tell: asked for by a line of its own, never by one line of a pasted text."""


class Conversation:
    """A conversation with the knowledge base. Deterministic, offline.

    What is asked may come from anybody (a ticket, a chat room), so :meth:`ask` touches no file unless that was switched
    on: ``load FILE`` by ``read_files``, ``file a case`` by ``write_files``. Notes go to the base's store.

    Args:
        base: Cases and store; the packaged cases and the user's store by default.
        lang: ``en``, ``zh``, or ``auto``: the language of each question.
        first: With ``auto``, the language before the first question: of the greeting.
        author: Who writes the notes; the user's name by default.
        read_files: Whether the words ``load FILE`` may read a file; the method :meth:`load` always may.
        write_files: Whether the words ``file a case`` may write a draft.
        folder: Where drafts of cases are written.
        model: A language model for questions that the grammar does not know; None (the default) for none at all.
    """

    def __init__(
        self,
        base: "KnowledgeBase | None" = None,
        *,
        lang: Literal["auto", "en", "zh"] = "auto",
        first: Literal["en", "zh"] = "en",
        author: str | None = None,
        read_files: bool = False,
        write_files: bool = False,
        folder: str | Path = ".",
        model: "Model | None" = None,
    ):
        if lang not in ("auto", *LANGUAGES):
            raise UsageError(f"no language {lang!r}", help="auto, en or zh")
        if base is None:
            from kb.api import KnowledgeBase

            base = KnowledgeBase()
        self._lang = lang
        self._model = model
        self._language: str = lang if lang != "auto" else first
        self._pasted: list[str] | None = None
        off = frozenset(kind for kind, on in (("load", read_files), ("file_case", write_files)) if not on)
        self._state = State(base, author or _user(), str(folder), off)

    @property
    def subject(self) -> str | None:
        """What the conversation is about: a report's title or ``case ID``; None before anything is loaded."""
        return self._state.subject

    @property
    def pasting(self) -> bool:
        """Whether lines are being collected for a pasted log, up to a line with a single dot."""
        return self._pasted is not None

    @property
    def loaded(self) -> int:
        """Reports loaded so far."""
        return len(self._state.entries)

    def greeting(self) -> str:
        """What to say first: how to leave, then how to begin."""
        p = self._phrases()
        return f"{p('greeting.exits')}\n{p('greeting.start')}"

    def examples(self) -> tuple[str, ...]:
        """Questions it can answer, for completion and help."""
        return tuple(example.ask for example in self._state.examples(self._phrases()))

    def load(self, log: str | bytes | Path | BinaryIO, *, name: str | None = None) -> Reply:
        """Load a log; its first report becomes the subject.

        Args:
            log: As :func:`kb.api.read` takes it: a path, a folder, bytes, text with a line break, a binary file.
            name: What to call it; its own name by default.

        Raises:
            InputError: It cannot be read.
        """
        self._state.say = self._phrases()
        return self._reply(self._loaded(log, name), "load", None)

    def ask(self, line: str) -> Reply:
        """Answer one line; what goes wrong is answered too, never raised.

        A text of several lines that holds a report is a pasted log.
        """
        if self._pasted is not None:
            return self._paste(line)
        offered, self._state.offered = self._state.offered, None
        if offered is not None and _YES.fullmatch(line):
            line = offered
        question = self._read(line) if "\n" not in line.strip() else Question(line, None, language=language_of(line))
        if self._lang == "auto" and question.language is not None and "\n" not in line.strip():
            self._language = question.language
        self._state.say = self._phrases()
        try:
            found, kind = self._answer(question)
        except KbError as error:
            found, kind = self._failed(error), "error"
        return self._reply(found, kind, question)

    def needs_log(self, line: str) -> bool:
        """Whether a line cannot be answered without a log."""
        question = self._read(line)
        kind = kind_of(self._state, question)
        if kind in ("mask", "whatif", "affected"):
            return kind != "mask" or not (question.has("hex") or question.has("gfp"))
        return kind in _NEEDS_LOG or kind in ("fix", "workaround", "verify", "note", "file_case", "sources")

    def _read(self, line: str) -> Question:
        return read(line, self._is_named)

    def _is_named(self, word: str) -> bool:
        """Whether a word stands in a log or a case in question, or is explained: it is no typing error."""
        from kb.chat.unknown import haystack
        from kb.glossary import explain

        return word.lower() in haystack(self._state) or self._state.logged(word) or bool(explain(word))

    # ------------------------------------------------------------ how a line finds its answer

    def _answer(self, question: Question) -> tuple[Answer, str]:
        state, text = self._state, question.text.strip()
        if not text:
            return answer(()), "nothing"
        if "\n" in text:
            return self._several(text)
        if question.kind is None and len(text) >= _LOG_LINE and self._is_log(text):
            return self._loaded(text + "\n", "pasted"), "load"
        kind = kind_of(self._state, question)
        if kind in (None, "count") and state.logs and not state.entries and not question.strange:
            kind = "reports"
        if kind is None or (kind not in COMMANDS and kind != "define" and foreign(state, question)):
            return self._unknown(question, kind)
        if kind == "paste":
            self._pasted = []
        if kind in ("exit", "thanks", "help", "paste"):
            from kb.chat.unknown import exits

            return exits(state, kind), kind
        if kind in state.off:
            return answer([Claim(state.p(f"off.{kind}"))], "error"), kind
        if kind == "load":
            path = question.first("load", "path")  # a file that other words name is not read
            return (
                (self._loaded(path), kind) if path else (answer([Claim(state.p("load.need"))], "nothing_loaded"), kind)
            )
        if kind in _NEEDS_LOG and not state.logs and not self._answerable(kind, question):
            return answer([Claim(state.p("load.nothing"))], "nothing_loaded"), kind
        return self._bound(question, kind)

    def _bound(self, question: Question, kind: str) -> tuple[Answer, str]:
        """The answer about the report that the line names, which holds what the line names."""
        from kb.chat.named import chosen, is_of, named, of_kind, of_names, of_nothing, placed, unbound

        state, preface = self._state, None
        about = bool(state.entries) and state.chosen is None
        things = named(question, state.logged, numbers=kind in _NUMBERED) if about and kind not in _UNBOUND else []
        if about and kind not in _KINDLESS:
            name, fit = of_kind(state, question)
            if name is not None and not fit:
                return of_nothing(state, name), kind
            if kind != "select" or name is not None:
                found = chosen(state, question)
                if found is None and placed(question) and not state.listed:
                    return of_nothing(state, question.text.strip(" ?？")), kind
                if found is not None and found is not state.current:
                    state.use(found)
                    preface = Claim(state.p("named.report", number=found.number, title=found.report.title))
                if kind == "select":
                    kind = "happened"
        if kind == "mention":
            if state.current is None or not all(is_of(state.current, one) for one in things):
                found_ = of_names(state, things, asked=False)
                return self._prefaced(found_, preface), "told"
            kind = "happened"
        function: Callable[[State, Question], Answer] = getattr(importlib.import_module(_PLACES[kind]), kind)
        said = function(state, question)
        if kind != "select":
            state.last = kind
            state.asked = _asked(question) or (state.asked if kind in FOLLOWED["release"] else {})
        missing = unbound(things, said.text)
        if about and missing and state.current is not None and all(is_of(state.current, one) for one in missing):
            names = ", ".join(one.shown for one in missing)
            entry = state.current
            preface = Claim(state.p("named.of", name=names, number=entry.number, title=entry.report.title))
        elif missing and said.kind not in ("unknown", "nothing_loaded", "error"):
            return of_names(state, missing, asked=True), kind
        return self._prefaced(said, preface), kind

    def _prefaced(self, found: Answer, preface: Claim | None) -> Answer:
        """An answer behind the report that it is about, where the line chose that; "I don't know" goes first."""
        if preface is None:
            return found
        behind = found.kind == "unknown"
        return replace(found, claims=(*found.claims, preface) if behind else (preface, *found.claims))

    def _answerable(self, kind: str, question: Question) -> bool:
        """Whether a question that is mostly about a log can be answered without one."""
        if kind == "seen":
            return question.has("signature_id")
        return (kind == "select" and bool(self._state.listed)) or (kind in ("happened", "sources") and self._chosen())

    def _chosen(self) -> bool:
        return self._state.chosen is not None

    def _unknown(self, question: Question, kind: str | None) -> tuple[Answer, str]:
        from kb.chat.unknown import unknown

        if self._model is not None:
            from kb.chat.model import by_model

            written = by_model(self._state, question, self._model)
            if written is not None:
                return written, "model"
        if question.understood is not None:
            self._state.offered = question.understood
        return unknown(self._state, question, kind), "unknown"

    def _is_log(self, text: str) -> bool:
        return next(iter(self._state.base.read(encoded(text) + b"\n")), None) is not None

    def _several(self, text: str) -> tuple[Answer, str]:
        """Several lines: a log if they hold a report, else questions, answered one by one."""
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) > 8 or self._is_log(text):
            return self._loaded(text + "\n", "pasted"), "load"
        replies = [self._answer_one_of_several(self._read(line)) for line in lines]
        return answer([claim for found, _kind in replies for claim in found.claims]), replies[-1][1]

    def _answer_one_of_several(self, question: Question) -> tuple[Answer, str]:
        """A line of a text that was pasted as a whole: what it says may not be what the asker means."""
        kind = kind_of(self._state, question)
        if kind in _ACTING:
            return answer([Claim(self._state.p("several.acts"))], "error"), "error"
        return self._answer(question)

    def _paste(self, line: str) -> Reply:
        assert self._pasted is not None
        rows = line.split("\n")
        ended = next((number for number, row in enumerate(rows) if row.strip() == "."), None)
        self._pasted += rows[:ended]
        if ended is None:
            return Reply("", "paste", language=self._language, subject=self.subject)
        text, self._pasted = "\n".join(self._pasted) + "\n", None
        return self._reply(self._loaded(text, "pasted"), "load", None)

    def _loaded(self, log: str | bytes | Path | BinaryIO, name: str | None = None) -> Answer:
        from kb.chat.answers.logs import loaded

        if name == "pasted":
            name = f"pasted-{1 + sum(other.name.startswith('pasted') for other in self._state.logs)}"
        return loaded(self._state, log, name)

    # ------------------------------------------------------------ how an answer becomes a reply

    def _phrases(self) -> Phrases:
        return phrases(self._language)

    def _failed(self, error: KbError) -> Answer:
        p = self._state.p
        where = f" ({error.path})" if error.path else ""
        claims = [Claim(p("error.error", reason=error.reason + where))]
        if error.help:
            claims.append(Claim(p("error.help", help=error.help), indent=1))
        return answer(claims, "error")

    def _reply(self, found: Answer, kind: str, question: Question | None) -> Reply:
        understood = question.understood if question is not None else None
        return Reply(
            found.text,
            found.kind or kind,
            found.citations,
            safe(self.subject) if self.subject is not None else None,
            found.exit,
            understood,
            self._language,
            found.suggestions,
            found.by_model,
        )


def _asked(question: Question) -> dict[str, str]:
    """The arguments that a next question may leave out."""
    named = {"hex": question.first("hex", "hex"), "names": question.first("gfp", "names"),
             "order": question.first("order")}  # fmt: skip
    return {name: value for name, value in named.items() if value is not None}


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such user: a container
        return "unknown"


__all__ = ["Conversation"]
