"""forewarn report: what would have called a responder and did not, and whether what did was worth it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from forewarn.cli import options

if TYPE_CHECKING:
    from forewarn.cli.client import Client
    from forewarn.cli.screen import Screen

EXAMPLES = """\
  forewarn report                what was kept from you since yesterday
  forewarn report --days 30      since the month began
  forewarn report --json"""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `report`."""
    parser = options.command(
        subparsers, "report", "pages: which were useful, and which were only recorded, because their rules are new here", EXAMPLES
    )
    parser.add_argument("--days", metavar="N", default="1", help="how far back (1)")
    options.as_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print it."""
    from forewarn.cli.client import answered

    return answered(lambda client: _show(client, args), args)


def _show(client: Client, args: argparse.Namespace) -> int:
    from forewarn.cli.client import print_json
    from forewarn.cli.screen import at

    body = client.get("report", days=args.days)
    if args.json:
        return print_json(body)
    client.use_zone()
    screen, kept = client.screen, body["would_have_paged"]
    screen.say(screen.t("cli.report.head", days_s=int(args.days) * 86_400.0, paged=body["paged"], kept=len(kept)))
    rows = [[screen.t("cli.report.at", at=at(one["at"])), one["incident"] or "-", one["to"], one["subject"]] for one in kept]
    screen.columns(rows, colours=("accent",))
    if body["shadow_until"]:
        screen.say(screen.t("cli.report.until", until=at(body["shadow_until"])))
    _precision(screen, body["judged"])
    return 0


def _precision(screen: Screen, judged: dict[str, Any]) -> None:
    """What those who were called thought of it, and the rules that called them in vain."""
    unsaid = judged["incidents"] - judged["judged"]
    if judged["judged"]:
        screen.say(screen.t("cli.report.precision", useful=judged["useful"], judged=judged["judged"], share=judged["precision"]))
    if unsaid:
        screen.say(screen.t("cli.report.unsaid", count=unsaid))
    for one in judged["rules"]:
        needless = len(one["needless"])
        told = {"rule": one["rule"], "source": one["source"], "count": needless, "of": needless + one["useful"]}
        screen.say(screen.t("cli.report.needless", **told, ids=" ".join(one["needless"])))
