"""The console of a busy place, in a process of its own: the real application, ledger, poller, timer and sample store; only the
prober is made up, and answers at once. `console.py` starts it, asks it for pages and reads its figures.

    console_server.py FOLDER PROBES INCIDENTS EVERY_S    prints a line of JSON when it serves, and one for each line on stdin:
        begun      whether every target has been looked at
        settled    the collector leaves alone what is there, as in the daemon
        figures    those since the last
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import sys
import time
from asyncio import events
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from console_things import things
from tools import ROOT

sys.path.insert(0, str(ROOT / "agent"))
from forewarn.app.collector import begin, settle
from forewarn.app.daemon import SWITCH_S
from forewarn.app.quiet_server import QuietServer
from forewarn.config.load import load
from forewarn.core.sought import words_of
from forewarn.model.hindsight import Hindsight, Progress
from forewarn.model.probe import Probe, Target
from forewarn.model.series import Outcome, ProbeRun
from forewarn.model.settings import Settings
from forewarn.model.text import Say
from forewarn.ports import Kind
from forewarn.probers import PROBERS
from forewarn.runtime.clock import SystemClock
from forewarn.runtime.poller import Poller
from forewarn.store.ledger_sqlite import SqliteLedger
from forewarn.store.samples import SqliteSamples
from forewarn.web.app import build
from forewarn.web.columns import stored
from forewarn.web.links import Links

MOST_HELD_MS = 10.0
TOKEN = "the-token-of-the-benchmark-0123456789"
PROBE = """\
probe: bench
kind: http
every: {every_s}s
timeout: 3s
service: orders
targets: {{t: "http://127.0.0.1:1/"}}
rules:
  - {{name: slow, threshold: {{metric: total_s, stat: p95, window: 5m, above: 3s, clear_below: 2s}}, colour: yellow}}
  - {{name: slow-connect, threshold: {{metric: connect_s, above: 2s, clear_below: 1s, for: 30s}}, colour: yellow}}
  - {{name: promise, slo: {{objective: 99.5%, window: 30d}}}}
"""
COLUMNS = tuple((name, ()) for name in ("resolve_s", "connect_s", "first_byte_s", "total_s", "size_bytes"))


class Holds:
    """How long one callback kept the loop: the longest, and how many took over 10 ms. Time in which another thread had the
    interpreter counts, because the loop waits for it all the same; `own_ms` is the processor time of the loop's thread alone."""

    def __init__(self) -> None:
        self.longest_ms, self.own_ms, self.over = 0.0, 0.0, 0
        run = events.Handle._run

        def timed(handle: events.Handle) -> None:
            began, own = time.perf_counter(), time.thread_time()
            run(handle)
            took, spent = (time.perf_counter() - began) * 1000, (time.thread_time() - own) * 1000
            self.longest_ms, self.own_ms = max(self.longest_ms, took), max(self.own_ms, spent)
            if spent > MOST_HELD_MS:
                self.over += 1
                print(f"{spent:.1f} ms: {handle!r}", file=sys.stderr, flush=True)

        events.Handle._run = timed  # type: ignore[method-assign]

    def taken(self) -> dict[str, float]:
        found = {"hold_ms_max": self.longest_ms, "hold_own_ms_max": self.own_ms, "holds_over_10_ms": self.over}
        self.longest_ms, self.own_ms, self.over = 0.0, 0.0, 0
        return found


class Collections:
    """How long Python's collector kept everything, by processor time: the longest of its walks."""

    def __init__(self) -> None:
        self._longest_ms = self._began_s = 0.0
        gc.callbacks.append(self._heard)

    def _heard(self, phase: str, told: dict[str, int]) -> None:
        if phase == "start":
            self._began_s = time.thread_time()
            return
        took_ms = (time.thread_time() - self._began_s) * 1000
        self._longest_ms = max(self._longest_ms, took_ms)
        if took_ms > MOST_HELD_MS:
            print(f"{took_ms:.1f} ms: collected generation {told['generation']}", file=sys.stderr, flush=True)

    def taken_ms(self) -> float:
        found, self._longest_ms = self._longest_ms, 0.0
        return found


class Stats:
    """ports.Stats over the poller."""

    def __init__(self, poller: Poller, clock: SystemClock) -> None:
        self._poller, self._started = poller, clock.now()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._poller, name)

    def glance(self) -> Any:
        return self._poller.board.glance()

    def views(self, names: Any) -> Any:
        return self._poller.board.views(names)

    def started_at(self) -> datetime:
        return self._started

    def reloaded(self) -> None:
        return None

    def saying(self, run: str) -> str:
        return ""

    def troubles(self) -> list[Say]:
        return []


async def answer(probe: Probe, target: Target, at_s: float) -> ProbeRun:
    """As a shop that is up, with one in a hundred that can't be looked at."""
    late_s = max(0.0, time.time() - at_s)
    blind = hash(probe.name) % 100 == 0
    values = (0.0002, 0.0004, random.random() / 50, random.random() / 40, 512.0)
    if blind:
        return ProbeRun(
            probe=probe.name, target=target.name, at_s=at_s, outcome=Outcome.UNKNOWN, reason="permission", detail="no right",
            lateness_s=late_s,
        )  # fmt: skip
    return ProbeRun(
        probe=probe.name, target=target.name, at_s=at_s, outcome=Outcome.UP, columns=COLUMNS, values=values, lateness_s=late_s
    )


def settings(folder: Path, probes: int, every_s: int, now: datetime) -> Settings:
    (folder / "probes").mkdir(parents=True)
    (folder / "config").mkdir()
    (folder / "probes" / "bench.yaml").write_text(PROBE.format(every_s=every_s), "utf-8")
    (folder / "config" / "services.yaml").write_text(
        "services: {orders: {criticality: core, names: {en: Orders, zh: 订单}}}\n", "utf-8"
    )
    loaded = load(folder, PROBERS, now, {})
    one = loaded.probes["bench"]
    many = {name: replace(one, name=name, kind="bench") for name in (f"bench-{n:05}" for n in range(probes))}
    return replace(loaded, probes=many)


async def serve(folder: Path, probes: int, incidents: int, every_s: int) -> None:
    sys.setswitchinterval(SWITCH_S)
    begin()
    clock = SystemClock()
    found, holds, collections = settings(folder, probes, every_s, clock.now()), Holds(), Collections()
    ledger, samples = (
        SqliteLedger(folder / "ledger.db", clock.now(), texts=lambda thing: words_of(thing, found)),
        SqliteSamples(folder / "samples.db"),
    )
    fill(ledger, incidents, clock.now())
    pool = ThreadPoolExecutor(1)
    kinds = {"bench": Kind(options=dict, shape="async", make=lambda: answer)}
    poller = Poller(kinds, samples, clock, lambda moves: None, pool)
    await poller.start(found, [])
    links = Links(TOKEN, clock)

    async def nothing(*given: Any) -> Any:
        return None

    async def history(*asked: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(pool, stored, samples, *asked)

    app = build(
        ledger=ledger, stats=Stats(poller, clock), settings=lambda: found, commands=nothing, clock=clock, token=TOKEN,  # type: ignore[arg-type]
        links=links, metrics=lambda: "", reload=nothing, history=history, hindsight=lambda probe: Hindsight(progress=Progress.COUNTED),
    )  # fmt: skip
    server = QuietServer(
        app, host="127.0.0.1", port=0, log_config=None, access_log=False, lifespan="off", ws="none", timeout_keep_alive=300
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    print(json.dumps({"port": server.servers[0].sockets[0].getsockname()[1], "code": links.make()}), flush=True)

    def asked() -> None:
        match sys.stdin.readline():
            case "":
                server.leave()
            case "begun\n":
                print(json.dumps({"begun": not poller.board.waits()}), flush=True)
            case "settled\n":
                settle()
                print("{}", flush=True)
            case _:
                lateness = dict(zip(("late_p50_ms", "late_p99_ms"), poller.lateness_ms(), strict=True))
                held = {**holds.taken(), "gc_ms_max": collections.taken_ms()}
                print(json.dumps({**held, **lateness, "cpu_s": time.process_time()}), flush=True)

    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), asked)
    await serving
    await poller.stop()
    ledger.close()
    samples.close()


def fill(ledger: SqliteLedger, incidents: int, now: datetime) -> None:
    batch: list[Any] = []
    entries: list[Any] = []
    for found, lines in things(incidents, now):
        batch += found
        entries += lines
        if len(batch) > 2000:
            ledger.commit(batch, entries, [], {})
            batch, entries = [], []
    ledger.commit(batch, entries, [], {})


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), *map(int, sys.argv[2:5])))
