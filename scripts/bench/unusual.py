"""scripts/bench unusual: how right the shipped baseline is on labelled series, beside a plain z-score, and what it costs.

Series, labels and scorers are those of ../shared/data (its README names sources and licences); nothing of them is shipped. One
setting, and one limit frozen for all of them. The state of each series sees only what came before.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import math
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import report
from forewarn.core.detect.baseline import ALARM, BaselineOptions, BaselineState, judged
from tools import ROOT

DATA = ROOT.parent / "shared" / "data"
SETS = {"nab": "NAB, open half", "cloudmon": "Microsoft cloud monitoring, open half"}
WEEK_S = 604800.0
Series = list[tuple[float, float]]


def main(_: list[str]) -> int:
    """Print the table and keep the figures; 2 where the data is not there."""
    path = DATA / "nab" / "nab_score.py"
    if not path.is_file():
        print(f"{path} is not here: there is nothing to score with", file=sys.stderr)
        return 2
    scorer, flat = _module(path), dict[str, Any]()
    print(f"{'':40}{'score':>8}{'best':>8}{'caught':>9}{'false a week':>14}{'us a sample':>13}")
    for name, title in SETS.items():
        for detector, (score, limit) in DETECTORS.items():
            found = _scored(scorer, name, score, limit)
            print(
                f"{title + ', ' + detector:40.40}{found['score']:8.1f}{found['best']:8.1f}{found['caught']:>9}{found['false']:14.2f}{found['us']:13.1f}"
            )
            flat |= {f"{name}_{detector.replace(' ', '_')}_{what}": found[what] for what in ("score", "best", "false", "us")}
    report.keep({f"foresight_{key}": value for key, value in flat.items()}, ROOT / "var" / "bench.json")
    return 0


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("nab_score", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shipped(series: Series) -> list[float]:
    """The score of each sample."""
    state, options, scores = BaselineState(), BaselineOptions(), []
    for at_s, value in series:
        state = judged(options, state, at_s, value)
        scores.append(state.score)
    return scores


def z_score(series: Series, share: float = 0.01) -> list[float]:
    """How many deviations from an exponentially weighted mean, as 0..1; with the same quiet time as ours."""
    mean, variance, scores, last_s, last = series[0][1], 0.0, [], -1e18, 0.0
    for at, (at_s, value) in enumerate(series):
        off, part = value - mean, max(share, 1.0 / (at + 1))
        z = abs(off) / math.sqrt(variance) if variance > 0 and at > 100 else 0.0
        mean += part * off
        variance = (1 - part) * (variance + part * off * off)
        score = 1 - 0.5 ** (z / 5.0)
        if score >= ALARM and at_s - last_s < 12 * 3600 and z <= last:
            score = ALARM * 0.98
        elif score >= ALARM:
            last_s, last = at_s, z
        scores.append(score)
    return scores


DETECTORS: dict[str, tuple[Callable[[Series], list[float]], float]] = {"ours": (shipped, ALARM), "z score": (z_score, ALARM)}


def _scored(scorer: ModuleType, name: str, score: Callable[[Series], list[float]], limit: float) -> dict[str, Any]:
    labels = json.loads((DATA / name / "labels" / "combined_windows.json").read_text("utf-8"))
    streams, samples, weeks, spent_s = [], 0, 0.0, 0.0
    for stream, windows in labels.items():
        with (DATA / name / "data" / stream).open(newline="") as file:
            rows = [(row["timestamp"].split(".")[0], float(row["value"])) for row in csv.DictReader(file)]
        series = [(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp(), value) for text, value in rows]
        begun = time.process_time()
        scores = score(series)
        spent_s += time.process_time() - begun
        samples += len(series)
        weeks += (series[-1][0] - series[0][0]) / WEEK_S
        streams.append(scorer.Stream(stream, [text for text, _ in rows], scores, windows))
    frozen, best = scorer.score(streams, threshold=limit), scorer.score(streams)
    return {
        "score": frozen["score"], "best": best["score"], "caught": f"{frozen['caught']}/{frozen['windows']}",
        "false": frozen["false_episodes"] / weeks, "us": 1e6 * spent_s / samples,
    }  # fmt: skip
