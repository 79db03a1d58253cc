"""History from a Prometheus, over its HTTP API (query_range). It is only read.

Without a mapping each metric that a rule looks at is asked for by its own name: `instance` names the target if the probe
has one of that name, else the probe's only target is meant; all other labels stay as they are.
Source: prometheus.io/docs/prometheus/latest/querying/api (an answer has 11,000 points a series at most).
"""

from __future__ import annotations

import http.client
import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from math import isfinite
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from forewarn.config.prometheus_map import Query
from forewarn.model.errors import ForewarnError
from forewarn.model.probe import Probe
from forewarn.model.series import SeriesId
from forewarn.model.settings import Settings
from forewarn.reach.call import Request, exchange
from forewarn.reach.wire import Line
from forewarn.store.samples_memory import MemorySamples

MOST_POINTS = 10_000
MOST_BYTES = 256 * 1024 * 1024
TIMEOUT_S = 60.0
OWN_LABELS = ("__name__", "job", "instance")
_LABEL = re.compile(r"\$\{(\w+)\}")


class NoAnswer(ForewarnError):
    """The Prometheus can't be reached, or refused a query."""


def by_name(settings: Settings) -> tuple[Query, ...]:
    """A query for each metric that a rule of these probes looks at."""
    asked = {(probe.name, rule.metric) for probe in settings.probes.values() for rule in probe.rules if rule.metric}
    return tuple(
        Query(query=metric, probe=probe, metric=metric, labels={}) for probe, metric in sorted(asked) if metric != "up"
    )  # fmt: skip


def of_prometheus(
    url: str,
    queries: Sequence[Query],
    settings: Settings,
    since_s: float,
    until_s: float,
    step_s: float,
    progress: Callable[[float], None] = lambda done: None,
) -> MemorySamples:
    """What the queries answer for since_s <= time < until_s, one value every `step_s`. Raises NoAnswer."""
    samples, found = MemorySamples(), dict[SeriesId, list[tuple[float, float]]]()
    for done, query in enumerate(queries):
        progress(done)
        probe = settings.probes.get(query.probe)
        if probe is None:
            continue
        for begin, end in _slices(since_s, until_s, step_s):
            for answer in _asked(url, query.query, begin, end, step_s):
                series = _named(query, probe, answer["metric"])
                if series:
                    found.setdefault(series, []).extend(_values(answer["values"], query.scale))
    for series, pairs in found.items():
        samples.fill(series, pairs)
    return samples


def _slices(since_s: float, until_s: float, step_s: float) -> Iterator[tuple[float, float]]:
    """Spans that one answer holds; times lie on the grid of the step, so that slices fit together."""
    begin = since_s // step_s * step_s
    while begin < until_s:
        end = min(until_s, begin + MOST_POINTS * step_s)
        yield begin, end - step_s / 2
        begin = end if end == until_s else begin + MOST_POINTS * step_s


def _values(values: Sequence[tuple[float, str]], scale: float) -> Iterator[tuple[float, float]]:
    return ((at_s, figure * scale) for at_s, text in values if isfinite(figure := float(text)))


def _named(query: Query, probe: Probe, labels: dict[str, str]) -> SeriesId | None:
    """What an answer is called here; None where it belongs to no target of the probe."""
    names = [target.name for target in probe.targets]
    wanted = _LABEL.sub(lambda at: labels.get(at[1], ""), query.target) if query.target else labels.get("instance", "")
    target = wanted if wanted in names else names[0] if len(names) == 1 and (not query.target or "${" not in query.target) else None
    if target is None:
        return None
    if query.labels:
        ours = tuple(sorted((name, labels.get(theirs, "")) for name, theirs in query.labels.items()))
    else:
        ours = tuple(sorted((name, value) for name, value in labels.items() if name not in OWN_LABELS))
    return SeriesId(probe.name, target, query.metric, ours)


def _asked(url: str, query: str, begin: float, end: float, step_s: float) -> list[dict[str, Any]]:
    parts = urlsplit(url)
    where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    if parts.username:
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {b64encode(user.encode()).decode()}"
    body = urlencode({"query": query, "start": f"{begin:.3f}", "end": f"{end:.3f}", "step": f"{step_s:g}"}).encode()
    line = Line(TIMEOUT_S)
    try:
        request = Request(method="POST", url=f"{where}/api/v1/query_range", headers=headers, body=body)
        reply = exchange(request, line, MOST_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(f"{where}: {line.why(error)[1]}") from None
    finally:
        line.close()
    return _read(where, query, reply.status, reply.body, reply.cut)


def _read(where: str, query: str, status: int, body: bytes, cut: bool) -> list[dict[str, Any]]:
    if cut:
        raise NoAnswer(f"{where}: the answer to {query} did not come whole; ask for a shorter span or a longer --step")
    try:
        answer = json.loads(body)
        if answer.get("status") != "success":
            raise NoAnswer(f"{where} refused {query}: {answer.get('error', f'HTTP {status}')}")
        found: list[dict[str, Any]] = answer["data"]["result"]
    except (ValueError, KeyError, AttributeError, TypeError):
        raise NoAnswer(
            f"{where} answered HTTP {status}, and not as a Prometheus does; give its address, e.g. http://127.0.0.1:9090"
        ) from None
    return found
