"""Looks at this machine once: who listens, what is spoken there, which disks there are."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from pathlib import Path

from forewarn.app.detect.listeners import Listener, listeners
from forewarn.app.detect.proposals import Found
from forewarn.app.detect.sniff import Spoken, listen_in, silent

MOST = 60
AT_ONCE = 8


async def ports(only: Collection[int], skip: Collection[int], proc: Path = Path("/proc")) -> list[Found]:
    """Every port that takes connections; `only` these where some are given, `skip` never."""
    wanted = [one for one in listeners(proc) if one.port not in skip and (not only or one.port in only)]
    gate = asyncio.Semaphore(AT_ONCE)

    async def look(one: Listener) -> Found | None:
        known = silent(one.program, one.port)
        async with gate:
            spoken = Spoken(known) if known else await listen_in(one.address, one.port)
        return Found(one, spoken) if spoken else None

    return [found for found in await asyncio.gather(*map(look, wanted[:MOST])) if found]


def disks(sys: Path = Path("/sys")) -> list[str]:
    """Names of whole disks that may tell about their health: SATA, SAS and NVMe."""
    try:
        names = sorted(path.name for path in (sys / "block").iterdir() if (path / "device").exists())
    except OSError:
        return []
    return [name for name in names if name.startswith(("sd", "nvme"))]
