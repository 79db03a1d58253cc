"""Temperatures, fans and throttling as the kernel shows them. Pure: texts by path below sysfs in, values out.

Sources: kernel docs hwmon/sysfs-interface (millidegrees, `_max`, `_crit`, `_fault`), driver-api/thermal/sysfs-api, and
x86/include/asm/therm_throt (throttle counters since the start of the machine).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Texts = Mapping[str, str]

HIGHEST_LIMIT = 150.0
_PARTS = ("temp*_input", "temp*_label", "temp*_max", "temp*_crit", "temp*_fault", "fan*_input", "fan*_label", "fan*_min")
_THROTTLE = "devices/system/cpu/cpu*/thermal_throttle"
PATHS = (
    *(f"class/hwmon/hwmon*/{part}" for part in ("name", "device/serial", "device/vpd_pg80", *_PARTS)),
    *(f"class/hwmon/hwmon*/device/{part}" for part in _PARTS),  # where kernels before 3.x had them
    *(f"class/thermal/thermal_zone*/{part}" for part in ("type", "temp", "trip_point_*_type", "trip_point_*_temp")),
    f"{_THROTTLE}/core_throttle_count",
    f"{_THROTTLE}/package_throttle_count",
)
"""All that is read, below the root of sysfs."""


@dataclass(frozen=True, slots=True)
class Sensor:
    """One reading. `limit` is the sensor's own, in degrees Celsius; None where it declares none that can be true."""

    name: str
    celsius: float
    limit: float | None


@dataclass(frozen=True, slots=True)
class Fan:
    """`least` is its own minimum in turns a minute; None where it declares none."""

    name: str
    rpm: float
    least: float | None

    @property
    def slow(self) -> bool:
        return self.least is not None and self.rpm < self.least


def temperatures(texts: Texts) -> Iterator[Sensor]:
    """Every sensor of hwmon, and the thermal zones whose type no hwmon chip bears."""
    kinds, names = set(), dict[str, int]()
    for folder in _folders(texts, "class/hwmon/hwmon"):
        chip = _chip(texts, folder)
        kinds.add(texts.get(f"{folder}/name", "").strip())
        place = _place(texts, folder, "temp")
        for stem in _stems(texts, place, "temp"):
            value = _thousandth(texts, f"{place}/{stem}_input")
            if value is None or texts.get(f"{place}/{stem}_fault", "").strip() == "1":
                continue
            label = texts.get(f"{place}/{stem}_label", "").strip() or stem
            yield Sensor(_unique(names, f"{chip}/{label}"), value, _limit(texts, place, stem))
    for folder in _folders(texts, "class/thermal/thermal_zone"):
        kind = texts.get(f"{folder}/type", "").strip() or _last(folder)
        value = _thousandth(texts, f"{folder}/temp")
        if kind not in kinds and value is not None:
            yield Sensor(_unique(names, kind), value, _trip(texts, folder))


def fans(texts: Texts) -> Iterator[Fan]:
    """Each fan that turns, has a label or a minimum: a header without a fan shows 0."""
    names = dict[str, int]()
    for folder in _folders(texts, "class/hwmon/hwmon"):
        chip, place = _chip(texts, folder), _place(texts, folder, "fan")
        for stem in _stems(texts, place, "fan"):
            turns, label = texts.get(f"{place}/{stem}_input", "").strip(), texts.get(f"{place}/{stem}_label", "").strip()
            least = texts.get(f"{place}/{stem}_min", "").strip()
            if turns.isdigit() and (int(turns) > 0 or label):
                known = float(least) if least.isdigit() and int(least) > 0 else None
                yield Fan(_unique(names, f"{chip}/{label or stem}"), float(turns), known)


def throttles(texts: Texts) -> dict[str, float]:
    """How often the core (the package) that had to slow down most often did, since the start of the machine, by `core` and
    `package`. Processors without such a counter (AMD, virtual ones) give none."""
    found: dict[str, float] = {}
    for path, text in texts.items():
        what = re.search(r"/thermal_throttle/(core|package)_throttle_count$", path)
        if what and text.strip().isdigit():
            found[what[1]] = max(found.get(what[1], 0.0), float(text))
    return found


def _chip(texts: Texts, folder: str) -> str:
    """Its name; a drive's with the serial number, by which it is the same wherever it is plugged in."""
    name = texts.get(f"{folder}/name", "").strip() or _last(folder)
    serial = texts.get(f"{folder}/device/serial", "").strip() or _printable(texts.get(f"{folder}/device/vpd_pg80", "")[4:])
    return f"{name} {serial}" if serial else name


def _printable(text: str) -> str:
    return "".join(sign for sign in text if sign.isprintable()).strip()


def _place(texts: Texts, folder: str, what: str) -> str:
    """Where the values are: in the folder itself, or below its device."""
    return folder if _stems(texts, folder, what) else f"{folder}/device"


def _folders(texts: Texts, prefix: str) -> list[str]:
    found = {match[0] for path in texts if (match := re.match(rf"{re.escape(prefix)}\d+", path))}
    return sorted(found, key=_number)


def _stems(texts: Texts, place: str, what: str) -> list[str]:
    """temp1, temp2, temp10: by number."""
    begin = f"{place}/{what}"
    found = {path[len(place) + 1 : -len("_input")] for path in texts if path.startswith(begin) and path.endswith("_input")}
    return sorted((stem for stem in found if re.fullmatch(rf"{what}\d+", stem)), key=_number)


def _limit(texts: Texts, place: str, stem: str) -> float | None:
    """Its maximum, else where it is critical."""
    found = (_thousandth(texts, f"{place}/{stem}_{what}") for what in ("max", "crit"))
    return next((value for value in found if value is not None and 0 < value <= HIGHEST_LIMIT), None)


def _trip(texts: Texts, folder: str) -> float | None:
    """A zone's hot trip point, else its critical one."""
    kinds = {
        text.strip(): path for path, text in texts.items() if path.startswith(f"{folder}/trip_point_") and path.endswith("_type")
    }
    for kind in ("hot", "critical"):
        if path := kinds.get(kind):
            value = _thousandth(texts, path.removesuffix("_type") + "_temp")
            if value is not None and 0 < value <= HIGHEST_LIMIT:
                return value
    return None


def _thousandth(texts: Texts, path: str) -> float | None:
    try:
        return int(texts[path]) / 1000
    except (KeyError, ValueError):
        return None


def _unique(names: dict[str, int], name: str) -> str:
    names[name] = names.get(name, 0) + 1
    return name if names[name] == 1 else f"{name} #{names[name]}"


def _last(folder: str) -> str:
    return folder.rpartition("/")[2]


def _number(name: str) -> tuple[int, str]:
    found = re.search(r"(\d+)$", name)
    return (int(found[1]) if found else 0), name
