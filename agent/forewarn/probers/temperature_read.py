"""Looks at temperatures and fans for kind temperature: hwmon, thermal zones, drives, and the management controller.

A sensor that shows what no temperature can be, or that has not moved for a day while another one did, is left out and
named: a limit judged on it would be a lie either way. Its findings stay as they are.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from forewarn.model.probe import Probe, Target
from forewarn.model.series import Column, Outcome, ProbeRun
from forewarn.probers import ipmi
from forewarn.probers.reasons import Reason, failed, unknown
from forewarn.probers.sensors import PATHS, Fan, Sensor, fans, temperatures, throttles
from forewarn.probers.temperature import TemperatureOptions
from forewarn.reach.local import CannotRun
from forewarn.reach.machine import CannotReach, Machine, Machines, only_here

COLDEST, HOTTEST = -40.0, 125.0
"""Beyond these it is a sensor that is not connected (127, -128, 255), not a temperature."""
STUCK_S = 86_400.0
CAP_BYTES = 256
IPMI_S, IPMI_STALE_S, IPMI_ASK_S, IPMI_FIRST_S = 120.0, 600.0, 60.0, 3.0
"""A controller takes seconds to answer: it is asked every two minutes, beside the runs."""
IPMI_CAP_BYTES = 262_144
NO_SENSOR = (
    "this machine shows no temperature sensor; a virtual machine has none, on hardware load the drivers: sensors-detect "
    "(package lm-sensors)"
)


@dataclass(slots=True)
class Seen:
    """What a sensor showed last, and since when it has shown just that (epoch seconds)."""

    celsius: float
    since_s: float
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Bmc:
    """What the controller said, or why it did not."""

    sensors: tuple[Sensor, ...] = ()
    fans: tuple[Fan, ...] = ()
    trouble: str | None = None


@dataclass(slots=True)
class Kept:
    """Of one target, between runs. Times are epoch seconds."""

    seen: dict[str, Seen] = field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    throttles: dict[str, float] = field(default_factory=dict)
    counted: dict[str, float] = field(default_factory=dict)
    bmc: Bmc = field(default_factory=Bmc)
    asked_s: float = 0.0
    answered_s: float = 0.0
    asking: asyncio.Task[Bmc] | None = None


class TemperatureProber:
    """`machines` are those it may look at."""

    def __init__(self, machines: Machines = only_here) -> None:
        self._machines = machines
        self._kept: dict[tuple[str, str], Kept] = {}

    async def __call__(self, probe: Probe, target: Target, at_s: float) -> ProbeRun:
        try:
            async with asyncio.timeout(probe.timeout_s):
                return await self.look(probe, target, at_s, time.time())
        except TimeoutError:
            why = unknown(Reason.TIMEOUT, f"reading the sensors took longer than {probe.timeout_s:g} s")
            return failed(probe, target, why, time.time(), took_s=probe.timeout_s)

    def close(self) -> None:
        for kept in self._kept.values():
            if kept.asking:
                kept.asking.cancel()

    async def look(self, probe: Probe, target: Target, due_s: float, at_s: float) -> ProbeRun:
        """One run at `at_s`."""
        options: TemperatureOptions = probe.options  # type: ignore[assignment]
        late_s, begun = max(0.0, at_s - due_s), time.monotonic()
        kept, machine = self._kept.setdefault((probe.name, target.name), Kept()), self._machines(target.where)
        root = options.sysfs_root.rstrip("/")
        raw = await machine.read([f"{root}/{path}" for path in PATHS], probe.timeout_s, CAP_BYTES)
        texts = {path[len(root) + 1 :]: content.decode("utf-8", "replace") for path, content in raw.items()}
        bmc = await _bmc(machine, options, kept, at_s)
        sensors = [one for one in (*temperatures(texts), *bmc.sensors) if not _any(options.skip, one.name)]
        turning = [one for one in (*fans(texts), *bmc.fans) if not _any(options.skip, one.name)]
        doubts = doubtful(kept.seen, sensors, at_s)
        found = [pair for one in sensors if one.name not in doubts for pair in _values(one)]
        found += [pair for one in turning for pair in _turns(one)]
        if found:
            found += _slowed(kept, throttles(texts))
        detail = "; ".join([*doubts.values(), *([bmc.trouble] if bmc.trouble else [])]) or None
        took_s = time.monotonic() - begun
        if not found:
            return failed(probe, target, unknown(Reason.MISSING, detail or NO_SENSOR), at_s, late_s, took_s)
        columns: tuple[Column, ...] = tuple(column for column, _ in found)
        kept.columns = columns if kept.columns != columns else kept.columns
        return ProbeRun(
            probe=probe.name,
            target=target.name,
            at_s=at_s,
            outcome=Outcome.UP,
            columns=kept.columns,
            values=tuple(value for _, value in found),
            detail=detail,
            lateness_s=late_s,
            took_s=took_s,
            hidden=tuple(("sensor", _literal(name)) for name in doubts),
        )


def doubtful(seen: dict[str, Seen], sensors: list[Sensor], at_s: float) -> dict[str, str]:
    """Why a sensor is not believed, by its name; `seen` is brought forward."""
    for one in sensors:
        before = seen.get(one.name)
        if before is None:
            seen[one.name] = Seen(one.celsius, at_s)
        elif before.celsius != one.celsius or at_s < before.since_s:
            seen[one.name] = Seen(one.celsius, at_s, moved=before.celsius != one.celsius or before.moved)
    others_move = any(one.moved and at_s - one.since_s < STUCK_S for one in seen.values())
    found = {}
    for one in sensors:
        if not COLDEST < one.celsius < HOTTEST:
            found[one.name] = f"{one.name} shows {one.celsius:g} °C, which can't be"
        elif others_move and at_s - seen[one.name].since_s >= STUCK_S:
            found[one.name] = f"{one.name} has shown {one.celsius:g} °C for a day and does not move"
    return found


async def _bmc(machine: Machine, options: TemperatureOptions, kept: Kept, at_s: float) -> Bmc:
    """The controller's newest answer; asked beside the runs, of which only the first waits for it for a moment."""
    if options.ipmi == "never":
        return Bmc()
    if kept.asking is None and not 0 <= at_s - kept.asked_s < IPMI_S:
        first, kept.asked_s = not kept.asked_s, at_s
        kept.asking = asyncio.create_task(_ask(machine, options.ipmi == "always"), name=f"ipmi of {machine.name}")
        if first:
            await asyncio.wait({kept.asking}, timeout=IPMI_FIRST_S)
    if kept.asking and kept.asking.done():
        kept.bmc, kept.answered_s = kept.asking.result(), at_s
        kept.asking = None
    if kept.bmc.sensors and at_s - kept.answered_s > IPMI_STALE_S:
        return Bmc(trouble="the management controller has not answered for ten minutes")
    return kept.bmc


async def _ask(machine: Machine, wanted: bool) -> Bmc:
    """`wanted`: it is said that there is one, so that what goes wrong is told."""
    try:
        if not wanted and not await machine.read(ipmi.DEVICES, IPMI_ASK_S, 1):
            return Bmc()
        ran = await machine.run(ipmi.ARGV, IPMI_ASK_S, IPMI_CAP_BYTES)
    except CannotRun as error:
        return Bmc(trouble=f"the management controller can't be asked: {error}" if wanted else None)
    except (TimeoutError, CannotReach):
        return Bmc(trouble="the management controller can't be asked" if wanted else None)
    sensors, turning = ipmi.sensors(ran.out)
    if ran.timed_out or not (sensors or turning):
        said = "no answer in time" if ran.timed_out else (ran.err or ran.out).strip().partition("\n")[0][:120] or f"exit {ran.code}"
        return Bmc(trouble=f"ipmitool gives no sensors: {said}" if wanted else None)
    return Bmc(tuple(sensors), tuple(turning))


def _values(one: Sensor) -> Iterator[tuple[Column, float]]:
    labels = (("sensor", one.name),)
    yield ("temperature_celsius", labels), one.celsius
    if one.limit is not None:
        yield ("headroom_celsius", labels), one.limit - one.celsius


def _turns(one: Fan) -> Iterator[tuple[Column, float]]:
    labels = (("fan", one.name),)
    yield ("fan_rpm", labels), one.rpm
    if one.least is not None:
        yield ("fan_slow", labels), float(one.slow)


def _slowed(kept: Kept, now: dict[str, float]) -> Iterator[tuple[Column, float]]:
    """Counted from the first look on; a counter that fell began anew."""
    for scope, count in sorted(now.items()):
        before = kept.throttles.get(scope, count)
        kept.counted[scope] = kept.counted.get(scope, 0.0) + (count - before if count >= before else count)
        kept.throttles[scope] = count
        yield ("throttles_total", (("scope", scope),)), kept.counted[scope]


def _any(globs: tuple[str, ...], text: str) -> bool:
    return any(fnmatchcase(text, one) for one in globs)


def _literal(name: str) -> str:
    """A glob that matches this name alone."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in name)
