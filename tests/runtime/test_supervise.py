from __future__ import annotations

import asyncio
import os
import socket

import pytest
import structlog

from forewarn.runtime.supervise import Notifier, start, supervise


class Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def monotonic(self) -> float:
        return self.at


def listener(address: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.settimeout(1.0)
    sock.bind(address)
    return sock


@pytest.mark.parametrize("abstract", [False, True])
def test_what_systemd_hears(tmp_path, abstract):
    name = f"forewarn-test-{os.getpid()}"
    bound, told = (f"\0{name}", f"@{name}") if abstract else (str(tmp_path / "notify"), str(tmp_path / "notify"))
    environ = {"NOTIFY_SOCKET": told, "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "77", "PATH": "/bin"}
    with listener(bound) as sock:
        notifier, clock = Notifier(environ, pid=77), Clock()
        clock.at = 12.5
        notifier.ready("watching 11 probes\nSTATUS=forged")
        notifier.status("1 ahead")
        notifier.alive()
        notifier.reloading(clock)
        notifier.stopping()
        heard = [sock.recv(4096).decode() for _ in range(5)]
    assert heard == [
        "READY=1\nSTATUS=watching 11 probes STATUS=forged",
        "STATUS=1 ahead",
        "WATCHDOG=1",
        "RELOADING=1\nMONOTONIC_USEC=12500000",
        "STOPPING=1",
    ]
    assert notifier.listening
    assert notifier.watchdog_s == 30.0
    assert environ == {"PATH": "/bin"}  # programs that we start must not speak for us


def test_without_systemd_it_is_silent(tmp_path):
    notifier = Notifier({})
    notifier.ready()
    assert (notifier.listening, notifier.watchdog_s) == (False, None)
    with structlog.testing.capture_logs() as lines:
        Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).stopping()
    assert [line["event"] for line in lines] == ["systemd_not_told"]


@pytest.mark.parametrize(
    ("usec", "whose", "expected"), [("30000000", None, 30.0), ("30000000", "8", None), ("0", None, None), ("soon", None, None)]
)
def test_the_watchdog_is_for_this_process(usec, whose, expected):
    environ = {"WATCHDOG_USEC": usec} | ({"WATCHDOG_PID": whose} if whose else {})
    assert Notifier(environ, pid=77).watchdog_s == expected


async def test_other_tasks_start_again_with_growing_pauses():
    clock, pauses, runs = Clock(), [], []

    async def sleep(pause: float) -> None:
        pauses.append(pause)

    async def work() -> None:
        runs.append(clock.at)
        if len(runs) == 4:
            clock.at += 60.0  # steady for a minute, then it fails once more
        if len(runs) < 6:
            raise OSError("gone")

    with structlog.testing.capture_logs() as lines:
        await supervise("feeds", work, clock, sleep=sleep)
    assert pauses == [1.0, 2.0, 5.0, 1.0, 2.0]
    assert [line["task"] for line in lines] == ["feeds"] * 5
    assert all(line["exc_info"] for line in lines)


async def test_an_essential_task_ends_all_of_them():
    clock, ended = Clock(), []

    async def fails() -> None:
        await asyncio.sleep(0)
        raise ValueError("broken")

    async def lives() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("lives")

    with structlog.testing.capture_logs() as lines, pytest.raises(ExceptionGroup) as caught:
        async with asyncio.TaskGroup() as group:
            task = start(group, "lives", lives, clock)
            start(group, "inbox", fails, clock, essential=True)
    assert task.get_name() == "lives"
    assert ended == ["lives"]
    assert isinstance(caught.value.exceptions[0], ValueError)
    assert [(line["task"], line["log_level"]) for line in lines] == [("inbox", "error")]


async def test_a_task_that_ends_by_itself_is_not_started_again():
    runs = []

    async def work() -> None:
        runs.append(1)

    await supervise("once", work, Clock(), essential=True)
    assert runs == [1]
