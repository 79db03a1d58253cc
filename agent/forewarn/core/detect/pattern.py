"""pattern: a counter of matching log lines grows by more than so many within a span."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternOptions:
    """Fires when a `_total` counter grew by more than `more_than` within `within_s`; ends after `clear_after_s` without that."""

    more_than: float = 0.0
    within_s: float = 60.0
    clear_after_s: float = 300.0
