"""Begins what was decided and stored when its time has come, and reports what came of it as an input.

Truth after a crash. An action is claimed in the ledger immediately before it begins and is done by the commit that takes
its result. Dying between the two leaves it "in flight", and the core decides at the next start whether it is repeated
(`again`: webhooks, reading steps) or unknown. So nothing is claimed ahead: what was looked at and can't begin now is
given back in the same breath. A result that the core could not take is kept and reported again, never performed again.

Order. The ledger hands out what is urgent first (model/actions.py `urgency`): pages by level, then asks and steps, then
notices; pages have slots of their own. One address gets two things at a time, and one more if that is a page; one message
leaves once at a time. Where the first things have no room (one address is slow), it looks further back, so that they do not
stand in the way of the others. Retries are the core's matter: they come as new actions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog

from forewarn.model.actions import Action, Look, RunStep
from forewarn.model.errors import StoreError
from forewarn.model.inputs import Delivered, Looked, StepEnded
from forewarn.model.map import Channel
from forewarn.model.message import Message, MessageKind, MessageState
from forewarn.model.settings import Settings
from forewarn.ports import Clock, Ledger, StepRunner, Transport
from forewarn.runtime.budget import Budgets
from forewarn.runtime.perform import Performer, RunOnce, channel_of
from forewarn.runtime.slots import LANE, Job, Room
from forewarn.runtime.telemetry import Telemetry

log = structlog.get_logger("forewarn.outbox")
Result = Delivered | StepEnded | Looked

LOOK = 256  # due actions that are looked at together
LOOKS = 4  # how often in one round, while there is room
LEASE_S = 60.0  # beyond the time-out of a delivery; what takes longer is renewed by the rounds
SLEEP_S = 30.0  # the wall clock may be set: look again after so long at most
PAUSE_S = 1.0  # until the next look while something due has no room, or the store fails


class Outbox:
    """`run` is the task, `wake` says that something was stored, `drain` ends it. All on the loop's thread.

    `report` returns when the result has been stored. `thread` is the one on which the ledger is written. Start it only
    after the core has taken `Started`: until then actions of an earlier process are nobody's to touch.
    """

    def __init__(
        self,
        ledger: Ledger,
        settings: Callable[[], Settings],
        clock: Clock,
        transports: Callable[[], Mapping[str, Transport]],
        steps: Mapping[str, StepRunner],
        run_once: RunOnce,
        report: Callable[[Result], Awaitable[object]],
        thread: Executor,
        *,
        me: str = "forewarn",
        telemetry: Telemetry | None = None,
    ) -> None:
        self._ledger, self._settings, self._clock = ledger, settings, clock
        self._telemetry = telemetry or Telemetry()
        self._performer = Performer(settings, clock, transports, steps, run_once, self._telemetry)
        self._report, self._thread, self._me = report, thread, me
        self._budgets = Budgets(lambda: settings().daemon.budgets)
        self._wake, self._turn = asyncio.Event(), asyncio.Lock()
        self._stopping = False
        self._busy: dict[str, Job] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended: dict[str, Result] = {}  # performed, and not yet taken by the core
        self._oldest: datetime | None = None  # of what is due and waits for room

    @property
    def busy(self) -> int:
        """How many actions are at work."""
        return len(self._busy)

    @property
    def age_s(self) -> float:
        """How long the oldest action that is due has been waiting to begin; 0 where none waits."""
        return max(0.0, (self._clock.now() - self._oldest).total_seconds()) if self._oldest else 0.0

    def saying(self, run: str) -> str:
        """What the step of `run` that is under way has said so far."""
        return self._performer.saying(run)

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Until `drain`. A store that fails is tried again; it never ends this."""
        while not self._stopping:
            self._wake.clear()
            async with self._turn:
                delay = await self._round()
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._wake.wait()

    async def drain(self, timeout_s: float) -> bool:
        """Begin nothing more and wait for what is at work; True if all of it ended and was taken in time.

        What is still at work then is given up; it stays "in flight" in the ledger.
        """
        self._stopping = True
        self.wake()
        async with self._turn:
            pass  # a round that is under way gives back what it claimed
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_s)
        left = set(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        return not left and not self._ended

    async def _round(self) -> float:
        """Begin what can begin; answers how many seconds to sleep unless woken."""
        loop = asyncio.get_running_loop()
        try:
            jobs, delay = await loop.run_in_executor(self._thread, self._pick, dict(self._busy), self._settings())
            if self._stopping:
                await loop.run_in_executor(self._thread, self._ledger.release, [job.action.id for job in jobs])
                return 0.0
        except StoreError as error:
            log.error("outbox_cannot_claim", error=str(error))
            return PAUSE_S
        for job in jobs:
            self._begin(job)
        return delay

    def _begin(self, job: Job) -> None:
        self._busy[job.action.id] = job
        task = asyncio.create_task(self._perform(job), name=f"outbox {job.action.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _perform(self, job: Job) -> None:
        id = job.action.id
        try:
            if id not in self._ended:
                self._ended[id] = result = await self._result(job)
                if isinstance(result, Delivered) and result.retry_after_s and job.account:
                    self._budgets.close(job.account, self._clock.now() + timedelta(seconds=result.retry_after_s))
            await self._report(self._ended[id])
            del self._ended[id]
        except Exception:  # the core's failure; performing the action again would be worse than a late result
            log.exception("result_not_taken", action=id)
        finally:
            del self._busy[id]
            self.wake()

    async def _result(self, job: Job) -> Result:
        if isinstance(job.action, RunStep):
            return await self._performer.step(job.action)
        if isinstance(job.action, Look):
            return await self._performer.look(job.action)
        assert job.message is not None
        return await self._performer.send(job.action, job.message)

    # --- on the store's thread ----------------------------------------------------------------------------------------

    def _pick(self, busy: Mapping[str, Job], settings: Settings) -> tuple[list[Job], float]:
        """Claim what may begin now and give back the rest; also how long to sleep after that."""
        now = self._clock.now()
        until = now + timedelta(seconds=LEASE_S + settings.daemon.send_timeout_s)
        room, picked, back, pause_s = Room(busy.values()), list[Job](), list[str](), SLEEP_S
        for _ in range(LOOKS):
            claimed = self._ledger.claim(self._me, now, until, LOOK)
            known = [job for action in claimed if action.id not in busy and (job := self._known(action, settings))]
            for job in known:
                if not self._affordable(job, now):
                    back.append(job.action.id)
                    pause_s = min(pause_s, max(PAUSE_S, self._budgets.opens_in_s(job.account, now)))
                elif room.take(job):
                    picked.append(job)
                    self._budgets.spend(job.account, now)
                else:
                    back.append(job.action.id)
                    pause_s = PAUSE_S
            if len(claimed) < LOOK or not room.has_slot(page=bool(known) and known[-1].page):
                break
        if back:
            self._ledger.release(back)
        at = self._ledger.next_action_at()
        self._oldest = at if at and at <= now else None
        if back:
            return picked, pause_s
        wait_s = (at - self._clock.now()).total_seconds() if at else SLEEP_S
        return picked, min(SLEEP_S, max(0.01, wait_s))

    def _affordable(self, job: Job, now: datetime) -> bool:
        """Whether the provider takes it now; what it does not take waits, and /metrics counts it once for each look."""
        if not job.account or self._budgets.allows(job.account, job.action.urgency, now):
            return True
        self._telemetry.count("forewarn_budget_waits_total", provider=job.account.partition(" ")[0])
        return False

    def _known(self, action: Action, settings: Settings) -> Job | None:
        """The job that an action stands for; None (and it is done) for a message that has been overtaken."""
        if isinstance(action, RunStep):
            return Job(action, None, ((f"run {action.run}", 1), (f"at {action.where}", LANE)))
        if isinstance(action, Look):
            return Job(action, None, ((f"look {action.incident}", 1),))
        message = self._ledger.get(action.message)
        queued = isinstance(message, Message) and message.state is MessageState.QUEUED
        if not isinstance(message, Message) or not (queued or action.id in self._ended):
            self._ledger.done(action.id, self._clock.now())
            return None
        channel = channel_of(settings, message, action.channel)
        lane = LANE + (message.kind is MessageKind.PAGE)
        place = ((f"{channel.kind} {_host(channel)}", lane),) if channel else ()
        return Job(action, message, ((message.id, 1), *place), _account(channel))


def _account(channel: Channel | None) -> str:
    """The provider and whose account there, as its address says; nothing where there is no address."""
    scheme, _, _ = (channel.url.reveal() if channel else "").partition("://")
    return f"{scheme} {_host(channel)}" if channel and scheme else ""


def _host(channel: Channel) -> str:
    try:
        return urlsplit(channel.url.reveal()).hostname or ""
    except ValueError:
        return ""
