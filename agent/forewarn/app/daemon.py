"""The daemon: every part made, wired, started, and stopped in reverse.

Teardown is registered as soon as each part exists. On SIGTERM or SIGINT: stop probing, let deliveries and steps reach
their end (bounded), take their results, close the stores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
from concurrent.futures import Executor
from contextlib import AsyncExitStack, nullcontext, suppress
from functools import partial
from pathlib import Path

import structlog
from starlette.applications import Starlette

from forewarn import __version__
from forewarn.app import banner, collector, journal, upkeep
from forewarn.app.changes.finder import Finder
from forewarn.app.files_watch import Snapshot
from forewarn.app.front import Front
from forewarn.app.full_disk import with_room
from forewarn.app.hindsight import Hindsights
from forewarn.app.loading import load_apart
from forewarn.app.reload import Body, applied, refused
from forewarn.app.selfcare import SelfCare
from forewarn.app.starting import bound, owned, pool
from forewarn.app.stats import HELPS, LiveStats, metrics
from forewarn.config import find
from forewarn.core.sought import words_of
from forewarn.core.work import Decision, State, state_of
from forewarn.model.actions import RunStep, Send
from forewarn.model.errors import Busy, ConfigError, ForewarnError
from forewarn.model.incident import LIVE, IncidentState
from forewarn.model.inputs import Delivered, Measured, Moved, Reloaded, StepEnded
from forewarn.model.settings import Settings
from forewarn.model.text import say
from forewarn.ports import Stored
from forewarn.reach.connection import Shared
from forewarn.reach.fleet import Fleet
from forewarn.runtime import log as logging
from forewarn.runtime.clock import SystemClock
from forewarn.runtime.inbox import Inbox
from forewarn.runtime.measures import Measures
from forewarn.runtime.outbox import Outbox
from forewarn.runtime.poller import Poller
from forewarn.runtime.schedule import Schedule
from forewarn.runtime.sight import Sight
from forewarn.runtime.state_folder import StateFolder
from forewarn.runtime.supervise import Notifier, start
from forewarn.runtime.telemetry import Telemetry
from forewarn.steps import build as build_steps
from forewarn.store.ledger_sqlite import SqliteLedger
from forewarn.store.samples import SqliteSamples
from forewarn.transports import build as build_transports

log = structlog.get_logger("forewarn.daemon")
DRAIN_S = 5.0
FIRST_LOOK_S = 4.0
MEASURE_S = 5.0
CHANGES_S = 120.0
PULSE_S = 10.0
LOCAL = "127.0.0.1"
SWITCH_S = 0.0001
"""Each call on a socket lets other threads run; by Python's own 5 ms a busy one would hold up the loop at each of them."""


def main(args: argparse.Namespace) -> int:
    """Run the daemon until it is told to stop. 0 after a clean stop, 1 when another one runs, 2 for bad files."""
    clock = SystemClock()
    try:
        folder = find.folder(args.config, os.environ)
        door = bound(LOCAL, 0) if args.port == 0 else None  # the files may name the port: a free one is found before they are read
        asked = door.getsockname()[1] if door else args.port
        given = {} if asked is None else {"FOREWARN_PORT": str(asked)}
        loaded = Snapshot.of(folder)
        settings = load_apart(folder, clock.now(), {**os.environ, **given})
    except ConfigError as error:
        print("\n".join(map(str, error.problems)), file=sys.stderr)
        print(f"{len(error.problems)} problems in {error.files} files; nothing was started.", file=sys.stderr)
        return 2
    except ForewarnError as error:
        print(error, file=sys.stderr)
        return 2
    logging.set_up(clock.now, settings.daemon.zone, as_json=args.log == "json")
    place = StateFolder(Path(args.state)) if args.state else StateFolder.named(os.environ)
    try:
        full = owned(place)
    except (Busy, ForewarnError) as error:
        print(error, file=sys.stderr)
        return 1
    try:
        if door is None or settings.daemon.host != LOCAL:
            door = bound(settings.daemon.host, settings.daemon.port if args.port is None else args.port)
        port = door.getsockname()[1]
        if str(port) != given.get("FOREWARN_PORT", str(settings.daemon.port)):  # the files ask for a free one: now it is known
            settings = load_apart(folder, clock.now(), {**os.environ, "FOREWARN_PORT": str(port)})
        sys.setswitchinterval(SWITCH_S)
        collector.begin()
        asyncio.run(Daemon(settings, place, clock, door, loaded, full).run())
    except ForewarnError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        (place.path / "daemon.json").unlink(missing_ok=True)
        place.close()
    return 0


class Daemon:
    """One running daemon. `run` returns after a clean stop."""

    def __init__(
        self, settings: Settings, place: StateFolder, clock: SystemClock, door: socket.socket, loaded: Snapshot, full: bool
    ) -> None:
        """`door` listens where the console is to answer; `loaded` are the files as they were before they were read; `full`:
        the ballast was needed already."""
        self._loaded, self._full = loaded, full
        self._settings, self._place, self._clock, self._door = settings, place, clock, door
        self._port: int = door.getsockname()[1]
        self._stop = asyncio.Event()
        self._reloading = asyncio.Lock()
        self._settling = collector.Settling(lambda: self._poller.board.waits())
        self._beats = 0
        self._said = ""

    async def run(self) -> None:
        async with AsyncExitStack() as stack:
            stack.callback(self._door.close)
            await self._open(stack)
            await self._recover()
            await self._serve()
            async with asyncio.TaskGroup() as group:
                tasks = self._start(group)
                tasks += await self._begin(stack)
                await self._stop.wait()
                await self._end(tasks)
                for task in tasks:
                    task.cancel()

    # --- parts ---

    async def _open(self, stack: AsyncExitStack) -> None:
        self._writer = pool(stack, "ledger", 1)
        self._sampler = pool(stack, "samples", 1)
        self._threads = pool(stack, "send", 8)
        self._fleet = Fleet(self._settings.hosts, Shared(tell=log.warning))
        stack.callback(self._fleet.close)
        now = self._clock.now()
        self._telemetry = Telemetry(HELPS)
        self._care = SelfCare(
            self._place, self._clock, lambda: self._settings, lambda: self._transports, self._writer, self._threads,
            self._telemetry, self._loaded,
        )  # fmt: skip
        if self._full:
            self._care.disk.begin()
        relieve, held = self._care.disk.relieve, lambda: self._care.disk.full
        keeper = partial(SqliteLedger, texts=lambda thing: words_of(thing, self._settings))
        self._ledger = await self._on(self._writer, with_room, relieve, keeper, self._place.ledger, now)
        stack.callback(self._ledger.close)
        self._samples = await self._on(self._sampler, with_room, relieve, SqliteSamples, self._place.samples)
        stack.callback(self._samples.close)
        self._stored: Stored = await self._on(self._writer, self._ledger.load)
        s = self._stored
        things = [
            *s.incidents, *s.findings, *s.dues, *s.holds, *s.messages, *s.runs, *s.measures, *s.guards, *s.changes, *s.scores
        ]  # fmt: skip
        state = state_of(self._settings, things, s.counters, s.first_start or now)
        self._inbox = Inbox(state, self._ledger, self._clock, self._writer, lambda: self._outbox.wake(), self._taken, relieve)
        sight = Sight(lambda: self._care.uplink.cut_off, self._care.uplink.suspect)
        self._poller = Poller(
            self._care.kinds(self._fleet), self._samples, self._clock, self._moved, self._sampler, relieve, held, sight,
            self._samples.states,
        )  # fmt: skip
        self._transports = build_transports(self._settings, self._threads)
        self._outbox = Outbox(
            self._ledger, lambda: self._inbox.state.settings, self._clock, lambda: self._transports,
            build_steps(self._poller.run_once, self._fleet), self._poller.run_once, self._inbox.deliver, self._writer, telemetry=self._telemetry,
        )  # fmt: skip
        self._care.attach(self._inbox, self._poller, self._outbox)
        self._stats = LiveStats(self._poller, self._inbox, self._outbox, now, self._care)
        self._schedule = Schedule(self._clock)
        self._upkeep = upkeep.Upkeep(
            self._samples, self._ledger, self._clock, self._writer, self._threads, lambda: self._inbox.state.settings.daemon
        )
        self._measures = Measures(self._samples)
        self._hindsights = Hindsights(self._place.samples, self._clock)
        stack.push_async_callback(self._hindsights.stop)
        self._notifier = Notifier()

    async def _on(self, pool: Executor, work, *given):  # type: ignore[no-untyped-def]
        return await asyncio.get_running_loop().run_in_executor(pool, work, *given)

    async def _recover(self) -> None:
        """What an earlier process had begun: repeat what may be repeated, call the rest unknown."""
        self._lost: list[Delivered | StepEnded] = []
        begun = await self._on(self._writer, self._ledger.actions, self._stored.in_flight) if self._stored.in_flight else []
        await self._on(self._writer, self._ledger.release, [action.id for action in begun if action.again])
        for action in begun:
            if action.again:
                continue
            if isinstance(action, Send):
                self._lost.append(Delivered(action=action.id, message=action.message, result="unknown", reason="restart"))
            elif isinstance(action, RunStep):
                self._lost.append(
                    StepEnded(action=action.id, run=action.run, step=action.step, result="unknown", summary="restart")
                )

    async def _serve(self) -> None:
        """The console and the API, on loopback."""
        from forewarn.app.quiet_server import QuietServer
        from forewarn.web.links import Links

        self._links = Links(self._place.token().reveal(), self._clock)
        self._front = Front(self._console)
        host = self._settings.daemon.host
        self._server = QuietServer(
            self._front, host=host, port=self._port, log_config=None, access_log=False, lifespan="off", ws="none"
        )
        self._server.capture_signals = nullcontext  # type: ignore[assignment]  # stopping is our own matter

    def _console(self) -> Starlette:
        """In a thread, when somebody asks for the first time."""
        from forewarn.web.app import build
        from forewarn.web.columns import stored

        return build(
            ledger=self._ledger,
            stats=self._stats,
            settings=lambda: self._inbox.state.settings,
            commands=self._inbox.command,
            clock=self._clock,
            token=self._place.token().reveal(),
            links=self._links,
            metrics=lambda: metrics(self._telemetry, self._stats, self._inbox, self._outbox, self._care),
            reload=self.reload,
            hindsight=self._hindsights.of,
            history=lambda *asked: self._on(self._sampler, stored, self._samples, *asked),
        )

    def _start(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        with suppress(NotImplementedError):
            for name in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(name, self._stop.set)
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._reload_soon)
        self._group = group
        return [
            start(group, "inbox", self._inbox.run, self._clock, essential=True),
            start(group, "console", self._web, self._clock, essential=True),
        ]

    async def _web(self) -> None:
        await self._server.serve(sockets=[self._door])

    async def _begin(self, stack: AsyncExitStack) -> list[asyncio.Task[None]]:
        """Lost results first, then probes, deliveries and the clock; at last the first words. Answers its tasks."""
        for lost in self._lost:
            self._inbox.put(lost)
        await self._inbox.idle()
        await self._poller.start(self._settings, list(self._inbox.state.findings.values()))
        stack.push_async_callback(self._schedule.stop)
        self._schedule.start()
        self._schedule.every(MEASURE_S, "measures", self._measure)
        self._schedule.every(upkeep.EVERY_S, "retention", self._upkeep.prune)
        memory = self._place.path / "changes.json"
        finder = Finder(self._inbox.command, lambda: self._inbox.state.settings, memory, self._clock)
        self._schedule.every(CHANGES_S, "changes", finder.job)
        if self._notifier.listening:
            self._schedule.every(min(PULSE_S, (self._notifier.watchdog_s or PULSE_S) / 3), "pulse", self._pulse)
        self._group.create_task(self._upkeep.index(), name="index")
        self._outbox_task = start(self._group, "outbox", self._outbox.run, self._clock, essential=True)
        self._wake_at(self._inbox.state)
        await self._care.disk.look()
        own = self._care.begin(self._group, self._schedule)
        self._write_address()
        await self._first_words()
        return [*own, self._group.create_task(self._settling.run(), name="settle")]

    async def _first_words(self) -> None:
        """Wait a moment for every target's first run, then say what can be seen and what can't."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_LOOK_S):
                while self._poller.board.waits():  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        address = f"http://{self._settings.daemon.host}:{self._port}/"
        link = None if self._notifier.listening else f"{address}link/{self._links.make()}"  # a journal has other readers
        print(f"Forewarn {__version__}")
        views = await self._poller.board.views(list(self._settings.probes))
        for line in banner.lines(views, self._settings, address, link, self._place.shown):
            print(line)
        sys.stdout.flush()
        self._notifier.ready(self._standing())
        collector.settle()

    def _write_address(self) -> None:
        fresh = self._place.path / "daemon.json.new"
        fresh.write_text(json.dumps({"host": self._settings.daemon.host, "port": self._port, "pid": os.getpid()}) + "\n")
        fresh.replace(self._place.path / "daemon.json")

    # --- running ---

    def _moved(self, moves: list[Moved]) -> None:
        for moved in moves:
            self._inbox.put(moved)

    def _taken(self, before: State, after: State, decision: Decision) -> None:
        """A decision is stored: tell the console, the log, and the clock."""
        self._front.publish(decision.entities)
        journal.told(before, after, decision)
        if before.next_at != after.next_at:
            self._wake_at(after)

    def _wake_at(self, state: State) -> None:
        """The daemon's one job for dues: it rings at the next one's moment."""
        if state.next_at:
            self._schedule.at(state.next_at, "dues", self._inbox.tick)

    async def _measure(self) -> None:
        for measure in await self._on(self._sampler, self._measures.due, self._inbox.state.settings, self._clock.now()):
            self._inbox.put(Measured(measure=measure))

    async def _pulse(self) -> None:
        """Tell systemd that the owner of all decisions got on since the last pulse, and how things stand. While it hangs
        nothing is told, and the watchdog starts us again; waiting for a full disk is no hanging: it tries, and beats."""
        if self._inbox.beats != self._beats:
            self._beats = self._inbox.beats
            self._notifier.alive()
        self._inbox.nudge()
        if (standing := self._standing()) != self._said:
            self._said = standing
            self._notifier.status(standing)

    def _standing(self) -> str:
        """One line for `systemctl status`."""
        incidents = self._inbox.state.incidents.values()
        ahead, live = (sum(one.state in states for one in incidents) for states in ((IncidentState.AHEAD,), LIVE))
        up, down, unknown = self._poller.board.outcomes().values()
        refused = "; a changed configuration was refused" if self._stats.refused else ""
        return f"{ahead} ahead, {live} open; targets: {up} up, {down} down, {unknown} cannot see{refused}"

    def _reload_soon(self) -> None:
        self._group.create_task(self.reload(), name="reload")

    async def reload(self) -> Body:
        """Read the files again: a good set is applied, a bad one is refused and the running one stays."""
        async with self._reloading:
            self._notifier.reloading(self._clock)
            try:
                return await self._reloaded()
            finally:
                self._notifier.ready(self._standing())

    async def _reloaded(self) -> Body:
        before, folder = self._settings, Path(self._settings.folder)
        try:
            environ = {**os.environ, "FOREWARN_PORT": str(self._port)}
            loaded = await asyncio.to_thread(Snapshot.of, folder)
            settings = await asyncio.to_thread(load_apart, folder, self._clock.now(), environ)
        except ConfigError as error:
            for problem in error.problems:
                log.error("config_refused", problem=str(problem))
            self._stats.refused = say("trouble.config", problems=len(error.problems), first=str(error.problems[0]))
            self._stats.newest_reload = refused(before, error)
            return dict(self._stats.newest_reload)
        self._stats.refused = None
        await self._inbox.deliver(Reloaded(settings))
        self._transports = build_transports(settings, self._threads)
        self._fleet.apply(settings.hosts)
        await self._poller.apply(settings)
        self._settling.again()
        self._settings = settings
        self._care.files.adopt(loaded)
        log.info("config_loaded", config=settings.id, files=settings.files)
        self._stats.newest_reload = applied(before, settings)
        return dict(self._stats.newest_reload)

    async def _end(self, tasks: list[asyncio.Task[None]]) -> None:
        log.info("stopping")
        self._notifier.stopping()
        await self._poller.stop()
        await self._outbox.drain(DRAIN_S)
        await self._inbox.idle()
        self._front.close()
        self._server.leave()
        await asyncio.wait(tasks[1:2], timeout=DRAIN_S)  # the console; the rest is cancelled
