"""forewarn reload: let the running daemon read its files again."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from forewarn.cli import options

if TYPE_CHECKING:
    from forewarn.cli.client import Client

EXAMPLES = """\
  forewarn reload           apply the changed files, and say what changed
  forewarn check            the same look at the files without touching the daemon

What did not change goes on untouched: its states, its schedule, what its rules have learned.
A rule that says something else than before begins anew, and learns from the samples that are kept.
A set with a problem is refused as a whole, and the running one stays.

exit: 0 applied, 1 refused (every problem is printed), no daemon runs, or it is not done after ten minutes and goes on"""
SOON_S, LONGEST_S = 3.0, 600.0
"""After SOON_S it is said that the daemon is at it; so long the answer is waited for."""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `reload`."""
    parser = options.command(subparsers, "reload", "let the running daemon read its files again", EXAMPLES)
    options.as_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Reload and print; 0 or 1."""
    from forewarn.cli.client import answered

    return answered(lambda client: _reload(client, args), args)


def _reload(client: Client, args: argparse.Namespace) -> int:
    from forewarn.cli.client import print_json

    with _told(client):
        body = client.post("reload", {}, fine=(409,), wait_s=LONGEST_S, late="cli.reload.goes_on")
    if args.json:
        print_json(body)
    elif body["ok"]:
        _applied(client, body)
    else:
        _refused(client, body)
    return 0 if body["ok"] else 1


@contextmanager
def _told(client: Client) -> Iterator[None]:
    """Who waits is told what for; on stderr, since --json has readers too."""
    text = client.screen.t("cli.reload.under_way")
    soon = threading.Timer(SOON_S, lambda: print(text, file=sys.stderr, flush=True))
    soon.daemon = True
    soon.start()
    try:
        yield
    finally:
        soon.cancel()


def _applied(client: Client, body: dict[str, Any]) -> None:
    screen = client.screen
    if body["config"] == body["was"]:
        screen.say(screen.t("cli.reload.same", id=body["config"], files=body["files"]))
        return
    screen.say(screen.t("cli.reload.applied", id=body["config"], was=body["was"], files=body["files"]))
    rows = [
        [screen.t(f"cli.reload.table.{table}"), screen.t(f"cli.reload.how.{how}"), ", ".join(names)]
        for table, changes in body["changes"].items()
        for how, names in changes.items()
    ]
    rows += [[screen.t(f"cli.reload.table.{name}"), screen.t("cli.reload.how.changed"), ""] for name in body["others"]]
    if rows:
        screen.columns(rows, indent="  ")
    if body["anew"]:
        screen.say(screen.t("cli.reload.anew", rules=", ".join(body["anew"])))
    if body["needs_restart"]:
        screen.say(screen.t("cli.reload.needs_restart", keys=", ".join(body["needs_restart"])))


def _refused(client: Client, body: dict[str, Any]) -> None:
    screen = client.screen
    rows = []
    for one in body["problems"]:
        path = f"{one['path']}: " if one["path"] else ""
        rows.append([f"{one['file']}:{one['line']}", f"{path}{one['what']}" + (f"; {one['right']}" if one["right"] else "")])
    screen.columns(rows)
    screen.say(screen.t("cli.reload.refused", count=len(rows), id=body["config"]))
