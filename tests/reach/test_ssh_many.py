"""Many hosts of which some hang: the others are looked at as if those were not there. Orders and counts, no seconds."""

from __future__ import annotations

import asyncio
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sshd import Sshd, children, silent

from forewarn.reach import connection
from forewarn.reach.connection import Connection, Shared
from forewarn.reach.fleet import Fleet
from forewarn.reach.turns import Lane, Turns

GOOD, SILENT, HALF, FROZEN = 180, 7, 7, 6


@pytest.mark.timeout(300)
def test_two_hundred_hosts_of_which_twenty_hang(sshd, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven take connections and say nothing, seven stop after their first line, six froze after the log-in. While all of
    them hang, every other host is reached and answers; each that hangs holds one thread at most."""
    for name in ("CONNECT_S", "WAY_S"):
        monkeypatch.setattr(connection, name, 600.0)
    good, cold = sshd(), sshd()

    async def run(silent_port: int, half_port: int) -> None:
        names = {
            **{f"frozen-{n}": cold.host(key, f"frozen-{n}") for n in range(FROZEN)},
            **{f"silent-{n}": good.host(key, f"silent-{n}", port=silent_port) for n in range(SILENT)},
            **{f"half-{n}": good.host(key, f"half-{n}", port=half_port) for n in range(HALF)},
            **{f"good-{n}": good.host(key, f"good-{n}") for n in range(GOOD)},
        }
        shared = Shared()
        fleet = Fleet(names, shared)
        frozen = [name for name in names if name.startswith("frozen")]
        assert all(ran.code == 0 for ran in await asyncio.gather(*(fleet(name).run(["true"], 120) for name in frozen)))
        stopped = [pid for above in cold.connections() for pid in (above, *children(above))]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        hanging = [asyncio.create_task(fleet(name).run(["true"], 600)) for name in names if not name.startswith("good")]
        await asyncio.sleep(0)
        for _ in range(2):  # the second time over the kept connections
            answers = await asyncio.gather(*(fleet(f"good-{n}").run(["echo", str(n)], 240) for n in range(GOOD)))
            assert [answer.out for answer in answers] == [f"{n}\n" for n in range(GOOD)]
        assert not any(task.done() for task in hanging) and len(hanging) == SILENT + HALF + FROZEN
        assert (good.folder / "log").read_text().count("Accepted publickey") == GOOD
        for task in hanging:
            task.cancel()
        fleet.close()
        for pid in stopped:
            os.kill(pid, signal.SIGKILL)
        await asyncio.gather(*hanging, return_exceptions=True)

    with silent() as silent_port, silent(b"SSH-2.0-OpenSSH_9.2\r\n") as half_port:
        asyncio.run(run(silent_port, half_port))


def test_at_most_four_commands_are_under_way_on_one_host(shared: Sshd, key: Path) -> None:
    async def run() -> int:
        most = under_way = 0

        class Counted(Connection):
            async def _try(self, *given):
                nonlocal most, under_way
                under_way += 1
                most = max(most, under_way)
                try:
                    command = await super()._try(*given)
                    await asyncio.sleep(0)
                    return command
                finally:
                    under_way -= 1

        parts = Shared()
        one = Counted(shared.host(key), parts)
        await asyncio.gather(*(one.run("true", 60, 100) for _ in range(20)))
        one.close()
        parts.pool.shutdown()
        return most

    assert asyncio.run(run()) <= connection.COMMANDS


def test_a_lane_holds_one_thread_and_the_next_waits_for_its_end_even_if_nobody_else_does() -> None:
    import threading

    release, order = threading.Event(), []

    async def run() -> None:
        pool = ThreadPoolExecutor(8)
        lane, other = Lane(pool), Lane(pool)
        first = asyncio.create_task(lane.do(release.wait, 30))
        await asyncio.sleep(0)
        second = asyncio.create_task(lane.do(order.append, "second"))
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await other.do(order.append, "other")
        assert order == ["other"] and not second.done()
        release.set()
        await second
        assert order == ["other", "second"]
        pool.shutdown()

    asyncio.run(run())


def test_who_hangs_gives_its_turn_up_and_who_failed_last_stands_behind() -> None:
    async def run() -> list[str]:
        turns, order, never = Turns(1, 0.05), [], asyncio.Event()

        async def work(name: str, *, last: bool = False, hang: bool = False) -> None:
            async with turns.turn(last=last):
                order.append(name)
                if hang:
                    await never.wait()

        tasks = [asyncio.create_task(work("hangs", hang=True))]
        await asyncio.sleep(0)
        tasks += [asyncio.create_task(work("failed", last=True)), asyncio.create_task(work("a")), asyncio.create_task(work("b"))]
        await asyncio.wait(tasks[1:])
        assert not tasks[0].done()
        never.set()
        await asyncio.gather(*tasks)
        async with turns.turn():  # the place of the one that hung was not given back twice
            waiting = asyncio.create_task(work("waits"))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert "waits" not in order
        await waiting
        return order

    assert asyncio.run(run()) == ["hangs", "a", "b", "failed", "waits"]


def test_a_place_that_comes_to_somebody_who_left_goes_to_the_next() -> None:
    async def run() -> None:
        turns = Turns(1, 30.0)
        async with turns.turn():
            gone = asyncio.create_task(turns._begin(False))
            waits = asyncio.create_task(turns._begin(False))
            await asyncio.sleep(0)
            gone.cancel()
        await asyncio.wait_for(waits, 5)
        turns._end()
        assert turns._free == 1

    asyncio.run(run())


def test_a_host_whose_settings_changed_is_another_way_for_those_behind_it(shared: Sshd, key: Path) -> None:
    async def run() -> None:
        hosts = {"a": shared.host(key, "a"), "b": shared.host(key, "b", jump="a")}
        fleet = Fleet(hosts)
        kept = fleet.connection("b")
        fleet.apply({**hosts, "a": replace(hosts["a"], groups=("x",))})
        assert fleet.connection("b") is kept
        fleet.apply({**hosts, "a": replace(hosts["a"], port=1)})
        assert fleet.connection("b") is not kept
        fleet.close()

    asyncio.run(run())
