"""forewarn change: say what was changed, and see what changed lately."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from forewarn.cli import options

if TYPE_CHECKING:
    from forewarn.cli.client import Client
    from forewarn.cli.screen import Screen

EXAMPLES = """\
  forewarn change add "payments 4.2.1" --what deploy --service payments
  forewarn change add "new rules of the firewall" --what config --host web-1 --at 2026-11-22T13:58Z
  forewarn change list

What is said here stands in the pages and the story of every incident of that service, of a service that needs it, or of one
that runs on that host, which begins within six hours of it. Packages, kernels, restarts, failed and restarted units and changed
configuration files of this machine are found by Forewarn itself.

exit: 0 done, 1 refused or no daemon runs, 2 wrong use"""
KINDS = ("deploy", "package", "unit", "config", "kernel", "reboot", "certificate", "disk", "other")


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `change`."""
    parser = options.command(subparsers, "change", "say what was changed, and see what changed lately", EXAMPLES)
    below = parser.add_subparsers(title="what to do", metavar="DO", required=True)
    said = options.command(below, "add", "say what was changed", "")
    said.add_argument("text", help="what, in a few words")
    said.add_argument("--what", choices=KINDS, default="other", help="what kind of change")
    said.add_argument("--service", metavar="NAME", help="the service that it touches")
    said.add_argument("--host", metavar="NAME", help="the host that it touches: local, or its name")
    said.add_argument("--at", metavar="TIME", help="when; now if left out (2026-11-22T13:58Z)")
    said.add_argument("--key", metavar="KEY", help="a second report with this key is not kept")
    options.by(said)
    options.as_json(said)
    said.set_defaults(run=lambda args: _run(args, _add))
    listed = options.command(below, "list", "what changed lately, newest first", "")
    listed.add_argument("--limit", type=int, default=20, metavar="N", help="at most so many")
    options.as_json(listed)
    listed.set_defaults(run=lambda args: _run(args, _list))


def _run(args: argparse.Namespace, work: Any) -> int:
    from forewarn.cli.client import answered

    return answered(lambda client: work(client, args), args)


def _add(client: Client, args: argparse.Namespace) -> int:
    from forewarn.cli.client import print_json, whoami

    body = {name: getattr(args, name) for name in ("what", "text", "service", "host", "at", "key")}
    answer = client.post("changes", {**body, "who": whoami(args)})
    if args.json:
        print_json(answer)
    else:
        client.screen.say(client.screen.t("cli.change.kept", id=answer["id"]))
    return 0


def _list(client: Client, args: argparse.Namespace) -> int:
    from forewarn.cli.client import print_json

    body = client.get("changes", limit=max(1, min(args.limit, 1000)))
    if args.json:
        print_json(body)
        return 0
    client.use_zone()
    screen = client.screen
    if not body["items"]:
        screen.say(screen.t("cli.change.none"))
    screen.columns([_row(one, screen) for one in body["items"]])
    return 0


def _row(one: dict[str, Any], screen: Screen) -> list[str]:
    from datetime import datetime

    when = screen.t("cli.change.at", at=datetime.fromisoformat(one["at"]))
    return [one["id"], when, screen.t(f"change.what.{one['what']}"), one["service"] or one["host"] or "", one["text"], one["who"]]
