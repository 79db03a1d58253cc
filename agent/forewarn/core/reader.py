"""For whom something is shown, and how JSON holds it: the ground that overview.py and show.py stand on.

The views of running probes are described here by what they have: `ports.ProbeView` and its parts fit, and core may not
import ports.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Protocol

from forewarn.core.tell.words import render
from forewarn.model.finding import RuleState
from forewarn.model.probe import Probe
from forewarn.model.series import SeriesId, unit_of
from forewarn.model.text import Say, say

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: their language's catalogue, their zone, and the moment."""

    language: str
    catalogue: Mapping[str, str]
    zone: tzinfo
    now: datetime

    def tell(self, what: Say) -> str:
        return render(what, self.catalogue, self.zone, self.now)

    def word(self, key: str, otherwise: str) -> str:
        """The catalogue's word for something that may have none, such as a metric that a user named."""
        return self.tell(say(key)) if key in self.catalogue else otherwise

    def listed(self, parts: Iterable[str], key: str = "format.list") -> str:
        """Parts joined as the language joins them; read raw, since a rendered sentence loses the space at its end."""
        return self.catalogue.get(key, ", ").join(parts)


def stamp(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, to the second."""
    return f"{at.astimezone(UTC).isoformat('T', 'seconds')[:19]}Z" if at else None  # a list has a thousand: strftime is slow


def number(value: float | None, digits: int | None = None) -> float | None:
    """A figure that JSON can hold; not-a-number and infinity are unknown."""
    if value is None or not math.isfinite(value):
        return None
    return value if digits is None else round(value, digits)


def page(items: Sequence[Body], more: bool) -> Body:
    """One page of a list. `next` is the cursor for the page after it: the last id or name, None at the end."""
    last = items[-1] if items else {}
    return {"items": list(items), "next": (last.get("id") or last.get("name")) if more else None}


def shown_unit(metric: str) -> str:
    """The unit to show a value of this metric in: that of its name, and bytes for a total of bytes."""
    return "bytes" if metric.endswith("_bytes_total") else unit_of(metric)


# --- views of what runs -----------------------------------------------------------------------------------------------


class RuleLike(Protocol):
    @property
    def rule(self) -> str: ...
    @property
    def state(self) -> RuleState: ...
    @property
    def why(self) -> Say | None: ...
    @property
    def ready_at(self) -> datetime | None: ...


class SeriesLike(Protocol):
    @property
    def series(self) -> SeriesId: ...
    @property
    def value(self) -> float: ...
    @property
    def at(self) -> datetime | None: ...
    @property
    def rules(self) -> Sequence[RuleLike]: ...


class TargetLike(Protocol):
    @property
    def target(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def detail(self) -> str | None: ...
    @property
    def at(self) -> datetime | None: ...
    @property
    def lateness_ms(self) -> float | None: ...
    @property
    def series(self) -> Sequence[SeriesLike]: ...


class ProbeLike(Protocol):
    @property
    def probe(self) -> Probe: ...
    @property
    def targets(self) -> Sequence[TargetLike]: ...
