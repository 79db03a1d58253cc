"""make bench ARGS='--part logs': matching lines of a log, labels included, beside ripgrep and mtail, on one file in one run.

The file is made up (the same every time): lines of about 119 bytes as daemons write them, of which 2.1 % match one of the
patterns. ripgrep counts the lines that match (`-c -j1 -f`), mtail and we count by pattern and label. Each is run in turn,
`ROUNDS` times; its best round counts, in bytes per second of CPU (user and system), so that a busy machine hurts all alike.
mtail, which is some hundred times slower, gets a part of the file, once.
"""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tools import ROOT, program

sys.path.insert(0, str(ROOT / "agent"))

MATCHING = 0.021
ROUNDS = 3
COUNTS = (20, 100)
MTAIL_BYTES = 20_000_000
SOME_LINES = 100_000
"""So many different lines; then they come again."""
WORDS = [
    "request",
    "served",
    "upstream",
    "connection",
    "pool",
    "worker",
    "thread",
    "cache",
    "session",
    "order",
    "payment",
    "basket",
    "user",
    "account",
    "index",
    "query",
    "table",
    "commit",
    "replica",
    "shard",
    "node",
    "cluster",
    "volume",
    "mount",
    "kernel",
    "device",
    "driver",
    "packet",
    "socket",
    "stream",
    "buffer",
    "queue",
    "topic",
    "message",
    "consumer",
    "producer",
    "offset",
    "partition",
    "leader",
    "follower",
    "election",
    "heartbeat",
    "lease",
    "token",
    "scope",
    "grant",
    "refresh",
    "expire",
    "rotate",
]


class Rare(NamedTuple):
    """A pattern with its label, and lines' ends that match it."""

    pattern: str
    says: Callable[[random.Random], str]


def rare(count: int) -> list[Rare]:
    """Patterns of five sorts: a literal with a number, a module in brackets, two words far apart, a tenant, a slow call."""
    chance, found = random.Random(5), []
    for at in range(count):
        a, b = chance.sample(WORDS, 2)
        found.append(
            (
                Rare(
                    rf"{a}_{b}_failure{at} code=(?P<code>\d+)",
                    lambda r, a=a, b=b, at=at: f"{a}_{b}_failure{at} code={r.randrange(20)}",
                ),
                Rare(rf"ERR{at:03d} \[(?P<module>[\w.]+)\] {a}", lambda r, a=a, at=at: f"ERR{at:03d} [{a}.core] {a} gone"),
                Rare(rf"(?i)fatal{at}: .*{b} (?:lost|gone)", lambda r, b=b, at=at: f"FATAL{at}: the {b} gone"),
                Rare(
                    rf"tenant=(?P<tenant>[a-z]+-\d+) .*status=5{at:02d}\b",
                    lambda r, at=at: f"tenant=shop-{r.randrange(9)} path=/x status=5{at:02d} done",
                ),
                Rare(
                    rf"{a}\.{b}{at}\(\) took (?P<slow>[5-9]\d{{3,}})ms$",
                    lambda r, a=a, b=b, at=at: f"{a}.{b}{at}() took {r.randrange(5000, 9999)}ms",
                ),
            )[at % 5]
        )
    return found


def write(path: Path, size: int, patterns: list[Rare]) -> None:
    chance = random.Random(7)

    def line() -> str:
        clock = f"{chance.randrange(24):02d}:{chance.randrange(60):02d}:{chance.randrange(60):02d}.{chance.randrange(1000):03d}"
        text = f"2026-11-23T{clock}+00:00 web-{chance.randrange(9)} app[{chance.randrange(30000)}]: "
        text += " ".join(chance.choices(WORDS, k=chance.randrange(6, 15)))
        return text + (" " + chance.choice(patterns).says(chance) if chance.random() < MATCHING else "")

    block = ("\n".join(line() for _ in range(SOME_LINES)) + "\n").encode()
    with path.open("wb") as out:
        for _ in range(max(1, size // len(block))):
            out.write(block)


def figures(megabytes: int) -> dict[str, object]:
    """MB per CPU second of everybody at 20 and 100 patterns, and what was left out."""
    found: dict[str, object] = {"megabytes": megabytes, "skipped": [name for name in ("rg", "mtail") if not program(name)]}
    with tempfile.TemporaryDirectory(prefix="forewarn-logs-", dir=_roomy(megabytes)) as folder:
        for count in COUNTS:
            patterns = rare(count)
            log = Path(folder) / "app.log"
            write(log, megabytes * 1_000_000, patterns)
            found |= {f"{name}_{count}": value for name, value in _measured(log, patterns, Path(folder)).items()}
    return found


def _measured(log: Path, patterns: list[Rare], folder: Path) -> dict[str, float]:
    size = log.stat().st_size
    ours, lines = _ours(patterns)
    spent: dict[str, list[float]] = {"ours": [], "rg": []}
    counted: dict[str, float] = {}
    for _ in range(ROUNDS):
        began = time.process_time()
        counted["ours"] = ours(log)
        spent["ours"].append(time.process_time() - began)
        if rg := program("rg"):
            used, said = _child([rg, "-c", "-j1", "-f", str(_rg_file(folder, patterns)), str(log)])
            spent["rg"].append(used)
            counted["rg"] = float(said)
    if len(set(counted.values())) > 1:
        raise SystemExit(f"they do not count alike: {counted}")
    found = {f"log_mb_s_{name}": size / min(times) / 1e6 for name, times in spent.items() if times}
    if mtail := program("mtail"):
        found["log_mb_s_mtail"] = _mtail(mtail, log, patterns, folder)
    return found | {"lines": lines()}


def _ours(patterns: list[Rare]) -> tuple[Callable[[Path], float], Callable[[], float]]:
    """What a follower does with a file: read it in chunks of whole lines, match, take the labels, count."""
    from forewarn.probers.log import LogOptions
    from forewarn.probers.log_files import Files
    from forewarn.probers.log_lines import compiled, match_block
    from forewarn.probers.log_tally import LINES, Tally

    each = {f"p{at}": one.pattern for at, one in enumerate(patterns)}
    tallies: list[Tally] = []

    def run(log: Path) -> float:
        options = LogOptions(files=(str(log),), patterns=each, start="beginning", max_labels=1000)  # type: ignore[arg-type]
        files, tally, ready = Files(options, "beginning"), Tally(options), compiled(options)
        more, changed = True, None
        while more:
            batch = files.step(0.0, changed)
            for block in batch.blocks:
                matched = match_block(ready, block.text, block.starts, examples=0)
                tally.add(matched.lines, matched.counts)
            more, changed = batch.more, set()
        files.close()
        tallies.append(tally)
        counts = tally.counts()
        return sum(value for column, value in zip(counts.columns, counts.values, strict=True) if column != LINES)

    return run, lambda: dict(zip(tallies[-1].counts().columns, tallies[-1].counts().values, strict=True))[LINES]


def _rg_file(folder: Path, patterns: list[Rare]) -> Path:
    """The same patterns; ripgrep takes a name for a group only once, so the groups have none."""
    file = folder / "patterns"
    file.write_text("".join(_nameless(one.pattern) + "\n" for one in patterns))
    return file


def _nameless(pattern: str) -> str:
    import re

    return re.sub(r"\?P<\w+>", "", pattern)


def _mtail(mtail: str, log: Path, patterns: list[Rare], folder: Path) -> float:
    part, code, at = folder / "part.log", [], 0
    with log.open("rb") as whole:
        data = whole.read(MTAIL_BYTES)
    part.write_bytes(data[: data.rfind(b"\n") + 1])
    for at, one in enumerate(patterns):
        label = one.pattern.partition("?P<")[2].partition(">")[0]
        by = f" by {label}" if label else ""
        pattern = one.pattern.replace("/", r"\/")
        code.append(f"counter p{at}{by}\n/{pattern}/ {{\n  p{at}{f'[${label}]' if label else ''}++\n}}\n")
    (folder / "bench.mtail").write_text("".join(code))
    argv = [
        mtail,
        "--one_shot",
        "--progs",
        str(folder / "bench.mtail"),
        "--logs",
        str(part),
        "--port",
        "0",
        "--address",
        "127.0.0.1",
    ]
    used, _ = _child(argv)
    return part.stat().st_size / used / 1e6


def _child(argv: list[str]) -> tuple[float, str]:
    """CPU seconds of a program, and what it says."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=600)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if said.returncode:
        raise SystemExit(f"{argv[0]} ended with {said.returncode}: {said.stderr[-500:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, said.stdout.strip()


def _roomy(megabytes: int) -> str | None:
    """A folder with room for the file: memory if there is plenty."""
    shm = Path("/dev/shm")
    free = os.statvfs(shm).f_bavail * os.statvfs(shm).f_frsize if shm.is_dir() else 0
    return str(shm) if free > megabytes * 3e6 else None


def flat(found: dict[str, object]) -> dict[str, float]:
    """For var/bench.json."""
    figures: dict[str, float] = {}
    for count in COUNTS:
        ours = float(found[f"log_mb_s_ours_{count}"])  # type: ignore[arg-type]
        figures[f"log_mb_s_{count}"] = ours
        for name in ("rg", "mtail"):
            if theirs := found.get(f"log_mb_s_{name}_{count}"):
                figures[f"log_mb_s_{name}_{count}"] = float(theirs)  # type: ignore[arg-type]
                figures[f"log_ratio_{name}_{count}"] = ours / float(theirs)  # type: ignore[arg-type]
    return figures


def table(found: dict[str, object]) -> str:
    """For people."""
    figures = flat(found)
    lines = [f"\nmatching {found['megabytes']} MB of log lines, labels included, MB per CPU second"]
    lines.append(f"{'':32}{'ours':>9}{'ripgrep':>9}{'ours/rg':>9}{'mtail':>9}{'ours/mtail':>12}")
    for count in COUNTS:
        names = (
            f"log_mb_s_{count}",
            f"log_mb_s_rg_{count}",
            f"log_ratio_rg_{count}",
            f"log_mb_s_mtail_{count}",
            f"log_ratio_mtail_{count}",
        )
        shown = ((f"{figures[name]:.{2 if 'ratio' in name else 1}f}" if name in figures else "-") for name in names)
        cells = zip(shown, (9, 9, 9, 9, 12), strict=True)
        lines.append(f"{f'{count} patterns':32}" + "".join(f"{cell:>{width}}" for cell, width in cells))
    for name in found["skipped"]:  # type: ignore[attr-defined]
        lines.append(f"left out: {name} not found; scripts/bench-tools.sh fetches what this distribution has")
    return "\n".join(lines)
