"""forewarn status: how things stand, in a line and a short list."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from forewarn.cli import options

if TYPE_CHECKING:
    from forewarn.cli.client import Client

EXAMPLES = """\
  forewarn status           what is ahead, what is wrong now, what can't be seen
  forewarn status --link    a one-time address that opens the console with its buttons
  forewarn status --json    the body of GET /api/v1/status

exit: 0 fine or a warning, 1 a problem (an open P0 to P2, or the store or a channel failing)"""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `status`."""
    parser = options.command(subparsers, "status", "say how things stand", EXAMPLES)
    parser.add_argument("--link", action="store_true", help="print an address that opens the console once, within ten minutes")
    options.as_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the status; 1 on `problem`."""
    from forewarn.cli.client import answered

    return answered(lambda client: _link(client) if args.link else _show(client, args), args)


def _link(client: Client) -> int:
    client.screen.say(client.post("links", {})["url"])
    return 0


def _show(client: Client, args: argparse.Namespace) -> int:
    from forewarn.cli.client import print_json
    from forewarn.cli.overview import show

    status = client.use_zone()
    if args.json:
        print_json(status)
    else:
        show(client, status)
    return 1 if status["state"] == "problem" else 0
