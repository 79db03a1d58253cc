"""forewarn try INC-3: exactly who is and would be told, when and why, and who would not. Nothing is sent."""

from __future__ import annotations

import argparse
import re
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forewarn.cli.screen import Screen

INCIDENT = re.compile(r"INC-\d+")


def run(args: argparse.Namespace, screen: Screen) -> int:
    """Ask the daemon, or what it left; 0, or 3 where there is no such incident."""
    from forewarn.cli.client import Client, Stop, print_json

    try:
        client = Client(args)
        incident = client.get(f"incidents/{args.what}")
        body = client.get(f"incidents/{args.what}/outreach")
        client.use_zone()
    except Stop as stop:
        print(stop.text, file=sys.stderr)
        return 3
    if args.json:
        return print_json(body)
    show(client.screen, incident, body)
    return 0


def show(screen: Screen, incident: dict[str, Any], body: dict[str, Any]) -> None:
    """The four lists, each under its own heading; an empty one is left out."""
    screen.say(f"{incident['id']}  {incident['title']}", "bold")
    screen.say(screen.t("cli.outreach.as_now", state=screen.t(f"state.{incident['state']}")), "grey")
    for name in ("people", "customers"):
        _block(screen, f"cli.outreach.{name}", [_told(screen, one) for one in body[name]])
        _block(screen, f"cli.outreach.{name}_left", [[one["who"], one["why"]] for one in body[f"{name}_left"]])
    if not any(body.values()):
        screen.say(screen.t("cli.outreach.nobody"))


def _block(screen: Screen, title: str, rows: list[list[str]]) -> None:
    if rows:
        screen.say()
        screen.say(screen.t(title), "grey")
        screen.columns(rows, indent="  ")


def _told(screen: Screen, one: dict[str, Any]) -> list[str]:
    from forewarn.cli.screen import at

    channels = screen.listed([screen.word(f"word.{kind}", kind) for kind in one["channels"]])
    state = one["state"]
    would = state == "would"
    when = screen.t("cli.outreach.at", at=at(one["at"])) if one["at"] else ""
    key = f"cli.outreach.would.{one['kind']}" if would else f"message.state.{state}"
    said = " ".join(part for part in (screen.t(key), when) if part)
    return [
        one["to"],
        screen.word(f"word.{one['subkind']}", one["subkind"]),
        channels or screen.t("cli.outreach.no_channel"),
        one["language"],
        said,
        " · ".join(part for part in (one["how"], one["why"]) if part),
    ]
