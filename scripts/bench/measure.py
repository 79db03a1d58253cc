"""What a prober costs and how punctual it is: processor time and memory from /proc, lateness from the targets' own log."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from place import Hit

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pids: Iterable[int]) -> float:
    """User and system time of these processes and of their children that have ended, in seconds."""
    return sum(_ticks(pid) for pid in pids) / TICKS


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    return sum(int(fields[at]) for at in (11, 12, 13, 14))


def rss_mb(pid: int) -> float:
    """Resident memory in MB (10**6 bytes)."""
    for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def lateness_ms(hits: Sequence[Hit], every_s: float) -> list[float]:
    """By how much each arrival is behind its target's own grid, ascending: the earliest arrival of a target in this span
    stands for its grid, whoever probes. A target that was seen once says nothing."""
    seen: dict[tuple[int, str], list[float]] = {}
    for hit in hits:
        seen.setdefault((hit.port, hit.path), []).append(hit.at_s)
    late: list[float] = []
    for times in seen.values():
        if len(times) < 2:
            continue
        origin = times[0]
        off = [at - origin - round((at - origin) / every_s) * every_s for at in times]
        late += [(one - min(off)) * 1000 for one in off]
    return sorted(late)


def quantile(ordered: Sequence[float], share: float) -> float | None:
    """Of values in ascending order; None for none."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None
