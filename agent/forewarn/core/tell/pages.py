"""Texts for responders: a page of at most five lines, decision first; and a question.

The subject is the first line. What a page says: what and until when; the evidence; what it means; what changed or runs;
and why this person is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from forewarn.core.tell.scene import Composed, Scene
from forewarn.core.tell.voice import Voice, localised, voice
from forewarn.model.finding import Finding, FindingState
from forewarn.model.incident import Incident, IncidentState
from forewarn.model.map import Person
from forewarn.model.message import Message
from forewarn.model.playbook import RunState
from forewarn.model.settings import Settings
from forewarn.model.text import Fact, Say, say

LINE_MOST = 160


def page(person: Person, scene: Scene, settings: Settings, now: datetime, cause: str) -> Composed:
    """What calls a responder, in their language and zone. `cause` is why: ahead, symptom, escalated, declared, or a due."""
    speaker = voice(person.language, person.zone, settings, now)
    lines = (
        _evidence(scene, speaker, settings),
        _meaning(scene.incident, speaker, settings),
        _changed(scene, speaker, settings) or _run(scene, settings, speaker.language),
        _last(scene.incident, speaker, cause),
    )
    text = "\n".join(_cut(_line(line, speaker, settings)) for line in lines if line)
    return Composed(subject=_cut(_line(_first(scene, speaker, settings), speaker, settings)), text=text)


def ask(person: Person, scene: Scene, question: str, choices: tuple[str, ...], settings: Settings, now: datetime) -> Composed:
    """A question to a responder. `question` is a catalogue key or a playbook's own words."""
    speaker = voice(person.language, person.zone, settings, now)
    asked = speaker.tell(say(question)) if question in speaker.catalogue else question
    title = speaker.tell(localised(scene.incident.title, settings, speaker.language))
    facts: Mapping[str, Fact] = {"incident": scene.incident.id, "question": asked, "title": title, "choices": " / ".join(choices)}
    lines = [speaker.tell(Say(key, facts)) for key in ("ask.context", *(["ask.choices"] if choices else []))]
    return Composed(subject=_cut(speaker.tell(Say("ask.subject", facts))), text="\n".join(_cut(line) for line in lines))


def copy(person: Person, message: Message, settings: Settings, now: datetime) -> Composed:
    """Please put this notice where its customer reads. Its text is not cut: it is what will be copied."""
    speaker = voice(person.language, person.zone, settings, now)
    customer = settings.customers.get(message.to)
    facts: Mapping[str, Fact] = {"message": message.id, "customer": customer.title if customer else message.to}
    subject, wish = (speaker.tell(Say(f"ask.copy.{part}", facts)) for part in ("subject", "wish"))
    return Composed(subject=_cut(subject), text="\n\n".join((wish, message.subject, message.text)))


def unsure(person: Person, message: Message, settings: Settings, now: datetime) -> Composed:
    """A notice may have arrived or not: please decide. Its subject says which one it is."""
    speaker = voice(person.language, person.zone, settings, now)
    customer = settings.customers.get(message.to)
    channel = message.channel_kind or ""
    facts: Mapping[str, Fact] = {"message": message.id, "customer": customer.title if customer else message.to, "channel": channel}
    subject, wish = (speaker.tell(Say(f"ask.unsure.{part}", facts)) for part in ("subject", "wish"))
    return Composed(subject=_cut(subject), text="\n\n".join((wish, message.subject)))


def _line(what: Say, speaker: Voice, settings: Settings) -> str:
    return speaker.tell(localised(what, settings, speaker.language)).replace("\n", " ")


def _cut(line: str) -> str:
    return line if len(line) <= LINE_MOST else line[: LINE_MOST - 1].rstrip() + "…"


def _first(scene: Scene, speaker: Voice, settings: Settings) -> Say:
    incident = scene.incident
    title = speaker.tell(localised(incident.title, settings, speaker.language))
    if incident.state is IncidentState.AHEAD:
        key = "page.ahead" if incident.act_by else "page.ahead_undated"
        return say(key, title=title, act_by=incident.act_by.timestamp() if incident.act_by else None)
    facts: dict[str, Fact] = {"level": str(incident.level), "title": title, "since": _since(incident)}
    down, known = _targets(scene, settings)
    return Say("page.live_targets", {**facts, "down": down, "all": known}) if down else Say("page.live", facts)


def _since(incident: Incident) -> float:
    return (incident.breached_at or incident.opened_at).timestamp()


def _targets(scene: Scene, settings: Settings) -> tuple[int, int]:
    """How many targets of the services are down, of how many that `down` is asked of."""
    down = {(f.probe, f.target) for f in scene.findings if f.kind == "down" and f.state is FindingState.OPEN}
    probes = {probe for probe, _ in down}
    known = {(name, target.name) for name in probes if name in settings.probes for target in settings.probes[name].targets}
    return len(down), len(known | down)


def _evidence(scene: Scene, speaker: Voice, settings: Settings) -> Say | None:
    """The finding that says most: the forecast's own, else the reddest, else the first."""
    if not scene.findings:
        return None
    first = min(scene.findings, key=lambda f: (f.series != scene.incident.thing, f.colour.rank))
    why = speaker.tell(localised(first.why, settings, speaker.language))
    facts: dict[str, Fact] = {"target": _where(first), "why": why}
    more = len(scene.findings) - 1
    return Say("page.findings", {**facts, "more": more}) if more else Say("page.finding", facts)


def _where(finding: Finding) -> str:
    """The target, with the labels that tell which part of it."""
    return " ".join([finding.target, *(value for _, value in finding.labels)])


def _meaning(incident: Incident, speaker: Voice, settings: Settings) -> Say:
    """The judgement, and how many VIPs it concerns."""
    ahead = incident.state is IncidentState.AHEAD
    customers = incident.impact.exposed if ahead else incident.impact.affected
    vips = sum(name in settings.customers and settings.customers[name].vip for name in customers)
    why = speaker.tell(localised(incident.why, settings, speaker.language))
    if word := next((factor.why for factor in incident.impact.factors if factor.name == "second witness" and factor.why), None):
        why = speaker.tell(Say("page.witness", {"why": why, "word": speaker.tell(word)}))
    key = ("page.would_be" if ahead else "page.is") + ("_vip" if vips else "")
    return say(key, level=str(incident.would_be or incident.level), why=why, vip=vips)


def _changed(scene: Scene, speaker: Voice, settings: Settings) -> Say | None:
    what = [speaker.tell(localised(change, settings, speaker.language)) for change in scene.changed]
    return say("page.changed", what=speaker.catalogue.get("format.list", ", ").join(what)) if what else None


def _run(scene: Scene, settings: Settings, language: str) -> Say | None:
    """The newest run that matters: one that waits or runs before one that ended."""
    if not scene.runs:
        return None
    newest = max(scene.runs, key=lambda run: (run.state is RunState.WAITING, run.ended_at is None, run.started_at))
    playbook = settings.playbooks.get(newest.playbook)
    title = (playbook.title.get(language) or playbook.title.get("en")) if playbook else None
    return say(f"page.run.{newest.state}", playbook=title or newest.playbook)


def _last(incident: Incident, speaker: Voice, cause: str) -> Say:
    key = f"page.cause.{cause}"
    why = speaker.tell(say(key)) if key in speaker.catalogue else cause
    return say("page.last_room" if incident.room else "page.last", incident=incident.id, cause=why, room=incident.room)
