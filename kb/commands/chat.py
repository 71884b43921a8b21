"""``kb chat`` and ``kb ask``: the conversation on a terminal, in a script, and one question long."""

import argparse
import sys
from typing import TYPE_CHECKING, Literal

from kb.cli import EMPTY, OK, UNKNOWN
from kb.commands import named, opened
from kb.errors import UsageError

if TYPE_CHECKING:
    from kb.chat import Reply
    from kb.chat.model import Model


_LONGEST = 1 << 16
"""Characters of a line of a script that are taken at once."""


def ask(options: argparse.Namespace) -> int:
    """Answer one question; 0 answered, 1 not known, 3 no report in what was given."""
    from kb.chat import Conversation

    if not options.question.strip():
        raise UsageError("an empty question", help='kb ask "why did it fail" dmesg.txt')
    with opened(options) as base:
        talk = Conversation(base, lang=options.lang, model=_model(options))
        files = options.files
        if not files and not sys.stdin.isatty() and talk.needs_log(options.question):
            files = ["-"]
        for name in files:
            talk.load(sys.stdin.buffer if name == "-" else named(name), name="stdin" if name == "-" else None)
        reply = talk.ask(options.question)
    if options.json:
        from kb.render.json import line

        print(line(reply.to_json()))
    else:
        _say(reply, options.color)
    if files and not talk.loaded and not reply.known:
        return EMPTY
    return OK if reply.known else EMPTY if reply.kind == "nothing_loaded" else UNKNOWN


def run(options: argparse.Namespace) -> int:
    """Talk until the asker leaves; a script when standard input is no terminal."""
    from kb.chat import Conversation

    with opened(options) as base:
        talk = Conversation(
            base, lang=options.lang, first=_first(), model=_model(options), read_files=True, write_files=True
        )
        if sys.stdin.isatty() and sys.stdout.isatty():
            from kb.chat.terminal import converse

            return converse(talk, options.files, options.color)
        print(talk.greeting())
        for name in options.files:
            _say(talk.load(named(name)))
        for line in iter(lambda: sys.stdin.readline(_LONGEST), ""):
            reply = talk.ask(line.rstrip("\n"))
            _say(reply)
            if reply.exit:
                break
    return OK


def _say(reply: "Reply", color: str = "never") -> None:
    """Print a reply: laid out on a terminal, a line a claim elsewhere."""
    if reply.understood:
        from kb.chat.phrases import phrases
        from kb.render.safe import safe

        print(phrases(reply.language)("read.as", text=safe(reply.understood)))
    if reply.text:
        print(_laid_out(reply.text, color))
        sys.stdout.flush()


def _laid_out(text: str, color: str) -> str:
    from kb.commands.output import colored

    if not sys.stdout.isatty() and color != "always":
        return text
    from kb.chat.paint import paint

    return paint(text, colored(color), None if sys.stdout.isatty() else 1 << 30)


def _first() -> Literal["en", "zh"]:
    """The language of the user's environment, for the greeting."""
    import os

    named = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if named.lower().startswith("zh") else "en"


def _model(options: argparse.Namespace) -> "Model | None":
    import os

    name = options.model or os.environ.get("KB_LLM_MODEL")
    if not name:
        return None
    from kb.chat.model import open_model

    return open_model(name)
