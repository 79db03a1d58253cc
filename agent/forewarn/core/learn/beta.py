"""The beta distribution: what share is right, when so many were right and so many wrong.

Source: Press et al., Numerical Recipes (3rd ed.), 6.4 (Lentz's continued fraction of the incomplete beta function).
"""

from __future__ import annotations

from math import exp, lgamma, log, log1p

STEPS, NARROW = 200, 1e-9
TINY = 1e-300


def share_below(x: float, a: float, b: float) -> float:
    """Probability that a share is below x (0 to 1), when it is distributed as Beta(a, b); a, b > 0."""
    if x <= 0.0 or x >= 1.0:
        return float(x >= 1.0)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _fraction(x, a, b) / a
    return 1.0 - front * _fraction(1.0 - x, b, a) / b


def quantile(q: float, a: float, b: float) -> float:
    """The share that lies above a share of q (0 to 1) of Beta(a, b)."""
    low, high = 0.0, 1.0
    while high - low > NARROW:
        middle = (low + high) / 2
        low, high = (middle, high) if share_below(middle, a, b) < q else (low, middle)
    return (low + high) / 2


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, _safe(1.0 - (a + b) * x / (a + 1.0))
    d = 1.0 / d
    found = d
    for m in range(1, STEPS):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / _safe(1.0 + step * d)
            c = _safe(1.0 + step / c)
            found *= d * c
        if abs(d * c - 1.0) < 1e-12:
            break
    return found


def _safe(value: float) -> float:
    return value if abs(value) > TINY else TINY
