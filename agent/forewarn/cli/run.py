"""forewarn run: the daemon, in the foreground."""

from __future__ import annotations

import argparse

from forewarn.cli import options

EXAMPLES = """\
  forewarn run                          this machine, with what was shipped
  forewarn run --config /etc/forewarn --state /var/lib/forewarn
  forewarn run --port 0 --log json      a free port; log lines for machines

Ctrl-C stops it cleanly. Listens on loopback only."""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `run`."""
    parser = options.command(subparsers, "run", "watch, judge and tell, until stopped", EXAMPLES)
    parser.add_argument(
        "--port", type=port, metavar="N", help="the port of console and API (else the configuration's, 8420); 0 is a free one"
    )
    parser.add_argument("--log", choices=("text", "json"), default="text", help="how log lines look (text)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run until stopped; 0 after a clean stop."""
    from forewarn.app import daemon

    return daemon.main(args)


def port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f'"{text}" is not a port; write a number from 0 to 65535')
    return int(text)
