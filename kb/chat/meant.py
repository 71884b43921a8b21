"""Which question a line asks: by its words, by what it names, by the log it is about, or the last one again."""

from dataclasses import replace

from kb.chat.question import COMMANDS, Question
from kb.chat.state import State

_BY_ARGUMENT = (
    ("span", "lines"), ("order", "whatif"), ("hex", "mask"), ("gfp", "mask"), ("release", "affected"),
    ("mine", "affected"), ("zone", "zones"), ("node", "zones"), ("ordinal", "select"), ("case_id", "show_case"),
    ("signature_id", "seen"),
)  # fmt: skip
"""What a line without a question word asks, by its first argument of this list."""

FOLLOWED = {"release": ("mask", "whatif", "verify"), "gfp": ("whatif",), "order": ("whatif",), "node": ("zones",)}
"""Arguments that repeat the last question with a new value ("and on 5.14?") rather than ask one of their own."""

_TELLING = (None, "define", "happened", "blamed", "who", "known", "kernel", "when", "reports", "count", "zones",
            "stack", "lines", "topic")  # fmt: skip
"""Questions that lines of the log may tell, where the line asks for some that kb/words/asked.toml has."""

_TIMED = (*_TELLING, "severity", "why", "host", "seen")
"""Questions that, with a time in their line, ask what the log holds of it."""

_DEFINING = (*_TELLING, "mask", "compare", "cases", "sources", "request")
"""Questions that a line which asks for a word of the glossary may be taken for."""


def kind_of(state: State, question: Question) -> str | None:
    """The question asked: by its words, by its arguments, or the last one again."""
    from kb.chat.answers.define import defined
    from kb.chat.asked import kinds_named
    from kb.chat.question import normal

    text = normal(question.text)
    if question.kind not in COMMANDS:
        if question.has("moment") and question.kind in _TIMED and state.logs:
            return "during"
        if question.kind in _DEFINING and defined(question, logs=bool(state.logs)):
            return "define"
        field = question.strange and not question.has("number") and _names_a_field(state, question)
        if question.kind in _TELLING and _tells(text, bool(question.topics or field)):
            return "told"
        if question.kind == "reports" and _things(state, question):
            return "mention"
        if question.kind in (None, "define") and state.entries:
            if kinds_named(text) and not question.has("ordinal"):
                return "count"
            if _things(state, question):
                return "mention"
        if question.kind == "define":  # "what" alone asks nothing
            question = replace(question, kind=None)
    if question.kind == "count" and ("zones" in question.kinds or question.has("zone") or question.has("node")):
        return "zones"
    if question.kind == "fix" and (question.has("release") or question.has("mine")):
        return "affected"
    if question.topics and question.kind in ("why", None):
        return "topic"
    if question.topics and question.kind == "whatif" and not (question.has("order") or question.has("gfp")):
        return "topic"
    if question.kind == "why" and (question.has("zone") or question.has("node")):
        return "zones"
    if question.kind == "happened" and (question.has("hex") or question.has("gfp")):
        return "mask"
    if question.kind in ("happened", "cases", "known") and question.has("case_id"):
        return "show_case"
    if question.kind == "happened" and question.has("ordinal"):
        return "select"
    if question.kind in ("happened", "blamed", None) and _names_a_frame(state, question):
        return "frame"
    if question.kind in ("happened", None) and question.strange and _names_a_field(state, question):
        return "field"
    if question.kind is not None:
        return question.kind
    for name, kind in _BY_ARGUMENT:
        if question.has(name):
            return state.last if state.last in FOLLOWED.get(name, ()) else kind
    if state.entries and question.text.strip(" .#?").isdecimal():
        return "select"
    if question.has("path"):  # it is not read for being named; the answer says how to ask for that
        return "load"
    return "workaround" if _names_a_setting(state, question) else None


def _things(state: State, question: Question) -> bool:
    """Whether a line without a question word names a CPU, a pid or words of the log alone."""
    if question.has("cpu") or question.has("pid"):
        return True
    words = [word for word in question.strange if word.isascii()]
    settings = _names_a_setting(state, question) or _names_a_frame(state, question) or _names_a_field(state, question)
    return bool(words) and not settings and any(map(state.logged, words))


def _names_a_frame(state: State, question: Question) -> bool:
    """Whether a word of the line is a function or a module of the report's stack."""
    if not question.strange or state.current is None:
        return False
    from kb.chat.answers.report import named_frames

    return bool(named_frames(state.current, question))


def _names_a_field(state: State, question: Question) -> bool:
    """Whether a word of the line is a named field of the report ("what address")."""
    if state.current is None:
        return False
    from kb.chat.answers.report import named_fields

    return bool(named_fields(state.current, question))


def _names_a_setting(state: State, question: Question) -> bool:
    """Whether a word of the line is a setting that a workaround of the case turns ("vfs_cache_pressure?")."""
    case = state.case
    settings = [word for word in question.strange if "_" in word]
    return case is not None and any(word in way.do for word in settings for way in case.workarounds)


def foreign(state: State, question: Question) -> bool:
    """Whether the line holds a word that neither the grammar nor the log nor a case knows: then it is not answered.

    "why did it fail" is about the report; "why is the sky blue" is not.
    """
    if not question.strange:
        return False
    from kb.chat.unknown import haystack

    known = haystack(state)
    if state.current is not None:
        known += " ".join(state.current.report.fields)
    return any(word.lower() not in known and not _excused(state, word, question) for word in question.strange)


def _excused(state: State, word: str, question: Question) -> bool:
    """Whether a word is of a kind or of lines that kb/words/asked.toml has, or stands in a log or is a host."""
    from kb.chat.asked import kinds_named, lines_named
    from kb.chat.question import normal

    text = normal(question.text)
    meant = " ".join([typed for typed, _row in (*kinds_named(text), *lines_named(text))]).lower()
    bare = len([char for char in word if char not in meant]) < 2 if not word.isascii() else word.lower() in meant
    return bare or state.logged(word) or (question.kind == "archive" and _is_host(state, word))


def _is_host(state: State, word: str) -> bool:
    from kb.chat.answers.store import hosts_of

    return state.base.known is not None and word.lower() in hosts_of(state.base.known)


def _tells(text: str, about_a_topic: bool) -> bool:
    """Whether a line asks for lines of the log; a topic or field goes first, unless the words are a phrase."""
    from kb.chat.asked import lines_named

    found = lines_named(text)
    return bool(found) and (not about_a_topic or " " in found[0][0])
