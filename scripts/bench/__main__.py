"""make bench: what a probe run costs from the moment it is due until its samples are stored, beside a floor and peers.

All of them probe the same nginx at the same time, each on ports of its own, so that the ratios hold on a busy machine.
    scripts/bench console      what a page of the console costs, see console.py
    scripts/bench viewers      what fifty people with the console open cost, see viewers.py
    scripts/bench unusual      how right the shipped baseline is on labelled series, see unusual.py
    scripts/bench foresight    how well crossings of a limit are foreseen, see foresight.py
    scripts/bench templates    how right log templates are, beside drain3, see templates.py
    scripts/bench --part logs [--megabytes 1000]
    scripts/bench                # 5,000 HTTP targets, 500 HTTPS targets and the store: all that var/bench.json is asked for; 3 minutes
    scripts/bench [--targets 1000] [--seconds 30] [--every 10] [--https] [--hanging 5] [--only forewarn,floor] [--no-store]
    scripts/bench --all          # every size, HTTP and HTTPS, hanging targets, 20,000, and while other work is done: 12 minutes
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import console
import crowd
import foresight
import logs
import rehearsal
import report
import stored
import templates
import unusual
import viewers
from contenders import CONTENDERS, PER_PROBE, Contender, Load, missing
from disturb import Disturbance
from measure import cpu_s, lateness_ms, quantile, rss_mb
from place import Place
from tools import ROOT, program

STARTED_S = 180.0
ALL = (
    "--targets 500 --no-store",
    "--targets 2000 --no-store",
    "--targets 5000",
    "--targets 500 --https --no-store",
    "--targets 2000 --https --no-store --only forewarn,floor",
    "--targets 5000 --hanging 5 --no-store --only forewarn,floor",
    "--targets 5000 --disturb --no-store --only forewarn,floor",
    "--targets 20000 --seconds 40 --warm 45 --no-store --only forewarn",
)
USUAL = ("--targets 5000", "--targets 500 --https --no-store")
"""Without any word: what the key figures of var/bench.json are made of."""
WARM_S = 22.0
"""The first runs of thousands of targets are spread over ten seconds; after another interval each is at its own phase."""


def main() -> int:
    if sys.argv[1:2] == ["console"]:
        return console.main(sys.argv[2:])
    if sys.argv[1:2] == ["unusual"]:
        return unusual.main(sys.argv[2:])
    if sys.argv[1:2] == ["foresight"]:
        return foresight.main(sys.argv[2:])
    if sys.argv[1:2] == ["templates"]:
        return templates.main(sys.argv[2:])
    if sys.argv[1:2] == ["rehearsal"]:
        return rehearsal.main(sys.argv[2:])
    if sys.argv[1:2] == ["viewers"]:
        return viewers.main(sys.argv[2:])
    args = _arguments()
    if args.part == "logs":
        found = logs.figures(args.megabytes)
        print(logs.table(found))
        report.keep(logs.flat(found), ROOT / "var" / "bench.json")
        return 0
    if args.all or len(sys.argv) == 1:
        for run in ALL if args.all else USUAL:
            if code := _measured(_arguments([*run.split(), *(["--keep"] if args.keep else [])])):
                return code
        return 0
    return _measured(args)


def _measured(args: argparse.Namespace) -> int:
    names = [name for name in args.only.split(",") if name in CONTENDERS]
    skipped = {name: why for name in names if (why := missing(name, args.https))}
    if not program("nginx"):
        print("nginx not found: there is nothing to probe; run scripts/bench-tools.sh", file=sys.stderr)
        return 2
    result: dict[str, object] = {"targets": args.targets, "every_s": args.every, "window_s": args.seconds, "https": args.https}
    result |= {"hanging_percent": args.hanging, "disturbed": args.disturb, "skipped": skipped}
    if args.targets:
        result["probers"] = _probed(args, [name for name in names if name not in skipped])
    if not args.no_store:
        result["store"] = stored.figures() | crowd.figures()
    print(report.table(result))
    report.write(result, ROOT / "var" / "bench.json")
    return 0


def _arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="what a probe run costs, beside a floor and peers")
    parser.add_argument("--part", choices=("probes", "logs"), default="probes", help="what is measured (probes)")
    parser.add_argument("--megabytes", type=int, default=1000, help="of the log that part logs makes and reads (1,000)")
    parser.add_argument("--targets", type=int, default=1000, help="how many (1,000; 0: only the store)")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long is measured, after the start (30)")
    parser.add_argument("--warm", type=float, default=WARM_S, help="how long is waited before (22)")
    parser.add_argument("--every", type=int, default=10, help="interval of each target in seconds (10)")
    parser.add_argument("--https", action="store_true", help="TLS 1.3 with a full handshake each time")
    parser.add_argument("--hanging", type=float, default=0.0, help="percent of the targets that never answer (0)")
    parser.add_argument("--only", default=",".join(CONTENDERS), help=f"some of {', '.join(CONTENDERS)}")
    parser.add_argument("--per-probe", type=int, default=PER_PROBE, help="targets in one of Forewarn's probes (100)")
    parser.add_argument("--no-store", action="store_true", help="leave the store's own figures out")
    parser.add_argument("--keep", action="store_true", help="keep the folder with configurations, logs and stores")
    parser.add_argument("--disturb", action="store_true", help="reload, show and report all the while")
    parser.add_argument("--all", action="store_true", help="all that docs/performance.md has a line for")
    return parser.parse_args(given)


def _probed(args: argparse.Namespace, names: list[str]) -> dict[str, dict[str, float | None]]:
    folder = Path(tempfile.mkdtemp(prefix="forewarn-bench-"))
    folder.chmod(0o755)
    place, running = Place(folder, names, args.https), list[Contender]()
    try:
        load = Load(args.every, place.certificate if args.https else None, args.per_probe)
        hanging = round(args.targets * args.hanging / 100)
        for name in names:
            (folder / name).mkdir()
            running.append(CONTENDERS[name][0](folder / name, place.addresses(name, args.targets, hanging), load))
        print(f"{args.targets} targets every {args.every} s, {', '.join(names)}: {args.warm + args.seconds:.0f} s", file=sys.stderr)
        _await_first(place, names)
        time.sleep(args.warm)
        since_s, before = time.time(), {one.name: _costs(one) for one in running}
        other = Disturbance(folder / "forewarn") if args.disturb else None
        time.sleep(args.seconds)
        until_s, after = time.time(), {one.name: _costs(one) for one in running}
        done = other.stop() if other else 0
        memory = {one.name: {name: rss_mb(process.pid) for name, process in one.processes.items()} for one in running}
        time.sleep(2.0)  # the log is written within half a second, our samples within one
        figures = {}
        for one in running:
            hits = place.hits(one.name, since_s, until_s)
            runs = len(hits) + hanging * args.seconds / args.every
            figures[one.name] = _figures(before[one.name], after[one.name], memory[one.name], runs) | _punctual(hits, args.every)
            if one.name == "forewarn":
                one.stop()
                figures[one.name]["findings"] = (one.folder / "out.log").read_text("utf-8").count(" finding  ")
                figures[one.name] |= {"disturbances": done} if args.disturb else {}
                figures[one.name] |= stored.kept(folder / "forewarn" / "state" / "samples.db", since_s, until_s, len(hits))
        return figures
    finally:
        for one in running:
            one.stop()
        place.close()
        if args.keep:
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _await_first(place: Place, names: list[str]) -> None:
    """On a crowded machine a start takes its time: the warm-up begins when everybody has probed something."""
    until_s = time.monotonic() + STARTED_S
    while not all(place.hits(name, 0.0, time.time()) for name in names):
        if time.monotonic() > until_s:
            raise SystemExit(f"not all of {', '.join(names)} have begun within {STARTED_S:.0f} s")
        time.sleep(1.0)


def _costs(one: Contender) -> dict[str, float]:
    return {name: cpu_s([process.pid]) for name, process in one.processes.items()}


def _figures(before: dict[str, float], after: dict[str, float], memory: dict[str, float], runs: float) -> dict[str, float | None]:
    """Of the whole contender, and of each of its processes where there are several."""
    spent = {name: after[name] - before[name] for name in after}
    found: dict[str, float | None] = {"runs": runs, "cpu_ms": sum(spent.values()) / runs * 1000 if runs else None}
    found["rss_mb"] = sum(memory.values())
    if len(spent) > 1 and runs:
        found |= {f"cpu_ms_{name}": used / runs * 1000 for name, used in spent.items()}
        found |= {f"rss_mb_{name}": used for name, used in memory.items()}
    return found


def _punctual(hits: list[object], every_s: float) -> dict[str, float | None]:
    late = lateness_ms(hits, every_s)  # type: ignore[arg-type]
    return {"late_p50_ms": quantile(late, 0.5), "late_p99_ms": quantile(late, 0.99), "late_max_ms": late[-1] if late else None}


if __name__ == "__main__":
    sys.exit(main())
