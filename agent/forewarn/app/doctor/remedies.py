"""Commands that mend things, as this machine wants them typed."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

PACKAGES = {
    "smartctl": "smartmontools",
    "ssh": "openssh-client",
    "journalctl": "systemd",
    "systemctl": "systemd",
    "curl": "curl",
    "ip": "iproute2",
    "ss": "iproute2",
    "ps": "procps",
    "free": "procps",
    "lsof": "lsof",
    "sensors": "lm-sensors",
    "du": "coreutils",
    "find": "findutils",
    "openssl": "openssl",
    "chronyd": "chrony",
    "rsyslogd": "rsyslog",
}
"""Debian's package of a program; other systems call a few of them otherwise."""

OTHERWISE = {
    "dnf": {"openssh-client": "openssh-clients", "iproute2": "iproute", "procps": "procps-ng", "lm-sensors": "lm_sensors"},
    "zypper": {"openssh-client": "openssh-clients", "lm-sensors": "sensors"},
    "pacman": {"openssh-client": "openssh", "procps": "procps-ng", "lm-sensors": "lm_sensors"},
    "apk": {"openssh-client": "openssh-client-default"},
}
INSTALL = {
    "apt-get": ("apt-get", "install"),
    "dnf": ("dnf", "install"),
    "zypper": ("zypper", "install"),
    "pacman": ("pacman", "-S"),
    "apk": ("apk", "add"),
}
PLUGINS = ("/usr/lib/nagios/plugins/", "/usr/lib64/nagios/plugins/")


def as_root(*argv: str) -> str:
    """The command, with sudo unless we are root already."""
    return shlex.join(argv if os.geteuid() == 0 else ("sudo", *argv))


def install(program: str) -> str | None:
    """How to get a program; None where nobody knows its package."""
    package = "monitoring-plugins-basic" if program.startswith(PLUGINS) else PACKAGES.get(Path(program).name)
    manager = next((name for name in INSTALL if shutil.which(name)), None)
    if package is None or manager is None:
        return None
    return as_root(*INSTALL[manager], OTHERWISE.get(manager, {}).get(package, package))


def edit(file: Path | str, line: int = 1) -> str:
    """Open a file at a line."""
    return f"${{EDITOR:-vi}} +{line} {shlex.quote(str(file))}"
