"""Reports of a log that say the same as one row, what follows from a report under it, as `kb match` groups them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from kb.tui.lists.item import Item
from kb.tui.lists.spark import buckets, spark


@dataclass(eq=False, slots=True)
class Group:
    """Equal reports; the first one stands for all."""

    items: list[Item]
    under: list["Group"] = field(default_factory=list)
    """Groups whose first report follows from one of this group."""
    cause: "Group | None" = None
    open: bool = False
    """Whether its other reports and what follows have rows of their own."""
    _spark: tuple[tuple[object, ...], str] = ((), "")

    @property
    def first(self) -> Item:
        """Its first report."""
        return self.items[0]

    @property
    def folded(self) -> bool:
        """Whether there is anything to unfold."""
        return len(self.items) > 1 or bool(self.under)

    @property
    def followers(self) -> int:
        """Reports that follow from these, and from those."""
        return sum(len(each.items) + each.followers for each in self.under)

    @property
    def hosts(self) -> list[str]:
        """The hosts they were seen on."""
        return list(dict.fromkeys(item.host for item in self.items if item.host))

    def when(self, place: Callable[[Item], float], first: float, last: float, cells: int) -> str:
        """A sparkline of its reports over the log; drawn anew only when one came."""
        key = (len(self.items), first, last, cells)
        if self._spark[0] != key:
            self._spark = key, spark(buckets(map(place, self.items), first, last, cells))
        return self._spark[1]


class Shown(NamedTuple):
    """A row of the list."""

    item: Item
    group: Group | None
    """The group it stands for; None for one report of an unfolded group."""
    depth: int


class Folds:
    """Takes the reports of a log in their order and keeps their groups."""

    def __init__(self) -> None:
        self.groups: list[Group] = []
        self._by_key: dict[object, Group] = {}
        self._of: dict[int, Group] = {}

    def add(self, item: Item) -> Group | None:
        """Put a report into its group; the group, where it is new."""
        group = self._by_key.get(item.same)
        cause = self._of.get(item.follows) if item.follows is not None else None
        new = group is None
        if group is None:
            group = self._by_key[item.same] = Group([item])
            self.groups.append(group)
            if cause is not None:
                group.cause = cause
                cause.under.append(group)
        else:
            group.items.append(item)
        group.first.count = len(group.items)
        self._of[item.number] = group
        return group if new else None

    def of(self, item: Item) -> Group:
        """The group of a report."""
        return self._of[item.number]

    def rows(self, passes: Callable[[Item], bool], key: Callable[[Item], object] | None, down: bool) -> list[Shown]:
        """All rows: groups that pass a filter, what is unfolded under them.

        Args:
            passes: The filter; a group passes with any of its reports, and what follows then stands by itself if what
                it follows does not pass.
            key: What to sort by; None for the log's order.
            down: Largest first.
        """
        inside = {id(group) for group in self.groups if any(map(passes, group.items))}
        top = [group for group in self.groups if id(group) in inside and not _held(group, inside)]
        if key is not None:
            top.sort(key=lambda group: key(group.first), reverse=down)  # type: ignore[arg-type,return-value]
        elif down:
            top.reverse()
        return [row for group in top for row in _rows(group, inside, 0)]


def _held(group: Group, inside: set[int]) -> bool:
    """Whether a row above stands for it."""
    cause = group.cause
    return cause is not None and id(cause) in inside


def _rows(group: Group, inside: set[int], depth: int) -> Iterator[Shown]:
    yield Shown(group.first, group, depth)
    if group.open:
        for item in group.items[1:]:
            yield Shown(item, None, depth + 1)
        for under in group.under:
            if id(under) in inside:
                yield from _rows(under, inside, depth + 1)
