"""Rules about what is new or unusual in what comes: `flatline`, `change`, `new-term`, `cardinality`, and `compose` over rules."""

from __future__ import annotations

from typing import Literal

from forewarn.config.files import Document, Path
from forewarn.config.problems import Problems, Wrong, suggestion
from forewarn.config.units import duration_text, number_text, value_of
from forewarn.config.written import Duration, Name, Positive, Texts, Value, Written, described
from forewarn.core.detect.change import LONGEST, ChangeOptions
from forewarn.core.detect.distinct import CardinalityOptions, ComposeOptions
from forewarn.core.detect.flatline import FlatlineOptions
from forewarn.core.detect.new_term import NewTermOptions
from forewarn.model.probe import Rule

COUNTER = "name a metric that ends in _total"
LONGEST_S = 7 * 86400.0


class FlatlineWritten(Written):
    """Too little happens: a counter grows too slowly, or a value does not move."""

    metric: str = described('metric, or metric{label="glob"}', "orders_total")
    within: Positive = described("looked at over this span", "1h")
    fewer_than: float | None = described("of a _total metric: fires when it grew by less", 10, default=None, gt=0)
    moves: Value = described("of any other: fires when it moved by no more than this; 0 if left out", "0.1C", default=None)


class ChangeWritten(Written):
    """So many times more, or less, than in the time before."""

    metric: str = described("a _total metric (its growth) or any other (its mean)", "errors_total")
    times: float = described("fires from this ratio on", 3, default=3.0, gt=1, le=1000)
    within: Positive = described("the span that is compared", "10m", default=600.0)
    reference: Positive | None = described(
        "the time before that it is compared with; as long as within if left out", "1h", default=None
    )
    direction: Literal["up", "down", "both"] = described("more, less, or both", "up", default="up")
    least: Value = described("the larger of both must be at least this", 10, default=None)


class NewTermWritten(Written):
    """A set of labels that never came before."""

    metric: str = described("a metric with labels", "logins_total")
    learn: Duration = described("for so long after the first one all are known", "7d", default=7 * 86400.0)
    clear_after: Positive = described("ends so long after it first came", "1h", default=3600.0)


class CardinalityWritten(Written):
    """How many different values of a label came within a span."""

    metric: str = described("a _total metric with labels", "logins_total")
    of: Texts = described("the label, or labels, whose values are counted; each set of the others is judged alone", "user")
    above: int | None = described("fires above this many", 20, default=None, ge=0)
    below: int | None = described("fires below this many", 3, default=None, ge=1)
    within: Positive = described("counted over this span", "1h", default=3600.0)


class ComposeWritten(Written):
    """Several rules of this probe agree on one target."""

    of: tuple[Name, ...] = described("names of rules of this probe", ["slow", "errors"], min_length=2)
    at_least: int | None = described("how many of them; all if left out", 2, default=None, ge=1)
    within: Positive = described("a rule still counts so long after it ended", "5m", default=60.0)
    metric: str = described("the series that its finding stands at", "up", default="up")


def flatline(written: FlatlineWritten, metric: str) -> FlatlineOptions:
    """Options of the detector; raises Wrong."""
    _short(written.within, "within")
    if not metric.endswith("_total"):
        if written.fewer_than is not None:
            raise Wrong(f"fewer_than counts, and {metric} does not", f"{COUNTER}, or write moves")
        return FlatlineOptions(
            within_s=written.within, counter=False, moves=0.0 if written.moves is None else value_of(metric, written.moves)
        )
    if written.moves is not None:
        raise Wrong(f"moves is for values, and {metric} counts", "write fewer_than: 10")
    return FlatlineOptions(within_s=written.within, fewer_than=1.0 if written.fewer_than is None else written.fewer_than)


def change(written: ChangeWritten, metric: str) -> ChangeOptions:
    """Options of the detector; raises Wrong."""
    reference = written.reference or written.within
    _short(written.within + reference, "within and reference together")
    if not written.within <= reference <= LONGEST * written.within:
        raise Wrong(
            f"reference {duration_text(reference)} does not fit within {duration_text(written.within)}",
            f"write one that is as long, or up to {LONGEST} times as long",
        )
    counter = metric.endswith("_total")
    return ChangeOptions(
        times=written.times,
        within_s=written.within,
        reference_s=reference,
        up=written.direction != "down",
        down=written.direction != "up",
        least=0.0 if written.least is None else value_of(metric, written.least),
        counter=counter,
    )


def new_term(written: NewTermWritten, metric: str) -> NewTermOptions:
    """Options of the detector; raises Wrong."""
    _short(written.clear_after, "clear_after")
    return NewTermOptions(learn_s=written.learn, clear_after_s=written.clear_after)


def cardinality(written: CardinalityWritten, metric: str) -> CardinalityOptions:
    """Options of the detector; raises Wrong."""
    _short(written.within, "within")
    if not metric.endswith("_total"):
        raise Wrong(f"{metric} does not count what comes", COUNTER)
    if not written.of:
        raise Wrong("of names no label", "write of: user")
    if (written.above is None) == (written.below is None):
        raise Wrong("give exactly one of above and below", "write above: 20")
    return CardinalityOptions(of=tuple(written.of), within_s=written.within, above=written.above, below=written.below)


def compose(written: ComposeWritten, metric: str) -> ComposeOptions:
    """Options of the detector; `named` checks the names later. Raises Wrong."""
    _short(written.within, "within")
    at_least = len(written.of) if written.at_least is None else written.at_least
    if len(set(written.of)) < len(written.of):
        raise Wrong("a rule is named twice", "name each once")
    if at_least > len(written.of):
        raise Wrong(f"at_least {number_text(at_least)} is more than there are", f"write at most {len(written.of)}")
    return ComposeOptions(of=written.of, at_least=at_least, within_s=written.within)


def named(doc: Document, at: Path, index: int, rule: Rule, names: frozenset[str], problems: Problems) -> None:
    """Check that the rules which a composed one names are there."""
    if not isinstance(rule.options, ComposeOptions):
        return
    for place, name in enumerate(rule.options.of):
        if name == rule.name or name not in names:
            what = "is this rule itself" if name == rule.name else "is not a rule of this probe"
            others = sorted(names - {rule.name})
            problems.add(doc, (*at, index, "compose", "of", place), f'"{name}" {what}', suggestion(name, others))


def _short(span_s: float, key: str) -> None:
    if span_s > LONGEST_S:
        raise Wrong(f"{key} {duration_text(span_s)} is too long", "write at most 7d: so much is read again at every start")
