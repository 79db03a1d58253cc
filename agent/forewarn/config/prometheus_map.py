"""A small file that says which of a Prometheus' series are which of ours, for `forewarn try --on prometheus`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from forewarn.config.problems import Problems
from forewarn.config.reading import documents_of
from forewarn.config.validate import validated_parts
from forewarn.config.written import Written, described
from forewarn.model.errors import ConfigError


class MapEntryWritten(Written):
    """One query, and what its answers are called here."""

    query: str = described("a query of PromQL; each of its answers becomes a series", "node_load1", min_length=1)
    probe: str = described("the probe that they belong to", "host", min_length=1)
    metric: str = described("what they measure there", "load1", min_length=1)
    target: str | None = described(
        "the target, or ${label} for the value of a label of theirs; the probe's only one if left out", "${instance}", default=None
    )
    labels: dict[str, str] = described("label here -> label there whose value it takes", {"mount": "mountpoint"}, default={})
    scale: float = described("their values times this", 0.001, default=1.0)


class PrometheusMapFile(Written):
    """A mapping for `forewarn try CONFIG --on prometheus URL --map FILE`"""

    series: list[MapEntryWritten] = described(
        "the queries", [{"query": "node_load1", "probe": "host", "metric": "load1"}], min_length=1
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """PromQL, and what its answers are called. `target` may hold ${label}; `labels` are ours -> theirs."""

    query: str
    probe: str
    metric: str
    target: str | None = None
    labels: Mapping[str, str]
    scale: float = 1.0


def prometheus_map(path: Path) -> tuple[Query, ...]:
    """The queries of a mapping file. Raises ConfigError with everything that is wrong, ForewarnError if it can't be read."""
    problems = Problems()
    found: list[MapEntryWritten] = []
    for doc in documents_of(path, problems):
        written, _ = validated_parts(PrometheusMapFile, doc.value, doc, problems)
        found += written.series if written else []
    if problems:
        raise ConfigError(problems.all(), 1)
    return tuple(Query(**one.model_dump()) for one in found)
