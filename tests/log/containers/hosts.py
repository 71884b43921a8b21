# ruff: noqa: E501
"""Logs as hypervisors, controllers and the journal hand them out."""

from __future__ import annotations

import html
import json
from collections.abc import Callable

from tests.log.containers.chats import Wrapped, document, lines, text
from tests.log.containers.jobs import each


def session(before: str, after: str = "", end: str = "\r\n", name: str = "console.log") -> Callable[[bytes], Wrapped]:
    return lambda log: (name, (before + text(log).replace("\n", end) + after).encode())


def redfish(log: bytes) -> Wrapped:
    """A controller's log service: an entry a line."""
    rows = [
        {"Id": str(at), "EntryType": "Oem", "Created": f"2026-11-28T14:24:{at % 60:02}Z", "Message": row}
        for at, row in enumerate(lines(log))
    ]
    return document({"@odata.id": "/redfish/v1/Systems/1/LogServices/Console/Entries", "Members": rows}, 1)


def vcenter(log: bytes) -> Wrapped:
    rows = (f"2026-11-28T14:24:16.{at % 1000:03}Z| vcpu-0| I005: Guest: {row}\n" for at, row in enumerate(lines(log)))
    return "vmware.log", "".join(rows).encode()


def proxmox(log: bytes) -> Wrapped:
    """An API's answer: a number and a text."""
    return document({"data": [{"n": at, "t": row} for at, row in enumerate(lines(log), 1)], "total": 1, "success": 1})


def cockpit(log: bytes) -> Wrapped:
    """A day's page of journal entries, as copied."""
    rows = "".join(f"14:24\nwarning\n{row}\nkernel\n" for row in lines(log))
    return "a.txt", ("November 28, 2026\n" + rows).encode()


def netdata(log: bytes) -> Wrapped:
    """A systemd-journal function's table: columns by number."""
    rows = [
        [1764331200000000 + at, {"severity": "warning"}, "db17", "kernel", row] for at, row in enumerate(lines(log))
    ]
    return document(
        {
            "status": 200,
            "columns": {
                name: {"index": at} for at, name in enumerate(("timestamp", "rowOptions", "host", "unit", "MESSAGE"))
            },
            "data": rows[::-1],
        }
    )


def openstack(log: bytes) -> Wrapped:
    return document({"output": text(log)})


def virsh_qemu_agent(log: bytes) -> Wrapped:
    import base64

    return document({"return": {"exitcode": 0, "out-data": base64.b64encode(log).decode(), "exited": True}})


def ovirt(log: bytes) -> Wrapped:
    said = html.escape(text(log))
    return (
        "event.xml",
        f'<?xml version="1.0"?>\n<events><event><description>{said}</description></event></events>\n'.encode(),
    )


def journal_remote(log: bytes) -> Wrapped:
    rows = (
        json.dumps({"__CURSOR": f"s=a;i={at}", "_TRANSPORT": "kernel", "_HOSTNAME": "db17", "PRIORITY": "4",
                    "__REALTIME_TIMESTAMP": str(1764331200000000 + at), "SYSLOG_IDENTIFIER": "kernel", "MESSAGE": row})
        for at, row in enumerate(lines(log))
    )  # fmt: skip
    return "a.json", ("\x1e" + "\n\x1e".join(rows) + "\n").encode()


WAYS: dict[str, Callable[[bytes], Wrapped]] = {
    "journalctl -o short-precise": each("Nov 28 14:24:{s:02}.123456 db17 kernel: {row}"),
    "journalctl -o short-iso-precise": each("2026-11-28T14:24:{s:02}.123456+0100 db17 kernel: {row}"),
    "journalctl -o short-unix": each("1764331200.{at:06} db17 kernel: {row}"),
    "journalctl -o short-delta": each("[  129.123456 <  +0.{at:06} >] db17 kernel: {row}"),
    "journalctl -o with-unit": each("Sat 2026-11-28 14:24:{s:02} CET db17 init.scope[1]: {row}"),
    "journalctl -o cat": each("{row}"),
    "journalctl -o json-seq": journal_remote,
    "journalctl, two boots": session(
        "-- Boot 0123456789abcdef0123456789abcdef --\n", "-- Boot 1123456789abcdef0123456789abcdef --\n", "\n"
    ),
    "rfc 5424, a mark of order": each(
        '<4>1 2026-11-28T14:24:{s:02}.123456+01:00 db17 kernel 0 - [origin x="1"][timeQuality tzKnown="1"] \ufeff{row}'
    ),
    "octet counting": each("118 <4>1 2026-11-28T14:24:{s:02}.123456Z db17 kernel - - - {row}"),
    "virsh console": session(
        "Connected to domain 'db17'\nEscape character is ^] (Ctrl + ])\n\r\n", "\r\nerror: Disconnected\n"
    ),
    "xl console": each("(d3) {row}"),
    "xl console, stamped": each("(XEN) [2026-11-28 14:24:{s:02}] (d3) {row}"),
    "xenconsoled": each("[2026-11-28 14:24:{s:02}] {row}", end="\r\r\n"),
    "vmware.log": vcenter,
    "hyper-v": each("2026-11-28 14:24:{s:02}Z [COM1] {row}", end="\r\n"),
    "esxi's syslog": each("2026-11-28T14:24:{s:02}.123Z esx1 vmkernel: cpu3:2098345)Guest: {row}"),
    "openstack console log": openstack,
    "proxmox": proxmox,
    "a guest agent's answer": virsh_qemu_agent,
    "ovirt": ovirt,
    "redfish": redfish,
    "ilo's vsp": session(
        "Virtual Serial Port Active: COM2\r\n\r\nStarting virtual serial port.\r\nPress 'ESC (' to return to the CLI Session.\r\n\r\n",
        "</>hpiLO-> ",
    ),
    "openbmc's obmc-console": session("\x1b[H\x1b[2J\x1b[3J", "\x1b[0m", "\n\r"),
    "ipmi sol, colours": session("[SOL Session operational.  Use ~? for help]\r\n\x1b[01;31m", "\x1b[0m\r\n"),
    "hmc's vterm": session("\r\n Open in progress  \r\n\r\n Open Completed.\r\n\x00"),
    "z/vm spool": each("14:24:{s:02} {row}"),
    "firecracker": each("2026-11-28T14:24:{s:02}.123456789 [anonymous-instance:fc_vcpu 0] {row}"),
    "kata's agent": each(
        'time="2026-11-28T14:24:{s:02}.123456789Z" level=debug msg="reading guest console" console-protocol=unix sandbox=0f1e vmconsole="{row}"'
    ),
    "crosvm": each("[2026-11-28T14:24:{s:02}.123456+00:00 INFO  crosvm] {row}"),
    "vagrant": each("    default: {row}"),
    "packer": each("==> qemu.debian: {row}"),
    "terraform": each("aws_instance.db17 (remote-exec): {row}"),
    "salt": session("db17:\n    ----------\n    dmesg:\n", "", "\n"),
    "fabric": each("[db17.example.org] out: {row}"),
    "pdsh": each("db17: {row}"),
    "clush -b": session("---------------\ndb[17-18] (2)\n---------------\n", "", "\n"),
    "pssh -i": session("[1] 14:24:16 [SUCCESS] db17\n", "", "\n"),
    "puppet": each("Notice: /Stage[main]/Main/Exec[dmesg]/returns: {row}"),
    "supervisord": each("2026-11-28 14:24:{s:02},123 DEBG 'qemu' stdout output: {row}"),
    "foreman": each("14:24:{s:02} vm.1    | {row}"),
    "pm2": each("0|qemu     | 2026-11-28T14:24:{s:02}: {row}"),
    "heroku": each("2026-11-28T14:24:{s:02}.123456+00:00 app[web.1]: {row}"),
    "mocha's reporter": each("      {row}"),
    "bats": each("#   {row}"),
    "ltp": each("tst_kmsg.c:88: TINFO: {row}"),
    "xfstests": each("    {row}"),
    "kselftest": each("# # {row}"),
    "kunit.py": each("[14:24:{s:02}] {row}"),
    "syz-manager": each("2026/11/28 14:24:{s:02} vm-3: {row}"),
    "virtme-ng": session("virtme-ng-init: Starting the command line\n", "", "\r\r\n"),
    "tast": each("2026-11-28T14:24:{s:02}.123456Z [14:24:{s:02}.123] {row}"),
    "meson": each("――――― {row}"),
    "cockpit": cockpit,
    "netdata": netdata,
}
