# ruff: noqa: E501
"""Logs of phones and of boards: logcat in its forms, bug reports, what boot loaders and serial tools put before a line."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

from tests.log.containers.chats import Wrapped, lines, text
from tests.log.containers.jobs import each


def logcat_long(log: bytes) -> Wrapped:
    """``logcat -v long``: a head, the message, an empty line."""
    rows = (f"[ 11-28 14:24:16.{at % 1000:03}     0:    0 W/         ]\n{row}\n\n" for at, row in enumerate(lines(log)))
    return "kernel.log", ("--------- beginning of kernel\n" + "".join(rows)).encode()


def with_cpu(way: Callable[[bytes], Wrapped]) -> Callable[[bytes], Wrapped]:
    """The same of lines that a vendor's kernel begins with the CPU and the task that print them."""
    return lambda log: way("".join(f" ({at % 3})[1:init]{row}\n" for at, row in enumerate(lines(log))).encode())


def bug_report(log: bytes) -> str:
    head = "========================================================\n== dumpstate: 2026-11-28 14:24:16\n"
    head += "========================================================\n\nBuild: AB1A.231128.001\nKernel: Linux version 6.1.0\n"
    return (
        f"{head}\n------ UPTIME (uptime) ------\n14:24:16 up 1 day\n------ 0.01s was the duration of 'UPTIME' ------\n"
        f"------ KERNEL LOG (dmesg) ------\n{text(log)}------ 0.42s was the duration of 'KERNEL LOG (dmesg)' ------\n"
        "------ VMALLOC INFO (/proc/vmallocinfo: 2026-11-28 14:24:16) ------\n0x1-0x2 12288 a+0x1/0x2 pages=2\n"
    )


def bug_report_zip(log: bytes) -> Wrapped:
    """``adb bugreport``: the text, and files of the system beside it."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("version.txt", "2.0")
        made.writestr("main_entry.txt", "bugreport-a-2026-11-28-14-24-16.txt")
        made.writestr("bugreport-a-2026-11-28-14-24-16.txt", bug_report(log))
        made.writestr("FS/data/anr/anr_2026", "----- pid 1 at 2026-11-28 14:24:16 -----\n")
        made.writestr("proto/activity.proto", bytes(range(256)) * 4)
    return "bugreport.zip", held.getvalue()


def last_kmsg(log: bytes) -> Wrapped:
    """The section of the boot before, where pstore kept it."""
    said = f"------ LAST KMSG (/sys/fs/pstore/console-ramoops-0: 2026-11-28 14:24:16) ------\n{text(log)}\n"
    return "bugreport.txt", ("== dumpstate: 2026-11-28 14:24:16\n" + said + "------ LAST LOGCAT ------\nno\n").encode()


def hex_offsets(log: bytes) -> Wrapped:
    """A dump of a ring buffer: where in memory a line begins."""
    out, place = "", 0xFFFF800011A40000
    for row in lines(log):
        out += f"{place:016x}: {row}\n"
        place += len(row) + 1
    return "logbuf.txt", out.encode()


def u_boot(log: bytes) -> Wrapped:
    """A serial console from power-on: the boot loader's words, NULs of the line's rise, ends of lines doubled."""
    head = "\0\0\xff\r\nU-Boot SPL 2024.01 (Jan 08 2024 - 15:37:48 +0000)\r\nTrying to boot from MMC1\r\n\r\nStarting kernel ...\r\n\r\n"
    return "teraterm.log", head.encode("latin-1") + text(log).replace("\n", "\r\n").encode()


def trusty(log: bytes) -> Wrapped:
    """A line in ten is another processor's."""
    out = ""
    for at, row in enumerate(lines(log)):
        out += ("NOTICE:  BL31: v2.10\r\n" if not at else "") + row + "\r\n"
    return "uart.log", out.encode()


WAYS: dict[str, Callable[[bytes], Wrapped]] = {
    "logcat -v brief": each("W/        (    0): {row}"),
    "logcat -v process": each("W(    0) {row}  ()"),
    "logcat -v tag": each("W/kernel  : {row}"),
    "logcat -v thread": each("W(    0:    0) {row}"),
    "logcat -v time": each("11-28 14:24:{s:02}.123 W/        (    0): {row}"),
    "logcat -v threadtime": each("11-28 14:24:{s:02}.123     0     0 W         : {row}"),
    "logcat -v threadtime -v year -v zone": each("2026-11-28 14:24:{s:02}.123 +0000     0     0 W         : {row}"),
    "logcat -v threadtime -v usec -v uid": each("11-28 14:24:{s:02}.123456  root     0     0 W         : {row}"),
    "logcat -v epoch": each("         1764331200.{at:03}     0     0 W         : {row}"),
    "logcat -v monotonic": each("     12.{at:03}     0     0 W         : {row}"),
    "logcat -v raw": each("{row}"),
    "logcat -v long": logcat_long,
    "logcat -v long, the cpu before the headline": with_cpu(logcat_long),
    "bugreport": lambda log: ("bugreport.txt", bug_report(log).encode()),
    "bugreport.zip": bug_report_zip,
    "last kmsg": last_kmsg,
    "xcode's console": each("<Notice>: {row}"),
    "a ring buffer's places": hex_offsets,
    "u-boot": u_boot,
    "another firmware first": trusty,
    "picocom, stamped": each("[2026-11-28T14:24:{s:02}.123456] {row}", end="\r\n"),
    "tera term": each("[Sat Nov 28 14:24:{s:02}.123 2026] {row}", end="\r\n"),
    "realterm": each("2026-11-28 14:24:{s:02}.123 --> {row}", end="\r\n"),
    "docklight": each("28.11.2026 14:24:{s:02}.123 [RX] - {row}", end="\r\n"),
    "coolterm": each("14:24:{s:02}.123\t{row}", end="\r\n"),
    "securecrt": each("[2026.11.28 14:24:{s:02}] {row}", end="\r\n"),
    "mobaxterm": each("{s:02}/11/2026  14:24.{s:02}  {row}", end="\r\n"),
    "labgrid": each("2026-11-28T14:24:{s:02}.123456  console-main: {row}"),
    "labgrid's file": each("SerialDriver(target=Target(name='main')) read: {row}"),
    "tbot": each("│   │    ## {row}"),
    "zephyr's twister": each("DEBUG   - DEVICE: {row}"),
    "esp-idf monitor": each("I ({at}) kernel: {row}"),
    "openocd's semihosting": each("Info : {row}"),
}
