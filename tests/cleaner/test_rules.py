"""The table of what is personal: each rule finds its sample, spares its near miss, and its hint never hides a find."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.cleaner.clean import Cleaner
from kb.cleaner.names import _MAKERS
from kb.cleaner.rules import KINDS, Rule, rules, selector
from tests.conftest import CORPUS, ROOT

RULES = rules()


def cleaned(text: str, **more: list[str]) -> str:
    data = text.encode("utf-8", "surrogateescape")
    return b"".join(Cleaner([data], **more).clean(data)).decode("utf-8", "surrogateescape")


def finds(rule: Rule, text: str) -> list[bytes]:
    return [each[0] for each in rule.pattern.finditer(text.encode()) if rule.check is None or rule.check(each)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_finds_its_sample_and_not_its_near_miss(rule: Rule) -> None:
    assert finds(rule, rule.sample)
    assert cleaned(rule.sample) != rule.sample
    assert finds(rule, rule.miss) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_near_miss_is_no_find_of_another_rule_either(rule: Rule) -> None:
    may = {"mac-dotted", "ec2-host"} if rule.name in ("mac-dotted",) else set()
    assert [other.name for other in RULES if finds(other, rule.miss) and other.name not in may] == []
    assert cleaned(rule.miss) == rule.miss


def test_every_kind_has_a_rule_words_and_a_replacement() -> None:
    assert {kind for rule in RULES for _, kind in rule.groups} == set(KINDS) == set(_MAKERS)
    assert all(rule.groups for rule in RULES)
    assert [rule.name for rule in RULES if rule.spreads and "host" not in dict(rule.groups)] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_repeats_are_bounded(rule: Rule) -> None:
    text = rule.pattern.pattern.decode()
    bare = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", "x", text)
    assert re.findall(r"[*+](?!\))|\{\d+,\}", bare) == [], bare


def test_a_hint_never_hides_what_its_rule_finds() -> None:
    """In the samples of all rules and in the logs that lie about."""
    select = selector()
    logs = sorted(ROOT.glob("cases/*/*.log"))
    if CORPUS.is_dir():
        logs += sorted(CORPUS.glob("real/*.log"))[:60] + sorted(CORPUS.glob("vm/*.log"))[:20]
    lines = {line for path in logs for line in path.read_bytes().split(b"\n")}
    lines |= {rule.sample.encode() for rule in RULES} | {rule.sample.upper().encode() for rule in RULES}
    for line in lines:
        which = set(select(line))
        for index, rule in enumerate(RULES):
            assert index in which or rule.pattern.search(line) is None, (rule.name, line)


def test_without_re2_the_answer_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(f"Nov 28 14:24:16 db17 kernel: {rule.sample} DB17.acme.test\n" for rule in RULES)
    fast = cleaned(text)
    monkeypatch.setitem(__import__("sys").modules, "re2", None)
    assert cleaned(text) == fast


@pytest.mark.parametrize(
    "text",
    [
        "RIP: 0010:foo_bar+0x1f/0x20 [mod] RSP: 0018:ffffc90000bb0000 EFLAGS: 00010246",
        "Code: 48 8b 05 a1 b2 c3 d4 e5 f6 00 11 22 33 44 55 <0f> 0b",
        "pci 0000:03:00.0: BAR 14: no space for [mem size 0x00200000]",
        "pcieport 10000:e0:06.0: AER: Corrected error received: 10000:e1:00.0",
        "Hardware name: Dell Inc. PowerEdge R740/0923K0, BIOS 2.19.1 06/04/2023",
        "DMI: Supermicro SYS-1029P-WTR/X11DDW-L, BIOS 3.2.1.0 10/17/2019",
        "Modules linked in: nf_conntrack(E) libceph mlx5_core x86_pkg_temp_thermal",
        " ? core::fmt::write+0x1f/0x20  _ZN4core3fmt5write17h0123456789abcdefE",
        "CPU: 3 PID: 4242 Comm: kworker/3:1 Not tainted 5.15.153.1-microsoft-standard-WSL2 #1",
        "Node 0 DMA32 free:1234kB lowmem_reserve[]: 0 0 62460 62460",
        "ata1.00: failed command: READ FPDMA QUEUED cmd 60/08:00:00:4b:0a/00:00:00:00:00/40 tag 0 ncq dma 4096 in",
        "[mod 0123456789abcdef0123456789abcdef01234567]",
        "nvme nvme0: 8/0/0 default/read/poll queues",
        "usb 1-1: New USB device strings: Mfr=1, Product=2, SerialNumber=3",
        "clocksource: tsc: mask: 0xffffffffffffffff max_cycles: 0x2b2b2b2b2b2b2b2b, max_idle_ns: 440795",
        "inet 127.0.0.1 netmask 255.255.255.0 broadcast 255.255.255.255 0.0.0.0 ::1 ff02::1",
        "device ff:ff:ff:ff:ff:ff 00:00:00:00:00:00 01:80:c2:00:00:00",
        "introduced in 2.6.27.4, the driver is version 4.2.1.1-k",
        "EXT4-fs: mounted filesystem 00000000-0000-0000-0000-000000000000",
        "systemd[1]: Starting user@1000.service, getty@tty1.service",
        "bus i2c@7e804000, serial@3f215040.dss, memcpy@GLIBC_2.2.5",
        "dm-devel@lists.linux.dev linux-mm@kvack.org https://docs.kernel.org/admin-guide/",
        "time 12:34:56 2026-11-28T14:24:16.123456+01:00 uptime 1 day",
    ],
)
def test_what_kernels_print_of_themselves_stays(text: str) -> None:
    assert cleaned(text) == text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("from 10.1.2.3 to 10.1.2.3:22 and 10.1.2.4/24", "from 192.0.2.1 to 192.0.2.1:22 and 192.0.2.2/24"),
        ("fe80::12:3%eth0 [fe80::12:3]:443", "2001:db8::1%eth0 [2001:db8::1]:443"),
        ("::ffff:10.1.2.3", "::ffff:192.0.2.1"),
        ("3C:D4:72:73:F2:B9 3c-d4-72-73-f2-b9 3cd4.7273.f2b9", "02:00:00:00:00:01 02-00-00-00-00-01 0200.0000.0001"),
        ("enx3cd47273f2b9: 3c:d4:72:73:f2:b9", "enx020000000001: 02:00:00:00:00:01"),
        ("/home/ann/a b /home/ann/a c /home/bob", "/home/user1/path1 b /home/user1/path1 c /home/user2"),
        ("at /home/ann/linux-6.1/drivers/net/foo.c:12", "at /home/user1/path1/drivers/net/foo.c:12"),
        ("insmod /root/drv/foo.ko.", "insmod /root/path1/foo.ko."),
        ("UUID=1F2E-3D4C uuid 1F2E3D4C-0000-4000-8000-0000000000ab", None),
        ("sas_addr(0x4433221103000000) naa.4433221103000000", "sas_addr(0x5000000000000001) naa.5000000000000001"),
        ("https://ann:geheim@git.acme.test:8443/x?y=1", "https://user1:SECRET1@host1.example.com:8443/x?y=1"),
        ("password=hunter2 token: 'abcdef' password=hunter2", "password=SECRET1 token: 'SECRET2' password=SECRET1"),
        ("SSID 'Wu family' ssid=\"Wu family\"", "SSID 'ssid1' ssid=\"ssid1\""),
    ],
)  # fmt: skip
def test_the_same_thing_gets_the_same_of_the_same_form(text: str, wanted: str | None) -> None:
    made = cleaned(text)
    assert made != text
    if wanted is not None:
        assert made == wanted
    assert cleaned(made) == made


def test_ids_keep_their_short_form() -> None:
    long = "9192cb33411ff69d015a3577db136757f5b145064a1703efea3d0e12e8a64987"
    made = cleaned(f"/docker/{long} docker-{long[:12]} {'ab' * 32}").split()
    assert made[0] == "/docker/" + made[1].removeprefix("docker-") + "0" * 52
    assert made[2] != made[0]
    assert len(made[2]) == 64


def test_what_stands_in_the_log_already_is_given_to_nothing_else() -> None:
    made = cleaned("192.0.2.1 10.0.0.1 scsi host1: /home/user1 /home/ann 02:00:00:00:00:01 aa:bb:cc:dd:ee:0f\n")
    assert made == "192.0.2.1 192.0.2.2 scsi host1: /home/user1 /home/user2 02:00:00:00:00:01 02:00:00:00:00:02\n"


def test_more_addresses_than_documentation_has_room_for_stay_different() -> None:
    text = "\n".join(f"10.{number >> 8}.{number & 255}.7" for number in range(2000))
    made = cleaned(text).split("\n")
    assert len(set(made)) == 2000
    assert cleaned("\n".join(made)) == "\n".join(made)


_WORDS = st.sampled_from(
    [
        "10.1.2.3", "fe80::1:2", "aa:bb:cc:dd:ee:0f", "/home/ann/x", "/root/y.c", "db17", "DB17", "db17.acme.test",
        "host1", "user1", "192.0.2.9", "02:00:00:00:00:07", "ann@acme.test", "https://u:pw@acme.test/", "@", ":",
        "SerialNumber: ", "1234",
        "password=", "UUID=", "12ab-34cd", "login: ", "Linux version 6.1 (", ")", "\\", "'", '"', "SSID ",
        "pod", "b9050e7e-96b3-4035-baa3-778866185a9d", "from ", " port 22", "nfs: server ", " OK", ".", "-", " ", "\n",
        "Nov 28 14:24:16 db17 kernel: ", "hostname=", "iqn.2005-10.org.acme:x", "wwn-0x5000c500a1b2c3d4", "\udcff", "ü",
    ]
)  # fmt: skip


_LINES = st.sampled_from([rule.sample for rule in RULES] + [rule.miss for rule in RULES])


@given(st.lists(_WORDS | _LINES, max_size=25).map("".join))
def test_a_second_cleaning_changes_nothing(text: str) -> None:
    once = cleaned(text)
    assert once.count("\n") == text.count("\n")
    assert cleaned(once) == once


@given(st.binary(max_size=400))
def test_bytes_of_any_kind_survive(data: bytes) -> None:
    assert b"".join(Cleaner([data], keep=KINDS).clean(data)) == data
    around = b"\n" + data.replace(b"\n", b"") + b"\nuser=ann\n"
    assert b"".join(Cleaner([around]).clean(around)).endswith(b"\nuser=user1\n")


def test_documents_name_every_kind() -> None:
    text = Path(ROOT / "docs/personal-data.md").read_text(encoding="utf-8")
    assert [kind for kind in KINDS if f"| `{kind}` |" not in text] == []
