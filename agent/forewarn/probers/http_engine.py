"""The engine behind kind http: takes jobs, keeps a bound on open exchanges, and delivers each job exactly once.

A job goes the short way (plain.py) where its request is simple, and libcurl's (long_way.py) otherwise. Names are looked up
before either (names.py), so that a slow name server holds up nobody else.
"""

from __future__ import annotations

import asyncio
import resource
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import structlog

from forewarn.model.probe import Probe, Target
from forewarn.model.series import ProbeRun
from forewarn.ports import Deliver
from forewarn.probers import plain
from forewarn.probers.answer import Answer, Broken, explain, host_of
from forewarn.probers.ends import Ends
from forewarn.probers.http import HttpOptions, answered
from forewarn.probers.names import TIMEOUT_S, Found, Names
from forewarn.probers.reasons import Failure, Reason, down, failed, unknown
from forewarn.probers.talk import Talk, Talks

if TYPE_CHECKING:
    from forewarn.probers.long_way import LongWay

log = structlog.get_logger(__name__)

MOST = 4096
"""Exchanges that are open at once, file descriptors permitting."""
MOST_FILES = 65_536
MOST_ROUTES = 100_000
"""Targets whose way is remembered; beyond it all are found anew."""


class Route(NamedTuple):
    """How a target is reached: `way` is the short one, if it can go it; `name` is the host to look up, if it is one."""

    options: HttpOptions  # kept alive: the route stands under its identity
    way: plain.Way | None
    name: str | None
    port: int


@dataclass(slots=True, eq=False)
class Job:
    """One run. `resolve_s`: how long looking up the name took."""

    probe: Probe
    target: Target
    due_s: float
    deliver: Deliver
    at_s: float = 0.0
    begun: float = 0.0  # monotonic
    resolve_s: float = 0.0

    @property
    def lateness_s(self) -> float:
        return max(0.0, self.at_s - self.due_s)

    @property
    def took_s(self) -> float:
        return time.monotonic() - self.begun


class HttpEngine:
    """Runs http probes. Made once for the process; used on one event loop, which it learns at the first submit."""

    def __init__(self, most: int | None = None, *, short: bool = True, names: Names | None = None) -> None:
        """`short`: whether simple requests go the short way; without it all go libcurl's."""
        self._most = most or _room()
        self._short = short
        self._names = names or Names()
        self._long: LongWay | None = None
        self._talks: Talks | None = None
        self._routes: dict[tuple[str, int], Route] = {}
        self._ends = Ends()
        self._waiting: deque[Job] = deque()
        self._asking: set[Job] = set()
        self._refilling: asyncio.Handle | None = None

    @property
    def open(self) -> int:
        """Runs that are under way."""
        return len(self._asking) + (len(self._long) if self._long else 0) + (len(self._talks) if self._talks else 0)

    @property
    def waiting(self) -> int:
        """Runs that wait for room."""
        return len(self._waiting)

    def submit(self, jobs: Sequence[tuple[Probe, Target, float]], deliver: Deliver) -> None:
        """Begin what there is room for, all in one go; the rest waits its turn (and its lateness shows it)."""
        self._waiting.extend(Job(probe, target, due_s, deliver) for probe, target, due_s in jobs)
        self._fill()

    async def close(self) -> None:
        """Deliver all that is under way as unknown (stopped)."""
        self._waiting, waiting = deque(), self._waiting
        stopped = unknown(Reason.STOPPED, "stopped while the run was under way")
        if self._long:
            waiting.extend(self._long.close())
            self._long = None
        if self._talks:
            waiting.extend(talk.job for talk in self._talks.close())
            self._talks = None
        waiting.extend(self._asking)
        self._asking.clear()
        self._names.close()
        for job in waiting:
            self._deliver(job, failed(job.probe, job.target, stopped, job.at_s or time.time()))

    # --- beginning ---

    def _fill(self) -> None:
        while self._waiting and self.open < self._most:
            self._begin(self._waiting.popleft())
        self._go()

    def _go(self) -> None:
        if self._long:
            self._long.go()

    def _begin(self, job: Job) -> None:
        job.at_s, job.begun = time.time(), time.monotonic()
        options: HttpOptions = job.probe.options  # type: ignore[assignment]
        key = (job.target.address, id(options))
        route = self._routes.get(key)
        if route is None:
            if len(self._routes) >= MOST_ROUTES:
                self._routes.clear()
            route = self._routes[key] = _route(options, job.target.address, self._short)
        if route.name is None:
            self._reach(job, route, None)
        elif found := self._names.known(route.name, options.ip or 0):
            self._reach(job, route, found)
        else:
            self._asking.add(job)
            wait_s = min(TIMEOUT_S, job.probe.timeout_s)
            self._names.ask(route.name, options.ip or 0, lambda found: self._looked_up(job, route, found, wait_s), wait_s)

    def _looked_up(self, job: Job, route: Route, found: Found, wait_s: float) -> None:
        if job not in self._asking:
            return
        self._asking.discard(job)
        job.resolve_s = time.monotonic() - job.begun
        if found.addresses:
            self._reach(job, route, found)
            self._go()
            return
        host = host_of(job.target.address)
        said = f"the name {host} was not resolved within {wait_s:g} s" if found.late else f"the name {host} has no address"
        self._refuse(job, down(Reason.RESOLVE, said))
        self._refill_soon()

    def _reach(self, job: Job, route: Route, found: Found | None) -> None:
        """Begin the exchange; what can't be begun is delivered at once."""
        way = route.way
        if way is not None and (way.address or (found and len(found.addresses) == 1)):
            address = way.address or plain.place(way, found.addresses[0])  # type: ignore[union-attr]
            try:
                talk = plain.talk(job, way, address, max(0.001, job.probe.timeout_s - job.resolve_s), self._ends)
            except plain.Untrusted as error:
                self._refuse(job, unknown(Reason.MISSING, f"the certificates to trust can't be read: {error}"))
                return
            except OSError as error:
                self._refuse(job, unknown(Reason.NO_NETWORK, f"this machine has no socket left: {(error.strerror or '').lower()}"))
                return
            if self._talks is None:
                self._talks = Talks(self._talked)
            self._talks.begin(talk)
            return
        if self._long is None:
            from forewarn.probers.long_way import LongWay

            self._long = LongWay(self._ended, self._ends)
        place = None if route.name is None else f"{route.name}:{route.port}"
        if failure := self._long.begin(job, place, found.addresses if found else ()):
            self._refuse(job, failure)

    def _refuse(self, job: Job, failure: Failure) -> None:
        self._deliver(job, failed(job.probe, job.target, failure, job.at_s, job.lateness_s, job.took_s))

    # --- ending ---

    def _talked(self, talk: Talk) -> None:
        job: Job = talk.job
        over = time.monotonic()
        try:
            if talk.late or talk.error or talk.spoilt:
                broken = plain.broken(talk, job.target.address, job.resolve_s, over)
                run = failed(job.probe, job.target, explain(broken), job.at_s, job.lateness_s, over - job.begun)
            else:
                answer = plain.answer(talk, job.target.address, job.resolve_s, over, self._ends)
                run = answered(job.probe, job.target, answer, job.at_s, job.lateness_s, over - job.begun)
        except Exception as error:
            run = self._bug(job, error)
        self._deliver(job, run)
        if self._waiting:
            self._refill_soon()

    def _ended(self, job: Job, came: Answer | Broken | Exception) -> None:
        try:
            if isinstance(came, Exception):
                raise came
            if isinstance(came, Broken):
                run = failed(job.probe, job.target, explain(came), job.at_s, job.lateness_s, job.took_s)
            else:
                run = answered(job.probe, job.target, came, job.at_s, job.lateness_s, job.took_s)
        except Exception as error:
            run = self._bug(job, error)
        self._deliver(job, run)
        if self._waiting:
            self._refill_soon()

    def _bug(self, job: Job, error: Exception) -> ProbeRun:
        log.error("probe_bug", probe=job.probe.name, target=job.target.name, exc_info=error)
        said = unknown(Reason.BUG, f"our own code failed: {type(error).__name__}; the trace is in the log")
        return failed(job.probe, job.target, said, job.at_s, job.lateness_s)

    def _refill_soon(self) -> None:
        if not self._refilling:
            self._refilling = asyncio.get_running_loop().call_soon(self._refill)

    def _refill(self) -> None:
        self._refilling = None
        self._fill()

    def _deliver(self, job: Job, run: ProbeRun) -> None:
        try:
            job.deliver(run)
        except Exception:  # the taker's bug must not cost the other jobs of this wake-up their results
            log.exception("deliver_bug", probe=job.probe.name, target=job.target.name)


def _route(options: HttpOptions, url: str, short: bool) -> Route:
    """The way to a target; what is no address is left to libcurl, which says what is wrong with it."""
    way = plain.way(options, url) if short else None
    if way is not None:
        return Route(options, way, None if way.address else way.host, way.port)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return Route(options, None, None, 0)
    is_name = parts.scheme in ("http", "https") and plain.is_name(host) and not options.proxy
    return Route(options, None, host if is_name else None, port)


def _room() -> int:
    """How many exchanges may be open at once: half of the file descriptors that we may have, MOST at the most."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return MOST if soft == resource.RLIM_INFINITY else max(16, min(MOST, soft // 2))
