"""What a server's management controller (BMC) says, of `ipmitool sensor`. Pure: text in, values out. Source: ipmitool(1).

A line is: name, value, unit, status, and six limits: lower non-recoverable, lower critical, lower non-critical, upper
non-critical, upper critical, upper non-recoverable. What is not there is `na`.
"""

from __future__ import annotations

from forewarn.probers.sensors import HIGHEST_LIMIT, Fan, Sensor

ARGV = ("ipmitool", "sensor")
DEVICES = ("/sys/class/ipmi/ipmi*/uevent",)
"""There where the kernel has found a controller."""


def sensors(text: str) -> tuple[list[Sensor], list[Fan]]:
    """Temperatures and fans; sensors that are absent, and all other kinds, are left out."""
    found: tuple[list[Sensor], list[Fan]] = ([], [])
    for line in text.splitlines():
        fields = [field.strip() for field in line.split("|")]
        value = _number(fields[1]) if len(fields) >= 10 else None
        if value is None:
            continue
        name, unit, limits = f"bmc/{fields[0]}", fields[2], [_number(field) for field in fields[4:10]]
        if unit == "degrees C":
            upper = next((one for one in limits[3:5] if one is not None and 0 < one <= HIGHEST_LIMIT), None)
            found[0].append(Sensor(name, value, upper))
        elif unit == "RPM":
            lower = next((one for one in (limits[1], limits[2]) if one is not None and one > 0), None)
            found[1].append(Fan(name, value, lower))
    return found


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
