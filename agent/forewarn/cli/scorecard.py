"""forewarn scorecard: how often forecasts were right, and what that allows."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from forewarn.cli import options

if TYPE_CHECKING:
    from forewarn.cli.client import Client
    from forewarn.cli.screen import Screen

EXAMPLES = """\
  forewarn scorecard             how often forecasts were right, which gates are open, each rule
  forewarn scorecard --json"""
VERDICTS = ("came_true", "averted", "withdrawn", "false", "missed")


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `scorecard`."""
    parser = options.command(subparsers, "scorecard", "how often forecasts were right, and what that allows", EXAMPLES)
    options.as_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print it."""
    from forewarn.cli.client import answered

    return answered(lambda client: _show(client, args), args)


def _show(client: Client, args: argparse.Namespace) -> int:
    from forewarn.cli.client import print_json

    body = client.get("scorecard")
    if args.json:
        return print_json(body)
    screen = client.screen
    screen.say(_headline(screen, body), "bold")
    if body["pages"]["precision"] is not None:
        pages = body["pages"]
        screen.say(screen.t("score.pages", useful=pages["useful"], of=pages["useful"] + pages["needless"]))
    for kind in body["kinds"]:
        name = screen.word(f"score.kind.{kind['kind']}", kind["kind"])
        said = "score.interval" if kind["precision"] is not None else "score.assumed"
        shares = screen.t(said, low=kind["interval"][0], high=kind["interval"][1])
        screen.say(screen.t("score.named", name=name, text=shares))
        for gate in kind["gates"]:
            state = screen.t("score.open" if gate["open"] else "score.closed", low=gate["low"], need=gate["need"])
            named = screen.t("score.named", name=screen.t(f"score.gate.{gate['name']}"), text=state)
            screen.say(f"  {named}", None if gate["open"] else "grey")
    if body["rules"]:
        _rules(screen, body["rules"])
    return 0


def _headline(screen: Screen, body: dict[str, Any]) -> str:
    if not body["of"]:
        return screen.t("score.none")
    lead = body["median_lead_s"]
    right = screen.t("score.right", right=body["right"], of=body["of"])
    return f"{right} · {screen.t('score.lead', span=lead)}" if lead is not None else right


def _rules(screen: Screen, rules: list[dict[str, Any]]) -> None:
    head = [screen.t("score.column.rule"), *(screen.t(f"score.verdict.{name}") for name in VERDICTS)]
    head += [screen.t(f"score.column.{name}") for name in ("precision", "recall", "coverage", "pages")]
    rows = [head]
    for one in rules:
        shares = [
            screen.t("score.share", share=one[name]) if one[name] is not None else "-"
            for name in ("precision", "recall", "coverage")
        ]
        pages = f"{one['pages']['useful']}/{one['pages']['useful'] + one['pages']['needless']}"
        silenced = f"  {screen.t('score.silenced')}" if one["silenced"] else ""
        rows.append(
            [f"{one['probe']} {one['rule']}", *(str(one["verdicts"][name]) for name in VERDICTS), *shares, pages + silenced]
        )
    screen.say()
    screen.columns(rows)
