"""What a watch shows to people: a probe at a glance, and each of its targets in full. Made of its lines and newest runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from math import nan

from forewarn.model.finding import RuleState
from forewarn.model.glance import Learner, Sight, Stand, ending
from forewarn.model.probe import Probe
from forewarn.model.series import ProbeRun
from forewarn.ports import RuleView, SeriesView, TargetView
from forewarn.runtime.line import Line


def stand(probe: Probe, last: Mapping[str, ProbeRun], learners: Iterable[Line], certificates: Iterable[Line]) -> Stand:
    """The probe at a glance. `learners` are its lines with a rule that has to learn, `certificates` those of what is left
    of a certificate."""
    return Stand(
        probe,
        tuple(_sight(target.name, last.get(target.name)) for target in probe.targets),
        tuple(Learner(line.id, ready[0]) for line in learners if (ready := _ready(line))),
        ending((line.times[-1], line.values[-1]) for line in certificates if line.times),
    )


def target_view(name: str, run: ProbeRun | None, lines: Sequence[Line], dropped: int, every_s: float, now: datetime) -> TargetView:
    """All that is known of a target; `run` is its newest one."""
    return TargetView(
        target=name,
        outcome=str(run.outcome) if run else "unknown",
        reason=run.reason if run else None,
        detail=run.detail if run else None,
        at=datetime.fromtimestamp(run.at_s, UTC) if run else None,
        lateness_ms=run.lateness_s * 1000 if run else None,
        series=tuple(_series(line, run, every_s, now) for line in lines),
        dropped_series=dropped,
    )


def _sight(target: str, run: ProbeRun | None) -> Sight:
    if run is None:
        return Sight(target, "unknown", None, None, None)
    return Sight(target, str(run.outcome), run.reason, run.detail, datetime.fromtimestamp(run.at_s, UTC))


def _series(line: Line, run: ProbeRun | None, every_s: float, now: datetime) -> SeriesView:
    window = line.window(0, run, every_s)
    claims = ((judge.rule.name, judge.look(window, now, line.id.metric)) for judge in line.judges)
    rules = tuple(RuleView(rule=name, state=it.state, why=it.why, ready_at=it.ready_at) for name, it in claims if it)
    if not line.times:
        return SeriesView(series=line.id, value=nan, at=None, rules=rules)
    return SeriesView(series=line.id, value=line.values[-1], at=datetime.fromtimestamp(line.times[-1], UTC), rules=rules)


def _ready(line: Line) -> list[datetime | None]:
    """Whether a rule of this series learns: when the first answer is expected, nothing where none does."""
    claims = [judge.claim for judge in line.judges if judge.detector.learns]
    dates = [claim.ready_at for claim in claims if claim and claim.state is RuleState.LEARNING]
    return [min((at for at in dates if at), default=None)] if dates else []
