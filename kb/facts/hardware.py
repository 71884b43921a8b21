"""Errors that hardware reports by itself: what firmware (CPER), PCIe devices (AER) and memory controllers (EDAC) say.

Words: drivers/firmware/efi/cper.c cper_severity_strs, cper_mem_err_type_strs; drivers/pci/pcie/aer.c
aer_uncorrectable_error_string (v6.12); their meaning: PCI Express Base Specification, "Error Logging".
"""

import re

from kb.facts.finding import Finding, at
from kb.model.report import Report
from kb.words.speak import said

_AER = {
    "DLP": said("aer.dlp"),
    "SDES": said("aer.sdes"),
    "TLP": said("aer.tlp"),
    "FCP": said("aer.fcp"),
    "CmpltTO": said("aer.cmplt_to"),
    "CmpltAbrt": said("aer.cmplt_abrt"),
    "UnxCmplt": said("aer.unx_cmplt"),
    "RxOF": said("aer.rx_of"),
    "MalfTLP": said("aer.malf_tlp"),
    "ECRC": said("aer.ecrc"),
    "UnsupReq": said("aer.unsup_req"),
    "ACSViol": said("aer.acs_viol"),
    "UncorrIntErr": said("aer.uncorr_int"),
}
"""Bits of the uncorrectable error status by their short names; ``TLP`` is a poisoned one."""


_SEVERITIES = {
    "fatal": said("hw_severity.fatal"),
    "recoverable": said("hw_severity.recoverable"),
    "corrected": said("hw_severity.corrected"),
    "info": said("hw_severity.info"),
}


def hardware_facts(report: Report) -> Finding:
    """Severity, part and place of the error, as its lines tell them."""
    out = Finding()
    if report.subtype == "apei":
        _firmware(report, out)
    elif report.subtype == "aer":
        _pcie(report, out)
    elif report.subtype == "edac":
        _controller(report, out)
    elif report.subtype == "memory-failure":
        _lost_page(report, out)
    return out


# mm/madvise.c madvise_inject_error() "Injecting memory failure for pfn %#lx at process virtual address %#lx",
# mm/hwpoison-inject.c hwpoison_inject() "Injecting memory failure at pfn %#lx" (v6.12)
_INJECTED = "Injecting memory failure "


def _lost_page(report: Report, out: Finding) -> None:
    """Whether a test took the page away: no hardware is broken then."""
    line = next((line for line in report.lines if line.text.lstrip().startswith(_INJECTED)), None)
    out.add("hw_injected", line is not None, at(report) if line is None else ((line.number, line.number),))
    if line is not None:
        out.say(said("hardware.injected"), (), ((line.number, line.number),))


def _firmware(report: Report, out: Finding) -> None:
    fields = report.fields
    place = fields.get("dimm") or fields.get("device") or fields.get("fru")
    where = (*at(report, "severity"), *at(report, "section"))
    out.add("hw_severity", fields.get("severity"), at(report, "severity"))
    out.add("hw_section", fields.get("section"), at(report, "section"))
    out.add("hw_error", fields.get("errortype"), at(report, "errortype"))
    named = next((name for name in ("dimm", "device", "fru") if name in fields), "")
    out.add("hw_place", place, at(report, named))
    out.add("hw_address", fields.get("physical"), at(report, "physical"))
    if "section" in fields and "severity" in fields:
        error = said("part.hw_error", error=fields["errortype"]) if "errortype" in fields else None
        spot = said("part.hw_place", place=place) if place else None
        out.say(
            said(
                "hardware.firmware_says",
                severity=fields["severity"],
                section=fields["section"],
                error=error,
                place=spot,
            ),
            (_SEVERITIES.get(fields["severity"]),),
            where,
        )


def _pcie(report: Report, out: Finding) -> None:
    fields = report.fields
    device = fields.get("device") or fields.get("from")
    errors = tuple(fields.get("aer_errors", "").split())
    out.add("hw_severity", fields.get("severity"), at(report, "severity"))
    out.add("hw_place", device, at(report, "device") or at(report, "from"))
    out.add("hw_section", fields.get("layer"), at(report, "layer"))
    out.add("hw_error", " ".join(errors) or None, at(report, "aer_errors"))
    out.add("hw_pciid", fields.get("pciid"), at(report, "pciid"))
    means = [said("aer.means", error=error, meaning=_AER[error]) for error in errors if error in _AER]
    if means and device is not None:
        out.say(
            said("hardware.device_says", device=device, errors=" ".join(errors)),
            means,
            at(report, "aer_errors"),
        )


# drivers/edac/edac_mc.c edac_ce_error(), edac_ue_error() "%d CE %s on %s (%s page:0x%lx offset:0x%lx grain:%ld
# syndrome:0x%lx - %s)" (v6.12), the place by edac_layer_name[]; to v3.4 edac_mc_handle_ce() "CE page 0x%lx, offset
# 0x%lx, grain %d, syndrome 0x%lx, row %d, channel %d, label \"%s\": %s"
_COUNTED = re.compile(r"EDAC MC\d{1,20}: (?:(?P<count>\d{1,9}) )?[CU]E (?!- )")  # "CE - no information available: %s"
_NAMED = re.compile(
    r"\b(?P<name>branch|channel|slot|csrow|row|page|offset|grain|syndrome|address)[: ]"
    r"(?P<value>0x[0-9a-f]{1,16}|\d{1,9})\b"
)
_LABEL = re.compile(r'\blabels? "(?P<label>[^"]{1,300})"')


def _controller(report: Report, out: Finding) -> None:
    """Where a memory controller saw the error: of the first line, where a report has several."""
    where = at(report)
    start = _COUNTED.search(report.headline)
    if start is None:
        return
    rest = report.headline[start.end() :]
    if rest.startswith(("page ", "row ")):
        label = _LABEL.search(rest)
        message, place, details = "", label["label"] if label else "", rest[: label.start()] if label else rest
    else:
        head, _, details = rest.partition(" (")
        message, _, place = f" {head}".rpartition(" on ")
        details = details.partition(" - ")[0]  # the driver's own words are behind it
    if start["count"]:
        out.add("edac_count", int(start["count"]), where)
    out.add("hw_error", message.strip(), where)
    out.add("hw_place", place.strip(), where)
    for found in _NAMED.finditer(details):
        name, value = found["name"], found["value"]
        name = "hw_address" if name == "address" else f"edac_{'csrow' if name == 'row' else name}"
        out.add(name, value if value.startswith("0x") else int(value), where)
