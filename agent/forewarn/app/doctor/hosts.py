"""Hosts over SSH: can each be reached and logged in to, and does nobody else read the keys for it."""

from __future__ import annotations

import asyncio
import shlex
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from forewarn.app.doctor.check import FINE, PROBLEM, Check, Patient
from forewarn.app.doctor.remedies import as_root, edit
from forewarn.app.hosts import Reached, reach
from forewarn.model.map import Host
from forewarn.model.text import say


def look(patient: Patient) -> Iterator[Check]:
    """One line for all hosts that can be reached, one for each that can't; nothing where there are no hosts."""
    hosts = patient.settings.hosts if patient.settings else {}
    if not hosts:
        return
    yield from _keys(hosts.values())
    found = asyncio.run(reach(hosts, hosts))
    if fine := [one for one in found if one.away is None]:
        yield Check("hosts", FINE, say("doctor.hosts.fine", count=len(fine)))
    for one in found:
        if one.away:
            yield Check("hosts", PROBLEM, say("doctor.hosts.away", why=str(one.away)), _mend(patient, one))


def _keys(hosts: Iterable[Host]) -> Iterator[Check]:
    for path in sorted({host.key for host in hosts if host.key}):
        try:
            mode = stat.S_IMODE(Path(path).stat().st_mode)
        except OSError:
            continue  # said where a host needs it
        if mode & 0o077:
            yield Check("hosts", PROBLEM, say("doctor.hosts.open_key", path=path, mode=f"{mode:o}"), as_root("chmod", "600", path))


def _mend(patient: Patient, one: Reached) -> str:
    host, reason = one.host, one.away.reason if one.away else ""
    if reason == "host_key":
        return f"forewarn hosts trust {shlex.quote(host.name)}"
    if reason == "host_key_changed" and not host.fingerprints:
        return f"forewarn hosts trust {shlex.quote(host.name)} --replace"
    if reason == "auth" and host.key:
        jump = [f"-oProxyJump={patient.settings.hosts[host.jump].address}"] if host.jump and patient.settings else []
        return shlex.join(["ssh-copy-id", "-i", f"{host.key}.pub", "-p", str(host.port), *jump, f"{host.user}@{host.address}"])
    return edit(patient.folder / Path(host.source.file), host.source.line)
