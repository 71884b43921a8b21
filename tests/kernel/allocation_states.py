"""The seed's zones by hand, and strategies for zones: shared by the tests of the allocator's rules."""

from hypothesis import strategies as st

from kb.model.memory import FreeBlocks, Zone

WORDS = ("UEM",) * 6 + ("EM", "", "", "", "")


def listed(counts: tuple[int, ...], types: tuple[str, ...] | None = None) -> FreeBlocks:
    """A free list whose sum is what its counts say."""
    words = types if types is not None else tuple("UEM" if count else "" for count in counts)
    return FreeBlocks(counts, words, sum(count << order for order, count in enumerate(counts)), 0)


SEED_ZONES = (
    Zone(0, "DMA", 3966, 12, 15, 18, (0, 1700, 64161, 64161), free_cma=0, managed=3966, present=3987,
         blocks=listed((0, 1, 1, 1, 1, 1, 1, 0, 1, 1, 3))),
    Zone(0, "DMA32", 65332, 1353, 1691, 2029, (0, 0, 62460, 62460), free_cma=0, managed=435391, present=488128,
         blocks=listed((36913, 14087, 44, 17, 0, 0, 0, 0, 0, 0, 0))),
    Zone(0, "Normal", 68220, 49702, 62127, 74553, (0, 0, 0, 0), free_cma=0, managed=15990000, present=16252928,
         blocks=listed((69629, 411, 1, 3, 0, 0, 0, 0, 0, 0, 0))),
    Zone(1, "Normal", 828833, 51331, 64163, 76996, (0, 0, 0, 0), free_cma=0, managed=16514229, present=16777216,
         blocks=listed((241701, 240734, 24010, 990, 175, 20, 3, 0, 0, 0, 0))),
)  # fmt: skip
"""The four zones of the order-5 GFP_NOFS failure on CentOS 7, in pages."""


@st.composite
def zones(draw: st.DrawFn) -> Zone:
    """A zone with a free list, with or without letters of all three usable types."""
    counts = tuple(draw(st.lists(st.integers(0, 300), min_size=11, max_size=11)))
    total = sum(count << order for order, count in enumerate(counts))
    mark = draw(st.integers(0, 4000))
    return Zone(
        draw(st.integers(0, 3)), "Normal", total + draw(st.integers(-200, 200)), mark, mark + mark // 4,
        mark + mark // 2,
        (0, 0, draw(st.integers(0, 2000)), 0), reserved_highatomic=0, free_highatomic=0, free_cma=0, managed=1 << 20,
        blocks=listed(counts),
    )  # fmt: skip
