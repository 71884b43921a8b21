"""Facts of damaged reports: lines lost, doubled, swapped, cut or full of nonsense never raise."""

import random
from pathlib import Path

import pytest

from kb import api

SAMPLES = sorted((Path(__file__).parent.parent / "parse/data").glob("*.txt"))
NONSENSE = (
    b"#PF: error_code(0xzz) - \n",
    b"Internal error: Oops: ffffffffffffffff [#1]\n",
    b"RAX: ffffffffffffffff RBX: 6b6b6b6b6b6b6b6b RCX: dead000000000122\n",
    b"Code: <f0> f0 f0 f0 f0\n",
    b"Code: 00000000 (ffffffff)\n",
    b"REGS: c00000000b3f7a50 TRAP: 0300   Not tainted\n",
    b"Cause : ffffffff (ExcCode ff)\n",
    b"rcu: \t99999-....: (99999999999 ticks this GP) idle=1b2/1/0x4000000000000002\n",
    b"    in-flight: :, 1:, (RESCUER):x, BAR(1)\n",
    b"-> #999 ((((a)){+.+.}-{3:3}:\n",
    b"99 locks held by a/b/c/1:\n",
    b" #99: 0000000000000000 (x){....}-{0:0}, at: y+0x1/0x2\n",
    b"page: refcount:-99999999999 mapcount:0 mapping:(null) index:0x0\n",
    b"Kernel memory exposure attempt detected from '' '' (offset 99999999999999999999, size 0)!\n",
    b"INFO: task a:1 <reader> blocked on an rw-semaphore likely owned by task b:2 <writer>\n",
)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_damage_of_any_kind_is_survived(path: Path) -> None:
    dice = random.Random(path.stem)
    whole = path.read_bytes().partition(b"\n\n")[2].splitlines(keepends=True)
    for _ in range(12):
        lines = [line for line in whole if dice.random() > 0.1]
        for _ in range(4):
            lines.insert(dice.randrange(len(lines) + 1), dice.choice(NONSENSE))
        if dice.random() < 0.3:
            at = dice.randrange(len(lines))
            lines[at] = lines[at][: dice.randrange(1, len(lines[at]) + 1)]
        for found in api.match(b"".join(lines), cases=()):
            found.to_text(verbose=2)
            found.to_text(verbose=2, lang="zh")
            found.to_json()
            first, last = found.report.span
            for reason in found.facts.reasoning:
                assert all(first <= begin <= end <= last for begin, end in reason.evidence)
