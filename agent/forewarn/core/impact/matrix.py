"""Effect x reach -> level: the matrix that can be said in one sentence at three in the morning.

Theory. What is known of a service falls into *strands* of evidence, each with its own effect and its own reach: what is
felt (measured), what a crossed forecast stands for, what is at risk (reaches those exposed by map), resources, what we
cannot see, and questions. Each strand is judged alone; the worst level is the service's. That keeps one law: to know less never
raises a level. If the worst effect were paired with the widest reach of another strand, losing an order figure could turn
`slow x few` into `at risk x all`.

Steps of a strand, in order: matrix; one raise at most (campaign, VIP); supporting one down, not below P3; test never above
P3; overrides (raise only); cap. Each is recorded with the level after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from forewarn.model.impact import ImpactRules
from forewarn.model.level import Effect, Level, Reach, worst
from forewarn.model.map import Criticality

E, R, P = Effect, Reach, Level

MATRIX: Mapping[Effect, Mapping[Reach, Level]] = {
    E.STOPPED: {R.ALL: P.P0, R.MANY: P.P0, R.FEW: P.P1, R.NONE: P.P2},
    E.FAILS: {R.ALL: P.P0, R.MANY: P.P1, R.FEW: P.P2, R.NONE: P.P3},
    E.SLOW: {R.ALL: P.P1, R.MANY: P.P2, R.FEW: P.P3, R.NONE: P.P3},
    E.AT_RISK: {R.ALL: P.P2, R.MANY: P.P3, R.FEW: P.P3, R.NONE: P.P3},
    E.QUESTION: {R.ALL: P.P4, R.MANY: P.P4, R.FEW: P.P4, R.NONE: P.P4},
}
WHOLLY: Mapping[Criticality | None, Reach] = {
    Criticality.CORE: R.ALL,
    Criticality.IMPORTANT: R.FEW,
    Criticality.SUPPORTING: R.NONE,
    Criticality.TEST: R.NONE,
    None: R.NONE,
}
PARTLY: Mapping[Criticality | None, Reach] = {**WHOLLY, Criticality.CORE: R.MANY, Criticality.IMPORTANT: R.NONE}
"""One column less than wholly down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of one service at one moment. Shares are 0..1, None is unknown; without a service `criticality` is None.

    `felt` is the worst measured effect, `breach` that of a forecast (ahead, or crossed). `affected` and `exposed` count
    customers, `vip` counts those among the affected.
    """

    criticality: Criticality | None
    ahead: bool = False
    felt: Effect | None = None
    breach: Effect | None = None
    risk: bool = False
    resource: bool = False
    blind: bool = False
    targets: int = 0
    down: int = 0
    slow: int = 0
    wholly: bool = False
    drop: float | None = None
    users: float | None = None
    users_exposed: float | None = None
    affected: int = 0
    vip: int = 0
    exposed: int = 0
    campaign: bool = False
    core_payment: bool = False
    data_lost: bool = False
    data_exposed: bool = False


@dataclass(frozen=True, slots=True)
class Strand:
    """One line of evidence. `name` is felt, inferred, ahead, risk, resource, blind or question; `by` gave its reach."""

    name: str
    effect: Effect
    reach: Reach
    by: str = "none"  # users | customers | targets | none
    cap: Level = Level.P0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The worst strand of a service and how its level came about."""

    strand: Strand
    level: Level
    steps: tuple[tuple[str, Level], ...]
    shifts: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()


def judge(known: Known, rules: ImpactRules) -> Judged:
    """The level of one service, from the worst of its strands of evidence."""
    return min((_level(strand, known) for strand in _strands(known, rules)), key=_order)


def _order(judged: Judged) -> tuple[int, int, int]:
    return (judged.level.rank, judged.strand.effect.rank, judged.strand.reach.rank)


# --- strands ----------------------------------------------------------------------------------------------------------


def _strands(known: Known, rules: ImpactRules) -> Iterator[Strand]:
    yield Strand("question", E.QUESTION, R.NONE)
    if known.breach:
        reach = _reach(known.users_exposed, known.exposed, _struck(known), rules)
        if known.ahead:
            yield Strand("ahead", known.breach, *reach)
        else:  # the limit is crossed, but nothing has been seen to fail
            yield Strand("inferred", known.breach, *reach, cap=P.P2)
    felt = None if known.ahead else felt_effect(known, rules)
    if felt:
        yield Strand("felt", felt, *_reach(known.users, known.affected, _targets(known), rules))
    at_risk = _reach(known.users_exposed, known.exposed, R.NONE, rules)
    if known.risk:
        yield Strand("risk", E.AT_RISK, *at_risk)
    if known.blind:
        yield Strand("blind", E.AT_RISK, *at_risk, cap=P.P3)
    if known.resource:
        yield Strand("resource", E.AT_RISK, R.NONE)


def felt_effect(known: Known, rules: ImpactRules) -> Effect | None:
    """The worst effect that was measured: by findings, by every target being down, by orders that stay away."""
    effects = [effect for effect, least in rules.drop.items() if known.drop is not None and known.drop >= least]
    effects += [E.STOPPED] if known.wholly else []
    effects += [known.felt] if known.felt else []
    return worst(effects, E.QUESTION) if effects else None


def _struck(known: Known) -> Reach:
    """A breach that users will feel strikes some of the targets."""
    return PARTLY[known.criticality] if known.breach in (E.STOPPED, E.FAILS, E.SLOW) else R.NONE


def _targets(known: Known) -> Reach:
    if known.wholly:
        return WHOLLY[known.criticality]
    return PARTLY[known.criticality] if known.down or known.slow else R.NONE


def _reach(users: float | None, customers: int, targets: Reach, rules: ImpactRules) -> tuple[Reach, str]:
    """The widest that is known of, and what it is known by."""
    found = [
        (_of_users(users, rules), "users"),
        (_of_customers(customers, rules), "customers"),
        (targets, "targets"),
        (R.NONE, "none"),
    ]
    reach = worst((reach for reach, _ in found), R.NONE)
    return reach, next(by for one, by in found if one is reach) if reach is not R.NONE else "none"


def _of_users(share: float | None, rules: ImpactRules) -> Reach:
    if not share:
        return R.NONE
    if share >= rules.reach_all:
        return R.ALL
    return R.MANY if share >= rules.reach_many else R.FEW


def _of_customers(customers: int, rules: ImpactRules) -> Reach:
    if not customers:
        return R.NONE
    return R.MANY if customers >= rules.many_customers else R.FEW


# --- from the cell to the level ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Walk:
    level: Level
    steps: list[tuple[str, Level]] = field(default_factory=list)

    def to(self, name: str, level: Level) -> bool:
        """Take a step; False, and not recorded, when it changes nothing."""
        changed = level is not self.level
        if changed:
            self.level = level
            self.steps.append((name, level))
        return changed


def _level(strand: Strand, known: Known) -> Judged:
    base = MATRIX[strand.effect][strand.reach]
    walk = _Walk(base, [("matrix", base)])
    shifts = tuple(name for name, level in _shifts(strand, known, walk) if walk.to(name, level))
    overrides = tuple(name for name, least in _overrides(strand, known) if least.worse_than(walk.level) and walk.to(name, least))
    walk.to("cap", walk.level.capped(strand.cap))
    return Judged(strand=strand, level=walk.level, steps=tuple(walk.steps), shifts=shifts, overrides=overrides)


def _shifts(strand: Strand, known: Known, walk: _Walk) -> Iterator[tuple[str, Level]]:
    """Raises by one in all; a question is not made worse by who asks it. Read lazily: each sees the level before it."""
    if strand.effect is not E.QUESTION:
        raised = walk.level.raised()
        to_p0 = strand.effect in (E.STOPPED, E.FAILS)
        if known.campaign and (to_p0 or raised is not P.P0):
            yield "campaign", raised
        elif known.vip and strand.name == "felt" and raised is not P.P0:
            yield "vip", raised
    if known.criticality is Criticality.SUPPORTING:
        lowered = walk.level.lowered()
        yield "supporting", walk.level if lowered is P.P4 else lowered
    if known.criticality is Criticality.TEST:
        yield "test", walk.level.capped(P.P3)


def _overrides(strand: Strand, known: Known) -> Iterator[tuple[str, Level]]:
    if strand.name != "felt":
        return
    if known.data_lost:
        yield "data-lost", P.P0
    if known.data_exposed:
        yield "data-exposed", P.P1
    if known.core_payment and known.down:
        yield "core-payment", P.P1
