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


def said(line: str) -> dict[str, object]:
    (report,) = api.read(f"[   12.500000] EDAC MC0: {line}\n".encode())
    return {name: fact.value for name, fact in hardware_facts(report).values.items()}


def test_what_a_memory_controller_says_of_an_error_is_taken_apart() -> None:
    assert said(
        "2 CE memory read error on CPU_SrcID#0_Ha#0_Chan#1_DIMM#0 "
        "(channel:1 slot:0 page:0x1f3a42 offset:0x240 grain:32 syndrome:0x6a -  area:DRAM socket:0 channel:7)"
    ) == {
        "edac_count": 2,
        "hw_error": "memory read error",
        "hw_place": "CPU_SrcID#0_Ha#0_Chan#1_DIMM#0",
        "edac_channel": 1,
        "edac_slot": 0,
        "edac_page": "0x1f3a42",
        "edac_offset": "0x240",
        "edac_grain": 32,
        "edac_syndrome": "0x6a",
    }


def test_an_error_without_words_or_syndrome_has_its_place() -> None:
    assert said("1 UE on A1 or B1 (branch:1 csrow:3 page:0x0 offset:0x0 grain:8)") == {
        "edac_count": 1,
        "hw_place": "A1 or B1",
        "edac_branch": 1,
        "edac_csrow": 3,
        "edac_page": "0x0",
        "edac_offset": "0x0",
        "edac_grain": 8,
    }


def test_old_kernels_words_say_the_same() -> None:
    line = 'CE page 0x1a2b3, offset 0x40, grain 128, syndrome 0x6a, row 3, channel 1, label "DIMM_A1": e7xxx page 7'
    assert said(line) == {
        "hw_place": "DIMM_A1",
        "edac_page": "0x1a2b3",
        "edac_offset": "0x40",
        "edac_grain": 128,
        "edac_syndrome": "0x6a",
        "edac_csrow": 3,
        "edac_channel": 1,
    }


def test_an_error_of_which_nothing_is_known_has_no_place() -> None:
    assert said("CE - no information available: INTERNAL ERROR on DIMM 3 (channel:1)") == {}
