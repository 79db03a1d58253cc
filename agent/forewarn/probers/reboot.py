"""Whether a machine waits to be restarted. Pure: what packages left behind, and which kernels are installed."""

from __future__ import annotations

import re
from collections.abc import Iterable

REQUIRED = ("/run/reboot-required", "/var/run/reboot-required")
"""Written by packages of Debian and Ubuntu."""
KERNELS = "/lib/modules/*/modules.builtin"
"""One for each kernel that is installed with its modules."""
RUNNING = "/proc/sys/kernel/osrelease"


def installed(paths: Iterable[str]) -> list[str]:
    """Releases of kernels, of the paths that KERNELS matched."""
    return [path.split("/")[3] for path in paths if path.startswith("/lib/modules/")]


def newer_kernel(running: str, kernels: Iterable[str]) -> str | None:
    """The newest installed kernel of the running one's flavour, if it is newer. None also where the running one is not
    among them: a container, or a kernel from elsewhere."""
    known = set(kernels)
    if running not in known:
        return None
    same = [one for one in known if _flavour(one) == _flavour(running)]
    newest = max(same, key=_order)
    return newest if _order(newest) > _order(running) else None


def _flavour(release: str) -> str:
    """`amd64`, `generic`, `el9.x86_64`: what is left without the numbers of the version."""
    return re.sub(r"[\d_]+", "", re.sub(r"^[\d.]+(-[\d.]+)*", "", release))


def _order(release: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", release))
