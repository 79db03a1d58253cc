"""The process prober on real processes of ours, and on made-up ones where hardware, systemd or other users are needed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from made_machine import MadeMachine
from probing import probe, values

from forewarn.model.series import ProbeRun
from forewarn.probers.process import METRICS
from forewarn.probers.process_read import ProcessProber, open_limit, uid_of, user_id

SECRET = "hunter2-of-the-test"
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a program under a name of its own; all are ended at the end."""
    running: list[subprocess.Popen[bytes]] = []

    def run(name: str, *arguments: str) -> subprocess.Popen[bytes]:
        program = tmp_path / name
        if not program.exists():
            shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
        running.append(subprocess.Popen([str(program), *(arguments or ("60",))], stdin=subprocess.DEVNULL))
        for _ in range(200):  # until the kernel shows its new name
            if Path(f"/proc/{running[-1].pid}/comm").read_text().strip() == name[:15]:
                break
            time.sleep(0.005)
        return running[-1]

    yield run
    for one in running:
        with suppress(ProcessLookupError):
            one.kill()
        one.wait()


async def look(prober: ProcessProber | None = None, **options: object) -> ProbeRun:
    made = probe("process", timeout_s=10.0, **options)
    return await (prober or ProcessProber())(made, made.targets[0], time.time())


async def test_it_counts_what_runs_and_sees_it_start_anew(start: Start) -> None:
    name, prober = f"fw-{os.getpid()}-a", ProcessProber()
    first = start(name)
    run = await look(prober, name=name)
    found = values(run)
    assert (run.outcome, found["processes"], found["restarts_total"], found["threads"]) == ("up", 1.0, 0.0, 1.0)
    assert found["memory_bytes"] > 50_000 and found["open_files"] >= 3 and 0 < found["open_files_used_ratio"] < 0.5
    second = start(name)
    both = values(await look(prober, name=name))
    assert both["processes"] == 2.0 and both["restarts_total"] == 0.0, "one more is no restart"
    first.kill()
    first.wait()
    assert values(await look(prober, name=name))["restarts_total"] == 0.0, "nor is one less"
    second.kill()
    second.wait()
    start(name)
    again = values(await look(prober, name=name))
    assert (again["processes"], again["restarts_total"]) == (1.0, 1.0)
    assert set(again) | {"cpu_cores"} == set(METRICS)


async def test_none_is_down_and_so_are_too_many(start: Start) -> None:
    name = f"fw-{os.getpid()}-b"
    run = await look(name=name)
    assert (run.outcome, run.reason) == ("down", "processes")
    assert run.detail == f"processes called {name}: none runs, at least 1 should"
    start(name), start(name)
    assert (await look(name=name, least=3)).detail == f"processes called {name}: only 2 run, at least 3 should"
    assert (await look(name=name, most=1)).detail == f"processes called {name}: 2 run, at most 1 should"
    assert (await look(name=name, least=2, most=2)).outcome == "up"
    assert (await look(name=f"{name[:-1]}?", least=2)).outcome == "up"


async def test_a_command_line_is_compared_and_never_shown(start: Start) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", f"--password={SECRET}", "--shop"])
    try:
        for _ in range(200):
            if SECRET in Path(f"/proc/{child.pid}/cmdline").read_text():
                break
            time.sleep(0.005)
        run = await look(command=f"*--password={SECRET} --sh*")
        assert run.outcome == "up" and values(run)["processes"] == 1.0
        gone = await look(command=f"*--password={SECRET} --nothing")
        assert gone.outcome == "down" and gone.detail == "processes with the given command line: none runs, at least 1 should"
        assert SECRET not in repr(run) + repr(gone)
    finally:
        child.kill()
        child.wait()


async def test_by_the_number_in_a_file(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "one.pid"
    one = start(f"fw-{os.getpid()}-c")
    file.write_text(f"{one.pid}\n")
    assert values(await look(pidfile=str(file)))["processes"] == 1.0
    assert (await look(pidfile=str(file), name="another")).outcome == "down", "that number is somebody else's by now"
    file.write_text("garbage")
    assert (await look(pidfile=str(file))).outcome == "down"
    assert (await look(pidfile=str(tmp_path / "none.pid"))).outcome == "down"


async def test_processor_time_since_the_last_run(start: Start) -> None:
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        prober, found = ProcessProber(), {}
        for _ in range(40):  # until it has been given a few ticks of time
            found = values(await look(prober, command="*while True: pass"))
            if found.get("cpu_cores", 0) > 0:
                break
            time.sleep(0.05)
        assert 0 < found["cpu_cores"] < 3
    finally:
        busy.kill()
        busy.wait()


def stat(pid: int, name: str, state: str = "S", ticks: int = 0, started: int = 100) -> str:
    return f"{pid} ({name}) {state} 1 1 1 0 -1 4194560 0 0 0 0 {ticks} 0 0 0 20 0 1 0 {started} 1000 200"


MACHINE = {
    "/proc/uptime": "1000.0 1.0",
    "/etc/passwd": "root:x:0:0::/:/bin/sh\nshop:x:1001:1001::/:/bin/sh\n",
    "/proc/1/stat": stat(1, "systemd"),
    "/proc/1/status": "Name:\tsystemd\nUid:\t0\t0\t0\t0\n",
    "/proc/20/stat": stat(20, "a-very-long-nam", ticks=100),
    "/proc/20/status": "Name:\tx\nUid:\t1001\t1001\t1001\t1001\nVmRSS:\t 200 kB\nThreads:\t4\n",
    "/proc/20/limits": "Limit  Soft Limit  Hard Limit  Units\nMax open files            10                 20      files\n",
    "/proc/21/stat": stat(21, "a-very-long-nam", ticks=50, started=400),
    "/proc/21/status": "Name:\tx\nUid:\t1001\t1001\t1001\t1001\nVmRSS:\t 100 kB\nThreads:\t2\n",
    "/proc/21/limits": "Max open files            unlimited            unlimited            files\n",
    "/proc/22/stat": stat(22, "a-very-long-nam", state="Z"),
    "/sys/fs/cgroup/system.slice/shop.service/cgroup.procs": "20\n",
    "/sys/fs/cgroup/system.slice/shop.service/workers/cgroup.procs": "21\n",
    "/sys/fs/cgroup/system.slice/shop.service/memory.current": "123456\n",
}
UNIT = "ActiveState=active\nSubState=running\nMainPID=20\nNRestarts=1\nControlGroup=/system.slice/shop.service\n"
FDS = "".join(f"/proc/20/fd/{n}\n" for n in range(9)) + "/proc/21/fd/0\n"
SAYS = {"systemctl show": (0, UNIT), "find /proc/20/fd": (0, FDS)}


async def elsewhere(machine: MadeMachine, prober: ProcessProber | None = None, **options: object) -> ProbeRun:
    return await look(prober or ProcessProber(lambda where: machine), **options)


async def test_a_unit_is_all_of_its_control_group() -> None:
    machine = MadeMachine(MACHINE, SAYS)
    prober = ProcessProber(lambda where: machine)
    run = await elsewhere(machine, prober, unit="shop.service")
    assert values(run) == {
        "processes": 2.0,
        "restarts_total": 0.0,
        "uptime_s": 999.0,
        "memory_bytes": 123456.0,
        "threads": 6.0,
        "open_files": 10.0,
        "open_files_used_ratio": 0.9,
    }
    machine.files |= {"/proc/uptime": "1010.0 1.0", "/proc/20/stat": stat(20, "a-very-long-nam", ticks=600)}
    assert values(await elsewhere(machine, prober, unit="shop.service"))["cpu_cores"] == pytest.approx(0.5)


async def test_a_unit_that_does_not_run_is_down_and_one_that_nobody_can_tell_about_is_unknown() -> None:
    stopped = UNIT.replace("=active", "=inactive").replace("/system.slice/shop.service", "")
    run = await elsewhere(MadeMachine(MACHINE, {"systemctl show": (0, stopped)}), unit="shop.service")
    assert (run.outcome, run.detail) == ("down", "processes of shop.service: none runs, at least 1 should")
    refused = await elsewhere(MadeMachine(MACHINE, {"systemctl show": (1, "Failed to connect to bus\n")}), unit="shop.service")
    assert (refused.outcome, refused.reason) == ("unknown", "undecided")
    assert refused.detail == "systemctl can't tell about shop.service: Failed to connect to bus"
    missing = await elsewhere(MadeMachine(MACHINE), unit="shop.service")
    assert (missing.outcome, missing.reason) == ("unknown", "no_tool")
    hangs = MadeMachine(MACHINE, SAYS)
    hangs.hangs.add("shop.service")
    assert (await elsewhere(hangs, unit="shop.service")).reason == "timeout"


async def test_long_names_users_and_the_dead() -> None:
    machine = MadeMachine(MACHINE, SAYS)
    assert values(await elsewhere(machine, name="a-very-long-name-indeed"))["processes"] == 2.0, "the kernel keeps 15 bytes"
    assert values(await elsewhere(machine, name="*", user="shop"))["processes"] == 2.0
    assert values(await elsewhere(machine, name="*", user="1001"))["processes"] == 2.0
    assert (await elsewhere(machine, name="*", user="nobody-here")).outcome == "down"
    shared = values(await elsewhere(machine, name="a-very-long-nam"))
    assert shared["memory_bytes"] == 300 * 1024


async def test_where_other_peoples_processes_are_hidden_nobody_says_down() -> None:
    run = await elsewhere(MadeMachine({"/proc/uptime": "10.0 1.0"}), name="nginx")
    assert (run.outcome, run.reason) == ("unknown", "permission") and "hidepid" in str(run.detail)


async def test_open_files_of_others_are_left_out() -> None:
    found = values(await elsewhere(MadeMachine(MACHINE, {"systemctl show": (0, UNIT)}), unit="shop.service"))
    assert "open_files" not in found and found["threads"] == 6.0


def test_small_readers() -> None:
    assert user_id("shop", MACHINE["/etc/passwd"]) == "1001" and user_id("x", "") is None
    assert uid_of("garbage") == "" and open_limit("") is None
