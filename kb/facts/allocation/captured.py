"""The request of a report tried again on zones captured beside the log: its own moment, not the failure's."""

from typing import TYPE_CHECKING

from kb.facts.allocation.whatif import whatif
from kb.kernel.release import Release
from kb.model.report import Report
from kb.model.verdict import Facts, Reason
from kb.words.speak import said

if TYPE_CHECKING:
    from kb.evidence.files import Evidence


def on_captured(facts: Facts, report: Report, evidence: "Evidence") -> tuple[Reason, ...]:
    """The same request on the captured zones, by the rules of the report's kernel."""
    order, mask = facts.get("order"), facts.get("gfp")
    if not evidence.zones or order is None or not mask:
        return ()
    names = "|".join(mask.value)
    release = Release.parse(report.kernel) if report.kernel else None
    page_kb = report.memory.page_kb if report.memory is not None else 4
    if not any(zone.min for zone in evidence.zones):
        return ()
    answer = whatif(order.value, names, evidence.zones, release, page_kb=page_kb)
    if answer["admitted"] is None:
        return ()
    tried = [row for row in answer["zones"] if row.get("buddy")]
    blocks = sum(row.get("fits") or 0 for row in tried)
    why = said("context.replay_free", free_pages=sum(row["free"] for row in answer["zones"]))
    if tried and order.value:
        why = said("context.replay_blocks", blocks=blocks, order=order.value)
    claim = said("context.passes_there", order=order.value, file=evidence.zones_source)
    where = (said("context.replay_zone", zone=answer["admitted_by"]),) if answer["admitted"] else ()
    return (Reason(claim, "holds" if answer["admitted"] else "excluded", (*where, why)),)
