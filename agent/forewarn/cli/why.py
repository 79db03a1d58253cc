"""forewarn why: the chain from a message back to the samples."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from forewarn.cli import options

if TYPE_CHECKING:
    from forewarn.cli.client import Client

EXAMPLES = """\
  forewarn why M-7          why this notice was written, to whom, and who was left out
  forewarn why INC-3        what an incident rests on
  forewarn why F-17 --json  the graph, for programs

exit: 0 the chain is whole, 1 a link is missing and named, 2 no such id"""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `why`."""
    parser = options.command(subparsers, "why", "show the chain behind a message, incident, finding, run or due", EXAMPLES)
    parser.add_argument("id", metavar="ID", help="M-7, INC-3, F-17, R-1 or D-9")
    options.as_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the chain; 0, 1 or 2."""
    from forewarn.cli.client import answered

    return answered(lambda client: _show(client, args), args)


def _show(client: Client, args: argparse.Namespace) -> int:
    from forewarn.cli.client import print_json

    body = client.get(f"why/{args.id}")
    if args.json:
        print_json(body)
    else:
        client.screen.say(client.get(f"why/{args.id}", text="1"))
    return 0 if body["complete"] else 1
