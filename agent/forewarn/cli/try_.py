"""forewarn try: run one probe now and see what it finds and what each rule makes of it. Nothing is stored or sent.

A configuration on history is replay.py's, a playbook rehearse.py's, an incident outreach.py's."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from forewarn.cli import replay

if TYPE_CHECKING:
    from datetime import datetime

    from forewarn.cli.screen import Screen
    from forewarn.model.probe import Probe
    from forewarn.model.settings import Settings
    from forewarn.ports import ProbeView, RuleView, SeriesView, TargetView

_HELP = """\
Runs a probe once, on all of its targets, and says what it found and what each of its rules makes of it.
FILE may lie anywhere; NAME is a probe of the configuration. A log is looked at from its end: the last 1 MiB.

Of a playbook (FILE or NAME) it says what would run where, who would be asked and which limits stand; nothing is run.

Of an incident (INC-3) it lists who is and would be told, when and why, and who would not; nothing is sent.

With --on it plays a whole configuration (a folder, or a file of probes laid over today's) on history and says what would
be different from today's: incidents, pages, notices, findings. Nothing is sent, and no state is touched.

Exit: 0 up, 1 down, 2 wrong use or a file with problems, 3 cannot see, or no such probe."""

PHASES = ("resolve", "connect", "tls", "first_byte", "total")
OWN = {"up", *(f"{phase}_s" for phase in PHASES), "status", "certificate_s", "size_bytes"}
"""What the line of a target shows already."""
BUILT_IN = ("down", "cannot-see")
COLOURS = {"up": None, "down": "red", "unknown": "accent", "firing": "red", "pending": "accent"}


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `try`."""
    parser = subparsers.add_parser(
        "try",
        help="run one probe now and see what each rule says; rehearse a playbook, or a configuration on history",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "what",
        metavar="FILE|NAME|INC-3|CONFIG",
        help="a file of probes or playbooks, the name of one, an incident, or a configuration's folder",
    )
    parser.add_argument("--json", action="store_true", help="print the bodies of the API's probes")
    replay.add(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run and print; 0 to 3."""
    import asyncio
    import sys
    from datetime import UTC, datetime

    from forewarn.cli import outreach, rehearse
    from forewarn.cli.screen import Screen
    from forewarn.model.errors import ForewarnError

    screen = Screen(args.lang)
    if args.on:
        return replay.run(args, screen)
    try:
        if outreach.INCIDENT.fullmatch(args.what):
            return outreach.run(args, screen)
        if rehearse.is_playbook(args.what):
            return rehearse.run(args, _settings(args.config, datetime.now(UTC)), screen)
        settings, probes = _chosen(args.what, args.config, datetime.now(UTC))
        if not probes and args.what in settings.playbooks:
            return rehearse.run(args, settings, screen)
    except ForewarnError as error:
        print(error, file=sys.stderr)
        return 2
    screen.zone = settings.daemon.zone
    if not probes:
        _say_missing(args.what, settings, screen)
        return 3
    views = asyncio.run(_look(probes, settings))
    if args.json:
        _print_json(views, settings, args.lang)
    else:
        for view in views:
            _print(view, screen)
        replay.say_fired(args, probes, screen)
    outcomes = {target.outcome for view in views for target in view.targets}
    return 1 if "down" in outcomes else 3 if "unknown" in outcomes else 0


def _settings(config: str | None, now: datetime) -> Settings:
    import os

    from forewarn.config.find import folder
    from forewarn.config.load import load
    from forewarn.probers import PROBERS

    return load(folder(config, os.environ), PROBERS, now)


def _chosen(what: str, config: str | None, now: datetime) -> tuple[Settings, list[Probe]]:
    """The configuration, and the probes of the file or name. Raises ForewarnError."""
    import os
    from pathlib import Path

    from forewarn.config.outside import read_probes
    from forewarn.probers import PROBERS

    settings = _settings(config, now)
    if what in settings.probes:
        return settings, [settings.probes[what]]
    path = Path(what)
    if not path.is_file():
        return settings, []
    full, root = path.resolve(), Path(settings.folder).resolve()
    if full.is_relative_to(root / "probes"):
        file = full.relative_to(root).as_posix()
        return settings, [probe for probe in settings.probes.values() if probe.source.file == file]
    return settings, read_probes(path, settings, PROBERS, os.environ)


async def _look(probes: list[Probe], settings: Settings) -> list[ProbeView]:
    """One run of each, taken by a fresh watch, so that every rule says what it says on a first sight."""
    from datetime import UTC, datetime
    from inspect import isawaitable

    from forewarn.ports import ProbeView
    from forewarn.probers import PROBERS
    from forewarn.probers.once import recent_runs
    from forewarn.reach.fleet import Fleet
    from forewarn.runtime.watch import Watch

    views, fleet = [], Fleet(settings.hosts)
    for probe in probes:
        kind = PROBERS[probe.kind].on(fleet)
        prober = kind.make()
        runs = await recent_runs(kind.shape, prober, probe, datetime.now(UTC).timestamp())
        if hasattr(prober, "close") and isawaitable(closing := prober.close()):
            await closing
        now, watch = datetime.now(UTC), Watch(probe)
        for run in runs:
            watch.take(run, now)
        watch.tick(now)
        views.append(ProbeView(probe=probe, targets=watch.view(now)))
    fleet.close()
    return views


def _print_json(views: list[ProbeView], settings: Settings, language: str) -> None:
    import json
    from datetime import UTC, datetime

    from forewarn.core.reader import Reader, page
    from forewarn.core.show import probe as body

    reader = Reader(language, settings.phrases.get(language, {}), settings.daemon.zone, datetime.now(UTC))
    print(json.dumps(page([body(view, reader) for view in views], more=False), ensure_ascii=False))


def _say_missing(what: str, settings: Settings, screen: Screen) -> None:
    if settings.probes:
        screen.say(screen.t("try.no_such", name=what, known=", ".join(settings.probes)))
    else:
        screen.say(screen.t("try.no_probes", name=what, folder=settings.folder))


def _print(view: ProbeView, screen: Screen) -> None:
    """Outcome and phases of each target, its values, and each rule's verdict."""
    for target in view.targets:
        outcome = str(target.outcome)
        screen.columns([_head(target, screen)], [COLOURS.get(outcome)])
        values = [
            [f"  {_name(one)}", screen.t("try.value", value=one.value, unit=_unit(one))]
            for one in target.series
            if one.series.metric not in OWN and one.at
        ]
        screen.columns(values)
        rules = [(one, rule) for one in target.series for rule in one.rules if rule.rule not in BUILT_IN or rule.state != "ok"]
        screen.columns([_verdict(one, rule, screen) for one, rule in rules])


def _head(target: TargetView, screen: Screen) -> list[str]:
    """`up  https://...  31 ms  (resolve 0.4 ms, ...)`, or what is wrong."""
    figures = {one.series.metric: one.value for one in target.series if not one.series.labels}
    row = [screen.t(f"try.outcome.{target.outcome}"), target.target]
    if "total_s" in figures:
        row += [screen.t("try.value", value=figures["total_s"], unit="s"), _phases(figures, screen)]
    if "certificate_s" in figures:
        row.append(screen.t("try.certificate", left=figures["certificate_s"]))
    if target.reason or target.detail:
        row.append(_why(target, screen))
    return row


def _why(target: TargetView, screen: Screen) -> str:
    """The reason in words and the fact; only the fact where it begins with the same words."""
    word = screen.word(f"prober.reason.{target.reason}", str(target.reason)) if target.reason else ""
    detail = target.detail or ""
    if not word or not detail or detail.lower().startswith(" ".join(word.lower().split()[:2])):
        return detail or word
    return screen.t("try.why", reason=word, detail=detail)


def _phases(figures: dict[str, float], screen: Screen) -> str:
    facts: dict[str, Any] = {phase: figures[f"{phase}_s"] for phase in PHASES if f"{phase}_s" in figures}
    rest = max(0.0, facts.pop("total") - sum(facts.values()))
    return screen.t("try.phases_tls" if "tls" in facts else "try.phases", rest=rest, **facts)


def _verdict(one: SeriesView, rule: RuleView, screen: Screen) -> list[str]:
    why = screen.t(rule.why.key, **rule.why.facts) if rule.why else screen.t("try.no_value")
    return [screen.t(f"try.state.{rule.state}"), rule.rule, _name(one), why]


def _name(one: SeriesView) -> str:
    from forewarn.model.series import metric_text

    return metric_text(one.series.metric, one.series.labels)


def _unit(one: SeriesView) -> str:
    from forewarn.model.series import unit_of

    return unit_of(one.series.metric)
