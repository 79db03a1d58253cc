"""What people declare under probes/: probes, their targets and rules."""

from __future__ import annotations

from dataclasses import dataclass, field

from forewarn.model.level import Colour, Effect, Mode


@dataclass(frozen=True, slots=True)
class Source:
    """Where a thing was written: shown by `why`, by errors and by the console."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Target:
    """`name` is what series, findings and people use; `address` is what the prober needs (the same unless given); `where`
    is the machine that is looked at, or from: `local`, or a host of config/hosts.yaml."""

    name: str
    address: str
    where: str = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A detector with its settings. `options` is the frozen options class of its kind (core/detect)."""

    name: str
    kind: str
    metric: str | None
    labels: tuple[tuple[str, str], ...] = ()  # label name -> glob
    options: object
    colour: Colour = Colour.YELLOW
    effect: Effect | None = None  # overrides what the kind and metric mean
    mode: Mode = Mode.LIVE
    shipped: bool = False  # as it came with Forewarn: its pages are shadow at first
    source: Source

    @property
    def builtin(self) -> bool:
        return self.kind in ("down", "cannot-see")

    @property
    def says(self) -> tuple[object, ...]:
        """What makes it the rule that it is, wherever it stands: what another one has learnt is of no use to it."""
        return self.kind, self.metric, self.labels, getattr(self.options, "says", self.options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A declared check. `options` is the options class of its kind (beside the prober)."""

    name: str
    kind: str
    every_s: float
    timeout_s: float
    targets: tuple[Target, ...]
    options: object
    rules: tuple[Rule, ...]  # the built-in `down` and `cannot-see` are among them
    service: str | None = None
    depends_on: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    mode: Mode = Mode.LIVE
    source: Source
    kind_source: Source | None = field(default=None, compare=False)

    def rule(self, name: str) -> Rule | None:
        return next((rule for rule in self.rules if rule.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A kind of probe that another package brings. `trouble`: why it can't be used; `used`: a probe is of this kind, so that
    it was loaded."""

    kind: str
    package: str
    version: str
    used: bool = False
    trouble: str | None = None
