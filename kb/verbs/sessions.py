"""Verbs that hold a conversation, with a person or about kb itself: ``tui``, ``chat``, ``ask``, ``doctor``."""

from kb.verbs.common import common, verb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kb.verbs.common import Verbs


def add_tui(verbs: "Verbs") -> None:
    """``kb tui``."""
    parser = verb(
        verbs,
        "tui",
        "kb.commands.tui:run",
        "browse a log or the store, see the evidence, annotate, write cases",
        "Shows FILE, standard input (kb tui < dmesg), or the store when neither is given.",
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="logs (default: standard input, or the store)")
    parser.add_argument("--kernel", metavar="RELEASE", help="release to assume where the log prints none (uname -r)")
    parser.add_argument("--web", action="store_true", help="serve it to a browser (needs kernel-kb[web])")
    parser.add_argument(
        "--host",
        metavar="ADDRESS",
        default="127.0.0.1",
        help="where on loopback --web listens (default: 127.0.0.1)",
    )
    parser.add_argument("--port", metavar="N", type=int, default=8000, help="port of --web (default: 8000)")
    common(parser, db=True, cases=True, color=False)


def add_chat(verbs: "Verbs") -> None:
    """``kb ask``, ``kb chat``."""
    ask = verb(
        verbs,
        "ask",
        "kb.commands.chat:ask",
        "answer one question about a log, the cases or the store, in English or Chinese",
        "Exit code 0 answered, 1 not known, 3 no report where one is needed.",
    )
    ask.add_argument("question", metavar="QUESTION", help='in your own words: "why did it fail"')
    ask.add_argument("--json", action="store_true", help="JSON (schema kb.reply/1)")
    chat = verb(
        verbs,
        "chat",
        "kb.commands.chat:run",
        "talk about a log, the cases or the store, in English or Chinese",
        "Without a terminal, standard input is a script of questions.",
    )
    for each in (ask, chat):
        each.add_argument("files", nargs="*", metavar="FILE", help="logs to load first")
        each.add_argument(
            "--lang",
            choices=("auto", "en", "zh"),
            default="auto",
            help="language of the answers (default: that of each question)",
        )
        each.add_argument("--model", metavar="NAME", help="a language model of the llm package for other questions")
        common(each, db=True, cases=True)


def add_doctor(verbs: "Verbs") -> None:
    """``kb doctor``."""
    parser = verb(
        verbs,
        "doctor",
        "kb.commands.doctor:run",
        "print what a report of a fault of kb needs: versions, places, the state of the store and the cases",
        "Exit code 4 when kb, the store or a folder of cases cannot be used; packages of extras may be missing.",
    )
    parser.add_argument("--json", action="store_true", help="JSON (schema kb.doctor/1)")
    common(parser, db=True, cases=True, color=False)
