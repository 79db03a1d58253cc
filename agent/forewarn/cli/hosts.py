"""forewarn hosts: the machines that are reached over SSH. Needs no daemon."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from forewarn.cli import options

if TYPE_CHECKING:
    from forewarn.cli.screen import Screen
    from forewarn.model.map import Host
    from forewarn.model.settings import Settings
    from forewarn.reach.known_hosts import Key, Known

EXAMPLES = """\
  forewarn hosts list                 every host of config/hosts.yaml, and whether its key is known
  forewarn hosts test                 log in to each of them
  forewarn hosts test web-1
  forewarn hosts trust web-1          show the key of a host, and make it known after a yes
  forewarn hosts trust web-1 --fingerprint SHA256:uNiVztksCsDhcc0u9e8BrBHwjPoXtEC4bFvAZwXOgWo

exit: 0 fine, 1 a host can't be reached or is not trusted, 2 wrong use"""
YES = ("yes", "是")


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `hosts` and what is below it."""
    parser = options.command(subparsers, "hosts", "list, test and trust the machines that are reached over SSH", EXAMPLES)
    below = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listed = options.command(below, "list", "every host, and whether its key is known", "  forewarn hosts list")
    listed.add_argument("--json", action="store_true", help="print it for machines")
    listed.set_defaults(run=run, what=_list)
    tested = options.command(below, "test", "log in to hosts, all at once", "  forewarn hosts test web-1 db-1")
    tested.add_argument("names", metavar="NAME", nargs="*", help="hosts or groups; all if none is named")
    tested.add_argument("--json", action="store_true", help="print it for machines")
    tested.set_defaults(run=run, what=_test)
    trusted = options.command(
        below, "trust", "make the key that a host shows the known one, after a look at it", "  forewarn hosts trust web-1"
    )
    trusted.add_argument("name", metavar="NAME")
    trusted.add_argument(
        "--fingerprint", metavar="SHA256:...", help="say yes if the key is this one, and no otherwise; asks nobody"
    )
    trusted.add_argument("--replace", action="store_true", help="instead of the key that is known now")
    trusted.set_defaults(run=run, what=_trust)


def run(args: argparse.Namespace) -> int:
    """Carry out what was asked."""
    import os
    from datetime import UTC, datetime

    from forewarn.cli.screen import Screen
    from forewarn.config.find import folder
    from forewarn.config.load import load
    from forewarn.model.errors import ForewarnError
    from forewarn.probers import PROBERS

    screen = Screen(args.lang)
    try:
        settings = load(folder(args.config, os.environ), PROBERS, datetime.now(UTC))
        code: int = args.what(settings, args, screen)
        return code
    except ForewarnError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(screen.t("cli.hosts.file", file=str(error.filename), why=str(error.strerror)), file=sys.stderr)
        return 1


def _list(settings: Settings, args: argparse.Namespace, screen: Screen) -> int:
    from forewarn.app.hosts import standing

    hosts = sorted(settings.hosts.values(), key=lambda host: host.name)
    if args.json:
        return _json([{**_body(host), "key": standing(host)[0]} for host in hosts])
    if not hosts:
        screen.say(screen.t("cli.hosts.none"))
        return 0
    rows = [
        [
            host.name,
            f"{host.user}@{host.place}",
            screen.t("cli.hosts.through", jump=host.jump) if host.jump else "",
            screen.t(f"cli.hosts.key.{standing(host)[0]}"),
            screen.listed(host.groups),
        ]
        for host in hosts
    ]
    screen.columns(rows)
    return 0


def _test(settings: Settings, args: argparse.Namespace, screen: Screen) -> int:
    import asyncio

    from forewarn.app.hosts import reach
    from forewarn.config.hosts import named
    from forewarn.config.problems import Wrong
    from forewarn.model.errors import ForewarnError

    try:
        names = [name for name in named(args.names or settings.hosts, settings.hosts) if name != "local"]
    except Wrong as wrong:
        raise ForewarnError(str(wrong)) from None
    found = asyncio.run(reach(settings.hosts, names))
    if args.json:
        _json(
            [
                {**_body(one.host), "reached": one.away is None, "reason": one.away.reason if one.away else None,
                 "why": str(one.away) if one.away else None, "took_s": round(one.took_s, 3)}
                for one in found
            ]
        )  # fmt: skip
    elif not found:
        screen.say(screen.t("cli.hosts.none"))
    else:
        rows = [[one.host.name, str(one.away) if one.away else screen.t("cli.hosts.reached", took=one.took_s)] for one in found]
        screen.columns(rows)
    return 1 if any(one.away for one in found) else 0


def _body(host: Host) -> dict[str, object]:
    return {
        "name": host.name,
        "address": host.address,
        "port": host.port,
        "user": host.user,
        "jump": host.jump,
        "groups": list(host.groups),
        "source": str(host.source),
    }


def _json(items: list[dict[str, object]]) -> int:
    import json

    print(json.dumps({"items": items}, ensure_ascii=False))
    return 0


def _trust(settings: Settings, args: argparse.Namespace, screen: Screen) -> int:
    import asyncio

    from forewarn.app.hosts import accept, shown_key, standing
    from forewarn.config.problems import suggestion
    from forewarn.model.errors import ForewarnError
    from forewarn.reach.machine import CannotReach

    host = settings.hosts.get(args.name)
    if host is None:
        known = suggestion(args.name, settings.hosts) or screen.t("cli.hosts.none")
        raise ForewarnError(screen.t("cli.hosts.no_such", name=args.name, known=known))
    if host.fingerprints:
        raise ForewarnError(screen.t("cli.hosts.pinned", name=host.name, source=str(host.source)))
    try:
        shown = asyncio.run(shown_key(settings.hosts, host.name))
    except CannotReach as away:
        print(away, file=sys.stderr)
        return 1
    how, entries = standing(host, shown)
    screen.say(screen.t("cli.hosts.shows", name=host.name, place=host.place, kind=shown.kind, fingerprint=shown.fingerprint))
    if how == "same":
        screen.say(screen.t("cli.hosts.same", where=entries[0].where))
        return 0
    if how == "revoked" or (how == "other" and not _may_replace(host, entries, args, screen)):
        screen.say(screen.t(f"cli.hosts.refused.{how}", name=host.name))
        return 1
    if not _agreed(host, shown, args, screen):
        differs = {"shown": shown.fingerprint, "given": args.fingerprint} if args.fingerprint else None
        screen.say(screen.t("cli.hosts.differs", **differs) if differs else screen.t("cli.hosts.not_trusted"))
        return 1
    path = accept(host, shown)
    screen.say(screen.t("cli.hosts.trusted", name=host.name, file=str(path)))
    return 0


def _may_replace(host: Host, entries: list[Known], args: argparse.Namespace, screen: Screen) -> bool:
    """Whether the keys that are known may give way: wanted, and in the file that is ours to write."""
    for one in entries:
        screen.say(screen.t("cli.hosts.knows", where=one.where, kind=one.key.kind, fingerprint=one.key.fingerprint))
    elsewhere = [one.where for one in entries if one.where.rpartition(":")[0] != host.known_hosts[0]]
    if args.replace and elsewhere:
        screen.say(screen.t("cli.hosts.elsewhere", where=", ".join(elsewhere)))
    return bool(args.replace) and not elsewhere


def _agreed(host: Host, shown: Key, args: argparse.Namespace, screen: Screen) -> bool:
    """Yes from whoever compared the two: a person, or the fingerprint that was given."""
    if args.fingerprint:
        return bool(args.fingerprint == shown.fingerprint)
    kind = shown.kind.removeprefix("ssh-").partition("-")[0]
    screen.say(screen.t("cli.hosts.compare", name=host.name, command=f"ssh-keygen -lf /etc/ssh/ssh_host_{kind}_key.pub"))
    if not sys.stdin.isatty():
        screen.say(screen.t("cli.hosts.nobody"))
        return False
    return input(f"{screen.t('cli.hosts.ask')} ").strip().lower() in YES
