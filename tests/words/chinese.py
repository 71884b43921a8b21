"""What of a Chinese text is English that somebody ought to have translated."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

_RUN = re.compile(r"(?<![\w/.-])[a-z]+(?:'s)?(?:,? [a-z]+(?:'s)?){3,}(?![\w/.-])")
"""Four words and more in a row, of letters alone: a sentence rather than a term, a symbol or a command."""
_QUOTED = re.compile(r"`[^`\n]*`")

QUESTIONS = (
    "为什么失败", "发生了什么", "哪些 zone", "申请了多大内存", "我的内核受影响吗", "5.14 呢", "哪个提交修复的",
    "怎么规避, 有什么风险", "怎么验证", "排除了什么", "调大 min_free_kbytes 有用吗", "能规整吗", "有什么不确定",
    "哪个进程", "哪个函数", "什么内核版本", "是已知问题吗", "签名是什么", "有类似的吗", "如果 order 3 GFP_KERNEL",
)  # fmt: skip
"""What is asked of each log."""


def untranslated(text: str, quoted: Iterable[str]) -> list[str]:
    """Lines that hold an English sentence which stands in none of the texts that may be quoted (made :func:`even`)."""
    known = tuple(quoted)
    return [line for line in text.splitlines() if any(not _stands(run, known) for run in _runs(line))]


def _runs(line: str) -> list[str]:
    return _RUN.findall(_QUOTED.sub("", line))


def _stands(run: str, known: tuple[str, ...]) -> bool:
    return any(run in text for text in known)


def even(*texts: str) -> str:
    """Texts as one, each run of blanks and line ends a blank: what a page quotes it may have broken elsewhere."""
    return " ".join(" ".join(texts).split())


def strings(value: Any) -> Iterator[str]:
    """All text in a case."""
    if isinstance(value, str):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from strings(getattr(value, field.name))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from strings(item)
