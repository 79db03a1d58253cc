"""forewarn lab forecast: when a limit will be crossed, said row by row of a CSV file as the daemon would have said it then."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from forewarn.cli import options
from forewarn.cli.lab import told

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from forewarn.app.lab.detect import Found, Judged
    from forewarn.app.lab.foresight import Foresight
    from forewarn.model.probe import Rule

EXAMPLES = """\
  forewarn lab forecast disk.csv --limit 95                      how far ahead the limit was foreseen, and how often in vain
  forewarn lab forecast disk.csv --limit 95 --out said.csv       timestamp,state,earliest,likely,latest for each row
  forewarn lab forecast free.csv --limit 10e9 --below --within 7d     the limit lies under the values
  forewarn lab forecast disk.csv --limit 95 --plot disk.svg      the series, its limit, and where forecasts led

FILE.csv has the columns timestamp and value (by name, or the first two); the limit is in the value's own unit; times without a
zone are UTC. Nothing is seen of what comes after a row. States: learning, never (no crossing in sight), ok (a date, but beyond
--within), firing, crossed. docs/forecasts.md tells how the dates are made."""
DAY_S = 86400.0
SHOWN = 20


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `lab forecast`."""
    parser = options.command(subparsers, "forecast", "say row by row of a CSV file when a limit will be crossed", EXAMPLES)
    parser.add_argument("file", metavar="FILE.csv", help="columns timestamp,value")
    parser.add_argument("--limit", type=_number, required=True, metavar="L", help="what must not be reached, in the value's unit")
    parser.add_argument("--below", action="store_true", help="the limit lies under the values")
    parser.add_argument("--within", type=_span, default=3 * DAY_S, metavar="SPAN", help="how far ahead it warns: 12h, 3d, 2w (3d)")
    parser.add_argument("--confidence", type=_share, default=0.8, help="share of the intervals that shall hold, 0.5 to 0.99 (0.8)")
    parser.add_argument("--out", metavar="OUT.csv", help="write what was said of each row")
    parser.add_argument("--plot", metavar="OUT.svg", help="draw the series, the limit, warnings and where forecasts led")
    options.as_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Walk and tell; 1 when something was foreseen or crossed, 2 for a file that can't be used."""
    from forewarn.app.lab.forecast import foresight, rule

    forecast = rule(args.limit, args.below, args.within, args.confidence)
    walked = told.done(lambda: _walked(args, forecast))
    if walked is None:
        return 2
    steps, found = walked
    how = foresight(steps, forecast)
    if args.json:
        _print_json(args, steps, found, how)
    else:
        _tell(args, steps, found, how)
    return 1 if found else 0


def _walked(args: argparse.Namespace, forecast: Rule) -> tuple[list[Judged], list[Found]]:
    """What the rule says of the file's rows; written and drawn as asked."""
    from pathlib import Path

    from forewarn.app.lab.forecast import walk
    from forewarn.app.lab.plot import svg

    steps, found = told.walked(args.file, lambda rows, bar: walk(rows, forecast, bar))
    if args.out:
        _write(Path(args.out), steps)
    if args.plot:
        Path(args.plot).write_text(svg(f"{args.file}: {args.limit:g}", steps, found, args.limit), encoding="utf-8")
    return steps, found


def _number(text: str) -> float:
    from math import isfinite

    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise argparse.ArgumentTypeError(f'"{text}" is not a number; write 95, 0.95 or 10e9')
    return value


def _share(text: str) -> float:
    value = _number(text)
    if not 0.5 <= value < 1:
        raise argparse.ArgumentTypeError(f'"{text}" is out of range; write 0.5 to 0.99')
    return value


def _span(text: str) -> float:
    from forewarn.config.problems import Wrong
    from forewarn.config.units import duration

    try:
        return duration(text)
    except Wrong as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _write(path: Path, steps: Sequence[Judged]) -> None:
    from forewarn.app.lab.forecast import state_of

    rows = ((one.row.text, state_of(one), *_dates(one)) for one in steps)
    told.write(path, ("timestamp", "state", "earliest", "likely", "latest"), rows)


def _dates(one: Judged) -> tuple[str, str, str]:
    """RFC 3339 in UTC; empty where no date is given."""
    forecast = one.forecast
    if forecast is None or not (forecast.earliest and forecast.likely and forecast.latest):
        return "", "", ""
    return _time(forecast.earliest.timestamp()), _time(forecast.likely.timestamp()), _time(forecast.latest.timestamp())


def _time(at_s: float) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _tell(args: argparse.Namespace, steps: Sequence[Judged], found: Sequence[Found], how: Foresight) -> None:
    from datetime import UTC

    from forewarn.cli.screen import Screen

    screen = Screen(args.lang)
    screen.zone = UTC
    first, last = steps[0].row.at_s, steps[-1].row.at_s
    screen.say(screen.t("lab.forecast.head", rows=len(steps), first=first, last=last, limit=f"{args.limit:g}"))
    key = "crossings" if how.crossings else "no_crossing"
    screen.say(screen.t(f"lab.forecast.{key}", n=how.crossings, warned=how.warned))
    screen.say(screen.t("lab.forecast.warnings", n=how.warnings, false=how.false))
    if how.coverage is not None:
        screen.say(screen.t("lab.forecast.coverage", share=f"{how.coverage:.0%}", n=how.judged, stated=f"{args.confidence:.0%}"))
    if how.score_s is not None:
        screen.say(screen.t("lab.forecast.score", score_s=how.score_s, n=how.scored))
    if all(str(one.state) == "learning" for one in steps):
        screen.say(screen.t("lab.detect.learning"))
    elif found:
        rows = [[f"F-{one.number}", one.first.text, told.why(one, screen.language, last)] for one in found[:SHOWN]]
        screen.columns(rows, colours=("accent",))
        if len(found) > SHOWN:
            screen.say(screen.t("lab.detect.more", n=len(found) - SHOWN))


def _print_json(args: argparse.Namespace, steps: Sequence[Judged], found: Sequence[Found], how: Foresight) -> None:
    import json
    from dataclasses import asdict

    from forewarn.app.lab.forecast import state_of

    last = dict(zip(("earliest", "likely", "latest"), (text or None for text in _dates(steps[-1])), strict=True))
    body = {
        "file": args.file, "rows": len(steps), "limit": args.limit, "below": args.below, "within_s": args.within,
        "confidence": args.confidence, "now": {"state": state_of(steps[-1]), **last},
        "foresight": {**asdict(how), "coverage": how.coverage}, "items": [told.item(one, args.lang) for one in found],
    }  # fmt: skip
    print(json.dumps(body, ensure_ascii=False, indent=2))
