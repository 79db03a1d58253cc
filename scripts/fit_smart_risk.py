#!/usr/bin/env python3
"""Fit the trees of core/detect/risk_trees.py to disks that really failed, cross-validate them, and write that module.

usage: fit_smart_risk.py FOLDER [--write]      (needs numpy and lightgbm in an environment that also has forewarn; some minutes)

FOLDER holds drives.csv.gz (drive,serial,model,maker,first_hours,last_hours,failed) and changes.csv.gz (drive,hours,smart_5,
smart_10 ...: one row whenever a value changes), made from Backblaze's published drive statistics. Without --write it only says
what cross-validation finds.

What is learned: from a row of a drive that lasts a day at least, and from random moments in between, whether this drive failed
while it was watched. Each drive counts alike, however many rows it has. Without the moments in between, a disk with pending
sectors that has been quiet for a month was given 1 %, where 10 % failed. To look at failures within a fixed time instead finds fewer of them (35 % at 1 % of
good drives, not 43 %): signs are often there for months. Forcing counts never to lower the risk costs
three points of it, since makers differ in what they report. What comes out orders disks; a second step makes probabilities of it: of drives looked at on random
days of their life, by a model that had not seen them, what share failed within 3, 30 and 90 days.

Folds go by a checksum of the serial number, so that all of a drive is on one side.
"""

from __future__ import annotations

import csv
import gzip
import math
import random
import sys
import zlib
from array import array
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from forewarn.app.lab.smart_history import tracks_at
from forewarn.core.detect.risk_model import family, maker
from forewarn.core.detect.risk_track import NAMES, features

TREES, FOLDS, SEED = 180, 4, 7
HOURS = {3: 72.0, 30: 720.0, 90: 2160.0}
TICK_H = 100 * 24.0
ROWS = 0.75
YEAR_H = 8766.0
SHRINK = 2.0
"""Failures, at the average rate, that a model or maker is given before its own are counted."""
TABLE = Path(__file__).parents[1] / "agent" / "forewarn" / "core" / "detect" / "risk_trees.py"

Drive = dict[str, Any]


def main(folder: Path, write: bool) -> None:
    drives = read_drives(folder)
    x, meta = looks(folder, drives)
    out = np.full(len(x), np.nan)
    for fold in range(FOLDS):
        train = {drive for drive, one in drives.items() if one["fold"] != fold}
        prior = priors(drives, train)
        seen = np.isin(meta["drive"], list(train))
        booster = fit(with_prior(x, meta, drives, prior), meta, seen)
        out[~seen] = booster.predict(with_prior(x, meta, drives, prior)[~seen], raw_score=True)
        print(f"fold {fold} done", flush=True)
    for share, recall in recalls(out, meta, drives).items():
        print(f"cross-validated, {share:.1%} of good drives ever alarmed: {recall:.1%} foreseen 72 h ahead")
    knots = calibrated(out, meta)
    for days, points in knots.items():
        print(f"{days} days:", points)
    for limit, (recall, false, precision) in at_limits(out, meta, drives, knots[30]).items():
        print(
            f"above {limit:.0%}: {recall:.1%} foreseen 72 h ahead, {false:.2%} of good drives alarmed, {precision:.0%} of alarmed failed"
        )
    if write:
        prior = priors(drives, set(drives))
        booster = fit(with_prior(x, meta, drives, prior), meta, np.ones(len(x), bool))
        TABLE.write_text(module(booster, prior, knots, drives), "utf-8")
        print(f"{TABLE}: {TABLE.stat().st_size} bytes")


def read_drives(folder: Path) -> dict[int, Drive]:
    with gzip.open(folder / "drives.csv.gz", "rt", newline="") as file:
        return {
            int(row["drive"]): {
                "model": row["model"],
                "first": float(row["first_hours"]),
                "last": float(row["last_hours"]),
                "failed": row["failed"] == "1",
                "fold": zlib.crc32(row["serial"].encode()) % FOLDS,
            }
            for row in csv.DictReader(file)
        }


def looks(folder: Path, drives: dict[int, Drive]) -> tuple[np.ndarray, np.ndarray]:
    """Features of each drive at each of its rows, and at random moments in between (`row` says which)."""
    found, meta = array("f"), []
    for number, (drive, rows) in enumerate(tracks_at(folder, lambda drive, hours: ticks(drives[drive], drive))):
        known = drives[drive]
        for hours, is_row, tracks in rows:
            found.extend(features(tracks, hours * 3600, 0.0))
            found[-2] = hours
            meta.append((drive, is_row, known["last"] - hours, known["failed"]))
        if number % 5000 == 0:
            print(f"{number} drives read", flush=True)
    kinds = [("drive", int), ("row", bool), ("left", float), ("failed", bool)]
    return np.frombuffer(found, np.float32).reshape(-1, len(NAMES)).copy(), np.array(meta, dtype=kinds)


def ticks(drive: Drive, number: int) -> list[float]:
    """Random moments of a drive's life, TICK_H apart."""
    begin = drive["first"] + random.Random(number).random() * TICK_H
    return [float(at) for at in np.arange(begin, drive["last"], TICK_H)]


def priors(drives: dict[int, Drive], train: set[int]) -> dict[str, float]:
    """Log of failures a year by family of models, by maker ("maker:ST") and of all (""), each shrunk to the one above."""
    failed, years = Counter[str](), Counter[str]()
    for drive in train:
        one = drives[drive]
        for name in (family(one["model"]), f"maker:{maker(one['model'])}", ""):
            failed[name] += one["failed"]
            years[name] += (one["last"] - one["first"]) / YEAR_H
    found = {"": failed[""] / years[""]}
    for name in sorted(years, key=lambda name: not name.startswith("maker:")):
        above = found.get(f"maker:{maker(name)}", found[""])
        if name:
            found[name] = (failed[name] + SHRINK) / (years[name] + SHRINK / above)
    return {name: round(math.log(rate), 2) for name, rate in found.items() if not name or years[name] >= 5}


def with_prior(x: np.ndarray, meta: np.ndarray, drives: dict[int, Drive], prior: dict[str, float]) -> np.ndarray:
    known = {
        drive: prior.get(family(one["model"]), prior.get(f"maker:{maker(one['model'])}", prior[""]))
        for drive, one in drives.items()
    }
    x = x.copy()
    x[:, -1] = [known[drive] for drive in meta["drive"]]
    return x


def fit(x: np.ndarray, meta: np.ndarray, use: np.ndarray) -> lightgbm.LGBMClassifier:
    """A drive's rows weigh ROWS together, however many they are, and its moments in between the rest."""
    use = use & (meta["left"] >= 24)
    looked = list(zip(meta["drive"][use].tolist(), meta["row"][use].tolist(), strict=True))
    count = Counter(looked)
    weight = np.array([(ROWS if look[1] else 1 - ROWS) / count[look] for look in looked])
    booster = lightgbm.LGBMClassifier(
        n_estimators=TREES, learning_rate=0.06, max_depth=6, num_leaves=24, min_child_samples=50, min_child_weight=1e-3,
        subsample=0.8, subsample_freq=1, colsample_bytree=0.6, reg_lambda=5, seed=SEED,
        n_jobs=1, verbose=-1, force_col_wise=True, deterministic=True,
    )  # fmt: skip
    return booster.fit(x[use], meta["failed"][use], sample_weight=weight / weight.mean())


def recalls(score: np.ndarray, meta: np.ndarray, drives: dict[int, Drive]) -> dict[float, float]:
    """Share of failed drives alarmed 72 hours ahead, by the share of good drives that are ever alarmed."""
    top, ahead = dict.fromkeys(drives, -99.0), dict.fromkeys(drives, -99.0)
    for one, value in zip(meta[meta["row"]], score[meta["row"]], strict=True):
        drive = int(one["drive"])
        top[drive] = max(top[drive], value)
        if one["left"] >= 72:
            ahead[drive] = max(ahead[drive], value)
    good = sorted((top[drive] for drive, one in drives.items() if not one["failed"]), reverse=True)
    bad = [ahead[drive] for drive, one in drives.items() if one["failed"] and one["last"] - one["first"] >= 72]
    return {share: float(np.mean(np.array(bad) > good[int(share * len(good))])) for share in (0.005, 0.01, 0.02, 0.05)}


def at_limits(
    score: np.ndarray, meta: np.ndarray, drives: dict[int, Drive], knots: list[tuple[float, float]]
) -> dict[float, tuple[float, float, float]]:
    """By limit of the probability within 30 days: recall 72 hours ahead, good drives ever alarmed, alarmed ones that failed."""
    odds = np.interp(score, [at for at, _ in knots], [of for _, of in knots])
    long = sum(one["failed"] and one["last"] - one["first"] >= 72 for one in drives.values())
    found = {}
    for limit in (0.02, 0.05, 0.1, 0.15, 0.2):
        over = meta["row"] & (odds >= math.log(limit / (1 - limit)))
        alarmed = {int(drive) for drive in meta["drive"][over]}
        ahead = {int(drive) for drive in meta["drive"][over & meta["failed"] & (meta["left"] >= 72)]}
        false = sum(not drives[drive]["failed"] for drive in alarmed)
        good = sum(not one["failed"] for one in drives.values())
        found[limit] = (len(ahead) / long, false / good, 1 - false / max(len(alarmed), 1))
    return found


def calibrated(score: np.ndarray, meta: np.ndarray) -> dict[int, list[tuple[float, float]]]:
    """Knots (score, log odds that it fails within so many days), rising."""
    found = {}
    for days, hours in HOURS.items():
        use = ~meta["row"] & (meta["failed"] | (meta["left"] >= hours))
        order = np.argsort(score[use])
        s, y = score[use][order], (meta["failed"] & (meta["left"] <= hours))[use][order]
        edges = sorted(
            {round(len(s) * (1 - share)) for share in (1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)} | {len(s)}
        )
        bins = [[float(s[a:b].mean()), float(y[a:b].sum()) + 0.3, float(b - a) + 1.0] for a, b in pairwise(edges)]
        at = 1
        while at < len(bins):  # pool neighbours that do not rise
            if bins[at][1] / bins[at][2] > bins[at - 1][1] / bins[at - 1][2]:
                at += 1
                continue
            (m0, f0, n0), (m1, f1, n1) = bins[at - 1 : at + 1]
            bins[at - 1 : at + 1] = [[(m0 * n0 + m1 * n1) / (n0 + n1), f0 + f1, n0 + n1]]
            at = max(1, at - 1)
        found[days] = [(round(m, 2), round(math.log(f / (n - f)), 2)) for m, f, n in bins]
    return found


def module(booster: lightgbm.LGBMClassifier, prior: dict[str, float], knots: dict[int, Any], drives: dict[int, Drive]) -> str:
    """The Python module that holds all of it."""
    trees = [flat(tree["tree_structure"]) for tree in booster.booster_.dump_model()["tree_info"]]
    lines = "\n".join(f'    "{line}"' for tree in trees for line in wrapped(tree))
    rates = "\n".join(f'    "{name}": {rate},' for name, rate in sorted(prior.items()))
    points = "\n".join(f"    {days}: {tuple(of)}," for days, of in knots.items())
    return f'''"""Made by scripts/fit_smart_risk.py; do not edit. Coefficients only: no row of the data is in here.

Fitted to {len(drives):,} drives of which {sum(one["failed"] for one in drives.values()):,} failed, April 2013 to September 2016:
Backblaze Drive Stats, backblaze.com/cloud-storage/resources/hard-drive-test-data.
"""

from __future__ import annotations

PRIORS = {{
{rates}
}}
"""Family of models, maker or all ("") -> log of failures a year."""

KNOTS = {{
{points}
}}
"""Days -> points (score, log odds that the disk fails within them)."""

TREES = (
{lines}
)
"""One after the other, each in pre-order: FEATURE:LIMIT and then the branches for at most LIMIT and for more; =LEAF."""
'''


def flat(node: dict[str, Any]) -> list[str]:
    if "leaf_value" in node:
        return [f"={node['leaf_value']:.4g}"]
    return [
        f"{node['split_feature']}:{node['threshold']:.6g}",
        *flat(node["left_child"]),
        *flat(node["right_child"]),
    ]


def wrapped(tokens: list[str]) -> list[str]:
    lines, line = [], ""
    for token in tokens:
        if len(line) + len(token) > 118:
            lines.append(line)
            line = ""
        line += f"{token} "
    return [*lines, line]


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["--write"]):
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2:] == ["--write"])
