"""``kb clean``: stdout is the log, stderr the counts; files are written whole, the table for its owner only."""

import gzip
import os
import subprocess
import sys
from pathlib import Path

from tests.test_cli import ROOT, kb

LOG = b"Nov 28 14:24:16 db17 kernel: eth0: 10.1.2.3 is 3c:d4:72:73:f2:b9\n"
CLEAN = b"Nov 28 14:24:16 host1 kernel: eth0: 192.0.2.1 is 02:00:00:00:00:01\n"


def test_stdin_to_stdout_and_counts_on_stderr() -> None:
    done = kb("clean", stdin=LOG)
    assert (done.returncode, done.stdout) == (0, CLEAN)
    assert done.stderr.splitlines()[0] == b"kb: replaced: host 1 (1 different), ip 1 (1 different), mac 1 (1 different)"
    assert b"read it before you send it" in done.stderr
    assert kb("clean", stdin=CLEAN).stderr.startswith(b"kb: nothing personal was recognised")


def test_several_logs_are_one_text_and_packed_ones_are_unpacked(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(LOG.rstrip(b"\n")))
    (tmp_path / "b").write_bytes(LOG)
    assert kb("clean", str(tmp_path / "a.gz"), str(tmp_path / "b")).stdout == CLEAN + CLEAN
    assert kb("clean", str(tmp_path)).stdout == CLEAN + CLEAN
    assert kb("clean", str(tmp_path / "absent")).returncode == 4


def test_kinds_may_stay_and_unknown_ones_are_usage(tmp_path: Path) -> None:
    assert kb("clean", "--keep", "host,mac", "--keep", "ip", stdin=LOG).stdout == LOG
    done = kb("clean", "--keep", "mice", "-o", str(tmp_path / "out"), stdin=LOG)
    assert (done.returncode, b"there are host, ip" in done.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_written_whole_and_never_over_the_log(tmp_path: Path) -> None:
    log, out = tmp_path / "log", tmp_path / "out"
    log.write_bytes(LOG)
    done = kb("clean", str(log), "-o", str(out))
    assert (done.returncode, done.stdout, out.read_bytes()) == (0, b"", CLEAN)
    for option in ("-o", "--map"):
        assert kb("clean", str(log), option, str(tmp_path / "." / "log")).returncode == 2
    assert log.read_bytes() == LOG
    assert kb("clean", str(log), "-o", str(tmp_path / "no" / "folder")).returncode == 4
    assert kb("clean", str(log), "-o", os.devnull).returncode == 0
    assert not Path(os.devnull).is_file()


def test_the_table_is_written_on_request_for_its_owner_only(tmp_path: Path) -> None:
    table = tmp_path / "map.tsv"
    table.write_text("old")
    table.chmod(0o644)
    assert kb("clean", "--map", str(table), stdin=LOG + b"/home/ann/a\xff\n").returncode == 0
    assert table.read_text().splitlines() == [
        "kind\toriginal\treplacement",
        "host\tdb17\thost1",
        "ip\t10.1.2.3\t192.0.2.1",
        "mac\t3c:d4:72:73:f2:b9\t02:00:00:00:00:01",
        "user\tann\tuser1",
        "path\t/a\\xff\t/path1",
    ]
    assert table.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["map.tsv"]


def test_on_a_terminal_nothing_of_the_log_drives_it() -> None:
    ours, theirs = os.openpty()
    try:
        run = [sys.executable, "-m", "kb", "clean"]
        log = b"10.1.2.3 \x1b]0;x\x07\n"
        subprocess.run(run, cwd=ROOT, input=log, stdout=theirs, stderr=subprocess.PIPE, check=True)
        shown = os.read(ours, 1000)
    finally:
        os.close(ours)
        os.close(theirs)
    assert shown == b"192.0.2.1 \\x1b]0;x\\x07\r\n"
