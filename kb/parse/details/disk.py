"""What a disk answered: the lines of libata and of the SCSI layer behind a failed command. Read on demand."""

import re
from collections.abc import Sequence

from kb.model.log import Line

_WIDTH = 400
_MOST = 2000
_LINES: tuple["re.Pattern[str]", ...] = (
    # drivers/ata/libata-eh.c ata_eh_link_report() "failed command: %s"
    re.compile(r"ata\d+(?:\.\d+)?: failed command: (?P<ata_command>[A-Z][A-Z /_-]{2,40})"),
    # "res %02x/%02x:... Emask 0x%x (%s)"
    re.compile(r"\bres [0-9a-f]{2}/\S{1,60} Emask (?P<ata_emask>0x[0-9a-f]{1,8}) \((?P<ata_reason>[\w /-]{1,40})\)"),
    # "status: { %s}", "error: { %s}"
    re.compile(r"ata\d+(?:\.\d+)?: status: \{ (?P<ata_status>[\w ]{1,60})\}"),
    re.compile(r"ata\d+(?:\.\d+)?: error: \{ (?P<ata_error>[\w ]{1,60})\}"),
    # drivers/scsi/scsi_logging.c scsi_print_result() "%s Result: hostbyte=%s driverbyte=%s cmd_age=%lus"
    re.compile(r"\bhostbyte=(?P<scsi_hostbyte>\w{1,40})(?: driverbyte=(?P<scsi_driverbyte>\w{1,40}))?"),
    # scsi_log_print_sense_hdr() "Sense Key : %s [%s]", "Add. Sense: %s"
    re.compile(r"Sense Key : (?P<scsi_sense>[A-Z][A-Za-z /]{2,40}?) (?:\[|$)"),
    re.compile(r"Add\. Sense: (?P<scsi_reason>[A-Z][^\n]{2,100}?)\s*$"),
    # scsi_format_opcode_name() "CDB: %s %02x ..."
    re.compile(r"\bCDB: (?P<scsi_command>[A-Z][\w /()]{1,40}?)(?: [0-9a-f]{2}\b|$)"),
)


def answer(lines: Sequence[Line]) -> dict[str, tuple[str, int]]:
    """The first of each, with its line: ``ata_command``, ``ata_reason``, ``scsi_hostbyte``, ``scsi_sense`` ..."""
    found: dict[str, tuple[str, int]] = {}
    for line in lines[:_MOST]:
        text = line.text[:_WIDTH]
        for pattern in _LINES:
            match = pattern.search(text)
            if match is None:
                continue
            for name, value in match.groupdict().items():
                if value is not None and name not in found:
                    found[name] = (value.strip(), line.number)
    return found
