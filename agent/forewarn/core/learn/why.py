"""`why ID`: the chain from a message back to the sample, from what is stored and nothing else.

Theory. Every stored thing names what it came from: a message its incident, an incident its findings, a finding its rule
(file:line, configuration) and its series with the samples that were looked at. `explain` walks these names. A name that
leads nowhere is a missing link and is reported; it is never papered over. What came of a thing (runs, dues, an incident's
messages) is shown beside the chain, not in it. A merged incident's findings have moved, so the walk follows the merge.

Words are not chosen here: each link carries Says, and `as_text` and `as_json` are given the function that shows one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from unicodedata import east_asian_width

from forewarn.core.learn.links import (
    Link,
    change_link,
    due_link,
    finding_link,
    incident_link,
    message_link,
    rule_link,
    run_link,
    series_link,
)
from forewarn.model.change import Change
from forewarn.model.due import INTERNAL, Due
from forewarn.model.errors import NotFound
from forewarn.model.finding import Finding
from forewarn.model.hold import Hold
from forewarn.model.impact import Measure
from forewarn.model.incident import Incident, IncidentState
from forewarn.model.message import Message, MessageKind
from forewarn.model.playbook import Guard, Run
from forewarn.model.scorecard import Score
from forewarn.model.text import Say, say

Entity = Finding | Incident | Due | Hold | Message | Run | Measure | Guard | Change | Score
Show = Callable[[Say], str]
FINDINGS_SHOWN = 5
UNSEEN = ("cannot-see", "absence")
"""Kinds that claim something about what did not come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The answer. `missing` names each link that should be there and is not."""

    id: str
    links: tuple[Link, ...]
    missing: tuple[str, ...] = ()
    not_told: tuple[tuple[str, Say], ...] = ()

    @property
    def complete(self) -> bool:
        return not self.missing


def _no_dues(incident: str) -> Sequence[Due]:
    return ()


def _nobody(incident: Incident, subkind: str) -> Sequence[tuple[str, Say]]:
    return ()


def explain(
    id: str,
    get: Callable[[str], Entity | None],
    dues: Callable[[str], Sequence[Due]] = _no_dues,
    not_told: Callable[[Incident, str], Sequence[tuple[str, Say]]] = _nobody,
) -> Why:
    """The chain behind a message, incident, finding, run or due. Raises NotFound when there is no such thing.

    `get` reads an entity by id; `dues` those of an incident; `not_told` who was left out of a notice of a subkind, and why.
    """
    walk = _Walk(get, dues)
    match get(id):
        case Message() as message:
            incident = walk.message(message)
            left_out = tuple(not_told(incident, message.subkind or "")) if incident and message.kind is MessageKind.NOTICE else ()
            return walk.answer(id, left_out)
        case Incident() as incident:
            walk.incident(incident)
            walk.messages(incident)
        case Finding() as finding:
            walk.finding(finding)
            walk.consequence(finding)
        case Run() as run:
            walk.run(run)
        case Due() as due:
            walk.due(due)
        case Change() as change:
            walk.change(change)
        case _:
            raise NotFound(id)
    return walk.answer(id, ())


class _Walk:
    """One walk along the names; collects links, and what leads nowhere."""

    def __init__(self, get: Callable[[str], Entity | None], dues: Callable[[str], Sequence[Due]]) -> None:
        self._get = get
        self._dues = dues
        self._links: dict[str, Link] = {}
        self._beside: dict[str, Link] = {}
        self._missing: list[str] = []

    def answer(self, id: str, not_told: tuple[tuple[str, Say], ...]) -> Why:
        beside = [link for key, link in self._beside.items() if key not in self._links]
        return Why(id=id, links=(*self._links.values(), *beside), missing=tuple(dict.fromkeys(self._missing)), not_told=not_told)

    def _add(self, link: Link) -> None:
        self._links.setdefault(link.id, link)

    def _aside(self, link: Link) -> None:
        self._beside.setdefault(link.id, link)

    def _incident(self, id: str) -> Incident | None:
        found = self._get(id)
        if isinstance(found, Incident):
            return found
        self._missing.append(id)
        return None

    def message(self, message: Message) -> Incident | None:
        self._add(message_link(message))
        incident = self._incident(message.incident) if message.incident else None
        if incident:
            self.incident(incident)
        return incident

    def messages(self, incident: Incident) -> None:
        for id in incident.messages:
            found = self._get(id)
            if isinstance(found, Message):
                self._aside(message_link(found, beside=True))
            else:
                self._missing.append(id)

    def incident(self, incident: Incident) -> None:
        if incident.id in self._links:
            return
        into = _merged_into(incident)
        found = [self._get(id) for id in incident.findings]
        findings = [finding for finding in found if isinstance(finding, Finding)]
        self._missing += [id for id, finding in zip(incident.findings, found, strict=True) if not isinstance(finding, Finding)]
        self._add(incident_link(incident, findings, into))
        for finding in findings:
            self.finding(finding)
        if into and (other := self._incident(into)):
            self.incident(other)
        elif not incident.findings and not incident.declared_by and not into:
            self._missing.append(f"{incident.id} findings")
        self._came_of(incident)

    def change(self, change: Change) -> None:
        self._add(change_link(change))

    def _came_of(self, incident: Incident) -> None:
        for id in incident.changes:
            changed = self._get(id)
            if isinstance(changed, Change):
                self._aside(change_link(changed, beside=True))
            else:
                self._missing.append(id)
        for id in incident.runs:
            found = self._get(id)
            if isinstance(found, Run):
                self._aside(run_link(found, beside=True))
            else:
                self._missing.append(id)
        for due in self._dues(incident.id):
            if due.what not in INTERNAL and due.subject in self._links:  # approvals of other messages are another chain
                self._aside(due_link(due, beside=True))

    def finding(self, finding: Finding) -> None:
        self._add(finding_link(finding))
        self._add(rule_link(finding))
        self._add(series_link(finding))
        if not finding.source or not finding.config:
            self._missing.append(f"{finding.id} rule")
        if not finding.evidence.n and finding.kind not in UNSEEN:
            self._missing.append(f"{finding.id} samples")

    def consequence(self, finding: Finding) -> None:
        """The incident that a finding belongs to, beside its chain."""
        incident = self._incident(finding.incident) if finding.incident else None
        if incident:
            self._aside(incident_link(incident, [finding], _merged_into(incident), beside=True))

    def run(self, run: Run) -> None:
        self._add(run_link(run))
        if incident := self._incident(run.incident):
            self.incident(incident)

    def due(self, due: Due) -> None:
        self._add(due_link(due))
        incident = self._incident(due.incident) if due.incident else None
        if incident:
            self.incident(incident)
        elif isinstance(finding := self._get(due.subject), Finding):
            self.finding(finding)


def _merged_into(incident: Incident) -> str | None:
    if incident.state is not IncidentState.MERGED:
        return None
    named = incident.resolution or ""
    return named if named.startswith("INC-") else next(iter(incident.linked[-1:]), None)


# --- showing ----------------------------------------------------------------------------------------------------------


def as_text(why: Why, show: Show) -> str:
    """The chain on one screen: what was asked, what it came from (<-), what came of it (->), who was not told."""
    findings = [link.id for link in why.links if link.type == "finding"]
    hidden = set(findings[FINDINGS_SHOWN:])
    kept = {source for link in why.links if link.type == "finding" and link.id not in hidden for source in link.sources}
    lines = []
    for at, link in enumerate(why.links):
        if link.id in hidden or (hidden and link.type in ("rule", "series") and link.id not in kept):
            continue
        prefix = "" if at == 0 else "-> " if link.beside else "<- "
        lines.append(prefix + _line(link, show))
    if hidden:
        lines.append(show(say("why.more", n=len(hidden))))
    lines += [show(say("why.not_told", customer=customer, reason=show(reason))) for customer, reason in why.not_told]
    lines += [show(say("why.missing", what=what)) for what in why.missing]
    return "\n".join(lines)


def _line(link: Link, show: Show) -> str:
    type_ = show(say(f"why.type.{link.type}"))
    said = _said(link, show)
    if link.type in ("rule", "series"):
        return f"{_padded(type_, 6)} {link.facts.get('rule', link.id)}   {said}"
    word = show(say(f"state.{link.facts['state']}")) if link.type == "incident" else type_
    return f"{_padded(link.id, 6)} {_padded(word, 8)} {said}"


def _said(link: Link, show: Show) -> str:
    """Everything that a link says, joined as the reader's language joins."""
    said = [text for text in map(show, link.says) if text]
    return reduce(lambda one, two: show(say("why.two", one=one, two=two)), said) if said else ""


def _padded(text: str, width: int) -> str:
    """`text` filled up to `width` columns; a Chinese sign takes two."""
    return text + " " * (width - sum(2 if east_asian_width(char) in "WF" else 1 for char in text))


def as_json(why: Why, show: Show) -> dict[str, object]:
    """The body of `--json` and the API (contracts: id, complete, missing, links; `not_told` beside them)."""
    return {
        "id": why.id,
        "complete": why.complete,
        "missing": list(why.missing),
        "links": [_json(link, show) for link in why.links],
        "not_told": [{"customer": customer, "why": show(reason)} for customer, reason in why.not_told],
    }


def _json(link: Link, show: Show) -> dict[str, object]:
    return {
        "id": link.id,
        "type": link.type,
        "at": link.at.isoformat(timespec="seconds").replace("+00:00", "Z") if link.at else None,
        "why": _said(link, show),
        "facts": dict(link.facts),
        "from": list(link.sources),
    }
