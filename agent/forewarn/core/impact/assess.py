"""assess(): the judgement on one incident at one moment.

Each service is judged twice: by what two runs agree on, and by everything, which alone carries no further than P2. The
worst service is the incident's. A forewarning's own level stops at P2 too; `would_be` is what its breach would be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from forewarn.core.impact.affected import Touched, touched
from forewarn.core.impact.factors import declared_factor, factors_of, why_of
from forewarn.core.impact.matrix import Judged, judge
from forewarn.core.impact.score import Bounds, inputs_of, interval, probability, time_factor
from forewarn.model.finding import Finding, FindingState
from forewarn.model.impact import Factor, Impact, Measure
from forewarn.model.level import Effect, Level, Reach
from forewarn.model.map import Service
from forewarn.model.settings import Settings
from forewarn.model.text import say

ONE_RUN = AHEAD = Level.P2
"""The worst that a single run, or a forecast, can carry."""
SAID_NOTHING = Level.P2
"""The level of what a person declares without one: it pages in working hours."""
SAID: Mapping[Level, Effect] = {
    Level.P0: Effect.STOPPED,
    Level.P1: Effect.FAILS,
    Level.P2: Effect.FAILS,
    Level.P3: Effect.AT_RISK,
    Level.P4: Effect.QUESTION,
}
"""The effect of what a person declares and nothing has measured."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """One service's judgement. `waits` is the level that a second run would make of it, if that is worse."""

    touched: Touched
    judged: Judged
    level: Level
    score: Bounds
    waits: Level | None = None


def assess(
    findings: Sequence[Finding],
    services: Sequence[Service],
    settings: Settings,
    measures: Mapping[str, Measure],
    state: str,
    declared: Level | None,
    now: datetime,
) -> Impact:
    """How badly, how many, and the level that follows; every step is among the factors.

    `findings` are the incident's (cleared ones count no more), `measures` go by "service/what", `state` is ahead or live.
    `declared` is the level that a person gave: measured evidence can only raise it. Without findings and without a level a
    live incident is a person's word, and a P2.
    """
    held = [finding for finding in findings if finding.state is FindingState.OPEN]
    ahead = state == "ahead"
    standings = [_stand(service, own, settings, measures, ahead, now) for service, own in _by_service(held, services, settings)]
    worst = min(standings, key=lambda one: (one.level.rank, one.judged.strand.effect.rank, -one.score[1]))
    impact = _impact(worst, standings, settings, measures, ahead)
    said = declared or (None if held or ahead else SAID_NOTHING)
    return _as_declared(impact, said, measured=bool(held)) if said else impact


def _by_service(
    findings: Sequence[Finding], services: Sequence[Service], settings: Settings
) -> Iterable[tuple[Service | None, list[Finding]]]:
    """The findings of each service; those of none, or of one that is no longer declared, under None."""
    groups: dict[str, tuple[Service | None, list[Finding]]] = {service.name: (service, []) for service in services}
    for finding in findings:
        service = settings.services.get(finding.service or "")
        name = service.name if service else ""
        groups.setdefault(name, (service, []))[1].append(finding)
    return groups.values() or [(None, [])]


def _stand(
    service: Service | None,
    findings: list[Finding],
    settings: Settings,
    measures: Mapping[str, Measure],
    ahead: bool,
    now: datetime,
) -> _Standing:
    everything = touched(service, findings, settings, measures, ahead, now)
    by_all = judge(everything.known, settings.impact)
    if ahead:
        return _standing(everything, by_all, by_all.level, settings)
    sure = [finding for finding in findings if finding.confirmed]
    if len(sure) == len(findings):
        return _standing(everything, by_all, by_all.level, settings)
    agreed = touched(service, sure, settings, measures, ahead, now)
    by_agreed = judge(agreed.known, settings.impact)
    waits = by_all.level if by_all.level.worse_than(by_agreed.level) else None
    capped = by_all.level.capped(ONE_RUN)
    if capped.worse_than(by_agreed.level):
        return _standing(everything, by_all, capped, settings, waits if waits is not capped else None)
    return _standing(agreed, by_agreed, by_agreed.level, settings, waits)


def _standing(of: Touched, judged: Judged, level: Level, settings: Settings, waits: Level | None = None) -> _Standing:
    inputs = inputs_of(of, judged, settings)
    score = interval(inputs, settings.impact.weights, time_factor(of, settings.impact), probability(of))
    return _Standing(of, judged, level, score, waits)


def _impact(
    worst: _Standing, standings: Sequence[_Standing], settings: Settings, measures: Mapping[str, Measure], ahead: bool
) -> Impact:
    affected = _once(name for one in standings for name in one.touched.affected)
    exposed = _once(name for one in standings for name in one.touched.exposed if name not in affected)
    return Impact(
        effect=worst.judged.strand.effect,
        reach=worst.judged.strand.reach,
        level=worst.level.capped(AHEAD) if ahead else worst.level,
        would_be=worst.level if ahead else None,
        shifts=worst.judged.shifts,
        overrides=worst.judged.overrides,
        score=worst.score,
        factors=(*factors_of(worst.touched, worst.judged, settings, measures), *_last(worst, ahead), *_others(worst, standings)),
        affected=affected,
        exposed=exposed,
        security=any(one.touched.known.data_exposed for one in standings),
        why=why_of(worst.touched, worst.judged),
    )


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _last(worst: _Standing, ahead: bool) -> list[Factor]:
    """What keeps the level below what the evidence would make of it."""
    if ahead and worst.level.worse_than(AHEAD):
        return [
            Factor(
                name="still ahead", value=str(AHEAD), source="cap", why=say("impact.because.still_ahead", would_be=str(worst.level))
            )
        ]
    if worst.waits:
        why = say("impact.because.one_run", waits=str(worst.waits))
        return [Factor(name="second run", value=str(worst.level), source="cap", why=why)]
    return []


def _others(worst: _Standing, standings: Sequence[_Standing]) -> list[Factor]:
    return [
        Factor(name="also touched", value=str(one.level), source=one.touched.service.name, why=why_of(one.touched, one.judged))
        for one in standings
        if one is not worst and one.touched.service and one.touched.findings
    ]


def _as_declared(impact: Impact, said: Level, measured: bool) -> Impact:
    """A person's word: it raises what was measured, and stands alone where nothing was."""
    if measured and not said.worse_than(impact.level):
        return impact
    named = replace(impact, level=said, overrides=(*impact.overrides, "declared"), factors=(*impact.factors, declared_factor(said)))
    if measured:
        return named
    return replace(
        named,
        effect=SAID[said],
        reach=Reach.NONE,
        shifts=(),
        overrides=("declared",),
        why=say("impact.why.declared", level=str(said)),
    )
