"""forewarn try CONFIG --on ...: what a configuration would have said and done in the past. Nothing is sent or changed."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from forewarn.cli.screen import Screen
    from forewarn.core.reader import Body
    from forewarn.model.probe import Probe
    from forewarn.model.settings import Settings
    from forewarn.ports import Samples

MOST_SHOWN = 30
PROMETHEUS_DAYS = FIRED_DAYS = 7


def add(parser: argparse.ArgumentParser) -> None:
    """The options of a rehearsal on history."""
    group = parser.add_argument_group("rehearsal on history")
    group.add_argument(
        "--on",
        nargs="+",
        metavar="WHAT",
        help="history, a CSV, a folder of CSVs, or: prometheus URL; then FILE is a configuration's folder",
    )
    group.add_argument(
        "--from", dest="since", metavar="TIME", help="begin there (2026-11-01, or 2026-11-01T08:00:00Z; else with the first sample)"
    )
    group.add_argument("--to", dest="until", metavar="TIME", help="end there (else with the last sample)")
    group.add_argument("--against", metavar="FOLDER", help="compare with this configuration (else with today's)")
    group.add_argument("--series", metavar="PROBE|TARGET|METRIC", help="what a CSV of two columns holds")
    group.add_argument("--map", metavar="FILE", help="which queries of a Prometheus are which series here")
    group.add_argument("--step", metavar="SPAN", default="60s", help="how far apart a Prometheus' samples are taken (60s)")
    group.add_argument("--html", metavar="OUT.html", help="also write a report with pictures")


def run(args: argparse.Namespace, screen: Screen) -> int:
    """Rehearse and print; 0, or 2 for wrong use or files with problems."""
    from forewarn.model.errors import ForewarnError

    try:
        return _run(args, screen)
    except ForewarnError as error:
        print(error, file=sys.stderr)
        return 2


def _run(args: argparse.Namespace, screen: Screen) -> int:
    import json
    from datetime import UTC, datetime
    from pathlib import Path

    from forewarn.app.rehearsal.body import body
    from forewarn.app.rehearsal.page import Page
    from forewarn.app.rehearsal.rehearse import rehearsed, span
    from forewarn.cli.progress import Progress
    from forewarn.core.reader import Reader

    now = datetime.now(UTC)
    settings, against = _settings(args, now)
    screen.zone = settings.daemon.zone
    samples = _history(args, settings, against, screen, now)
    first, last = span(samples)
    since_s = max(first, _time(args.since, "--from", screen) or first)
    until_s = min(last, _time(args.until, "--to", screen) or last)
    if until_s <= since_s:
        raise _wrong(screen.t("rehearsal.no_span", first=first, last=last))
    with Progress(screen.t("rehearsal.working"), 1.0) as bar:
        it = rehearsed(settings, against, samples, since_s, until_s, lambda what, done, total: bar(done / total))
    reader = Reader(screen.language, settings.phrases.get(screen.language, {}), settings.daemon.zone, now)
    found = body(it, reader)
    if args.html:
        Path(args.html).write_text(Page(it, samples, reader, args.what).html(), "utf-8")
    if args.json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        show(screen, found, args.what)
        if args.html:
            screen.say(screen.t("rehearsal.wrote", path=args.html))
    samples.close()
    return 0


def _wrong(text: str) -> Exception:
    from forewarn.model.errors import ForewarnError

    return ForewarnError(text)


def _settings(args: argparse.Namespace, now: datetime) -> tuple[Settings, Settings | None]:
    """The configuration that is tried, and the one that it is compared with: none if that is the same folder."""
    import os
    from pathlib import Path

    from forewarn.config.find import folder
    from forewarn.config.load import load
    from forewarn.config.outside import read_probes
    from forewarn.probers import PROBERS

    today = folder(args.against or args.config, os.environ)
    path = Path(args.what)
    if path.is_file():
        from dataclasses import replace

        settings = load(today, PROBERS, now)
        own = {probe.name: probe for probe in read_probes(path, settings, PROBERS, os.environ)}
        return replace(settings, probes={**settings.probes, **own}), settings
    mine = folder(args.what, os.environ)
    settings = load(mine, PROBERS, now)
    return settings, load(today, PROBERS, now) if today != mine else None


def _history(args: argparse.Namespace, settings: Settings, against: Settings | None, screen: Screen, now: datetime) -> Samples:
    from pathlib import Path

    from forewarn.app.rehearsal.files import of_files
    from forewarn.model.series import SeriesId

    what, *rest = args.on
    if what == "prometheus" or what.startswith(("http://", "https://")):
        url = (rest or [""])[0] if what == "prometheus" else what
        if not url:
            raise _wrong(screen.t("rehearsal.no_url"))
        return _prometheus(args, url, settings, against, screen, now)
    if rest:
        raise _wrong(screen.t("rehearsal.too_many", words=" ".join(rest)))
    if what == "history":
        return _stored(args)
    if not Path(what).exists():
        raise _wrong(screen.t("rehearsal.no_such", what=what))
    try:
        series = SeriesId.parse(args.series) if args.series else None
    except ValueError as error:
        raise _wrong(str(error)) from None
    return of_files(Path(what), series)


def _stored(args: argparse.Namespace) -> Samples:
    """The running daemon's samples, opened for reading only."""
    import os
    from pathlib import Path

    from forewarn.store.samples import SqliteSamples

    state = Path(args.state or os.environ.get("FOREWARN_STATE") or "var")
    return SqliteSamples(state / "samples.db", read_only=True)


def _prometheus(
    args: argparse.Namespace, url: str, settings: Settings, against: Settings | None, screen: Screen, now: datetime
) -> Samples:
    from pathlib import Path

    from forewarn.app.rehearsal.prometheus import by_name, of_prometheus
    from forewarn.cli.progress import Progress
    from forewarn.config.prometheus_map import prometheus_map
    from forewarn.config.units import duration

    if args.map:
        queries = prometheus_map(Path(args.map))
    else:
        own = by_name(settings)
        queries = (*own, *(one for one in by_name(against) if one not in own)) if against else own
    until_s = _time(args.until, "--to", screen) or now.timestamp()
    since_s = _time(args.since, "--from", screen) or until_s - PROMETHEUS_DAYS * 86400
    try:
        step_s = duration(args.step)
    except ValueError as error:
        raise _wrong(f"--step: {error}") from None
    with Progress(screen.t("rehearsal.asking"), len(queries)) as bar:
        return of_prometheus(url, queries, settings, since_s, until_s, step_s, bar)


def _time(text: str | None, option: str, screen: Screen) -> float | None:
    from forewarn.app.lab.series_csv import seconds

    if text is None:
        return None
    at_s = seconds(text)
    if at_s is None:
        raise _wrong(screen.t("rehearsal.bad_time", option=option, text=text))
    return at_s


# --- one probe ---


def say_fired(args: argparse.Namespace, probes: list[Probe], screen: Screen) -> None:
    """How often each rule of these probes would have fired in the stored history; nothing where none is stored."""
    from datetime import UTC, datetime

    from forewarn.app.rehearsal.watching import fired
    from forewarn.cli.progress import tracked
    from forewarn.model.errors import StoreError

    until_s = datetime.now(UTC).timestamp()
    try:
        samples = _stored(args)
    except StoreError:  # no daemon has run here yet
        return
    came = [
        fired(probe, samples, until_s - FIRED_DAYS * 86400, until_s) for probe in tracked(screen.t("rehearsal.working"), probes)
    ]
    samples.close()
    for found in came:
        if found is None:
            continue
        rules = [screen.t("rehearsal.fired_one", rule=rule, count=n) for rule, n in found.items() if n]
        screen.say(
            screen.t("rehearsal.fired", days=FIRED_DAYS, rules=screen.listed(rules))
            if rules
            else screen.t("rehearsal.fired_none", days=FIRED_DAYS)
        )


# --- showing ----------------------------------------------------------------------------------------------------------


def show(screen: Screen, found: Body, name: str) -> None:
    """The totals, what would be different, and how far ahead it would have told."""
    from forewarn.cli.screen import at

    screen.say(screen.t("rehearsal.head", name=name), "bold")
    screen.say(
        screen.t(
            "rehearsal.span", first=at(found["from"]), last=at(found["until"]), series=found["series"], samples=found["samples"]
        ),
        "grey",
    )
    after, before = found["totals"]["after"], found["totals"]["before"]
    rows = [["", screen.t("rehearsal.now"), *([screen.t("rehearsal.was")] if before else [])]]
    for kind in ("incidents", "pages", "notices", "findings"):
        rows.append([screen.t(f"rehearsal.kind.{kind}"), str(after[kind]), *([str(before[kind])] if before else [])])
    screen.columns(rows)
    for one in found["foreseen"]:
        screen.say(
            screen.t("rehearsal.foresaw", series=one["series"], span=one["hours_ahead"] * 3600, breach=at(one["breached_at"]))
        )
    if before is not None:
        _differences(screen, found)
    else:
        _listed(screen, [[*_cells(screen, one)] for one in found["things"] if one["kind"] != "finding"])
    _doubts(screen, found)


def _differences(screen: Screen, found: Body) -> None:
    changed = found["differences"]
    screen.say()
    if not changed:
        screen.say(screen.t("rehearsal.no_difference"))
        return
    _listed(screen, [[_change(screen, one), *_cells(screen, one["after"] or one["before"])] for one in changed])


def _listed(screen: Screen, rows: list[list[str]]) -> None:
    screen.columns(rows[:MOST_SHOWN])
    if len(rows) > MOST_SHOWN:
        screen.say(screen.t("rehearsal.more", count=len(rows) - MOST_SHOWN), "grey")


def _change(screen: Screen, one: dict[str, Any]) -> str:
    if one["change"] in ("earlier", "later"):
        return screen.t(f"rehearsal.change.{one['change']}", span=abs(one["hours"]) * 3600)
    if one["change"] == "level":
        return screen.t("rehearsal.change.level", before=one["before"]["level"], after=one["after"]["level"])
    return screen.t(f"rehearsal.change.{one['change']}")


def _cells(screen: Screen, one: dict[str, Any]) -> list[str]:
    from forewarn.cli.screen import at

    about = one["to"] or one["level"] or one["rule"] or ""
    text = one["title"] + (f" ({one['series']})" if one["series"] else "")
    return [screen.t(f"rehearsal.kind.{one['kind']}"), screen.t("rehearsal.at", at=at(one["at"])), about, text]


def _doubts(screen: Screen, found: Body) -> None:
    """What this rehearsal could not look at."""
    if found["without_samples"]:
        screen.say(screen.t("rehearsal.unfed", names=screen.listed(found["without_samples"])), "grey")
    for name, every_s in found["slower"].items():
        screen.say(screen.t("rehearsal.slower", name=name, span=every_s), "grey")
    if found["strangers_count"]:
        screen.say(screen.t("rehearsal.strangers", count=found["strangers_count"], first=found["strangers"][0]), "grey")
