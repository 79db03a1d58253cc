"""What our own trouble spoils is unknown: a loop that stood still, a machine without a way out."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from forewarn.model.probe import Target
from forewarn.model.series import Outcome, ProbeRun
from forewarn.runtime.sight import Sight, outside
from forewarn.runtime.uplink import Uplink

FAR, NEAR = Target("shop", "https://shop.example/"), Target("self", "http://127.0.0.1:8420/")
LATE = ProbeRun("p", "shop", 1000.0, Outcome.DOWN, reason="timeout", detail="no answer within 5 s", took_s=5.0)
ROUTE = "Iface\tDestination\tGateway\tFlags\n"


def test_a_run_that_our_own_stall_covers_says_nothing() -> None:
    sight = Sight()
    sight.woke(100.0, 104.0)
    seen = sight.worth(LATE, FAR, 105.1, 105.0)
    assert (seen.outcome, seen.reason) == ("unknown", "stalled") and "4.0 s of the 5.0 s" in str(seen.detail)
    assert sight.spoilt == 1 and sight.longest_s == 4.0


def test_many_short_stalls_are_as_bad_as_a_long_one() -> None:
    sight = Sight()
    for at in range(12):
        sight.woke(100.0 + at * 0.4, 100.3 + at * 0.4)
    assert sight.worth(LATE, FAR, 105.1, 105.0).reason == "stalled"


def test_a_stall_that_is_not_over_counts_as_well() -> None:
    slow = ProbeRun("p", "shop", 1000.0, Outcome.UP, ((("total_s"), ()),), (4.0,), took_s=4.0)
    assert Sight().worth(slow, FAR, planned=101.0, now=104.0).values == ()
    assert Sight().worth(slow, FAR, planned=104.1, now=104.0) is slow


@pytest.mark.parametrize("stall", [(80.0, 90.0), (100.0, 100.4), (100.0, 102.0)])
def test_a_stall_at_another_time_or_a_short_one_spoils_nothing(stall: tuple[float, float]) -> None:
    sight = Sight()
    sight.woke(*stall)
    assert sight.worth(LATE, FAR, 105.1, 105.0) is LATE


def test_what_fails_outside_is_unknown_while_we_are_cut_off() -> None:
    suspected: list[bool] = []
    sight = Sight(lambda: True, lambda: suspected.append(True))
    seen = sight.worth(LATE, FAR, 105.1, 105.0)
    assert (seen.outcome, seen.reason, suspected) == ("unknown", "cut_off", [True])
    assert sight.worth(LATE, NEAR, 105.1, 105.0) is LATE, "this machine itself"
    status = ProbeRun("p", "shop", 1000.0, Outcome.DOWN, reason="status", detail="status 503, expected 2xx", took_s=0.1)
    assert sight.worth(status, FAR, 105.1, 105.0) is status, "it answered"


@pytest.mark.parametrize(
    ("address", "far"),
    [
        ("https://shop.example/a", True), ("db.example:5432", True), ("10.0.0.7:22", True), ("[2001:db8::1]:443", True), ("localhost:25", False),
        ("http://127.0.0.1:80/", False), ("[::1]:443", False), ("local", False), ("http://[::1", False),
    ],
)  # fmt: skip
def test_what_is_outside(address: str, far: bool) -> None:
    assert outside(address) is far


async def test_the_default_route_that_is_gone(tmp_path: Path) -> None:
    uplink = Uplink(lambda: (), tmp_path)
    await uplink.look()
    assert not uplink.cut_off, "a machine that never had one is not cut off"
    (tmp_path / "route").write_text(ROUTE + "eth0\t00000000\t0101A8C0\t0003\n")
    await uplink.look()
    assert not uplink.cut_off
    (tmp_path / "route").write_text(ROUTE + "eth0\t0001A8C0\t00000000\t0001\n")
    await uplink.look()
    assert uplink.cut_off
    (tmp_path / "ipv6_route").write_text(f"{'0' * 32} 00 {'0' * 32} 00 fe80 00000400 1 0 00000003 eth0\n")
    await uplink.look()
    assert not uplink.cut_off
    (tmp_path / "ipv6_route").write_text(f"{'0' * 32} 00 {'0' * 32} 00 fe80 ffffffff 1 0 00200200 lo\n")
    await uplink.look()
    assert uplink.cut_off


async def test_places_that_answer_no_more() -> None:
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    place = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    uplink = Uplink(lambda: (place,))
    await uplink.look()
    assert not uplink.cut_off
    server.close()
    await server.wait_closed()
    await uplink.look()
    assert not uplink.cut_off, "once is no proof"
    await uplink.look()
    assert uplink.cut_off


def test_what_was_only_read_is_as_good_as_ever() -> None:
    """A look at the process table took long because we stood still; what it shows is true all the same."""
    sight = Sight()
    read = ProbeRun("p", "local", 1000.0, Outcome.UP, (("processes", ()),), (3.0,), took_s=4.0)
    sight.woke(10.0, 14.0)
    assert sight.worth(read, Target("local", "local"), 14.0, 14.0) is read
