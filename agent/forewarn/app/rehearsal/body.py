"""A rehearsal as JSON holds it: totals, what would be different, and each thing that would have been."""

from __future__ import annotations

from collections import Counter

from forewarn.app.rehearsal.comparing import KINDS, Difference, Thing
from forewarn.app.rehearsal.deciding import Told
from forewarn.app.rehearsal.rehearse import Rehearsal
from forewarn.core.reader import Body, Reader, stamp
from forewarn.core.tell.voice import localised
from forewarn.model.forecast import Verdict
from forewarn.model.settings import Settings

MOST_STRANGERS = 20


def body(it: Rehearsal, reader: Reader) -> Body:
    """What `forewarn try CONFIG --on ... --json` prints."""
    return {
        "from": stamp(it.since),
        "until": stamp(it.until),
        "config": it.after.settings.id,
        "against": it.before.settings.id if it.before else None,
        "series": it.series,
        "samples": it.samples,
        "totals": {"after": _totals(it.after), "before": _totals(it.before) if it.before else None},
        "verdicts": _verdicts(it.after),
        "foreseen": [_foreseen(it, one.id) for one in it.forewarned()],
        "differences": [_difference(one, it.after.settings, reader) for one in it.differences if one.change != "same"],
        "same": dict(Counter(one.thing.kind for one in it.differences if one.change == "same")),
        "things": [_thing(one, it.after.settings, reader) for one in it.things],
        "without_samples": list(it.unfed),
        "slower": it.slower,
        "strangers": [str(one) for one in it.strangers[:MOST_STRANGERS]],
        "strangers_count": len(it.strangers),
    }


def _totals(told: Told) -> dict[str, int]:
    ahead = sum(one.thing is not None for one in told.incidents.values())
    counts = (len(told.incidents), len(told.pages()), len(told.notices()), len(told.findings))
    return {**{f"{kind}s": n for kind, n in zip(KINDS, counts, strict=True)}, "ahead": ahead}


def _verdicts(told: Told) -> dict[str, dict[str, int]]:
    """By kind of rule, how its forecasts were judged: what `policy.prior` of forewarn.yaml takes."""
    found: dict[str, Counter[str]] = {}
    for one in told.incidents.values():
        first = told.findings.get(one.findings[0]) if one.findings else None
        if one.verdict and first:
            found.setdefault(first.kind, Counter())[str(one.verdict)] += 1
    return {kind: {str(verdict): counts.get(str(verdict), 0) for verdict in Verdict} for kind, counts in sorted(found.items())}


def _foreseen(it: Rehearsal, id: str) -> Body:
    one = it.after.incidents[id]
    assert one.breached_at is not None
    hours = round((one.breached_at - one.opened_at).total_seconds() / 3600, 2)
    return {
        "incident": id,
        "series": one.thing,
        "told_at": stamp(one.opened_at),
        "breached_at": stamp(one.breached_at),
        "hours_ahead": hours,
    }


def _difference(one: Difference, settings: Settings, reader: Reader) -> Body:
    before = _thing(one.before, settings, reader) if one.before else None
    after = _thing(one.after, settings, reader) if one.after else None
    return {"kind": one.thing.kind, "change": one.change, "hours": one.hours, "before": before, "after": after}


def _thing(one: Thing, settings: Settings, reader: Reader) -> Body:
    return {
        "kind": one.kind,
        "id": one.id,
        "at": stamp(one.at),
        "until": stamp(one.until),
        "title": reader.tell(localised(one.title, settings, reader.language)),
        "level": one.level,
        "to": one.to,
        "series": one.series,
        "rule": one.key[1] if one.kind == "finding" else None,
        "foreseen": one.foreseen,
    }
