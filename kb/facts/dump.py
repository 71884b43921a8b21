"""Facts of what a report dumps: the page of a bad page state, the object of a refused user copy, a disk's answer."""

from kb.facts.finding import Finding, spans
from kb.model.log import Span
from kb.model.report import Report
from kb.parse.details.dump import Copy, Page, copy, page
from kb.words.speak import said

_REASONS = {
    "nonzero mapcount": said("page.freed_mapped"),
    "non-NULL mapping": said("page.freed_owned"),
    "nonzero _refcount": said("page.freed_referenced"),
    "nonzero _count": said("page.freed_referenced"),
    "page still charged to cgroup": said("page.freed_charged"),
    "PAGE_FLAGS_CHECK_AT_FREE flag(s) set": said("page.freed_with_flags"),
    "PAGE_FLAGS_CHECK_AT_PREP flag set": said("page.written_while_free"),
    "hwpoisoned (hardware-corrupted)": said("page.hardware_broken"),
}
"""mm/page_alloc.c page_bad_reason() and bad_page() callers: what each means."""


def dump_facts(report: Report) -> Finding:
    """``page_reason``, ``page_mapcount``, ``page_flags`` ...; ``copy_object``, ``copy_size`` ..."""
    out = Finding()
    if (dumped := page(report.lines)) is not None:
        _page(report, dumped, out)
    if (refused := copy(report.lines)) is not None:
        _copy(refused, out)
    return out


def _page(report: Report, found: Page, out: Finding) -> None:
    def at(name: str) -> tuple[Span, ...]:
        return spans([(found.where.get(name, 0),) * 2])

    out.add("page_reason", found.reason, at("reason"))
    out.add("page_refcount", found.refcount, at("page"))
    out.add("page_mapcount", found.mapcount, at("page"))
    out.add("page_mapping", found.mapping, at("page"))
    out.add("page_order", found.order, at("page"))
    out.add("page_flags", found.flags or found.bad_flags, at("flags"))
    out.add("page_type", found.type, at("type"))
    if report.kind != "bad_page" or found.reason is None:
        return
    state = [f"refcount {found.refcount}"] if found.refcount is not None else []
    state += [f"mapcount {found.mapcount}"] if found.mapcount else []
    state += [f"mapping {found.mapping}"] if found.mapping else []
    state += [f"flags {'|'.join(found.flags[:8])}"] if found.flags else []
    why = (_REASONS.get(found.reason), said("page.state", state=state) if state else None)
    out.say(said("page.bad", reason=found.reason), why, (*at("reason"), *at("page"), *at("flags")))


def _copy(found: Copy, out: Finding) -> None:
    where = spans([(found.line, found.line)])
    out.add("copy_way", found.way, where)
    out.add("copy_object", found.object, where)
    out.add("copy_place", found.place, where)
    out.add("copy_offset", found.offset, where)
    out.add("copy_size", found.size, where)
    out.add("copy_room", found.room, where)
    if found.room is not None:
        why = said("copy.buffer_has", room_bytes=found.room)
        if found.object:
            why = said("copy.buffer_of_object_has", object=found.object, room_bytes=found.room)
        out.say(said("copy.does_not_fit", size_bytes=found.size), (why,), where)
    elif found.way in ("exposure", "overwrite"):
        thing = " ".join(part for part in (found.place, f"'{found.object}'" if found.object else "") if part)
        offset = said("part.at_offset", offset=found.offset) if found.offset is not None else None
        claim = said("copy.to_user", size_bytes=found.size, offset=offset, thing=thing)
        if found.way == "overwrite":
            claim = said("copy.from_user", size_bytes=found.size, offset=offset, thing=thing)
        out.say(claim, (said("copy.range_not_allowed"),), where)


def disk_facts(report: Report) -> Finding:
    """``ata_command``, ``ata_reason``, ``scsi_hostbyte``, ``scsi_sense`` ...: who refused a command, and why."""
    from kb.parse.details import disk

    out = Finding()
    found = disk.answer(report.lines)
    for name, (value, line) in found.items():
        out.add(name, value, spans([(line, line)]))
    texts = {name: value for name, (value, _) in found.items()}
    lines = spans((line, line) for _, line in found.values())
    command = texts.get("ata_command") or texts.get("scsi_command")
    host, sense = texts.get("scsi_hostbyte"), texts.get("scsi_sense")
    parts = [texts.get("ata_reason", ""), f"error {texts['ata_error']}" if "ata_error" in texts else ""]
    parts += [f"sense {sense}" if sense else "", texts.get("scsi_reason", "")]
    answer = [part for part in parts if part and "No additional sense" not in part]
    why = (said("disk.answer", answer=answer),) if answer else ()
    what = said("disk.command", command=command) if command else said("disk.unnamed_command")
    if host is not None and host != "DID_OK":
        out.say(said("disk.not_reached", command=what, hostbyte=host), why, lines)
    elif sense is not None or "ata_reason" in texts:
        out.say(said("disk.refused", command=what), why, lines)
    return out
