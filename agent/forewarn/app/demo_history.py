"""Three weeks of the demo shop's past, written through the Samples port, so that nothing has to be waited for.

The orders follow a plain day; latency is calm; the volume stood still until some hours ago, when something began to
write to it. All of it is made up, and the demo says so on the screen.
"""

from __future__ import annotations

import math
import random
from pathlib import Path

from forewarn.model.series import SeriesId
from forewarn.ports import Sample
from forewarn.store.samples import SqliteSamples

DAYS = 21
GROWTH_PER_S = 0.029 / 3600
"""The volume grows by 2.9 % an hour."""
GROWING_S = 5 * 3600.0
USED_NOW = 0.889
"""At that pace 95 % is 2 h 6 min away."""
STEADY = USED_NOW - GROWTH_PER_S * GROWING_S


def orders_at(at_s: float, chance: random.Random) -> float:
    """Orders per minute: a day's wave around 120."""
    wave = math.sin((at_s % 86400.0) / 86400.0 * 2 * math.pi)
    return round(120 + 30 * wave + chance.gauss(0, 2), 2)


def used_at(at_s: float, now_s: float, chance: random.Random) -> float:
    ago = now_s - at_s
    grown = GROWTH_PER_S * max(0.0, GROWING_S - ago)
    return round(STEADY + grown + chance.gauss(0, 0.0004), 6)


def samples(now_s: float) -> list[Sample]:
    """Minute by minute of the last day, every five minutes before."""
    chance = random.Random(7)  # noqa: S311 - a story, not a secret
    orders, used = SeriesId("orders", "local", "orders_per_min"), SeriesId("volume", "local", "volume_used_ratio")
    webs = [SeriesId("shop", name, "total_s") for name in ("web-1", "web-2")]
    found: list[Sample] = []
    at = now_s - DAYS * 86400.0
    while at < now_s - 1:
        found.append((orders, at, orders_at(at, chance)))
        found.append((used, at, used_at(at, now_s, chance)))
        found += [(web, at, round(0.004 + abs(chance.gauss(0, 0.001)), 6)) for web in webs]
        at += 60.0 if now_s - at <= 86400.0 else 300.0
    return found


def write(path: Path, now_s: float) -> int:
    """Fill a samples file; answers how many samples there are."""
    store = SqliteSamples(path)
    made = samples(now_s)
    for begin in range(0, len(made), 5000):
        store.append(made[begin : begin + 5000])
    store.close()
    return len(made)
