"""What a rule had learnt of a series, as it is kept over a restart."""

from __future__ import annotations

from dataclasses import dataclass

Key = tuple[str, str, str]
"""Probe, rule, series."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The state of one rule on one series (as SeriesId's text) after the sample of `seen_s` (epoch seconds), in the bytes of
    core/detect/keeping.py. `text` is a checksum of what the rule said: what a rule of other words learnt is not taken over."""

    probe: str
    rule: str
    series: str
    text: int
    seen_s: float
    data: bytes

    @property
    def key(self) -> Key:
        return self.probe, self.rule, self.series
