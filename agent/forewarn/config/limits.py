"""Limits with a side, as several kinds of rule write them: above or below, and what ends it."""

from __future__ import annotations

from typing import Protocol

from forewarn.config.problems import Wrong
from forewarn.config.units import shown, value_of


class Sided(Protocol):
    """What people write of a limit."""

    above: object
    below: object
    clear_below: object
    clear_above: object


def limit_of(metric: str, above: object, below: object) -> tuple[str, float]:
    """The side and the limit; raises Wrong unless exactly one of both is given."""
    if (above is None) == (below is None):
        raise Wrong("give exactly one of above and below", "write above: 500ms")
    side, given = ("above", above) if above is not None else ("below", below)
    return side, value_of(metric, given)


def clear_of(written: Sided, metric: str, side: str, limit: float) -> float | None:
    """Where it ends, None: at the limit. Raises Wrong for a value on the wrong side."""
    own, other = ("clear_below", "clear_above") if side == "above" else ("clear_above", "clear_below")
    if getattr(written, other) is not None:
        raise Wrong(f"{other} does not go with {side}", f"write {own}")
    given = getattr(written, own)
    if given is None:
        return None
    clear = value_of(metric, given)
    if clear > limit if side == "above" else clear < limit:
        raise Wrong(
            f"{own} {shown(given)} lies beyond the limit {shown(getattr(written, side))}",
            "it would fire and end at once; put it on the quiet side",
        )
    return clear
