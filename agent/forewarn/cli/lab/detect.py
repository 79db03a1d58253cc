"""forewarn lab detect: a rule on a CSV file, row by row, as the daemon would have judged it at that moment."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from forewarn.cli import options

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from forewarn.app.lab.detect import Found, Judged
    from forewarn.app.lab.series_csv import Row
    from forewarn.model.probe import Rule

EXAMPLES = """\
  forewarn lab detect latency.csv                              what is unusual, by the shipped baseline
  forewarn lab detect latency.csv --out scores.csv             timestamp,value,anomaly_score,state,finding for each row
  forewarn lab detect latency.csv --plot latency.svg           the series, its usual band and the findings
  forewarn lab detect latency.csv --rule rule.yaml             another rule, e.g. {threshold: {metric: value, above: 0.5, for: 5m}}
  forewarn lab detect --threshold                              the score at which the shipped baseline alarms

FILE.csv has the columns timestamp and value (by name, or the first two); times without a zone are UTC. A rule sees nothing that
comes after the row that it judges."""
SHOWN = 20


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `lab detect`."""
    parser = options.command(subparsers, "detect", "judge a series in a CSV file row by row", EXAMPLES)
    parser.add_argument("file", metavar="FILE.csv", nargs="?", help="columns timestamp,value")
    parser.add_argument(
        "--rule", metavar="RULE.yaml", help="a rule as in a probe's list, on the metric `value` (else the shipped baseline)"
    )
    parser.add_argument("--out", metavar="SCORES.csv", help="write what was said of each row")
    parser.add_argument("--plot", metavar="OUT.svg", help="draw the series, its usual band and what was found")
    parser.add_argument("--threshold", action="store_true", help="print the score at which the shipped baseline alarms, and end")
    options.as_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Judge and tell; 1 when something was found, 2 for a file that can't be used."""
    import sys
    from pathlib import Path

    from forewarn.app.lab.detect import judge, rule_of, shipped_rule
    from forewarn.app.lab.series_csv import read
    from forewarn.cli.progress import Progress
    from forewarn.core.detect.baseline import ALARM
    from forewarn.model.errors import ForewarnError

    if args.threshold:
        print(ALARM)
        return 0
    if not args.file:
        print("forewarn lab detect: name a FILE.csv with the columns timestamp,value (or --threshold); see --help", file=sys.stderr)
        return 2
    try:
        rule = rule_of(Path(args.rule)) if args.rule else shipped_rule()
        rows = read(Path(args.file))
        with Progress(args.file, len(rows)) as bar:
            judged, found = judge(rows, rule, bar)
        if args.out:
            _write(Path(args.out), judged)
        if args.plot:
            _draw(Path(args.plot), args.file, judged, found, rule)
    except ForewarnError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    if args.json:
        _print_json(args, rows, found, rule)
    else:
        _tell(args, judged, found, rule)
    return 1 if found else 0


def _write(path: Path, judged: Sequence[Judged]) -> None:
    import csv

    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(("timestamp", "value", "anomaly_score", "state", "finding"))
        for one in judged:
            finding = f"F-{one.finding}" if one.finding else ""
            out.writerow((one.row.text, f"{one.row.value!r}", f"{one.score:.6g}", str(one.state), finding))


def _draw(path: Path, title: str, judged: Sequence[Judged], found: Sequence[Found], rule: Rule) -> None:
    from forewarn.app.lab.plot import svg
    from forewarn.web.chart import limits

    limit = next((value for _, value in limits([rule])), None) if rule.kind != "baseline" else None
    path.write_text(svg(f"{title}: {rule.name}", judged, found, limit), encoding="utf-8")


def _tell(args: argparse.Namespace, judged: Sequence[Judged], found: Sequence[Found], rule: Rule) -> None:
    from datetime import UTC, datetime

    from forewarn.cli.screen import Screen
    from forewarn.cli.words import phrases
    from forewarn.core.tell.words import render

    screen = Screen(args.lang)
    screen.zone = UTC
    first, last = judged[0].row.at_s, judged[-1].row.at_s
    weeks = (last - first) / 604800
    screen.say(
        screen.t(
            "lab.detect.head" if found else "lab.detect.none",
            rows=len(judged), first=first, last=last, rule=rule.name, found=len(found),
            weekly=f"{len(found) / weeks:.2g}" if weeks > 0 else "-",
        )
    )  # fmt: skip
    if all(str(one.state) == "learning" for one in judged):
        screen.say(screen.t("lab.detect.learning"))
    rows = []
    for one in found[:SHOWN]:
        now = datetime.fromtimestamp(one.last.at_s, UTC)
        rows.append([f"F-{one.number}", one.first.text, f"{one.score:.2f}", render(one.why, phrases(screen.language), UTC, now)])
    screen.columns(rows, colours=("accent",))
    if len(found) > SHOWN:
        screen.say(screen.t("lab.detect.more", n=len(found) - SHOWN))


def _print_json(args: argparse.Namespace, rows: Sequence[Row], found: Sequence[Found], rule: Rule) -> None:
    import json
    from datetime import UTC, datetime

    from forewarn.cli.words import phrases
    from forewarn.core.tell.words import render

    items = [
        {
            "id": f"F-{one.number}", "from": one.first.text, "until": one.last.text, "score": round(one.score, 4),
            "why": render(one.why, phrases(args.lang), UTC, datetime.fromtimestamp(one.last.at_s, UTC)),
        }
        for one in found
    ]  # fmt: skip
    print(json.dumps({"file": args.file, "rows": len(rows), "rule": rule.name, "items": items}, ensure_ascii=False, indent=2))
