"""How a forecast's judgement is told: state, dates, figures and the sentence's key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import isinf
from typing import Protocol

from forewarn.core.detect.crossing import Crossing
from forewarn.core.detect.intake import Intake
from forewarn.core.detect.outlook import Outlook
from forewarn.core.detect.returns import Coming
from forewarn.core.detect.trend import Line
from forewarn.model.finding import Claim, Evidence, RuleState
from forewarn.model.forecast import Forecast
from forewarn.model.text import Fact, Say, say

IN_SIGHT_S = 30 * 86400.0
ENDLESS = 10.0
"""`latest` is never further than so many times the likely span."""


class Options(Protocol):
    """What is read of a forecast's options."""

    @property
    def within_s(self) -> float: ...

    @property
    def confidence(self) -> float: ...

    @property
    def window_s(self) -> float: ...

    @property
    def limit(self) -> float: ...

    @property
    def sign(self) -> float: ...


def no_samples(limit: float) -> Claim:
    return Claim(state=RuleState.LEARNING, why=say("why.forecast.no_samples"), evidence=Evidence(limit=limit))


def soon(options: Options, seen: Intake, line: Line, dates: Crossing) -> Claim:
    """The limit will be crossed within the horizon."""
    forecast = _forecast(options, seen, line, dates)
    facts = _facts(options, seen, line)
    facts |= {"likely": _epoch(forecast.likely), "earliest": _epoch(forecast.earliest), "latest": _epoch(forecast.latest)}
    why = Say("why.forecast.soon", facts)
    return Claim(state=RuleState.FIRING, why=why, evidence=_evidence(options, seen, line), forecast=forecast)


def again(options: Options, seen: Intake, ahead: Coming) -> Claim:
    """The limit will be reached again."""
    dates = [moment(seen.last_s + span) for span in (ahead.earliest_s, ahead.likely_s, ahead.latest_s)]
    forecast = Forecast(
        earliest=dates[0], likely=dates[1], latest=dates[2],
        coverage=options.confidence, p=round(ahead.p, 4), horizon_s=options.within_s,
    )  # fmt: skip
    facts = _spells(options, seen) | {"earliest": _epoch(dates[0]), "likely": _epoch(dates[1]), "latest": _epoch(dates[2])}
    why = Say("why.forecast.again", facts)
    return Claim(state=RuleState.FIRING, why=why, evidence=_evidence(options, seen, None), forecast=forecast)


def seldom(options: Options, seen: Intake) -> Claim:
    """The limit was reached before, but rarely enough that nothing is to be said of when."""
    why = Say("why.forecast.seldom", _spells(options, seen))
    return Claim(state=RuleState.NEVER, why=why, evidence=_evidence(options, seen, None))


def crossed(options: Options, seen: Intake, since_s: float, line: Line | None) -> Claim:
    """The value stands at or beyond the limit; confirmed when two samples say so."""
    at = moment(since_s)
    forecast = Forecast(
        earliest=at, likely=at, latest=at, coverage=options.confidence, p=1.0, horizon_s=options.within_s, crossed=True
    )
    return Claim(
        state=RuleState.FIRING,
        why=Say("why.forecast.crossed", {**_facts(options, seen, line), "since": since_s}),
        evidence=_evidence(options, seen, line),
        forecast=forecast,
        confirmed=sum(1 for stamp, _ in seen.recent if stamp >= since_s) >= 2,
    )


def quiet(options: Options, seen: Intake, outlook: Outlook) -> Claim:
    """What it says while it does not fire."""
    line, dates = outlook.line, outlook.dates
    facts, evidence = _facts(options, seen, line), _evidence(options, seen, line)
    if outlook.ready_s is not None and (line is None or outlook.rises):
        ready = None if isinf(outlook.ready_s) else moment(max(outlook.ready_s, seen.last_s))
        key = "young" if outlook.too_far else "fell" if outlook.fell_s is not None else "learning"
        why = Say(f"why.forecast.{key}", {**facts, "ready": _epoch(ready), "fell": outlook.fell_s})
        return Claim(state=RuleState.LEARNING, why=why, evidence=evidence, ready_at=ready)
    in_sight = max(4 * options.within_s, IN_SIGHT_S)
    if line is None or dates is None or dates.likely_s is None or dates.likely_s > in_sight or not outlook.rises:
        return Claim(state=RuleState.NEVER, why=Say("why.forecast.never", facts), evidence=evidence)
    forecast = _forecast(options, seen, line, dates)
    key = "turns_back" if outlook.turns_back else "levels_off" if outlook.levels_off else "later"
    why = Say(f"why.forecast.{key}", {**facts, "likely": _epoch(forecast.likely)})
    believed = not (outlook.turns_back or outlook.levels_off)  # else a date would be one that nobody believes
    return Claim(state=RuleState.OK, why=why, evidence=evidence, forecast=forecast if believed else None)


def moment(at_s: float) -> datetime:
    """Epoch seconds as aware UTC."""
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=at_s)


def _forecast(options: Options, seen: Intake, line: Line, dates: Crossing) -> Forecast:
    passed = seen.last_s - line.at_s  # what is not crossed yet will not be crossed in the past
    likely = max(dates.likely_s or 0.0, passed)
    earliest = min(likely, max(passed, dates.earliest_s if dates.earliest_s is not None else likely))
    most = passed + ENDLESS * max(likely - passed, options.window_s / 50)
    latest = max(likely, most if dates.latest_s is None else min(dates.latest_s, most))
    return Forecast(
        earliest=moment(line.at_s + earliest),
        likely=moment(line.at_s + likely),
        latest=moment(line.at_s + latest),
        coverage=options.confidence,
        p=round(dates.p, 4),
        horizon_s=options.within_s,
    )


def _facts(options: Options, seen: Intake, line: Line | None) -> dict[str, Fact]:
    """`pace` is per hour, towards the limit; `span_s` is the stretch that it was seen for."""
    return {
        "value": options.sign * seen.value,
        "limit": options.limit,
        "within_s": options.within_s,
        "pace": abs(line.slope) * 3600 if line else None,
        "span_s": line.at_s - line.from_s if line else None,
    }


def _spells(options: Options, seen: Intake) -> dict[str, Fact]:
    """How often the limit was reached, and in what time."""
    spells = seen.returns.spells
    return {**_facts(options, seen, None), "times": len(spells), "span_s": seen.last_s - spells[0][0]}


def _evidence(options: Options, seen: Intake, line: Line | None) -> Evidence:
    start = line.from_s if line else (seen.bins.times[0] if seen.bins.times else seen.recent[0][0])
    return Evidence(
        value=options.sign * seen.value,
        limit=options.limit,
        window_s=options.window_s,
        n=seen.bins.samples_since(start),
        first_at=moment(start),
        last_at=moment(seen.last_s),
    )


def _epoch(at: datetime | None) -> float | None:
    return at.timestamp() if at else None
