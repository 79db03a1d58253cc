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
  forewarn playbook runs                   what was run, newest first
  forewarn playbook show R-1               one run with the output of its steps
  forewarn playbook run free-volume INC-3
  forewarn playbook approve R-1            yes to the change that it waits for; refuse: no
  forewarn playbook close-breaker free-volume"""

ANSWERS = {
    "approve": "say yes to the change that a run waits for",
    "refuse": "say no: the step is not run",
}


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `playbook` and what is below it."""
    parser = options.command(subparsers, "playbook", "list, show, run playbooks; allow or refuse what they would change", EXAMPLES)
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
    _add_changes(below)


def _add_changes(below: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    ran = options.command(below, "runs", "what was run, newest first", "  forewarn playbook runs --incident INC-3")
    ran.add_argument("--incident", metavar="ID", help="of one incident")
    ran.add_argument("--limit", type=int, default=20, metavar="N", help="how many (20)")
    options.as_json(ran)
    ran.set_defaults(run=run, what=_runs)
    for verb, help in ANSWERS.items():
        each = options.command(below, verb, help, f"  forewarn playbook {verb} R-1")
        each.add_argument("id", metavar="R-N", help="the run; the id of its question works too")
        options.by(each)
        each.set_defaults(run=run, what=_answer, verb=verb)
    close = options.command(
        below, "close-breaker", "allow a playbook to change things again", "  forewarn playbook close-breaker free-volume"
    )
    close.add_argument("name", metavar="NAME")
    options.by(close)
    close.set_defaults(run=run, what=_close)


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
    screen.say(screen.t("cli.playbook.mode", mode=body["mode"], risk=f"repair.risk.{body['risk']}"), "grey")
    if any(step["changing"] for step in body["steps"]):
        print_limits(screen, body)
    screen.columns([_declared(screen, step) for step in body["steps"]], indent="  ")
    for one in [one for one in client.get("runs", limit=200)["items"] if one["playbook"] == args.name][:5]:
        screen.say()
        print_run(screen, one)
    return 0


def _declared(screen: Screen, step: dict[str, Any]) -> list[str]:
    what = step["kind"]
    if what == "run":
        what = screen.t("cli.playbook.kind.changes" if step["changing"] else "cli.playbook.kind.reads")
    return [step["name"], what, step["command"] or ""]


def print_limits(screen: Screen, it: dict[str, Any]) -> None:
    """What stands of a playbook's limits, and its breaker if it is open."""
    limits, changed = it["limits"], it["changed"]
    screen.say(
        screen.t(
            "cli.playbook.limits",
            per_hour=limits["per_hour"],
            per_day=limits["per_day"],
            cooldown=limits["cooldown_s"],
            at_once=limits["at_once"],
            hour=changed["hour"],
            day=changed["day"],
        ),
        "grey",
    )
    if it["breaker"]:
        screen.say(screen.t("cli.playbook.breaker", why=it["breaker"]["why"], playbook=it["name"]), "red")


def print_run(screen: Screen, it: dict[str, Any], most: int | None = None) -> None:
    """One run with the output of its steps, and of each change exactly what was run, who allowed it and how long it took.

    `most`: so many lines of an output at most; where there are more, how to see them.
    """
    screen.say("  ".join(_head(screen, it)), "accent")
    for step in it["steps"]:
        screen.say(f"  {step['name']}: {screen.t('console.step_state.' + step['state'])}  {step['summary']}".rstrip())
        for line in _change(screen, it, step):
            screen.say(f"    {line}", "grey")
        lines = step["output"].splitlines()
        for line in lines[:most]:
            screen.say(f"    {line}")
        if most is not None and len(lines) > most:
            screen.say("    " + screen.t("cli.playbook.more", n=len(lines) - most, id=it["id"]), "grey")


def _head(screen: Screen, it: dict[str, Any]) -> list[str]:
    from forewarn.cli.screen import at

    state, began = screen.t("console.run_state." + it["state"]), screen.t("console.second", at=at(it["started_at"]))
    repair = [screen.t(f"repair.outcome.{it['repair']}")] if it["repair"] else []
    return [it["id"], it["playbook"], it["incident"], state, *repair, began]


def _change(screen: Screen, run: dict[str, Any], step: dict[str, Any]) -> list[str]:
    from forewarn.cli.screen import at

    if not step["command"]:
        return []
    begun = step["started_at"] is not None
    lines = [screen.t("cli.playbook.exact" if begun else "cli.playbook.would", command=step["command"])]
    if step["undo"]:
        lines.append(screen.t("cli.playbook.undo", command=step["undo"]))
    if step["approved_by"]:
        lines.append(screen.t("cli.playbook.approved", who=", ".join(step["approved_by"])))
    if step["state"] == "waiting" and run["expires"]:
        lines.append(screen.t("cli.playbook.waits", expires=at(run["expires"]), run=run["id"]))
    if step["took_s"] is not None:
        lines.append(screen.t("cli.playbook.took", took=step["took_s"]))
    return lines


def _runs(client: Client, args: argparse.Namespace) -> int:
    from forewarn.cli.client import print_json

    body = client.get("runs", incident=args.incident, limit=args.limit)
    if args.json:
        return print_json(body)
    client.use_zone()
    if not body["items"]:
        client.screen.say(client.screen.t("cli.playbook.none_run"))
    client.screen.columns([_head(client.screen, item) for item in body["items"]], colours=("accent",))
    return 0


def _answer(client: Client, args: argparse.Namespace) -> int:
    from forewarn.cli.client import whoami

    answered = client.command(args.verb, args.id, whoami(args))
    client.use_zone()
    if not answered.startswith("R-"):
        answered = client.get(f"messages/{answered}")["run"]
    print_run(client.screen, client.get(f"runs/{answered}"))
    return 0


def _close(client: Client, args: argparse.Namespace) -> int:
    from forewarn.cli.client import whoami

    client.command("close-breaker", None, whoami(args), args.name)
    client.screen.say(client.screen.t("cli.playbook.closed", playbook=args.name))
    return 0


def _run(client: Client, args: argparse.Namespace) -> int:
    from forewarn.cli.client import whoami

    started = client.command("run", args.incident, whoami(args), args.name)
    client.use_zone()
    print_run(client.screen, client.get(f"runs/{started}"))
    return 0
