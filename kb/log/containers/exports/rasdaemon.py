"""rasdaemon's database (``/var/lib/rasdaemon/ras-mc_event.db``): each row as the line that the kernel prints of it.

rasdaemon's ras-record.c names the tables; it listens to the kernel's trace events (include/ras/ras_event.h and others),
whose values the kernel's own messages hold, too. The database is opened read-only, without its journal
(bytes 18 and 19 of the header say that it has a write-ahead log, which a copy in memory cannot have: fileformat2.html).
"""

import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from kb.errors import InputError, NoLog
from kb.log.containers.roles import base
from kb.log.containers.walk import Member, Walk, pieces
from kb.log.unpack import Read

MOST = 20_000
"""Rows of a table that are read, the newest."""
_STEPS = 2_000
"""Times that a thousand steps of SQLite's machine may be taken for one table."""
_DATA_LINK = frozenset({"Bad TLP", "Bad DLLP", "RELAY_NUM Rollover", "Replay Timer Timeout", "Data Link Protocol"})
_PHYSICAL = frozenset({"Receiver Error", "Surprise Down Error", "Surprise Link Down"})

_STORE = 0x6B626462
"""PRAGMA application_id of kb's own store: "kbdb"."""

_OTHER = re.compile(r"\w{1,40}_event(?:_v\d)?")
"""How rasdaemon calls its other tables: ``cxl_dram_event``, ``hip08_oem_type1_event_v2``."""

Row = dict[str, Any]


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The rows of each table, oldest first."""
    held = 0
    try:
        path = getattr(file, "name", None)
        if isinstance(path, str):
            database = sqlite3.connect(f"file:{_quoted(os.path.abspath(path))}?mode=ro&immutable=1", uri=True)
        else:
            data = walk.hold(read, name)
            if data is None:
                return
            held = len(data)
            database = sqlite3.connect(":memory:")
            database.deserialize(data[:18] + b"\1\1" + data[20:])
        try:
            (owner,) = database.execute("PRAGMA application_id").fetchone()
            rows = _rows(database, lambda told: walk.say(name, told))
        finally:
            database.close()
    except sqlite3.Error as error:
        _fail(walk, name, f"is an SQLite database that cannot be read: {error}", "sqlite3 FILE .recover")
        return
    finally:
        walk.release(held)
    if not rows:
        whose = "a store of kb" if owner == _STORE else "an SQLite database without rasdaemon's tables"
        help_ = "kb log and kb show tell what is in it" if owner == _STORE else "sqlite3 FILE .dump"
        _fail(walk, name, f"is {whose}", help_, NoLog)
        return
    for table, lines in rows.items():
        if lines:
            data = "".join(lines).encode("utf-8", "replace")
            yield Member(table, pieces(iter((data,))), text=True, note="rows of rasdaemon's, as the kernel prints them")


def _fail(walk: Walk, name: str, reason: str, help_: str, kind: type[InputError] = InputError) -> None:
    """Note a database that tells nothing: one that was named, or that by its name is rasdaemon's, is an error."""
    error = kind(reason, path=name, help=help_)
    if name == walk.root or base(name).startswith("ras-"):
        walk.unread.append(error)
    else:
        walk.pass_over(name, reason)


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _rows(database: sqlite3.Connection, say: Callable[[str], None]) -> dict[str, list[str]]:
    """The lines of each table of rasdaemon's; what the kernel prints nothing of (CXL) is told by its number."""
    database.execute("PRAGMA trusted_schema = OFF")
    names = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    found: dict[str, list[str]] = {}
    for name in filter(names.__contains__, _TABLES):
        steps = iter(range(_STEPS))
        database.set_progress_handler(lambda steps=steps: next(steps, None) is None, 1_000)  # type: ignore[misc]
        cursor = database.execute(f"SELECT * FROM {name} ORDER BY rowid DESC LIMIT {MOST}")
        columns = [column[0] for column in cursor.description]
        rows = [dict(zip(columns, values, strict=True)) for values in cursor][::-1]
        found[name] = [
            f"{_line(row.get('timestamp'))} kernel: {_line(text)}\n" for row in rows for text in _TABLES[name](row)
        ]
    for name in sorted(names - set(_TABLES)):
        if _OTHER.fullmatch(name) is not None and found:
            (count,) = database.execute(f'SELECT COUNT(*) FROM (SELECT 1 FROM "{name}" LIMIT {MOST})').fetchone()
            if count:
                say(f"table {name} has {count} rows of events that the kernel prints no line of: ras-mc-ctl --errors")
    return found


def _line(value: Any) -> str:
    return " ".join(str(value if value is not None else "").split())[:4000]


def _number(row: Row, name: str) -> int:
    value = row.get(name)
    return value & 0xFFFFFFFFFFFFFFFF if isinstance(value, int) else 0


# ---- what the kernel prints


def _memory(row: Row) -> Iterator[str]:
    """drivers/edac/edac_mc.c edac_ce_error(), edac_ue_error()."""
    kind = str(row.get("err_type", ""))
    if kind.startswith("Info"):
        return
    what = "CE" if kind.startswith("Corrected") else "UE"
    layers = ":".join(str(row.get(name)) for name in ("top_layer", "middle_layer", "lower_layer"))
    yield (
        f"EDAC MC{_number(row, 'mc')}: {_number(row, 'err_count')} {what} {row.get('err_msg') or 'memory error'} on "
        f"{row.get('label') or 'any memory'} (location:{layers} address:{_number(row, 'address'):#x} "
        f"grain:{row.get('grain')} syndrome:{_number(row, 'syndrome'):#x} - {row.get('driver_detail') or ''})"
    )


def _machine_check(row: Row) -> Iterator[str]:
    """arch/x86/kernel/cpu/mce/core.c __print_mce()."""
    head = "mce: [Hardware Error]:"
    status, mcg = _number(row, "status"), _number(row, "mcgstatus")
    if not status >> 61 & 1:  # MCI_STATUS_UC: the kernel prints no corrected ones
        return
    exception = " Exception" if mcg & 4 else ""  # MCG_STATUS_MCIP
    bank = f"Bank {_number(row, 'bank')}: {status:016x}"
    yield f"{head} CPU {_number(row, 'cpu')}: Machine Check{exception}: {mcg:x} {bank}"
    yield f"{head} TSC {_number(row, 'tsc'):x} ADDR {_number(row, 'addr'):x} MISC {_number(row, 'misc'):x}"
    yield (
        f"{head} PROCESSOR {_number(row, 'cpuvendor')}:{_number(row, 'cpuid'):x} TIME {_number(row, 'walltime')} "
        f"SOCKET {_number(row, 'socketid')} APIC {_number(row, 'apicid'):x}"
    )


def _pcie(row: Row) -> Iterator[str]:
    """drivers/pci/pcie/aer.c aer_print_error()."""
    kind = str(row.get("err_type", ""))
    severity = "Corrected"
    if "orrected" not in kind or kind.startswith("Unc"):
        severity = "Uncorrected (Non-Fatal)" if "non" in kind.lower() else "Uncorrected (Fatal)"
    what = str(row.get("err_msg") or "")
    first = what.split(",")[0].strip()
    layer = (
        "Data Link Layer" if first in _DATA_LINK else "Physical Layer" if first in _PHYSICAL else "Transaction Layer"
    )
    yield f"pcieport {row.get('dev_name')}: PCIe Bus Error: severity={severity}, type={layer}, ({what})"


def _firmware(row: Row) -> Iterator[str]:
    """drivers/firmware/efi/cper.c cper_estatus_print()."""
    head = f"{{{_number(row, 'id')}}}[Hardware Error]:"
    severity = _SEVERITIES.get(_number(row, "severity"), "unknown")
    yield f"{head} Hardware error from APEI Generic Hardware Error Source: 0"
    yield f"{head} event severity: {severity}"
    yield f"{head}  Error 0, type: {severity}"
    yield f"{head}   physical_address: {_number(row, 'address'):#018x}"
    yield f"{head}   fru_text: {row.get('fru_text') or ''}"


_SEVERITIES = {0: "recoverable", 1: "fatal", 2: "corrected", 3: "info"}
"""include/linux/cper.h CPER_SEV_*."""


def _processor(row: Row) -> Iterator[str]:
    """drivers/firmware/efi/cper-arm.c cper_print_proc_arm(), behind its head."""
    head = f"{{{_number(row, 'id')}}}[Hardware Error]:"
    yield f"{head} Hardware error from APEI Generic Hardware Error Source: 0"
    yield f"{head}   section_type: ARM processor error"
    yield f"{head}   Multiprocessor Affinity Register (MPIDR): {_number(row, 'mpidr'):#018x}"
    yield f"{head}   error affinity level: {_number(row, 'affinity')}"
    yield f"{head}   running state: {_number(row, 'running_state'):#x}"


def _unknown_section(row: Row) -> Iterator[str]:
    """drivers/firmware/efi/cper.c cper_estatus_print_section() of a section that it does not know."""
    head = f"{{{_number(row, 'id')}}}[Hardware Error]:"
    severity = str(row.get("severity") or "unknown").lower()
    yield f"{head} Hardware error from APEI Generic Hardware Error Source: 0"
    yield f"{head} event severity: {severity}"
    yield f"{head}  Error 0, type: {severity}"
    yield f"{head}   fru_text: {row.get('fru_text') or ''}"
    yield f"{head}   section type: unknown, {row.get('sec_type') or ''}"


def _page(row: Row) -> Iterator[str]:
    """mm/memory-failure.c action_result()."""
    pfn = str(row.get("pfn") or "0x0")
    pfn = pfn if pfn.startswith("0x") else f"0x{pfn}"
    yield f"Memory failure: {pfn}: recovery action for {row.get('page_type')}: {row.get('action_result')}"


def _disk(row: Row) -> Iterator[str]:
    """block/blk-core.c blk_print_req_error()."""
    error = str(row.get("error") or "I/O error")
    error = error if error.endswith("error") else f"{error} error"
    yield f"{error}, dev {row.get('dev')}, sector {_number(row, 'sector')} op {row.get('rwbs') or ''}"


def _device(row: Row) -> Iterator[str]:
    """net/sched/sch_generic.c dev_watchdog(), which rasdaemon keeps in the table of net/devlink's reports."""
    text = str(row.get("msg") or "").strip()
    queue = text.rpartition("queue:")[2].strip() if "timeout" in text.lower() else ""
    if queue.isdecimal():
        yield f"NETDEV WATCHDOG: {row.get('dev_name')} ({row.get('driver_name')}): transmit queue {queue} timed out"
    else:
        yield f"devlink {row.get('bus_name')}/{row.get('dev_name')}: reporter {row.get('reporter_name')}: {text}"


_TABLES: dict[str, Callable[[Row], Iterator[str]]] = {
    "mc_event": _memory,
    "mce_record": _machine_check,
    "aer_event": _pcie,
    "extlog_event": _firmware,
    "arm_event": _processor,
    "non_standard_event": _unknown_section,
    "memory_failure_event": _page,
    "disk_errors": _disk,
    "devlink_event": _device,
}
