"""Connects for kind tcp, and measures each phase. One fresh connection a run; no thread but the resolver's."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache

from forewarn.model.probe import Probe, Target
from forewarn.model.series import Column, Outcome, ProbeRun
from forewarn.probers.reasons import Failure, Reason, down, failed, unknown
from forewarn.probers.tcp import METRICS, MOST_READ, TcpOptions, place
from forewarn.reach.mask import mask
from forewarn.reach.wire import trusted

OURS = frozenset({errno.ENETDOWN, errno.ENETUNREACH, errno.EADDRNOTAVAIL})
"""Errors that say something about this machine, not about the target."""
SHOWN = 80


class TcpProber:
    """One run of one target. Holds only the columns that runs have in common."""

    async def __call__(self, probe: Probe, target: Target, at_s: float) -> ProbeRun:
        begun_s, begun = time.time(), time.monotonic()
        late_s = max(0.0, begun_s - at_s)
        phases: dict[str, float] = {}
        where = place(target.address)
        if where is None:
            return failed(probe, target, unknown(Reason.CONFIG, f'"{target.address}" is not host:port'), begun_s, late_s)
        why: Failure | None
        try:
            async with asyncio.timeout(probe.timeout_s):
                why = await self._talk(probe.options, where, phases)  # type: ignore[arg-type]
        except TimeoutError:
            why = down(Reason.TIMEOUT, f"no answer within {probe.timeout_s:g} s, {_reached(phases)}")
        except OSError as error:
            why = _why(error, where)
        took_s = time.monotonic() - begun
        if why is not None:
            return failed(probe, target, why, begun_s, late_s, took_s)
        phases["total_s"] = took_s
        return ProbeRun(
            probe=probe.name,
            target=target.name,
            at_s=begun_s,
            outcome=Outcome.UP,
            columns=_columns(tuple(name for name in METRICS if name in phases)),
            values=tuple(phases[name] for name in METRICS if name in phases),
            lateness_s=late_s,
            took_s=took_s,
        )

    def close(self) -> None:
        """Nothing is held."""

    async def _talk(self, options: TcpOptions, where: tuple[str, int], phases: dict[str, float]) -> Failure | None:
        sock = await _connected(where, phases)
        try:
            context = await _context(options)
            began = time.monotonic()
            name = (options.name or where[0]) if context else None
            reader, writer = await asyncio.open_connection(sock=sock, ssl=context, server_hostname=name, limit=MOST_READ)
        except BaseException:
            sock.close()
            raise
        try:
            if context:
                phases["tls_s"] = time.monotonic() - began
                _certificate(writer.get_extra_info("peercert"), phases)
            if options.send:
                writer.write(options.to_send)
                await writer.drain()
            return await _heard(reader, options, phases) if options.pattern else None
        finally:
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                writer.transport.abort()


async def _connected(where: tuple[str, int], phases: dict[str, float]) -> socket.socket:
    """A socket to the first address that answers."""
    loop, began = asyncio.get_running_loop(), time.monotonic()
    places = await loop.getaddrinfo(*where, type=socket.SOCK_STREAM)
    phases["resolve_s"] = time.monotonic() - began
    problem: OSError | None = None
    for family, kind, protocol, _, address in places:
        began = time.monotonic()
        sock = socket.socket(family, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, protocol)
        try:
            await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            problem = error
        except BaseException:
            sock.close()
            raise
        else:
            phases["connect_s"] = time.monotonic() - began
            return sock
    raise problem or OSError(errno.EADDRNOTAVAIL, "no address")


async def _context(options: TcpOptions) -> ssl.SSLContext | None:
    if not options.tls:
        return None
    if not options.verify:
        return _unverified()
    if options.ca_file is None:
        return await asyncio.to_thread(trusted)
    return await asyncio.to_thread(_trusting, str(options.ca_file), os.stat(options.ca_file).st_mtime_ns)  # noqa: PTH116


@lru_cache(maxsize=1)
def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@lru_cache(maxsize=32)
def _trusting(ca_file: str, _changed: int) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)


def _certificate(found: Mapping[str, object] | None, phases: dict[str, float]) -> None:
    if found and isinstance(ends := found.get("notAfter"), str):
        phases["certificate_s"] = ssl.cert_time_to_seconds(ends) - time.time()


async def _heard(reader: asyncio.StreamReader, options: TcpOptions, phases: dict[str, float]) -> Failure | None:
    """Read until what it says fits the pattern; down when it ends or says too much without it."""
    began, said = time.monotonic(), b""
    while len(said) < MOST_READ:
        piece = await reader.read(4096)
        if not piece:
            break
        phases.setdefault("first_byte_s", time.monotonic() - began)
        said += piece
        if options.pattern.search(said.decode("utf-8", "replace")):
            return None
    shown = mask(said.decode("utf-8", "replace"))[:SHOWN]
    return down(Reason.BODY, f'it said "{shown}", which does not hold {options.expect}' if said else "it closed without a word")


def _reached(phases: Mapping[str, float]) -> str:
    done = [name for name in METRICS if name in phases]
    words = {"resolve_s": "the name was found", "connect_s": "connected", "tls_s": "after the TLS handshake"}
    return words.get(done[-1], "after it began to answer") if done else "not even the name was found"


def _why(error: OSError, where: tuple[str, int]) -> Failure:
    host, port = where
    if isinstance(error, ssl.SSLCertVerificationError):
        return down(Reason.TLS, f"its certificate can't be trusted: {error.verify_message}")
    if isinstance(error, ssl.SSLError):
        return down(Reason.TLS, f"the TLS handshake failed: {error.reason or 'cut'}")
    if isinstance(error, socket.gaierror):
        return down(Reason.RESOLVE, f"{host} has no address ({error.strerror})")
    if isinstance(error, FileNotFoundError | PermissionError):
        return unknown(Reason.MISSING, f"{error.filename} can't be read: {(error.strerror or '').lower()}")
    if error.errno in OURS:
        return unknown(Reason.NO_NETWORK, f"{host}:{port}: {os.strerror(error.errno or 0).lower()}")
    if isinstance(error, ConnectionRefusedError):
        return down(Reason.REFUSED, f"connection refused by {host}:{port}")
    if isinstance(error, ConnectionResetError | BrokenPipeError | ConnectionAbortedError):
        return down(Reason.RESET, f"{host}:{port} cut the connection")
    return down(Reason.UNREACHABLE, f"{host}:{port}: {os.strerror(error.errno).lower() if error.errno else error}")


@lru_cache(maxsize=64)
def _columns(names: tuple[str, ...]) -> tuple[Column, ...]:
    """The same tuple run after run."""
    return tuple((name, ()) for name in names)
