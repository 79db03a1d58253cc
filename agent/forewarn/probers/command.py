"""command: a program that judges by its exit status, as Monitoring-Plugins do. What people write, and what an answer means.

Source: Monitoring Plugins Development Guidelines (monitoring-plugins.org/doc/guidelines.html), sections 2 and 3.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from pydantic import Field, field_validator

from forewarn.model.series import Column
from forewarn.probers.options import Options

METRICS = {
    "state": "0 OK, 1 WARNING, 2 CRITICAL: what the program's exit status says",
    "value": "a figure of the program without a unit {name}",
    "value_s": "a figure in seconds (s, ms, us, ns) {name}",
    "value_ratio": "a figure in percent, as a share {name}",
    "value_bytes": "a figure in bytes (B, KB, MB, GB, TB; powers of 1024) {name}",
    "value_total": "a counter (unit c) {name}",
}
MOST_FIGURES = 100
"""Figures that one run may give; the rest is left out."""
LABEL_LENGTH = 128
STATES = {0: "OK", 1: "WARNING", 2: "CRITICAL", 3: "UNKNOWN"}

_FIGURE = re.compile(
    r"\s*(?:'((?:[^']|'')*)'|([^\s='][^=]{0,300}?))=(-?[0-9.,]+(?:[eE][+-]?[0-9]+)?|U)([^\s;0-9.,][^\s;]*)?(?:;[^\s]*)?"
)
_UNITS = {
    "s": ("value_s", 1.0),
    "ms": ("value_s", 1e-3),
    "us": ("value_s", 1e-6),
    "ns": ("value_s", 1e-9),
    "%": ("value_ratio", 0.01),
    "B": ("value_bytes", 1.0),
    "KB": ("value_bytes", 1024.0),
    "MB": ("value_bytes", 1024.0**2),
    "GB": ("value_bytes", 1024.0**3),
    "TB": ("value_bytes", 1024.0**4),
    "c": ("value_total", 1.0),
}


class CommandOptions(Options):
    """Options of a probe of kind command."""

    argv: tuple[str, ...] = Field(
        min_length=1, description="the program and its arguments, each an item of its own; no shell reads them"
    )

    @field_validator("argv")
    @classmethod
    def _whole(cls, argv: tuple[str, ...]) -> tuple[str, ...]:
        if not argv[0].strip() or any("\0" in part for part in argv):
            raise ValueError("the first item names a program, such as /usr/lib/nagios/plugins/check_load")
        return argv


def first_line(text: str) -> str:
    """What the program says to people: its first line, before the bar, without signs that command a terminal."""
    line = next((line for line in text.splitlines() if line.strip()), "")
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x1f\x7f-\x9f]", "", line.partition("|")[0]).strip()[:200]


def figures(text: str) -> Iterator[tuple[Column, float]]:
    """The figures after the bars of a program's output; what can't be read is left out."""
    seen = set()
    for label, value, unit in _written(text):
        metric, factor = _UNITS.get(unit, ("value", 1.0))
        number = _number(value)
        column: Column = (metric, (("name", label[:LABEL_LENGTH]),))
        if number is None or column in seen:
            continue
        seen.add(column)
        yield column, number * factor
        if len(seen) == MOST_FIGURES:
            return


def _written(text: str) -> Iterator[tuple[str, str, str]]:
    """Label, value and unit of each figure. The first line's stand after its bar; of the further lines those after the
    next bar, to the end."""
    first, _, rest = text.partition("\n")
    for part in (first.partition("|")[2], rest.partition("|")[2].replace("\n", " ")):
        at = 0
        while found := _FIGURE.match(part, at):
            at = found.end()
            label = found[1].replace("''", "'") if found[1] is not None else found[2].strip()
            if label and found[3] != "U":
                yield label, found[3], found[4] or ""


def _number(text: str) -> float | None:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) else None
