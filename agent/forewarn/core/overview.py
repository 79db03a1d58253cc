"""The whole at a glance: GET /api/v1/status, and the one word for how things stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from forewarn.core.reader import Body, ProbeLike, Reader, number, stamp
from forewarn.model.finding import RuleState
from forewarn.model.incident import Incident, IncidentState
from forewarn.model.level import Level
from forewarn.model.settings import Settings
from forewarn.model.text import Say

REFUSED_CONFIG = "trouble.config"
MILD = frozenset({REFUSED_CONFIG, "trouble.older", "trouble.older_more", "trouble.heartbeat", "trouble.no_ballast"})
"""Troubles that are warnings: the old set goes on, and a watcher that hears nothing speaks up itself. Others are problems."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What `status` is made of. Figures are None where no daemon is running to know them; `why` then says so."""

    version: str
    settings: Settings
    started_at: datetime | None
    incidents: Sequence[Incident]  # ahead or live
    findings: int
    cannot_see: bool
    messages: Mapping[str, int]  # state -> how many
    probes: Sequence[ProbeLike]
    troubles: Sequence[Say] = ()
    lateness_ms: tuple[float, float] | None = None
    missed: int | None = None
    rss_mb: float | None = None
    why: Say | None = None


def status(seen: Seen, reader: Reader) -> Body:
    """GET /api/v1/status."""
    ahead = [i for i in seen.incidents if i.state is IncidentState.AHEAD]
    refused = next((t for t in seen.troubles if t.key == REFUSED_CONFIG), None)
    lateness = seen.lateness_ms or (None, None)
    return {
        "now": stamp(reader.now),
        "zone": getattr(reader.zone, "key", None),
        "version": seen.version,
        "state": overall(seen),
        "uptime_s": max(0, int((reader.now - seen.started_at).total_seconds())) if seen.started_at else None,
        "config": {
            "id": seen.settings.id,
            "loaded_at": stamp(seen.settings.loaded_at),
            "refused": reader.tell(refused) if refused else None,
        },
        "probes": _outcomes(seen.probes),
        "findings": seen.findings,
        "incidents": {"ahead": len(ahead), **{str(level): _live(seen.incidents, level) for level in Level}},
        "messages": {name: seen.messages.get(name, 0) for name in ("queued", "held", "waiting_approval", "failed", "unknown")},
        "lateness_ms": {"p50": number(lateness[0], 1), "p99": number(lateness[1], 1)},
        "missed": seen.missed,
        "rss_mb": round(seen.rss_mb) if seen.rss_mb is not None else None,
        "next_breach": next((i.id for i in soonest(ahead)), None),
        "troubles": [reader.tell(trouble) for trouble in seen.troubles],
        "why": reader.tell(seen.why) if seen.why else None,
    }


def overall(seen: Seen) -> str:
    """problem: an open P0-P2, or the store or a channel failing. warning: ahead, P3, cannot see, a refused configuration."""
    live = [i.level for i in seen.incidents if i.live]
    if any(level.worse_than(Level.P3) for level in live) or any(t.key not in MILD for t in seen.troubles):
        return "problem"
    ahead = any(i.state is IncidentState.AHEAD for i in seen.incidents)
    if ahead or Level.P3 in live or seen.cannot_see or seen.troubles:
        return "warning"
    return "ok"


def soonest(incidents: Iterable[Incident]) -> list[Incident]:
    """Forewarnings by the moment they need somebody: what can no longer wait first, those without dates last."""
    return sorted(incidents, key=lambda i: (i.earliest is None, i.earliest or i.opened_at, i.id))


def _live(incidents: Sequence[Incident], level: Level) -> int:
    return sum(1 for i in incidents if i.live and i.level is level)


def _outcomes(probes: Sequence[ProbeLike]) -> dict[str, int]:
    outcomes = [target.outcome for probe in probes for target in probe.targets]
    return {name: outcomes.count(name) for name in ("up", "down", "unknown")} | {"learning": len(learning(probes))}


def learning(probes: Iterable[ProbeLike]) -> list[datetime | None]:
    """For each series that a rule is still learning: when the first answer is expected, None where that isn't known."""
    found: list[datetime | None] = []
    for view in (series for probe in probes for target in probe.targets for series in target.series):
        ready = [rule.ready_at for rule in view.rules if rule.state is RuleState.LEARNING]
        if ready:
            found.append(min((at for at in ready if at), default=None))
    return found
