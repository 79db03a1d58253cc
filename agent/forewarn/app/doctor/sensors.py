"""Temperature sensors: does a probe that wants them find any? Runs it once, as the daemon would."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from forewarn.app.doctor.check import FINE, NOTE, PROBLEM, Check, Patient
from forewarn.app.doctor.remedies import as_root
from forewarn.model.probe import Probe
from forewarn.model.series import Outcome, ProbeRun
from forewarn.model.text import say
from forewarn.probers import PROBERS
from forewarn.probers.once import run_once
from forewarn.reach.machine import HERE

KIND = "temperature"
MODULES = {"GenuineIntel": "coretemp", "AuthenticAMD": "k10temp"}


def look(patient: Patient) -> Iterator[Check]:
    """One check for each probe of temperatures; nothing where there is none."""
    for probe in patient.settings.probes.values() if patient.settings else ():
        if probe.kind == KIND:
            yield from (_judged(patient, probe, run) for run in asyncio.run(_runs(probe, patient.now.timestamp())))


async def _runs(probe: Probe, now_s: float) -> tuple[ProbeRun, ...]:
    kind = PROBERS[probe.kind]
    probe = replace(probe, targets=tuple(target for target in probe.targets if target.where == HERE))
    return await run_once(kind.shape, kind.make(), probe, now_s)


def _judged(patient: Patient, probe: Probe, run: ProbeRun) -> Check:
    if run.outcome is not Outcome.UNKNOWN and run.columns:
        sensors = {labels for metric, labels in run.columns if metric == "temperature_celsius"}
        return Check("sensors", FINE, say("doctor.sensors.fine", count=len(sensors)))
    if _virtual():
        file = patient.folder / probe.source.file
        mend = f"mv {shlex.quote(str(file))} {shlex.quote(str(file) + '.off')} && forewarn reload"
        return Check("sensors", NOTE, say("doctor.sensors.virtual", probe=probe.name), mend)
    module = next((module for vendor, module in MODULES.items() if vendor in _cpu()), None)
    mend = as_root("modprobe", module) if module else as_root("sensors-detect", "--auto")
    return Check("sensors", PROBLEM, say("doctor.sensors.none", probe=probe.name), mend)


def _cpu() -> str:
    try:
        return Path("/proc/cpuinfo").read_text("utf-8", "replace")[:4096]
    except OSError:
        return ""


def _virtual() -> bool:
    """A machine in a machine: the processor says so, or this is a container."""
    return " hypervisor" in _cpu() or Path("/run/systemd/container").exists() or Path("/.dockerenv").exists()
