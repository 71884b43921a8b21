"""The table of zones: what each has free, what it must keep, and where each rule refuses it."""

from collections.abc import Iterator, Mapping
from typing import Any

from kb.render.safe import pad

_RULES = {"order-walk": "order-walk (to 4.3)", "free-block": "free-block (4.4+)"}


def zone_table(detail: Mapping[str, Any], width: int, verbose: bool = False) -> Iterator[str]:
    """Lines of the table, empty where the report prints no zones. Sizes in pages.

    Args:
        detail: The ``facts`` object of the report contract.
        width: Columns to fill.
        verbose: List every step of each replay.
    """
    zones = detail.get("zones") or []
    if not zones:
        return
    rules = list(dict.fromkeys(replay["rule"] for zone in zones for replay in zone.get("replay", ())))
    rows = [_row(zone, rules) for zone in zones]
    heads = ["zone", "free", "min", "low", "reserve", *(_RULES.get(rule, rule) for rule in rules)]
    widths = [max(len(head), *(len(row[index]) for row in rows)) for index, head in enumerate(heads)]
    yield ""
    yield "Zones (pages; reserve: lowmem_reserve for this request)"
    yield "  " + "  ".join(pad(head, size) for head, size in zip(heads, widths, strict=True)).rstrip()
    for zone, row in zip(zones, rows, strict=True):
        yield "  " + "  ".join(pad(cell, size) for cell, size in zip(row, widths, strict=True)).rstrip()
        if zone.get("buddy"):
            yield f"    free blocks by order: {' '.join(str(count) for count in zone['buddy'])}"
        if verbose:
            yield from _steps(zone)


def _row(zone: Mapping[str, Any], rules: list[str]) -> list[str]:
    replays = {replay["rule"]: replay for replay in zone.get("replay", ())}
    label = f"Node {zone['node']} {zone['zone']}"
    numbers = [zone.get(name) for name in ("free", "min", "low", "reserve")]
    return [
        label,
        *("" if number is None else str(number) for number in numbers),
        *(_verdict(replays[rule]) if rule in replays else "not tried" for rule in rules),
    ]


def _verdict(replay: Mapping[str, Any]) -> str:
    if replay.get("admits") is None:
        return f"undecidable: {replay.get('because', 'within the skew')}"
    if replay["admits"]:
        order = replay.get("block_order")
        return "admits" + (f" (block of order {order})" if order is not None else "")
    place = replay.get("fails_at")
    place = f"order {place}" if isinstance(place, int) else place
    if replay.get("left") is not None and replay.get("needs") is not None:
        return f"refuses at {place}: {replay['left']} <= {replay['needs']}"
    return f"refuses: {place}"


def _steps(zone: Mapping[str, Any]) -> Iterator[str]:
    """Every step of the rules that are not this kernel's own: those of its own stand beside their claims."""
    for replay in zone.get("replay", ()):
        if not replay.get("own"):
            for step in replay.get("steps", ()):
                yield f"      {replay['rule']}: {step['text']}"
