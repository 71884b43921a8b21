"""rasdaemon's database: what the kernel would have printed of its rows; nothing is written, nothing else is read."""

from __future__ import annotations

import gzip
import sqlite3
from pathlib import Path

import pytest

import kb
from kb.cli import EMPTY, UNUSABLE, main

COLUMNS = {
    "mc_event": "err_count, err_type, err_msg, label, mc, top_layer, middle_layer, lower_layer, address, grain,"
    " syndrome, driver_detail",
    "mce_record": "mcgstatus, status, addr, misc, tsc, walltime, cpu, cpuid, apicid, socketid, bank, cpuvendor",
    "aer_event": "dev_name, err_type, err_msg",
    "extlog_event": "etype, error_count, severity, address, fru_text",
    "arm_event": "error_count, affinity, mpidr, running_state, psci_state",
    "non_standard_event": "sec_type, fru_id, fru_text, severity, error",
    "memory_failure_event": "pfn, page_type, action_result",
    "disk_errors": "dev, sector, nr_sector, error, rwbs, cmd",
    "devlink_event": "bus_name, dev_name, driver_name, reporter_name, msg",
}
ROWS = {
    "mc_event": (1, "Uncorrected", "memory read error", "DIMM_A1", 0, 0, 0, -1, 4096, 32, 0, "err_code:0x0101"),
    "mce_record": (5, 0xBE00000000800400 - (1 << 64), 4096, 140, 0, 1790000000, 3, 329300, 2, 0, 7, 0),
    "aer_event": ("0000:3a:00.0", "Uncorrected (Non-Fatal)", "Completion Timeout"),
    "extlog_event": (2, 1, 1, 4096, "DIMM 3"),
    "arm_event": (1, 0, 0x81000000, 1, 0),
    "non_standard_event": ("c8b328a8-9917-4af6-9a13-2e08ab2e7586", "", "CPU 0", "Recoverable", b"\0"),
    "memory_failure_event": ("0x12345", "dirty LRU page", "Recovered"),
    "disk_errors": ("sda", 1234, 8, "critical medium error", "R", ""),
    "devlink_event": ("", "eth0", "ixgbe", "", "TX timeout on queue: 4"),
}
TITLES = {
    "mc_event": "EDAC MC0: UE",
    "mce_record": "Machine check",
    "aer_event": "PCIe bus error",
    "extlog_event": "Hardware error from APEI",
    "arm_event": "Hardware error from APEI",
    "non_standard_event": "Hardware error from APEI",
    "memory_failure_event": "Memory failure: recovery action for dirty LRU page: Recovered",
    "disk_errors": "I/O error on a block device",
    "devlink_event": "NETDEV WATCHDOG",
}


def database(path: Path, rows: dict[str, tuple[object, ...]]) -> Path:
    with sqlite3.connect(path) as made:
        for table, columns in COLUMNS.items():
            made.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, timestamp TEXT, {columns})")
        for table, values in rows.items():
            marks = ", ".join("?" * (len(values) + 1))
            made.execute(f"INSERT INTO {table} VALUES (NULL, {marks})", ("2026-11-28 14:24:16 +0100", *values))
    made.close()
    return path


@pytest.mark.parametrize("table", ["cxl_dram_event", "1_event"])
def test_events_that_the_kernel_prints_nothing_of_are_told(
    table: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = database(tmp_path / "ras-mc_event.db", ROWS)
    with sqlite3.connect(path) as made:
        made.execute(f'CREATE TABLE "{table}" (id INTEGER PRIMARY KEY, timestamp TEXT, memdev TEXT)')
        made.execute(f"INSERT INTO '{table}' VALUES (NULL, '2026-11-28 14:24:16 +0100', 'mem0')")
    made.close()
    main(["match", str(path)])
    assert f"{table} has 1 rows" in capsys.readouterr().err


def test_each_table_says_what_the_kernel_would(tmp_path: Path) -> None:
    path = database(tmp_path / "ras-mc_event.db", ROWS)
    before = path.read_bytes()
    for log in (path, before):
        found = {one.report.source.rpartition("!")[2]: one.report.title for one in kb.match(log)}
        assert found == TITLES
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_corrected_and_empty_tables_are_silent(tmp_path: Path) -> None:
    rows = {"aer_event": ("0000:3a:00.0", "Corrected", "Receiver Error"), "mce_record": (0, 1 << 62, *(0,) * 10)}
    assert main(["match", str(database(tmp_path / "ras-mc_event.db", rows))]) == EMPTY


def test_another_database_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with sqlite3.connect(tmp_path / "a.db") as made:
        made.execute("CREATE TABLE t (message TEXT)")
        made.execute("CREATE VIEW mc_event AS SELECT * FROM t")
    made.close()
    assert main(["match", str(tmp_path / "a.db")]) == UNUSABLE
    assert "without rasdaemon's tables" in capsys.readouterr().err


def test_a_store_of_kb_is_told_for_what_it_is_where_it_is_named_and_passed_over_in_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from kb.store import Store

    with Store(tmp_path / "kb.db") as store:
        store.record("kb1:77", title="WARNING in b", kind="warning")
    assert main(["match", str(tmp_path / "kb.db")]) == UNUSABLE
    assert "is a store of kb" in capsys.readouterr().err
    assert main(["match", str(tmp_path)]) == EMPTY
    assert f"passed over, is a store of kb: {tmp_path / 'kb.db'}" in capsys.readouterr().err


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_database_is_read_from_a_stream_whatever_its_journal(
    mode: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = database(tmp_path / "ras-mc_event.db", ROWS)
    with sqlite3.connect(path) as made:
        assert made.execute(f"pragma journal_mode = {mode}").fetchone() == (mode,)
    made.close()
    found = main(["match", "--json", str(path)]), capsys.readouterr().out
    packed = tmp_path / "ras-mc_event.db.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert (main(["match", "--json", str(packed)]), bool(capsys.readouterr().out)) == (found[0], bool(found[1]))
    assert found[0] != UNUSABLE


def test_a_damaged_database_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = database(tmp_path / "whole.db", ROWS).read_bytes()
    (tmp_path / "ras.db").write_bytes(data[:600] + bytes(3000))
    assert main(["match", str(tmp_path / "ras.db")]) == UNUSABLE
    assert "SQLite database" in capsys.readouterr().err
