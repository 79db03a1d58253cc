"""Numbers for people: few digits, the right unit, never a binary rest like 0.30000000000000004.

The words and spaces around a number come from the catalogue (`format.*`), so nothing here belongs to one language.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

Catalogue = Mapping[str, str]

BYTES = ("B", "kB", "MB", "GB", "TB", "PB")
SPANS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
LONG_LATENCY_S = 120.0  # from here on a latency reads better as a span


def plain(value: float) -> str:
    """A number without unit: 12,000; 0.3; 12.35. Four digits are kept below a thousand."""
    if not isfinite(value):
        return "∞" if value == float("inf") else "-∞" if value == float("-inf") else "?"
    if float(value).is_integer() or abs(value) >= 1000:
        return f"{round(value):,}"
    return _short(value, 4)


def count(value: float) -> str:
    return plain(round(value)) if isfinite(value) else plain(value)


def ratio(value: float, catalogue: Catalogue) -> str:
    """A share (1 = all) in percent. Shares near 0 and near 1 keep the digits that tell them from 0 and 100."""
    percent = value * 100
    edge = min(abs(percent), abs(100 - percent))
    digits = 1 if edge >= 1 or edge < 1e-9 else 3 if abs(percent) > 50 else 2
    number = _short(percent, 2) if abs(percent) < 1 else _stripped(f"{percent:,.{digits}f}")
    return _unit(catalogue, "format.ratio", number)


def latency(value: float, catalogue: Catalogue) -> str:
    """Seconds of a latency: 0.4 ms, 31 ms, 1.2 s, and from two minutes on as a span."""
    if abs(value) >= LONG_LATENCY_S:
        return span(value, catalogue)
    if value and abs(value) < 0.9995:
        ms = value * 1000
        return _unit(catalogue, "format.ms", _short(ms, 2) if abs(ms) < 10 else str(round(ms)))
    return _unit(catalogue, "format.s", _short(value, 3))


def size(value: float, catalogue: Catalogue) -> str:
    """Bytes in decimal units, as disks are sold: 3.1 GB."""
    unit = 0
    while abs(value) >= 999.5 and unit < len(BYTES) - 1:
        value, unit = value / 1000, unit + 1
    number = str(round(value)) if unit == 0 else _short(value, 3)
    return _fill(catalogue, "format.bytes", number=number, unit=BYTES[unit])


def celsius(value: float, catalogue: Catalogue) -> str:
    return _unit(catalogue, "format.celsius", _stripped(f"{value:.1f}"))


def span(seconds: float, catalogue: Catalogue) -> str:
    """A length of time in its two largest units: 3 h 17 min, 2 d, 45 s; below a second with digits."""
    sign, left = ("-" if seconds < 0 else ""), abs(seconds)
    if 0 < left < 0.9995:
        return sign + latency(left, catalogue)
    left = round(left / 60) * 60 if left >= 3600 else round(left)
    if left >= 2 * 86400:
        left = round(left / 3600) * 3600
    parts: list[str] = []
    for name, length in SPANS:
        whole, left = divmod(left, length)
        if whole or (name == "s" and not parts):
            parts.append(_fill(catalogue, f"format.span.{name}", number=str(int(whole))))
    return sign + catalogue.get("format.span.gap", " ").join(parts[:2])


def by_unit(value: float, unit: str, catalogue: Catalogue) -> str:
    """A metric's value in the unit that its name ends with (model/series.py UNIT_SUFFIXES)."""
    match unit:
        case "ratio":
            return ratio(value, catalogue)
        case "s":
            return latency(value, catalogue)
        case "bytes":
            return size(value, catalogue)
        case "celsius":
            return celsius(value, catalogue)
        case _:
            return plain(value)


def _short(value: float, digits: int) -> str:
    text = f"{value:.{digits}g}"
    return _stripped(f"{value:.8f}" if "e-" in text else f"{float(text):,.8f}")


def _stripped(text: str) -> str:
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def _unit(catalogue: Catalogue, key: str, number: str) -> str:
    return _fill(catalogue, key, number=number)


def _fill(catalogue: Catalogue, key: str, **parts: str) -> str:
    text = catalogue.get(key, "{number} {unit}" if "unit" in parts else "{number}")
    for name, part in parts.items():
        text = text.replace(f"{{{name}}}", part)
    return text
