"""What a watch knows of its targets and series, as people are shown it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from math import nan

from forewarn.model.finding import RuleState
from forewarn.model.glance import Sight
from forewarn.model.series import ProbeRun
from forewarn.ports import RuleView, SeriesView, TargetView
from forewarn.runtime.line import Line


def sight(target: str, run: ProbeRun | None) -> Sight:
    """A target at a glance, by its newest run."""
    if run is None:
        return Sight(target, "unknown", None, None, None)
    return Sight(target, str(run.outcome), run.reason, run.detail, datetime.fromtimestamp(run.at_s, UTC))


def target(name: str, run: ProbeRun | None, lines: Sequence[Line], dropped: int, every_s: float, now: datetime) -> TargetView:
    """A target in full: its newest run, and each of its series with what its rules say now."""
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


def _series(line: Line, run: ProbeRun | None, every_s: float, now: datetime) -> SeriesView:
    if line.behind:
        line.catch_up(run, every_s)
    window = line.window(0, run, every_s)
    claims = ((judge.rule.name, judge.look(window, now, line.id.metric)) for judge in line.judges)
    rules = tuple(RuleView(rule=name, state=it.state, why=it.why, ready_at=it.ready_at) for name, it in claims if it)
    if not line.times:
        return SeriesView(series=line.id, value=nan, at=None, rules=rules)
    return SeriesView(series=line.id, value=line.values[-1], at=datetime.fromtimestamp(line.times[-1], UTC), rules=rules)


def ready(line: Line) -> list[datetime | None]:
    """Whether a rule of this series learns: when the first answer is expected, nothing where none does."""
    claims = [judge.claim for judge in line.judges if judge.detector.learns]
    dates = [claim.ready_at for claim in claims if claim and claim.state is RuleState.LEARNING]
    return [min((at for at in dates if at), default=None)] if dates else []
