"""forewarn try of a playbook: what would run where, who would be asked, which limits stand. Nothing is run or sent."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from forewarn.cli.client import Client
    from forewarn.cli.screen import Screen
    from forewarn.model.finding import Finding
    from forewarn.model.playbook import Playbook, Step
    from forewarn.model.settings import Settings

HEAD_BYTES = 65536
UNFILLED = re.compile(r'"(\$\{\w+\})"')
"""A word that is not put in yet needs no quotes."""


def is_playbook(what: str) -> bool:
    """Whether this is a file that holds a playbook."""
    from pathlib import Path

    path = Path(what)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return any(line.startswith(b"playbook:") for line in file.read(HEAD_BYTES).splitlines())


def run(args: argparse.Namespace, settings: Settings, screen: Screen) -> int:
    """Rehearse the playbooks of a file or name; 1 when a program that one needs is missing. Raises ForewarnError."""
    from datetime import UTC, datetime

    screen.zone, now = settings.daemon.zone, datetime.now(UTC)
    client = _client(args)
    findings = [_finding(body, now) for body in client.all("findings", state="open")] if client else []
    missing = 0
    for at, playbook in enumerate(_chosen(args.what, settings)):
        if at:
            screen.say()
        missing += _Rehearsal(playbook, settings, screen, now, _stored(client, playbook.name), findings).show()
    return 1 if missing else 0


def _chosen(what: str, settings: Settings) -> list[Playbook]:
    """Those of the configuration, or those of a file outside, checked like those inside. Raises ConfigError."""
    from pathlib import Path

    from forewarn.config.environment import expanded
    from forewarn.config.files import read
    from forewarn.config.playbooks import playbooks
    from forewarn.config.problems import Problems
    from forewarn.model.errors import ConfigError
    from forewarn.model.errors import Problem as One

    if what in settings.playbooks:
        return [settings.playbooks[what]]
    path, root = Path(what).resolve(), Path(settings.folder).resolve()
    if path.is_relative_to(root / "playbooks"):
        file = path.relative_to(root).as_posix()
        return [playbook for playbook in settings.playbooks.values() if playbook.source.file == file]
    import os

    problems, broken = Problems(), list[One]()
    docs = read(path.read_bytes(), what, broken)
    for one in broken:
        problems.put(one)
    found, _ = playbooks([expanded(doc, os.environ, problems) for doc in docs], problems)
    if problems:
        raise ConfigError(problems.all(), 1)
    return list(found.values())


def _client(args: argparse.Namespace) -> Client | None:
    """The daemon, or what it left; None where there is neither: then nothing is known of limits and findings."""
    from forewarn.cli.client import Client, Stop

    try:
        client = Client(args)
        client.get("status")
    except Stop:
        return None
    return client


def _stored(client: Client | None, name: str) -> Mapping[str, Any] | None:
    from forewarn.cli.client import Stop

    try:
        return client.get(f"playbooks/{name}") if client else None
    except Stop:  # a playbook that the running set does not have
        return None


def _finding(body: Mapping[str, Any], now: datetime) -> Finding:
    """A finding as far as matching and words need it."""
    from forewarn.model.finding import Evidence, Finding, FindingState
    from forewarn.model.forecast import Forecast
    from forewarn.model.level import Colour
    from forewarn.model.series import SeriesId
    from forewarn.model.text import say

    series = SeriesId.parse(body["series"])
    ahead = body["forecast"]
    return Finding(
        id=body["id"], state=FindingState.OPEN, series=body["series"], target=series.target, labels=series.labels,
        metric=series.metric, rule=body["rule"], kind="", probe=body["probe"], service=body["service"],
        colour=Colour(body["colour"]), effect=None, opened_at=now, why=say("respond.note", text=body["why"]), evidence=Evidence(),
        forecast=Forecast(earliest=None, likely=None, latest=None, horizon_s=0.0) if ahead else None, confirmed=True,
        config=body["config"], source=body["source"], seq=0,
    )  # fmt: skip


class _Rehearsal:
    """One playbook, shown."""

    def __init__(
        self,
        playbook: Playbook,
        settings: Settings,
        screen: Screen,
        now: datetime,
        stored: Mapping[str, Any] | None,
        findings: list[Finding],
    ) -> None:
        from forewarn.core.respond.playbook import fits

        self._it, self._settings, self._screen, self._now, self._stored = playbook, settings, screen, now, stored
        self._fitting = [finding for finding in findings if fits(playbook, finding, settings)]
        self._first = next(iter(self._fitting), None)

    def show(self) -> int:
        """Print it; answers how many programs are missing."""
        screen, it = self._screen, self._it
        screen.say(it.title.get(screen.language) or it.title.get("en") or it.name, "bold")
        match = {name: value for name in ("service", "rule", "probe", "tag") if (value := getattr(it.match, name))}
        where = screen.t("cli.rehearse.for", match=", ".join(f"{name} {value}" for name, value in match.items()))
        screen.say(f"{where} · {screen.t('cli.playbook.takes', span=it.takes_s)} · {it.source}", "grey")
        screen.say(screen.t("cli.playbook.mode", mode=str(it.mode), risk=f"repair.risk.{it.risk}"), "grey")
        for need in it.needs:
            screen.say(screen.t("cli.rehearse.needs", what=need.what, lead=need.lead_s), "grey")
        if any(step.changing for step in it.steps):
            self._say_limits()
        self._say_fits()
        rows = [self._step(step) for step in it.steps]
        screen.columns(rows, colours=("accent",), indent="  ")
        if any(step.changing for step in it.steps):
            screen.say("  " + screen.t("cli.rehearse.verify", span=it.verify_s), "grey")
            self._say_asked()
        return sum(self._program(step) == "" for step in it.steps)

    def _say_limits(self) -> None:
        from forewarn.cli.playbook import print_limits

        limits = self._it.limits
        empty = {"hour": 0, "day": 0, "bad": 0}
        declared = {
            "per_hour": limits.per_hour,
            "per_day": limits.per_day,
            "cooldown_s": limits.cooldown_s,
            "at_once": limits.at_once,
        }
        stored = self._stored or {"changed": empty, "breaker": None}
        body = {"name": self._it.name, "limits": declared, "changed": stored["changed"], "breaker": stored["breaker"]}
        print_limits(self._screen, body)

    def _say_fits(self) -> None:
        for finding in self._fitting[:5]:
            self._screen.say(self._screen.t("cli.rehearse.fits", finding=finding.id, why=finding.why.facts["text"]))
        if not self._fitting:
            self._screen.say(self._screen.t("cli.rehearse.fits_none"), "grey")

    # --- steps ---

    def _step(self, step: Step) -> list[str]:
        screen = self._screen
        said = self._what(step)
        if step.when:
            said += f" ({screen.t('cli.rehearse.when', when=step.when)})"
        program = self._program(step)
        if program is None:
            return [step.name, said]
        argv: Any = step.spec.get("argv")
        path = screen.t("cli.rehearse.found", path=program) if program else screen.t("cli.rehearse.missing", program=argv[0])
        return [step.name, f"{said}   [{path}]"]

    def _what(self, step: Step) -> str:
        screen, spec = self._screen, step.spec
        match step.kind:
            case "probe":
                return screen.t("cli.rehearse.probe", probe=str(self._filled(spec)["probe"]))
            case "ask":
                text: Any = spec["text"]
                wanted = text if isinstance(text, str) else text.get(screen.language) or next(iter(text.values()))
                put = self._filled({"text": wanted})["text"]
                return screen.t("cli.rehearse.question", who=self._people(1), text=str(put))
            case "tell":
                return screen.t("cli.rehearse.tell", subkind=str(spec["notice"]))
            case "wait":
                return screen.t("cli.rehearse.wait", span=spec["for_s"])  # type: ignore[arg-type]
        return self._run(step)

    def _run(self, step: Step) -> str:
        from forewarn.core.respond.guard import permit
        from forewarn.core.tell.may import may
        from forewarn.model.playbook import command_text
        from forewarn.model.policy import Verdict

        command = UNFILLED.sub(r"\1", command_text(self._filled(step.spec)))
        if not step.changing:
            return self._screen.t("cli.rehearse.runs", command=command)
        verdict = permit(may("step", "changes", self._settings, ()), self._it, step, self._first).verdict
        if verdict is Verdict.ASK:
            return self._screen.t("cli.rehearse.asks", command=command)
        return self._screen.t("cli.rehearse.records" if verdict is Verdict.RECORD else "cli.rehearse.alone", command=command)

    def _filled(self, spec: Mapping[str, object]) -> Mapping[str, object]:
        """With the words of the first finding that fits; as written where there is none, or where one can't be put in."""
        from forewarn.core.respond.playbook import BadWord, filled, words_of

        if self._first is None:
            return spec
        put = filled(spec, words_of(self._first, "INC-0", self._settings), dash=True)
        return spec if isinstance(put, BadWord) else put

    def _program(self, step: Step) -> str | None:
        """Where the step's program is; empty if it is missing; None for a step without one."""
        import shutil

        argv = step.spec.get("argv")
        if step.kind != "run" or not isinstance(argv, list | tuple) or "${" in str(argv[0]):
            return None
        return shutil.which(str(argv[0])) or ""

    # --- people ---

    def _say_asked(self) -> None:
        two = self._it.risk == "high" and any(step.irreversible for step in self._it.steps)
        key = "cli.rehearse.asked_two" if two else "cli.rehearse.asked"
        self._screen.say("  " + self._screen.t(key, who=self._people(2 if two else 1)), "grey")

    def _people(self, how_many: int) -> str:
        """Who would be asked: the first of the escalation of the service that it is about."""
        from forewarn.core.respond import escalate

        name = self._first.service if self._first else self._it.match.service
        services = [service for service in (self._settings.services.get(name or ""),) if service]
        if not services and self._first is None and not self._it.match.service:
            probe = self._settings.probes.get(self._it.match.probe or "")
            services = [service for service in (self._settings.services.get((probe.service or "") if probe else ""),) if service]
            if not services:
                return self._screen.t("cli.rehearse.unknown")
        steps = escalate.steps_for(services, self._settings)
        people = [who for step in steps if (who := escalate.person(step.to, self._settings, self._now))]
        return ", ".join(dict.fromkeys(people[:how_many])) or self._screen.t("cli.rehearse.nobody")
