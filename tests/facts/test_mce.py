"""Machine checks decoded by the manuals' bits."""

import pytest

from kb import api
from kb.facts.mce import code_of, severity_of


@pytest.mark.parametrize(
    ("status", "amd", "severity"),
    [
        (0xFC2030000060011B, True, "uncorrected"), (0xBE00000000800400, False, "fatal"),
        (0xCC00008000010090, False, "corrected"), (0x9C00100000000000, True, "deferred"),
        (0x9C00100000000000, False, "corrected"),
    ],
)  # fmt: skip
def test_the_status_tells_whether_it_was_corrected(status: int, amd: bool, severity: str) -> None:
    assert severity_of(status, amd=amd) == severity


@pytest.mark.parametrize(
    ("code", "amd", "words"),
    [
        (0x0090, False, "memory controller: read error, channel 0"),
        (0x009F, False, "memory controller: read error, channel not told"),
        (0x00C1, False, "memory controller: scrubbing error, channel 1"),
        (0x0134, False, "cache: data read, L0"), (0x1134, False, "cache: data read, L0"),
        (0x011B, True, "memory: generic read, L3 or generic"), (0x0E0F, False, "bus: error"),
        (0x0014, True, "TLB: data, L0"), (0x0400, False, "internal timer error (a CPU made no progress)"),
        (0x0405, False, "internal error"), (0x0005, False, "internal parity error"), (0x8888, False, "0x8888"),
    ],
)  # fmt: skip
def test_the_code_is_said_in_words(code: int, amd: bool, words: str) -> None:
    assert code_of(code, amd=amd) == words


def test_intels_line_is_decoded_too() -> None:
    (found,) = api.match(b"mce: [Hardware Error]: CPU 1: Machine Check: 0 Bank 7: cc00008000010090\n", cases=())
    values = {name: found.facts.values[name].value for name in ("mce_bank", "mce_severity", "mce_code", "mce_overflow")}
    assert values == {
        "mce_bank": 7,
        "mce_severity": "corrected",
        "mce_code": "memory controller: read error, channel 0",
        "mce_overflow": True,
    }


def test_a_corrected_error_of_amds_is_no_report() -> None:
    log = (
        b"[Hardware Error]: Corrected error, no action required.\n[Hardware Error]: CPU:2 (17:1:2) "
        b"MC16_STATUS[Over|CE|MiscV|AddrV|-|-|SyndV|CECC|-|-|-]: 0xdc2040000400011b\n"
        b"[Hardware Error]: Unified Memory Controller Ext. Error Code: 0, DRAM ECC error.\n"
    )
    assert api.match(log) == []
