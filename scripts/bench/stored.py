"""The sample store: are the runs really in it, and what do a sample in, a sample at rest and a month out of it cost?

The month is made up: targets with five jittering latencies in whole microseconds and `up`, once a minute, each run a little
late, as runs are. What does not jitter (status, size, most of SMART) takes nearly nothing and is left out on purpose.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from tools import ROOT, program

sys.path.insert(0, str(ROOT / "agent"))
from forewarn.model.series import Bound, SeriesId, Tally
from forewarn.ports import SampleRun
from forewarn.store.samples import SqliteSamples

LOOKED_AT = 200
MINUTE, DAYS, TARGETS, BATCH = 60.0, 30, 4, 500
LATENCIES = ("resolve_s", "connect_s", "tls_s", "first_byte_s", "total_s")
LATE_S = 0.001
PEER_TARGETS, PEER_DAYS = 1, 2
LIMIT = Tally(Bound(below=0.002), 3600.0, DAYS * 86400.0)


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
    """30 days of it: CPU of an append (sealing included), bytes at rest, and a whole series out again, best of a few."""
    with tempfile.TemporaryDirectory(prefix="forewarn-store-") as folder:
        file, now_s = Path(folder) / "samples.db", float(int(time.time() // MINUTE * MINUTE))
        since_s = now_s - DAYS * 86400
        samples, month = SqliteSamples(file), _month(since_s)
        spent, slowest, rows, with_gap = 0.0, 0.0, 0, _Gaps()
        while batch := list(islice(month, BATCH)):
            began = time.thread_time()
            with with_gap:
                samples.append_runs(batch)
            took = time.thread_time() - began
            spent, slowest = spent + took, max(slowest, took)
            rows += sum(len(values) for _, _, values in batch)
        series = [one for one in samples.series() if one.metric == "total_s"]
        reads = [_timed(lambda one=one: samples.read(one, since_s, now_s + 60)) for one in series * 5]
        tallies = [_timed(lambda one=one: samples.tally(one, LIMIT, since_s, now_s + 60)) for one in series * 3]
        last_s = _timed(samples.last)
        assert all(len(samples.read(one, since_s, now_s + 60).times_s) == DAYS * 1440 for one in series)
        samples.close()
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
        found = {"append_us": spent / rows * 1e6, "bytes_per_sample": size / rows, "read_30d_ms": min(reads) * 1000}
        found |= {"tally_30d_ms": min(tallies) * 1000, "last_ms": last_s * 1000, "append_slowest_ms": slowest * 1000}
        found |= {"seal_gap_max_ms": with_gap.longest_s * 1000, "samples": float(rows)}
        if peer := _prometheus(Path(folder), since_s):
            found["prometheus_bytes_per_sample"] = peer
        return found


def _month(since_s: float, targets: int = TARGETS, days: int = DAYS) -> Iterator[SampleRun]:
    chance = random.Random(7)
    plans = [tuple(SeriesId("shop", f"web-{n}", name) for name in (*LATENCIES, "up")) for n in range(targets)]
    for step in range(days * 1440):
        for place, plan in enumerate(plans):
            at_s = since_s + step * MINUTE + place * MINUTE / TARGETS + chance.expovariate(1 / LATE_S)
            yield plan, at_s, (*(round(chance.lognormvariate(-7, 0.35), 6) for _ in LATENCIES), 1.0)


def _timed(work) -> float:  # type: ignore[no-untyped-def]
    """Seconds of CPU: a busy machine stretches the rest."""
    began = time.thread_time()
    work()
    return time.thread_time() - began


class _Gaps:
    """How long another thread that wants to run every millisecond is kept from it while the block works."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    def __enter__(self) -> None:
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch)
        self._watcher.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watcher.join()

    def _watch(self) -> None:
        last = time.perf_counter()
        while not self._over.wait(0.001):
            now = time.perf_counter()
            self.longest_s, last = max(self.longest_s, now - last - 0.001), now


def _prometheus(folder: Path, since_s: float) -> float | None:
    """Bytes a sample in the chunks (without the index) of Prometheus' own blocks, of two days of one target; its times are
    whole milliseconds. None without promtool, which reads the file again for every block: hence so few."""
    tool = program("promtool")
    if tool is None:
        return None
    text, out, rows = folder / "days.txt", folder / "blocks", 0
    some = list(_month(since_s, PEER_TARGETS, PEER_DAYS))
    with text.open("w") as lines:
        for place, name in enumerate((*LATENCIES, "up")):  # samples of one metric stand together
            lines.write(f"# TYPE {name} gauge\n")
            lines.writelines(f'{name}{{target="{plan[place].target}"}} {values[place]!r} {at:.3f}\n' for plan, at, values in some)
            rows += len(some)
        lines.write("# EOF\n")
    command = [tool, "tsdb", "create-blocks-from", "openmetrics", str(text), str(out)]
    made = subprocess.run(command, capture_output=True, check=False, timeout=120)
    size = sum(path.stat().st_size for path in out.glob("*/chunks/*"))
    shutil.rmtree(out, ignore_errors=True)
    return size / rows if made.returncode == 0 else None
