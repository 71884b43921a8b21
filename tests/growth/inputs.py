"""Inputs that can be made as long as one likes: what makes a reader, a parser or a renderer work more than once."""

import contextlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from kb import api
from kb.cases.format import parse as parse_case
from kb.cases.predicate import parse as parse_predicate
from kb.chat import question
from kb.errors import KbError
from kb.evidence.files import parse_evidence
from kb.imports import message, patches, prose, vulns

Shape = Callable[[int], bytes]
"""An input of about so many parts (lines, frames, zones, columns ...)."""

WARNING = b"WARNING: CPU: 0 PID: 1 at a.c:1 foo_bar+0x1/0x2\n"
OOPS = b"BUG: kernel NULL pointer dereference, address: 0000000000000008\n#PF: supervisor read access in kernel mode\n"
CPU = b"CPU: 0 PID: 1 Comm: foo Not tainted 6.1.0 #1\n"
ALLOC = b"foo: page allocation failure: order:5, mode:0x104050(GFP_NOFS|__GFP_COMP), nodemask=(null)\n"
KILL = b"foo invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
TABLE = (
    b"Tasks state (memory values in pages):\n"
    b"[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n"
)
LEAK = (
    b'unreferenced object 0xffff888000000000 (size %d):\n  comm "foo", pid 1, jiffies 1\n'
    b"  backtrace:\n    foo+0x1/0x2\n"
)
KILLED = b"Out of memory: Killed process 100 (foo) total-vm:1kB, anon-rss:1kB, file-rss:0kB, shmem-rss:0kB, UID:0\n"
ZONE = (
    b"Node %d Normal free:40kB min:10kB low:20kB high:30kB active_anon:0kB inactive_anon:0kB present:9kB managed:9kB\n"
    b"lowmem_reserve[]: 0 0 0 0\n"
)
LIST = b"Node %d Normal: 1*4kB (U) 2*8kB (UM) 0*16kB 0*32kB = 20kB\n"


def stamped(data: bytes) -> bytes:
    """The lines with printk's stamp."""
    return b"".join(b"[%12.6f] %s" % (n / 1e6, line) for n, line in enumerate(data.splitlines(keepends=True)))


def _lines(n: int, line: bytes = b" foo_%d+0x1/0x2\n") -> bytes:
    return b"".join(line % k if b"%d" in line else line for k in range(n))


def _long(head: bytes, piece: bytes, tail: bytes = b"\n") -> Shape:
    return lambda n: head + piece * n + tail


def _many(head: bytes, line: bytes, tail: bytes = b"") -> Shape:
    return lambda n: stamped(head + _lines(n, line) + tail)


def _zones(n: int) -> bytes:
    zones = b"".join(ZONE % k for k in range(n))
    return stamped(ALLOC + CPU + b"Call Trace:\n foo+0x1/0x2\nMem-Info:\n" + zones + _lines(n, LIST) + b"1 pages RAM\n")


def _json_lines(n: int) -> bytes:
    rows = (WARNING + b"Call Trace:\n" + _lines(n)).decode().splitlines()
    return "".join(json.dumps({"MESSAGE": row, "_TRANSPORT": "kernel"}) + "\n" for row in rows).encode()


def _escapes(n: int) -> bytes:
    return b'{"log": "' + WARNING.strip() + b'\\n \\u003c\\"\\\\t' * n + b'"}\n'


def _pretty(n: int) -> bytes:
    return b"".join(b'{\n   "pri": 4,\n   "msg": "%s"\n},' % line for line in (WARNING + _lines(n)).splitlines())


def _export(n: int) -> bytes:
    rows = (WARNING + b"Call Trace:\n" + _lines(n)).splitlines()
    return b"".join(b"__CURSOR=%d\n_TRANSPORT=kernel\nMESSAGE=%s\n\n" % pair for pair in enumerate(rows))


def _verbose(n: int) -> bytes:
    head = b"Wed 2026-03-04 05:06:08.000000 UTC [s=ab;i=1;b=2;m=3;t=4;x=5]\n"
    rows = (WARNING + b"Call Trace:\n" + _lines(n)).splitlines()
    return b"".join(head + b"    _TRANSPORT=kernel\n    MESSAGE=%s\n" % row for row in rows)


SHAPES: dict[str, Shape] = {
    # ---- one line
    "a line of a word": _long(b"", b"WARNING: "),
    "a line of blanks": _long(WARNING, b" "),
    "a line without an end": _long(WARNING + b" foo", b"x"),
    "a line of stamps": _long(WARNING, b"[    1.000000] foo "),
    "a line of quote marks": _long(WARNING, b"> "),
    "a line of brackets": _long(WARNING + b" [", b"<[("),
    "a line of NULs": _long(WARNING, b"\0"),
    "a line of colours": _long(WARNING, b"\x1b[1m"),
    "a line of carriage returns": _long(WARNING, b"\r foo+0x1/0x2"),
    "a line of tags": _long(WARNING, b"<div class='x'>a</div>"),
    "a line of open tags": _long(WARNING, b"<div class='"),
    "a line of entities": _long(WARNING, b"&lt;&amp;"),
    "a line of octal escapes": _long(WARNING, b"#011#012"),
    "a line of hex escapes": _long(b"4,1,1,-;" + WARNING.strip(), b"\\x0a\\xc3\\xa4"),
    "a string of lines": _long(b'"' + WARNING.strip(), b"\\n foo+0x1/0x2", b'"\n'),
    "a string of escapes": _escapes,
    "a line of modules": _long(WARNING + b"Modules linked in:", b" foo(OE)"),
    "a line of numbers": _long(WARNING + b" foo+0x", b"1234567890abcdef"),
    "a line of pairs": _long(ALLOC + b"Mem-Info:\nNode 0 Normal", b" free:1kB"),
    "a line of a free list": _long(ALLOC + b"Mem-Info:\nNode 0 Normal:", b" 1*4kB (U)"),
    "a line of code": _long(OOPS + CPU + b"Code:", b" 48 89 <e5>"),
    "a line of UTF-8 cut in two": _long(WARNING, b"\xc3\xe4\xbd"),
    "a headline of bytes of comm": _long(b"", b"a ", b": page allocation failure: order:5, mode:0x104050\n"),
    "a table of one line": _long(
        KILL + TABLE, b"[  100]     0   100      1      1    4096        0             0 foo "
    ),
    "JSON in one line": lambda n: json.dumps({"dmesg": [{"pri": 4, "time": k, "msg": "x"} for k in range(n)]}).encode(),
    "JSON nested": lambda n: b'{"a":' * n + b"1" + b"}" * n + b"\n" + WARNING,
    # ---- many lines
    "empty lines": _many(WARNING, b"\n"),
    "lines of blanks": _many(WARNING, b"        \n"),
    "frames": _many(OOPS + CPU + b"Call Trace:\n", b" foo_%d+0x1/0x2\n"),
    "frames without a headline": _many(b"Call Trace:\n", b" foo_%d+0x1/0x2\n"),
    "frames of modules": _many(WARNING + b"Call Trace:\n", b" foo_%d+0x1/0x2 [mod%d]\n".replace(b"mod%d", b"mod")),
    "frames that are doubted": _many(WARNING + b"Call Trace:\n", b" ? foo_%d+0x1/0x2\n"),
    "traces": _many(WARNING, b"Call Trace:\n foo+0x1/0x2\n"),
    "stacks of other CPUs": _many(
        b"watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [foo:1]\n",
        b"NMI backtrace for cpu %d\nCPU: 1 PID: 1 Comm: foo\nCall Trace:\n foo+0x1/0x2\n",
    ),
    "headlines": _many(b"", WARNING),
    "headlines of all kinds": _many(
        b"", WARNING + OOPS + KILL + ALLOC + b"INFO: task foo:1 blocked for more than 120 seconds.\n"
    ),
    "headlines of one report": _many(b"", b"Oops: 0000 [#%d] SMP\n"),
    "cut here": _many(b"", b"------------[ cut here ]------------\n"),
    "ends of traces": _many(WARNING, b"---[ end trace 0000000000000000 ]---\n"),
    "reports": _many(b"", WARNING + CPU + b"Call Trace:\n foo_%d+0x1/0x2\n bar+0x1/0x2\n---[ end trace 0 ]---\n"),
    "reports at once": lambda n: stamped(
        b"".join(
            b"WARNING: CPU: %d PID: %d at a.c:1 f%d+0x1/0x2\nCPU: %d PID: %d Comm: c%d Not tainted 6.1.0 #1\n"
            % ((k % 64,) * 6)
            for k in range(n)
        )
        + _lines(n)
    ),
    "reports of callers": lambda n: (
        b"".join(b"[    1.000000][ T%d] WARNING: CPU: 0 PID: 1 at a.c:1 foo+0x1/0x2\n" % k for k in range(n))
        + b"".join(b"[    1.000000][ T%d]  foo+0x1/0x2\n" % k for k in range(n))
    ),
    "registers": _many(OOPS + CPU, b"RAX: 0000000000000000 RBX: 0000000000000000 RCX: 0000000000000000\n"),
    "modules": _many(WARNING, b"Modules linked in: foo bar\n"),
    "zones": _zones,
    "zones without lists": lambda n: stamped(ALLOC + b"Mem-Info:\n" + b"".join(ZONE % k for k in range(n))),
    "nodes": _many(ALLOC + b"Mem-Info:\n", b"Node %d active_anon:1kB inactive_anon:1kB\n"),
    "free lists": _many(ALLOC + b"Mem-Info:\n", LIST),
    "per-cpu lists": _many(
        ALLOC + b"Mem-Info:\nNode 0 Normal per-cpu:\n", b"CPU    %d: hi:  186, btch:  31 usd:   0\n"
    ),
    "tasks": _many(
        KILL + CPU + b"Mem-Info:\n" + TABLE,
        b"[%7d]     0   100      1      1    4096        0             0 foo\n".replace(b"%7d", b"%d"),
        KILLED,
    ),
    "kills": _many(KILL + TABLE, KILLED),
    "slabs": _many(KILL + b"Unreclaimable slab info:\nName  Used  Total\n", b"slab_%d  1KB  2KB\n"),
    "locks held": _many(
        b"INFO: task foo:1 blocked for more than 120 seconds.\nShowing all locks held in the system:\n",
        b"1 lock held by foo/%d:\n #0: ffff888000000000 (&a->b){++++}-{3:3}, at: foo+0x1/0x2\n",
    ),
    "links of a chain": _many(
        b"WARNING: possible circular locking dependency detected\n",
        b"-> #%d (&a){+.+.}-{3:3}:\n       lock_acquire+0x1/0x2\n       foo+0x1/0x2\n",
    ),
    "stalled CPUs": _many(
        b"rcu: INFO: rcu_sched detected stalls on CPUs/tasks:\n",
        b"rcu: \t%d-...!: (1 GPs behind) idle=0/0/0x0 softirq=1/1 fqs=0\n",
    ),
    "busy work": _many(
        b"BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 40s!\n"
        b"Showing busy workqueues and worker pools:\n",
        b"workqueue events: flags=0x0\n    in-flight: %d:foo\n",
    ),
    "shadow bytes": _many(
        b"BUG: KASAN: use-after-free in foo+0x1/0x2\nMemory state around the buggy address:\n",
        b">ffff888000000000: fb fb fb fb fb fb fb fb fb fb fb fb fb fb fb fb\n",
    ),
    "objects": _many(b"BUG kmalloc-64 (Not tainted): Redzone overwritten\n", b"Object ffff888000000000: 6b 6b 6b 6b\n"),
    "leaks": _many(b"", LEAK),
    "notices": _many(b"", b"nf_conntrack: nf_conntrack: table full, dropping packet\n"),
    "notices of devices": _many(b"", b"nvme nvme%d: I/O 1 QID 2 timeout, completion polled\n"),
    "boots": _many(b"", b"Linux version 6.1.%d (gcc) #1 SMP\n" + WARNING),
    "sysrq": _many(
        b"sysrq: Show Blocked State\n",
        b"task:foo             state:D stack:0     pid:%d    ppid:2\nCall Trace:\n foo+0x1/0x2\n",
    ),
    # ---- what a transport breaks
    "wrapped names": _long(
        WARNING + b"Modules linked in: aaaaaaaaaa bbbbbbbbbbbb cccccccccc ddddddddd eeeeeee\n",
        b"aaaaaaaaaa bbbbbbbbbbbb cccccccccc ddddddddd eeeeeee aaaaaaaa bbbbbbbbbbb\n",
    ),
    "wrapped memory": _long(
        ALLOC + b"Mem-Info:\nNode 0 DMA free:15900kB min:84kB low:104kB high:124kB active_anon:0kB\n",
        b"inactive_anon:0kB active_file:0kB inactive_file:0kB unevictable:0kB\n",
    ),
    "quoted-printable": _long(WARNING, b"foo bar =3D foo bar foo bar foo bar foo bar foo bar foo bar foo bar foo=\n"),
    "quoted-printable blanks": _long(
        WARNING, b"foo bar foo bar foo bar foo bar foo bar foo bar foo bar foo bar foo=20\n"
    ),
    "z/VM": _long(b"01: [    1.000000] " + WARNING, b"01: " + b"x" * 76 + b"\n"),
    "fragments": lambda n: b"".join(b"4,1,1,-,ncfrag=%d/99;foo\n" % k for k in range(n)) + WARNING,
    "records of JSON": _json_lines,
    "records of dmesg -J": _pretty,
    "records of an export": _export,
    "records of journalctl -o verbose": _verbose,
    "fields of one record": lambda n: (  # the message first: what tells the form stands in the first bytes
        b'{\n"msg": "%s"' % WARNING.strip().replace(b"\n", b"\\n")
        + b"".join(b',\n"field%d": "x"' % k for k in range(n))
        + b"\n}\n"
    ),
    "an array over lines": lambda n: b'{\n"MESSAGE": [\n' + b"87,\n" * (4000 + n) + b"10\n]\n}\n" + WARNING,
    "a value of journalctl -o verbose": lambda n: (
        b"Wed 2026-03-04 05:06:08 UTC [s=ab;i=1]\n    MESSAGE=" + WARNING + b"            x\n" * n
    ),
    "records cut short": lambda n: b"__CURSOR=1\nMESSAGE\n\xff\xff\xff\xff\xff\xff\xff\x7f" + WARNING * n,
    "mail quotes": lambda n: b"".join(
        b"> > " + line for line in stamped(WARNING + _lines(n)).splitlines(keepends=True)
    ),
    "markup": lambda n: b"<html><pre>" + WARNING + b"<div>" * n + b" foo+0x1/0x2<br>" * n,
    # ---- what is no log
    "text": _long(b"", b"The quick brown fox jumps over the lazy dog and says: WARNING to nobody.\n"),
    "text without line ends": _long(b"", b"The BUG: quick brown INFO: fox jumps over the lazy dog. "),
    "binary": lambda n: bytes(range(256)) * n,
}


# ---------------------------------------------------------------- what works on them


def whole(data: bytes) -> None:
    """All that ``kb match`` does with a log, in every form of its answer."""
    for found in api.match(data, notices=True):
        found.to_text(verbose=2)
        found.to_markdown()
        json.dumps(found.to_json())
        api.raw_text(found.report)


def recorded(data: bytes) -> None:
    """A log recorded into a store, each report diagnosed with what was recorded before it."""
    with tempfile.TemporaryDirectory() as folder, api.KnowledgeBase(Path(folder) / "kb.db") as base:
        for report in base.read(data):
            base.diagnose(report)
            base.record(report, source="test", host="host", seen="2026-01-01T00:00:00Z")


def _prose(data: bytes) -> None:
    prose.splats(data.decode())


def _message(data: bytes) -> None:
    for mail in patches.mails(data):
        message.known(message.read(*patches.parts(mail)), "patches", name="test")


def _vulns(data: bytes) -> None:
    with contextlib.suppress(ValueError):  # what is no pair is refused
        vulns.known("CVE-2024-1", f"Subject: CVE-2024-1: a\n\n{WARNING.decode()}\n", data.decode(), "", everything=True)
    vulns.known("CVE-2024-1", data.decode(), "", "", everything=True)


def _evidence(data: bytes) -> None:
    parse_evidence([("file", data)])


def _question(data: bytes) -> None:
    question.read(data.decode())


def _case(data: bytes) -> None:
    with contextlib.suppress(KbError):
        parse_case(data.decode())


def _predicate(data: bytes) -> None:
    with contextlib.suppress(KbError):
        parse_predicate(data.decode())


def _text(head: str, piece: str, tail: str = "\n") -> Shape:
    return lambda n: (head + "".join(piece.replace("%d", str(k)) for k in range(n)) + tail).encode()


Work = Callable[[bytes], None]

_STACK = "Call Trace:\n foo_bar+0x1/0x2\n bar_foo+0x1/0x2\n"
_CASE = '```toml\nid = "a"\ntitle = "a"\nkind = "oops"\nstatus = "new"\nsummary = "a"\n'

OTHERS: dict[str, tuple[Shape, Work]] = {
    "store: reports": (SHAPES["reports"], recorded),
    "store: frames": (SHAPES["frames"], recorded),
    "prose: words": (_text("Call Trace:\n", "The quick brown fox jumps over the lazy dog. "), _prose),
    "prose: paragraphs": (_text("", "We saw this in f%d().\n\nCall Trace:\n\n"), _prose),
    "prose: bare frames": (_text("Call Trace:\n", " foo_%d\n"), _prose),
    "prose: frames": (_text("Call Trace:\n", " foo_%d+0x1/0x2\n"), _prose),
    "prose: tails": (_text("Call Trace:\n foo_bar+0x1\n", "/0x2\n"), _prose),
    "prose: modules": (_text("Call Trace:\n foo_bar+0x1/0x2\n", "[foo]\n"), _prose),
    "prose: unfinished": (_text("BUG: KASAN: use-after-free in\n", "BUG: in\n"), _prose),
    "prose: quotes": (_text("BUG: x\n", "> > | > foo_%d+0x1/0x2\n"), _prose),
    "prose: a long word": (_text("Call Trace:\n foo", "_bar.", "+0x1/0x2\n"), _prose),
    "prose: blank lines": (_text("Call Trace:\n", "\n \n"), _prose),
    "prose: splats": (_text("", "BUG: foo\n" + _STACK + "\nThis is a new paragraph of the message.\n\n"), _prose),
    "mail: headers": (_text("From: a\n", "X-%d: b\n", "Subject: c\n\nBUG: x\n" + _STACK), _message),
    "mail: a subject": (_text("From: a\nSubject: ", "=?utf-8?q?a?= [PATCH] ", "\n\nBUG: x\n" + _STACK), _message),
    "mail: tags": (
        _text("Subject: a\n\nBUG: x\n" + _STACK, 'Fixes: 0123456789ab ("x")\nLink: http://a/%d\n'),
        _message,
    ),
    "mail: many": (
        _text(
            "",
            "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\nSubject: a\n\nBUG: x\n" + _STACK,
        ),
        _message,
    ),
    "mail: parts": (
        _text("From: a\nSubject: b\nContent-Type: multipart/mixed; boundary=x\n\n", "--x\n\nBUG: %d\n"),
        _message,
    ),
    "mail: upstream": (
        _text("From: a\nSubject: b\n\nBUG: x\n" + _STACK, "commit upstream [ upstream commit \n"),
        _message,
    ),
    "mail: blanks": (_text("From: a\nSubject: b\n\nBUG: x\n" + _STACK, " \n\t\n"), _message),
    "dyad: pairs": (_text("", "5.%d:0123456789abcdef:6.1:0123456789abcdef\n"), _vulns),
    "dyad: a word": (_text("", "a", ""), _vulns),
    "dyad: colons": (_text("", "1:", ""), _vulns),
    "dyad: zeros": (_text("", "0:0:0:0 ", ""), _vulns),
    "record: files": (_text("Subject: CVE-1: a\n\nThe file(s) affected by this issue are:\n", "\ta/b%d.c\n"), _vulns),
    "record: a subject": (_text("Subject: CVE-1: a", "\n b"), _vulns),
    "evidence: vmstat": (_text("", "nr_%d 1\n"), _evidence),
    "evidence: readings": (_text("", "nr_a 1\nnr_b 2\n"), _evidence),
    "evidence: buddyinfo": (
        _text("", "Node %d, zone   Normal   1   2   3   4   5   6   7   8   9  10  11\n"),
        _evidence,
    ),
    "evidence: zoneinfo": (
        _text(
            "",
            "Node %d, zone   Normal\n  pages free     1\n        min      1\n        low      2\n        high     3\n",
        ),
        _evidence,
    ),
    "evidence: pagetypeinfo": (
        _text(
            "Free pages count per migrate type at order 0 1 2\n",
            "Node    %d, zone   Normal, type    Unmovable   1   2   3\n",
        ),
        _evidence,
    ),
    "evidence: a trace": (_text("", "  foo-%d   [001] .... 12.345: mm_page_alloc: page=1 order=5 a=b\n"), _evidence),
    "evidence: functions": (_text("", "  foo-%d   [001] .... 12.345: foo <-bar\n"), _evidence),
    "evidence: sysctl": (_text("", "vm.a%d = 1\n"), _evidence),
    "evidence: a word": (_text("vm.", "a.vm.", " = 1\n"), _evidence),
    "evidence: pairs in a line": (_text("  foo-1   [001] .... 12.345: ev: ", "a%d=b ", "\n"), _evidence),
    "question: a word": (_text("", "a", ""), _question),
    "question: words": (_text("why ", "free memory zone ", "?"), _question),
    "question: unknown words": (_text("", "qwertz%d ", "?"), _question),
    "question: blanks": (_text("note", " ", "x"), _question),
    "question: dots": (_text("what can you do", " . ", "x"), _question),
    "question: numbers": (_text("", "%d.1 ", ""), _question),
    "case: predicates": (_text(_CASE + "[match]\nrequire = [", '"order == 5",', "]\n```\n"), _case),
    "case: tables": (_text(_CASE, '[[fix]]\ncommit = "a"\n', "```\n"), _case),
    "case: prose": (_text(_CASE + "```\n", "# Head %d\n\ntext\n"), _case),
    "case: keys": (lambda n: (_CASE + "".join(f"a{k:05} = 1\n" for k in range(n)) + "```\n").encode(), _case),
    "predicate: words": (_text("order in (", "5, ", "6)"), _predicate),
    "predicate: brackets": (_text("", "(", ""), _predicate),
}


PUMPS: dict[str, tuple[Shape, Work]] = {**{name: (shape, whole) for name, shape in SHAPES.items()}, **OTHERS}
