"""Plays a story on a simulated clock with the daemon's own parts: watches, decide(), state and settings.

Only the outermost edge is missing: no prober looks (the story says what was found), and nothing is sent or run (the
story says how deliveries and steps ended). A week takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from forewarn.app.effects import Effect, differences, effects_of
from forewarn.app.scenario import Line, Quoted, ScenarioError, Story
from forewarn.core.engine import decide
from forewarn.core.work import Decision, Entity, State, key_of, state_of
from forewarn.model.actions import Look
from forewarn.model.errors import Refused
from forewarn.model.finding import Finding
from forewarn.model.incident import Testimony
from forewarn.model.inputs import Command, Delivered, Input, Looked, Measured, Moved, Reloaded, StepEnded, TimePassed
from forewarn.model.series import Column, Outcome, ProbeRun, SeriesId
from forewarn.model.settings import Settings
from forewarn.probers.log_lines import LineCounter
from forewarn.runtime.measures import Measures
from forewarn.runtime.watch import Watch
from forewarn.store.samples_memory import MemorySamples

TICK = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Failure:
    """A line whose claims did not come true."""

    line: int
    why: str


@dataclass(slots=True)
class _Feed:
    """Samples of one series that are still to come."""

    series: SeriesId
    values: Iterator[float]
    next_at: datetime
    every: timedelta


class Stage:
    """State of one story under way. `load` reads a configuration folder as the daemon does."""

    def __init__(self, story: Story, load: Callable[[Path, datetime], Settings], root: Path) -> None:
        self._load, self._root = load, root
        self.now = story.start
        self.settings = load(root / story.config, story.start)
        self.kept: dict[str, Entity] = {}
        self.counters: dict[str, int] = {}
        self.state = State(settings=self.settings, first_start=story.installed)
        self.seen: list[Effect] = []
        self._samples = MemorySamples()
        self._measures = Measures(self._samples)
        self._lines: dict[str, LineCounter] = {}
        self._feeds: dict[SeriesId, _Feed] = {}
        self._looks: dict[str, Look] = {}  # by incident: witnesses that were asked and have not answered
        self._next_tick = story.start + TICK
        self._watches = self._fresh_watches()

    # --- playing ---

    def play(self, story: Story) -> list[Failure]:
        """Play all lines; answers the claims that failed."""
        failures: list[Failure] = []
        for at, line in enumerate(story.lines):
            self.advance(line.at)
            self.seen = []
            self.take(line)
            after = story.lines[at + 1].at if at + 1 < len(story.lines) else line.until or line.at
            self.advance(after)
            why = differences(line.effects, line.more, self.seen)
            if why:
                failures.append(Failure(line.number, why))
        return failures

    def run(self, run: ProbeRun) -> None:
        """A prober looked, now."""
        self._watch_run(run)

    def lines(self, probe: str, lines: Sequence[str]) -> None:
        """A log probe read these lines, now."""
        known = self.settings.probes[probe]
        counter = self._lines.setdefault(probe, LineCounter(known.options))  # type: ignore[arg-type]
        for run in counter.runs(known, lines, self.now.timestamp()):
            self._watch_run(run)

    def set_clock(self, at: datetime) -> None:
        """The clock is set, forward or back."""
        self.now = at
        self._next_tick = at
        self._take(TimePassed())

    def restart(self) -> None:
        """As after a crash: only what was committed and sampled is left."""
        self.state = state_of(self.settings, list(self.kept.values()), self.counters, self.state.first_start)
        self._watches = self._fresh_watches()
        for series in self._samples.series():
            since = (self.now - timedelta(days=30)).timestamp()
            if series.probe in self._watches:
                watch, until = self._watches[series.probe], self.now.timestamp()
                near = {other.metric: self._samples.read(other, since, until) for other in watch.beside(series)}
                near = {metric: window for metric, window in near.items() if window.times_s}
                watch.warm(series, self._samples.read(series, since, until), near)
        for name, watch in self._watches.items():
            for target in watch.probe.targets if watch.awaits_s() else ():
                since = self.now.timestamp() - watch.awaits_s()
                ups = self._samples.read(SeriesId(name, target.name, "up"), since, self.now.timestamp())
                watch.look_back(target.name, ups, self.now)
        for name, watch in self._watches.items():
            watch.resume([f for f in self.kept.values() if isinstance(f, Finding) and f.probe == name])

    def advance(self, until: datetime) -> None:
        """Let time pass up to, not including, `until`: samples come, dues ring, watches tick."""
        while True:
            moments = [feed.next_at for feed in self._feeds.values()] + [self._next_tick]
            if self.state.next_at:
                moments.append(max(self.state.next_at, self.now))
            at = min(moments)
            if at >= until:
                break
            self.now = max(self.now, at)
            self._moment(at)
        self.now = max(self.now, until)

    def _moment(self, at: datetime) -> None:
        for series, feed in list(self._feeds.items()):
            if feed.next_at <= at:
                self._feed(series, feed)
        if self.state.next_at and self.state.next_at <= at:
            self._take(TimePassed())
        if self._next_tick <= at:
            self._next_tick += TICK
            self._watched([moved for watch in self._watches.values() for moved in watch.tick(self.now)])
            for measure in self._measures.due(self.settings, self.now):
                self._take(Measured(measure=measure))

    def _feed(self, series: SeriesId, feed: _Feed) -> None:
        value = next(feed.values, None)
        if value is None:
            del self._feeds[series]
            return
        feed.next_at += feed.every
        self._run(series.probe, series.target, Outcome.UP, ((series.metric, series.labels),), (value,))

    # --- inputs ---

    def take(self, line: Line) -> None:
        handlers: Mapping[str, Callable[[Line], None]] = {
            "probe": self._probe,
            "samples": self._samples_line,
            "log": self._log,
            "command": self._command,
            "delivery": self._delivery,
            "step": self._step,
            "restart": lambda _: self.restart(),
            "jump": self._jump,
            "reload": self._reload,
            "tick": lambda _: self._take(TimePassed()),
        }
        handlers[line.kind](line)

    def _probe(self, line: Line) -> None:
        name, _, target = line.words[0].partition("@")
        detail = next((str(word) for word in line.words if isinstance(word, Quoted)), None)
        target = target or self._known(line, name).targets[0].name
        self._known(line, name)
        outcome = Outcome(line.words[1])
        self._run(name, target, outcome, (), (), detail)
        for look in [look for look in self._looks.values() if name in look.probes]:
            del self._looks[look.incident]
            self._take(Looked(action=None, incident=look.incident, heard=(Testimony(name, outcome.value, self.now),)))

    def _known(self, line: Line, name: str):  # type: ignore[no-untyped-def]
        if name not in self.settings.probes:
            raise ScenarioError(f"line {line.number}: no probe {name}; there are {', '.join(sorted(self.settings.probes))}")
        return self.settings.probes[name]

    def _samples_line(self, line: Line) -> None:
        series = SeriesId.parse(line.words[0])
        every = timedelta(seconds=self._known(line, series.probe).every_s)
        values = _values(line.words[1:], line.at, line.until, every)
        self._feeds[series] = _Feed(series, values, line.at, every)

    def _log(self, line: Line) -> None:
        name, text = line.words[0], str(line.words[1])
        probe = self._known(line, name)
        count = int(line.words[-1].lstrip("x")) if line.words[-1].lstrip("x").isdigit() and len(line.words) > 2 else 1
        counter = self._lines.setdefault(name, LineCounter(probe.options))
        self._watch_run(counter.run(probe, [text] * count, self.now.timestamp()))

    def _command(self, line: Line) -> None:
        words = list(line.words)
        text = next((str(word) for word in words if isinstance(word, Quoted)), None)
        words = [word for word in words if not isinstance(word, Quoted)]
        by = "on-call-1"
        if "by" in words:
            at = words.index("by")
            by = words[at + 1]
            del words[at : at + 2]
        verb, *rest = words
        id = rest.pop(0) if rest and "-" in rest[0] and rest[0].split("-")[0] in ("INC", "M", "R", "D", "F", "H") else None
        try:
            self._take(Command(verb=verb, id=id, by=by, words=tuple(rest), text=text))
        except Refused as refused:
            self.seen.append(("refused", refused.say.key.removeprefix("refused.")))

    def _delivery(self, line: Line) -> None:
        id, result, *reason = line.words
        self._take(Delivered(action=None, message=id, result=result, reason=reason[0] if reason else None, permanent=False))

    def _step(self, line: Line) -> None:
        run = self.state.runs.get(line.words[0])
        at = run.at if run else None
        if at is None:
            raise ScenarioError(f"line {line.number}: {line.words[0]} waits for no step")
        self._take(StepEnded(action=None, run=line.words[0], step=at, result=line.words[1]))

    def _jump(self, line: Line) -> None:
        from forewarn.config.units import duration

        self.set_clock(self.now + timedelta(seconds=duration(line.words[0])))

    def _reload(self, line: Line) -> None:
        self.settings = self._load(self._root / line.words[0], self.now)
        before, self._watches = self._watches, self._fresh_watches()
        for name, watch in before.items():
            new = self.settings.probes.get(name)
            if new == watch.probe:
                self._watches[name] = watch
            else:
                self._watched(watch.unwatch(self.now))
        self._take(Reloaded(self.settings))

    # --- the chain ---

    def _fresh_watches(self) -> dict[str, Watch]:
        return {name: Watch(probe) for name, probe in self.settings.probes.items()}

    def _run(
        self,
        probe: str,
        target: str,
        outcome: Outcome,
        columns: tuple[Column, ...],
        values: tuple[float, ...],
        detail: str | None = None,
    ) -> None:
        self._watch_run(
            ProbeRun(
                probe=probe, target=target, at_s=self.now.timestamp(), outcome=outcome, columns=columns, values=values,
                reason=None if outcome is Outcome.UP else "status", detail=detail,
            )
        )  # fmt: skip

    def _watch_run(self, run: ProbeRun) -> None:
        watch = self._watches[run.probe]
        self._samples.append(watch.samples(run))
        self._watched(watch.take(run, self.now))

    def _watched(self, moves: list[Moved]) -> None:
        for moved in moves:
            self._take(moved)

    def _take(self, given: Input) -> None:
        decision = decide(self.state, given, self.now)
        self._commit(decision)

    def _commit(self, decision: Decision) -> None:
        for thing in decision.entities:
            self.kept[key_of(thing)] = thing
        self.counters.update(decision.counters)
        self._looks.update({action.incident: action for action in decision.actions if isinstance(action, Look)})
        self.seen += effects_of(self.state, decision, UTC)
        self.state = self.state.after(decision)


def _values(words: tuple[str, ...], at: datetime, until: datetime | None, every: timedelta) -> Iterator[float]:
    """The values of a samples line, one an interval; with `to` the last is held, or `a..b` is a straight line."""
    count = int((until - at) / every) + 1 if until else None
    if len(words) == 1 and ".." in words[0]:
        low, high = map(float, words[0].split(".."))
        steps = count or 2
        yield from (low + (high - low) * i / max(1, steps - 1) for i in range(steps))
        return
    values = [float(word) for word in words]
    yield from values
    if count:
        yield from (values[-1] for _ in range(max(0, count - len(values))))
