"""What systemctl says of its units. Pure: texts in, values out. Source: systemctl(1), org.freedesktop.systemd1(5)."""

from __future__ import annotations

from collections.abc import Mapping

FAILED = ("systemctl", "list-units", "--state=failed", "--plain", "--no-legend", "--no-pager", "--full", "--all")
RESTARTED = ("systemctl", "show", "--no-pager", "--property=Id,NRestarts", "*.service")
PROPERTIES = ("ActiveState", "SubState", "MainPID", "NRestarts", "ControlGroup")


def show(unit: str) -> tuple[str, ...]:
    """What kind process asks about one unit."""
    return ("systemctl", "show", "--no-pager", f"--property={','.join(PROPERTIES)}", "--", unit)


def failed(listed: str) -> list[str]:
    """Names of units, of FAILED's output; a bullet may stand before each."""
    names = (line.replace("●", " ").split() for line in listed.splitlines())
    return sorted({name[0] for name in names if name and "." in name[0]})


def blocks(shown: str) -> list[dict[str, str]]:
    """Properties of each unit; `systemctl show` parts units by an empty line."""
    found: list[dict[str, str]] = [{}]
    for line in shown.splitlines():
        name, sign, value = line.partition("=")
        if not line:
            found.append({})
        elif sign:
            found[-1][name] = value
    return [block for block in found if block]


def restarts(shown: str) -> dict[str, int]:
    """Restarts by unit, of RESTARTED's output."""
    return {
        block["Id"]: int(block["NRestarts"]) for block in blocks(shown) if "Id" in block and block.get("NRestarts", "").isdigit()
    }


class Restarts:
    """Counts restarts since the first look: systemd's own counter begins anew when a unit is started by hand."""

    def __init__(self) -> None:
        self._before: dict[str, int] | None = None
        self._counted: dict[str, float] = {}

    def take(self, now: Mapping[str, int]) -> Mapping[str, float]:
        """Units that were ever restarted while we looked."""
        for unit, count in now.items():
            before = (self._before or {}).get(unit, 0 if self._before is not None else count)
            grown = count - before if count >= before else count
            if grown:
                self._counted[unit] = self._counted.get(unit, 0.0) + grown
        self._before = dict(now)
        return self._counted
