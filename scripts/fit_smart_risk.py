#!/usr/bin/env python3
"""Fit the figures in core/detect/risk_model.py to disks that really failed, and print them.

usage: fit_smart_risk.py FOLDER      (needs numpy and scipy, in an environment of its own; takes a minute)

FOLDER holds drives.csv.gz (drive,first_hours,last_hours,failed) and changes.csv.gz (drive,hours,smart_5,smart_187,
smart_188,smart_197,smart_198: one row whenever a value changes), made from Backblaze's published drive statistics. Each
drive is looked at once a week of its life, as a daemon would; the question is whether it failed in the 30 days after.
What is fitted on half of the drives is judged on the other half.
"""

from __future__ import annotations

import csv
import gzip
import math
import sys
from bisect import bisect_right
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

ATTRIBUTES = ("smart_5", "smart_187", "smart_188", "smart_197", "smart_198")
MOST = 1e5
KNOTS = (-6.4, -5.0, -4.0, -3.0, -2.0, -1.0, 0.0)
DAY = 24.0
HORIZON, WEEK = 30 * DAY, 7 * DAY


def drives(folder: Path) -> dict[int, tuple[int, int, bool]]:
    with gzip.open(folder / "drives.csv.gz", "rt", newline="") as file:
        return {int(r["drive"]): (int(r["first_hours"]), int(r["last_hours"]), r["failed"] == "1") for r in csv.DictReader(file)}


def histories(folder: Path) -> dict[int, tuple[list[int], list[list[float]]]]:
    """Hours and values of each drive's changes; a missing attribute counts as 0."""
    found: dict[int, tuple[list[int], list[list[float]]]] = {}
    with gzip.open(folder / "changes.csv.gz", "rt", newline="") as file:
        for row in csv.DictReader(file):
            values = [float(row[name] or 0) for name in ATTRIBUTES]
            values[2] = float(int(values[2]) & 0xFFFF)  # three counters in one
            times, past = found.setdefault(int(row["drive"]), ([], []))
            times.append(int(row["hours"]))
            past.append(values)
    return found


def features(times: list[int], past: list[list[float]], at: float) -> list[float]:
    """What core/detect/risk_model.py looks at: logarithms of four counts, how many of five are above 0, and growth of any
    of them in the last week."""
    newest = bisect_right(times, at) - 1
    oldest = max(bisect_right(times, at - WEEK) - 1, 0)
    now = past[newest]
    grew = any(past[k][a] > past[k - 1][a] for k in range(oldest + 1, newest + 1) for a in range(5))
    logs = [math.log1p(min(value, MOST)) for value in now]
    return [*logs[:4], float(sum(value > 0 for value in now)), float(grew)]


def weeks(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Features, truth, weight and drive of each look. Of looks at a clean disk one in twenty is kept, and counts twenty."""
    rng = np.random.default_rng(1)
    known, rows, truth, weight, whose = drives(folder), [], [], [], []
    for drive, (times, past) in histories(folder).items():
        first, last, failed = known[drive]
        for at in np.arange(first + rng.uniform(0, WEEK), last, WEEK):
            if at < times[0] or not (failed or last - at >= HORIZON):
                continue
            is_true, clean = failed and last - at <= HORIZON, not any(past[bisect_right(times, at) - 1])
            if clean and not is_true and rng.random() >= 0.05:
                continue
            rows.append(features(times, past, at))
            truth.append(float(is_true))
            weight.append(20.0 if clean and not is_true else 1.0)
            whose.append(drive)
    return np.array(rows), np.array(truth), np.array(weight), np.array(whose)


def fitted(a: np.ndarray, y: np.ndarray, w: np.ndarray, start: float = 0.0) -> np.ndarray:
    """Logistic regression whose coefficients are not below 0, so that more errors never mean less risk."""
    w = w / w.mean()

    def loss(b: np.ndarray) -> tuple[float, np.ndarray]:
        z = a @ b[1:] + b[0]
        off = w * (1 / (1 + np.exp(-z)) - y)
        return float((w * (np.logaddexp(0, z) - y * z)).sum() + (b[1:] ** 2).sum()), np.r_[off.sum(), a.T @ off + 2 * b[1:]]

    first = np.r_[start, np.zeros(a.shape[1])]
    return minimize(loss, first, jac=True, bounds=[(None, None)] + [(0, None)] * a.shape[1], options={"maxiter": 1000}).x


def hinges(score: np.ndarray) -> np.ndarray:
    """A straight line between each two knots."""
    return np.stack([np.clip(score, low, high) - low for low, high in pairwise(KNOTS)], axis=1)


def model(a: np.ndarray, y: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of the score, and log odds at the knots of the score."""
    b = fitted(a, y, w, -6.0)
    c = fitted(hinges(a @ b[1:] + b[0]), y, w, -6.0)
    return b, c[0] + np.r_[0.0, np.cumsum(c[1:] * np.diff(KNOTS))]


def probability(a: np.ndarray, b: np.ndarray, at_knots: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.interp(a @ b[1:] + b[0], KNOTS, at_knots)))


def main(folder: Path) -> None:
    a, y, w, whose = weeks(folder)
    test = (whose * 2654435761 >> 7) % 2 == 1
    p = probability(a[test], *model(a[~test], y[~test], w[~test]))
    for low, high in ((0, 0.002), (0.002, 0.01), (0.01, 0.03), (0.03, 0.1), (0.1, 0.2), (0.2, 0.3), (0.3, 0.5), (0.5, 1)):
        these = (p >= low) & (p < high)
        if these.any():
            said, true = (np.average(of[these], weights=w[test][these]) for of in (p, y[test]))
            print(f"said {said:7.4f}  failed {true:7.4f}  drives {len(set(whose[test][these])):6d}")
    b, at_knots = model(a, y, w)
    print(f"base {np.average(y, weights=w):.5f}")
    print("score", [round(float(one), 3) for one in b])
    print("knots", [(knot, round(float(one), 2)) for knot, one in zip(KNOTS, at_knots, strict=True)])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
