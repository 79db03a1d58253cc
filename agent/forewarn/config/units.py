"""Durations, sizes, shares and values in the unit of a metric, as people write them.

Each reader raises Wrong with what would be right. A number without a unit is refused where a unit is needed: nobody
should have to guess whether 5 are seconds or minutes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from forewarn.config.problems import Wrong
from forewarn.model.due import Span
from forewarn.model.series import unit_of

SECONDS: Mapping[str, float] = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
BYTES: Mapping[str, int] = {"B": 1} | {
    f"{prefix}{ending}": base**power for power, prefix in enumerate("KMGTP", 1) for ending, base in (("B", 1000), ("iB", 1024))
}
_LONG_WORDS = {
    "ms": ("ms", "msec", "msecs", "millisecond", "milliseconds", "毫秒"),
    "s": ("s", "sec", "secs", "second", "seconds", "秒"),
    "m": ("m", "min", "mins", "minute", "minutes", "分", "分钟"),
    "h": ("h", "hr", "hrs", "hour", "hours", "小时", "时"),
    "d": ("d", "day", "days", "天", "日"),
    "w": ("w", "wk", "wks", "week", "weeks", "周"),
}
_SHORT = {word: unit for unit, words in _LONG_WORDS.items() for word in words}

_NUMBER = r"([0-9]{1,15}(?:\.[0-9]{1,9})?)"
_DURATION = re.compile(_NUMBER + r"(ms|s|m|h|d|w)")
_WORKING_DAYS = re.compile(r"([0-9]{1,4})wd")
_ANY = re.compile(_NUMBER + r"\s*(\D*)")
_SIZE = re.compile(_NUMBER + r"\s?([kKMGTP]?i?B)")
_PERCENT = re.compile(r"(-?[0-9]{1,9}(?:\.[0-9]{1,9})?)\s?%")
_CELSIUS = re.compile(r"(-?[0-9]{1,6}(?:\.[0-9]{1,6})?)\s?(?:°\s?)?C")
_PLAIN = re.compile(r"[-+]?[0-9]{1,18}(?:\.[0-9]{1,9})?(?:[eE][-+]?[0-9]{1,2})?")


def shown(value: object) -> str:
    """A value inside a sentence: texts in quotes, long ones cut."""
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 80 else f'"{value[:77]}..."'
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    return "a map" if isinstance(value, Mapping) else "a list"


def number_text(value: float) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def duration(value: object) -> float:
    """Seconds of `10s 500ms 5m 3h 3d 1w`."""
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found:
        return float(found[1]) * SECONDS[found[2]]
    if isinstance(value, str) and _WORKING_DAYS.fullmatch(value.strip()):
        days = value.strip()[:-2]
        raise Wrong(f"{shown(value)}: working days are counted in the limits of the ladder only", f"write {days}d")
    what, right = _not_a_duration(value)
    raise Wrong(what, right)


def _not_a_duration(value: object) -> tuple[str, str]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        plain = number_text(abs(value))
        return f"{number_text(value)} has no unit", f"write {plain}s, {plain}ms or {plain}m"
    found = _ANY.fullmatch(value.strip()) if isinstance(value, str) else None
    unit = _SHORT.get(found[2].strip().lower()) if found else None
    if found and not found[2]:
        return f"{shown(value)} has no unit", f"write {found[1]}s, {found[1]}ms or {found[1]}m"
    if found and unit:
        return f"{shown(value)} is not a duration", f"write {found[1]}{unit}"
    return f"{shown(value)} is not a duration", "write 10s, 500ms, 5m, 3h, 3d or 1w"


def span(value: object) -> Span:
    """A limit of the ladder: a duration, or `5wd` for working days of its calendar."""
    found = _WORKING_DAYS.fullmatch(value.strip()) if isinstance(value, str) else None
    if found and int(found[1]):
        return Span(working_days=int(found[1]))
    if found:
        raise Wrong(f"{shown(value)}: at least one working day", "write 1wd or 0s")
    return Span(seconds=duration(value))


def duration_text(seconds: float) -> str:
    """Inverse of `duration`: the largest unit that divides it, `90s` rather than `1.5m`."""
    for unit in ("w", "d", "h", "m", "s"):
        if seconds >= SECONDS[unit] and math.isclose(seconds % SECONDS[unit], 0, abs_tol=1e-9):
            return f"{seconds / SECONDS[unit]:.0f}{unit}"
    if seconds == 0:
        return "0s"
    return f"{seconds * 1000:.12g}ms" if seconds < 1 else f"{seconds:.12g}s"


def size(value: object) -> float:
    """Bytes of `10GB` (10^9) or `10GiB` (2^30)."""
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        plain = number_text(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
        if plain:
            raise Wrong(f"{plain} has no unit", f"write {plain}B, 10GB or 10GiB")
        raise Wrong(f"{shown(value)} is not a size", "write 10GB or 10GiB")
    unit = found[2].replace("k", "K")
    if unit not in BYTES:
        raise Wrong(f"{shown(value)} is not a size", "write 10GB or 10GiB")
    return float(found[1]) * BYTES[unit]


def share(value: object) -> float:
    """0..1 of `90%` or `0.9`; at most the whole."""
    part = ratio(value)
    if not 0 <= part <= 1:
        raise Wrong(f"{shown(value)} is not a share of a whole", "write 0% to 100%")
    return part


def ratio(value: object) -> float:
    """A ratio of `90%` or `0.9`; more than 1 must be written with %."""
    if isinstance(value, str):
        if found := _PERCENT.fullmatch(value.strip()):
            return float(found[1]) / 100
        if _PLAIN.fullmatch(value.strip()):
            value = scalar_of(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Wrong(f"{shown(value)} is not a share", "write 90%")
    if abs(value) > 1:
        raise Wrong(f"{number_text(value)} for a share of 0 to 1", f"write {number_text(value)}%")
    return float(value)


def celsius(value: object) -> float:
    """Degrees of `90C` or `90°C`."""
    found = _CELSIUS.fullmatch(value.strip()) if isinstance(value, str) else None
    if found:
        return float(found[1])
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise Wrong(f"{number_text(value)} has no unit", f"write {number_text(value)}C")
    raise Wrong(f"{shown(value)} is not a temperature", "write 90C")


def plain(value: object) -> float:
    """A number without a unit."""
    if isinstance(value, str) and _PLAIN.fullmatch(value.strip()):
        return float(scalar_of(value.strip()))
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Wrong(f"{shown(value)} is not a plain number", "write it without a unit, e.g. 90")
    return float(value)


_READERS = {"s": (duration, "500ms"), "ratio": (ratio, "95%"), "bytes": (size, "10GB"), "celsius": (celsius, "90C")}
_CALLED = {"s": "a duration", "ratio": "a share", "bytes": "a size", "celsius": "a temperature"}


def value_of(metric: str, value: object) -> float:
    """A limit in the unit of `metric`, which its suffix names; 0 needs no unit."""
    unit = unit_of(metric)
    if unit not in _READERS:
        return _counted(metric, value)
    if isinstance(value, str) and _PLAIN.fullmatch(value.strip()):
        value = scalar_of(value.strip())
    if value == 0 and not isinstance(value, bool):
        return 0.0
    read, example = _READERS[unit]
    try:
        return read(value)
    except Wrong as wrong:
        other = _unit_named(value)
        if other is None or other == unit:
            raise
        raise Wrong(f"{shown(value)} is {_CALLED[other]}, but {metric} is {_CALLED[unit]}", f"write {example}") from wrong


def scalar_of(text: str) -> int | float:
    """The number that a plain text is."""
    return int(text) if re.fullmatch(r"[-+]?[0-9]+", text) else float(text)


def _counted(metric: str, value: object) -> float:
    try:
        return plain(value)
    except Wrong as wrong:
        found = re.match(r"[-+]?[0-9.]+", value) if isinstance(value, str) else None
        if found is None:
            raise
        raise Wrong(f"{shown(value)} has a unit, but {metric} is a plain number", f"write {found[0]}") from wrong


def _unit_named(value: object) -> str | None:
    """The unit that a text is written in, whether or not it fits."""
    for unit, (read, _) in _READERS.items():
        if not isinstance(value, str) or _PLAIN.fullmatch(value.strip()):
            return None
        try:
            read(value)
        except Wrong:
            continue
        return unit
    return None
