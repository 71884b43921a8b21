"""An answer of ``kb whatif`` -> text."""

from collections.abc import Iterator, Mapping
from typing import Any

from kb.render.safe import safe
from kb.render.zones import zone_table
from kb.words.speak import words

_WORD = {True: "admitted", False: "refused", None: "undecided"}


def whatif_text(answer: Mapping[str, Any], *, verbose: bool = False) -> str:
    """The answer for a person, with a line end; ``verbose`` prints each subtraction."""
    return "\n".join(safe(line) for line in _lines(answer, verbose)) + "\n"


def _lines(answer: Mapping[str, Any], verbose: bool) -> Iterator[str]:
    flags = "|".join(flag.removeprefix("__GFP_") for flag in answer["gfp_flags"])
    where = f" by {answer['admitted_by']}" if answer.get("admitted_by") else ""
    mask = f"{answer['gfp_mask'] or 'unknown mask'} = {flags or 'nothing'}"
    yield f"{_WORD[answer['admitted']]}{where}: order {answer['order']}, {mask}"
    yield f"  because   {answer['because']}"
    if not answer["zones"]:
        return
    yield f"  rules of  {answer['rule']}" + (f" ({answer['kernel']})" if answer["kernel"] else " (no release given)")
    yield f"  wants     {answer['migratetype']} pages, zones up to {answer['zone']}"
    yield from zone_table(answer, words("en"))
    for zone in answer["zones"]:
        label = f"Node {zone['node']} {zone['zone']}"
        flip = zone.get("admits_while_min_at_most")
        if flip is not None:
            yield f"  {label}: admits while its min is at most {flip} pages (now {zone['min']})"
        for attempt in zone.get("attempts", ()):
            yield from _attempt(label, attempt, verbose)


def _attempt(label: str, attempt: Mapping[str, Any], verbose: bool) -> Iterator[str]:
    verdict = "admits" if attempt.get("admits") else "refuses"
    yield f"  {label}, {attempt['path']} path: {verdict} at mark {attempt.get('mark')}"
    if verbose:
        yield from (f"      {step['text']}" for step in attempt.get("steps", ()))
