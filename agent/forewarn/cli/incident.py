"""forewarn incident: list, show, and everything a responder says about one."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from forewarn.cli import options

if TYPE_CHECKING:
    from forewarn.cli.client import Client
    from forewarn.cli.screen import Screen

EXAMPLES = """\
  forewarn incident list
  forewarn incident acknowledge INC-3 "clearing old dumps"       you own it; the words become the plan
  forewarn incident resolve INC-3 "restarted pay-2"
  forewarn incident close INC-3 "the cause is in the wiki"
  forewarn incident tell INC-3 started customer-zh               drafts a notice by hand
  forewarn incident declare "Search returns nothing" --service search --level P2
  forewarn incident pin INC-3 P1 "two more customers called\""""

VERBS = {
    "acknowledge": ("take it: you own it from now on", '  forewarn incident acknowledge INC-3 "clearing old dumps"'),
    "unacknowledge": ("give it back: others are called", '  forewarn incident unacknowledge INC-3 "my shift is over"'),
    "resolve": ("say that it is over, and what was done", '  forewarn incident resolve INC-3 "restarted pay-2"'),
    "false-alarm": ("say that nothing was wrong", '  forewarn incident false-alarm INC-3 "a test"'),
    "useful": ("say that it was right to call you", "  forewarn incident useful INC-3"),
    "not-useful": ("say that nobody need have been called, and why", '  forewarn incident not-useful INC-3 "the backup again"'),
    "close": ("end a resolved one for good", '  forewarn incident close INC-3 "the cause is in the wiki"'),
    "join": ("work on it too: others see it, and you are called no more", "  forewarn incident join INC-3"),
    "note": (
        "add words to its story",
        """\
  forewarn incident note INC-3 "the vendor has a ticket"
  forewarn incident note INC-3 "we move the dumps to the archive" --plan    customers are told what we do
  forewarn incident note INC-3 "dumps moved" --done                         customers are told what we did""",
    ),
    "pin": ("keep its level, whatever the figures say", '  forewarn incident pin INC-3 P1 "two more customers called"'),
    "unpin": ("let the figures decide its level again", "  forewarn incident unpin INC-3"),
    "merge": ("put it into another one", "  forewarn incident merge INC-4 INC-3        INC-3 stays and gets what INC-4 has"),
    "tell": (
        "draft a notice to customers by hand, whatever the level",
        """\
  forewarn incident tell INC-3 update customer-zh customer-en
  forewarn notice approve M-7 M-8                     they leave after the undo time""",
    ),
}
LEVELS = ("P0", "P1", "P2", "P3", "P4")
SUBKINDS = ("forewarning", "started", "update", "resolved", "corrected", "withdrawn")
"""Kinds of notice for which there is a ready text."""
WITHOUT_WORDS = ("unpin", "join", "merge", "tell")


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `incident` and what is below it."""
    parser = options.command(subparsers, "incident", "list, show, declare, take, resolve incidents", EXAMPLES)
    below = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_reads(below)
    declare = options.command(
        below, "declare", "open one by hand", '  forewarn incident declare "Search is empty" --service search --level P2'
    )
    declare.add_argument("title", metavar="TITLE", help="what is wrong, in a few words")
    declare.add_argument("--service", metavar="NAME", help="a service of services.yaml")
    declare.add_argument("--level", choices=LEVELS)
    options.by(declare)
    declare.set_defaults(run=run, what=_declare)
    for verb, (help, example) in VERBS.items():
        each = options.command(below, verb, help, example)
        each.add_argument("id", metavar="ID", help="INC-3")
        _add_own(each, verb)
        options.by(each)
        options.version(each)
        each.set_defaults(run=run, what=_act, verb=verb)


def _add_own(each: argparse.ArgumentParser, verb: str) -> None:
    """What only this verb takes."""
    if verb == "pin":
        each.add_argument("level", choices=LEVELS)
    if verb == "merge":
        each.add_argument("into", metavar="INTO", help="the incident that stays")
    if verb == "tell":
        each.add_argument("subkind", choices=SUBKINDS, metavar="KIND", help=", ".join(SUBKINDS))
        each.add_argument("customers", metavar="CUSTOMER", nargs="+", help="names of customers.yaml")
    if verb == "note":
        what = each.add_mutually_exclusive_group()
        what.add_argument("--plan", action="store_const", const="plan", dest="sort", help="it is the plan, for customers too")
        what.add_argument("--done", action="store_const", const="done", dest="sort", help="it is what was done, for customers too")
    if verb not in WITHOUT_WORDS:
        each.add_argument("text", metavar="WORDS", nargs=None if verb in ("pin", "note") else "?", help="a few words")


def _add_reads(below: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    listed = options.command(below, "list", "those that are ahead or open", "  forewarn incident list --all")
    listed.add_argument("--all", action="store_true", help="also those that are over")
    listed.add_argument("--only", metavar="STATE", help="ahead, open, acknowledged, mitigated, resolved, closed ...")
    options.as_json(listed)
    listed.set_defaults(run=run, what=_list)
    shown = options.command(below, "show", "one with its evidence, messages, clocks and story", "  forewarn incident show INC-3")
    shown.add_argument("id", metavar="ID", help="INC-3")
    options.as_json(shown)
    shown.set_defaults(run=run, what=_show)


def run(args: argparse.Namespace) -> int:
    """Carry out what was asked."""
    from forewarn.cli.client import answered

    return answered(lambda client: _carried_out(client, args), args)


def _carried_out(client: Client, args: argparse.Namespace) -> int:
    from forewarn.cli.mistakes import helped

    id = getattr(args, "id", None)
    return helped(lambda: args.what(client, args), client, id) if id else int(args.what(client, args))


# --- reading ---


def _list(client: Client, args: argparse.Namespace) -> int:
    from forewarn.cli.client import print_json

    states = args.only or (None if args.all else "ahead,open,acknowledged,mitigated")
    if args.json:
        return print_json(client.get("incidents", state=states))
    client.use_zone()
    items, screen = client.all("incidents", state=states), client.screen
    if not items:
        screen.say(screen.t("cli.incident.none"))
    screen.columns([_row(screen, item) for item in items], colours=("accent",))
    return 0


def _row(screen: Screen, item: dict[str, Any]) -> list[str]:
    from forewarn.cli.screen import at

    ahead = item["state"] == "ahead"
    level = screen.t("console.would_be", level=item["would_be"] or item["level"]) if ahead else item["level"]
    when = (
        screen.t("console.act_by", at=at(item["act_by"]))
        if ahead and item["act_by"]
        else screen.t("console.since", at=at(item["opened_at"]))
    )
    return [item["id"], level, screen.t(f"state.{item['state']}"), item["owner"] or "-", when, item["title"]]


def _show(client: Client, args: argparse.Namespace) -> int:
    from forewarn.cli.case import show
    from forewarn.cli.client import print_json

    body = client.get(f"incidents/{args.id}")
    if args.json:
        return print_json(body)
    client.use_zone()
    show(client, body)
    return 0


# --- acting ---


def _declare(client: Client, args: argparse.Namespace) -> int:
    words = [word for word in (args.service, args.level) if word]
    return _told(client, args, "declare", None, words, args.title)


def _act(client: Client, args: argparse.Namespace) -> int:
    if args.verb == "tell":
        return _draft(client, args)
    words = [word for name in ("level", "into", "sort") if (word := getattr(args, name, None))]
    return _told(client, args, args.verb, args.id, words, getattr(args, "text", None))


def _draft(client: Client, args: argparse.Namespace) -> int:
    """Draft a notice for each customer and show what came of it: it waits for a yes, or is on its way."""
    from forewarn.cli.client import whoami
    from forewarn.cli.notice import row

    known = set(client.get(f"incidents/{args.id}")["messages"])
    client.command("tell", args.id, whoami(args), args.subkind, *args.customers, version=args.seen)
    drafted = [it for it in client.get("messages", kind="notice", incident=args.id)["items"] if it["id"] not in known]
    client.screen.columns([row(client.screen, it) for it in drafted], colours=("accent",))
    return 0


def _told(client: Client, args: argparse.Namespace, verb: str, id: str | None, words: list[str], text: str | None) -> int:
    """Carry it out and show how the incident stands now."""
    from forewarn.cli.client import whoami

    changed = client.command(verb, id, whoami(args), *words, text=text, version=getattr(args, "seen", None))
    client.use_zone()
    client.screen.columns([_row(client.screen, client.get(f"incidents/{changed}"))], colours=("accent",))
    return 0
