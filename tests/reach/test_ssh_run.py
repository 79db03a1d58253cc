"""Programs and files of a host, over a real sshd."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import subprocess
from pathlib import Path

import pytest
from sshd import Sshd, running

from conftest import Place
from forewarn.reach.fleet import Fleet
from forewarn.reach.local import CannotRun
from forewarn.reach.machine import CannotReach, Here, Machine
from forewarn.reach.remote import HEAD, parted


def on(host, work):
    """What `work(machine)` answers, over a connection of its own."""

    async def run():
        fleet = Fleet({host.name: host})
        try:
            return await work(fleet(host.name))
        finally:
            fleet.close()

    return asyncio.run(run())


@pytest.fixture
def host(shared: Sshd, key: Path):
    return shared.host(key)


def unique_span() -> str:
    """Minutes of sleep that no other test sleeps."""
    return f"300.{secrets.randbelow(10**9):09d}"


HOSTILE = ["a b", "$HOME", "`id`", "it's", 'say "so"', "*", "~", ";", "&&", "|", "-n", "", "#", "!x", "\\", "a\nb", "中文", "\t"]


def test_every_argument_arrives_as_it_was_written(host) -> None:
    ran = on(host, lambda machine: machine.run(["printf", "<%s>", *HOSTILE], 20))
    assert (ran.out, ran.code, ran.timed_out) == ("".join(f"<{one}>" for one in HOSTILE), 0, False)


def test_status_and_both_streams_are_told_apart(host) -> None:
    ran = on(host, lambda machine: machine.run(["sh", "-c", "echo out; echo err >&2; exit 42"], 20))
    assert (ran.code, ran.out, ran.err) == (42, "out\n", "err\n")


def test_its_input_is_empty(host) -> None:
    ran = on(host, lambda machine: machine.run(["cat"], 20))
    assert (ran.code, ran.out, ran.timed_out) == (0, "", False)


@pytest.mark.parametrize(("argv", "says"), [(["no-such-program"], "is missing on web-1"), (["/etc/group"], "may not be executed")])
def test_a_program_that_is_not_there_never_ran(host, argv, says) -> None:
    with pytest.raises(CannotRun, match=says):
        on(host, lambda machine: machine.run(argv, 20))


def test_a_program_that_ends_with_127_and_says_something_did_run(host) -> None:
    ran = on(host, lambda machine: machine.run(["sh", "-c", "echo here; exit 127"], 20))
    assert (ran.code, ran.out) == (127, "here\n")


def test_fifty_megabytes_are_taken_and_the_first_are_kept(host) -> None:
    script = "head -c 50000000 /dev/zero | tr '\\0' x; echo end >&2; exit 3"
    ran = on(host, lambda machine: machine.run(["sh", "-c", script], 120, 1000))
    assert (ran.code, ran.out, ran.err, ran.cut) == (3, "x" * 1000, "end\n", True)


def test_secrets_are_masked_across_the_cap_too(host) -> None:
    ran = on(host, lambda machine: machine.run(["echo", "password=hunter2 0123456789geheim"], 20, 30, secrets=["geheim"]))
    assert "hunter2" not in ran.out and "geh" not in ran.out and ran.cut


def test_what_runs_too_long_is_ended_there(host, place: Place) -> None:
    if not place.accounts:
        pytest.skip("sshd ends programs for other users than its own only")

    span = unique_span()

    async def long(machine: Machine):
        ran = await machine.run(["sh", "-c", f"echo begun; sleep {span}"], 1.5)
        for _ in range(200):
            if not running("sleep", span):
                break
            await asyncio.sleep(0.05)
        return ran

    ran = on(host, long)
    assert (ran.timed_out, ran.out) == (True, "begun\n")
    assert not running("sleep", span)


def test_a_program_that_a_signal_ended_may_have_done_its_work(host) -> None:
    with pytest.raises(CannotReach, match="without an exit status") as away:
        on(host, lambda machine: machine.run(["sh", "-c", "kill -9 $PPID"], 20))
    assert (away.value.reason, away.value.begun) == ("undecided", True)


def test_a_connection_that_is_cut_while_a_program_runs_is_no_verdict_and_the_next_one_works(sshd, key: Path) -> None:
    daemon, span = sshd(), unique_span()

    async def twice(machine: Machine):
        async def cut() -> None:
            while not running("sleep", span):
                await asyncio.sleep(0.05)
            daemon.cut()

        task = asyncio.create_task(cut())
        with pytest.raises(CannotReach, match="was cut while") as away:
            await machine.run(["sleep", span], 30)
        await task
        return away.value, await machine.run(["echo", "again"], 20)

    away, again = on(daemon.host(key), twice)
    assert (away.reason, away.begun, again.out) == ("reset", True, "again\n")


def test_a_kept_connection_that_died_meanwhile_is_replaced_before_anything_is_handed_over(sshd, key: Path) -> None:
    daemon = sshd()

    async def twice(machine: Machine):
        await machine.run(["true"], 20)
        daemon.cut()
        return await machine.run(["echo", "once"], 20)

    assert on(daemon.host(key), twice).out == "once\n"


def test_one_connection_serves_all_commands(sshd, key: Path) -> None:
    daemon = sshd()

    async def many(machine: Machine):
        await asyncio.gather(*(machine.run(["true"], 30) for _ in range(12)))
        return len(daemon.connections())

    assert on(daemon.host(key), many) == 1
    assert (daemon.folder / "log").read_text().count("Accepted publickey") == 1


def test_more_sessions_than_the_host_allows_are_said_so(sshd, key: Path) -> None:
    daemon, span = sshd("MaxSessions 1"), unique_span()

    async def two(machine: Machine):
        first = asyncio.create_task(machine.run(["sleep", span], 60))
        while not running("sleep", span):
            await asyncio.sleep(0.05)
        with pytest.raises(CannotReach, match="opens no more sessions") as away:
            await machine.run(["true"], 20)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        return away.value

    away = on(daemon.host(key), two)
    assert (away.reason, away.begun) == ("protocol", False)


# --- files ------------------------------------------------------------------------------------------------------------


def test_files_are_those_that_this_machine_reads_itself(host, place: Place) -> None:
    folder = place.folder / "files"
    folder.mkdir()
    contents = {
        "a1": b"one",
        "a2": b"\x00\xff\n\n",
        "empty": b"",
        "with space": b"x\n==> /etc/passwd <==\ny",
        "b": b"two\n",
        ".a3": b"h",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    paths = [f"{folder}/{name}" for name in ("a*", "empty", "with space", "none", "no*such", ".a3")] + [str(folder)]
    there = on(host, lambda machine: machine.read(paths, 20))
    assert there == asyncio.run(Here().read(paths, 20))
    assert there[f"{folder}/with space"] == contents["with space"] and len(there) == 5


def test_files_of_the_kernel_are_read_in_one_exchange(host) -> None:
    found = on(host, lambda machine: machine.read(["/proc/stat", "/proc/[0-9]*/stat", "/proc/meminfo", "/proc/1/mem"], 30))
    assert found["/proc/stat"].startswith(b"cpu ") and b"MemTotal" in found["/proc/meminfo"]
    assert found["/proc/1/stat"].startswith(b"1 (") and "/proc/1/mem" not in found


def test_a_file_is_read_up_to_the_cap(host) -> None:
    assert on(host, lambda machine: machine.read(["/etc/passwd"], 20, 5)) == {"/etc/passwd": Path("/etc/passwd").read_bytes()[:5]}


def test_no_file_at_all_is_an_empty_answer(host) -> None:
    assert on(host, lambda machine: machine.read(["/no/such/file"], 20)) == {}


def test_a_file_that_never_ends_is_a_time_out(host, place: Place) -> None:
    fifo = place.folder / "fifo"
    subprocess.run(["mkfifo", "-m", "644", fifo], check=True)
    with pytest.raises(TimeoutError, match="took longer than"):
        on(host, lambda machine: machine.read([str(fifo)], 1.5))


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_every_sh_reads_the_same(shell, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "a b").write_text("x")
    (tmp_path / "c*").write_text("y\n")
    mark, argv = "/." * 3, [shell, *(["sh"] if shell == "busybox" else []), "-c", HEAD, "forewarn"]
    ran = subprocess.run([*argv, mark, "9", f"{mark}{tmp_path}/a*", f"{mark}{tmp_path}/none"], capture_output=True)
    assert ran.stdout.startswith(mark.encode() + b"\n")
    assert parted(ran.stdout, ran.stderr, mark) == {f"{tmp_path}/a b": b"x"}
