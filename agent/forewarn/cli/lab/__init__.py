"""forewarn lab: the daemon's own detectors on files, without a daemon. One module a command."""

from __future__ import annotations

import argparse
from importlib import import_module

from forewarn.cli import options

EXAMPLES = """\
  forewarn lab detect latency.csv --plot latency.svg      what is unusual in a series
  forewarn lab detect --threshold                         the score at which it alarms
  forewarn lab forecast disk.csv --limit 95               when a limit will be crossed, and how well that was foreseen
  forewarn lab logs app.log --around 10:00                what is new in a log, bursting or gone
  forewarn lab smart sda.json                             what a disk says of its health

Each command has its own --help with examples."""
COMMANDS = ("detect", "forecast", "logs", "smart")
"""Modules of this package, in the order in which help lists them."""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `lab` and its commands."""
    parser = options.command(subparsers, "lab", "try the daemon's detectors on files of your own, without a daemon", EXAMPLES)
    below = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in COMMANDS:
        import_module(f"forewarn.cli.lab.{name}").add(below)
