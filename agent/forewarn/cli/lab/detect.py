"""forewarn lab detect: a rule on a CSV file, row by row, as the daemon would have judged it at that moment."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from forewarn.cli import options
from forewarn.cli.lab import told

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from forewarn.app.lab.detect import Found, Judged
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

    from forewarn.core.detect.baseline import ALARM

    if args.threshold:
        print(ALARM)
        return 0
    if not args.file:
        print("forewarn lab detect: name a FILE.csv with the columns timestamp,value (or --threshold); see --help", file=sys.stderr)
        return 2
    done = told.done(lambda: _judged(args))
    if done is None:
        return 2
    rule, judged, found = done
    if args.json:
        _print_json(args, len(judged), found, rule)
    else:
        _tell(args, judged, found, rule)
    return 1 if found else 0


def _judged(args: argparse.Namespace) -> tuple[Rule, list[Judged], list[Found]]:
    """The rule, and what it says of the file's rows; written and drawn as asked."""
    from pathlib import Path

    from forewarn.app.lab.detect import judge, rule_of, shipped_rule

    rule = rule_of(Path(args.rule)) if args.rule else shipped_rule()
    judged, found = told.walked(args.file, lambda rows, bar: judge(rows, rule, bar))
    if args.out:
        _write(Path(args.out), judged)
    if args.plot:
        _draw(Path(args.plot), args.file, judged, found, rule)
    return rule, judged, found


def _write(path: Path, judged: Sequence[Judged]) -> None:
    rows = (
        (one.row.text, f"{one.row.value!r}", f"{one.score:.6g}", str(one.state), f"F-{one.finding}" if one.finding else "")
        for one in judged
    )
    told.write(path, ("timestamp", "value", "anomaly_score", "state", "finding"), rows)


def _draw(path: Path, title: str, judged: Sequence[Judged], found: Sequence[Found], rule: Rule) -> None:
    from forewarn.app.lab.plot import svg
    from forewarn.web.chart import limits

    limit = next((value for _, value in limits([rule])), None) if rule.kind != "baseline" else None
    path.write_text(svg(f"{title}: {rule.name}", judged, found, limit), encoding="utf-8")


def _tell(args: argparse.Namespace, judged: Sequence[Judged], found: Sequence[Found], rule: Rule) -> None:
    from datetime import UTC

    from forewarn.cli.screen import Screen

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
    rows = [
        [f"F-{one.number}", one.first.text, f"{one.score:.2f}", told.why(one, screen.language, one.last.at_s)]
        for one in found[:SHOWN]
    ]
    screen.columns(rows, colours=("accent",))
    if len(found) > SHOWN:
        screen.say(screen.t("lab.detect.more", n=len(found) - SHOWN))


def _print_json(args: argparse.Namespace, rows: int, found: Sequence[Found], rule: Rule) -> None:
    import json

    items = [{**told.item(one, args.lang), "score": round(one.score, 4)} for one in found]
    print(json.dumps({"file": args.file, "rows": rows, "rule": rule.name, "items": items}, ensure_ascii=False, indent=2))
