"""forewarn demo: a small shop, real parts, about a minute."""

from __future__ import annotations

import argparse

from forewarn.cli import options

EXAMPLES = """\
  forewarn demo                 goes on until you stop it, and lets you break things
  forewarn demo --once          ends by itself; exits 0 only if every link of the chain was seen

It uses a state and ports of its own and touches nothing else on this machine."""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `demo`."""
    parser = options.command(subparsers, "demo", "show the whole chain on a small shop, in about a minute", EXAMPLES)
    parser.add_argument("--once", action="store_true", help="end by itself; exit 0 only if every link was seen")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Play the demo; 0 if every link of the chain was seen."""
    from forewarn.app import demo

    return demo.main(args)
