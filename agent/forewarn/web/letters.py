"""Messages as people look at them: what speaks against a draft, how long it can be taken back, who was called and answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TypeVar

from forewarn.core.flow.texts import TROUBLED, all_up, scene_of
from forewarn.core.reader import Reader
from forewarn.core.tell import lint
from forewarn.model.change import Change
from forewarn.model.finding import Finding, FindingState
from forewarn.model.incident import Incident, TimelineEntry
from forewarn.model.message import Message, MessageKind, MessageState, Subkind
from forewarn.model.playbook import Run, RunState
from forewarn.model.settings import Settings
from forewarn.ports import Entity
from forewarn.web.reads import MOST, Reads

UNDO = "hold.undo"
MOST_HELD = 200
T = TypeVar("T")
DRAFT = frozenset({MessageState.WAITING, MessageState.HELD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """One page to one person. `heard_at`: the first thing that they did about the incident since; None: nothing yet."""

    message: Message
    heard_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Messages that were written on one occasion, side by side: notices of an incident of one subkind."""

    incident: str | None
    kind: str
    subkind: str
    at: datetime
    messages: tuple[Message, ...]


def leaves_at(message: Message) -> datetime | None:
    """Until when it can be taken back before it leaves by itself; None where nothing runs."""
    held = message.held
    return held.until if message.state is MessageState.HELD and held and held.by.key == UNDO else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the drafts of a page are judged by: what belongs to their incidents, by id, and what is wrong anywhere now."""

    things: Mapping[str, Entity]
    findings: Sequence[Finding]
    live: Sequence[Incident]

    def all_of(self, kind: type[T], ids: Iterable[str]) -> list[T]:
        return [thing for id in ids if isinstance(thing := self.things.get(id), kind)]


def speaks_against(reads: Reads, messages: Iterable[Message], reader: Reader) -> Mapping[str, list[str]]:
    """What lint finds in each draft as it stands now, by message: for whoever approves it. So many questions to the store,
    however many drafts there are. Blocks on it."""
    drafts = [m for m in messages if m.kind is MessageKind.NOTICE and m.state in DRAFT and m.incident]
    if not drafts:
        return {}
    known, settings = _known(reads, {draft.incident for draft in drafts if draft.incident}), reads.settings()
    found = {draft.id: _problems(draft, known, settings, reader) for draft in drafts}
    return {id: problems for id, problems in found.items() if problems}


def _known(reads: Reads, ids: Iterable[str]) -> _Known:
    incidents = {id: it for id, it in reads.ledger.get_all(sorted(ids)).items() if isinstance(it, Incident)}
    beside = [id for it in incidents.values() for id in (*it.findings, *it.runs, *it.messages, *it.changes)]
    wrong = [reads.ledger.find("finding", states=["open"], of=kind, limit=MOST) for kind in TROUBLED]
    return _Known(
        things={**incidents, **reads.ledger.get_all(beside)},
        findings=[f for found in wrong for f in found if isinstance(f, Finding)],
        live=reads.ledger.live(MOST),
    )


def _problems(draft: Message, known: _Known, settings: Settings, reader: Reader) -> list[str]:
    incident, customer = known.things.get(draft.incident or ""), settings.customers.get(draft.to)
    if not isinstance(incident, Incident) or customer is None or draft.subkind not in set(Subkind):
        return []
    scene = scene_of(
        incident,
        draft.to,
        [settings.services[name] for name in incident.services if name in settings.services],
        [f for f in known.all_of(Finding, incident.findings) if f.state is FindingState.OPEN],
        known.all_of(Run, incident.runs),
        known.all_of(Message, incident.messages),
        known.all_of(Change, incident.changes),
        all_up(incident, known.findings, known.live),
    )
    said = lint.found(draft.text, draft.subject, customer, scene, settings, Subkind(draft.subkind))
    return list(dict.fromkeys(reader.tell(what) for what in said))


def takes_back(reads: Reads) -> list[Message]:
    """Notices that leave soon and can still be taken back, the next first. Of all that is held they are the newest: a hold
    of another kind lasts."""
    held = [m for m in reads.ledger.find("message", states=["held"], limit=MOST_HELD) if isinstance(m, Message)]
    return sorted((m for m in held if leaves_at(m)), key=lambda m: str(leaves_at(m)))


def changes_asked(reads: Reads) -> list[Run]:
    """Runs of playbooks that wait for a yes to a change, the oldest first."""
    found = reads.ledger.find("run", states=[str(RunState.WAITING)], newest=False, limit=MOST)
    return [run for run in found if isinstance(run, Run) and run.needs and run.at is not None]


def called(pages: Iterable[Message], story: Sequence[TimelineEntry]) -> list[Called]:
    """The pages of an incident, each with the first thing that its person did since."""

    def heard_at(page: Message) -> datetime | None:
        return next((line.at for line in story if line.by == page.to and line.at >= page.at), None)

    return [Called(message=page, heard_at=heard_at(page)) for page in pages]


def occasions(messages: Sequence[Message]) -> list[Occasion]:
    """Neighbours that belong together as one; everything else alone. Within one the languages stand in a fixed order."""

    def key(message: Message) -> tuple[str, ...]:
        if message.kind is not MessageKind.NOTICE:
            return (message.id,)
        return (message.incident or message.id, message.subkind or "")

    groups = [list(group) for _, group in groupby(messages, key=key)]
    return [
        Occasion(
            incident=group[0].incident,
            kind=str(group[0].kind),
            subkind=group[0].subkind or str(group[0].kind),
            at=group[0].at,
            messages=tuple(sorted(group, key=lambda m: (m.language, m.to))),
        )
        for group in groups
    ]
