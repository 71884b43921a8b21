"""What a command leaves open is filled from the report, and only with what it can be."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb import api
from kb.model.report import Report
from kb.render.advice import filled


def report(log: bytes) -> Report:
    return next(iter(api.read(log)))


PLAIN = report(b"BUG: kernel NULL pointer dereference, address: 0000000000000058\n")


def about(device: str = "", comm: str | None = None, pid: int | None = None, source: str = "-") -> Report:
    fields = {"device": device} if device else {}
    return replace(PLAIN, fields=fields, comm=comm, pid=pid, source=source)


@pytest.mark.parametrize(
    ("command", "told", "shown"),
    [
        ("mount -o ro /dev/DEV /mnt", about("sdb: state EA"), "mount -o ro /dev/sdb /mnt"),
        ("umount /dev/sdX1; e2fsck -f /dev/sdX1", about("sda3"), "umount /dev/sda3; e2fsck -f /dev/sda3"),
        ("smartctl -a /dev/sdX", about("nvme0n1p2"), "smartctl -a /dev/nvme0n1"),
        ("smartctl -a /dev/sdX", about("sda3"), "smartctl -a /dev/sda"),
        ("cat /sys/block/DEV/inflight", about(comm="jbd2/dm-14-8"), "cat /sys/block/dm-14/inflight"),
        ("cat /sys/block/DEV/inflight", about(comm="md127_raid1"), "cat /sys/block/md127/inflight"),
        ("dumpe2fs -h DEV | grep features", about("sda1"), "dumpe2fs -h /dev/sda1 | grep features"),
        ("ethtool -S DEV | grep err; ethtool -i DEV", about("eth0"), "ethtool -S eth0 | grep err; ethtool -i eth0"),
        ("lspci -vv -s DEV | grep LnkSta", about("0000:04:00.0"), "lspci -vv -s 0000:04:00.0 | grep LnkSta"),
        ("cat /proc/PID/stack", about(pid=77), "cat /proc/77/stack"),
        ("grep -B20 x LOG", about(source="/home/me/boot.log"), "grep -B20 x boot.log"),
        ("dmesg | grep 'ataN'", about("ata3.00"), "dmesg | grep 'ata3'"),
        ("modprobe -r DRIVER", replace(PLAIN, module="iwlwifi"), "modprobe -r iwlwifi"),
    ],
)
def test_a_place_is_filled_with_what_the_report_names(command: str, told: Report, shown: str) -> None:
    assert filled(command, told) == shown


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("ethtool -S DEV", about("0000:04:00.0")),  # a card is no interface
        ("ethtool -S DEV", about("sda")),
        ("lspci -s DEV", about("eth0")),
        ("smartctl -a /dev/sdX", about("eth0")),
        ("smartctl -a /dev/sdX", about()),
        ("cat /sys/block/DEV/inflight", about(comm="jbd2/nvme0n1p2-")),  # a name of 15 characters is cut
        ("cat /proc/PID/stack", about()),
        ("cat /proc/PID/stack", about(pid=0)),
        ("taskset -pc CPUS PID", about(pid=77)),  # not the task that is reported
        ("grep x LOG", about(source="-")),
        ("grep x LOG", about(source="a;rm -rf b")),
        ("modprobe -r DRIVER", replace(PLAIN, module="mac80211")),  # that of several drivers
        ("mount /dev/DEV", about("$(reboot)")),
    ],
)
def test_what_a_report_does_not_tell_stays_open(command: str, told: Report) -> None:
    assert filled(command, told) == command


@given(st.text(max_size=40), st.text(max_size=16), st.text(max_size=20))
def test_log_text_never_becomes_a_command(device: str, comm: str, source: str) -> None:
    shown = filled("a /dev/DEV; ethtool DEV; lspci -s DEV; b /dev/sdX1 LOG", about(device, comm, 1, source))
    left = shown
    for letter in "$`\\\n\r'\"&|<>(){}[]*?!#~ \t":
        assert left.count(letter) == "a /dev/DEV; ethtool DEV; lspci -s DEV; b /dev/sdX1 LOG".count(letter)
    assert shown.count(";") == 3
