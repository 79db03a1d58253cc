"""The judgement in words: each input and each step with its value and where it came from, and one sentence for all of it."""

from __future__ import annotations

from collections.abc import Mapping

from forewarn.core.impact.affected import Touched
from forewarn.core.impact.matrix import Judged, Known, Strand
from forewarn.core.impact.score import FELT, FORETOLD, time_factor
from forewarn.model.impact import Factor, Measure
from forewarn.model.level import Effect, Level
from forewarn.model.settings import Settings
from forewarn.model.text import Say, say

MOST_SOURCES = 5
LADDER = "ladder.yaml impact"


def why_of(touched: Touched, judged: Judged) -> Say:
    """The sentence: effect x reach, and the figures behind it."""
    known, strand = touched.known, judged.strand
    if strand.name in ("blind", "resource", "question"):
        return say(f"impact.why.{strand.name}", effect=str(strand.effect), reach=str(strand.reach))
    felt = strand.name == FELT
    share, customers = (known.users, known.affected) if felt else (known.users_exposed, known.exposed)
    bad, state = _bad(known, strand)
    parts = [("targets", felt and bad), ("users", bool(share)), ("customers", bool(customers))]
    key = "_".join(name for name, there in parts if there) or "none"
    return say(
        f"impact.why.{'felt' if felt else 'exposed'}.{key}",
        effect=str(strand.effect),
        reach=str(strand.reach),
        bad=bad,
        targets=known.targets,
        state=state,
        share=share,
        customers=customers,
    )


def _bad(known: Known, strand: Strand) -> tuple[int, str]:
    """How many targets are in trouble, and in which."""
    if known.down:
        return known.down, "impact.target.down"
    return known.slow, "impact.target.slow" if strand.effect is Effect.SLOW else "impact.target.failing"


def factors_of(touched: Touched, judged: Judged, settings: Settings, measures: Mapping[str, Measure]) -> tuple[Factor, ...]:
    """Inputs first, then the steps from the matrix's cell to the level, each with the level after it."""
    inputs = (
        *_of_service(touched),
        *_of_evidence(touched, judged),
        *_of_reach(touched, judged, settings),
        *_of_moment(touched, settings),
    )
    orders = () if judged.strand.name in FORETOLD else _of_orders(touched, measures)
    return (*inputs, *orders, *_steps(touched, judged))


def declared_factor(level: Level) -> Factor:
    return Factor(name="declared", value=str(level), source="person", why=say("impact.because.declared", level=str(level)))


def _map(touched: Touched) -> str:
    return str(touched.service.source) if touched.service else "none"


def _of_service(touched: Touched) -> list[Factor]:
    service = touched.service
    if service is None:
        return [Factor(name="service", value=None, source="none", why=say("impact.because.no_service"))]
    return [
        Factor(name="service", value=service.name, source=_map(touched)),
        Factor(name="criticality", value=str(service.criticality), source=_map(touched)),
    ]


def _of_evidence(touched: Touched, judged: Judged) -> list[Factor]:
    known, strand = touched.known, judged.strand
    ids = [finding.id for finding in touched.findings]
    source = ", ".join(ids[:MOST_SOURCES]) + (f" +{len(ids) - MOST_SOURCES}" if len(ids) > MOST_SOURCES else "")
    why = say(f"impact.because.{strand.name}", effect=str(strand.effect))
    found = [Factor(name="effect", value=str(strand.effect), source=source or "none", why=why)]
    bad, state = _bad(known, strand)
    if strand.name == FELT and bad:
        why = say("impact.because.targets", bad=bad, targets=known.targets, state=state)
        found.append(Factor(name="targets", value=float(bad), source=source, why=why))
    return found


def _of_reach(touched: Touched, judged: Judged, settings: Settings) -> list[Factor]:
    known, strand = touched.known, judged.strand
    felt = strand.name == FELT
    kind = "affected" if felt else "exposed"
    names = touched.affected if felt else touched.exposed
    share = known.users if felt else known.users_exposed
    source = (
        f"{touched.service.name}/users_share"
        if felt and touched.service and touched.users_measured == share is not None
        else _map(touched)
    )
    users_why = say(f"impact.because.users_{kind}", share=share) if share is not None else say(f"impact.because.no_users_{kind}")
    where = next((str(settings.customers[name].source) for name in names), "none")
    count = say(f"impact.because.customers_{kind}", customers=len(names), first=next(iter(names), None)) if names else None
    found = [
        Factor(name=f"users {kind}", value=share, source=source, why=users_why),
        Factor(
            name=f"customers {kind}", value=float(len(names)), source=where, why=count or say(f"impact.because.no_customers_{kind}")
        ),
    ]
    if touched.vips:
        vip = touched.vips[0]
        found.append(Factor(name="vip", value=vip, source=str(settings.customers[vip].source)))
    return [*found, Factor(name="reach", value=str(strand.reach), source=strand.by, why=say(f"impact.because.by_{strand.by}"))]


def _of_moment(touched: Touched, settings: Settings) -> list[Factor]:
    found = []
    factor = time_factor(touched, settings.impact)
    if factor != 1.0:
        which = "campaign" if touched.known.campaign else "peak"
        found.append(Factor(name=which, value=factor, source=_map(touched), why=say(f"impact.because.{which}", factor=factor)))
    if touched.known.ahead:
        why = say("impact.because.p", p=touched.p) if touched.p is not None else say("impact.because.no_p")
        found.append(
            Factor(name="probability", value=touched.p, source=touched.findings[0].id if touched.findings else "none", why=why)
        )
    return found


def _of_orders(touched: Touched, measures: Mapping[str, Measure]) -> list[Factor]:
    service = touched.service
    if service is None:
        return []
    measure = measures.get(f"{service.name}/drop")
    if measure is None:
        why = say("impact.because.no_orders" if service.business is None else "impact.because.orders_unknown")
        return [Factor(name="orders drop", value=None, source=_map(touched), why=why)]
    return [Factor(name="orders drop", value=measure.value, source=service.business or _map(touched), why=measure.why)]


def _steps(touched: Touched, judged: Judged) -> list[Factor]:
    """`matrix` first; a shift's source is the map, an override's the evidence."""
    found = []
    for name, level in judged.steps:
        source = LADDER if name == "matrix" else _map(touched) if name in judged.shifts or name in judged.overrides else "cap"
        found.append(
            Factor(
                name=f"level by {name}",
                value=str(level),
                source=source,
                why=say(f"impact.step.{name.replace('-', '_')}", level=str(level)),
            )
        )
    return found
