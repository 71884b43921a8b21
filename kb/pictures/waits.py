"""Who waits for whom: tasks that hang, what they wait for, and who holds that."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kb.model.verdict import Diagnosis
from kb.pictures.draw import LINE, ROWS, WIDTH, Box, Drawing, Label, Row, Shape, Stroke, short
from kb.words.speak import Words

_CHAINS = 20
_LONG = 6


@dataclass(frozen=True, slots=True)
class Wait:
    """A task and what it waits for."""

    task: str
    """``comm/pid``"""
    thing: str
    holders: tuple[str, ...]
    """Who has it, where the log tells."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Chains of waits: task, thing, task, thing ... The last task waits for nobody that the log names."""

    chains: tuple[tuple[str, ...], ...]
    circular: tuple[bool, ...]
    """Of each chain, whether its last task is one that stands in it before."""

    def head(self, words: Words) -> str:
        """What it shows."""
        return words("picture.waits")

    def drawn(self, words: Words) -> Drawing:
        """A row a chain: tasks in boxes, what they wait for on the arrows between them."""
        shapes: list[Shape] = []
        high = LINE + 14
        width = float(WIDTH)
        for index, (chain, circular) in enumerate(zip(self.chains, self.circular, strict=True)):
            y = index * high
            for at, text in enumerate(chain):
                x = at * 165.0
                if at % 2 == 0:
                    last = circular and at == len(chain) - 1
                    shapes.append(Box(x + 1, y + 4, 150, LINE + 2, "frame-bad" if last else "frame", text))
                    shapes.append(Label(x + 76, y + 19, short(text, 20), "bad" if last else "", "middle"))
                else:
                    end = x + (165 if at + 1 < len(chain) else 14)
                    shapes.append(Stroke(x - 14, y + 15, end, y + 15, "arrow", arrow=True))
                    shapes.append(Label(x + 76 if at + 1 < len(chain) else x + 24, y + 11 if at + 1 < len(chain)
                                        else y + 19, short(text, 24), "small", "middle" if at + 1 < len(chain)
                                        else "start"))  # fmt: skip
                width = max(width, x + 165)
        return Drawing(width, len(self.chains) * high, tuple(shapes))

    def rows(self, words: Words) -> list[Row]:
        """A line a chain."""
        return [
            (
                " -> ".join(f"({text})" if at % 2 else text for at, text in enumerate(chain))
                + (" ↺" if circular else ""),
            )
            for chain, circular in list(zip(self.chains, self.circular, strict=True))[:ROWS]
        ]


def waits(found: Iterable[Diagnosis], *, single: bool = False) -> Waits | None:
    """The waits of the hung tasks of a log; None where no holder is told, and fewer than two tasks wait.

    A single wait for what nobody is named for is a sentence, no picture, unless ``single`` asks for it.
    """
    known = [wait for each in found if each.report.kind == "hung_task" and (wait := _wait(each)) is not None]
    by_task = {wait.task: wait for wait in known}
    if not known or (not single and len(by_task) < 2 and not any(wait.holders for wait in known)):
        return None
    held = {holder for wait in known for holder in wait.holders}
    chains: list[tuple[list[str], bool]] = []
    reached: set[str] = set()
    for task in sorted(by_task, key=lambda task: task in held):  # a circle has no first task: any will do
        if (task not in held or task not in reached) and len(chains) < _CHAINS:
            chains.append(_chain(task, by_task))
            reached.update(chains[-1][0][::2])
    return Waits(tuple(tuple(chain) for chain, _ in chains), tuple(circular for _, circular in chains))


def _wait(found: Diagnosis) -> Wait | None:
    values = {name: fact.value for name, fact in found.facts.values.items()}
    report, thing = found.report, values.get("waits_for")
    if thing is None:
        return None
    lock = f" {values['lock_waited']}" if "lock_waited" in values else ""
    holders = tuple(values.get("lock_holders") or ())
    if "owner" in values:
        holders = (f"{values['owner']}/{values.get('owner_pid', '?')}",)
    return Wait(f"{report.comm or '?'}/{'?' if report.pid is None else report.pid}", f"{thing}{lock}", holders)


def _chain(task: str, by_task: Mapping[str, Wait]) -> tuple[list[str], bool]:
    """From a task to the one that nobody keeps waiting, or that stands in the chain already."""
    chain = [task]
    while (wait := by_task.get(chain[-1])) is not None and len(chain) < 2 * _LONG:
        chain.append(wait.thing)
        if not wait.holders:
            break
        chain.append(wait.holders[0])
        if wait.holders[0] in chain[:-1:2]:
            return chain, True
    return chain, False
