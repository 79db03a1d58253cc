"""temperature: a machine's temperature sensors and fans. What people write; the reader is in temperature_read.py."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from forewarn.probers.options import Options, Texts

METRICS = {
    "temperature_celsius": "what the sensor shows {sensor}",
    "headroom_celsius": "how far it is below the sensor's own limit (maximum, else critical) {sensor}",
    "fan_rpm": "turns of a fan in a minute {fan}",
    "fan_slow": "1 while a fan turns more slowly than the minimum that it declares {fan}",
    "throttles_total": "times that a processor had to slow down for heat, since Forewarn looks {scope}: core or package",
}


class TemperatureOptions(Options):
    """Options of a probe of kind temperature; all are optional."""

    skip: Texts = Field(default=(), description="sensors and fans to leave out, globs of chip/label")
    sysfs_root: str = Field(default="/sys", description="where the kernel shows its sensors")
    ipmi: Literal["auto", "always", "never"] = Field(
        default="auto",
        description="ask the management controller by ipmitool, which needs root; auto: where the kernel has found one",
    )
