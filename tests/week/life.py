"""The week, lived: the host's runs go through the real watches and decide(), on a simulated clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from host_week import DAY, HOUR, HostWeek, moment, monday
from journal_host import Journal

from forewarn.app.scenario import Story
from forewarn.app.stage import Stage
from forewarn.config.load import load
from forewarn.core.tell.words import render
from forewarn.model.finding import Finding
from forewarn.model.incident import Incident
from forewarn.model.message import Message, MessageKind
from forewarn.model.settings import Settings
from forewarn.probers import PROBERS

ROOT = Path(__file__).parents[2]
PORT = {"FOREWARN_PORT": "8420"}


@dataclass
class Life:
    """`shifts`: from which second of the week on the host's clock is wrong by how much. `journal_only`: the host writes no syslog,
    and what its journal holds of the week before is read first."""

    seed: int
    shifts: Mapping[float, timedelta] = field(default_factory=dict)
    days: float = 7
    step_s: float = 60.0
    journal_only: bool = False

    def __post_init__(self) -> None:
        story = Story(name="week", start=monday(), config=".", lines=())
        self.stage = Stage(story, self._loaded, ROOT)
        self.host = HostWeek(self.seed, self.step_s)
        self.journal = Journal(self.stage.settings.probes["journal"]) if self.journal_only else None

    def _loaded(self, folder: Path, now: datetime) -> Settings:
        """The shipped files; probes look no more often than the host's steps."""
        settings = load(folder, PROBERS, now, PORT)
        slower = {name: replace(probe, every_s=max(probe.every_s, self.step_s)) for name, probe in settings.probes.items()}
        return replace(settings, probes=slower)

    def live(self) -> Life:
        """A week, from the minute on in which Forewarn was installed."""
        off, shift = False, timedelta()
        self.history = list(self.journal.first_sight(self.seed + 100)) if self.journal else []
        for run in self.history:
            self.stage.run(run)
        shifts = dict(self.shifts)
        for step in range(int(self.days * DAY / self.step_s)):
            at_s = step * self.step_s
            self.host.step(at_s)
            for begins in [begins for begins in shifts if begins <= at_s]:
                shift = shifts.pop(begins)
                self.stage.set_clock(moment(at_s) + shift)
            if self.host.off:
                off = True
                continue
            clock = moment(at_s) + shift
            if off:  # nothing lived in between
                self.stage.set_clock(clock)
            self.stage.advance(clock)
            if off or self._upgraded(at_s):
                self.stage.restart()
                off = False
            for run in self.host.runs(at_s, clock):
                self.stage.run(run)
            self._log(clock)
        return self

    def _log(self, clock: datetime) -> None:
        if self.journal:
            self.stage.lines("logs", [])
            for run in self.journal.runs(self.host.lines, clock):
                self.stage.run(run)
        else:
            self.stage.lines("logs", self.host.log_lines(clock))
            self.stage.run(self.host.resting("journal", clock))

    def _upgraded(self, at_s: float) -> bool:
        """Forewarn itself is upgraded on Friday."""
        return at_s == 4 * DAY + 9 * HOUR

    @property
    def findings(self) -> list[Finding]:
        return [thing for thing in self.stage.kept.values() if isinstance(thing, Finding)]

    @property
    def incidents(self) -> list[Incident]:
        return [thing for thing in self.stage.kept.values() if isinstance(thing, Incident)]

    @property
    def pages(self) -> list[Message]:
        return [m for m in self.stage.kept.values() if isinstance(m, Message) and m.kind is MessageKind.PAGE]

    def said(self) -> str:
        """What Forewarn said, for people."""
        words = self.stage.settings.phrases["en"]
        lines = [f"{len(self.pages)} pages, {len(self.findings)} findings, {len(self.incidents)} incidents"]
        for finding in self.findings:
            until = f"{finding.cleared_at:%a %H:%M}" if finding.cleared_at else "now"
            why = render(finding.why, words, self.stage.settings.daemon.zone, finding.opened_at)
            lines.append(f"{finding.opened_at:%a %H:%M}-{until} {finding.rule} {finding.series} {finding.incident}: {why}")
        return "\n".join(lines)
