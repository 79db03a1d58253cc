"""Counting documents: each once, at the time it happened, whenever it comes. Pure.

A Place says up to when everything was read (`to_s`), which documents were counted in the time that is read again for late
ones (`seen`), and all counters; it is the cursor that is stored with the samples. What is read becomes runs: one for each
interval of event time, so that a catch-up after a stop is no burst. A document that comes late counts in the first of them.

`seen` is bounded. Beyond it the time that is read again gets shorter (`floor_s`): rather a late document missed than one
counted twice.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from math import ceil
from struct import iter_unpack, pack
from typing import Any

from forewarn.model.series import Column, Labels, metric_text, parse_metric
from forewarn.probers.elastic import ElasticOptions, changes_metric
from forewarn.probers.elastic_query import Doc
from forewarn.reach.mask import mask

MATCHES: str = "matches_total"
LATE: Column = ("late_total", ())
OTHER = "other"
MOST_SEEN = 5_000
MOST_RUNS = 500
EXAMPLES = 5
EXAMPLE_LENGTH = 500
_SEEN = "<qd"


@dataclass(frozen=True, slots=True)
class Place:
    """`counts` in a fixed order, new ones at the end; `grew`: when a set of labels last had a document; `held`: the last value
    of what is watched for changes, by name and labels, with its time. All times in epoch seconds."""

    to_s: float
    floor_s: float = 0.0
    seen: Mapping[int, float] = field(default_factory=dict)
    counts: Mapping[Column, float] = field(default_factory=dict)
    grew: Mapping[Labels, float] = field(default_factory=dict)
    held: Mapping[tuple[str, Labels], tuple[str, float]] = field(default_factory=dict)

    def stored(self) -> dict[str, Any]:
        """For a cursor."""
        seen = b"".join(pack(_SEEN, key, at_s) for key, at_s in self.seen.items())
        return {
            "to_s": self.to_s,
            "floor_s": self.floor_s,
            "seen": b64encode(seen).decode(),
            "counts": {metric_text(*column): value for column, value in self.counts.items()},
            "grew": {metric_text("l", labels): at_s for labels, at_s in self.grew.items()},
            "held": {metric_text(name, labels): list(value) for (name, labels), value in self.held.items()},
        }

    @staticmethod
    def of(options: ElasticOptions, stored: Mapping[str, Any]) -> Place:
        """What `stored` made, as far as the options still want it."""
        start = first_place(options, float(stored["to_s"]))
        names = tuple(label for label, _ in options.labels)
        counts = dict(start.counts)
        metrics = {MATCHES, *options.own_metrics}
        for text, value in stored.get("counts", {}).items():
            column = parse_metric(text)
            if column in counts or (column[0] in metrics and tuple(name for name, _ in column[1]) == names):
                counts[column] = float(value)
        known = {labels for _, labels in counts}
        grew = {parse_metric(text)[1]: float(at_s) for text, at_s in stored.get("grew", {}).items()}
        held = {parse_metric(text): (str(value), float(at_s)) for text, (value, at_s) in stored.get("held", {}).items()}
        return replace(
            start,
            floor_s=float(stored.get("floor_s", 0.0)),
            seen=dict(iter_unpack(_SEEN, b64decode(stored.get("seen", "")))),
            counts=counts,
            grew={labels: at_s for labels, at_s in grew.items() if labels in known},
            held={key: value for key, value in held.items() if key[0] in options.changes and key[1] in known},
        )

    def again_s(self, options: ElasticOptions) -> float:
        """From when on reading begins, late documents included."""
        return max(self.to_s - options.late, self.floor_s)


@dataclass(frozen=True, slots=True)
class Slice:
    """The counters at the end of one interval, and examples of what came in it."""

    at_s: float
    counts: Mapping[Column, float]
    born: tuple[Column, ...]
    lines: tuple[str, ...]


def first_place(options: ElasticOptions, to_s: float, known: Iterable[Labels] = ()) -> Place:
    """Where counting begins; `known` sets of labels have been there before."""
    counts: dict[Column, float] = {LATE: 0.0}
    sets = [()] if not options.labels else list(known)[: options.max_labels]
    for labels in sets:
        counts.update({(metric, labels): 0.0 for metric in (MATCHES, *options.own_metrics)})
    return Place(to_s, floor_s=to_s, counts=counts, grew={labels: to_s for labels in sets if labels})


def count(options: ElasticOptions, place: Place, docs: Iterable[Doc], until_s: float, every_s: float) -> tuple[Place, list[Slice]]:
    """The place after documents (oldest first) of the time before `until_s`, and what is to be told: at least one slice."""
    counting = _Counting(options, place)
    width_s = max(every_s, (until_s - place.to_s) / MOST_RUNS)
    slices: list[Slice] = []
    at = 0
    for doc in docs:
        if not counting.fresh(doc):
            continue
        number = max(0, ceil((doc.at_s - place.to_s) / width_s) - 1)
        if number > at and counting.changed:
            slices.append(counting.slice(place.to_s + (at + 1) * width_s))
        at = max(at, number)
        counting.add(doc, late=doc.at_s < place.to_s)
    if counting.changed and place.to_s + (at + 1) * width_s < until_s:
        slices.append(counting.slice(place.to_s + (at + 1) * width_s))
    slices.append(counting.slice(until_s))
    return counting.place(until_s), slices


class _Counting:
    """Work on a copy of a place."""

    def __init__(self, options: ElasticOptions, place: Place) -> None:
        self._options, self._before = options, place
        self._seen, self._counts = dict(place.seen), dict(place.counts)
        self._grew, self._held = dict(place.grew), dict(place.held)
        self._born: list[Column] = []
        self._lines: list[str] = []
        self.changed = False

    def fresh(self, doc: Doc) -> bool:
        """False for one that was counted before."""
        key = _key(doc.id)
        if key in self._seen:
            return False
        self._seen[key] = doc.at_s
        return True

    def add(self, doc: Doc, late: bool) -> None:
        labels = self._room(doc.labels, doc.at_s)
        self._grow((MATCHES, labels))
        if late:
            self._grow(LATE)
        self.changed = True
        line = doc.line
        for name, value in zip(self._options.changes, doc.held, strict=True):
            if value is not None and labels == doc.labels:
                line = self._change(name, labels, value, doc) or line
        if len(self._lines) < EXAMPLES:
            self._lines.append(mask(line)[:EXAMPLE_LENGTH])

    def _change(self, name: str, labels: Labels, value: str, doc: Doc) -> str | None:
        """Note a value; answers what to say when it is another than before. An older document changes nothing."""
        before, at_s = self._held.get((name, labels), (value, doc.at_s))
        if doc.at_s < at_s:
            return None
        self._held[name, labels] = (value, doc.at_s)
        if value == before:
            return None
        self._grow((changes_metric(name), labels))
        who = " ".join(f"{label}={given}" for label, given in labels)
        return f"{doc.line[:24]} {who}: {name} {before} -> {value}"

    def _grow(self, column: Column) -> None:
        if column not in self._counts:
            self._counts[column] = 0.0
            self._born.append(column)
        self._counts[column] += 1

    def _room(self, labels: Labels, at_s: float) -> Labels:
        """These labels, or "other" where there is no room for one more set."""
        if not labels:
            return labels
        if labels not in self._grew and len(self._grew) >= self._options.max_labels and not self._forgot(at_s):
            return tuple((name, OTHER) for name, _ in labels)
        if labels not in self._grew:
            for metric in self._options.own_metrics:
                if (metric, labels) not in self._counts:
                    self._counts[metric, labels] = 0.0
                    self._born.append((metric, labels))
        self._grew[labels] = max(at_s, self._grew.get(labels, at_s))
        return labels

    def _forgot(self, now_s: float) -> bool:
        """Let go of the set of labels that rested longest, if it rested long enough."""
        oldest = min(self._grew, key=lambda labels: self._grew[labels])
        if now_s - self._grew[oldest] < self._options.forget:
            return False
        del self._grew[oldest]
        self._counts = {column: value for column, value in self._counts.items() if column[1] != oldest}
        self._held = {key: value for key, value in self._held.items() if key[1] != oldest}
        return True

    def slice(self, at_s: float) -> Slice:
        """What stands now; the next begins with no examples."""
        made = Slice(at_s, dict(self._counts), tuple(self._born), tuple(self._lines))
        self._born, self._lines, self.changed = [], [], False
        return made

    def place(self, to_s: float) -> Place:
        floor_s = self._before.floor_s
        kept = {key: at_s for key, at_s in self._seen.items() if at_s >= to_s - self._options.late}
        if len(kept) > MOST_SEEN:
            cut_s = sorted(kept.values())[-MOST_SEEN - 1]
            kept = {key: at_s for key, at_s in kept.items() if at_s > cut_s}
            floor_s = cut_s + 0.001
        return Place(to_s, floor_s, kept, self._counts, self._grew, self._held)


def _key(id: str) -> int:
    return int.from_bytes(blake2b(id.encode(), digest_size=8).digest(), "little", signed=True)
