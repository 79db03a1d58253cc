"""Who is touched: affected is measured, exposed is by map.

A service wholly down affects every customer who uses it; otherwise only a customer whom a finding names (a label, a target)
is affected. Exposed are the others who use the service, or one that cannot do without it: those to warn, and to ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from forewarn.core.impact.effect import EXPOSED, INSIDE, LOST, Role, is_resource, meaning, named_customer
from forewarn.core.impact.exposure import Place, exposed_customers, exposed_users, outside_targets, users_of, users_total
from forewarn.core.impact.matrix import Known
from forewarn.model.finding import Finding
from forewarn.model.impact import Measure
from forewarn.model.level import Effect, worst
from forewarn.model.map import Service
from forewarn.model.probe import Probe
from forewarn.model.settings import Settings

CORE_PAYMENT = "core-payment"
"""Tag of a service whose fall is at least a P1."""

FORESEEN = frozenset({Role.COMING, Role.CROSSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """One service's trouble: the figures that are judged, and the names behind them.

    `moment` is the one that is judged: now, or when a forecast's breach is likely, which then has probability `p`. `vips`
    are those among the affected, of a forewarning among the exposed. `users_measured` is a share that somebody counted.
    """

    service: Service | None
    known: Known
    findings: tuple[Finding, ...]
    affected: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    vips: tuple[str, ...] = ()
    users_measured: float | None = None
    moment: datetime
    p: float | None = None


def touched(
    service: Service | None,
    findings: Sequence[Finding],
    settings: Settings,
    measures: Mapping[str, Measure],
    ahead: bool,
    now: datetime,
) -> Touched:
    """What these open findings mean for one service; None stands for no declared service, which nobody is known to use."""
    evidence = _Evidence(findings, settings, ahead)
    moment = evidence.likely or now
    if service is None:
        return Touched(service=None, known=evidence.known(frozenset()), findings=tuple(findings), moment=moment, p=evidence.p)
    known = evidence.known(outside_targets(service.name, settings))
    uses = [customer.name for customer in settings.users_of(service.name)]
    affected = _once([*(uses if known.wholly else []), *evidence.named(Role.FELT)])
    exposed = _once([*exposed_customers(service, settings), *evidence.named(Role.RISK, Role.COMING, Role.CROSSED)])
    vips = tuple(name for name in (exposed if ahead else affected) if settings.customers[name].vip)
    counted = _value(measures, service, "users_share")
    return Touched(
        service=service,
        known=replace(
            known,
            criticality=service.criticality,
            drop=None if ahead else _value(measures, service, "drop"),
            users=_users(service, affected, known.wholly, counted, settings),
            users_exposed=exposed_users(service, settings),
            affected=len(affected),
            vip=0 if ahead else len(vips),
            exposed=len(exposed),
            campaign=any(begin <= moment < end for begin, end in service.campaigns),
            core_payment=CORE_PAYMENT in service.tags,
        ),
        findings=tuple(findings),
        affected=affected,
        exposed=tuple(name for name in exposed if name not in affected),
        vips=vips,
        users_measured=counted,
        moment=moment,
        p=evidence.p,
    )


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _value(measures: Mapping[str, Measure], service: Service, what: str) -> float | None:
    measure = measures.get(f"{service.name}/{what}")
    return measure.value if measure else None


def _users(service: Service, affected: Sequence[str], wholly: bool, counted: float | None, settings: Settings) -> float | None:
    """The largest share of users that is known to be affected: counted, all of a fallen service, those of affected customers."""
    total = users_total(settings)
    theirs = sum(settings.customers[name].users or 0 for name in affected)
    known = [
        counted,
        users_of(service, settings) if wholly or service.internal else None,
        min(1.0, theirs / total) if theirs and total else None,
    ]
    return max((share for share in known if share is not None), default=None)


def _outside(probe: Probe | None) -> bool:
    """Whether what a probe finds is found at a target that users meet."""
    return probe is None or probe.kind not in INSIDE


class _Evidence:
    """Findings of one service by their role. A resource's forecast reaches nobody, like the resource itself."""

    def __init__(self, findings: Sequence[Finding], settings: Settings, ahead: bool) -> None:
        self._settings = settings
        self._ahead = ahead
        probes = [(f, settings.probes.get(f.probe)) for f in findings]
        self._meant = [(f, probe, meaning(f, probe, settings.customers)) for f, probe in probes]
        coming = [f.forecast for f, _, meant in self._meant if f.forecast and meant.role is Role.COMING]
        self.likely = next((forecast.likely for forecast in coming if forecast.likely), None) if ahead else None
        self.p = max((forecast.p for forecast in coming if forecast.p is not None), default=None) if ahead else None

    def known(self, places: frozenset[Place]) -> Known:
        """The figures that findings alone tell; `places` are the targets at which users meet the service."""
        felt = [f for f, _, meant in self._meant if meant.role is Role.FELT]
        down = {(f.probe, f.target) for f in felt if f.kind == "down"}
        surely = {(f.probe, f.target) for f in felt if f.kind == "down" and f.confirmed}
        slow = {
            (f.probe, f.target) for f, probe, m in self._meant if m.role is Role.FELT and f.kind != "pattern" and _outside(probe)
        } - down
        tags = {tag for _, probe, meant in self._meant if probe and meant.role is Role.FELT for tag in probe.tags}
        roles = {meant.role for _, _, meant in self._meant}
        breach_role = Role.COMING if self._ahead else Role.CROSSED
        return Known(
            criticality=None,
            ahead=self._ahead,
            felt=self._worst(Role.FELT),
            breach=self._worst(breach_role),
            risk=Role.RISK in roles or (not self._ahead and self._worst(Role.COMING) is not None),
            resource=Role.RESOURCE in roles or any(is_resource(f, probe) for f, probe, m in self._meant if m.role in FORESEEN),
            blind=Role.BLIND in roles,
            targets=len(places | down | slow),
            down=len(down),
            slow=len(slow),
            wholly=bool(places) and places <= surely,
            data_lost=LOST in tags,
            data_exposed=EXPOSED in tags,
        )

    def _worst(self, role: Role) -> Effect | None:
        effects = {meant.effect for f, probe, meant in self._meant if meant.role is role and not is_resource(f, probe)}
        return worst(effects, Effect.QUESTION) if effects else None

    def named(self, *roles: Role) -> list[str]:
        """Customers whom findings of these roles name."""
        names = [named_customer(f, self._settings.customers) for f, _, meant in self._meant if meant.role in roles]
        return [name for name in names if name]
