"""Errors that hardware reports by itself: what firmware (CPER) and PCIe devices (AER) say of them.

Words: drivers/firmware/efi/cper.c cper_severity_strs, cper_mem_err_type_strs; drivers/pci/pcie/aer.c
aer_uncorrectable_error_string (v6.12); their meaning: PCI Express Base Specification, "Error Logging".
"""

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
