"""One look at a cluster: documents since the last one, counted; and the figures that Elasticsearch computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from forewarn.model.probe import Probe, Target
from forewarn.model.series import Column, Labels, Outcome, ProbeRun
from forewarn.probers.elastic import ElasticOptions
from forewarn.probers.elastic_ask import CannotAsk, Cluster
from forewarn.probers.elastic_count import Place, Slice, count, first_place
from forewarn.probers.elastic_query import (
    ENTITIES,
    PAGES_OF_ENTITIES,
    Doc,
    condition,
    docs,
    entities,
    figures,
    labels_of,
    page,
    read_figures,
)
from forewarn.probers.reasons import Reason, unknown

BEHIND: Column = ("behind_s", ())
BIRTH_S = 0.001
SAME_TIME = 100_000
"""Documents of one millisecond that are read at most."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look came to; `more`: there is more to read at once."""

    place: Place
    runs: tuple[ProbeRun, ...]
    more: bool = False


async def look(
    cluster: Cluster,
    probe: Probe,
    target: Target,
    place: Place | None,
    now_s: float,
    clock: Callable[[], float],
    behind: bool = False,
) -> Looked:
    """Read on from `place` (None: at first sight) up to now; raises CannotAsk, and then nothing has changed.

    `behind`: the last look did not come to the end, so that late documents are left for the first one that does.
    """
    options: ElasticOptions = probe.options  # type: ignore[assignment]
    index = ",".join(options.index)
    async with cluster.moment(index) as pit:
        try:
            start = place or await _first(cluster, options, pit, index, now_s)
            skipped = start.to_s < now_s - options.catch_up
            start = replace(start, to_s=now_s - options.catch_up) if skipped else start
            from_s = start.to_s if behind else start.again_s(options)
            found, until_s = await _read(
                cluster, options, pit, index, min(from_s, now_s), max(start.to_s, now_s), start, clock, probe.timeout_s
            )
            values, remark = await _figures(cluster, options, pit, index, now_s)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise CannotAsk(
                unknown(Reason.PROTOCOL, f"the answer is not one of Elasticsearch's ({type(error).__name__})")
            ) from None
    after, slices = count(options, start, found, until_s, probe.every_s)
    behind_s = max(0.0, now_s - until_s)
    if skipped:
        remark = "it was stopped for longer than catch_up; what lies before that was not read"
    runs = _runs(probe, target, start, slices, {**values, BEHIND: behind_s}, remark)
    return Looked(after, runs, more=until_s < now_s)


async def _first(cluster: Cluster, options: ElasticOptions, pit: dict[str, str], index: str, now_s: float) -> Place:
    """Begin now; sets of labels that were there in `history` are known."""
    known: list[Labels] = []
    if options.history and options.labels:
        query = condition(options, now_s - options.history, now_s)
        async for bucket in _entities(cluster, pit, index, lambda after: _bare(options, query, after)):
            known.append(labels_of(options, bucket["key"]))
    return first_place(options, now_s, known)


def _bare(options: ElasticOptions, query: dict[str, Any], after: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"query": query, "size": 0, "track_total_hits": False, "aggs": {ENTITIES: entities(options, {}, after)}}


async def _entities(
    cluster: Cluster, pit: dict[str, str], index: str, body: Callable[[Mapping[str, Any] | None], dict[str, Any]]
) -> Any:
    """All buckets of a paged aggregation, as far as PAGES_OF_ENTITIES reach."""
    after: Mapping[str, Any] | None = None
    for _ in range(PAGES_OF_ENTITIES):
        answer = (await cluster.search(pit, body(after), index))["aggregations"][ENTITIES]
        for bucket in answer["buckets"]:
            yield bucket
        after = answer.get("after_key")
        if not after or not answer["buckets"]:
            return


async def _read(
    cluster: Cluster,
    options: ElasticOptions,
    pit: dict[str, str],
    index: str,
    from_s: float,
    until_s: float,
    start: Place,
    clock: Callable[[], float],
    timeout_s: float,
) -> tuple[list[Doc], float]:
    """The documents of from_s <= time < until_s in order, and up to when they are complete: earlier than `until_s` when there
    are too many for one run, or when it takes too long."""
    query, began = condition(options, from_s, until_s), clock()
    found: list[Doc] = []
    after: list[Any] | None = None
    while True:
        got, after = docs(options, await cluster.search(pit, page(options, query, options.page, after), index))
        found += got
        if len(got) < options.page:
            return found, until_s
        new = [doc for doc in found if doc.at_s >= start.to_s]
        enough = len(new) >= options.max_documents or clock() - began > timeout_s / 2
        if enough and new and (new[0].at_s < new[-1].at_s or len(new) >= SAME_TIME):
            last_s = new[-1].at_s  # its millisecond may go on in the next page
            kept = [doc for doc in found if doc.at_s < last_s] if new[0].at_s < last_s else found
            return kept, last_s if new[0].at_s < last_s else last_s + 0.001


async def _figures(
    cluster: Cluster, options: ElasticOptions, pit: dict[str, str], index: str, now_s: float
) -> tuple[dict[Column, float], str | None]:
    """The values of the window that ends now, and a remark when there are more sets of labels than may be shown."""
    if not options.values:
        return {}, None
    query = condition(options, now_s - options.window, now_s)
    if not options.labels:
        answer = await cluster.search(pit, figures(options, query), index)
        n = int(answer["hits"]["total"]["value"])
        return dict(read_figures(options, answer.get("aggregations") or {}, n, ())), None
    buckets = [one async for one in _entities(cluster, pit, index, lambda after: figures(options, query, after))]
    buckets.sort(key=lambda bucket: -int(bucket["doc_count"]))
    shown = buckets[: options.max_labels]
    values = {
        column: value
        for bucket in shown
        for column, value in read_figures(options, bucket, int(bucket["doc_count"]), labels_of(options, bucket["key"]))
    }
    return values, f"{len(buckets)} sets of labels; values of the {len(shown)} largest" if len(buckets) > len(shown) else None


def _runs(
    probe: Probe, target: Target, before: Place, slices: list[Slice], extra: dict[Column, float], remark: str | None
) -> tuple[ProbeRun, ...]:
    """One run for each slice; before it the one in which its new series are born with 0. The last tells the rest."""
    runs: list[ProbeRun] = []
    told: Mapping[Column, float] = before.counts
    for slice in slices:
        if slice.born:
            zero = {**told, **dict.fromkeys(slice.born, 0.0)}
            runs.append(_run(probe, target, slice.at_s - BIRTH_S, zero))
        last = slice is slices[-1]
        values = {**slice.counts, **extra} if last else slice.counts
        runs.append(replace(_run(probe, target, slice.at_s, values), lines=slice.lines, detail=remark if last else None))
        told = slice.counts
    return tuple(runs)


def _run(probe: Probe, target: Target, at_s: float, values: Mapping[Column, float]) -> ProbeRun:
    return ProbeRun(probe.name, target.name, at_s, Outcome.UP, tuple(values), tuple(values.values()))


def recent_s(probe: Probe) -> float:
    """How far a single look reaches back: as far as the rules do, a quarter of an hour at least and a day at most."""
    spans = [float(getattr(rule.options, "within_s", 0.0) or 0.0) for rule in probe.rules]
    return min(86400.0, max(900.0, *spans, 0.0))
