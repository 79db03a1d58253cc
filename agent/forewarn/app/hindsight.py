"""How often rules would have fired on what is kept: counted beside the daemon, for the probes that somebody looks at.

Playing a week through a probe's watch takes seconds of computing, so a process of its own does it, with the lowest claim to
the processor and only reading the samples. One count runs at a time; what came of it is kept for the probe as it is declared
until the day is over, and shown until a newer one is there.
"""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from forewarn.app.rehearsal.watching import firings, watched
from forewarn.model.hindsight import Hindsight, Progress
from forewarn.model.probe import Probe
from forewarn.ports import Clock
from forewarn.store.samples import SqliteSamples

DAYS = 7
MOST_SAMPLES = 2_000_000
"""Of more, only the newest part of the span is counted: some 30 s of computing."""
MOST_KEPT = 200
LONGEST_S = 300.0
AGAIN_S = 3600.0
"""After a count that failed."""
NICE = 19
WAITS = Hindsight(progress=Progress.COUNTING)


@dataclass(frozen=True)
class _Kept:
    probe: Probe
    day: int
    found: Hindsight


class Hindsights:
    """Belongs to the loop. `stop` ends a count that is under way."""

    def __init__(self, samples: Path, clock: Clock) -> None:
        self._samples, self._clock = samples, clock
        self._kept: dict[str, _Kept] = {}
        self._wanted: dict[str, Probe] = {}
        self._work: asyncio.Task[None] | None = None

    def of(self, probe: Probe) -> Hindsight:
        """What is known of this probe; where nothing is, or only of another day, a count begins."""
        kept = self._kept.get(probe.name)
        known = kept.found if kept and kept.probe == probe else None
        if not (kept and known and kept.day == self._day(known)):
            self._wanted[probe.name] = probe
            if self._work is None or self._work.done():
                self._work = asyncio.get_running_loop().create_task(self._count(), name="hindsight")
        return known or WAITS

    async def stop(self) -> None:
        if self._work:
            self._work.cancel()
            with suppress(asyncio.CancelledError):
                await self._work

    def _day(self, found: Hindsight) -> int:
        """The day of which a count is good; of one that failed, the hour."""
        now_s = self._clock.now().timestamp()
        return int(now_s // (AGAIN_S if found.progress is Progress.FAILED else 86400))

    async def _count(self) -> None:
        while self._wanted:
            name, probe = next(iter(self._wanted.items()))
            found = await self._counted(probe)
            del self._wanted[name]
            self._kept.pop(name, None)
            self._kept[name] = _Kept(probe, self._day(found), found)
            while len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]

    async def _counted(self, probe: Probe) -> Hindsight:
        until_s = self._clock.now().timestamp()
        argv = (sys.executable, "-m", "forewarn.app.hindsight", str(self._samples), str(until_s))
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=_environ()
        )
        try:
            async with asyncio.timeout(LONGEST_S):
                out, complaint = await process.communicate(pickle.dumps(probe))
        except TimeoutError:
            return Hindsight(progress=Progress.FAILED, why=f"not done within {LONGEST_S:.0f} s")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            last = complaint.decode("utf-8", "replace").strip().splitlines()[-1:]
            return Hindsight(progress=Progress.FAILED, why="".join(last))
        return of_body(json.loads(out))


def _environ() -> dict[str, str]:
    """What Python needs to find us, and none of our secrets."""
    return {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TZ")}


# --- the process of its own ------------------------------------------------------------------------------------------


def counted(probe: Probe, samples: SqliteSamples, until_s: float) -> Hindsight:
    """The running rules over the last days of samples, or over as many of these as can be played."""
    span_s, series = DAYS * 86400.0, len(samples.series(probe.name))
    span_s = min(span_s, MOST_SAMPLES * probe.every_s / max(1, series))
    came = watched(probe, samples, until_s - span_s, until_s)
    return Hindsight(
        progress=Progress.COUNTED,
        since=datetime.fromtimestamp(until_s - span_s, UTC),
        until=datetime.fromtimestamp(until_s, UTC),
        fired=firings(came),
        samples=came.samples,
        share=came.share,
    )


def as_body(found: Hindsight) -> dict[str, Any]:
    times = {name: at.timestamp() if (at := getattr(found, name)) else None for name in ("since", "until")}
    fired = [[rule, series, count] for (rule, series), count in found.fired.items()]
    return {"progress": found.progress, "fired": fired, "samples": found.samples, "share": found.share, **times}


def of_body(body: dict[str, Any]) -> Hindsight:
    found = Hindsight(progress=Progress(body["progress"]), samples=body["samples"], share=body["share"])
    times: dict[str, Any] = {name: datetime.fromtimestamp(body[name], UTC) for name in ("since", "until") if body[name] is not None}
    return replace(found, fired={(rule, series): count for rule, series, count in body["fired"]}, **times)


def main() -> None:
    """The probe comes pickled from our own daemon on standard input, the count leaves as JSON."""
    os.nice(NICE)
    probe: Probe = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started us, through its own pipe
    samples = SqliteSamples(Path(sys.argv[1]), read_only=True)
    try:
        print(json.dumps(as_body(counted(probe, samples, float(sys.argv[2])))))
    finally:
        samples.close()


if __name__ == "__main__":
    main()
