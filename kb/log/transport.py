"""What transports put before a message, as a table: a new transport is one more ``Rule``.

A line may carry several prefixes (a mail's indentation, a collector's time, syslog's host, printk's own stamp): rules
are applied one after the other until printk's stamp is off or none fits. Every pattern is anchored and has bounded
repeats only, so that no line can make it backtrack.
"""

import functools
import re
from typing import NamedTuple

from kb.model.lazy import Lazy

SEVERITIES = {
    "emerg": 0, "panic": 0, "alert": 1, "crit": 2, "err": 3, "error": 3, "warn": 4, "warning": 4, "notice": 5,
    "info": 6, "debug": 7,
}  # fmt: skip
"""Names of printk levels as dmesg -x and syslog write them (util-linux sys-utils/dmesg.c, RFC 5424)."""

_ISO = (
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|[+-]\d\d:?\d\d)| (?:UTC|GMT)(?= )|(?! (?:UTC|GMT) ))"
)
_SYSLOG = r"[A-Z][a-z]{2} [ \d]?\d (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d{1,9})?"
_FACILITY = r"kern|user|mail|daemon|auth|syslog|lpr|news|uucp|cron|authpriv|ftp|local[0-7]"
_SEVERITY = r"emerg|panic|alert|crit|err|error|warn|warning|notice|info|debug"
IDENT = r"(?:kernel|vmunix|klogd|KERNEL)(?:\[\d{1,10}\])?:"
"""How the kernel is named as a program of syslog."""
_KERNEL = IDENT + r"(?: |$)"
_HOST = r"(?!\[\d{1,10}\.\d{6}\])(?P<host>[^\s\"=]{0,254}[^\s:\"=])"
"""A host's name, no stamp of printk's. Where it was left out (journalctl --no-hostname) the program's stands there,
which a colon ends."""
_UNIT = r"(?:(?:unknown|\S{1,120}\.(?:service|scope|slice|socket|mount|timer)) )?"
"""journalctl -o with-unit: the unit before the identifier, ``unknown`` for the kernel's lines."""
_PROGRAM = r"(?!" + _KERNEL + r")(?=[\w./()@-]{1,64}(?:\[\d{1,10}\])?: )"
"""Somebody else's line in the same file; never the kernel's, whichever rule is tried first."""
_STAMP_NEXT = (
    r"(?=<\d{1,3}>|\[ {0,8}\d{1,10}\.(?:\d{3,9}|\d{1,2}\])|\[ {0,4}[+-]\d|\[[A-Z][a-z]{2} [A-Z]|(?:"
    + _FACILITY
    + r") {0,6}:|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d |\d{4}-\d\d-\d\d[T ]\d\d:)"
)

PRINTK = re.compile(
    # kernel/printk/printk.c info_print_prefix(): "<%u>" "[%5lu.%06lu]" "[%*s]" " "; util-linux dmesg -d adds
    # " <%12.6f>", -T and ctime give a date (in its place, or before the delta), reltime
    # "[  +0.000013]" or "[Mar 4 05:05]", "[Nov23 00:10]"; its numbers are printf's, so that LC_NUMERIC may make
    # their points commas. Some consoles put a blank before the bracket's end.
    r"(?:<(?P<level>\d{1,3})>)?"
    r"(?:\[ {0,8}(?P<time>\d{1,10}[.,]\d{1,9})[s ]?(?: {16}| < {0,9}-?[\d.,]{1,20} ?>)?\]"
    r"|\[(?P<wall>[^\W\d]\S{0,6} [^\W\d]\S{0,6} [ \d]?\d \d\d:\d\d:\d\d \d{4}|[A-Z][a-z]{2} {0,2}\d{1,2} \d\d:\d\d)"
    r"(?: < {0,9}-?[\d.,]{1,20}>)?\]"
    r"|\[ {0,8}[+-]\d{1,8}[.,]\d{3,9}\]|\[< {0,9}-?\d{1,9}[.,]\d{6}>\])"
    r"(?: ?\[ {0,8}(?P<caller>[TC]\d{1,10})\])? ?"
)
LEVEL = re.compile(
    r"<(?P<level>\d{1,3})>(?! [0-9a-f]{2}(?: |$))(?! {0,8}\[ {0,8}\d{1,10}\.)|\[ {0,8}(?P<caller>[TC]\d{1,10})\] ?"
)
"""printk.time=0: a level alone (not the marked byte of a wrapped ``Code:`` line), or a caller id alone: print_caller()
pads to six characters, so that none of five digits has a blank before it (kernel/printk/printk.c, v6.12)."""
VENDOR = re.compile(
    # Android: Samsung "[2:  swapper/0:    1] ", "I[0: swapper:    0] "; MediaTek "(0)[1:swapper/0]", ".(1)[123:comm]";
    # Huawei "[pid:1361,cpu5,comm]"; Qualcomm "[c1   1234] "; MediaTek's
    # printk_ctrl "[name:lockdep&]", behind the others or alone
    r" {0,2}(?:[A-Z]?\[ {0,3}\d{1,3}: {0,16}[^\[\]:]{1,20}(?:[:/][^\[\]:]{0,12})?: {0,7}(?P<pid>\d{1,7})\] ?"
    r"|(?:<\d>)?\.?[ -]?\(\d{1,3}\)\[(?P<pid2>\d{1,7}):[^\[\]]{1,24}\]"
    r"|\[pid:(?P<pid3>\d{1,7}),cpu\d{1,3},[^\[\]]{1,24}\]"
    r"|\[c\d{1,3} {1,8}(?P<pid4>\d{1,7})\] ?|(?=\[name:))(?:\[name:[\w-]{1,48}&\] ?){0,3}"
)
MONOTONIC = re.compile(r"(?:" + _HOST + " )?" + _UNIT + _KERNEL)
"""journalctl -o short-monotonic: host (not with --no-hostname) and identifier stand behind the stamp."""


class Rule(NamedTuple):
    """One transport's prefix."""

    name: str
    first: str
    """Characters that it may begin with; empty: any."""
    pattern: Lazy
    """Named groups: time (s), usec, wall, caller, level (may hold the facility), severity (name), host."""
    final: bool = False
    """True when nothing but printk's own stamp can follow."""


_NO_HOST = re.compile(rf"[\W_]*|.*,.*|kern|(?:{_FACILITY})\.(?:{_SEVERITY})|{_SEVERITY}", re.I)
"""What stands where a host does and names none: RFC 5424's ``-``, a level, a row of asterisks."""


@functools.lru_cache(1024)
def named(host: str | None) -> str | None:
    """A host's name; None for what is none."""
    return None if host is None or _NO_HOST.fullmatch(host) is not None else host


USER = frozenset({"iso-user", "syslog-user"})
"""Rules of lines that some program wrote: the two words before its colon may also be the kernel's, without a host."""

_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGIT = "0123456789"


def _rule(name: str, first: str, pattern: str, final: bool = False) -> Rule:
    return Rule(name, first, Lazy(pattern), final)


RULES: tuple[Rule, ...] = (
    # a mail quotes: "> > ", ">> "; not KASAN's marked row of shadow bytes (">ffff8880...: fb")
    _rule("quote", ">", r"(?:>{1,60} ){0,60}>{1,60}(?: |(?=\t|$))"),
    _rule("indent", " \t", r"[ \t\u3000]{1,40}" + _STAMP_NEXT),
    # Documentation/ABI/testing/dev-kmsg, extended netconsole (drivers/net/netconsole.c), may put the release before
    _rule(
        "kmsg", _DIGIT,
        r"(?:\d[\w.+-]{1,64},)?(?P<level>\d{1,4}),\d{1,20},(?P<usec>\d{1,20}),[-c+]?(?:,(?!caller=|ncfrag=)[\w=/.-]{1,64})?"
        r"(?:,ncfrag=\d{1,9}/\d{1,9})?(?:,caller=(?P<caller>[TC]\d{1,10}))?(?:,ncfrag=\d{1,9}/\d{1,9})?;",
        True,
    ),
    # a paste that begins within the first line's stamp: how many of its digits are lost nobody knows, so it is no time
    _rule("cut-stamp", _DIGIT, r"\d{1,10}\.\d{6}\] ", True),
    # RFC 5424: "<4>1 2026-11-22T03:04:05.123Z host kernel - - - text"; collectors may drop "<4>"
    _rule(
        "rfc5424", "<" + _DIGIT,
        r"(?:\d{1,6} )?(?:<(?P<level>\d{1,3})>)?1 (?P<wall>(?!kernel )[\w:.+-]{1,40}) (?P<host>\S{1,255}) kernel "
        r"\S{1,128} \S{1,32} "
        r"(?:-|(?:\[(?:[^\]\\]|\\.){0,1000}\]){1,16})(?: \ufeff?|$)",
        True,
    ),
    # CRI (containerd, CRI-O): "2026-11-22T03:04:05.123456789Z stdout F text"
    _rule("cri", _DIGIT, r"(?P<wall>" + _ISO + r") std(?:out|err) [FP] "),
    # dmesg --time-format=iso: "2026-03-04T05:05:59,908873+00:00 text"
    _rule("dmesg-iso", _DIGIT, r"(?P<wall>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d,\d{6}[+-]\d\d:\d\d) "),
    # rsyslog RFC 3339, journalctl short-iso, short-iso-precise
    _rule("iso", _DIGIT, r"(?P<wall>" + _ISO + r") (?:" + _HOST + r" )?" + _UNIT + _KERNEL, True),
    _rule("iso-user", _DIGIT, r"(?P<wall>" + _ISO + r") " + _HOST + " " + _PROGRAM, True),
    # journalctl short, short-precise, rsyslog traditional, busybox klogd ("host kern.info kernel: "), syslog's wire
    _rule(
        "syslog", "<" + _UPPER,
        r"(?:<(?P<level>\d{1,3})>)?(?P<wall>" + _SYSLOG + r") {1,2}(?:" + _HOST + r" )?" + _UNIT +
        r"(?:(?:" + _FACILITY + r")\.(?P<severity>" + _SEVERITY + r") )?" + _KERNEL,
        True,
    ),
    _rule(
        "syslog-user", _UPPER,
        r"(?P<wall>" + _SYSLOG + r") " + _HOST + " " + _PROGRAM,
        True,
    ),
    # journalctl short-full, with-unit: "Wed 2026-03-04 05:06:08 UTC host kernel: "
    _rule(
        "journal-full", _UPPER,
        r"(?P<wall>[A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})? [A-Z+\-\d:]{1,6}) "
        r"(?:" + _HOST + r" )?" + _UNIT + _KERNEL,
        True,
    ),
    # journalctl short-unix
    _rule("unix", _DIGIT, r"(?P<wall>\d{9,11}\.\d{1,9}) (?:" + _HOST + r" )?" + _UNIT + _KERNEL, True),
    # rsyslog as the receiver of extended netconsole: its header stands behind time and host
    _rule(
        "netconsole", _UPPER + _DIGIT,
        r"(?P<wall>" + _SYSLOG + "|" + _ISO + r") (?P<host>\S{1,255}) "
        r"(?=(?:\d[\w.+-]{1,64},)?\d{1,4},\d{1,20},\d{1,20},)",
    ),
    # talosctl dmesg: "192.0.2.21: kern: warning: [2021-01-28T16:39:42.656944804Z]: "
    _rule(
        "talos", _DIGIT + "abcdef",
        r"(?P<host>[\da-f.:]{2,45}): (?:" + _FACILITY + r"): {1,4}(?P<severity>" + _SEVERITY + r"): "
        r"\[(?P<wall>" + _ISO + r")\]: ",
        True,
    ),
    # dmesg -x: "kern  :err   : "
    _rule("decoded", "kumdaslncf", r"(?:" + _FACILITY + r") {0,6}:(?P<severity>" + _SEVERITY + r") {0,4}: "),
    # Cisco NX-OS: the facility before, and the program behind the message (" - kernel")
    _rule(
        "nxos", _DIGIT,
        r"(?P<wall>\d{4} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})?) (?P<host>\S{1,255}) "
        r"(?:%\$ \S{1,40} %\$ )?%KERN-(?P<level>[0-7])-\w{1,40}: ",
    ),
    # multilog, socklog, s6: TAI64N (libtai tain_pack.c), a day and a time, and the facility that socklog adds
    _rule(
        "tai64n", "@" + _DIGIT,
        r"(?P<wall>@4[0-9a-f]{23}|\d{4}-\d\d-\d\d_\d\d:\d\d:\d\d\.\d{5,9}) "
        r"(?:(?:" + _FACILITY + r")\.(?P<severity>" + _SEVERITY + r"): )?(?:" + IDENT + r" )?",
    ),
    # KernelCI, LAVA, serial loggers (ts, grabserial, conserver): a time of day before what the console said
    _rule(
        "logger", "[" + _DIGIT,
        r"\[?(?P<wall>(?:" + _ISO + r"|\d\d:\d\d:\d\d(?:[.,]\d{1,9})?))\]?[ \t:]{1,6}" + _STAMP_NEXT,
    ),
    # logcat -b kernel -v threadtime, and exports of it
    _rule(
        "logcat", _DIGIT,
        r"(?:\d{4}-)?(?P<wall>\d\d-\d\d \d\d:\d\d:\d\d\.\d{3,6}) {1,5}"
        r"(?:(?:\w{1,16} {1,5})?\d{1,6} {1,5}\d{1,6} [VDIWEFS] [^:]{0,24}: |(?=<\d>))",
    ),
    _rule("logcat-brief", "VDIWEF", r"[VDIWEF]/(?:KERNEL|kernel) {0,8}\( {0,6}\d{1,6}\): "),
    # logcat -v process: the tag stands behind the message (android/logging liblog logprint.cpp)
    _rule("logcat-process", "VDIWEF", r"[VDIWEF]\( {0,6}\d{1,6}\) (?=.{1,4000}  \([\w ./-]{0,32}\)$)"),
    # z/VM console: CPU number before each line
    _rule("zvm", _DIGIT, r"\d\d: (?=\[ {0,8}\d{1,9}\.\d{6}\])"),
    _rule("ident", "kvK", _KERNEL),
    # rsyslog omusrmsg (RSYSLOG_WallFmt): " kernel:" and the message, which mostly has a blank of its own
    _rule("wall", " kvK", r" ?" + IDENT),
    # a post's code fence on the log's own first line: Markdown's, Jira's; an element of XML that ends further down
    _rule(
        "fence", "`~{<[",
        r"\[(?:CODE|QUOTE|code|quote)(?:=[^\[\]]{0,80})?\](?=[^\s\[])|"
        r"(?:`{3,8}|~{3,8})(?=[^`~\s])|\{(?:noformat|code)(?:[:|][^{}]{0,100})?\}(?=[^\s{])"
        r"|(?:<\?xml[^<>]{0,100}\?>)?(?:<[a-z][\w.-]{1,40}(?: [\w:.-]{1,40}=\"[^\"<>]{0,200}\"){0,8}>){0,6}"
        r"<(?:[a-z][\w.-]{1,40}(?: [\w:.-]{1,40}=\"[^\"<>]{0,200}\"){1,8}>"
        r"|(?:[a-z][\w.-]{1,40}><)?!\[CDATA\[)(?=[^\s<])",
    ),
)  # fmt: skip


class Prefix(NamedTuple):
    """What a line's prefixes tell."""

    end: int
    """Where the message begins, in characters."""
    time: float | None = None
    wall: str | None = None
    caller: str | None = None
    level: int | None = None
    host: str | None = None
    rule: str | None = None
    """Name of the first rule that fit; ``printk`` for printk's stamp alone; None when the line has no prefix."""


_BARE = Prefix(0)
_BY_CHAR: dict[str, tuple[Rule, ...]] = {
    char: tuple(rule for rule in RULES if char in rule.first)
    for char in {char for rule in RULES for char in rule.first}
}
_LAYERS = 5
"""Prefixes that one line may carry."""


def strip(text: str, sticky: list[Rule] | None = None) -> Prefix:
    """Take the prefixes of a line.

    Args:
        text: One physical line without its end.
        sticky: The caller's memory: a list that holds the rule that fit last, tried first.
    """
    found = PRINTK.match(text)
    if found is not None:
        level, time, wall, caller = found.groups()
        if wall is not None and (inner := PRINTK.match(text, found.end())) is not None:  # a logger's, before printk's
            found, (level, time, _, caller) = inner, inner.groups()
        return _after_stamp(text, found.end(), _seconds(time), wall, caller, level, None, "printk")
    char = text[:1]
    if char not in _BY_CHAR and char != "[":
        return _BARE
    return _layers(text, sticky)


def _layers(text: str, sticky: list[Rule] | None) -> Prefix:
    """Outer prefixes one after the other, then printk's stamp."""
    at, name = 0, None
    fields: dict[str, str] = {}
    for _ in range(_LAYERS):
        rule = found = None
        if sticky:
            rule = sticky[0]
            found = rule.pattern.compiled.match(text, at)
        if found is None:
            for rule in _BY_CHAR.get(text[at : at + 1], ()):
                found = rule.pattern.compiled.match(text, at)
                if found is not None:
                    break
        if found is None or rule is None or found.end() == at:
            break
        if sticky is not None and rule.final:
            sticky[:] = [rule]
        name = name or rule.name
        at = found.end()
        fields.update((key, value) for key, value in found.groupdict().items() if value)
        stamp = PRINTK.match(text, at)
        if stamp is not None:
            at = stamp.end()
            fields.update((key, value) for key, value in stamp.groupdict().items() if value)
            break
        if rule.final:
            break
    else:
        stamp = None
    return _finish(text, at, fields, name)


def _finish(text: str, at: int, fields: dict[str, str], name: str | None) -> Prefix:
    bare = LEVEL.match(text, at)
    if bare is not None and bare.end() > at and "time" not in fields:
        at = bare.end()
        fields.update((key, value) for key, value in bare.groupdict().items() if value)
        name = name or "level"
    if name is None:
        return _BARE
    time = fields.get("time")
    usec = fields.get("usec")
    seconds = _seconds(time) if time else int(usec) / 1e6 if usec else None
    level = fields.get("level")
    if level is None and "severity" in fields:
        level = str(SEVERITIES[fields["severity"]])
    return _after_stamp(text, at, seconds, fields.get("wall"), fields.get("caller"), level, fields.get("host"), name)


def _seconds(time: str | None) -> float | None:
    """Printk's stamp as a number: a localised tool may have made its point a comma."""
    return float(time.replace(",", ".") if "," in time else time) if time else None


def _after_stamp(
    text: str,
    end: int,
    time: float | None,
    wall: str | None,
    caller: str | None,
    level: str | None,
    host: str | None,
    name: str,
) -> Prefix:
    """What may follow the stamp: a vendor's CPU and task, or the host of journalctl's short-monotonic."""
    head = text[end : end + 2]
    if "[" in head or "(" in head:
        vendor = VENDOR.match(text, end)
        if vendor is not None:
            pid = vendor["pid"] or vendor["pid2"] or vendor["pid3"] or vendor["pid4"]
            end, caller = vendor.end(), caller or f"T{pid}"
            head = text[end : end + 1]
    elif host is None and (time is not None or name == "printk") and text.find("kernel:", end, end + 270) > 0:
        journal = MONOTONIC.match(text, end)
        if journal is not None:
            end, host = journal.end(), journal["host"]
            stamp = PRINTK.match(text, end) or LEVEL.match(text, end)
            if stamp is not None:
                end, caller = stamp.end(), stamp["caller"] or caller
                time = _seconds(stamp.groupdict().get("time")) or time
                head = text[end : end + 1]
    if "[" in head:
        inner = PRINTK.match(text, end)  # of a log that somebody's kernel, or a tool that stamps as it does, logged
        if inner is not None and inner["time"] is not None:
            end, time, caller = inner.end(), _seconds(inner["time"]), inner["caller"] or caller
    host = named(host)
    fields = (end, time, wall, caller, None if level is None else int(level) & 7, host, name)
    return tuple.__new__(Prefix, fields)  # a line in two passes here
