"""The whole at a glance: GET /api/v1/status, and the one word for how things stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from forewarn.core.reader import Body, ProbeLike, Reader, number, stamp
from forewarn.model.finding import RuleState
from forewarn.model.glance import CERTIFICATE, Glance, Learner, Sight, Stand, ending
from forewarn.model.incident import LIVE, IncidentState
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
    unresolved: Mapping[tuple[str, str], int]  # (state, level) -> how many incidents are ahead or live
    next_breach: str | None  # the soonest of those ahead
    findings: int
    tasks: int  # findings that are nobody's incident
    cannot_see: bool
    messages: Mapping[str, int]  # state -> how many
    glance: Glance
    troubles: Sequence[Say] = ()
    lateness_ms: tuple[float, float] | None = None
    missed: int | None = None
    rss_mb: float | None = None
    why: Say | None = None

    @property
    def ahead(self) -> int:
        return sum(count for (state, _), count in self.unresolved.items() if state == IncidentState.AHEAD)

    @property
    def live_levels(self) -> dict[str, int]:
        """Incidents that are there now, by level."""
        found = dict.fromkeys(map(str, Level), 0)
        for (state, level), count in self.unresolved.items():
            if state in LIVE:
                found[level] += count
        return found


def status(seen: Seen, reader: Reader) -> Body:
    """GET /api/v1/status."""
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
        "probes": {**seen.glance.outcomes, "learning": len(seen.glance.learning)},
        "findings": seen.findings,
        "incidents": {"ahead": seen.ahead, **seen.live_levels},
        "messages": {name: seen.messages.get(name, 0) for name in ("queued", "held", "waiting_approval", "failed", "unknown")},
        "lateness_ms": {"p50": number(lateness[0], 1), "p99": number(lateness[1], 1)},
        "missed": seen.missed,
        "rss_mb": round(seen.rss_mb) if seen.rss_mb is not None else None,
        "next_breach": seen.next_breach,
        "troubles": [reader.tell(trouble) for trouble in seen.troubles],
        "why": reader.tell(seen.why) if seen.why else None,
    }


def overall(seen: Seen) -> str:
    """problem: an open P0-P2, or the store or a channel failing. warning: ahead, P3, cannot see, a refused configuration."""
    live = seen.live_levels
    if any(live[level] for level in Level if level.worse_than(Level.P3)) or any(t.key not in MILD for t in seen.troubles):
        return "problem"
    if seen.ahead or live[Level.P3] or seen.cannot_see or seen.troubles:
        return "warning"
    return "ok"


def glance(views: Iterable[ProbeLike]) -> Glance:
    """All probes at a glance, where full views are at hand."""
    return Glance(tuple(_stand(view) for view in sorted(views, key=lambda view: view.probe.name)))


def _stand(view: ProbeLike) -> Stand:
    seen = tuple(Sight(one.target, str(one.outcome), one.reason, one.detail, one.at) for one in view.targets)
    learning = []
    for series in (series for target in view.targets for series in target.series):
        ready = [rule.ready_at for rule in series.rules if rule.state is RuleState.LEARNING]
        if ready:
            learning.append(Learner(series.series, min((at for at in ready if at), default=None)))
    every = (series for target in view.targets for series in target.series)
    left = [(one.at.timestamp(), one.value) for one in every if one.series.metric == CERTIFICATE and one.at]
    return Stand(view.probe, seen, tuple(learning), ending(left))
