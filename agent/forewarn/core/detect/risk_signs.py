"""What speaks for a disk's failure, from its counters over time: each sign with the probability that it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from forewarn.core.detect import risk_model as model
from forewarn.core.detect.risk_track import AGE, COUNTS, CYCLES, DAY_S, MORE, Track, features

SPANS_S = (3 * DAY_S, 90 * DAY_S)
"""Told beside the span that the rule is about."""
ROTATION = "rotation_rpm"
NVME = ("media_errors_total", "critical_warning", "spare_margin_ratio", "wear_ratio")
BESIDE = tuple(dict.fromkeys((*COUNTS, *MORE, CYCLES, AGE, ROTATION, *NVME, *model.SOLID)))
"""Everything that is looked at beside the disk's own verdict."""
FLASH = ("media_errors_total", "critical_warning", "wear_ratio")
OFTEN = 2.0
"""Times the usual risk, from which the model is named as the reason of a disk without a sign."""


@dataclass(frozen=True, slots=True)
class Sign:
    """`p`: within the rule's span and within SPANS_S. `name` is a metric, or a word of why.risk.sign; a counter's figures come
    with it. `old`: it stood already when the disk was first seen."""

    p: tuple[float, ...]
    name: str
    track: Track | None = None
    old: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """A disk as it is now. `model` is the maker's name of it, `by` how the probability is made."""

    ok: float
    tracks: Mapping[str, Track]
    at_s: float
    model: str
    by: str
    within_s: float

    def spread(self, probability: Callable[[float], float]) -> tuple[float, ...]:
        return tuple(probability(span_s) for span_s in (self.within_s, *SPANS_S))

    def judged(self, p: float) -> tuple[float, ...]:
        return self.spread(lambda span_s: model.within(p, span_s))

    @property
    def solid(self) -> bool:
        """Whether it has no moving parts. Where nobody says, what only flash has tells."""
        turns = self.tracks.get(ROTATION)
        return turns.value == 0 if turns else any(name in self.tracks for name in FLASH)


def worst(view: View) -> Sign:
    """The sign that gives the highest probability; the one named "none" for a disk that shows nothing."""
    return min(_signs(view), key=lambda sign: (-sign.p[0], sign.old))


def grew(track: Track, at_s: float) -> bool:
    """Within the week."""
    return track.grew_s is not None and at_s - track.grew_s <= model.GREW_WITHIN_S


def _signs(view: View) -> Iterator[Sign]:
    if view.ok < 1:
        yield Sign(view.judged(model.FAILED), "failed")
    yield from _warnings(view)
    yield from _flash(view) if view.solid else _spinning(view)


def _warnings(view: View) -> Iterator[Sign]:
    """What the disk says by itself of its spare blocks and its life."""
    tracks = view.tracks
    if warning := tracks.get("critical_warning"):
        yield from (Sign(view.judged(p), name) for bit, (name, p) in model.BITS.items() if int(warning.value) & bit)
    if (spare := tracks.get("spare_margin_ratio")) and spare.value < 0:
        yield Sign(view.judged(model.JUDGED["spare"]), "spare")
    if (wear := tracks.get("wear_ratio")) and wear.value >= 1:
        yield Sign(view.judged(model.JUDGED["worn_out"]), "worn_out", old=not wear.rose)


def _flash(view: View) -> Iterator[Sign]:
    yield Sign(view.spread(lambda span_s: model.normal(span_s, solid=True)), "none")
    for name, (stands, grown) in model.SOLID.items():
        track = view.tracks.get(name)
        if track and track.value > 0:
            yield Sign(view.judged(grown if grew(track, view.at_s) else stands), name, track, old=not track.rose)


def _spinning(view: View) -> Iterator[Sign]:
    """All counters at once make one probability; the one that says most is named."""
    counts = {name: view.tracks[name] for name in COUNTS if name in view.tracks}
    values = {name: track.value for name, track in counts.items()}
    if view.by == "published":
        p = view.spread(lambda span_s: model.published(values, span_s))
    elif counts:
        of = model.score(features(view.tracks, view.at_s, model.prior(view.model)))
        p = view.spread(lambda span_s: model.probability(of, span_s))
    else:
        p = view.spread(model.normal)
    above = {name: track for name, track in counts.items() if track.value > 0}
    if above:
        name, track = max(above.items(), key=lambda pair: (grew(pair[1], view.at_s), model.yearly(pair[0], pair[1].value)))
        yield Sign(p, name, track, old=not any(one.rose for one in counts.values()))
    else:
        often = p[0] > OFTEN * model.normal(view.within_s, view.by)
        yield Sign(p, "model" if often else "none", old=often)
