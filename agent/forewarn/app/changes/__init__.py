"""Changes of this machine that nobody tells us: packages, kernels, restarts, units, configuration files, certificates, disks.

packages.py reads what package managers wrote, machine.py compares what the machine is with what it was, files.py what stands
under /etc (by hash: no content is kept or told), finder.py puts what is new into the feed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """A change that was seen. `key` is the same whenever the same change is seen again."""

    what: str
    at: datetime
    text: str
    key: str
