"""Performs one action with a transport or a step runner, and says what came of it. Never raises.

Whatever a transport's or runner's code does, an action ends: it is given up shortly after its time-out. What was given up
may have happened, so its result is unknown, unless the action may be repeated: then it has simply failed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from forewarn.model.actions import Look, RunStep, Send
from forewarn.model.errors import DeliveryError, Reason
from forewarn.model.incident import Testimony
from forewarn.model.inputs import Delivered, Looked, StepEnded
from forewarn.model.map import Channel
from forewarn.model.message import Envelope, Message, MessageKind
from forewarn.model.series import Outcome, ProbeRun
from forewarn.model.settings import Settings
from forewarn.model.text import harmless
from forewarn.ports import Clock, StepOutcome, StepRunner, Transport
from forewarn.reach.local import WATCHER
from forewarn.runtime.telemetry import Telemetry

log = structlog.get_logger("forewarn.outbox")
LOOK_S = 50.0
"""How long a witness may take; after 60 s its word is not waited for any more."""
GRACE_S = 2.0
"""How much longer than its time-out an action may take before it is given up."""

RunOnce = Callable[[str], Awaitable[Sequence[ProbeRun]]]
"""Runs a probe by its name, now; a run of each target."""


class Performer:
    """The hands of the outbox; of an action it keeps only what its program says while it runs."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        clock: Clock,
        transports: Callable[[], Mapping[str, Transport]],
        steps: Mapping[str, StepRunner],
        run_once: RunOnce,
        telemetry: Telemetry,
    ) -> None:
        self._settings, self._clock, self._transports = settings, clock, transports
        self._steps, self._run_once, self._telemetry = steps, run_once, telemetry
        self._saying: dict[str, Callable[[], str]] = {}  # run -> what its step has said so far

    async def send(self, action: Send, message: Message) -> Delivered:
        """Deliver `message` to the address that its recipient has now."""
        began = self._clock.monotonic()
        channel = channel_of(self._settings(), message, action.channel)
        sent = Delivered(action=action.id, message=message.id, result="sent")
        try:
            await self._deliver(channel, message)
            result = sent
        except DeliveryError as error:
            result = _failed(sent, error)
        except TimeoutError:
            result = _failed(sent, DeliveryError(Reason.TIMEOUT, "given up: no answer in time", maybe_sent=not action.again))
        except Exception as error:  # a transport's bug must not stop the others
            log.exception("transport_failed", message=message.id, channel=channel.kind if channel else None)
            result = _failed(sent, DeliveryError(Reason.BUG, type(error).__name__, permanent=True))
        result = replace(result, ms=(self._clock.monotonic() - began) * 1000)
        self._tell(result, message, channel.kind if channel else "none")
        return result

    async def _deliver(self, channel: Channel | None, message: Message) -> None:
        if channel is None:
            detail = f"{message.to} has no such address any more; look at the channels of {message.to} in the configuration"
            raise DeliveryError(Reason.ADDRESS, detail, permanent=True)
        transport = self._transports().get(channel.kind)
        if transport is None:
            raise DeliveryError(Reason.ADDRESS, f"nothing here can send to a {channel.kind} channel", permanent=True)
        limit_s = self._settings().daemon.send_timeout_s
        async with asyncio.timeout(limit_s + GRACE_S):
            await transport(envelope(message), channel, limit_s)

    def _tell(self, result: Delivered, message: Message, channel: str) -> None:
        kind, reason = message.kind.value, result.reason or ""
        self._telemetry.count("forewarn_deliveries_total", channel=channel, kind=kind, result=result.result, reason=reason)
        tell = log.info if result.result == "sent" else log.warning
        fields = {"incident": message.incident, "message": message.id, "to": message.to, "channel": channel}
        tell(f"{kind}_{result.result}", **fields, ms=round(result.ms or 0), reason=result.reason, detail=result.detail)

    async def step(self, action: RunStep) -> StepEnded:
        """Run one step of a playbook."""
        try:
            outcome = await self._run(action)
        except TimeoutError:
            outcome = StepOutcome(result="unknown", summary=f"given up after {action.timeout_s:g} s")
        except Exception as error:  # a runner's bug must not stop the others
            log.exception("step_failed", run=action.run, step=action.step)
            outcome = StepOutcome(result="unknown", summary=f"{Reason.BUG}: {type(error).__name__}; the trace is in the log")
        result = "failed" if outcome.result == "unknown" and action.again else outcome.result
        self._telemetry.count("forewarn_steps_total", kind=action.kind, result=result)
        log.info("step_ended", run=action.run, step=action.step, result=result, title=outcome.summary)
        return StepEnded(
            action=action.id, run=action.run, step=action.step, result=result, summary=outcome.summary, output=outcome.output,
            facts=outcome.facts,
        )  # fmt: skip

    async def look(self, action: Look) -> Looked:
        """Run the probes that were asked for, side by side."""
        heard = await asyncio.gather(*(self._testimony(name) for name in action.probes))
        log.info("witnesses_looked", incident=action.incident, heard={one.probe: one.outcome for one in heard})
        return Looked(action=action.id, incident=action.incident, heard=tuple(heard))

    async def _testimony(self, probe: str) -> Testimony:
        """All of its targets up is up, one down is down; anything else says nothing."""
        try:
            async with asyncio.timeout(LOOK_S):
                outcomes = {run.outcome for run in await self._run_once(probe)}
        except Exception as error:  # a prober's bug, or no answer in time: it has nothing to say
            log.warning("witness_silent", probe=probe, error=type(error).__name__)
            outcomes = set()
        known = Outcome.DOWN if Outcome.DOWN in outcomes else Outcome.UP if outcomes == {Outcome.UP} else Outcome.UNKNOWN
        return Testimony(probe, known.value, self._clock.now())

    async def _run(self, action: RunStep) -> StepOutcome:
        runner = self._steps.get(action.kind)
        if runner is None:
            return StepOutcome(result="failed", summary=f"no step of kind {action.kind} can be run here")
        WATCHER.set(lambda so_far: self._saying.__setitem__(action.run, so_far))  # seen by this task alone
        try:
            async with asyncio.timeout(action.timeout_s + GRACE_S):
                return await runner(action.spec, action.where, action.timeout_s)
        finally:
            self._saying.pop(action.run, None)

    def saying(self, run: str) -> str:
        """What the step of `run` that is under way has said so far; empty where none is, or it says nothing."""
        so_far = self._saying.get(run)
        return so_far() if so_far else ""


def channel_of(settings: Settings, message: Message, index: int) -> Channel | None:
    """Channel number `index` of the message's recipient as it stands now; None if it is gone or of another kind.

    Notices go to customers, pages and asks to people: a name that both have must not mix them up.
    """
    customer = message.kind is MessageKind.NOTICE
    recipient = settings.customers.get(message.to) if customer else settings.people.get(message.to)
    if recipient is None or not 0 <= index < min(len(recipient.channels), len(message.channels)):
        return None
    channel = recipient.channels[index]
    return channel if channel.kind == message.channels[index] else None


def envelope(message: Message) -> Envelope:
    """What a transport gets of a message."""
    return Envelope(
        message=message.id,
        kind=message.kind.value,
        subkind=message.subkind,
        to=message.to,
        subject=harmless(message.subject),
        text=harmless(message.text),
        key=message.key,
        language=message.language,
        incident=message.incident,
    )


def _failed(sent: Delivered, error: DeliveryError) -> Delivered:
    return replace(
        sent,
        result="unknown" if error.maybe_sent else "failed",
        reason=error.reason.value,
        detail=error.detail,
        permanent=error.permanent,
        retry_after_s=error.retry_after_s,
    )
