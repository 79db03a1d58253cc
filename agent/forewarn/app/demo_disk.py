"""The demo's disk: what smartctl said of a virtual one (config/demo/disk.json), written as forewarn-smart.service does.

A virtual disk has no bad sectors, so its warning counters are added here; the story makes them grow.
"""

from __future__ import annotations

import asyncio
import copy
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forewarn.config.find import shipped

SERIAL = "DEMO-DISK-1"
EVERY_S = 1.0
COUNTERS = {5: "Reallocated_Sector_Ct", 187: "Reported_Uncorrect", 197: "Current_Pending_Sector"}


@dataclass(slots=True)
class DemoDisk:
    """Writes its folder once a second, as the timer would every ten minutes, until `stop`."""

    folder: Path
    counts: dict[int, int] = field(default_factory=lambda: dict.fromkeys(COUNTERS, 0))
    _task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        answer = json.loads((shipped() / "config" / "demo" / "disk.json").read_text("utf-8"))
        self._write(answer)
        self._task = asyncio.create_task(self._repeat(answer), name="demo-disk")

    def worsen(self, counts: dict[int, int]) -> None:
        """SMART attribute -> its count from now on."""
        self.counts |= counts

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _repeat(self, answer: dict[str, Any]) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            self._write(answer)

    def _write(self, answer: dict[str, Any]) -> None:
        told, now = copy.deepcopy(answer) | {"serial_number": SERIAL}, time.time()
        rows = [row for row in told["ata_smart_attributes"]["table"] if row["id"] not in COUNTERS]
        rows += [
            {"id": id, "name": name, "value": 100, "raw": {"value": self.counts[id], "string": str(self.counts[id])}}
            for id, name in COUNTERS.items()
        ]
        told["ata_smart_attributes"]["table"] = rows
        self._put("disk-sda.json", {"at": now, "device": "/dev/sda", "exit": 0, "answer": told})
        self._put("scan.json", {"at": now, "devices": ["/dev/sda"]})

    def _put(self, name: str, document: dict[str, Any]) -> None:
        """Whole or not at all: the daemon may read it at this very moment."""
        fresh = self.folder / f"{name}.new"
        fresh.write_text(json.dumps(document))
        fresh.replace(self.folder / name)
