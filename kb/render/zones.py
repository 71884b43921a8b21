"""The table of zones: what each has free, what it must keep, and where each rule refuses it."""

from collections.abc import Iterator, Mapping
from typing import Any

from kb.render.safe import pad, width
from kb.words.speak import Words

_RULES = {"order-walk": "zones.order_walk", "free-block": "zones.free_block"}


def zone_table(detail: Mapping[str, Any], words: Words, verbose: bool = False) -> Iterator[str]:
    """Lines of the table, empty where the report prints no zones. Sizes in pages.

    Args:
        detail: The ``facts`` object of the report contract.
        words: Of the language to say it in.
        verbose: List every step of each replay.
    """
    zones = detail.get("zones") or []
    if not zones:
        return
    rules = list(dict.fromkeys(replay["rule"] for zone in zones for replay in zone.get("replay", ())))
    rows = [_row(zone, rules, words) for zone in zones]
    heads = [
        "zone",
        "free",
        "min",
        "low",
        "reserve",
        *(words(_RULES[rule]) if rule in _RULES else rule for rule in rules),
    ]
    widths = [max(width(head), *(width(row[index]) for row in rows)) for index, head in enumerate(heads)]
    yield ""
    yield words("head.zones")
    yield "  " + "  ".join(pad(head, size) for head, size in zip(heads, widths, strict=True)).rstrip()
    for zone, row in zip(zones, rows, strict=True):
        yield "  " + "  ".join(pad(cell, size) for cell, size in zip(row, widths, strict=True)).rstrip()
        if zone.get("buddy"):
            yield "    " + words("zones.blocks_by_order", blocks=tuple(zone["buddy"]))
        if verbose:
            yield from _steps(zone, words)


def _row(zone: Mapping[str, Any], rules: list[str], words: Words) -> list[str]:
    replays = {replay["rule"]: replay for replay in zone.get("replay", ())}
    label = f"Node {zone['node']} {zone['zone']}"
    numbers = [zone.get(name) for name in ("free", "min", "low", "reserve")]
    return [
        label,
        *("" if number is None else str(number) for number in numbers),
        *(_verdict(replays[rule], words) if rule in replays else words("zones.not_tried") for rule in rules),
    ]


def _verdict(replay: Mapping[str, Any], words: Words) -> str:
    if replay.get("admits") is None:
        return words("zones.undecidable")
    if replay["admits"]:
        order = replay.get("block_order")
        return words("zones.admits") if order is None else words("zones.admits_block", order=order)
    place = replay.get("fails_at")
    place = f"order {place}" if isinstance(place, int) else words.word(place)
    if replay.get("left") is not None and replay.get("needs") is not None:
        return words("zones.refuses_at", place=place, left_pages=replay["left"], needs_pages=replay["needs"])
    return words("zones.refuses", place=place)


def _steps(zone: Mapping[str, Any], words: Words) -> Iterator[str]:
    """Every step of the rules that are not this kernel's own: those of its own stand beside their claims."""
    for replay in zone.get("replay", ()):
        if not replay.get("own"):
            for step in replay.get("steps", ()):
                yield f"      {replay['rule']}: {words.named(step['named'])}"
