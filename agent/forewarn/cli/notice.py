"""forewarn notice: what customers are told, before and after it leaves. Pages and asks are shown the same way."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING, Any

from forewarn.cli import options

if TYPE_CHECKING:
    from forewarn.cli.client import Client
    from forewarn.cli.screen import Screen

EXAMPLES = """\
  forewarn notice list                       notices, newest first
  forewarn notice list --only waiting_approval
  forewarn notice show M-7                   the whole text
  forewarn notice approve M-7 M-8            they leave after the undo time
  forewarn notice undo M-7                   take it back before it leaves
  forewarn notice edit M-7 --file -          new words from stdin: subject, empty line, text"""

VERBS = {
    "approve": ("let it go to its customer", "  forewarn notice approve M-7 M-8"),
    "refuse": ("keep it from leaving", '  forewarn notice refuse M-7 --text "we call them instead"'),
    "copied": ("say that you put it where its customer reads (channel: person)", "  forewarn notice copied M-7"),
    "undo": ("take an approved one back before it leaves", "  forewarn notice undo M-7"),
}


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `notice` and what is below it."""
    parser = options.command(subparsers, "notice", "list, show, approve, refuse, undo, edit what customers are told", EXAMPLES)
    below = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listed = options.command(below, "list", "notices, newest first", "  forewarn notice list --kind page")
    listed.add_argument("--kind", choices=("notice", "page", "ask", "all"), default="notice")
    listed.add_argument("--only", metavar="STATE", help="waiting_approval, held, queued, sent, failed, unknown, dropped ...")
    listed.add_argument("--incident", metavar="ID", help="of one incident")
    listed.add_argument("--limit", type=int, default=100, metavar="N", help="how many (100)")
    options.as_json(listed)
    listed.set_defaults(run=run, what=_list)
    shown = options.command(below, "show", "one with its whole text and fate", "  forewarn notice show M-7")
    shown.add_argument("id", metavar="ID", help="M-7")
    options.as_json(shown)
    shown.set_defaults(run=run, what=_show)
    for verb, (help, example) in VERBS.items():
        each = options.command(below, verb, help, example)
        each.add_argument("ids", metavar="ID", nargs="+", help="M-7")
        each.add_argument("--text", metavar="WORDS", help="a few words why")
        options.by(each)
        options.version(each)
        each.set_defaults(run=run, what=_act, verb=verb)
    _add_words(below)


def _add_words(below: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    examples = "  forewarn notice edit M-7 --file new.txt\n  forewarn notice edit M-7 --file new.txt --version 3    only if nobody else was faster"
    edit = options.command(below, "edit", "give it other words", examples)
    edit.add_argument("id", metavar="ID", help="M-7")
    edit.add_argument("--file", metavar="FILE", required=True, help="subject, empty line, text; - is stdin")
    options.by(edit)
    options.version(edit)
    edit.set_defaults(run=run, what=_edit)
    answer = options.command(below, "answer", "answer a question that a playbook asks", "  forewarn notice answer M-9 yes")
    answer.add_argument("id", metavar="ID", help="M-9")
    answer.add_argument("answer", metavar="ANSWER", help="yes or no, or one of the answers it names")
    options.by(answer)
    answer.set_defaults(run=run, what=_answer)


def run(args: argparse.Namespace) -> int:
    """Carry out what was asked."""
    from forewarn.cli.client import answered

    return answered(lambda client: _carried_out(client, args), args)


def _carried_out(client: Client, args: argparse.Namespace) -> int:
    from forewarn.cli.mistakes import helped

    id = getattr(args, "id", None)
    return helped(lambda: args.what(client, args), client, id) if id else int(args.what(client, args))


def _list(client: Client, args: argparse.Namespace) -> int:
    from forewarn.cli.client import print_json

    kind = None if args.kind == "all" else args.kind
    body = client.get("messages", kind=kind, state=args.only, incident=args.incident, limit=args.limit)
    if args.json:
        return print_json(body)
    screen = client.screen
    if not body["items"]:
        screen.say(screen.t("cli.notice.none"))
    screen.columns([row(screen, item) for item in body["items"]], colours=("accent",))
    return 0


def row(screen: Screen, it: dict[str, Any]) -> list[str]:
    what = it["subkind"] or it["kind"]
    state = screen.t(f"message.state.{it['state']}")
    return [it["id"], state, screen.word(f"word.{what}", what), it["to"], it["language"], it["incident"] or "-", it["subject"]]


def _show(client: Client, args: argparse.Namespace) -> int:
    from forewarn.cli.client import print_json
    from forewarn.cli.screen import at

    it = client.get(f"messages/{args.id}")
    if args.json:
        return print_json(it)
    client.use_zone()
    screen = client.screen
    screen.columns([row(screen, it)[:6]], colours=("accent",))
    screen.say(it["why"], "grey")
    screen.say(screen.t("cli.notice.version", version=it["version"]), "grey")
    if it["edited_by"]:
        screen.say(screen.t("cli.notice.edited", who=it["edited_by"]), "grey")
    if it["held"]:
        until = screen.t("console.until", at=at(it["held"]["until"])) if it["held"]["until"] else ""
        screen.say(f"{it['held']['by']} {until}".rstrip(), "grey")
    if it["approval"] and it["approval"]["expires"] and not it["approval"]["by"]:
        screen.say(screen.t("console.expires", at=at(it["approval"]["expires"])), "grey")
    for one in it["attempts"]:
        screen.say(
            screen.t(
                "cli.notice.attempt", at=at(one["at"]), channel=one["channel"], result=one["result"], detail=one["detail"] or ""
            ),
            "grey",
        )
    screen.say()
    screen.say(it["subject"], "bold")
    screen.say()
    screen.say(it["text"])
    return 0


def _act(client: Client, args: argparse.Namespace) -> int:
    from forewarn.cli.mistakes import helped

    for id in args.ids:
        helped(partial(_decide, client, args, id), client, id)
    return 0


def _decide(client: Client, args: argparse.Namespace, id: str) -> int:
    from forewarn.cli.client import whoami

    client.command(args.verb, id, whoami(args), text=args.text, version=args.seen)
    return _told(client, id)


def _edit(client: Client, args: argparse.Namespace) -> int:
    import sys
    from pathlib import Path

    from forewarn.cli.client import Stop, whoami

    try:
        text = sys.stdin.read() if args.file == "-" else Path(args.file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Stop(client.screen.t("cli.notice.no_file", file=args.file, detail=str(error)), 2) from error
    client.command("edit", args.id, whoami(args), text=text.replace("\r\n", "\n").strip(), version=args.seen)
    return _told(client, args.id)


def _answer(client: Client, args: argparse.Namespace) -> int:
    from forewarn.cli.client import whoami

    client.command("answer", args.id, whoami(args), args.answer)
    return _told(client, args.id)


def _told(client: Client, id: str) -> int:
    client.screen.columns([row(client.screen, client.get(f"messages/{id}"))], colours=("accent",))
    return 0
