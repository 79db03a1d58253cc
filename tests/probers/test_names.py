"""Looking up names: a phase, a bound, a cache; the system's resolver is played, since no test may ask a real one."""

from __future__ import annotations

import asyncio
import socket
import threading
import time

from probing import answering, both_ways, http_engine, probe, server, values  # noqa: F401

from forewarn.probers.names import MOST_ADDRESSES, MOST_AT_ONCE, TTL_S, Found, Names
from forewarn.probers.once import run_once


def entries(*addresses: str) -> list[tuple]:
    return [(socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 0)) for one in addresses]


class Resolver:
    """Answers what it is told to, when it is let; counts who asks at once."""

    def __init__(self, *addresses: str) -> None:
        self.addresses, self.asked, self.now, self.most = addresses, 0, 0, 0
        self.free = threading.Event()
        self.free.set()

    def __call__(self, host: str, port: object, family: int = 0, type: int = 0) -> list[tuple]:
        self.asked += 1
        self.now += 1
        self.most = max(self.most, self.now)
        self.free.wait(10)
        self.now -= 1
        if not self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return entries(*self.addresses)


async def found(names: Names, host: str = "shop.example", timeout_s: float = 5.0) -> Found:
    done: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
    names.ask(host, 0, done.set_result, timeout_s)
    return await done


async def test_an_answer_holds_for_its_time_and_a_failure_does_not() -> None:
    at, resolver = [100.0], Resolver("192.0.2.7")
    names = Names(resolver, lambda: at[0])
    assert (await found(names)).addresses == ("192.0.2.7",)
    at[0] += TTL_S - 1
    assert names.known("shop.example", 0) == Found(("192.0.2.7",)) and names.known("shop.example", 6) is None
    at[0] += 2
    assert names.known("shop.example", 0) is None
    resolver.addresses = ()
    assert (await found(names)).why == "name or service not known"
    assert names.known("shop.example", 0) is None and resolver.asked == 2
    names.close()


async def test_a_thousand_addresses_are_cut() -> None:
    names = Names(Resolver(*(f"198.18.{at // 250}.{at % 250}" for at in range(1000))))
    assert len((await found(names)).addresses) == MOST_ADDRESSES
    names.close()


async def test_who_asks_for_the_same_name_asks_once_and_not_all_ask_at_once() -> None:
    resolver = Resolver("192.0.2.7")
    resolver.free.clear()
    names = Names(resolver)
    asked = [asyncio.ensure_future(found(names)) for _ in range(20)]
    asked += [asyncio.ensure_future(found(names, f"h{at}.example")) for at in range(30)]
    late = await found(names, "late.example", timeout_s=0.05)
    assert late.late and not late.addresses, "one that waits in line is told in time"
    assert resolver.most == MOST_AT_ONCE
    resolver.free.set()
    assert {one.addresses for one in await asyncio.gather(*asked)} == {("192.0.2.7",)}
    assert resolver.asked <= 32
    names.close()


async def test_a_name_server_that_hangs_is_down_by_name_and_holds_up_nobody(both_ways: None) -> None:  # noqa: F811
    resolver = Resolver("127.0.0.1")
    resolver.free.clear()
    engine = http_engine(names=Names(resolver))
    async with server(answering()) as url:
        port = url.rsplit(":", 1)[1]
        one, other = probe("http", f"http://slow.example:{port}", timeout_s=0.2), probe("http", url)
        hanging = asyncio.ensure_future(run_once("engine", engine, one, time.time()))
        assert (await run_once("engine", engine, other, time.time()))[0].outcome == "up"
        (run,) = await hanging
        assert (run.outcome, run.reason) == ("down", "resolve")
        assert run.detail == f"the name slow.example:{port.rstrip('/')} was not resolved within 0.2 s"
        resolver.free.set()
        await engine.close()


async def test_looking_up_is_a_phase_and_one_bad_address_of_two_is_no_failure(both_ways: None) -> None:  # noqa: F811
    def slowly(host: str, port: object, family: int = 0, type: int = 0) -> list[tuple]:
        time.sleep(0.05)
        return entries("127.0.0.1") if host == "one.example" else entries("::1", "127.0.0.1")

    engine = http_engine(names=Names(slowly))
    async with server(answering()) as url:
        port = url.rsplit(":", 1)[1]
        for host in ("one.example", "two.example"):
            (run,) = await run_once("engine", engine, probe("http", f"http://{host}:{port}"), time.time())
            seen = values(run)
            assert run.outcome == "up", run
            assert seen["resolve_s"] >= 0.05 and seen["total_s"] >= seen["resolve_s"] + seen["first_byte_s"] - 1e-5
            (run,) = await run_once("engine", engine, probe("http", f"http://{host}:{port}"), time.time())
            assert values(run)["resolve_s"] < 0.05, "known already"
    await engine.close()
