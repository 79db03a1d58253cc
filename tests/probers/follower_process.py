"""A process that follows a log as the daemon does, its runs stored in a real sample store; a test kills it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from probing import probe

from forewarn.model.series import ProbeRun, SeriesId
from forewarn.probers.log_follow import LogFollower
from forewarn.store.samples import SqliteSamples


async def follow(store: Path, *files: str) -> None:
    """Until killed."""
    samples = SqliteSamples(store)
    one = probe("log", files=list(files), patterns={"hits": r"id=(?P<id>\d\d)\b"}, start="beginning", every_s=0.1)

    def keep(run: ProbeRun) -> None:
        rows = [(SeriesId("p", "local", *column), run.at_s, value) for column, value in zip(run.columns, run.values, strict=True)]
        samples.append(rows, {"p": run.cursor} if run.cursor else {})
        sys.stdout.write(".")
        sys.stdout.flush()

    await LogFollower().follow(one, samples.cursor("p"), keep)


if __name__ == "__main__":
    asyncio.run(follow(Path(sys.argv[1]), *sys.argv[2:]))
