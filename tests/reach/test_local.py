"""Running programs here: deadlines, caps, what is left behind, what must not be seen."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable

import pytest

from forewarn.reach.local import WATCHER, CannotRun, Ran, run


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_output_and_code() -> None:
    ran = await run(["sh", "-c", "echo out; echo err >&2; exit 3"], 5)
    assert ran == Ran(code=3, out="out\n", err="err\n", cut=False, timed_out=False)


async def test_arguments_are_no_shell() -> None:
    ran = await run(["printf", "%s|", "a b", "$(id)", "; true", "*"], 5)
    assert ran.out == "a b|$(id)|; true|*|"


async def test_the_whole_group_dies_at_the_deadline() -> None:
    begun = time.monotonic()
    ran = await run(["sh", "-c", "sleep 30 & echo $!; sleep 30"], 0.2)
    assert ran.timed_out and ran.code == -9 and time.monotonic() - begun < 10.0
    for _ in range(100):
        if not alive(int(ran.out)):
            break
        await asyncio.sleep(0.01)
    assert not alive(int(ran.out))


async def test_a_program_that_ignores_signals_dies_too() -> None:
    ran = await run(["sh", "-c", "trap '' TERM INT HUP; while :; do sleep 0.05; done"], 0.2)
    assert ran.timed_out


async def test_a_child_that_keeps_the_pipe_open_holds_nobody() -> None:
    begun = time.monotonic()
    ran = await run(["sh", "-c", "sleep 3 & echo done"], 5)
    assert (ran.code, ran.out, ran.timed_out) == (0, "done\n", False)
    assert time.monotonic() - begun < 10.0


async def test_a_flood_on_both_streams_is_capped_and_does_not_stop_the_program() -> None:
    code = "import sys\nfor _ in range(500):\n sys.stdout.write('o' * 10000)\n sys.stderr.write('e' * 10000)\nsys.exit(7)"
    ran = await run(python(code), 10, cap_bytes=1000)
    assert (ran.code, ran.out, ran.err, ran.cut) == (7, "o" * 1000, "e" * 1000, True)


async def test_exactly_the_cap_is_not_cut() -> None:
    ran = await run(["printf", "12345"], 5, cap_bytes=5)
    assert (ran.out, ran.cut) == ("12345", False)


async def test_secrets_are_masked_also_across_the_cap() -> None:
    ran = await run(["printf", "%s", "say s3cr3t-word twice s3cr3t-word"], 5, secrets=["s3cr3t-word"])
    assert ran.out == "say *** twice ***"
    for cap in range(1, 30):
        ran = await run(["printf", "%s", "ab " + "s3cr3t-word" + " rest of it " * 9], 5, cap_bytes=cap, secrets=["s3cr3t-word"])
        assert "s3" not in ran.out and len(ran.out) <= cap, (cap, ran.out)
    ran = await run(["echo", "password=hunter2"], 5)
    assert "hunter2" not in ran.out


async def test_the_daemons_environment_stays_here(monkeypatch) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "hush")
    monkeypatch.setenv("LC_TIME", "C")
    ran = await run(["env"], 5, env={"GIVEN": "yes"})
    assert "hush" not in ran.out and "GIVEN=yes" in ran.out and "LC_TIME=C" in ran.out and "PATH=" in ran.out


async def test_input_is_empty() -> None:
    assert (await run(["cat"], 5)).code == 0


async def test_binary_output_survives() -> None:
    ran = await run(["printf", "\\377\\376\\000x"], 5)
    assert ran.out == "\ufffd\ufffd\0x"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["no-such-program-here"], 'the program "no-such-program-here" is missing: not on PATH'),
        (["/nowhere/at/all"], 'the program "/nowhere/at/all" is missing: no such file'),
        (["/etc"], 'the program "/etc" can\'t be started: Permission denied'),
        ([], "the argument vector is empty"),
        (["echo", "a\0b"], 'the program "echo" can\'t be started'),
    ],
)
async def test_what_cannot_run_says_why(argv: list[str], said: str) -> None:
    with pytest.raises(CannotRun) as caught:
        await run(argv, 5)
    assert said in str(caught.value)


async def test_a_cancelled_run_leaves_nothing_behind(tmp_path) -> None:
    pid = tmp_path / "pid"
    task = asyncio.create_task(run(["sh", "-c", f"echo $$ > {pid}; sleep 30"], 20))
    while not pid.exists() or not pid.read_text():
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(100):
        if not alive(int(pid.read_text())):
            break
        await asyncio.sleep(0.01)
    assert not alive(int(pid.read_text()))


async def test_many_at_once() -> None:
    rans = await asyncio.gather(*(run(["sh", "-c", f"echo {number}"], 10) for number in range(20)))
    assert [ran.out for ran in rans] == [f"{number}\n" for number in range(20)]


async def test_what_a_program_says_can_be_seen_while_it_runs(tmp_path) -> None:
    """Whole lines only, so that a secret in two writes is never seen in halves; masked as at the end."""
    gate = tmp_path / "go-on"
    code = (
        "import pathlib, sys, time\n"
        "print('first', flush=True); print('warned', file=sys.stderr, flush=True)\n"
        "sys.stdout.write('password=hun'); sys.stdout.flush()\n"
        f"while not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.01)\n"
        "print('ter2 my-own-secret'); print('last', end='')\n"
    )
    watched: list[Callable[[], str]] = []
    WATCHER.set(watched.append)
    task = asyncio.create_task(run(python(code), 20, secrets=["my-own-secret"]))
    async with asyncio.timeout(20):
        while not watched or watched[0]() != "first\nwarned":
            await asyncio.sleep(0.01)
    gate.touch()
    ran = await task
    assert ran.out == "first\npassword=*** ***\nlast"
    assert "hun" not in watched[0]()


async def test_what_is_seen_of_a_program_that_never_stops_talking_is_capped() -> None:
    watched: list[Callable[[], str]] = []
    WATCHER.set(watched.append)
    await run(python("print('x' * 9 + '\\n' * 1, end=''); print(('y' * 9 + '\\n') * 1000)"), 20, 100)
    assert len(watched[0]()) <= 100
