"""scripts/bench templates [--left-out] [--made]: how right log templates are on labelled lines, beside drain3 in the same run.

Lines, labels and scorer are those of ../shared/data/logs (its README names source and licence); nothing of them is shipped. GA: share
of lines whose group is exactly the true one; FGA: the F1 of whole groups. Lines per second of CPU are of a cold start on each
system's 2,000 lines. drain3 runs in an environment of its own (scripts/bench-tools.sh makes it) with six general masks and one setting.

`--left-out` asks what would be left of the figures on a system that nobody had looked at: a mask or a habit is kept only if leaving
it out makes the seven other systems worse, and the eighth is scored with what remains.
`--made` scores logs that are made of the logging calls of installed packages (made_logs.py), of which nobody looked at one.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import made_logs
import report
from forewarn.core.detect.templates import mask, merge
from forewarn.core.detect.templates.events import Events
from forewarn.core.detect.templates.miner import Miner
from tools import ROOT

DATA = ROOT.parent / "shared" / "data" / "logs"
DRAIN3 = ROOT / "var" / "bench" / "tools" / "drain3" / "bin" / "python"
ROUNDS = 3
NEVER = re.compile(r"(?!)()")
FEATURES: dict[str, tuple[ModuleType, str, Any]] = {
    "paths": (mask, "_PATH", NEVER), "hosts": (mask, "_HOST", NEVER), "names of code": (mask, "_CODE", NEVER),
    "dates": (mask, "_DATES", frozenset()), "units": (mask, "_UNIT", NEVER), "lists": (mask, "_LIST", NEVER),
    "empty brackets": (mask, "_EMPTY", frozenset()), "hex": (mask, "_HEX", NEVER), "names with a digit": (mask, "_NAME", NEVER),
    "kept beginnings": (mask, "_KEPT", NEVER), "things": (merge, "_THINGS", frozenset()),
    "prepositions": (merge, "_PREPOSITIONS", frozenset()), "states": (merge, "CAPITALS", 1), "first word": (merge, "FIRST", 6),
    "beside a masked word": (merge, "WITH_STAR", 99), "pairs": (merge, "PAIRED", 10**9),
    "long lines": (merge, "LONG", 99), "opened": (merge, "OPENED", 20), "mail": (mask, "_MAIL", NEVER), "rooted": (mask, "_ROOTED", NEVER),
    "booleans": (mask, "_BOOLEAN", NEVER), "lists of words": (mask, "_WORDS", NEVER), "quotes": (merge, "QUOTES", ""),
}  # fmt: skip
"""What can be left out, and what stands for that it is."""

Figures = dict[str, tuple[float, float, float]]
"""GA, FGA and lines per second of each system."""


def main(args: list[str]) -> int:
    """Print the table and keep the figures; 2 where the data is not there."""
    if not (DATA / "log_score.py").is_file():
        print(f"{DATA / 'log_score.py'} is not here: there is nothing to score with", file=sys.stderr)
        return 2
    found = {"ours": _scored(ours)}
    if DRAIN3.is_file():
        found["drain3"] = _scored(drain3)
    else:
        print(f"left out: drain3: {DRAIN3} is not here; run scripts/bench-tools.sh", file=sys.stderr)
    if "--made" in args:
        made()
    if "--left-out" in args:
        found["left out"] = left_out()
    print(f"{'':12}" + "".join(f"{name + ' GA':>12}{'FGA':>7}{'lines/s':>10}" for name in found))
    for system in (*found["ours"], "mean"):
        rows = [figures[system] if system != "mean" else _mean(figures) for figures in found.values()]
        print(f"{system:12}" + "".join(f"{ga:12.3f}{fga:7.3f}{speed:10,.0f}" for ga, fga, speed in rows))
    flat: dict[str, float] = {}
    for name, figures in found.items():
        prefix = "log_templates" if name == "ours" else f"log_templates_{name.replace(' ', '_')}"
        flat |= dict(zip((f"{prefix}_ga", f"{prefix}_fga", f"{prefix}_lines_s"), _mean(figures), strict=True))
    report.keep(flat, ROOT / "var" / "bench.json")
    return 0


def ours(lines: list[str]) -> tuple[list[int], float]:
    """The group of each line, and seconds of CPU."""
    begun = time.process_time()
    miner = Miner()
    events = Events(miner, messages=True).of(lines)
    miner.settle()
    groups = [miner.root(event.template) for event in events]
    return groups, time.process_time() - begun


def drain3(lines: list[str]) -> tuple[list[int], float]:
    """The same of drain3, which is another process."""
    beside = [str(DRAIN3), str(Path(__file__).with_name("drain3_beside.py"))]
    done = subprocess.run(beside, input=json.dumps(lines), capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    return answer["groups"], answer["cpu_s"]


def made() -> None:
    """Print GA and FGA of made systems, on the same lines."""
    scorer = _scorer()
    for name, groups in {"ours": ours, **({"drain3": drain3} if DRAIN3.is_file() else {})}.items():
        found = [scorer.grouping(truth, groups(lines)[0]) for _, lines, truth in made_logs.systems()]
        ga, fga = (sum(one[key] for one in found) / len(found) for key in ("GA", "FGA"))
        print(f"{name} on {len(found)} made systems: GA {ga:.3f}, FGA {fga:.3f}")


def left_out() -> Figures:
    """Each system with what the seven others need."""
    whole = _scored(ours, 1)
    without: dict[str, Figures] = {}
    for feature in FEATURES:
        with _lacking([feature]):
            without[feature] = _scored(ours, 1)
    found: Figures = {}
    for system in whole:
        others = [one for one in whole if one != system]
        useless = [name for name, figures in without.items() if _worth(figures, others) >= _worth(whole, others)]
        with _lacking(useless):
            found[system] = _scored(ours, 1, [system])[system]
        print(f"{system}: not needed by the others: {', '.join(useless) or 'nothing'}", file=sys.stderr)
    return found


@contextmanager
def _lacking(features: list[str]) -> Iterator[None]:
    kept = [(module, name, getattr(module, name)) for module, name, _ in map(FEATURES.__getitem__, features)]
    for feature in features:
        module, name, nothing = FEATURES[feature]
        setattr(module, name, nothing)
    try:
        yield
    finally:
        for module, name, value in kept:
            setattr(module, name, value)


def _worth(figures: Figures, systems: list[str]) -> float:
    return sum(figures[system][0] + figures[system][1] for system in systems)


def _scored(groups: Callable[[list[str]], tuple[list[int], float]], rounds: int = ROUNDS, only: list[str] | None = None) -> Figures:
    scorer, found = _scorer(), Figures()
    for folder in sorted((DATA / "loghub").iterdir()):
        if not folder.is_dir() or (only and folder.name not in only):
            continue
        with (folder / f"{folder.name}_2k.log_structured.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        lines = [row["Content"] for row in rows]
        tries = [groups(lines) for _ in range(rounds)]
        measured = scorer.grouping([row["EventId"] for row in rows], tries[0][0])
        found[folder.name] = (measured["GA"], measured["FGA"], len(lines) / min(spent for _, spent in tries))
    return found


def _mean(figures: Figures) -> tuple[float, float, float]:
    """Of the systems; lines a second are all lines over all seconds, each system having as many."""
    count = len(figures)
    ga, fga = (sum(one[at] for one in figures.values()) / count for at in (0, 1))
    return ga, fga, count / sum(1 / one[2] for one in figures.values())


def _scorer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("log_score", DATA / "log_score.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
