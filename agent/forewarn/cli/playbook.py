"""forewarn playbook: what can be done by machine, and what was."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from forewarn.cli import options

if TYPE_CHECKING:
    from forewarn.cli.client import Client
    from forewarn.cli.screen import Screen

EXAMPLES = """\
  forewarn playbook list
  forewarn playbook show free-volume       its steps, and its latest runs
  forewarn playbook show R-1               one run with the output of its steps
  forewarn playbook run free-volume INC-3"""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `playbook` and what is below it."""
    parser = options.command(subparsers, "playbook", "list, show, run playbooks", EXAMPLES)
    below = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listed = options.command(below, "list", "every playbook that is configured", "  forewarn playbook list")
    options.as_json(listed)
    listed.set_defaults(run=run, what=_list)
    shown = options.command(below, "show", "one playbook, or one run of it", "  forewarn playbook show R-1")
    shown.add_argument("name", metavar="NAME|R-N", help="a playbook's name, or the id of a run")
    options.as_json(shown)
    shown.set_defaults(run=run, what=_show)
    started = options.command(below, "run", "start one for an incident", "  forewarn playbook run free-volume INC-3")
    started.add_argument("name", metavar="NAME")
    started.add_argument("incident", metavar="INC-N")
    options.by(started)
    started.set_defaults(run=run, what=_run)


def run(args: argparse.Namespace) -> int:
    """Carry out what was asked."""
    from forewarn.cli.client import answered

    return answered(lambda client: args.what(client, args), args)


def _list(client: Client, args: argparse.Namespace) -> int:
    from forewarn.cli.client import print_json

    if args.json:
        return print_json(client.get("playbooks"))
    items, screen = client.all("playbooks"), client.screen
    if not items:
        screen.say(screen.t("cli.playbook.none"))
    screen.columns([_row(screen, item) for item in items], colours=("accent",))
    return 0


def _row(screen: Screen, it: dict[str, Any]) -> list[str]:
    changing = sum(1 for step in it["steps"] if step["changing"])
    steps = screen.t("cli.playbook.steps", count=len(it["steps"]), changing=changing)
    return [it["name"], _match(it["for"]), steps, screen.t("cli.playbook.takes", span=it["takes_s"]), it["title"]]


def _match(given: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in given.items()) or "-"


def _show(client: Client, args: argparse.Namespace) -> int:
    from forewarn.cli.client import print_json

    is_run = args.name.startswith("R-") and args.name[2:].isdigit()
    body = client.get(f"runs/{args.name}" if is_run else f"playbooks/{args.name}")
    if args.json:
        return print_json(body)
    client.use_zone()
    screen = client.screen
    if is_run:
        print_run(screen, body)
        return 0
    screen.say(body["title"], "bold")
    screen.say(f"{_match(body['for'])} · {screen.t('cli.playbook.takes', span=body['takes_s'])} · {body['source']}", "grey")
    kinds = {True: screen.t("word.changes"), False: screen.t("word.reads")}
    screen.columns(
        [[step["name"], step["kind"], kinds[step["changing"]] if step["kind"] == "run" else ""] for step in body["steps"]],
        indent="  ",
    )
    for one in [one for one in client.get("runs", limit=200)["items"] if one["playbook"] == args.name][:5]:
        screen.say()
        print_run(screen, one)
    return 0


def print_run(screen: Screen, it: dict[str, Any]) -> None:
    """One run with the output of its steps."""
    from forewarn.cli.screen import at

    state, began = screen.t("console.run_state." + it["state"]), screen.t("console.second", at=at(it["started_at"]))
    screen.say(f"{it['id']}  {it['playbook']}  {it['incident']}  {state}  {began}", "accent")
    for step in it["steps"]:
        screen.say(f"  {step['name']}: {screen.t('console.step_state.' + step['state'])}  {step['summary']}".rstrip())
        for line in step["output"].splitlines():
            screen.say(f"    {line}")


def _run(client: Client, args: argparse.Namespace) -> int:
    from forewarn.cli.client import whoami

    started = client.command("run", args.incident, whoami(args), args.name)
    client.use_zone()
    print_run(client.screen, client.get(f"runs/{started}"))
    return 0
