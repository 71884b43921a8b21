"""Facts of what a report dumps: the page of a bad page state, the object of a refused user copy, a disk's answer."""

from kb.facts.finding import Finding, spans
from kb.model.log import Span
from kb.model.report import Report
from kb.parse.details import disk
from kb.parse.details.dump import Copy, Page, copy, page

_REASONS = {
    "nonzero mapcount": "it is freed while it is still mapped",
    "non-NULL mapping": "it is freed while a file or an anonymous mapping still owns it",
    "nonzero _refcount": "it is freed while somebody still holds a reference, or was used after it was freed",
    "nonzero _count": "it is freed while somebody still holds a reference, or was used after it was freed",
    "page still charged to cgroup": "it is freed while a memory cgroup is still charged for it",
    "PAGE_FLAGS_CHECK_AT_FREE flag(s) set": "it is freed with flags that no free page may have",
    "PAGE_FLAGS_CHECK_AT_PREP flag set": "it was written to while it was free",
    "hwpoisoned (hardware-corrupted)": "the hardware reported its memory as broken",
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
    parts = [f"refcount {found.refcount}" if found.refcount is not None else ""]
    parts += [f"mapcount {found.mapcount}"] if found.mapcount else []
    parts += [f"mapping {found.mapping}"] if found.mapping else []
    parts += [f"flags {'|'.join(found.flags[:8])}"] if found.flags else []
    numbers = ", ".join(part for part in parts if part)
    meaning = _REASONS.get(found.reason, "")
    because = "; ".join(part for part in (meaning, numbers) if part)
    out.say(f"the page is bad: {found.reason}", because, (*at("reason"), *at("page"), *at("flags")))


def _copy(found: Copy, out: Finding) -> None:
    where = spans([(found.line, found.line)])
    out.add("copy_way", found.way, where)
    out.add("copy_object", found.object, where)
    out.add("copy_place", found.place, where)
    out.add("copy_offset", found.offset, where)
    out.add("copy_size", found.size, where)
    out.add("copy_room", found.room, where)
    if found.room is not None:
        name = f" of {found.object}" if found.object else ""
        out.say(f"{found.size} bytes do not fit", f"the buffer{name} has {found.room}", where)
    elif found.way in ("exposure", "overwrite"):
        direction = "to user space" if found.way == "exposure" else "from user space"
        thing = " ".join(part for part in (found.place, f"'{found.object}'" if found.object else "") if part)
        offset = f" at offset {found.offset}" if found.offset is not None else ""
        because = "that range is not one that the object lets user space copy"
        out.say(f"{found.size} bytes{offset} of {thing} were to be copied {direction}", because, where)


def disk_facts(report: Report) -> Finding:
    """``ata_command``, ``ata_reason``, ``scsi_hostbyte``, ``scsi_sense`` ...: who refused a command, and why."""
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
    because = ", ".join(part for part in parts if part and "No additional sense" not in part)
    name = f"the command {command}" if command else "a command"
    if host is not None and host != "DID_OK":
        out.say(f"{name} did not reach the disk, or its answer was lost: {host}", because, lines)
    elif sense is not None or "ata_reason" in texts:
        out.say(f"the disk itself refused {name}", because, lines)
    return out
