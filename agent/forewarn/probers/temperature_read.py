"""Reads temperatures and fans for kind temperature: hwmon, and the thermal zones that hwmon does not show.

Sources: kernel docs hwmon/sysfs-interface (millidegrees, `_max`, `_crit`, `_fault`) and driver-api/thermal/sysfs-api.
A sensor that shows what no temperature can be, or that has not moved for a day while another one did, is left out and
named: a limit judged on it would be a lie either way.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from forewarn.model.probe import Probe, Target
from forewarn.model.series import Column, Outcome, ProbeRun
from forewarn.probers.reasons import Reason, failed, unknown
from forewarn.probers.temperature import TemperatureOptions

COLDEST, HOTTEST = -40.0, 125.0
"""Beyond these it is a sensor that is not connected (127, -128, 255), not a temperature."""
HIGHEST_LIMIT = 150.0
STUCK_S = 86_400.0
NO_SENSOR = (
    "this machine shows no temperature sensor; a virtual machine has none, on hardware load the drivers: sensors-detect "
    "(package lm-sensors)"
)


@dataclass(frozen=True, slots=True)
class Sensor:
    """One reading. `limit` is the sensor's own, in degrees Celsius; None where it declares none that can be true."""

    name: str
    celsius: float
    limit: float | None


@dataclass(slots=True)
class Seen:
    """What a sensor showed last, and since when it has shown just that (epoch seconds)."""

    celsius: float
    since_s: float
    moved: bool = False


class TemperatureProber:
    """Reads on a thread of its own: a sensor behind a slow bus takes its time."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="temperature")
        self._seen: dict[str, dict[str, Seen]] = {}
        self._columns: dict[str, tuple[Column, ...]] = {}

    async def __call__(self, probe: Probe, target: Target, at_s: float) -> ProbeRun:
        try:
            async with asyncio.timeout(probe.timeout_s):
                return await asyncio.get_running_loop().run_in_executor(self._pool, self.look, probe, target, at_s, time.time())
        except TimeoutError:
            why = unknown(Reason.TIMEOUT, f"reading the sensors took longer than {probe.timeout_s:g} s")
            return failed(probe, target, why, time.time(), took_s=probe.timeout_s)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def look(self, probe: Probe, target: Target, due_s: float, at_s: float) -> ProbeRun:
        """One run at `at_s`, on this thread."""
        options: TemperatureOptions = probe.options  # type: ignore[assignment]
        root = Path(options.sysfs_root)
        late_s, begun = max(0.0, at_s - due_s), time.monotonic()
        sensors = [one for one in temperatures(root) if not _any(options.skip, one.name)]
        troubles = self._doubtful(probe.name, sensors, at_s)
        found = [pair for one in sensors if one.name not in troubles for pair in _values(one)]
        found += [(("fan_rpm", (("fan", name),)), rpm) for name, rpm in fans(root) if not _any(options.skip, name)]
        detail = "; ".join(troubles.values()) or None
        took_s = time.monotonic() - begun
        if not found:
            return failed(probe, target, unknown(Reason.MISSING, detail or NO_SENSOR), at_s, late_s, took_s)
        columns: tuple[Column, ...] = tuple(column for column, _ in found)
        before = self._columns.get(probe.name)
        columns = self._columns[probe.name] = before if before == columns else columns
        return ProbeRun(
            probe=probe.name,
            target=target.name,
            at_s=at_s,
            outcome=Outcome.UP,
            columns=columns,
            values=tuple(value for _, value in found),
            detail=detail,
            lateness_s=late_s,
            took_s=took_s,
        )

    def _doubtful(self, probe: str, sensors: list[Sensor], at_s: float) -> dict[str, str]:
        """Why a sensor is not believed, by its name."""
        seen = self._seen.setdefault(probe, {})
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


def temperatures(root: Path) -> Iterator[Sensor]:
    """Every sensor of hwmon, and the thermal zones whose type no hwmon chip bears."""
    chips, names = set(), dict[str, int]()
    for folder in _folders(root / "class/hwmon", "hwmon"):
        chip = _text(folder / "name") or folder.name
        chips.add(chip)
        for file in sorted(folder.glob("temp*_input"), key=_order):
            stem = file.name.removesuffix("_input")
            value = _thousandth(file)
            if value is None or _text(folder / f"{stem}_fault") == "1":
                continue
            name = _unique(names, f"{chip}/{_text(folder / f'{stem}_label') or stem}")
            yield Sensor(name, value, _limit(folder, stem))
    for folder in _folders(root / "class/thermal", "thermal_zone"):
        kind, value = _text(folder / "type") or folder.name, _thousandth(folder / "temp")
        if kind not in chips and value is not None:
            yield Sensor(_unique(names, kind), value, _trip(folder))


def fans(root: Path) -> Iterator[tuple[str, float]]:
    """Name and turns of each fan that turns or has a label: a header without a fan shows 0."""
    names = dict[str, int]()
    for folder in _folders(root / "class/hwmon", "hwmon"):
        chip = _text(folder / "name") or folder.name
        for file in sorted(folder.glob("fan*_input"), key=_order):
            stem = file.name.removesuffix("_input")
            turns, label = _text(file), _text(folder / f"{stem}_label")
            if turns and turns.isdigit() and (int(turns) > 0 or label):
                yield _unique(names, f"{chip}/{label or stem}"), float(turns)


def _values(one: Sensor) -> Iterator[tuple[Column, float]]:
    labels = (("sensor", one.name),)
    yield ("temperature_celsius", labels), one.celsius
    if one.limit is not None:
        yield ("headroom_celsius", labels), one.limit - one.celsius


def _limit(folder: Path, stem: str) -> float | None:
    found = (_thousandth(folder / f"{stem}_{what}") for what in ("max", "crit"))
    return next((value for value in found if value is not None and 0 < value <= HIGHEST_LIMIT), None)


def _trip(folder: Path) -> float | None:
    """A zone's hot trip point, else its critical one."""
    kinds = {_text(file): file for file in folder.glob("trip_point_*_type")}
    for kind in ("hot", "critical"):
        if file := kinds.get(kind):
            value = _thousandth(folder / file.name.replace("_type", "_temp"))
            if value is not None and 0 < value <= HIGHEST_LIMIT:
                return value
    return None


def _folders(place: Path, prefix: str) -> list[Path]:
    with suppress(OSError):
        return sorted((one for one in place.iterdir() if one.name.startswith(prefix)), key=_order)
    return []


def _order(path: Path) -> tuple[int, str]:
    """By number: temp2 before temp10."""
    found = re.search(r"\d+", path.name)
    return (int(found[0]) if found else 0), path.name


def _unique(names: dict[str, int], name: str) -> str:
    names[name] = names.get(name, 0) + 1
    return name if names[name] == 1 else f"{name} #{names[name]}"


def _text(file: Path) -> str | None:
    """A small file's text; None where it is missing or its device does not answer."""
    try:
        return file.read_text("utf-8", "replace").strip()
    except OSError:
        return None


def _thousandth(file: Path) -> float | None:
    text = _text(file)
    try:
        return None if text is None else int(text) / 1000
    except ValueError:
        return None


def _any(globs: tuple[str, ...], text: str) -> bool:
    return any(fnmatchcase(text, one) for one in globs)
