"""A line -> a question: which one is asked, and its arguments, by grammars/chat.lark.

The grammar names the words; two things are decided here. Of several questions in one line the one that stands first in
``RANKS`` is meant ("what fixed it, and why" asks for the fix). And a word that looks like a typing error of one of the
grammar's own words is read as that word, never one that the grammar knows, that holds digits or underscores, or that
belongs to what a command takes as it is (a note's text, a file's name).
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

RANKS = (
    "exit", "thanks", "help", "paste", "load", "note", "file_case", "show_case", "search", "whatif", "changed",
    "compare", "seen", "affected", "excluded", "missing", "sources", "workaround", "verify", "fix", "known", "similar",
    "request", "lines", "mask", "signature", "blamed", "kernel", "when", "who", "why", "zones", "stack", "reports",
    "cases", "happened",
)  # fmt: skip
"""Questions, those that a line with several means first before the others."""

COMMANDS = frozenset("exit thanks help paste load note file_case show_case search".split())
"""What takes the rest of its line as it is."""

_WORD = re.compile(r"(?<![\w./:-])[A-Za-z]{3,20}(?![\w/:-])")
_CJK = "\u3400-\u9fff\uf900-\ufaff"
_EDGE = re.compile(rf"(?<=[{_CJK}])(?=[A-Za-z0-9_])|(?<=[A-Za-z0-9_])(?=[{_CJK}])")
_GAP_WORD = re.compile(rf"[A-Za-z_][\w.'-]*|[{_CJK}]+")
_PATTERN_WORD = re.compile(r"(?<![\\\w?<])([a-z]{3,})(?![\w>])(\?)?")
_PATTERN_STEM = re.compile(r"(?<![\\\w?<])([a-z]{3,})\(\?:([a-z|]{1,60})\)(\?)?")
_CHINESE = re.compile(f"[{_CJK}]")
_SIMPLER = str.maketrans(
    "為麼敗報誰內儲記錄協議規避這個問題嗎應響補進間區頁節點執驗證實險緩處開關樣還別機見過幾較對變現發說話號時檢測損壞讀載請導數標誌類項總結況詳細釋決須將後當來兩單據庫編輯專導啟動調進階們從給離圖棧碼風臨繞備註確認幫嚴夠錯誤訴顯閒餘無",
    "为么败报谁内储记录协议规避这个问题吗应响补进间区页节点执验证实险缓处开关样还别机见过几较对变现发说话号时检测损坏读载请导数标志类项总结况详细释决须将后当来两单据库编辑专导启动调进阶们从给离图栈码风临绕备注确认帮严够错误诉显闲余无",
)
"""Traditional characters of the words of the grammar as simplified ones."""
_LONGEST = 2000
"""Characters of a line that are read; a question is not longer."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a line asks."""

    text: str
    """As typed."""
    kind: str | None
    """One of ``RANKS``; None where the line has no question word."""
    args: tuple[tuple[str, dict[str, str]], ...] = ()
    """Arguments in the order of the line: name (``release``, ``hex`` ...) and named parts."""
    topics: tuple[str, ...] = ()
    """Terminals of the grammar's topics: ``COMPACTION``."""
    kinds: tuple[str, ...] = ()
    """All questions that stand in the line."""
    strange: tuple[str, ...] = ()
    """Words that the grammar does not know."""
    understood: str | None = None
    """The line after correction of typing errors, None where nothing was corrected."""
    language: str | None = None
    """``zh`` or ``en``; None where the line has no letters."""

    def first(self, name: str, *parts: str) -> str | None:
        """A part of the first argument of that name."""
        for found in self.all(name):
            for part in parts or tuple(found):
                if part in found:
                    return found[part]
        return None

    def all(self, name: str) -> list[dict[str, str]]:
        """All arguments of that name."""
        return [fields for found, fields in self.args if found == name]

    def has(self, name: str) -> bool:
        """Whether the line holds such an argument."""
        return any(found == name for found, _fields in self.args)


def read(line: str) -> Question:
    """Read one line; nothing raises."""
    line = line.strip()[:_LONGEST]
    raw = _parse(line, line)
    if raw.kind in COMMANDS:
        return raw
    text = _EDGE.sub(" ", unicodedata.normalize("NFKC", line).translate(_SIMPLER))
    words = _WORD.finditer(text)
    first = next(words, None)
    if first is not None and not text[: first.start()].strip():
        begun = _corrected(text, limit=first.end())
        if begun != text and (command := _parse(begun, line)).kind in COMMANDS:
            return command
    better = _corrected(text)
    found = _parse(better, line)
    return found if better == text else replace(found, understood=better)


def language_of(text: str) -> str | None:
    """``zh`` where a Chinese character stands in it, ``en`` where a letter does, None otherwise."""
    if _CHINESE.search(text):
        return "zh"
    return "en" if re.search("[A-Za-z]{2}", re.sub(r"0x[0-9a-fA-F]+|L\d+", "", text)) else None


def _parse(text: str, typed: str) -> Question:
    from kb.syntax.engine import LineToken, load

    tree = load("chat", "words").parse(text)
    found = [
        (str(node.data), token)
        for node in tree.iter_subtrees()
        for token in node.children
        if isinstance(token, LineToken)
    ]
    found.sort(key=lambda pair: pair[1].index)
    kinds = dict.fromkeys(rule for rule, _token in found if rule in RANKS)
    kind = min(kinds, key=RANKS.index, default=None)
    topics = tuple(token.type for rule, token in found if rule == "topic")
    args = tuple(
        (rule, {name: value.strip() for name, value in token.fields.items()})
        for rule, token in found
        if rule not in ("topic", "start") and (rule not in RANKS or token.fields)
    )
    covered = [token.match.span() for _rule, token in found]
    strange = () if kind in COMMANDS else _strange(text, covered)
    return Question(typed, kind, args, topics, tuple(kinds), strange, None, language_of(typed))


def _strange(text: str, covered: list[tuple[int, int]]) -> tuple[str, ...]:
    """Words outside of every token, as the asker wrote them."""
    rest = list(text)
    for start, end in covered:
        rest[start:end] = " " * (end - start)
    words = dict.fromkeys(found[0].rstrip(".'-") for found in _GAP_WORD.finditer("".join(rest)))
    # One letter or one character says nothing: "5 y", a particle that the grammar lacks. Two make a word.
    chinese = [word for word in words if _CHINESE.match(word)]
    odd = len("".join(chinese)) < 2
    return tuple(word for word in words if (not odd if word in chinese else len(word) > 1))


@cache
def vocabulary() -> tuple[str, ...]:
    """The English words of the grammar's own terminals, in its order: what typing errors are corrected to."""
    from kb.syntax.engine import load

    words: dict[str, None] = {}
    for terminal in load("chat", "words").terminals:
        if not terminal.name.startswith(("PATH", "HEX", "GFP")):
            words.update(dict.fromkeys(_spelled(terminal.pattern.to_regexp())))
    return tuple(words)


def _spelled(pattern: str) -> Iterator[str]:
    """The words that stand in a pattern, with their endings: ``risks?``, ``mitigat(?:e|ion)``."""
    for stem, endings, optional in _PATTERN_STEM.findall(pattern):
        yield from (stem + ending for ending in endings.split("|"))
        if optional:
            yield stem
    for word, optional in _PATTERN_WORD.findall(_PATTERN_STEM.sub(" ", pattern)):
        yield word
        if optional and len(word) > 3:
            yield word[:-1]


def _corrected(text: str, limit: int | None = None) -> str:
    """The text with words that are one slip away from a word of the grammar replaced by it; up to a column."""
    known = frozenset(vocabulary())

    def better(found: "re.Match[str]") -> str:
        word = found[0]
        if (limit is not None and found.end() > limit) or word.lower() in known or word.isupper():
            return word
        return _nearest(word.lower()) or word

    return _WORD.sub(better, text)


@cache
def _nearest(word: str) -> str | None:
    """The word of the grammar that is nearest, None where none is near enough.

    A word of three letters may have two neighbours swapped; longer ones may have one slip, from eight letters on two.
    """
    if _parse(word, word).strange == ():  # inflected forms that a pattern covers (compacted, risks)
        return None
    allowed = 2 if len(word) >= 8 else 1
    best: tuple[int, bool, int, str] | None = None
    for number, other in enumerate(vocabulary()):
        if abs(len(other) - len(word)) > allowed or (len(word) == 3 and sorted(other) != sorted(word)):
            continue
        distance = slips(word, other, allowed)
        # A letter lost, doubled or swapped is likelier than one typed for another: "wich" is which, not with.
        replaced = len(other) == len(word) and sorted(other) != sorted(word)
        if distance <= allowed and (best is None or (distance, replaced, number) < best[:3]):
            best = (distance, replaced, number, other)
    return best[3] if best is not None else None


def slips(one: str, two: str, most: int) -> int:
    """Optimal string alignment distance: letters lost, added, changed, or swapped with their neighbour.

    Args:
        one: A word.
        two: Another.
        most: What is larger than this need not be exact.
    """
    before: list[int] = []
    row = list(range(len(two) + 1))
    for i, a in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(two, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == two[j - 2] and one[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]
