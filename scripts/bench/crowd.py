"""The sample store at 35,000 series: they begin, are appended to and sealed while a loop wants its turn.

On a busy machine a pause of the loop says more about the machine than about us. So beside it stands what does not depend on others: the CPU
time of the longest single call that keeps the interpreter, which bounds how long anything of ours can hold up the loop.
"""

from __future__ import annotations

import asyncio
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools import ROOT

sys.path.insert(0, str(ROOT / "agent"))
from forewarn.model.series import SeriesId
from forewarn.ports import SampleRun
from forewarn.store.samples import SqliteSamples

TARGETS, EVERY_S, BATCH, CYCLES = 5_000, 10.0, 500, 150
METRICS = ("up", "resolve_s", "connect_s", "first_byte_s", "total_s", "status", "size_bytes")
SEALED_FROM = 120
SWITCH_S, BEAT_S = 0.0001, 0.001  # the daemon's switch interval
RELEASES = ("execute", "executemany", "fetchone", "fetchall", "__exit__", "__enter__", "__next__")
"""Calls of SQLite, which let others run while they work."""


def figures() -> dict[str, float]:
    """How long the beginning takes, what a sample costs, how late a loop is meanwhile, and what the store holds in memory."""
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    try:
        with tempfile.TemporaryDirectory(prefix="forewarn-crowd-") as folder, ThreadPoolExecutor(1) as thread:
            return asyncio.run(_figures(Path(folder), thread))
    finally:
        sys.setswitchinterval(before_s)


async def _figures(folder: Path, thread: ThreadPoolExecutor) -> dict[str, float]:
    cycles = _cycles()
    first = next(cycles)
    idle = await _late(asyncio.sleep(2.0))
    rss = _rss_mb()
    samples = SqliteSamples(folder / "samples.db")
    cost: list[float] = []
    append = _timed(samples.append_runs, cost)
    began = await _late(_appended(thread, append, first))
    found = {
        "crowd_series": float(TARGETS * len(METRICS)),
        "crowd_begin_cpu_s": sum(cost),
        "crowd_begin_longest_ms": max(cost) * 1000,
    }
    cost.clear()
    plain = await _late(_all(thread, append, (next(cycles) for _ in range(SEALED_FROM - 2))))
    found["crowd_rows_us"] = sum(cost) / ((SEALED_FROM - 2) * TARGETS * len(METRICS)) * 1e6
    cost.clear()
    sealed = await _late(_all(thread, append, (next(cycles) for _ in range(CYCLES - SEALED_FROM))))
    found |= {"crowd_append_longest_ms": max(cost) * 1000, "crowd_rss_mb": _rss_mb() - rss}
    holds: dict[str, float] = {}
    with _watched(holds):
        for batch in next(cycles):
            samples.append_runs(batch)
    samples.close()
    for name, late in (("idle", idle), ("begin", began), ("rows", plain), ("seal", sealed)):
        found |= {
            f"crowd_loop_late_{name}_p99_ms": late[int(0.99 * len(late))] * 1000,
            f"crowd_loop_late_{name}_max_ms": late[-1] * 1000,
        }
    return found | {"crowd_longest_hold_ms": max(holds.values(), default=0.0) * 1000}


def _cycles() -> Iterator[list[list[SampleRun]]]:
    """All targets once, in batches of a second."""
    chance = random.Random(7)
    plans = [tuple(SeriesId("shop", f"web-{n}", metric) for metric in METRICS) for n in range(TARGETS)]
    runs = [(1.0, *(round(chance.lognormvariate(-7, 0.35), 6) for _ in range(4)), 200.0, 98.0) for _ in range(997)]
    at_s = 1_790_000_000.0
    while True:
        at_s += EVERY_S
        step = [(plan, at_s + EVERY_S * n / TARGETS, runs[chance.randrange(997)]) for n, plan in enumerate(plans)]
        yield [step[begin : begin + BATCH] for begin in range(0, TARGETS, BATCH)]


async def _all(thread: ThreadPoolExecutor, append: Callable[..., None], cycles: Iterator[list[list[SampleRun]]]) -> None:
    for batches in cycles:
        await _appended(thread, append, batches)


async def _appended(thread: ThreadPoolExecutor, append: Callable[..., None], batches: list[list[SampleRun]]) -> None:
    for batch in batches:
        await asyncio.get_running_loop().run_in_executor(thread, append, batch)


async def _late(work: Any) -> list[float]:
    """How late a loop that wants to run every BEAT_S was, each time, in order, while the work went on beside it."""
    late, over = list[float](), False

    async def beat() -> None:
        loop = asyncio.get_running_loop()
        while not over:
            due_s = loop.time() + BEAT_S
            await asyncio.sleep(BEAT_S)
            late.append(loop.time() - due_s)

    beating = asyncio.create_task(beat())
    await work
    over = True
    await beating
    return sorted(late)


def _timed(work: Callable[..., None], cost: list[float]) -> Callable[..., None]:
    def timed(*given: object) -> None:
        began = time.thread_time()
        work(*given)
        cost.append(time.thread_time() - began)

    return timed


@contextmanager
def _watched(longest: dict[str, float]) -> Iterator[None]:
    """By name, the longest single call of C code that keeps the interpreter, in CPU time of this thread."""
    begun: list[float] = []

    def watch(_: object, event: str, of: Any) -> None:
        if event == "c_call":
            begun.append(time.thread_time())
        elif event in ("c_return", "c_exception") and begun:
            took = time.thread_time() - begun.pop()
            if (name := getattr(of, "__name__", "")) not in RELEASES and name not in (
                "join",
                "next",
                "list",
            ):  # these call Python again
                longest[name] = max(longest.get(name, 0.0), took)

    sys.setprofile(watch)
    try:
        yield
    finally:
        sys.setprofile(None)


def _rss_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6
