"""The text of `forewarn status`: one line for all, then what is ahead, now, waiting, unseen, learning, and what is watched."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from forewarn.cli.client import Client
from forewarn.cli.screen import Screen, at
from forewarn.core.reader import shown_unit
from forewarn.model.series import metric_text

Body = dict[str, Any]
STATE_COLOURS = {"problem": "red", "warning": "accent", "ok": "grey"}
OPEN = "ahead,open,acknowledged,mitigated"
MOST_FIGURES = 4
MOST_NAMES = 3


def show(client: Client, status: Body) -> None:
    """Print it."""
    screen = client.screen
    incidents = client.all("incidents", state=OPEN)
    probes = client.all("probes")
    print_head(screen, status, incidents)
    ahead = [i for i in incidents if i["state"] == "ahead"]
    ahead.sort(key=lambda i: (i["forecast"] or {}).get("earliest") or "9")
    now = sorted((i for i in incidents if i["state"] != "ahead"), key=lambda i: (i["level"], i["opened_at"]))
    tasks = [f for f in client.all("findings", state="open") if f["incident"] is None and f["rule"] != "cannot-see"]
    ready = _learning(probes)
    rows: list[list[str]] = []
    _section(
        rows,
        screen.t("cli.status.ahead"),
        [_line(screen, i) for i in ahead]
        or [_nothing_ahead(screen, ready, probes) if status["why"] is None else screen.t("console.ahead.offline")],
    )
    _section(rows, screen.t("cli.status.now"), [_line(screen, i) for i in now] + [f["why"] for f in tasks] + status["troubles"])
    _section(rows, screen.t("cli.status.waiting"), [_letter(screen, m) for m in client.all("messages", state="waiting_approval")])
    _section(rows, screen.t("cli.status.cannot_see"), _cannot_see(screen, probes) if not status["why"] else [])
    if ahead and ready:
        _section(rows, screen.t("cli.status.learning"), [_learning_line(screen, ready)])
    _section(rows, screen.t("cli.status.watching"), [_watched(screen, probe) for probe in probes])
    screen.say()
    screen.columns(rows, colours=("grey",))


def print_head(screen: Screen, status: Body, incidents: list[Body]) -> None:
    levels = [i["level"] for i in incidents if i["state"] != "ahead"]
    parts = [
        screen.colour(screen.t(f"cli.status.state.{status['state']}"), STATE_COLOURS[status["state"]]),
        screen.t("cli.status.open_levels", ahead=status["incidents"]["ahead"], open=len(levels), levels=_levels(levels))
        if levels
        else screen.t("cli.status.open", ahead=status["incidents"]["ahead"], open=0),
        screen.t("cli.status.probes", **{name: status["probes"][name] for name in ("up", "down", "unknown")}),
    ]
    next_one = next((i for i in incidents if i["id"] == status["next_breach"]), None)
    if next_one and next_one["forecast"] and next_one["forecast"]["earliest"]:
        parts.append(screen.t("cli.status.next", id=next_one["id"], **_window(next_one["forecast"])))
    print(" · ".join(parts))


def _levels(levels: Iterable[str]) -> str:
    counted = sorted(levels)
    return ", ".join(f"{level} x {counted.count(level)}" if counted.count(level) > 1 else level for level in dict.fromkeys(counted))


def _window(forecast: Body) -> dict[str, float | None]:
    moments = {name: at(forecast[name]) for name in ("earliest", "latest")}
    return {name: moment.timestamp() if moment else None for name, moment in moments.items()}


def _section(rows: list[list[str]], title: str, lines: list[str]) -> None:
    rows += [[title if at_ == 0 else "", line] for at_, line in enumerate(lines)]


def _line(screen: Screen, incident: Body) -> str:
    """An incident in one line: id, level, title, then what matters for its state."""
    ahead = incident["state"] == "ahead"
    level = screen.t("console.would_be", level=incident["would_be"] or incident["level"]) if ahead else incident["level"]
    customers = {*incident["customers"]["affected"], *incident["customers"]["exposed"]}
    parts = [
        screen.t("console.reason", reason=f"{incident['id']} {level}", detail=incident["title"]),
        screen.t("console.act_by", at=at(incident["act_by"])) if ahead and incident["act_by"] else "",
        "" if ahead else screen.t("console.since", at=at(incident["breached_at"] or incident["opened_at"])),
        screen.t("console.exposed_plain" if ahead else "console.touched_plain", count=len(customers)) if customers else "",
        screen.t("console.has_it", who=incident["owner"]) if incident["owner"] else screen.t("console.nobody"),
    ]
    return " · ".join(part for part in parts if part)


def _letter(screen: Screen, message: Body) -> str:
    expires = (message["approval"] or {}).get("expires")
    parts = [
        screen.t("console.reason", reason=f"{message['id']} {screen.t('console.to', to=message['to'])}", detail=message["subject"])
    ]
    return " · ".join(parts + ([screen.t("console.expires", at=at(expires))] if expires else []))


# --- what can't be seen, what is being learnt, what is watched ---


def _cannot_see(screen: Screen, probes: list[Body]) -> list[str]:
    """One line: by reason, with the first few names."""
    reasons: dict[str, list[str]] = {}
    for probe in probes:
        for target in probe["targets"]:
            if target["outcome"] == "unknown" and target["at"]:
                name, why = target.get("host_away"), target.get("reason")
                if not name:
                    name = probe["name"] if len(probe["targets"]) == 1 else f"{probe['name']} {target['target']}"
                    why = target["why"]
                names = reasons.setdefault(why or screen.t("console.unknown"), [])
                if name not in names:
                    names.append(name)
    parts = [screen.t("console.cannot_see.part", reason=reason, names=_some(screen, names)) for reason, names in reasons.items()]
    return [screen.t("console.cannot_see.line", parts=screen.listed(parts, "console.semicolon"))] if parts else []


def _some(screen: Screen, names: list[str]) -> str:
    shown, rest = screen.listed(names[:MOST_NAMES]), len(names) - MOST_NAMES
    return screen.t("console.and_more", shown=shown, count=rest) if rest > 0 else shown


def _learning(probes: list[Body]) -> list[str | None]:
    """For each series that is learning: when its first answer is expected."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for probe in probes:
        for target in probe["targets"]:
            for rule in target["rules"]:
                if rule["state"] == "learning":
                    moments = found.setdefault((probe["name"], target["target"], rule["series"]), [])
                    moments += [rule["ready_at"]] if rule["ready_at"] else []
    return [min(moments, default=None) for moments in found.values()]


def _nothing_ahead(screen: Screen, ready: list[str | None], probes: list[Body]) -> str:
    first = min((moment for moment in ready if moment), default=None)
    if first:
        return screen.t("console.ahead.learning_until", at=at(first))
    if ready:
        return screen.t("console.ahead.learning")
    return screen.t("console.ahead.nothing" if probes else "console.ahead.no_probes")


def _learning_line(screen: Screen, ready: list[str | None]) -> str:
    first = min((moment for moment in ready if moment), default=None)
    if first:
        return screen.t("console.learning.until", count=len(ready), first=at(first))
    return screen.t("console.learning.plain", count=len(ready))


def _watched(screen: Screen, probe: Body) -> str:
    """A probe with its most telling figures, those that a rule judges first."""
    figures = []
    for target in probe["targets"]:
        judged = {rule["series"] for rule in target["rules"]}
        series = [one for one in target["series"] if one["metric"] != "up" and one["value"] is not None]
        figures += [_figure(screen, one) for one in sorted(series, key=lambda one: _series(one) not in judged)]
    outcomes = [target["outcome"] for target in probe["targets"]]
    state = "down" if "down" in outcomes else "unknown" if "unknown" in outcomes else _worst_rule(probe)
    shown = [screen.t(f"console.mark.{state}"), *figures[:MOST_FIGURES]]
    more = len(figures) - MOST_FIGURES
    said = " · ".join(shown + ([screen.t("console.more", count=more)] if more > 0 else []))
    return screen.t("console.reason", reason=probe["name"], detail=said)


def _worst_rule(probe: Body) -> str:
    states = {rule["state"] for target in probe["targets"] for rule in target["rules"]}
    return next((state for state in ("firing", "learning") if state in states), "ok")


def _series(one: Body) -> str:
    return metric_text(one["metric"], tuple(sorted(one["labels"].items())))


def _figure(screen: Screen, one: Body) -> str:
    name = " ".join([screen.word(f"metric.{one['metric']}", one["metric"]), *one["labels"].values()])
    return screen.t("console.figure", name=name, value=one["value"], unit=shown_unit(one["metric"]))
