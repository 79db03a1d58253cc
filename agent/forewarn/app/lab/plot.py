"""A picture of what a rule said of a series: values, usual band, findings, and where a forecast led. One SVG, no script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape

from forewarn.app.lab.detect import Found, Judged
from forewarn.model.forecast import Forecast

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 1200, 360, 70, 40, 46
COLUMNS = 1000
MOST_CONES = 3
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#555}.t{font-size:16px;fill:#222}.v{fill:none;stroke:#2b6cb0;stroke-width:1.2}"
    ".b{fill:#2b6cb0;opacity:.13}.f{fill:#c53030;opacity:.18}.m{stroke:#c53030;stroke-width:1.5}.c{fill:#b7791f;opacity:.25}"
    ".l{stroke:#b7791f;stroke-dasharray:6 4}.g{stroke:#ddd}"
)


def svg(title: str, judged: Sequence[Judged], found: Sequence[Found], limit: float | None) -> str:
    """The picture as text. `limit` is drawn where a rule has one."""
    begin, end = judged[0].row.at_s, _end_s(judged)
    values = [one.row.value for one in judged] + ([limit] if limit is not None else [])
    low, high = min(values), max(values)
    air = (high - low or abs(high) or 1.0) * 0.06
    place = _Place(begin, end, low - air, high + air)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">',
        f'<style>{STYLE}</style><rect width="100%" height="100%" fill="#fff"/><text class="t" x="{LEFT}" y="26">{escape(title)}</text>',
        *_axes(place),
        *(f'<path class="b" d="{path}"/>' for path in _band(judged, place)),
        *(_mark(one, place) for one in found),
        f'<path class="v" d="{_line(judged, place)}"/>',
        *(f'<path class="c" d="{path}"/>' for path in _cones(judged, place, limit)),
    ]
    if limit is not None:
        parts.append(f'<line class="l" x1="{LEFT}" x2="{WIDTH}" y1="{place.y(limit)}" y2="{place.y(limit)}"/>')
    return "\n".join([*parts, "</svg>\n"])


class _Place:
    """Where a moment and a value lie in the picture."""

    def __init__(self, begin: float, end: float, low: float, high: float) -> None:
        self.begin, self.end, self.low, self.high = begin, end, low, high

    def x(self, at_s: float) -> float:
        return round(LEFT + (at_s - self.begin) / ((self.end - self.begin) or 1.0) * (WIDTH - LEFT - 10), 1)

    def y(self, value: float) -> float:
        return round(HEIGHT - BOTTOM - (value - self.low) / ((self.high - self.low) or 1.0) * (HEIGHT - BOTTOM - TOP), 1)


def _end_s(judged: Sequence[Judged]) -> float:
    """The last row, and a little room for what is still ahead of it."""
    last = judged[-1]
    span = last.row.at_s - judged[0].row.at_s
    latest = last.forecast.latest if last.forecast else None
    return last.row.at_s + (min(max(0.0, latest.timestamp() - last.row.at_s), span / 2) if latest else 0.0)


def _axes(place: _Place) -> Iterable[str]:
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        value = place.low + share * (place.high - place.low)
        y = place.y(value)
        yield f'<line class="g" x1="{LEFT}" x2="{WIDTH}" y1="{y}" y2="{y}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{value:.4g}</text>'
    for share in (0.0, 0.2, 0.4, 0.6, 0.8):
        at_s = place.begin + share * (place.end - place.begin)
        yield f'<text x="{place.x(at_s)}" y="{HEIGHT - 14}">{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M}</text>'


def _columns(judged: Sequence[Judged]) -> list[Sequence[Judged]]:
    """At most COLUMNS slices of the rows."""
    step = max(1, len(judged) // COLUMNS)
    return [judged[at : at + step] for at in range(0, len(judged), step)]


def _line(judged: Sequence[Judged], place: _Place) -> str:
    """Least and greatest of each slice, so that no spike is lost."""
    points = []
    for part in _columns(judged):
        ends = sorted(
            (min(part, key=lambda one: one.row.value), max(part, key=lambda one: one.row.value)), key=lambda one: one.row.at_s
        )
        points += [f"{place.x(one.row.at_s)} {place.y(one.row.value)}" for one in ends]
    return "M" + "L".join(points)


def _band(judged: Sequence[Judged], place: _Place) -> Iterable[str]:
    held = [part[0] for part in _columns(judged) if part[0].band]
    if len(held) > 1:
        above = [f"{place.x(one.row.at_s)} {_inside(place, one.band[1])}" for one in held if one.band]
        below = [f"{place.x(one.row.at_s)} {_inside(place, one.band[0])}" for one in reversed(held) if one.band]
        yield "M" + "L".join(above + below) + "Z"


def _inside(place: _Place, value: float) -> float:
    return place.y(min(max(value, place.low), place.high))


def _mark(found: Found, place: _Place) -> str:
    begin, end = place.x(found.first.at_s), place.x(found.last.at_s)
    return (
        f'<rect class="f" x="{begin}" width="{max(1.0, round(end - begin, 1))}" y="{TOP}" height="{HEIGHT - BOTTOM - TOP}"/>'
        f'<line class="m" x1="{begin}" x2="{begin}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
    )


def _cones(judged: Sequence[Judged], place: _Place, limit: float | None) -> Iterable[str]:
    """From where the last few forecasts were made to where they led."""
    if limit is None:
        return
    dated = [one for one in judged if one.forecast and one.forecast.earliest and one.forecast.latest and not one.forecast.crossed]
    step = max(1, len(dated) // MOST_CONES)
    for one in dated[::-step][:MOST_CONES]:
        ahead: Forecast | None = one.forecast
        if ahead and ahead.earliest and ahead.latest:
            tip = f"{place.x(one.row.at_s)} {place.y(one.row.value)}"
            ends = (f"{place.x(min(at.timestamp(), place.end))} {place.y(limit)}" for at in (ahead.earliest, ahead.latest))
            yield f"M{tip}L{'L'.join(ends)}Z"
