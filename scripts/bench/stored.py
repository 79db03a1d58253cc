"""The sample store: are the runs really in it, and what do a sample in, a sample at rest and a month out of it cost?"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from pathlib import Path

from tools import ROOT

sys.path.insert(0, str(ROOT / "agent"))
from forewarn.model.series import SeriesId
from forewarn.store.samples import SqliteSamples

LOOKED_AT = 200
MINUTE, DAYS, SERIES = 60.0, 30, 12
PHASES = ("resolve_s", "connect_s", "first_byte_s", "total_s")


def kept(file: Path, since_s: float, until_s: float, answered: int) -> dict[str, float | None]:
    """Of the probes' own series: how many good runs of this span can be read back for each that the targets answered."""
    samples = SqliteSamples(file, read_only=True)
    ups = [series for series in samples.series() if series.metric == "up" and series.probe.startswith("bench-")]
    chosen = random.Random(1).sample(ups, min(LOOKED_AT, len(ups)))
    began = time.perf_counter()
    runs = sum(sum(samples.read(series, since_s, until_s).values) for series in chosen)
    took = time.perf_counter() - began
    samples.close()
    expected = answered * len(chosen) / max(1, len(ups))
    return {"stored_share": runs / expected if expected else None, "read_ms": took / max(1, len(chosen)) * 1000}


def figures() -> dict[str, float]:
    """30 days of one sample a minute with jittering latencies in microseconds, appended a minute of all series at a time."""
    with tempfile.TemporaryDirectory(prefix="forewarn-store-") as folder:
        file = Path(folder) / "samples.db"
        samples = SqliteSamples(file)
        chance, now = random.Random(7), float(int(time.time() // MINUTE * MINUTE))
        series = [SeriesId("p", f"t{at // len(PHASES)}", PHASES[at % len(PHASES)]) for at in range(SERIES)]
        first, rows, spent = now - DAYS * 86400, 0, 0.0
        batch: list[tuple[SeriesId, float, float]] = []
        for step in range(DAYS * 1440):
            at = first + step * MINUTE + round(chance.random(), 6)
            batch += [(one, at, round(chance.lognormvariate(-7, 0.35), 6)) for one in series]
            if len(batch) >= 1000:
                began = time.process_time()
                samples.append(batch)
                spent, rows, batch = spent + time.process_time() - began, rows + len(batch), []
        samples.append(batch)
        rows += len(batch)
        began = time.perf_counter()
        for one in series:
            assert len(samples.read(one, first, now + 1).times_s) == DAYS * 1440
        read_s = (time.perf_counter() - began) / len(series)
        samples.close()
        size = sum(os.path.getsize(path) for path in Path(folder).iterdir())  # noqa: PTH202
    return {"append_us": spent / rows * 1e6, "bytes_per_sample": size / rows, "read_30d_ms": read_s * 1000, "samples": rows}
