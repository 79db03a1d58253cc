"""What is taken apart for kind host: clocks, kernels, units, distributions. Outputs were captured from the programs they name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from forewarn.probers import clock, reboot, releases, units

CHRONY_LOCAL = "7F7F0101,,8,1795873388.587770484,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,0.0,0.0,0.0,Normal\n"
CHRONY_FOLLOWS = "A29FC87B,162.159.200.123,4,1700000000.123,-0.250012345,-0.0,0.0,-12.345,0.001,0.012,0.0123,0.0012,1024.5,Normal\n"
CHRONY_LOST = "00000000,,0,0.000000000,0.000000000,0.0,0.0,0.000,0.000,0.000,1.000000000,1.0,0.0,Not synchronised\n"
TIMESYNC = """\
       Server: 192.0.2.123 (2.debian.pool.ntp.org)
Poll interval: 34min 8s (min: 32s; max 34min 8s)
         Leap: normal
      Version: 4
      Stratum: 3
    Precision: 1us (-25)
Root distance: 14.853ms (max: 5s)
       Offset: -1.130ms
        Delay: 5.046ms
"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (CHRONY_LOCAL, clock.Clock(True, 0.0)),
        (CHRONY_FOLLOWS, clock.Clock(True, 0.250012345)),
        (CHRONY_LOST, clock.Clock(False)),
        ("506 Cannot talk to daemon\n", None),
        ("", None),
        (CHRONY_FOLLOWS.replace("-0.250012345", "x"), None),
    ],
)
def test_chrony(text: str, found: clock.Clock | None) -> None:
    assert clock.chrony(text) == found


def test_timesync() -> None:
    assert clock.timesync(TIMESYNC) == clock.Clock(True, pytest.approx(0.00113))
    waiting = "       Server: n/a (2.debian.pool.ntp.org)\nPoll interval: 0 (min: 32s; max 34min 8s)\n Packet count: 0\n"
    assert clock.timesync(waiting) == clock.Clock(False)
    assert clock.timesync("Failed to query server: The name org.freedesktop.timesync1 was not provided") is None


@pytest.mark.parametrize(("text", "seconds"), [("+2min 3s", 123.0), ("-15us", 15e-6), ("1.5s", 1.5), ("n/a", None)])
def test_spans_of_systemd(text: str, seconds: float | None) -> None:
    assert clock.span_s(text) == (pytest.approx(seconds) if seconds else None)


@pytest.mark.parametrize(
    ("running", "kernels", "newer"),
    [
        ("6.1.0-18-amd64", ["6.1.0-18-amd64", "6.1.0-21-amd64"], "6.1.0-21-amd64"),
        ("6.1.0-21-amd64", ["6.1.0-18-amd64", "6.1.0-21-amd64"], None),
        ("6.1.0-9-amd64", ["6.1.0-9-amd64", "6.1.0-10-amd64"], "6.1.0-10-amd64"),
        ("6.1.0-18-cloud-amd64", ["6.1.0-18-cloud-amd64", "6.1.0-21-amd64"], None),  # another flavour
        (
            "5.14.0-70.13.1.el9_0.x86_64",
            ["5.14.0-70.13.1.el9_0.x86_64", "5.14.0-362.8.1.el9_3.x86_64"],
            "5.14.0-362.8.1.el9_3.x86_64",
        ),
        ("6.18.44-other", ["6.1.0-21-amd64"], None),  # a container, or a kernel from elsewhere
        ("6.12.48+deb13-amd64", ["6.12.48+deb13-amd64", "6.12.57+deb13-amd64"], "6.12.57+deb13-amd64"),
        ("6.1.0-21-amd64", [], None),
    ],
)
def test_a_newer_kernel_of_the_same_flavour(running: str, kernels: list[str], newer: str | None) -> None:
    assert reboot.newer_kernel(running, kernels) == newer


def test_failed_units_with_and_without_a_bullet() -> None:
    text = "● a.service loaded failed failed A thing\n  b.mount   loaded failed failed /b\n\n0 loaded units listed.\n"
    assert units.failed(text) == ["a.service", "b.mount"]
    assert units.failed("") == []


def test_restarts_are_counted_from_the_first_look_on() -> None:
    count = units.Restarts()
    assert count.take({"a.service": 7}) == {}
    assert count.take({"a.service": 9, "new.service": 2}) == {"a.service": 2.0, "new.service": 2.0}
    assert count.take({"a.service": 1, "new.service": 2}) == {"a.service": 3.0, "new.service": 2.0}, "begun anew by hand"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ('ID=debian\nVERSION_ID="12"\n', (2028, 7, 1)),
        ("ID=ubuntu\nVERSION_ID='24.04'\n", (2029, 6, 1)),
        ('ID="rocky"\nVERSION_ID="9.4"\n', (2032, 6, 1)),
        ('ID="almalinux"\nVERSION_ID="8.10"\n', (2029, 3, 2)),
        ("ID=fedora\nVERSION_ID=43\nSUPPORT_END=2026-12-02\n", (2026, 12, 3)),  # the machine's own word comes first
        ("ID=debian\n", None),  # testing
        ("ID=other\nVERSION_ID=1\n", None),
        ("ID=fedora\nSUPPORT_END=soon\n", None),
        ("", None),
    ],
)
def test_until_when_there_are_updates(text: str, day: tuple[int, int, int] | None) -> None:
    assert releases.support_end(text) == (datetime(*day, tzinfo=UTC) if day else None)


def test_every_date_of_the_table_is_one() -> None:
    for name, versions in releases.ENDS.items():
        for version in versions:
            assert releases.support_end(f"ID={name}\nVERSION_ID={version}\n"), (name, version)
