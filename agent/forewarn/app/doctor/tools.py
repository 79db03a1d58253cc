"""Programs that the probes and playbooks of this configuration start: are they here?"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from forewarn.app.doctor.check import FINE, PROBLEM, Check, Patient
from forewarn.app.doctor.remedies import as_root, edit, install
from forewarn.model.playbook import Playbook
from forewarn.model.probe import Probe, Source
from forewarn.model.settings import Settings
from forewarn.model.text import say

LOCAL = "local"
Needs = dict[str, tuple[str, Source]]
"""Program -> who needs it first, and where that is written."""


def needed(settings: Settings) -> Needs:
    """Every program that this configuration would start on this machine."""
    found: Needs = {}
    for probe in settings.probes.values():
        for program in _of_probe(probe):
            found.setdefault(program, (probe.name, probe.source))
    for playbook in settings.playbooks.values():
        for program in _of_playbook(playbook):
            found.setdefault(program, (playbook.name, playbook.source))
    return found


def _of_probe(probe: Probe) -> Iterator[str]:
    """smart runs its program only where nobody has read the disks for it already (source: file, or auto with a folder). What
    runs on a host over SSH is not needed here."""
    if all(target.where != LOCAL for target in probe.targets):
        return
    argv = getattr(probe.options, "argv", None)
    if argv:
        yield str(argv[0])
    if probe.kind == "smart" and not _read_for_it(probe):
        yield str(getattr(probe.options, "program", "smartctl"))
    if probe.kind == "journal":
        yield "journalctl"


def _read_for_it(probe: Probe) -> bool:
    source, folder = getattr(probe.options, "source", ""), getattr(probe.options, "folder", "")
    return source == "file" or (source == "auto" and bool(folder) and Path(folder).is_dir())


def _of_playbook(playbook: Playbook) -> Iterator[str]:
    for step in playbook.steps:
        if step.where != LOCAL:
            continue
        for spec in (step.spec, step.undo or {}):
            yield from _of_spec(spec)


def _of_spec(spec: Mapping[str, object]) -> Iterator[str]:
    argv = spec.get("argv")
    first = str(argv[0]) if isinstance(argv, list | tuple) and argv else ""
    if first and "${" not in first:
        yield first


def look(patient: Patient) -> Iterator[Check]:
    """One line for all that are here, one for each that is missing; and whether disks can be read as this user."""
    if patient.settings is None:
        return
    needs = needed(patient.settings)
    missing = {program: why for program, why in needs.items() if shutil.which(program, path=_path(patient)) is None}
    here = [program for program in needs if program not in missing]
    if here or not needs:
        key = "doctor.tools.fine" if here else "doctor.tools.none"
        yield Check("tools", FINE, say(key, tools=", ".join(sorted(Path(program).name for program in here))))
    for program, (who, source) in missing.items():
        what = say("doctor.tools.missing", program=program, who=who, source=str(source))
        yield Check("tools", PROBLEM, what, install(program) or edit(_file(patient, source), source.line))
    yield from _disks(patient, missing)


def _disks(patient: Patient, missing: Needs) -> Iterator[Check]:
    """smartctl itself needs root; the daemon has none, so a unit of its own reads the disks for it."""
    assert patient.settings is not None
    for probe in patient.settings.probes.values():
        if probe.kind == "smart" and not _read_for_it(probe) and os.geteuid() != 0 and "smartctl" not in missing:
            mend = as_root("systemctl", "enable", "--now", "forewarn-smart.timer")
            yield Check("tools", PROBLEM, say("doctor.tools.smart_root", probe=probe.name), mend)


def _path(patient: Patient) -> str:
    """Where programs are looked for: a service has the system's folders also where a user's shell leaves them out."""
    return ":".join([patient.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])


def _file(patient: Patient, source: Source) -> Path:
    return patient.folder / source.file
