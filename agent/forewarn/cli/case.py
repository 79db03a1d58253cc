"""The text of `forewarn incident show`: decision first, then evidence, messages, clocks, runs and the story."""

from __future__ import annotations

from typing import Any

from forewarn.cli.client import Client
from forewarn.cli.playbook import print_run
from forewarn.cli.screen import Screen, at

Body = dict[str, Any]

OUTPUT_LINES = 8
"""Of a step's output, in the story of an incident."""


def show(client: Client, it: Body) -> None:
    """Print it."""
    screen = client.screen
    _decision(screen, it)
    findings = [client.get(f"findings/{id}") for id in it["findings"]]
    _block(screen, "cli.case.evidence", [[f["id"], f["why"], f["source"]] for f in findings])
    customers = [
        [screen.t(f"cli.case.{part}"), ", ".join(it["customers"][part])]
        for part in ("affected", "exposed")
        if it["customers"][part]
    ]
    _block(screen, "cli.case.customers", customers)
    _block(screen, "cli.case.messages", [_message(screen, client.get(f"messages/{id}")) for id in it["messages"]])
    _block(screen, "cli.case.dues", [_due(screen, due) for due in it["dues"]])
    for run in (client.get(f"runs/{id}") for id in it["runs"]):
        screen.say()
        print_run(screen, run, most=OUTPUT_LINES)
    story = client.get(f"incidents/{it['id']}/timeline")["items"]
    _block(screen, "cli.case.timeline", [[screen.t("console.second", at=at(line["at"])), line["what"]] for line in story])


def _decision(screen: Screen, it: Body) -> None:
    ahead = it["state"] == "ahead"
    level = screen.t("console.would_be", level=it["would_be"] or it["level"]) if ahead else it["level"]
    screen.say(f"{it['id']}  {level}  {it['title']}", "bold")
    parts = [
        screen.t(f"state.{it['state']}"),
        screen.t("console.has_it", who=it["owner"]) if it["owner"] else screen.t("console.nobody"),
        screen.t("console.act_by", at=at(it["act_by"])) if ahead and it["act_by"] else "",
        "" if ahead else screen.t("console.since", at=at(it["breached_at"] or it["opened_at"])),
        screen.t("cli.notice.version", version=it["version"]),
    ]
    if ahead and it["forecast"] and it["forecast"]["earliest"]:
        parts.append(screen.t("console.breach", earliest=at(it["forecast"]["earliest"]), latest=at(it["forecast"]["latest"])))
    screen.say(" · ".join(part for part in parts if part))
    screen.say(it["why"])
    for key, text in (("plan", it["plan"]), ("resolution", it["resolution"])):
        if text:
            screen.say(screen.t(f"console.{key}", text=text))


def _block(screen: Screen, title: str, rows: list[list[str]]) -> None:
    if rows:
        screen.say()
        screen.say(screen.t(title), "grey")
        screen.columns(rows, indent="  ")


def _message(screen: Screen, it: Body) -> list[str]:
    what = it["subkind"] or it["kind"]
    return [it["id"], screen.word(f"word.{what}", what), it["to"], screen.t(f"message.state.{it['state']}"), it["subject"]]


def _due(screen: Screen, it: Body) -> list[str]:
    ended = screen.t(f"console.due_ended.{it['ended']}") if it["ended"] else ""
    return [
        it["id"],
        screen.word(f"due.{it['what']}", it["what"]),
        screen.t("console.due_at", at=at(it["due"])),
        it["owner"] or "-",
        ended,
    ]
