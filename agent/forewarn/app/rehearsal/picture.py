"""A series of a rehearsal as one inline SVG: its values, and when each configuration had a finding on it. No script."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from html import escape

from forewarn.model.series import Window

WIDTH, HEIGHT, LEFT, TOP, BAND = 960, 190, 64, 8, 14
FLOOR = HEIGHT - 2 * BAND - 30
COLUMNS = 480
Span = tuple[float, float]


def picture(
    label: str, window: Window, since_s: float, until_s: float, bands: Sequence[tuple[str, str, Sequence[Span]]], zone: tzinfo
) -> str:
    """`bands`: a name, a class of colour, and the spans (epoch seconds) of each row below the curve."""
    low, high = min(window.values), max(window.values)
    air = (high - low or abs(high) or 1.0) * 0.05
    low, high = low - air, high + air
    span = until_s - since_s

    def x(at_s: float) -> float:
        return round(LEFT + (min(max(at_s, since_s), until_s) - since_s) / span * (WIDTH - LEFT - 8), 1)

    def y(value: float) -> float:
        return round(FLOOR - (value - low) / (high - low) * (FLOOR - TOP), 1)

    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}"><title>{escape(label)}</title>']
    for share in (0.0, 0.5, 1.0):
        value = low + share * (high - low)
        parts.append(f'<line class="g" x1="{LEFT}" x2="{WIDTH}" y1="{y(value)}" y2="{y(value)}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y(value) + 4}" text-anchor="end">{value:.4g}</text>')
    parts.append(f'<path class="v" d="{_curve(window, x, y)}"/>')
    for at, (name, colour, spans) in enumerate(bands):
        top = FLOOR + 6 + at * BAND
        parts.append(f'<text x="{LEFT - 6}" y="{top + 10}" text-anchor="end">{escape(name)}</text>')
        parts += [
            f'<rect class="{colour}" x="{x(a)}" width="{max(2.0, round(x(b) - x(a), 1))}" y="{top}" height="10"/>' for a, b in spans
        ]
    for share in (0.0, 0.25, 0.5, 0.75):
        moment = datetime.fromtimestamp(since_s + share * span, UTC).astimezone(zone)
        parts.append(f'<text x="{x(since_s + share * span)}" y="{HEIGHT - 4}">{moment:%Y-%m-%d %H:%M}</text>')
    return "".join([*parts, "</svg>"])


def _curve(window: Window, x, y) -> str:  # type: ignore[no-untyped-def]
    """Least and greatest of each slice in the order of time, so that no spike is lost."""
    step = max(1, len(window.times_s) // COLUMNS)
    points = []
    for at in range(0, len(window.times_s), step):
        part = range(at, min(at + step, len(window.times_s)))
        ends = sorted({min(part, key=window.values.__getitem__), max(part, key=window.values.__getitem__)})
        points += [f"{x(window.times_s[one])} {y(window.values[one])}" for one in ends]
    return "M" + "L".join(points)
