"""What a kind of probe in another package is made of: these names stay, the modules behind them may move.

docs/own-kinds.md has an example.
"""

from __future__ import annotations

from forewarn.model.probe import Probe, Target
from forewarn.model.series import Column, Outcome, ProbeRun
from forewarn.ports import Deliver, Kind
from forewarn.probers.options import Options, Size, Span, Texts
from forewarn.probers.reasons import Failure, Reason, down, failed, unknown
from forewarn.reach.local import CannotRun, Ran
from forewarn.reach.machine import CannotReach, Machine, Machines, only_here

HERE = (Target("local", "local"),)
"""The one target of a kind that looks at this machine."""

__all__ = [
    "HERE",
    "CannotReach",
    "CannotRun",
    "Column",
    "Deliver",
    "Failure",
    "Kind",
    "Machine",
    "Machines",
    "Options",
    "Outcome",
    "Probe",
    "ProbeRun",
    "Ran",
    "Reason",
    "Size",
    "Span",
    "Target",
    "Texts",
    "down",
    "failed",
    "only_here",
    "unknown",
]
