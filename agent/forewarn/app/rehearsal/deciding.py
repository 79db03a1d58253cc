"""Transitions of the past through decide(): incidents, pages and notices as they would have come.

What the world would have answered is assumed, and said in docs/rehearsal.md: every message arrives; whoever is called
takes it after ANSWERED and resolves it when it has been quiet for QUIET; nobody approves anything; steps that only look end well, a
step that changes something ends as unknown; a witness says what its samples say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count

from forewarn.app.rehearsal.watching import Timed
from forewarn.core.engine import decide
from forewarn.core.work import Decision, Entity, State
from forewarn.model.actions import Look, RunStep, Send
from forewarn.model.errors import ForewarnError
from forewarn.model.finding import Finding
from forewarn.model.incident import Incident, IncidentState, Testimony
from forewarn.model.inputs import Command, Delivered, Input, Looked, Measured, StepEnded, TimePassed
from forewarn.model.level import Level
from forewarn.model.message import Message, MessageKind
from forewarn.model.series import SeriesId
from forewarn.model.settings import Settings
from forewarn.model.text import Say
from forewarn.ports import Samples
from forewarn.runtime.measures import EVERY, Measures

ANSWERED, QUIET = timedelta(minutes=5), timedelta(minutes=30)
FRESH_S = 120.0
"""How old a sample may be that still says how a thing stands."""


@dataclass(slots=True)
class Told:
    """What a configuration came to, by id. `worst` is the gravest level that each incident had, `first` the words that a finding
    or incident began with."""

    settings: Settings
    findings: dict[str, Finding] = field(default_factory=dict)
    incidents: dict[str, Incident] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    worst: dict[str, Level] = field(default_factory=dict)
    first: dict[str, Say] = field(default_factory=dict)

    def pages(self) -> list[Message]:
        return [message for message in self.messages.values() if message.kind is MessageKind.PAGE]

    def notices(self) -> list[Message]:
        return [message for message in self.messages.values() if message.kind is MessageKind.NOTICE]

    def keep(self, thing: Entity) -> None:
        match thing:
            case Finding():
                self.findings[thing.id] = thing
                self.first.setdefault(thing.id, thing.why)
            case Incident():
                self.incidents[thing.id] = thing
                self.first.setdefault(thing.id, thing.title)
                worst = self.worst.get(thing.id)
                if worst is None or thing.level.worse_than(worst):
                    self.worst[thing.id] = thing.level
            case Message():
                self.messages[thing.id] = thing


def decided(settings: Settings, moves: Sequence[Timed], samples: Samples, since: datetime, until: datetime) -> Told:
    """All that follows from the transitions (of all probes, in the order of time) until `until`."""
    return _Play(settings, samples, since).through(moves, until)


class _Play:
    """One configuration's state on its way through the past."""

    def __init__(self, settings: Settings, samples: Samples, since: datetime) -> None:
        self._state = State(settings=settings)
        self._told = Told(settings)
        self._samples, self._measures = samples, Measures(samples)
        self._coming: list[tuple[datetime, int, Input]] = []
        self._order = count()
        self._measured_at = since if any(one.business for one in settings.services.values()) else None
        self.now = since

    def through(self, moves: Sequence[Timed], until: datetime) -> Told:
        for timed in moves:
            self._advance(timed.at)
            self.now = max(self.now, timed.at)
            self._take(timed.moved)
        self._advance(until)
        return self._told

    def _advance(self, until: datetime) -> None:
        """Whatever comes by itself before `until`."""
        while (at := min(self._moments(), default=None)) is not None and at < until:
            self.now = max(self.now, at)
            if self._coming and self._coming[0][0] <= self.now:
                self._take(heappop(self._coming)[2])
            elif self._measured_at and self._measured_at <= self.now:
                self._measured_at += EVERY
                for measure in self._measures.due(self._state.settings, self.now):
                    self._take(Measured(measure=measure))
            else:
                self._take(TimePassed())

    def _moments(self) -> Iterator[datetime]:
        if self._coming:
            yield self._coming[0][0]
        if self._measured_at:
            yield self._measured_at
        if self._state.next_at:
            yield self._state.next_at

    def _take(self, given: Input) -> None:
        try:
            decision = decide(self._state, given, self.now)
        except ForewarnError:  # the person came too late: it is over already
            return
        before, self._state = self._state, self._state.after(decision)
        for thing in decision.entities:
            self._told.keep(thing)
            if isinstance(thing, Incident):
                self._answer(before.incidents.get(thing.id), thing)
        self._perform(decision)

    def _later(self, wait: timedelta, given: Input) -> None:
        heappush(self._coming, (self.now + wait, next(self._order), given))

    # --- the world's answers ---

    def _answer(self, before: Incident | None, after: Incident) -> None:
        """What the person does who was called."""
        if after.called and not (before and before.called) and after.owner is None:
            self._later(ANSWERED, Command(verb="acknowledge", id=after.id, by=after.called[0]))
        mitigated = after.state is IncidentState.MITIGATED and not (before and before.state is IncidentState.MITIGATED)
        if mitigated and after.touched and after.owner:
            self._later(QUIET, Command(verb="resolve", id=after.id, by=after.owner))

    def _perform(self, decision: Decision) -> None:
        for action in decision.actions:
            match action:
                case Send():
                    self._later(timedelta(), Delivered(action=action.id, message=action.message, result="sent"))
                case RunStep():
                    result = "unknown" if self._changes(action) else "ok"
                    self._later(timedelta(), StepEnded(action=action.id, run=action.run, step=action.step, result=result))
                case Look():
                    heard = tuple(self._testimony(name) for name in action.probes)
                    self._later(timedelta(), Looked(action=action.id, incident=action.incident, heard=heard))

    def _changes(self, action: RunStep) -> bool:
        run = self._state.runs.get(action.run)
        return run is not None and run.steps[action.step].changing

    def _testimony(self, name: str) -> Testimony:
        """What the newest samples of a probe's targets say."""
        probe, at_s = self._state.settings.probes.get(name), self.now.timestamp()
        ups = [
            window.values[-1]
            for target in (probe.targets if probe else ())
            if (window := self._samples.read(SeriesId(name, target.name, "up"), at_s - FRESH_S, at_s + 1)).times_s
        ]
        outcome = "unknown" if not ups else "up" if all(ups) else "down"
        return Testimony(name, outcome, self.now.astimezone(UTC))


def in_order(parts: Sequence[Sequence[Timed]]) -> list[Timed]:
    """The transitions of several probes, in the order of time."""
    return sorted((timed for part in parts for timed in part), key=lambda timed: timed.at)
