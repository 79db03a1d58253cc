"""Reading what may be anything: parts of smartctl's JSON, which differ by version, controller and what the disk answered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LEADING = re.compile(r"(\d+)(?:\s*\(|$)")
_THREE = re.compile(r"\d+ \d+ (\d+)$")
PLAIN_MOST = 1 << 32


def part(of: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """The object under these keys, one inside the other; an empty one where there is none."""
    found: Any = of
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def rows(of: Mapping[str, Any], *keys: str) -> Iterator[Mapping[str, Any]]:
    """The objects in the list under these keys."""
    found = part(of, *keys[:-1]).get(keys[-1])
    yield from (one for one in found if isinstance(one, dict)) if isinstance(found, list) else ()


def number(value: object) -> float | None:
    """A finite number; a flag is none."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if abs(value) < 1e300 else None


def text(value: object) -> str:
    """Text of the hardware's: without signs that command a terminal, and not endless."""
    return _CONTROL.sub("", value).strip()[:80] if isinstance(value, str) else ""


def decimal(value: object) -> float | None:
    """A number that smartctl printed as text in its locale: "3641.250", "3641,250", "176,987.332"."""
    plain = value.strip().replace(" ", "") if isinstance(value, str) else ""
    whole, comma, rest = plain.rpartition(",")
    if comma and "." not in rest:
        plain = f"{whole.replace(',', '').replace('.', '')}.{rest}"
    try:
        return float(plain.replace(",", "")) if plain else None
    except ValueError:
        return None


def count(attribute: Mapping[str, Any]) -> float | None:
    """The count in an attribute's raw value; None where it can't be one.

    Makers pack more into its 48 bits, and smartctl's database knows how: `raw.string` shows "180 (Average 17)", "2111 (12437 0)",
    or Seagate's three counters of 16 bits, of which the last is the total ("2 2 2"; 51540393996 where the database does not know).
    """
    raw = part(attribute, "raw")
    value, shown = raw.get("value"), str(raw.get("string") or "").strip()
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        return None
    if three := _THREE.match(shown):
        return float(three[1])
    if attribute.get("id") == 188:
        return float(value & 0xFFFF)
    if (leading := _LEADING.match(shown)) and int(leading[1]) < PLAIN_MOST:
        return float(leading[1])
    return float(value) if value < PLAIN_MOST else None
