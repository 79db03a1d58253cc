"""Up to the host's door: its address, a socket on which it has begun to speak, and whether the key it shows is its own."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

from forewarn.model.map import Host
from forewarn.reach.known_hosts import Key, Known
from forewarn.reach.machine import CannotReach

Address = tuple[socket.AddressFamily, tuple[object, ...]]


def addresses(host: Host) -> list[Address]:
    """Where the host may be. Blocks. Raises CannotReach."""
    try:
        found = socket.getaddrinfo(host.address, host.port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        why = f'the address "{host.address}" of {host.name} can\'t be resolved: {error.strerror}'
        raise CannotReach("resolve", why) from None
    return [(family, address) for family, _, _, _, address in found]


async def connected(host: Host, where: Sequence[Address], limit_s: float) -> socket.socket:
    """A socket to the first of the addresses that answers, once something came from there: no thread waits for a host that
    takes connections and says nothing. Raises CannotReach."""
    trouble: CannotReach | None = None
    for family, address in where:
        sock, is_open = socket.socket(family, socket.SOCK_STREAM), False
        sock.setblocking(False)
        try:
            async with asyncio.timeout(limit_s / len(where)):
                await asyncio.get_running_loop().sock_connect(sock, address)
                is_open = True
                await _readable(sock)
            if sock.recv(1, socket.MSG_PEEK):
                return sock
            raise ConnectionResetError
        except OSError as error:
            sock.close()
            trouble = _away(host, error, is_open)
        except BaseException:
            sock.close()
            raise
    assert trouble
    raise trouble


async def _readable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    came: asyncio.Future[None] = loop.create_future()
    loop.add_reader(sock, lambda: None if came.done() else came.set_result(None))
    try:
        await came
    finally:
        loop.remove_reader(sock)


def _away(host: Host, error: OSError, is_open: bool) -> CannotReach:
    who = f"{host.name} ({host.place})"
    if isinstance(error, TimeoutError) and is_open:
        return CannotReach("unreachable", f"{who} takes the connection and says nothing; its sshd hangs, or it is no SSH port")
    if isinstance(error, ConnectionRefusedError):
        return CannotReach("refused", f"{who} refuses connections; does sshd run there, on this port?")
    if isinstance(error, TimeoutError):
        return CannotReach("unreachable", f"{who} does not answer; is it on, and its port open to us?")
    if isinstance(error, ConnectionResetError):
        return CannotReach("reset", f"{who} closes the connection at once; does its sshd refuse this address, or have too many?")
    return CannotReach("unreachable", f"{who} can't be reached: {error.strerror or error}")


def judge(host: Host, found: Sequence[Known], shown: Key) -> None:
    """Whether `shown` is a key of the host. Raises CannotReach with what to do."""
    trust = f"forewarn hosts trust {host.name}"
    is_shown = f"{host.name} ({host.place}) shows the {shown.kind} key {shown.fingerprint}"
    if any(one.revoked and one.key == shown for one in found):
        raise CannotReach("host_key_changed", f"{is_shown}, which is revoked in known_hosts")
    if host.fingerprints:
        if shown.fingerprint not in host.fingerprints:
            why = f"{is_shown}; {host.source} says {' or '.join(host.fingerprints)}"
            raise CannotReach("host_key_changed", f"{why}. If the host was set up anew, write the new one there")
        return
    good = [one for one in found if not one.revoked]
    if any(one.key == shown for one in good):
        return
    if good:
        why = f"{is_shown}; {good[0].where} says {good[0].key.fingerprint}. If it was set up anew: {trust} --replace"
        raise CannotReach("host_key_changed", f"{why}; if not, somebody may stand between")
    raise CannotReach("host_key", f"{is_shown}, which is not known yet; compare it and accept it with: {trust}")
