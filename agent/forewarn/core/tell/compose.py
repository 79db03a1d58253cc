"""Texts for customers, in three parts: what you may notice and when; what we do; what you can do and when we write next.

Theory. A notice is chosen, not written: from the subkind and the incident's state follows a Draft, a list of phrase keys in
three paragraphs; the words come from the catalogue. So nothing can reach a customer that isn't a phrase somebody approved,
a name they know, or a time - except the owner's plan, which is linted before it is used. What we do names only what is on
record (core/tell/scene.py `doing`). A draft that finds nothing to say in a part leaves the part out.

`page` and `ask` for responders are in core/tell/pages.py and can be reached from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from forewarn.core.tell import lint
from forewarn.core.tell.pages import ask as ask
from forewarn.core.tell.pages import page as page
from forewarn.core.tell.scene import Ahead, Doing, Scene, ahead, doing, effect_of, told_at, used_services
from forewarn.core.tell.scene import Composed as Composed
from forewarn.core.tell.voice import Voice, voice
from forewarn.model.errors import Refused
from forewarn.model.finding import Finding
from forewarn.model.incident import Incident, IncidentState
from forewarn.model.level import Level
from forewarn.model.map import Customer
from forewarn.model.message import Subkind
from forewarn.model.settings import Settings
from forewarn.model.text import Fact, say

UPDATE = "update.customer"
NO_CADENCE = timedelta(hours=24)
ROUNDED = timedelta(minutes=5)
SOON = timedelta(minutes=15)
MINUTE = timedelta(minutes=1)  # as fine as times are shown

Keys = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """Phrase keys: the subject, and the sentences of each part."""

    subject: str
    notice: Keys
    ours: Keys = ()
    yours: Keys = ()
    next_at: datetime | None = None

    @property
    def keys(self) -> Keys:
        return (self.subject, *self.notice, *self.ours, *self.yours)


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that a draft is made from."""

    scene: Scene
    settings: Settings
    window: Ahead
    effect: str
    plan: str | None
    next_at: datetime

    @property
    def incident(self) -> Incident:
        return self.scene.incident

    @property
    def fine(self) -> str | None:
        return "notice.now_fine" if self.scene.all_up else None

    @property
    def work(self) -> str | None:
        """The key of what we do, if anything is on record."""
        done = doing(self.scene, self.settings)
        if self.plan and done is not Doing.REPAIRED:
            return "notice.do.plan"
        return f"notice.do.{done}" if done else None


def notice(subkind: Subkind, customer: Customer, scene: Scene, settings: Settings, now: datetime) -> Composed:
    """The text that `customer` would get now. Raises Refused for kinds of notice that have no ready text."""
    drafted = DRAFTS.get(subkind)
    if drafted is None:
        raise Refused(say("refused.no_text", subkind=str(subkind)))
    services = used_services(scene, customer)
    speaker = voice(customer.language, customer.zone, settings, now, services)
    plan = _plan(scene, customer, settings, speaker.language)
    window = ahead(scene, now)
    next_at = _next_update(scene.incident, window, settings, now)
    told = Told(scene, settings, window, effect_of(scene), plan, next_at)
    draft = drafted(told)
    facts = _facts(told, speaker, speaker.names(services, "notice.our_service"), now)
    subject = speaker.say(draft.subject, facts)
    text = "\n".join(part for keys in (draft.notice, draft.ours, draft.yours) if (part := speaker.sentences(keys, facts)))
    missing = lint.missing(speaker.lacks(draft.keys), settings)
    problems = missing + lint.lint(text, subject, customer, scene, settings, subkind)
    return Composed(subject=subject, text=text, next_update_at=draft.next_at, problems=problems)


# --- drafts, one a subkind --------------------------------------------------------------------------------------------


def _forewarning(told: Told) -> Draft:
    return Draft(
        f"notice.forewarning.subject.{told.effect}",
        (f"notice.forewarning.what.{told.effect}", told.fine),
        ("notice.forewarning.cause", told.work),
        ("notice.forewarning.you", "notice.next.changes" if told.window.earliest else "notice.next.changes_zoned"),
        told.next_at,
    )


def _started(told: Told) -> Draft:
    return Draft(
        f"notice.started.subject.{told.effect}",
        (f"notice.started.what.{told.effect}",),
        (told.work,),
        (f"notice.started.you.{told.effect}", "notice.next.over"),
        told.next_at,
    )


def _update(told: Told) -> Draft:
    state = told.incident.state
    if state is IncidentState.AHEAD:
        now_ = _forewarning(told)
        return replace(now_, subject="notice.update.subject", notice=("notice.update.ahead", *now_.notice))
    if not told.incident.live:
        return _over(told)
    mitigated = state is IncidentState.MITIGATED
    what = "notice.update.mitigated" if mitigated else f"notice.update.what.{told.effect}"
    following = "notice.next.changes" if mitigated else "notice.next.over"
    return Draft("notice.update.subject", (what,), (told.work,), (following,), told.next_at)


def _resolved(told: Told) -> Draft:
    return Draft(
        f"notice.resolved.subject.{'fine' if told.scene.all_up else 'over'}",
        (f"notice.resolved.what.{told.effect}", told.fine),
        (),
        ("notice.resolved.you", "notice.next.returns"),
    )


def _corrected(told: Told) -> Draft:
    now_ = _update(told)
    return replace(now_, subject="notice.corrected.subject", notice=("notice.corrected.what", *now_.notice))


def _withdrawn(told: Told) -> Draft:
    state = told.incident.state
    how = state if state in (IncidentState.AVERTED, IncidentState.FALSE_ALARM) else IncidentState.WITHDRAWN
    dated = told.window.earliest is not None and told.incident.breached_at is None
    subject = f"notice.withdrawn.subject.dated.{told.effect}" if dated else "notice.withdrawn.subject.plain"
    return Draft(subject, (f"notice.withdrawn.{how}",), (), ("notice.withdrawn.you",))


def _over(told: Told) -> Draft:
    """What is true of an incident that has ended."""
    resolved = told.incident.state in (IncidentState.RESOLVED, IncidentState.CLOSED)
    return _resolved(told) if resolved else _withdrawn(told)


DRAFTS: Mapping[Subkind, Callable[[Told], Draft]] = {
    Subkind.FOREWARNING: _forewarning,
    Subkind.STARTED: _started,
    Subkind.UPDATE: _update,
    Subkind.RESOLVED: _resolved,
    Subkind.CORRECTED: _corrected,
    Subkind.WITHDRAWN: _withdrawn,
}


# --- facts ------------------------------------------------------------------------------------------------------------


def _facts(told: Told, speaker: Voice, service: str, now: datetime) -> dict[str, Fact]:
    """Every fact that a phrase may show; the keys among them are chosen here, too."""
    incident, window, sent = told.incident, told.window, told_at(told.scene)
    since, end = incident.breached_at or incident.opened_at, incident.mitigated_at or incident.ended_at or now
    when, span = ("dated", "period") if window.earliest else ("within", "within") if window.until else ("soon", "soon")
    return {
        "service": service,
        "when": speaker.key(f"notice.when.{when}"),
        "span": speaker.key(f"notice.when.{span}"),
        "earliest": _epoch(window.earliest),
        "latest": _epoch(window.latest),
        "until": _epoch(window.until),
        "since": _epoch(since),
        "end": _epoch(end),
        "lasted": speaker.key(f"notice.resolved.lasted.{'span' if end - since >= MINUTE else 'moment'}"),
        "sent": _epoch(sent),
        "written": speaker.key(f"notice.written.{'sent' if sent else 'plain'}"),
        "wrote": speaker.key(f"notice.written.{'bare' if sent else 'plain'}"),
        "noun": speaker.key(f"notice.noun.{told.effect}"),
        "cause": _cause(told.scene.findings, speaker),
        "plan": told.plan,
        "next": _epoch(told.next_at),
    }


def _epoch(at: datetime | None) -> float | None:
    return at.timestamp() if at else None


def _cause(findings: tuple[Finding, ...], speaker: Voice) -> str:
    """The customer's words for the technical cause: those of the first finding that has any, else the neutral ones."""
    keys = (speaker.key(f"cause.{finding.metric}") for finding in findings)
    return next((key for key in keys if key in speaker.catalogue), "cause.default")


def _plan(scene: Scene, customer: Customer, settings: Settings, language: str) -> str | None:
    """The owner's plan, if it is in the customer's language and shows nothing that customers must not see."""
    plan = (scene.plan or "").strip().rstrip(".。!！;；")
    if not plan or lint.leaks(plan, customer, scene, settings) or not lint.speaks(plan, language):
        return None
    return plan


def _next_update(incident: Incident, window: Ahead, settings: Settings, now: datetime) -> datetime:
    """When we write next: by the ladder's cadence; for a forewarning before its window, at act-by or half-way; for a risk daily."""
    if incident.state is IncidentState.AHEAD and window.earliest and window.earliest - now > SOON:
        act_by = incident.act_by
        in_time = act_by is not None and now + SOON <= act_by < window.earliest
        return _rounded(act_by if in_time and act_by else now + (window.earliest - now) / 2, now)
    if window.until:
        return _rounded(now + NO_CADENCE, now)
    return _rounded(_cadence(incident.would_be or incident.level, settings, now), now)


def _cadence(level: Level, settings: Settings, now: datetime) -> datetime:
    rules = settings.ladder.get(level)
    if rules is None or UPDATE not in rules.spans:
        return now + NO_CADENCE
    return rules.spans[UPDATE].after(now, settings.calendar(rules.calendar))


def _rounded(at: datetime, now: datetime) -> datetime:
    """A time that people would name: down to five minutes, where that leaves at least half of the wait."""
    down = at - timedelta(seconds=at.timestamp() % ROUNDED.total_seconds())
    return down if down - now >= (at - now) / 2 else at
