"""What the edge implements: core decides, `app` wires, and each of these has one contract test-suite."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from forewarn.model.actions import Action
from forewarn.model.change import Change
from forewarn.model.due import Due
from forewarn.model.finding import Finding, RuleState
from forewarn.model.glance import Glance
from forewarn.model.hold import Hold
from forewarn.model.impact import Measure
from forewarn.model.incident import Incident, TimelineEntry
from forewarn.model.map import Channel
from forewarn.model.message import Envelope, Message
from forewarn.model.playbook import Guard, Run
from forewarn.model.probe import Probe, Target
from forewarn.model.scorecard import Score
from forewarn.model.series import Counts, ProbeRun, SeriesId, Tally, Window
from forewarn.model.slots import Slot
from forewarn.model.text import Say
from forewarn.reach.machine import Machines

Entity = Finding | Incident | Due | Hold | Message | Run | Measure | Guard | Change | Score
"""What the ledger keeps one version of, by id (a Measure by service and name, a Guard by its playbook, a Score by probe and rule)."""


class Clock(Protocol):
    """The only source of time; tests hand in one that they move."""

    def now(self) -> datetime:
        """Aware UTC."""

    def monotonic(self) -> float:
        """Seconds, never going back."""


# --- probers: four shapes ---------------------------------------------------------------------------------------------

Deliver = Callable[[ProbeRun], None]
"""Takes one run's result; called on the loop's thread."""


class AsyncProber(Protocol):
    """Looks at one target. A target that is down is a result; so is `could not look`. Exceptions are our own bugs."""

    async def __call__(self, probe: Probe, target: Target, at_s: float) -> ProbeRun: ...


class Engine(Protocol):
    """Runs many targets at once (http, tcp). Each submitted job is delivered exactly once, in any order."""

    def submit(self, jobs: Sequence[tuple[Probe, Target, float]], deliver: Deliver) -> None:
        """Jobs of (probe, target, due time in epoch seconds)."""

    async def close(self) -> None: ...


class Follower(Protocol):
    """Follows something that grows (log, journal); delivers when there is something new and at every interval."""

    async def follow(self, probe: Probe, cursor: Mapping[str, object] | None, deliver: Deliver) -> None:
        """Runs until cancelled. `cursor` is that of the last stored run, None at first sight."""


class Push(Protocol):
    """Is told from outside (heartbeat, webhook)."""

    def accept(self, probe: Probe, target: Target, body: bytes, at_s: float) -> ProbeRun: ...


@dataclass(frozen=True)
class Kind:
    """One line of the table of probers. `options` is the pydantic model of what people write in a probe of this kind.

    `make` builds the prober once for the process (probers hold no state of a probe); `targets` are those of a probe that
    names none. `shape` is async, engine, follower or push. `remote`: probes may say `where:`, and `make` takes Machines.
    """

    options: type[Any]
    shape: str
    make: Callable[..., Any]
    every_s: float = 60.0
    timeout_s: float = 10.0
    targets: tuple[Target, ...] = ()
    metrics: Mapping[str, str] = field(default_factory=dict)  # metric -> what it means, for docs, `check` and suggestions
    remote: bool = False
    address: Callable[[str], object] | None = None  # ValueError("what is wrong; what is right")

    def on(self, machines: Machines) -> Kind:
        """The same kind, whose prober reaches other machines through `machines`."""
        return replace(self, make=partial(self.make, machines)) if self.remote else self


# --- storage ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What State is made of after a start: everything that is still at work, and the last number of each kind of id.

    `findings`: all open ones, those of unresolved incidents, and the latest of each key of the last day.
    """

    findings: tuple[Finding, ...] = ()
    incidents: tuple[Incident, ...] = ()  # unresolved, resolved and not closed
    dues: tuple[Due, ...] = ()  # not done
    holds: tuple[Hold, ...] = ()  # not ended
    messages: tuple[Message, ...] = ()  # not final, and all of the incidents above
    runs: tuple[Run, ...] = ()  # not ended, and all of the incidents above
    measures: tuple[Measure, ...] = ()
    guards: tuple[Guard, ...] = ()
    changes: tuple[Change, ...] = ()  # the newest few hundred
    scores: tuple[Score, ...] = ()
    counters: Mapping[str, int] = field(default_factory=dict)
    in_flight: tuple[str, ...] = ()  # ids of actions that an earlier process claimed and that are not done
    first_start: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How much is open: incidents that are ahead or live by (state, level), open findings, and of these those that are
    nobody's incident (tasks) and those that say that something can't be seen (blind)."""

    unresolved: Mapping[tuple[str, str], int] = field(default_factory=dict)
    findings: int = 0
    tasks: int = 0
    blind: int = 0


class Ledger(Protocol):
    """Transactional: current entities, the timeline and the outbox. Methods block; the daemon calls them on one thread."""

    def load(self) -> Stored: ...

    def first_start(self) -> datetime | None:
        """When a daemon first started on this ledger; None before that."""

    def commit(
        self,
        entities: Sequence[Entity],
        entries: Sequence[TimelineEntry],
        actions: Sequence[Action],
        counters: Mapping[str, int],
        *,
        done: tuple[str, datetime] | None = None,
    ) -> None:
        """All of it in one transaction; raises StoreError and then nothing of it is kept.

        `done` (id, now) also marks the action whose result this takes.
        """

    def claim(self, me: str, now: datetime, until: datetime, most: int) -> list[Action]:
        """Take up to `most` actions whose time has come, that are not done and not leased to anybody after `now`: the most urgent first."""

    def release(self, ids: Sequence[str]) -> None:
        """Give back actions that were claimed and not begun."""

    def done(self, id: str, now: datetime) -> None:
        """An action needs no performing any more."""

    def forget_done(self, before: datetime) -> int:
        """Forget actions that were done before then; answers how many."""

    def actions(self, ids: Sequence[str]) -> list[Action]:
        """The actions with these ids, e.g. those that were in flight when an earlier process ended."""

    def next_action_at(self) -> datetime | None: ...

    def get(self, id: str) -> Entity | None: ...

    def find(
        self,
        kind: str,
        *,
        states: Sequence[str] = (),
        incident: str | None = None,
        of: str | None = None,
        hidden: Sequence[str] = (),
        newest: bool = True,
        limit: int = 100,
        after: str | None = None,
    ) -> list[Entity]:
        """Entities of a kind (finding, incident, due, hold, message, run, measure, guard, score) by number, newest first; `after` is an id.

        `of` narrows findings and messages to their own kind, `hidden` leaves out dues that are about one of these.
        """

    def get_all(self, ids: Sequence[str]) -> dict[str, Entity]:
        """The current versions of things by id; what is not there is left out."""

    def standing(self) -> Standing: ...

    def live(self, limit: int, after: str | None = None) -> list[Incident]:
        """Incidents that are there now, the gravest first, then the oldest; `after` is the id of the last one seen."""

    def ahead(self, limit: int, after: str | None = None) -> list[Incident]:
        """Forewarnings, the soonest first, those without a date last."""

    def tasks(self, limit: int) -> list[Finding]:
        """Open findings that are nobody's incident, newest first."""

    def findings_of(self, probe: str, limit: int) -> list[Finding]:
        """A probe's open findings, newest first."""

    def fired(self, probe: str, since: datetime) -> dict[tuple[str, str], int]:
        """How many findings each rule of a probe has opened since then."""

    def next_updates(self, incidents: Sequence[str]) -> dict[str, datetime]:
        """When the customers of each of these incidents are to hear next."""

    def dues_of(self, ids: Sequence[str], hidden: Sequence[str] = ()) -> list[Due]:
        """The dues of incidents, ended ones too, oldest first, without those that are about something hidden."""

    def open_dues_of(self, subjects: Sequence[str]) -> list[Due]:
        """Open dues that belong to these things themselves, oldest first."""

    def search(self, kind: str, text: str, limit: int, after: str | None = None) -> list[Entity]:
        """Incidents or messages in which every word of a text occurs, newest first."""

    def index(self, most: int) -> int:
        """Index for `search` what an earlier version stored; answers how many, less than `most` at the end."""

    def leased(self) -> dict[str, str]:
        """Message id -> id of the action that is being sent now."""

    def timeline(self, incident: str) -> list[TimelineEntry]: ...

    def counts(self, kind: str, states: Sequence[str] = ()) -> dict[str, int]:
        """State -> how many, of these states or of all."""

    def close(self) -> None: ...


Sample = tuple[SeriesId, float, float]
"""Series, epoch seconds, value."""
Plan = tuple[SeriesId, ...]
"""What stands in a run's values, each series once. Hand in the same tuple run after run: it is known by identity."""
SampleRun = tuple[Plan, float, Sequence[float]]
"""Plan, epoch seconds, as many values."""


class Samples(Protocol):
    """Append and read; always local. Methods block; appending is called on one thread, once a second, in batches."""

    def append(self, samples: Sequence[Sample], cursors: Mapping[str, Mapping[str, object]] | None = None) -> None:
        """Keep samples, and the cursors of the probes they came from, in one transaction.

        Values come back bit by bit, times in whole microseconds. What is no finite number is left out; of two samples of
        one series and time the later counts.
        """

    def append_runs(self, runs: Sequence[SampleRun], cursors: Mapping[str, Mapping[str, object]] | None = None) -> None:
        """The same for whole runs: what `append` would make of their samples in this order, at a fraction of the cost."""

    def read(self, series: SeriesId, since_s: float, until_s: float) -> Window:
        """Samples with since_s <= time < until_s, oldest first."""

    def tally(self, series: SeriesId, tally: Tally, since_s: float, until_s: float) -> Counts:
        """The same samples, only counted."""

    def series(self, probe: str | None = None) -> list[SeriesId]:
        """All that have samples or summaries (or had, since the last prune), in the order of their first sight."""

    def last(self, probe: str | None = None) -> dict[SeriesId, tuple[float, float]]:
        """Time and value of the newest sample of each series."""

    def first(self, series: SeriesId) -> float | None:
        """Time of the oldest sample that is kept."""

    def roll(self, now_s: float, most: int) -> int:
        """Summarise up to `most` days (of a target each) that are over; answers how many: 0 when all are done."""

    def rolled(self, series: SeriesId, since_s: float, until_s: float, step_s: int, *, sketches: bool = True) -> list[Slot]:
        """Summaries by slots of `step_s` (one of model.slots.STEPS_S) that begin in since_s <= time < until_s, oldest first.

        They reach back further than `read` does, and are made of the samples where a day is not summarised yet; a sample more
        than an hour later than that is not in them. No samples: no slot. Without `sketches`: no quantiles, but a quick answer.
        """

    def prune_rolled(self, step_s: int, before_s: float) -> int:
        """Forget summaries of days (UTC) that ended before that; answers how many rows."""

    def cursor(self, probe: str) -> Mapping[str, object] | None: ...

    def prune(self, before_s: float) -> int:
        """Forget samples older than that; answers how many."""

    def close(self) -> None: ...


# --- touching the world -----------------------------------------------------------------------------------------------


class Transport(Protocol):
    """Sends one envelope to one address. Returns when the other side has it; raises DeliveryError otherwise."""

    async def __call__(self, envelope: Envelope, channel: Channel, timeout_s: float) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutcome:
    """What performing a step came to: result is ok, failed or unknown (it may have run).

    `facts` are what conditions of later steps may ask: `exit`, `first`, `status`, `outcome`, a metric.
    """

    result: str
    summary: str
    output: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


class StepRunner(Protocol):
    """Performs a step of one kind. `where` is local (later also a host)."""

    async def __call__(self, spec: Mapping[str, object], where: str, timeout_s: float) -> StepOutcome: ...


# --- looking at what runs ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleView:
    rule: str
    state: RuleState
    why: Say | None
    ready_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesView:
    series: SeriesId
    value: float  # not a number for one that is awaited and has never come
    at: datetime | None
    rules: tuple[RuleView, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetView:
    target: str
    outcome: str  # up | down | unknown
    reason: str | None
    detail: str | None
    at: datetime | None
    lateness_ms: float | None
    series: tuple[SeriesView, ...] = ()
    dropped_series: int = 0  # series beyond the most that a probe may have; on a probe's first target only


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeView:
    probe: Probe
    targets: tuple[TargetView, ...]


class Stats(Protocol):
    """What the running daemon knows about itself; read by API and console, never stored."""

    def glance(self) -> Awaitable[Glance]:
        """All probes, as they were a second ago at most."""

    def views(self, names: Sequence[str]) -> Awaitable[list[ProbeView]]:
        """All that is known of some probes now; unknown names are left out."""

    def lateness_ms(self) -> tuple[float, float]:
        """p50 and p99 of the last thousand runs."""

    def missed(self) -> int: ...

    def started_at(self) -> datetime: ...

    def reloaded(self) -> Mapping[str, Any] | None:
        """What the newest reload since the start answered: what it changed, or why it was refused; None before the first."""

    def saying(self, run: str) -> str:
        """What the step of a playbook's run that is under way has printed so far, masked; empty where there is nothing."""

    def troubles(self) -> list[Say]:
        """What is wrong with ourselves: store, a channel that keeps failing, a refused configuration."""


class Feed(Protocol):
    """Live changes for the console."""

    def publish(self, entities: Sequence[Entity]) -> None: ...


class Commands(Protocol):
    """How the console, the API and the CLI change things: puts a Command in the owner's queue and waits for its answer."""

    def __call__(
        self, verb: str, id: str | None, by: str, words: tuple[str, ...], text: str | None, version: int | None
    ) -> Awaitable[str | None]:
        """Answers the id that was made or changed; raises Refused or NotFound."""
