"""Why a line was given to which of several open reports: the weights of each, for who tunes them or doubts them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from kb.model.log import Line
from kb.split.splitter import Splitter
from kb.split.strand import Strand
from kb.split.untangle import CLEAR, account
from kb.split.weights import Weight
from kb.syntax.roles import Role


class Claim(NamedTuple):
    """What speaks for a line being a report's, and what against it."""

    start: int
    """Physical line of the report's headline."""
    kind: str
    """Empty where the report has no headline, and for stacks that are no report."""
    weights: tuple[Weight, ...]

    @property
    def points(self) -> int:
        """The sum of the weights."""
        return sum(weight.points for weight in self.weights)


class Contest(NamedTuple):
    """A line that several open reports may claim."""

    line: Line
    role: Role
    claims: tuple[Claim, ...]
    """The best first: that report gets the line."""

    @property
    def ahead(self) -> int:
        """Points that the best is ahead of the next; fewer than two leave a line of evidence in doubt."""
        return self.claims[0].points - self.claims[1].points

    @property
    def clear(self) -> bool:
        """True where the choice is beyond doubt."""
        return self.ahead >= CLEAR


def explain(strands: Sequence[Strand], line: Line, role: Role) -> Contest:
    """The claims of open reports to a line.

    Args:
        strands: Open reports, the one that printed the line before last.
        line: A line that is no headline.
        role: Its role.
    """
    claims = [
        Claim(strand.start, strand.kind.name, tuple(account(strands, strand, line, role)))
        for strand in reversed(strands)
    ]
    return Contest(line, role, tuple(sorted(claims, key=lambda claim: -claim.points)))


def contests(lines: Iterable[Line], source: str = "-") -> Iterator[Contest]:
    """All lines of a log that several reports may claim, in its order."""
    found: list[Contest] = []
    splitter = Splitter(source, watch=lambda strands, line, role: found.append(explain(strands, line, role)))
    for line in lines:
        splitter.feed(line)
        yield from found
        found.clear()


def shown(contest: Contest) -> str:
    """A contest in words, a line a claim and a line a weight."""
    sure = "" if contest.clear else ", in doubt"
    rows = [f"line {contest.line.number} ({contest.role}): {contest.line.text.strip()[:80]}"]
    for place, claim in enumerate(contest.claims):
        got = f"gets it, {contest.ahead} ahead{sure}" if place == 0 else "does not"
        rows.append(f"  {claim.points:+d} the report at line {claim.start} ({claim.kind or 'no headline'}) {got}")
        rows += [f"    {weight.points:+d} {weight.words} [{weight.source}]" for weight in claim.weights]
    return "\n".join(rows)
