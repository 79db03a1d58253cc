"""Our own counters and gauges, and their text for /metrics.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/ (text format 0.0.4).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_NAME = re.compile(r"forewarn_[a-z][a-z0-9_]*")
Labels = tuple[tuple[str, str], ...]


class Telemetry:
    """Figures by name and labels. Names begin with `forewarn_`; those of counters end in `_total`. Loop's thread only."""

    def __init__(self, helps: Mapping[str, str] | None = None) -> None:
        self._values: dict[str, dict[Labels, float]] = {}
        self._helps = dict(helps or {})

    def count(self, name: str, /, by: float = 1.0, **labels: str) -> None:
        """Add to a counter."""
        if not name.endswith("_total") or by < 0:
            raise ValueError(f"{name}: counters end in _total and never fall")
        line = self._line(name)
        key = _key(labels)
        line[key] = line.get(key, 0.0) + by

    def set(self, name: str, value: float, /, **labels: str) -> None:
        """Set a gauge."""
        self._line(name)[_key(labels)] = value

    def forget(self, name: str) -> None:
        """Drop all of a gauge's lines, before it is set anew for what exists now."""
        self._values.pop(name, None)

    def value(self, name: str, /, **labels: str) -> float:
        """What a line stands at; 0 if it was never touched."""
        return self._values.get(name, {}).get(_key(labels), 0.0)

    def text(self) -> str:
        """All figures as Prometheus reads them."""
        lines: list[str] = []
        for name in sorted(self._values):
            if name in self._helps:
                lines.append(f"# HELP {name} {_escape(self._helps[name], quotes=False)}")
            lines.append(f"# TYPE {name} {'counter' if name.endswith('_total') else 'gauge'}")
            lines += [f"{name}{_shown(labels)} {_number(value)}" for labels, value in sorted(self._values[name].items())]
        return "\n".join(lines) + "\n" if lines else ""

    def _line(self, name: str) -> dict[Labels, float]:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name} is not a metric's name of ours; write forewarn_...")
        return self._values.setdefault(name, {})


def _key(labels: Mapping[str, str]) -> Labels:
    return tuple(sorted(labels.items()))


def _shown(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in labels) + "}" if labels else ""


def _escape(text: str, quotes: bool = True) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quotes else text


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
