"""The watermark rules of every kernel as a table: one row a stretch of releases, with what differs and who says so."""

from dataclasses import dataclass

from kb.kernel.era import NEVER, Span, span
from kb.kernel.release import Release

_DEBIAN_61: tuple[tuple[int, int, int | None], ...] = ((41, 158, None), (28, 119, 153), (0, 0, 115))
"""Builds of Debian 12 from which on the stable release they are made from lies in a range, by the changelog of
linux-source-6.1: 6.1.0-27 is 6.1.115, 6.1.0-28 6.1.119, 6.1.0-40 6.1.153, 6.1.0-41 6.1.158."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """How ``__zone_watermark_ok()`` and ``gfp_to_alloc_flags()`` of a stretch of kernels decide."""

    name: str
    """How a person calls it: ``mainline 4.4-4.14``."""
    rule: str
    """``order-walk`` (every order below the request keeps its own, halved, watermark; to 4.3), ``order-walk-el6``
    or ``free-block`` (watermark for order 0 only, then any usable block; 4.4+)."""
    span: Span
    source: str
    surcharge: int = -1
    """The pages charged first are ``2^order + surcharge``."""
    cma: bool = True
    """free_cma is subtracted unless the request may use CMA pages (3.10+)."""
    harder: str = "atomic-flag"
    """When HARDER is set: ``no-wait``, ``no-wait-nomemalloc`` (and not NOMEMALLOC), ``no-wait-no-thp`` (nor
    NO_KSWAPD), ``atomic-flag`` (4.4+), ``reserves`` (6.3+: MIN_RESERVE and NON_BLOCK instead)."""
    highatomic: str = "none"
    """Which highatomic pages are subtracted: ``none``, ``reserved`` (the pageblocks) or ``free`` (6.12+)."""
    highatomic_needs_high: bool = False
    """The HIGHATOMIC list is open to __GFP_HIGH requests only."""
    classzone: str = "preferred"
    """Column of lowmem_reserve[]: ``preferred`` zone (to 5.7) or the mask's ``highest`` zone."""
    harder_any_block: bool = False
    """HARDER accepts any non-zero count, of whatever type (4.4 - 4.14, mended in 4.15 and stable)."""
    oom_victim: str = "no watermark"
    """What an OOM victim gets: ``no watermark`` (to 4.13) or ``half`` (ALLOC_OOM)."""
    unaccepted: bool = False
    """Unaccepted memory is subtracted (6.5 - 6.10)."""
    boost: str = "retest"
    """Watermark boosts: ``none`` (to 4.20: a mark has none), ``counts``, or ``retest`` (5.9+: order-0 requests that may
    use reserves are tested again without it, f80b08fc4453 ("mm, page_alloc: skip ->waternark_boost for atomic order-0
    allocations") (in v5.9))."""

    highatomic_single: bool = False
    """Single pages that may not wait (ALLOC_NON_BLOCK) may come from the highatomic blocks, as an OOM victim's do from
    6.3 on: mm/page_alloc.c rmqueue_buddy(), 281dd25c1a01 ("mm/page_alloc: let GFP_ATOMIC order-0 allocs access
    highatomic reserves") (in v6.12)."""


_PA = "mm/page_alloc.c __zone_watermark_ok()"
W1 = "order-walk"
W2 = "free-block"

RULES: tuple[RuleSet, ...] = (
    RuleSet("2.6.32-2.6.37", W1, span("", "2.6.38", {6: (0, 220), 7: NEVER}), f"2.6.32, 2.6.37, el6-71, el6-131 {_PA}",
            cma=False, harder="no-wait", boost="none"),
    RuleSet("2.6.38-3.1", W1, span("2.6.38", "3.2", {6: (220, 431), 7: NEVER}),
            f"2.6.38, 3.0.27, 3.1.3, el6-220 {_PA}",
            surcharge=1, cma=False, harder="no-wait-nomemalloc", boost="none"),
    RuleSet("RHEL 6.5-6.10", "order-walk-el6", span("99.0", "", {6: (431, None)}), f"el6-431, -504, -641, -754 {_PA}",
            surcharge=1, cma=False, harder="no-wait-nomemalloc", boost="none"),
    RuleSet("3.2-3.9", W1, span("3.2", "3.10", {7: NEVER}), f"3.3.8, 3.4.108, 3.5.0, 3.6.5, 3.8.3 {_PA}; 3.2 not read",
            cma=False, harder="no-wait-nomemalloc", boost="none"),
    RuleSet("3.10-3.15", W1, span("3.10", "3.16", {7: NEVER}),
            f"3.10.4, 3.13.0, 3.14.1 {_PA}", harder="no-wait-nomemalloc", boost="none"),
    RuleSet("3.16-4.3, RHEL 7", W1, span("3.16", "4.4", {7: (0, None)}),
            f"4.3.0, el7-514, -1062, -1127, -1160 {_PA}",
            harder="no-wait-no-thp", boost="none"),
    RuleSet("4.4-4.13", W2, span("4.4", "4.14"), f'97a16fc82a7c ("mm, page_alloc: only enforce watermarks for order-0 '
            f'allocations") (in v4.4); 4.4.11 {_PA}', highatomic="reserved", harder_any_block=True, boost="none"),
    RuleSet("4.14", W2, span("4.14", "4.15"), f"4.14.5 {_PA}", highatomic="reserved", harder_any_block=True,
            oom_victim="half", boost="none"),
    RuleSet("4.15-5.7, RHEL 8.0-8.4", W2, span("4.15", "5.8", {8: (0, 348)}), f"4.15.18 .. 5.7.14, el8-80 .. 305 {_PA}",
            highatomic="reserved", oom_victim="half", boost="counts"),
    RuleSet("5.8, RHEL 8.5-8.7", W2, span("5.8", "5.9", {8: (348, 477)}),
            f"97a225e69a1f (in v5.8); 5.8.1, el8-348 .. 425 {_PA}", highatomic="reserved", classzone="highest",
            oom_victim="half", boost="counts"),
    RuleSet("5.9-6.2, RHEL 8.8-8.10, RHEL 9.0-9.4", W2, span("5.9", "6.3", {8: (477, None), 9: (0, 503)}),
            f"f80b08fc4453 (in v5.9); 5.9.1 .. 6.2.1, el8-477 .. 553, el9-70 .. 427 {_PA} and zone_watermark_fast()",
            highatomic="reserved", classzone="highest", oom_victim="half"),
    RuleSet("6.3-6.4, RHEL 9.5-9.6", W2, span("6.3", "6.5", {9: (503, None)}),
            f"1ebbb21811b7 (in v6.3); 6.3.8, 6.4.6, el9-503 {_PA}", harder="reserves", highatomic="reserved",
            classzone="highest", oom_victim="half"),
    RuleSet("6.5-6.10", W2, span("6.5", "6.11"), f"6.5.0 .. 6.10.0 {_PA}", harder="reserves", highatomic="reserved",
            classzone="highest", oom_victim="half", unaccepted=True),
    RuleSet("6.11", W2, span("6.11", "6.12"), f"6.11.11 {_PA}", harder="reserves", highatomic="reserved",
            classzone="highest", oom_victim="half"),
    RuleSet("6.12-6.17, RHEL 10", W2, span("6.12", "6.18"), f"el10-55, 6.13.7, 6.14.0 {_PA}", harder="reserves",
            highatomic="free", classzone="highest", oom_victim="half", highatomic_single=True),
    RuleSet("6.18+, 6.12.54+", W2, span("6.18"), f"6.12.107, 6.18.2, 7.3.4 {_PA}; (in v6.12.54)", harder="reserves",
            highatomic="free", highatomic_needs_high=True, classzone="highest", oom_victim="half",
            highatomic_single=True),
)  # fmt: skip
"""In order of age. Each release belongs to one row by its number; stable backports are handled in `rules_for`."""

_SERIES = "281dd25c1a01 (in v6.12) and the five changes of v6.3 before it"
STABLE: tuple[RuleSet, ...] = (
    RuleSet("5.15.171+, 6.1.116+", W2, span("99.0"), f"{_SERIES}; logs of 5.15.171 and 6.1.116", harder="reserves",
            highatomic="reserved", classzone="highest", oom_victim="half", highatomic_single=True),
    RuleSet("6.1.157+", W2, span("99.0"), f"3575087197f0 (in v6.1.157), 6.1.192 {_PA} and gfp_to_alloc_flags()",
            harder="reserves", highatomic="reserved", highatomic_needs_high=True, classzone="highest",
            oom_victim="half", highatomic_single=True),
    RuleSet("6.6.60+", W2, span("99.0"), "281dd25c1a01 (in v6.6.60)", harder="reserves", highatomic="reserved",
            classzone="highest", oom_victim="half", unaccepted=True, highatomic_single=True),
    RuleSet("6.6.112+, perhaps", W2, span("99.0"), "281dd25c1a01 (in v6.6.60); what 6.12.54 and 6.1.157 got beside it",
            harder="reserves", highatomic="reserved", highatomic_needs_high=True, classzone="highest",
            oom_victim="half", unaccepted=True, highatomic_single=True),
    RuleSet("6.11.7+", W2, span("99.0"), "281dd25c1a01 (in v6.11.7)", harder="reserves", highatomic="reserved",
            classzone="highest", oom_victim="half", highatomic_single=True),
)  # fmt: skip
"""Rows that stable releases came to by backports, reserves as in 6.3 under the old mask bits where that is older."""


def rule_named(name: str) -> RuleSet:
    """The row of that name."""
    return next(rules for rules in (*RULES, *STABLE) if rules.name == name)


MAINLINE_44 = rule_named("4.4-4.13")
CURRENT = RULES[-1]


def rules_for(releases: tuple[Release, ...]) -> tuple[RuleSet, ...]:
    """Rule sets of the candidate kernels, oldest first. More than one when the report does not tell which."""
    chosen: dict[str, RuleSet] = {}
    for release in releases:
        for rules in _rules(release):
            chosen.setdefault(rules.name, rules)
    order = [rules.name for rules in (*RULES, *STABLE)]
    return tuple(sorted(chosen.values(), key=lambda rules: order.index(rules.name)))


_NOT_KNOWN = 1 << 30
"""No release is known to have the row's rules: both rows stand for all that may."""
_POINTS: dict[tuple[int, int], tuple[tuple[int, int, str], ...]] = {
    (5, 15): ((171, 171, "5.15.171+, 6.1.116+"), (195, _NOT_KNOWN, "6.1.157+")),
    (6, 1): ((116, 116, "5.15.171+, 6.1.116+"), (157, 157, "6.1.157+")),
    (6, 6): ((60, 60, "6.6.60+"), (112, _NOT_KNOWN, "6.6.112+, perhaps")),
    (6, 11): ((7, 7, "6.11.7+"),),
    (6, 12): ((54, 54, CURRENT.name),),
    (6, 17): ((4, 4, CURRENT.name),),
}
"""Of a stable series: the first point release that may have a row's rules, the one that surely has, and the row."""


def _rules(release: Release) -> list[RuleSet]:
    found = [rules for rules in RULES if rules.span.has(release)]
    if release.family == "rhel":
        return found
    for may, has, name in _POINTS.get(release.base, ()):
        found = _stable(release, found, rule_named(name), may, has)
    return found


def _stable(release: Release, old: list[RuleSet], new: RuleSet, may: int, has: int) -> list[RuleSet]:
    """The new row from the release on that surely has it, both rows where that is not known."""
    least, most = _points(release)
    if least >= has:
        return [new]
    return old if most is not None and most < may else [*old, new]


def _points(release: Release) -> tuple[int, int | None]:
    """The stable release that one is made from: at least, and at most. A bare "6.1" is the mainline release itself."""
    if release.point is not None:
        return release.point, release.point
    if release.family != "debian" or release.base != (6, 1) or not release.build:
        return 0, None
    return next((least, most) for build, least, most in _DEBIAN_61 if release.build[0] >= build)
