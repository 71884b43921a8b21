"""The conversation on a terminal: prompt_toolkit's line editor around :class:`kb.chat.Conversation`.

History is kept in the user's data folder, readable by the user alone. A pasted log arrives as one text of many lines
(bracketed paste), so it is loaded as one log.
"""

import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from kb.chat.paint import paint
from kb.errors import KbError
from kb.model.text import plain
from kb.render.safe import safe_lines

if TYPE_CHECKING:
    from kb.chat import Conversation, Reply

_LOAD = re.compile(r"\s{0,10}(?:load|open|加载|打开|读取?)\s{1,10}")


class _Questions(Completer):
    """File names after ``load``, else questions that can be answered."""

    def __init__(self, talk: "Conversation"):
        self._talk = talk
        self._paths = PathCompleter(expanduser=True)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        text = document.text_before_cursor
        begun = _LOAD.match(text)
        if begun is not None:
            rest = Document(text[begun.end() :])
            yield from self._paths.get_completions(rest, complete_event)
            return
        for ask in self._talk.examples():
            if text.strip() and ask.lower().startswith(text.lower()):
                yield Completion(ask, -len(text))


def converse(talk: "Conversation", files: list[str], color: str) -> int:
    """Talk until the asker leaves; returns the exit code."""
    painted = color == "always" or (color == "auto" and not os.environ.get("NO_COLOR"))
    print(paint(talk.greeting(), painted))
    for name in files:
        _show(talk.load(name), painted)
    session: PromptSession[str] = PromptSession(
        history=_history(), completer=_Questions(talk), complete_while_typing=False, enable_open_in_editor=False
    )
    while True:
        try:
            line = session.prompt("... " if talk.pasting else "kb> ")
        except KeyboardInterrupt:
            continue
        except EOFError:
            return 0
        try:
            reply = talk.ask(line)
        except KeyboardInterrupt:
            continue
        except KbError as error:
            print(f"kb: {safe_lines(str(error))}", file=sys.stderr)
            continue
        _show(reply, painted)
        if reply.exit:
            return 0


def _show(reply: "Reply", painted: bool) -> None:
    if reply.text:
        print(paint(reply.text, painted))


def _history() -> History:
    """The file of past questions, made for the user alone; in memory where that cannot be had."""
    import platformdirs

    try:
        path = Path(platformdirs.user_data_dir("kb")) / "chat-history"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0), 0o600))
    except OSError:
        return InMemoryHistory()
    return _File(str(path))


class _File(FileHistory):
    """What was typed may hold bytes that are no UTF-8; prompt_toolkit's file does not."""

    def store_string(self, string: str) -> None:
        super().store_string(plain(string))
