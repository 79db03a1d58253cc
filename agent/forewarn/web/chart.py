"""A series as a picture that needs no script: its envelope and mean, its limits, and where a forecast leads.

Drawn on a field of 1000 x 200 that stretches with the page; lines keep their width. A script may draw the same numbers
again so that one can zoom (static/chart.js reads `Chart.numbers`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from forewarn.core.reader import Body
from forewarn.model.forecast import Forecast
from forewarn.model.probe import Rule
from forewarn.web.columns import COLUMNS, Column, Past
from forewarn.web.columns import columns as columns_of

WIDTH, HEIGHT = 1000, 200
FAR_LIMIT = 4.0
"""A limit further away than so many times the values' own height would press them flat; it is named, not drawn."""
TINY = 1e-100
"""Below this a height can't be divided by."""
FEW = 30
"""Up to so many columns each is drawn as a point too: a line between two of them may be too short to be seen."""
AHEAD_SHARE = 0.35
"""Most of the picture that the future may take."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A rule's limit in the series' unit, and whether it lies inside the picture."""

    rule: str
    value: float
    y: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """`top` and `bottom` are the values at the edges; paths are SVG path data. `now_x` is where the future begins."""

    begin: datetime
    end: datetime
    top: float
    bottom: float
    envelope: str
    mean: str
    dots: str
    limits: tuple[Limit, ...]
    cone: str
    likely: str
    now_x: float
    numbers: Body


def limits(rules: Iterable[Rule]) -> list[tuple[str, float]]:
    """The values that rules compare with: (rule, limit) for those that have one."""
    found = []
    for rule in rules:
        given = [getattr(rule.options, name, None) for name in ("limit", "above", "below")]
        found += [(rule.name, float(value)) for value in given if isinstance(value, int | float)][:1]
    return found


def chart(
    past: Past, begin: datetime, now: datetime, judged: Sequence[tuple[str, float]], ahead: Forecast | None, gap_s: float
) -> Chart | None:
    """The picture from `begin` until now, and on to the end of a forecast; None where nothing is stored of that time.

    More than `gap_s` seconds between two samples breaks the line.
    """
    columns = columns_of(past, begin.timestamp(), now.timestamp())
    if not columns:
        return None
    end_s = _end_s(begin.timestamp(), now.timestamp(), ahead)
    low, high = min(low for _, low, _, _ in columns), max(high for _, _, _, high in columns)
    bottom, top = _edges(low, high, [value for _, value in judged])
    x, y = _scale(begin.timestamp(), end_s, WIDTH, 0.0), _scale(bottom, top, -HEIGHT, HEIGHT)
    pieces = _pieces(columns, max(gap_s, 3 * (now.timestamp() - begin.timestamp()) / COLUMNS))
    drawn = tuple(Limit(rule, value, y(value) if bottom <= value <= top else None) for rule, value in judged)
    return Chart(
        begin=begin,
        end=datetime.fromtimestamp(end_s, now.tzinfo),
        top=top,
        bottom=bottom,
        envelope=" ".join(_area(piece, x, y) for piece in pieces),
        mean=" ".join(_line([(x(at), y(mean)) for at, _, mean, _ in piece]) for piece in pieces),
        dots=_dots(columns if len(columns) <= FEW else [piece[0] for piece in pieces if len(piece) == 1], x, y),
        limits=drawn,
        cone=_cone(columns[-1], ahead, drawn, x, y),
        likely=_likely(columns[-1], ahead, drawn, x, y),
        now_x=round(x(now.timestamp()), 1),
        numbers={"from_s": begin.timestamp(), "until_s": end_s, **_numbers(columns, drawn, ahead)},
    )


def _end_s(begin_s: float, now_s: float, ahead: Forecast | None) -> float:
    latest = ahead and (ahead.latest or ahead.likely or ahead.earliest)
    if not latest:
        return now_s
    most = (now_s - begin_s) * AHEAD_SHARE / (1 - AHEAD_SHARE)
    return now_s + min(max(0.0, latest.timestamp() - now_s), most)


def _edges(low: float, high: float, judged: Sequence[float]) -> tuple[float, float]:
    """The values at the lower and upper edge: all that was seen, the limits that lie near, and a little air."""
    height = (high - low) or abs(high) * 0.1
    height = height if height > TINY else 1.0
    near = [value for value in judged if low - FAR_LIMIT * height <= value <= high + FAR_LIMIT * height]
    bottom, top = min([low, *near]), max([high, *near])
    air = (top - bottom if top - bottom > TINY else height) * 0.08
    return (0.0 if 0 <= bottom < air or (bottom >= 0 > bottom - air) else bottom - air), top + air


def _scale(low: float, high: float, length: float, start: float) -> Any:
    factor = length / ((high - low) or 1.0)
    return lambda value: round(start + (value - low) * factor, 1)


def _pieces(columns: list[Column], gap_s: float) -> list[list[Column]]:
    pieces: list[list[Column]] = [[]]
    for column in columns:
        if pieces[-1] and column[0] - pieces[-1][-1][0] > gap_s:
            pieces.append([])
        pieces[-1].append(column)
    return pieces


def _area(piece: list[Column], x: Any, y: Any) -> str:
    above = [(x(at), y(high)) for at, _, _, high in piece]
    below = [(x(at), y(low)) for at, low, _, _ in reversed(piece)]
    return _line(above + below) + "Z"


def _line(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{px:g} {py:g}" for px, py in points)


def _dots(columns: Iterable[Column], x: Any, y: Any) -> str:
    """Lines of no length, which round ends make points."""
    return "".join(f"M{x(at):g} {y(mean):g}h0" for at, _, mean, _ in columns)


def _crossed(ahead: Forecast | None, drawn: Sequence[Limit]) -> float | None:
    """The y of the limit that the forecast leads to: that of a rule that forecasts, which is the first with a place."""
    return next((limit.y for limit in drawn if limit.y is not None), None) if ahead else None


def _cone(last: Column, ahead: Forecast | None, drawn: Sequence[Limit], x: Any, y: Any) -> str:
    level = _crossed(ahead, drawn)
    if ahead is None or level is None or not (ahead.earliest and ahead.latest):
        return ""
    tip = (x(last[0]), y(last[2]))
    return _line([tip, (x(ahead.earliest.timestamp()), level), (x(ahead.latest.timestamp()), level)]) + "Z"


def _likely(last: Column, ahead: Forecast | None, drawn: Sequence[Limit], x: Any, y: Any) -> str:
    level = _crossed(ahead, drawn)
    if ahead is None or level is None or not ahead.likely:
        return ""
    return _line([(x(last[0]), y(last[2])), (x(ahead.likely.timestamp()), level)])


def _numbers(columns: list[Column], drawn: Sequence[Limit], ahead: Forecast | None) -> Body:
    """The same as numbers, for programs and for the script."""
    return {
        "times_s": [round(at, 3) for at, _, _, _ in columns],
        "min": [low for _, low, _, _ in columns],
        "mean": [mean for _, _, mean, _ in columns],
        "max": [high for _, _, _, high in columns],
        "limits": [{"rule": limit.rule, "value": limit.value} for limit in drawn],
        "forecast": {name: at.timestamp() if (at := getattr(ahead, name)) else None for name in ("earliest", "likely", "latest")}
        if ahead
        else None,
    }
