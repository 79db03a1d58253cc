"""The files: do they load, and if not, what is wrong where."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from forewarn.app.doctor.check import FINE, PROBLEM, Check, Patient
from forewarn.app.doctor.remedies import edit
from forewarn.model.text import say

SHOWN = 5
"""Problems that are listed; `forewarn check` has all of them."""


def look(patient: Patient) -> Iterator[Check]:
    """One line when all is well, else one a problem."""
    if patient.settings is not None:
        known = patient.settings
        what = say("doctor.configuration.fine", files=known.files, folder=known.folder, id=known.id)
        yield Check("configuration", FINE, what)
        return
    assert patient.refused is not None
    problems = patient.refused.problems
    for one in problems[:SHOWN]:
        file = Path(one.file) if Path(one.file).is_absolute() else patient.folder / one.file
        yield Check("configuration", PROBLEM, say("doctor.configuration.problem", text=str(one)), edit(file, one.line))
    if len(problems) > SHOWN:
        more = say("doctor.configuration.more", count=len(problems) - SHOWN)
        yield Check("configuration", PROBLEM, more, f"forewarn check {patient.folder}")
