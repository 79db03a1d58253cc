"""How many of the incidents that called somebody were worth it, and which rules called in vain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from forewarn.core.reader import Body
from forewarn.model.finding import Finding
from forewarn.model.incident import Incident
from forewarn.ports import Ledger


@dataclass(slots=True)
class _Judged:
    useful: int = 0
    needless: list[str] = field(default_factory=list)  # incidents


def precision(ledger: Ledger, paged: Iterable[str]) -> Body:
    """`paged` are the incidents that somebody was called for. `precision` is the useful share of those that were judged, None
    where none was; `rules` are those whose calls were needless, the worst first."""
    incidents = [found for found in ledger.get_all(list(dict.fromkeys(paged))).values() if isinstance(found, Incident)]
    useful = sum(one.useful is True for one in incidents)
    judged = sum(one.useful is not None for one in incidents)
    rules = sorted(_by_rule(ledger, incidents).items(), key=lambda item: (-len(item[1].needless), item[0]))
    return {
        "incidents": len(incidents),
        "judged": judged,
        "useful": useful,
        "precision": useful / judged if judged else None,
        "rules": [
            {"probe": probe, "rule": rule, "source": source, "useful": of.useful, "needless": of.needless}
            for (probe, rule, source), of in rules
            if of.needless
        ],
    }


def _by_rule(ledger: Ledger, incidents: Iterable[Incident]) -> dict[tuple[str, str, str], _Judged]:
    """By the rule whose finding opened the incident; what a person declared belongs to none."""
    found: dict[tuple[str, str, str], _Judged] = {}
    for incident in incidents:
        first = ledger.get(incident.findings[0]) if incident.findings else None
        if not isinstance(first, Finding) or incident.useful is None:
            continue
        of = found.setdefault((first.probe, first.rule, first.source), _Judged())
        if incident.useful:
            of.useful += 1
        else:
            of.needless.append(incident.id)
    return found
