"""What a plain `make bench` writes to var/bench.json, by the names that docs/performance.md gives."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


def module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"bench_{name}", ROOT / "scripts" / "bench" / f"{name}.py")
    assert spec and spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def figures(cpu_ms: float) -> dict[str, float]:
    return {"cpu_ms": cpu_ms, "rss_mb": 90.0, "late_p50_ms": 0.0, "late_p99_ms": 8.0, "late_max_ms": 18.0, "runs": 10_000.0}


def test_the_key_figures_are_there_by_their_names(tmp_path: Path) -> None:
    report, file = module("report"), tmp_path / "bench.json"
    common = {"every_s": 10, "window_s": 30.0, "hanging_percent": 0.0, "disturbed": False, "skipped": {}}
    peers = {"floor": figures(0.25), "blackbox": figures(2.1), "monit": figures(0.05)}
    store = {"bytes_per_sample": 1.6, "append_us": 1.5, "read_30d_ms": 4.0, "samples": 1.0}
    report.write({**common, "targets": 5000, "https": False, "probers": {"forewarn": figures(0.3), **peers}, "store": store}, file)
    report.write({**common, "targets": 500, "https": True, "probers": {"forewarn": figures(2.0), "blackbox": figures(5.0)}}, file)
    found = json.loads(file.read_text())
    words = (ROOT / "docs" / "performance.md").read_text("utf-8")
    begin = words.index("The key figures")
    named = re.findall(r"`([a-z0-9_]+)`", words[begin : words.index("\n\n", begin)])
    assert len(named) >= 9 and not set(named) - set(found), set(named) - set(found)
    assert (found["http_cpu_ratio"], found["https_cpu_ratio"], found["rss_mb_5000"]) == (7.0, 2.5, 90.0)
    assert found["http_monit_cpu_ratio"] < 1, "Monit is cheaper, and that is said"
