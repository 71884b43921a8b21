"""Releases: what uname says, and three-valued ranges."""

import pytest

from kb.kernel.release import Release
from kb.model.verdict import Verdict

YES, MAYBE, NO = Verdict.YES, Verdict.MAYBE, Verdict.NO


@pytest.mark.parametrize(
    ("text", "version", "family", "major", "build"),
    [
        ("3.10.0-1160.el7.x86_64", (3, 10, 0), "rhel", 7, (1160,)),
        ("3.10.0-1160.15.2.el7.x86_64", (3, 10, 0), "rhel", 7, (1160, 15, 2)),
        ("5.14.0-427.13.1.el9_4.x86_64", (5, 14, 0), "rhel", 9, (427, 13, 1)),
        ("6.1.0-18-amd64", (6, 1, 0), "debian", None, (18,)),
        ("6.12.117+deb12-amd64", (6, 12, 117), "debian", 12, ()),
        ("5.4.0-150-generic", (5, 4, 0), "ubuntu", None, (150,)),
        ("4.19.0-rc3+", (4, 19, 0), "mainline", None, ()),
        ("2.6.32-754.el6.x86_64", (2, 6, 32), "rhel", 6, (754,)),
        ("5.10.223", (5, 10, 223), "mainline", None, ()),
    ],
)
def test_release_is_taken_apart(text, version, family, major, build) -> None:
    release = Release.parse(text)
    assert release is not None
    assert (release.version, release.family, release.major, release.build) == (version, family, major, build)


def test_what_does_not_start_like_a_release_is_none() -> None:
    assert Release.parse("linux") is None
    assert Release.parse("") is None


def test_debian_to_12_hides_its_point_release_and_later_does_not() -> None:
    assert Release.parse("6.1.0-18-amd64").point is None
    assert Release.parse("6.12.117+deb12-amd64").point == 117


@pytest.mark.parametrize(
    ("text", "range_text", "verdict"),
    [
        ("4.1.19", ">= 3.10, < 4.4", YES),
        ("4.4.0", ">= 3.10, < 4.4", NO),
        ("4.4.0-rc1", ">= 3.10, < 4.4", MAYBE),  # what 4.4 mends may come in any of its candidates
        ("4.4.0-rc1", ">= 4.4", YES),  # what it brings is there from the merge window on
        ("4.4.0-rc1", ">= 4.4-rc2", NO),
        ("4.3.0", ">= 4.4", NO),
        ("6.1.0-0.deb11.21-amd64", "< 6.3", MAYBE),
        ("5.15.0-1045-intel-iotg", "< 6.3", MAYBE),
        ("5.15.0-1032-realtime", "< 6.3", MAYBE),
        ("5.14.21-150500.33.42-azure", "< 6.3", MAYBE),
        ("5.3.18-lp152.106-preempt", "< 6.3", MAYBE),
        ("5.10.0-60.18.0.50.oe2203.x86_64", "< 6.3", MAYBE),
        ("4.19.91-26.an8.x86_64", "< 6.3", MAYBE),
        ("5.4.119-19.0009.tl2.x86_64", "< 6.3", MAYBE),
        ("3.10.0-1160.90.1.vz7.200.7", "< 6.3", MAYBE),
        ("6.8.12-4-pve", "< 6.10", MAYBE),
        ("4.19.0+1", "< 6.3", MAYBE),
        ("6.10.0-syzkaller-04483-g0be9ae5486cd", "< 6.11", MAYBE),  # it has commits of what comes next
        ("6.1.0-1.el9.elrepo.x86_64", "< 6.3", YES),  # mainline, built for RHEL
        ("5.4.278-1.el7.elrepo.x86_64", ">= 5.4.279", NO),
        ("5.8.0+", "< 6.3", YES),
        ("6.1.5-1.aarch64", "< 6.3", YES),  # the machine, no distribution
        ("6.5.6-300.fc39.x86_64", "< 6.6", YES),
        ("3.10.0-1160.el7.x86_64", ">= 3.10, < 4.4", MAYBE),  # RHEL may have backported the fix
        ("4.18.0-553.el8.x86_64", ">= 3.10, < 4.4", NO),  # but its base already has it
        ("4.18.0-553.el8.x86_64", ">= 5.5", MAYBE),
        ("3.10.0-1160.el7.x86_64", ">= 3.10.0-514.el7", YES),
        ("3.10.0-327.el7.x86_64", ">= 3.10.0-514.el7", NO),
        ("5.10.1", ">= 3.10.0-514.el7", NO),
        ("3.10.0-514.26.2.el7.x86_64", "3.10.0-514.el7, 3.10.0-693.el7", YES),
        ("3.10.0-862.el7.x86_64", "3.10.0-514.el7, 3.10.0-693.el7", NO),
        ("6.1.0-18-amd64", "< 6.1.50", MAYBE),  # uname does not tell the stable release
        ("6.1.0-18-amd64", "< 6.2", YES),
        ("5.4.0-150-generic", "< 5.5", MAYBE),
        ("4.1.19", "< 3.0; >= 4.0", YES),
        ("4.1.19", "el7", NO),
        ("3.10.0-1160.el7.x86_64", "el7", YES),
        ("4.1.19", "gibberish", MAYBE),
    ],
)
def test_ranges_are_three_valued(text, range_text, verdict) -> None:
    assert Release.parse(text).within(range_text) is verdict


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("5.14.0-611.5.1.el9_7.x86_64", "RHEL 9.7"),
        ("5.14.0-700.el9.x86_64", "RHEL 9.7"),  # by its build: not before the last that is known
        ("5.14.0-570.1.1.el9_6.x86_64", "RHEL 9.6"),
        ("4.18.0-553.8.1.el8_10.x86_64", "RHEL 8.10"),
        ("6.12.0-124.8.1.el10_1.x86_64", "RHEL 10.1"),
        ("3.10.0-1160.el7.x86_64", "RHEL 7.9"),
    ],
)
def test_a_minor_release_is_the_one_that_is_printed_else_that_of_the_build(text: str, name: str) -> None:
    release = Release.parse(text)
    assert release is not None
    assert release.name == name
