"""Errors of hardware decoded: what firmware and PCIe devices say, and which errors are two problems."""

from kb import api
from kb.facts.hardware import hardware_facts
from kb.identity.signature import signature

APEI = """\
{{1}}[Hardware Error]: Hardware error from APEI Generic Hardware Error Source: 4
{{1}}[Hardware Error]: event severity: {severity}
{{1}}[Hardware Error]:  Error 0, type: {severity}
{{1}}[Hardware Error]:   section_type: {section}
"""


def key(text: str) -> str:
    (report,) = api.read(text.encode())
    return signature(report).key


def test_errors_of_another_severity_or_another_part_are_other_problems() -> None:
    keys = {
        key(APEI.format(severity=severity, section=section))
        for severity in ("fatal", "corrected")
        for section in ("memory error", "PCIe error")
    }
    assert len(keys) == 4


def test_all_errors_that_a_device_names_are_explained() -> None:
    log = (
        "pcieport 0000:00:1c.0: AER: Uncorrected (Non-Fatal) error received: 0000:03:00.0\n"
        "nvme 0000:03:00.0: PCIe Bus Error: severity=Uncorrected (Non-Fatal), type=Transaction Layer, (Requester ID)\n"
        "nvme 0000:03:00.0:   device [144d:a80a] error status/mask=00104000/00000000\n"
        "nvme 0000:03:00.0:    [14] CmpltTO\n"
        "nvme 0000:03:00.0:    [20] UnsupReq               (First)\n"
    )
    (report,) = api.read(log.encode())
    found = hardware_facts(report)
    assert found.values["hw_error"].value == "CmpltTO UnsupReq"
    assert found.values["hw_place"].value == "0000:03:00.0"
    (reason,) = found.reasons
    assert "completion timeout" in str(reason.because)
    assert "half dead" in str(reason.because)


def test_a_page_that_a_test_took_away_asks_for_no_new_memory() -> None:
    lost = b"[    1.0] Memory failure: 0x17d70a: recovery action for clean LRU page: Recovered\n"
    injected = b"[    1.1] Injecting memory failure for pfn 0x1bf021 at process virtual address 0x7f6f1d5ee000\n"
    (found,) = api.match(lost + injected + lost)
    assert found.facts.values["hw_injected"].value is True
    assert found.best is not None
    assert found.best.workarounds[0].do.startswith("nothing")
    (alone,) = api.match(lost)
    assert alone.facts.values["hw_injected"].value is False
    assert alone.best is not None
    assert alone.best.workarounds[0].do.startswith("replace the DIMM")
