"""Rules in both of their forms: `total_s > 500ms for 1m`, and maps for everything that the short form can't say.

KINDS is the table of rule kinds: a new kind is its detector in core/detect, a model of what people write, a function
that turns it into the detector's options, and one line here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import create_model

from forewarn.config import novelty
from forewarn.config.files import Document, Path
from forewarn.config.limits import clear_of, limit_of
from forewarn.config.problems import Problems, Wrong, suggestion
from forewarn.config.promises import AbsenceWritten, SloWritten, absence, budget, slo
from forewarn.config.rates import RateWritten, rate
from forewarn.config.units import duration, number_text, shown, value_of
from forewarn.config.unusual import BaselineWritten, baseline
from forewarn.config.validate import validated
from forewarn.config.written import Duration, Name, Positive, Share, Value, Written, described
from forewarn.core.detect.countdown import CountdownOptions
from forewarn.core.detect.forecast import ForecastOptions
from forewarn.core.detect.pattern import PatternOptions
from forewarn.core.detect.risk import RiskOptions
from forewarn.core.detect.threshold import ThresholdOptions
from forewarn.model.level import Colour, Effect, Mode
from forewarn.model.probe import Rule, Source
from forewarn.model.series import Labels, parse_metric

DISK = "disk_ok"
"""The series that a risk is about."""

BUILTIN = ("down", "cannot-see")

Stat = Literal["last", "min", "max", "mean", "p50", "p90", "p95", "p99"]


class ThresholdWritten(Written):
    """A value, or a statistic of a window, beyond a limit for long enough."""

    metric: str = described('metric, or metric{label="glob"}', "total_s")
    stat: Stat = described("what of the window is compared", "p95", default="last")
    window: Positive | None = described("how much of the past the statistic covers", "5m", default=None)
    above: Value = described("fires above this, in the metric's unit", "500ms", default=None)
    below: Value = described("fires below this, in the metric's unit", "10%", default=None)
    clear_below: Value = described("with above: ends only below this", "400ms", default=None)
    clear_above: Value = described("with below: ends only above this", "15%", default=None)
    for_: Duration = described("for how long it must hold", "1m", default=0.0, alias="for")


class ForecastWritten(Written):
    """When a limit will be crossed."""

    metric: str = described('metric, or metric{label="glob"}', "fs_used_ratio")
    above: Value = described("the limit, crossed upwards", "95%", default=None)
    below: Value = described("the limit, crossed downwards", "5%", default=None)
    within: Positive = described("fires when the crossing lies within this", "3d", default=3 * 86400.0)
    confidence: Share = described("how often earliest..latest must hold the truth", 0.8, default=0.8)
    window: Positive = described("how much of the past is looked at", "6h", default=6 * 3600.0)


class PatternWritten(Written):
    """A counter of matching log lines that grows too fast."""

    metric: str = described("a _total metric", "errors_total")
    more_than: int = described("fires above this many", 20, default=0, ge=0)
    within: Positive = described("counted over this span", "1m", default=60.0)
    clear_after: Positive = described("ends after this span without it", "5m", default=300.0)


class RiskWritten(Written):
    """How likely a disk fails within a horizon; without dates."""

    metric: str = described("the disk's own verdict; what else it shows is looked at with it", "disk_ok", default=DISK)
    above: Share = described("fires from this probability", "5%", default=0.05)
    within: Positive = described("within this span", "30d", default=30 * 86400.0)
    model: Literal["fitted", "published"] = described(
        "fitted: trees fitted to 43,615 drives; published: failure rates by attribute as they were published",
        "published",
        default="fitted",
    )


class CountdownWritten(Written):
    """A date that is known comes near."""

    metric: str = described("a metric that says how much time is left", "certificate_s")
    within: Positive = described("fires when less than this is left", "30d", default=30 * 86400.0)


def _threshold(written: ThresholdWritten, metric: str) -> ThresholdOptions:
    side, limit = limit_of(metric, written.above, written.below)
    if written.stat == "last" and written.window is not None:
        raise Wrong("window without a statistic", "add stat: mean (or p95, max ...), or take window out")
    if written.stat != "last" and written.window is None:
        raise Wrong(f"stat {written.stat} needs a window", "add window: 5m")
    return ThresholdOptions(
        op=">" if side == "above" else "<",
        limit=limit,
        clear=clear_of(written, metric, side, limit),
        stat=written.stat,
        window_s=written.window,
        for_s=written.for_,
    )


def _forecast(written: ForecastWritten, metric: str) -> ForecastOptions:
    side, limit = limit_of(metric, written.above, written.below)
    if not 0.5 <= written.confidence < 1:
        raise Wrong(f"confidence {number_text(written.confidence)} is out of range", "write 0.5 to 0.99")
    return ForecastOptions(
        above=limit if side == "above" else None,
        below=limit if side == "below" else None,
        within_s=written.within,
        confidence=written.confidence,
        window_s=written.window,
    )


def _pattern(written: PatternWritten, metric: str) -> PatternOptions:
    if not metric.endswith("_total"):
        raise Wrong(f"{metric} does not count lines", "name a metric that ends in _total")
    return PatternOptions(more_than=written.more_than, within_s=written.within, clear_after_s=written.clear_after)


def _risk(written: RiskWritten, metric: str) -> RiskOptions:
    if metric != DISK:
        raise Wrong(f"a risk is that of a disk, and {metric} is not", f"write metric: {DISK}, or leave it out")
    if not 0 < written.above < 1:
        raise Wrong(f"above {number_text(written.above)} is out of range", "write 1% to 99%")
    if not 86400.0 <= written.within <= 365 * 86400.0:
        raise Wrong("within is out of range", "write 1d to 365d; the figures behind it are those of 3, 30 and 90 days")
    return RiskOptions(above=written.above, within_s=written.within, model=written.model)


def _countdown(written: CountdownWritten, metric: str) -> CountdownOptions:
    if not metric.endswith("_s"):
        raise Wrong(f"{metric} is no time that is left", "name a metric that ends in _s, e.g. certificate_s")
    return CountdownOptions(within_s=written.within)


@dataclass(frozen=True)
class RuleKind:
    """One line of the table: what people write, what the detector gets (raises Wrong), and a second rule that comes with it."""

    written: type[Written]
    options: Callable[[Any, str], object]
    beside: Callable[[Rule], Rule] | None = None


KINDS: Mapping[str, RuleKind] = {
    "threshold": RuleKind(ThresholdWritten, _threshold),
    "forecast": RuleKind(ForecastWritten, _forecast),
    "pattern": RuleKind(PatternWritten, _pattern),
    "risk": RuleKind(RiskWritten, _risk),
    "countdown": RuleKind(CountdownWritten, _countdown),
    "slo": RuleKind(SloWritten, slo, budget),
    "absence": RuleKind(AbsenceWritten, absence),
    "baseline": RuleKind(BaselineWritten, baseline),
    "flatline": RuleKind(novelty.FlatlineWritten, novelty.flatline),
    "change": RuleKind(novelty.ChangeWritten, novelty.change),
    "rate": RuleKind(RateWritten, rate),
    "new-term": RuleKind(novelty.NewTermWritten, novelty.new_term),
    "cardinality": RuleKind(novelty.CardinalityWritten, novelty.cardinality),
    "compose": RuleKind(novelty.ComposeWritten, novelty.compose),
}


class RuleCommon(Written):
    """What every rule may have."""

    name: Name | None = described("unique in the probe; the metric's name if left out", "slow", default=None)
    colour: Colour = described("how near the limit is", "yellow", default=Colour.YELLOW)
    effect: Effect | None = described("how badly the service is touched, if not what the metric means", "slow", default=None)
    mode: Mode | None = described("shadow is recorded only", "shadow", default=None)


RuleWritten: type[RuleCommon] = create_model(
    "RuleWritten",
    __base__=RuleCommon,
    __doc__="A rule: exactly one of the kinds.",
    **{kind: (line.written | None, None) for kind, line in KINDS.items()},  # type: ignore[call-overload]
)

SHORT = re.compile(
    r"""(?P<metric>[A-Za-z_][\w.:-]*(?:\{(?:[^"}]|"(?:\\.|[^"\\])*")*\})?)\s*"""
    r"""(?P<op>>=|<=|==|!=|>|<)\s*(?P<value>\S(?:.*?\S)??)(?:\s+for\s+(?P<span>\S+))?"""
)
SHORT_EXAMPLE = "total_s > 500ms for 1m"
_FORM = f'write METRIC > VALUE for SPAN, e.g. "{SHORT_EXAMPLE}", or a map'


@dataclass(frozen=True, slots=True)
class Given:
    """What a probe knows about its rules: `metrics` are the names that its kind gives, empty when they can't be known."""

    metrics: frozenset[str]
    mode: Mode


def rules(doc: Document, at: Path, written: list[Any], given: Given, problems: Problems) -> tuple[Rule, ...]:
    """The rules of a probe, the built-in ones first. `at` is the path of the list."""
    built = builtin(doc.at(at[:-1]), given.mode)
    composed: list[tuple[int, Rule]] = []
    names = {rule.name: "a built-in rule" for rule in built}
    found = list(built)
    for index, one in enumerate(written):
        path = (*at, index)
        rule = one_rule(doc, path, one, given, problems)
        if rule is None:
            continue
        beside = KINDS[rule.kind].beside
        for made in (rule, beside(rule)) if beside else (rule,):
            if made.name in names:
                _twice(doc, path, made, names[made.name], one, problems)
                break
            names[made.name] = f"the rule in line {made.source.line}"
            found.append(made)
        composed += [(index, rule)] if rule.kind == "compose" else []
    for index, rule in composed:
        novelty.named(doc, at, index, rule, frozenset(names), problems)
    return tuple(found)


def one_rule(doc: Document, path: Path, written: Any, given: Given, problems: Problems) -> Rule | None:
    """A rule in either form."""
    if isinstance(written, str):
        return _short(doc, path, written, given, problems)
    return _map(doc, path, written, given, problems)


def builtin(source: Source, mode: Mode) -> tuple[Rule, ...]:
    """Every probe has these two, whatever it says."""
    down = Rule(name="down", kind="down", metric="up", options=None, colour=Colour.RED, mode=mode, source=source)
    blind = Rule(name="cannot-see", kind="cannot-see", metric="up", options=None, colour=Colour.BLUE, mode=mode, source=source)
    return (down, blind)


def _twice(doc: Document, path: Path, rule: Rule, first: str, one: object, problems: Problems) -> None:
    if isinstance(one, dict) and one.get("name"):
        problems.add(doc, path, f'"{rule.name}" is the name of {first} already', "give this rule another name")
    else:
        problems.add(
            doc,
            path,
            f"a second rule on {rule.metric} needs a name",
            f"write {{name: ..., {rule.kind}: {{metric: {rule.metric}, ...}}}}",
        )


def _short(doc: Document, path: Path, text: str, given: Given, problems: Problems) -> Rule | None:
    found = SHORT.fullmatch(text.strip())
    if not found:
        problems.add(doc, path, f"{shown(text)} is not a rule", _FORM)
        return None
    metric = _metric(doc, path, found["metric"], given, problems)
    if metric is None:
        return None
    limit = problems.reading(doc, path, value_of, metric[0], found["value"])
    for_s = problems.reading(doc, path, duration, found["span"]) if found["span"] else 0.0
    if limit is None or for_s is None:
        return None
    options = ThresholdOptions(op=found["op"], limit=limit, for_s=for_s)
    return Rule(
        name=metric[0], kind="threshold", metric=metric[0], labels=metric[1], options=options, mode=given.mode, source=doc.at(path)
    )


def _map(doc: Document, path: Path, one: Any, given: Given, problems: Problems) -> Rule | None:
    if not isinstance(one, dict):
        problems.add(doc, path, f"{shown(one)} is not a rule", _FORM)
        return None
    if _unknown_kind(doc, path, one, problems):
        return None
    written = validated(RuleWritten, one, doc, path, problems)
    if written is None:
        return None
    kinds = [kind for kind in KINDS if getattr(written, kind) is not None]
    if len(kinds) != 1:
        said = f"{' and '.join(kinds)} in one rule" if kinds else "a rule without a kind"
        problems.add(doc, path, said, f"write exactly one of {', '.join(KINDS)}")
        return None
    kind = kinds[0]
    body, inside = getattr(written, kind), (*path, kind)
    metric = _metric(doc, (*inside, "metric"), body.metric, given, problems)
    options = problems.reading(doc, inside, KINDS[kind].options, body, metric[0]) if metric else None
    if metric is None or options is None:
        return None
    return Rule(
        name=written.name or metric[0],
        kind=kind,
        metric=metric[0],
        labels=metric[1],
        options=options,
        colour=written.colour,
        effect=written.effect,
        mode=written.mode or given.mode,
        source=doc.at(path),
    )


def _unknown_kind(doc: Document, path: Path, one: dict[str, Any], problems: Problems) -> bool:
    """A key that holds a map is meant as a kind."""
    bad = [key for key, value in one.items() if key not in KINDS and isinstance(value, dict)]
    for key in bad:
        near = suggestion(key, KINDS) or ""
        right = near if near.startswith("did") else f"kinds: {', '.join(KINDS)}"
        problems.add(doc, (*path, key), f'"{key}" is not a rule kind', right)
    return bool(bad)


def _metric(doc: Document, path: Path, text: str, given: Given, problems: Problems) -> tuple[str, Labels] | None:
    try:
        name, labels = parse_metric(text)
    except ValueError as error:
        what, _, right = str(error).partition("; ")
        problems.add(doc, path, what, right or None)
        return None
    if given.metrics and name not in given.metrics:
        problems.add(doc, path, f'"{name}" is not a metric of this probe', suggestion(name, given.metrics))
        return None
    return name, labels
