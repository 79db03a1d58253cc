"""Hosts over SSH for people at the command line and the doctor: can they be reached, and whose key is it that they show."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from forewarn.model.map import Host
from forewarn.reach.fleet import Fleet
from forewarn.reach.known_hosts import Key, Known, known, line_of, named, without
from forewarn.reach.machine import CannotReach


@dataclass(frozen=True, slots=True)
class Reached:
    """One host, tried once: `away` tells why it could not be reached, `took_s` how long that was to find out."""

    host: Host
    away: CannotReach | None
    took_s: float


async def reach(hosts: Mapping[str, Host], names: Iterable[str]) -> list[Reached]:
    """Log in to each, all at the same time."""
    fleet = Fleet(hosts)

    async def one(name: str) -> Reached:
        begun, away = time.monotonic(), None
        try:
            await fleet.connection(name).opened(asyncio.get_running_loop().time() + 60)
        except CannotReach as error:
            away = error
        return Reached(hosts[name], away, time.monotonic() - begun)

    try:
        return list(await asyncio.gather(*map(one, names)))
    finally:
        fleet.close()


async def shown_key(hosts: Mapping[str, Host], name: str) -> Key:
    """The key that a host shows, known or not; nobody logs in. Raises CannotReach."""
    fleet = Fleet(hosts)
    try:
        return await fleet.connection(name).shown()
    finally:
        fleet.close()


def standing(host: Host, shown: Key | None = None) -> tuple[str, list[Known]]:
    """What is known of a host's key: pinned, known, unknown; and with the key that it shows: same, other or revoked. With
    the entries of its files. Raises OSError."""
    if host.fingerprints:
        return "pinned", []
    found = known(host.known_hosts, host.address, host.port)
    good = [one for one in found if not one.revoked]
    if shown and any(one.key == shown for one in found if one.revoked):
        return "revoked", found
    if shown and any(one.key == shown for one in good):
        return "same", good
    return ("other" if shown else "known") if good else "unknown", good


def accept(host: Host, key: Key) -> Path:
    """Make a key the known one in the first of the host's files, instead of what stands there for it; answers the file.
    It is replaced whole, so that no reader sees half of it. Raises OSError."""
    path = Path(host.known_hosts[0])
    try:
        text, mode = path.read_text("utf-8", "surrogateescape"), path.stat().st_mode & 0o777
    except FileNotFoundError:
        text, mode = "", 0o644
    text = without(text, str(path), named(host.address, host.port))
    text += "" if not text or text.endswith("\n") else "\n"
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(
            os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8", errors="surrogateescape"
        ) as file:
            file.write(text + line_of(host.address, host.port, key))
        part.replace(path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    return path
