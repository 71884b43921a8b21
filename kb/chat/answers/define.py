"""What a word of an answer means, by the tables of ``kb explain``."""

import re
from typing import TYPE_CHECKING

from kb.chat.question import Question, normal
from kb.chat.reply import Answer, Claim, answer
from kb.chat.state import State

if TYPE_CHECKING:
    from kb.glossary import Explained

_DEFINED = 3


def define(state: State, question: Question) -> Answer:
    """What words mean, by the tables of ``kb explain``."""
    found = defined(question, logs=bool(state.logs))
    claims = [Claim(f"{one.word} ({one.what}): {one.means}", (), ("kb explain",)) for one in found]
    return answer(claims or [Claim(state.p("define.none"))], None if found else "unknown")


_ENDS = " \t?!.,;:'\"()[]？！。，；：“”‘’（）…"
_ASKING = re.compile(
    r"(?i)(?:what(?:'s|s| is| are| does| do)|define|explain|meaning of|definition of|how (?:do|does|should|can|to) "
    r"(?:i |you |we |one )?read|what do you mean by) (?P<the>(?:is |are |an? |the ){0,3})(?P<word>\S.*)"
)
_BETWEEN = re.compile(r"(?i)\b(?:difference between|compare) ")
_AND = re.compile(r"(?i) (?:and|vs\.?|versus|with) ")
_APART = re.compile(r"(?:之间)?(?:的|有)?(?:什么|啥|何)?(?:区别|不同|差别|差异)")
_AND_CHINESE = re.compile("[和与跟]")
_WORKS = re.compile(r"(?i)how (?:does|do) (?P<the>)(?:the |an? )?(?P<word>\S.*?) (?:work|choose|decide)\b.*")
_SYSCTL = re.compile(r"^(?:/proc/sys/)?(?:vm|kernel|fs|net)[./]")
_MEANS = re.compile(r"(?i) mean(?:s|ing)?$")
_ASKING_CHINESE = re.compile(
    r"(?:请?解释(?:一?下)?|什么是|什么叫|啥是|说明)(?P<the>) ?(?P<word>\S.*)"
    r"|(?P<word2>\S.*?) ?(?:(?:是什么|什么|是啥|啥|是) ?(?:意思)?|的?意思|怎么看|如何看|怎么读)(?:是什么|是啥)?$"
)


def defined(question: Question, *, logs: bool) -> "list[Explained]":
    """The entries of the glossary that a line asks for; where logs are loaded, "the zone" is one of theirs."""
    text = " ".join(normal(question.text).split()).strip(_ENDS)
    if two := _two(text):
        each = [_meaning(word.strip(), logs)[:1] for word in two]
        return [one for found in each for one in found] if all(each) else []
    hit = _ASKING_CHINESE.match(text) if question.language == "zh" else _WORKS.fullmatch(text) or _ASKING.match(text)
    if hit is None:
        bare = (not logs and question.kind in (None, "define")) or _LETTER.fullmatch(text)
        return _meaning(text, logs)[:_DEFINED] if bare else []
    if logs and "the " in (hit["the"] or "").lower():
        return []
    word = next(value for name, value in hit.groupdict().items() if value and name != "the")
    return _meaning(_MEANS.sub("", word), logs)[:_DEFINED]


def _two(text: str) -> list[str]:
    """The two words whose difference a line asks for."""
    found, apart = _BETWEEN.search(text), _APART.search(text)
    if found is not None:
        words = _AND.split(text[found.end() :], maxsplit=1)
    else:
        words = _AND_CHINESE.split(text[: apart.start()], maxsplit=1) if apart is not None else []
    return words if len(words) == 2 else []


_LETTER = re.compile(r"(?i)taint(?: flag| letter)? (?-i:([A-Z]))")


def _meaning(word: str, logs: bool) -> "list[Explained]":
    """What the glossary has of a word, as typed or by its synonym."""
    from kb.chat.asked import term
    from kb.glossary import explain

    letter = _LETTER.fullmatch(word)
    bare = re.sub(r"^(?:an?|the) ", "", _SYSCTL.sub("", word))
    for one in (word, bare, bare.removesuffix("s"), term(bare), _kind_of(bare), letter[1] if letter else ""):
        found = [each for each in explain(one) if not logs or each.what not in ("fact", "reason")] if one else []
        if found:
            return sorted(found, key=lambda each: each.what in ("fact", "reason"))
    return []


def _kind_of(word: str) -> str:
    from kb.chat.asked import kinds_named

    found = kinds_named(word)
    whole = len(found) == 1 and found[0][0].lower() == word.lower() and len(found[0][1].kinds) == 1
    return min(found[0][1].kinds) if whole else ""
