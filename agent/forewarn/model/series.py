"""What is measured: series, the runs of probes that feed them, and the windows that detectors look at."""

from __future__ import annotations

import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

Labels = tuple[tuple[str, str], ...]
"""Sorted (name, value) pairs."""

UNIT_SUFFIXES = ("_s", "_bytes", "_ratio", "_celsius", "_total")


@dataclass(frozen=True, slots=True)
class SeriesId:
    """`probe|target|metric{a="b"}`. The metric carries its unit as a suffix (UNIT_SUFFIXES); none is a plain count."""

    probe: str
    target: str
    metric: str
    labels: Labels = ()

    def __str__(self) -> str:
        return f"{self.probe}|{self.target}|{metric_text(self.metric, self.labels)}"

    def label(self, name: str) -> str | None:
        return next((value for key, value in self.labels if key == name), None)

    @staticmethod
    def parse(text: str) -> SeriesId:
        """Inverse of str(); raises ValueError with the form that would be right."""
        parts = text.split("|", 2)
        if len(parts) != 3 or not all(parts):
            raise ValueError(f'"{text}" is not a series; write probe|target|metric{{label="value"}}')
        metric, labels = parse_metric(parts[2])
        return SeriesId(parts[0], parts[1], metric, labels)


_METRIC = re.compile(r"^([A-Za-z_][\w.:-]*)(?:\{(.*)\})?$", re.DOTALL)
_LABEL = re.compile(r'([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"\s*(?:,\s*|$)')


def metric_text(metric: str, labels: Labels) -> str:
    """`metric{a="b"}`; quotes and backslashes inside values are escaped."""
    if not labels:
        return metric
    inner = ",".join(f'{name}="{_escape(value)}"' for name, value in labels)
    return f"{metric}{{{inner}}}"


@lru_cache(maxsize=4096)
def parse_metric(text: str) -> tuple[str, Labels]:
    """Inverse of metric_text; raises ValueError."""
    found = _METRIC.match(text)
    if not found:
        raise ValueError(f'"{text}" is not a metric; write name or name{{label="value"}}')
    inner, labels, at = found[2] or "", [], 0
    while at < len(inner):
        pair = _LABEL.match(inner, at)
        if not pair:
            raise ValueError(f'"{text}": labels are written {{name="value"}}')
        labels.append((pair[1], re.sub(r"\\(.)", r"\1", pair[2])))
        at = pair.end()
    return found[1], tuple(sorted(labels))


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def unit_of(metric: str) -> str:
    """The unit that a metric's suffix names: s, bytes, ratio, celsius, total, or "" for a plain number."""
    return next((suffix[1:] for suffix in UNIT_SUFFIXES if metric.endswith(suffix)), "")


class Outcome(StrEnum):
    """Of one run: `unknown` means that we could not look, and never clears or raises anything."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


Column = tuple[str, Labels]
"""A metric and its labels: what stands in one place of ProbeRun.values."""


@dataclass(slots=True, unsafe_hash=True)
class ProbeRun:
    """What one run of a probe against one target found. Not frozen, which would make it three times as dear to build, and
    hundreds are built in a second; nobody changes one.

    `columns[i]` names `values[i]`; a prober hands in the same columns tuple run after run, so that nothing is built anew.
    `at_s` is epoch seconds UTC of the start; `reason` comes from the prober's closed list; `detail` shows the failing
    value to people and holds no secret. `lines` are up to five example log lines (evidence, already masked).
    `hidden` are labels (the value a glob) of things that are there and could not be looked at this time, as a disk asleep:
    that their series are absent does not mean that they are gone.
    `cursor` is the follower's place to go on from; it is stored with the samples of this run.
    """

    probe: str
    target: str
    at_s: float
    outcome: Outcome
    columns: tuple[Column, ...] = ()
    values: tuple[float, ...] = ()
    reason: str | None = None
    detail: str | None = None
    lateness_s: float = 0.0
    took_s: float = 0.0
    lines: tuple[str, ...] = ()
    hidden: Labels = ()
    cursor: Mapping[str, object] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Bound:
    """What makes a sample good: a value above one limit, or below another; exactly one is given."""

    above: float | None = None
    below: float | None = None

    @property
    def limit(self) -> float:
        return (self.below if self.above is None else self.above) or 0.0

    def good(self, value: float) -> bool:
        return (self.above is None or value > self.above) and (self.below is None or value < self.below)


@dataclass(frozen=True, slots=True)
class Tally:
    """How older samples may be counted instead of read: by slots of `slot_s` seconds since the epoch, for the last `span_s`."""

    bound: Bound
    slot_s: float
    span_s: float


Counts = list[tuple[float, int, int]]
"""Slots of a tally that have samples, oldest first: when the slot begins, how many samples, how many of them not good."""


@dataclass(frozen=True, slots=True)
class Window:
    """Samples of one series, oldest first; the last `fresh` of them were not seen by the detector before.

    `times_s` (epoch seconds) and `values` have the same length n >= fresh >= 0. `columns` of labels never differ inside.
    `every_s` is the probe's interval (0: not known). `reason`, `detail` and `lines` are those of the newest run, and
    `up_s` is when it began, if it found the target up: somebody looked, and would have seen a sample.
    `beside`: by metric, the series of the same thing (target and labels) that the detector asked to see too.
    `since_s`: when the first series of this metric came. `came`: for a detector that gathers, the names that came with the
    newest run.
    """

    times_s: array[float]
    values: array[float]
    fresh: int
    every_s: float = 0.0
    reason: str | None = None
    detail: str | None = None
    lines: tuple[str, ...] = ()
    beside: Mapping[str, Window] = field(default_factory=dict)
    up_s: float | None = None
    since_s: float | None = None
    came: tuple[str, ...] = ()

    @staticmethod
    def of(pairs: list[tuple[float, float]], fresh: int | None = None) -> Window:
        return Window(
            array("d", (at for at, _ in pairs)), array("d", (value for _, value in pairs)), len(pairs) if fresh is None else fresh
        )
