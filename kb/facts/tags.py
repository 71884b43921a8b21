"""Who holds memory by the places that allocated it, where a report's show_mem() names them (v6.10+)."""

from kb.facts.finding import Finding, in_module
from kb.model.report import Report
from kb.parse.memory.tags import tags
from kb.words.speak import said

_SHOWN = 3


def tag_facts(report: Report) -> Finding:
    """The largest holders, and those of loadable modules: one of them that grows is a leak."""
    out = Finding()
    found = tags(report.lines)
    if not found:
        return out
    spans = [(tag.line, tag.line) for tag in found]
    out.add("allocations", tuple(f"{tag.place} {tag.function}" for tag in found), spans)
    of_modules = [tag for tag in found if tag.module is not None]
    out.add("allocations_in_modules", tuple(dict.fromkeys(tag.module for tag in of_modules)), spans)
    for tag in (*found[:1], *of_modules[:_SHOWN]):
        where = said("tags.at", place=tag.place, calls=tag.calls)
        claim = said("tags.held", held_kb=tag.bytes // 1024, function=in_module(tag.function, tag.module))
        if all(reason.says != claim for reason in out.reasons):
            out.say(claim, (where,), ((tag.line, tag.line),))
    return out
