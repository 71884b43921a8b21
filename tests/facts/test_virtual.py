"""Whether the machine is a virtual one, by the name it gives; and advice that is for such machines only."""

from __future__ import annotations

from pathlib import Path

import pytest

import kb
from kb.facts.report import virtual

ROOT = Path(__file__).resolve().parents[2]
STALL = (ROOT / "cases/softlockup-generic/match-6.1.log").read_text()
HARDWARE = "[  512.000150] Hardware name: {}\n"


@pytest.mark.parametrize(("name", "expected"), [
    ("QEMU Standard PC (i440FX + PIIX, 1996), BIOS 1.16.2-debian-1.16.2-1 04/01/2014", True),
    ("VMware, Inc. VMware Virtual Platform/440BX Desktop Reference Platform, BIOS 6.00 11/12/2020", True),
    ("VMware, Inc. VMware20,1/440BX Desktop Reference Platform", True),
    ("innotek GmbH VirtualBox/VirtualBox, BIOS VirtualBox 12/01/2006", True),
    ("Microsoft Corporation Virtual Machine/Virtual Machine, BIOS Hyper-V UEFI Release v4.1", True),
    ("Xen HVM domU, BIOS 4.11.amazon 08/24/2006", True),
    ("Amazon EC2 t3.micro/, BIOS 1.0 10/16/2017", True),
    ("Amazon EC2 m5.metal/, BIOS 1.0 10/16/2017", False),
    ("Google Google Compute Engine/Google Compute Engine, BIOS Google 01/01/2011", True),
    ("linux,dummy-virt (DT)", True),
    ("Apple Inc. Apple Virtualization Generic Platform, BIOS 2094.0.0.0.0 01/01/2024", True),
    ("KubeVirt None/RHEL, BIOS 1.16.3-2.el9 04/01/2014", True),
    ("oVirt RHEL/RHEL-AV, BIOS 1.16.0-3.module_el8.7.0+1218+f626c2ff 04/01/2014", True),
    ("Red Hat RHEV Hypervisor, BIOS 0.5.1 01/01/2011", True),
    ("Cloud Hypervisor cloud-hypervisor, BIOS 0", True),
    ("Joyent SmartDC HVM, BIOS 1.14.0 04/01/2014", True),
    ("Nutanix AHV, BIOS 1.11.0-2.el7 04/01/2014", True),
    ("Nutanix NX-8035-G7/X11DPT-B, BIOS PB60.001 01/01/2021", False),
    ("IBM 3931 A01 704 (KVM/Linux)", True),
    ("IBM 8561 T01 703 (LPAR)", None),
    ("IBM,9080-HEX POWER10 (raw) 0x800200 hv:phyp pSeries", None),
    ("Dell Inc. PowerEdge R740/0923K0, BIOS 2.4.8 11/26/2019", False),
    ("Wisdom T3 based CCT Family", False),
    ("LENOVO 20XW004AUS/20XW004AUS, BIOS N32ET75W (1.51 ) 12/02/2021", False),
    ("", None),
    (None, None),
])  # fmt: skip
def test_a_machine_is_told_by_its_name(name: str | None, expected: bool | None) -> None:
    assert virtual(name) is expected


@pytest.mark.parametrize(("hardware", "offered"), [
    ("QEMU Standard PC (i440FX + PIIX, 1996)", True), (None, True), ("Dell Inc. PowerEdge R740/0923K0", False),
])  # fmt: skip
def test_what_helps_a_virtual_machine_is_not_offered_where_the_machine_is_none(
    hardware: str | None, offered: bool
) -> None:
    lines = STALL.splitlines(keepends=True)
    text = "".join([*lines[:2], *([HARDWARE.format(hardware)] if hardware else []), *lines[2:]])
    (found,) = kb.match(text)
    assert found.best is not None
    assert found.best.case.id == "softlockup-generic"
    assert any(way.do.startswith("virtual machine") for way in found.best.workarounds) is offered
    assert ("virtual machine:" in found.to_markdown()) is offered
    every = found.best.case.workarounds
    assert len(found.best.workarounds) == len(every) - (not offered) * sum(bool(way.when) for way in every)
