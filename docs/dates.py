#!/usr/bin/env python3
"""Writes kb/log/calendar.txt from CLDR: the words of a date before a log line. Needs Babel, which kb does not.

The languages are those that glibc has a locale for: what strftime() prints in. glibc shortens names in its own way, so
that whole names stand beside CLDR's abbreviations.

usage: pip install babel==2.19.0; python docs/dates.py
"""

import re
from pathlib import Path

from babel import Locale

LANGUAGES = (
    "af am ar as az be bg bn br bs ca cs cy da de dz el en eo es et eu fa fi fil fo fr fur fy ga gd gl gu ha he hi hr "
    "hsb hu hy ia id ig is it ja ka kk kl km kn ko ku ky lb lg ln lo lt lv mg mi mk ml mn mr ms mt my nb nn ne nl om "
    "or pa pl ps pt ro ru rw sa sd se si sk sl so sq sr sv sw szl ta te tg th ti tk tr tt ug uk ur uz vi wo xh yi yo "
    "zh zh_Hant zu"
).split()
EASTERN = frozenset({"zh", "zh_Hant", "ja", "ko"})
"""Their narrow names of weekdays (one character) are what glibc abbreviates with."""
UNITS = "年 月 日 時 时 点 點 分 秒 년 월 일 시 분 초 曜日 요일"
"""What stands behind the numbers of a date in Chinese, Japanese and Korean (CLDR: the patterns of dates)."""
HEAD = """\
# Written by docs/dates.py from CLDR (Babel 2.19): names of months and weekdays, of the halves of a day, by language.
# Lower case, without digits and dots.
"""


def words(locale: Locale) -> set[str]:
    """The words of a language's dates."""
    names: set[str] = set()
    for context in ("format", "stand-alone"):
        for width in ("abbreviated", "short", "wide", "narrow"):
            if width != "narrow":
                names.update(locale.months[context].get(width, {}).values())
            if width != "narrow" or str(locale) in EASTERN:
                names.update(locale.days[context].get(width, {}).values())
            halves = locale.day_periods.get(context, {}).get(width, {})
            names.update(name for key, name in halves.items() if key in ("am", "pm") and width != "narrow")
    parts = (part for name in names for part in re.split(r"[\s\d!-/:-@\[-`{-~]+", name.lower()))
    return {part for part in parts if part}


def main() -> None:
    """Write the table."""
    rows = [f"{name} {' '.join(sorted(words(Locale.parse(name))))}" for name in LANGUAGES]
    place = Path(__file__).parent.parent / "kb" / "log" / "calendar.txt"
    place.write_text(HEAD + "\n".join([*rows, f"units {UNITS}"]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
