r"""How the cost of a regular expression grows with the text: a proof by ambiguity, not a measurement.

Python's engine tries one path after the other, so on a text that does not fit it takes every path of the pattern's
automaton that the text spells. That number grows faster than the text exactly where the automaton is infinitely
ambiguous (Weber and Seidl, "On the degree of ambiguity of finite automata", 1991): there are loops at p and q, p != q,
and one word leads from p to p, from p to q and from q to q; or there are two paths by one word from q back to q. A
search that may begin anywhere is one more loop, before the pattern. So a pattern is linear if no such pair of loops is
there, and where one is, the word is a witness: pumped, it shows the growth.

The automaton is Glushkov's, a position for each character of the pattern. It takes more paths than the engine does
(assertions are taken to hold, every repeat gives back, nothing is cached), so that a pattern called linear is linear.
What a position that accepts tells is used, because there the engine stops: it never goes back behind such a position.

Bounded repeats are loops here, too: ``\d{1,9}`` is ``\d+``. A pattern that is linear only because of its bounds is
told apart by :meth:`Pattern.steps`, which counts the paths for a pumped witness with the bounds as they are.
"""

import re
import re._constants as sre  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

_LETTERS = [chr(code) for code in range(256)] + list(
    "\u0130\u0131\u017f\u212aПя٣中\u2003\u2028\u3000\ufeff\ufffd🙂\udc80"
)
"""The alphabet: one bit of a set each. What is no ASCII stands for its like: letters, digits, blanks, the rest."""
ALL = (1 << len(_LETTERS)) - 1
_END = 1 << len(_LETTERS)
"""What only the end of the text takes."""
_LONGEST = 100_000
"""Positions of the automaton that is not lifted."""


def _mask(test: Any) -> int:
    return sum(1 << bit for bit, letter in enumerate(_LETTERS) if test(letter))


_WORD = _mask(lambda letter: re.match(r"\w", letter))
_NEWLINE = 1 << 10


class Fragment(NamedTuple):
    """A part of a pattern: in how many ways it is empty, where it begins and ends (position: number of ways)."""

    empty: int
    first: dict[int, int]
    last: dict[int, int]


_EMPTY = Fragment(1, {}, {})
_NEVER = Fragment(0, {}, {})


def _add(*parts: tuple[dict[int, int], int]) -> dict[int, int]:
    total: dict[int, int] = {}
    for ways, times in parts:
        if times:
            for position, count in ways.items():
                total[position] = total.get(position, 0) + count * times
    return total


@dataclass
class Automaton:
    """Positions of a pattern, what each takes, and what may follow."""

    lifted: bool
    sure: bool
    """Assertions never hold: what is empty then is empty whatever stands around."""
    flags: int = 0
    takes: list[int] = field(default_factory=list)
    follow: list[dict[int, int]] = field(default_factory=list)

    def position(self, mask: int) -> Fragment:
        """A part of one character."""
        self.takes.append(mask)
        self.follow.append({})
        at = len(self.takes) - 1
        if at > _LONGEST:
            raise OverflowError("too many positions")
        return Fragment(0, {at: 1}, {at: 1})

    def link(self, last: dict[int, int], first: dict[int, int]) -> None:
        """What ends the one part may be followed by what begins the other."""
        for before, ways in last.items():
            row = self.follow[before]
            for after, more in first.items():
                row[after] = row.get(after, 0) + ways * more

    def chain(self, left: Fragment, right: Fragment) -> Fragment:
        """One part behind another."""
        self.link(left.last, right.first)
        return Fragment(
            left.empty * right.empty,
            _add((left.first, 1), (right.first, left.empty)),
            _add((right.last, 1), (left.last, right.empty)),
        )

    def sequence(self, items: Any) -> Fragment:
        """A parsed pattern."""
        whole = _EMPTY
        for op, argument in items:
            whole = self.chain(whole, self.item(op, argument))
        return whole

    def item(self, op: Any, argument: Any) -> Fragment:
        """One item of a parsed pattern."""
        if op in (sre.LITERAL, sre.NOT_LITERAL, sre.IN, sre.ANY):
            return self.position(_taken(op, argument, self.flags))
        if op is sre.BRANCH:
            parts = [self.sequence(part) for part in argument[1]]
            return Fragment(
                sum(part.empty for part in parts),
                _add(*((part.first, 1) for part in parts)),
                _add(*((part.last, 1) for part in parts)),
            )
        if op is sre.SUBPATTERN:
            _, on, off, inner = argument
            before, self.flags = self.flags, (self.flags | on) & ~off
            part = self.sequence(inner)
            self.flags = before
            return part
        if op is sre.ATOMIC_GROUP:
            return self.sequence(argument)
        if op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            return self.repeat(*argument)
        if op is sre.AT and (argument is sre.AT_END_STRING or (argument is sre.AT_END and not self.flags & re.M)):
            return self.position(_END)
        if op is sre.AT:
            return _NEVER if self.sure else _EMPTY
        if op in (sre.ASSERT, sre.ASSERT_NOT):
            direction, inner = argument
            if direction < 0:
                return _NEVER if self.sure else _EMPTY
            part = self.sequence(inner)  # a path that ends in it, and one that steps over it
            return Fragment(0 if self.sure else 1, part.first, {})
        raise NotImplementedError(str(op))

    def repeat(self, least: int, most: int, inner: Any) -> Fragment:
        """So many times the same: copies, the last of which loops where there is no limit."""
        endless = most is sre.MAXREPEAT or (self.lifted and most != least and most > 1)
        whole = _EMPTY
        for _ in range(least - 1 if endless else least):
            whole = self.chain(whole, self.sequence(inner))
        if endless:
            part = self.sequence(inner)
            self.link(part.last, part.first)
            return self.chain(whole, part if least else part._replace(empty=1))
        rest = _EMPTY
        for _ in range(most - least):
            rest = self.chain(self.sequence(inner), rest)._replace(empty=1)
        return self.chain(whole, rest)


def _taken(op: Any, argument: Any, flags: int) -> int:
    """The letters that an item of one character takes."""
    if op is sre.ANY:
        return ALL if flags & re.S else ALL & ~_NEWLINE
    if op is sre.IN:
        mask, negate = 0, False
        for kind, value in argument:
            if kind is sre.NEGATE:
                negate = True
            elif kind is sre.CATEGORY:
                mask |= _category(value, bool(flags & re.A))
            elif kind is sre.RANGE:
                mask |= _within(*value, bool(flags & re.I))
            else:
                mask |= _within(value, value, bool(flags & re.I))
        return ALL & ~mask if negate else mask
    mask = _within(argument, argument, bool(flags & re.I))
    return ALL & ~mask if op is sre.NOT_LITERAL else mask


@cache
def _within(low: int, high: int, ignore_case: bool) -> int:
    def fits(letter: str) -> bool:
        forms = {letter, letter.lower(), letter.upper()} if ignore_case else {letter}
        return any(len(form) == 1 and low <= ord(form) <= high for form in forms)

    return _mask(fits)


@cache
def _category(name: Any, ascii_only: bool) -> int:
    letter = {"DIGIT": "d", "SPACE": "s", "WORD": "w"}[str(name).rpartition("_")[2]]
    test = re.compile(rf"\{letter}", re.A if ascii_only else 0)
    mask = _mask(test.match)
    return ALL & ~mask if "_NOT_" in str(name) else mask


def _before(items: Any, flags: int, first: int) -> int:
    """What may stand before a match: no letter at all where the pattern is anchored."""
    mask = ALL
    for op, argument in items:
        if op is sre.AT and argument in (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING):
            mask &= _NEWLINE if argument is sre.AT_BEGINNING and flags & re.M else 0
        elif op is sre.AT and argument is sre.AT_BOUNDARY:
            mask &= ALL & ~_WORD if first & ~_WORD == 0 else _WORD if first & _WORD == 0 else ALL
        elif op in (sre.ASSERT, sre.ASSERT_NOT) and argument[0] < 0:
            if len(argument[1]) == 1 or op is sre.ASSERT:
                op_, value = list(argument[1])[-1]
                taken = _taken(op_, value, flags)
                mask &= taken if op is sre.ASSERT else ALL & ~taken
        elif op is sre.SUBPATTERN:
            return mask & _before(argument[3], flags | argument[1], first)
        elif op is sre.BRANCH:
            union = 0
            for part in argument[1]:
                union |= _before(part, flags, first)
            return mask & union
        else:
            break
    return mask


class Way(NamedTuple):
    """Why a pattern is not linear: behind ``prefix``, each ``word`` more has more paths than the one before."""

    prefix: str
    word: str
    exponential: bool


def alternatives(pattern: "re.Pattern[Any]") -> list[tuple[Any, int]]:
    """The parsed alternatives of a pattern with their flags: the engine tries one after the other."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    flags = pattern.flags if isinstance(pattern.pattern, str) else pattern.flags | re.A
    items, found = parser.parse(source, flags & ~(re.U if flags & re.A else 0)), []
    todo = [(items, flags)]
    while todo:
        items, flags = todo.pop()
        if len(items) == 1 and items[0][0] is sre.SUBPATTERN:
            _, on, off, inner = items[0][1]
            todo.append((inner, (flags | on) & ~off))
        elif len(items) == 1 and items[0][0] is sre.BRANCH:
            todo += [(part, flags) for part in items[0][1][1]]
        else:
            found.append((items, flags))
    return found


class Pattern:
    """One alternative of a pattern as it is used.

    Args:
        items: As it was parsed.
        flags: Those of :mod:`re` that hold for it.
        use: ``match`` (at one place), ``fullmatch``, or ``search`` (anywhere, over and over: finditer, sub, split).
        lifted: Bounded repeats are taken as endless.
    """

    def __init__(self, items: Any, flags: int, use: str, *, lifted: bool = True):
        auto, sure = Automaton(lifted, False, flags), Automaton(lifted, True, flags)
        whole = auto.sequence(items)
        self.takes, self.follow = [takes & ALL for takes in auto.takes], auto.follow
        size = len(self.takes)
        self.accepts = set(sure.sequence(items).last)
        if use == "fullmatch":  # what a ".*" to the end of the line follows cannot fail any more
            line = ALL & ~_NEWLINE
            rest = {at for at in self.accepts if at in self.follow[at] and line & ~self.takes[at] == 0}
            self.accepts = {at for at in self.accepts if rest & set(sure.follow[at])}
        self.starts = dict(whole.first)
        self.size = size
        first = 0
        for position in whole.first:
            first |= self.takes[position]
        before = _before(items, flags, first) if use == "search" else 0
        self.restart = None
        if before:
            self.restart = size
            self.takes.append(ALL)
            self.follow.append({size: 1})
            self.starts[size] = 1
            if before == ALL:
                self.follow[size] |= whole.first
            else:
                self.takes.append(before)
                self.follow.append(dict(whole.first))
                self.follow[size][size + 1] = 1
                self.starts[size + 1] = 1

    def components(self, nodes: set[int]) -> dict[int, int]:
        """The loops among some positions: a number for each position that can come back to itself (Tarjan)."""
        index: dict[int, int] = {}
        low: dict[int, int] = {}
        stack: list[int] = []
        on: set[int] = set()
        found: dict[int, int] = {}
        for root in nodes:
            if root in index:
                continue
            work = [(root, iter(self.follow[root]))]
            index[root] = low[root] = len(index)
            stack.append(root)
            on.add(root)
            while work:
                node, rest = work[-1]
                for after in rest:
                    if after not in nodes:
                        continue
                    if after not in index:
                        index[after] = low[after] = len(index)
                        stack.append(after)
                        on.add(after)
                        work.append((after, iter(self.follow[after])))
                        break
                    if after in on:
                        low[node] = min(low[node], index[after])
                else:
                    work.pop()
                    if work:
                        low[work[-1][0]] = min(low[work[-1][0]], low[node])
                    if low[node] == index[node]:
                        loop = []
                        while True:
                            loop.append(stack.pop())
                            on.discard(loop[-1])
                            if loop[-1] == node:
                                break
                        if len(loop) > 1 or node in self.follow[node]:
                            found.update(dict.fromkeys(loop, node))
        return found

    def reach(self, nodes: set[int]) -> dict[int, set[int]]:
        """What can be reached from each position of a loop, by way of some positions."""
        ahead: dict[int, set[int]] = {}
        for start in nodes:
            seen, todo = set(), [start]
            while todo:
                for after in self.follow[todo.pop()]:
                    if after not in seen:
                        seen.add(after)
                        todo.append(after)
            ahead[start] = seen
        return ahead

    def ways(self) -> Iterator[Way]:
        """Why the pattern is not linear, one reason for each pair of loops."""
        nodes = {position for position in range(len(self.takes)) if position not in self.accepts}
        loops = self.components(nodes)
        if self.restart is not None:
            loops[self.restart] = self.restart
        members: dict[int, set[int]] = defaultdict(set)
        for position, loop in loops.items():
            members[loop].add(position)
        for own in members.values():
            word = self._twice(own)
            if word is not None:
                yield Way(self._prefix(next(iter(own))), word, True)
        ahead = self.reach(set(loops))
        for one, own in members.items():
            for other, others in members.items():
                if one == other or next(iter(others)) not in ahead[next(iter(own))]:
                    continue
                between = set(range(len(self.takes))) if one == self.restart else nodes
                found = self._from_to(own, others, between)
                if found is not None:
                    yield Way(self._prefix(found[0]), found[1], False)

    def _twice(self, own: set[int]) -> str | None:
        """A word that leads from a position of a loop back to it in two ways."""
        for start in sorted(own):
            todo = deque([(start, start, False)])
            seen: dict[tuple[int, int, bool], Any] = {todo[0]: None}
            while todo:
                state = todo.popleft()
                a, b, split = state
                for x, ways in self.follow[a].items():
                    if x not in own:
                        continue
                    for y in self.follow[b]:
                        mask = self.takes[x] & self.takes[y]
                        if y not in own or not mask or (not split and y < x):
                            continue
                        after = (x, y, split or x != y or ways > 1)
                        if after == (start, start, True):
                            return _word(seen, state) + _letter(mask)
                        if after not in seen:
                            seen[after] = (state, _letter(mask))
                            todo.append(after)
        return None

    def _from_to(self, own: set[int], others: set[int], between: set[int]) -> tuple[int, str] | None:
        """A position of a loop, and a word that leads from it to itself and to another loop, and there round, too."""
        for p in sorted(own):
            for q in sorted(others):
                begin = (p, p, q)
                todo = deque([begin])
                seen: dict[tuple[int, int, int], Any] = {begin: None}
                while todo:
                    state = todo.popleft()
                    a, b, c = state
                    for x in self.follow[a]:
                        if x not in own:
                            continue
                        for z in self.follow[c]:
                            both = self.takes[x] & self.takes[z]
                            if z not in others or not both:
                                continue
                            for y in self.follow[b]:
                                mask = both & self.takes[y]
                                if not mask or y not in between:
                                    continue
                                after = (x, y, z)
                                if after == (p, q, q):
                                    return p, _word(seen, state) + _letter(mask)
                                if after not in seen:
                                    seen[after] = (state, _letter(mask))
                                    todo.append(after)
        return None

    def _prefix(self, goal: int) -> str:
        """A shortest text that leads to a position."""
        todo = deque(sorted(self.starts))
        seen: dict[int, Any] = {position: (None, _letter(self.takes[position])) for position in self.starts}
        while todo:
            position = todo.popleft()
            if position == goal:
                return _word(seen, position)
            for after in self.follow[position]:
                if after not in seen and self.takes[after]:
                    seen[after] = (position, _letter(self.takes[after]))
                    todo.append(after)
        return ""

    def steps(self, text: str) -> int:
        """Positions that the engine visits at most while it reads a text that does not fit."""
        bits = {letter: 1 << bit for bit, letter in enumerate(_LETTERS)}
        paths = dict(self.starts)
        total = 0
        for letter in text:
            bit = bits[letter]
            live = {position: count for position, count in paths.items() if self.takes[position] & bit}
            total += sum(live.values())
            paths = {}
            for position, count in live.items():
                count = 1 if position in self.accepts else count
                for after, ways in self.follow[position].items():
                    paths[after] = paths.get(after, 0) + count * ways
        return total


def _letter(mask: int) -> str:
    """One of the letters, one that can be read where there is a choice."""
    for letter in "ax0 -:._":
        if mask >> ord(letter) & 1:
            return letter
    for code in range(33, 127):
        if mask >> code & 1:
            return chr(code)
    return _LETTERS[(mask & -mask).bit_length() - 1] if mask else ""


def _word(seen: dict[Any, Any], state: Any) -> str:
    letters = []
    while state is not None and seen[state] is not None:
        state, letter = seen[state]
        letters.append(letter)
    return "".join(reversed(letters))


class Finding(NamedTuple):
    """A way in which a pattern grows, and the positions visited for each character of a pumped text."""

    way: Way
    short: float
    long: float


_SHORT, _LONG = 512, 1024
"""Characters of the pumped texts."""


def growth(pattern: "re.Pattern[Any]", use: str) -> Iterator[Finding]:
    """The ways in which a pattern is not linear, or only by the bounds of its repeats, and what each costs."""
    for items, flags in alternatives(pattern):
        bounded = None
        for way in Pattern(items, flags, use).ways():
            bounded = bounded or Pattern(items, flags, use, lifted=False)
            texts = [(way.prefix + way.word * size)[:size] for size in (_SHORT, _LONG)]
            yield Finding(way, *(bounded.steps(text) / len(text) for text in texts))


def _letters(text: str) -> int:
    return sum(1 << bit for bit, letter in enumerate(_LETTERS) if letter in text)


_DIGITS = _mask(str.isdigit)
_NUMBER = _DIGITS | _letters("abcdefABCDEFxX+-.")
"""What a number is written with, in hexadecimal as well."""


def endless_numbers(pattern: "re.Pattern[Any]", most: int = 64) -> Iterator[str]:
    """Names (or numbers) of the groups that capture a number of any length: what is made of it has no bound.

    Args:
        pattern: Compiled, text or bytes.
        most: Digits that a number may have; the longest are commit ids.
    """
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    flags = pattern.flags if isinstance(pattern.pattern, str) else pattern.flags | re.A
    parsed = parser.parse(source, flags & ~(re.U if flags & re.A else 0))
    names = {number: name for name, number in parsed.state.groupdict.items()}
    todo: list[Any] = [parsed]
    while todo:
        for op, argument in todo.pop():
            if op is sre.SUBPATTERN:
                todo.append(argument[3])
                if argument[0] is not None and any(_endless(part, flags, most) for part in _branches(argument[3])):
                    yield str(names.get(argument[0], argument[0]))
            elif op is sre.BRANCH:
                todo += argument[1]
            elif op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
                todo.append(argument[2])


def _branches(items: Any) -> Any:
    return items[0][1][1] if len(items) == 1 and items[0][0] is sre.BRANCH else [items]


def _endless(items: Any, flags: int, most: int) -> bool:
    """True for a part that is a number, and has more digits than so many."""
    auto = Automaton(True, False, flags)
    auto.sequence(items)
    taken = 0
    for mask in auto.takes:
        taken |= mask & ALL
    return bool(taken & _DIGITS) and not taken & ~_NUMBER and items.getwidth()[1] > most
