"""One outgoing connection with a total deadline that nothing can stretch.

Blocking libraries (smtplib, http.client) know a timeout for each read only: a server that gives one byte a second keeps
them for hours. So their work runs on a thread with a `Line`, and at the deadline the loop cuts the connection under them.
`shutdown` works on the connection, not on the descriptor, so a duplicate of the socket can cut it at any moment, also in
the middle of a TLS handshake, when the library has wrapped the socket and ours can't be reached any more.

A line that was cut never connects: what was reported as timed out is not sent later by a thread that was left behind in
a slow resolver.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from forewarn.model.errors import Reason
from forewarn.reach.mask import mask

T = TypeVar("T")
GRACE_S = 0.5
"""How much longer than the deadline the loop waits for the thread to notice that its line was cut."""


class Line:
    """The connection of one piece of work. `where` names the other side in errors."""

    def __init__(self, timeout_s: float) -> None:
        self._end = time.monotonic() + timeout_s
        self._lock = threading.Lock()
        self._twin: socket.socket | None = None
        self.timeout_s = timeout_s
        self.where = "the other side"
        self.was_cut = False

    @property
    def left_s(self) -> float:
        """Seconds until the deadline, never negative."""
        return max(0.0, self._end - time.monotonic())

    def connect(self, host: str, port: int) -> socket.socket:
        """A TCP connection, without delay for small writes. Raises OSError (TimeoutError after the deadline)."""
        self.where = f"{host}:{port}"
        try:
            places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UnicodeError as wrong:  # a label that is empty or too long
            raise socket.gaierror(socket.EAI_NONAME, "not a host's name") from wrong
        error: OSError | None = None
        for nth, (family, kind, protocol, _, address) in enumerate(places):
            sock = socket.socket(family, kind, protocol)
            try:
                self._adopt(sock)
                sock.settimeout(max(0.001, self.left_s / (len(places) - nth)))
                sock.connect(address)
                sock.settimeout(self.left_s + GRACE_S)  # cut() comes first; this only backs it up
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return sock
            except OSError as caught:
                sock.close()
                error = caught
        raise error or OSError(f"{host} has no address")

    def _adopt(self, sock: socket.socket) -> None:
        with self._lock:
            if self.was_cut or not self.left_s:
                raise TimeoutError
            if self._twin:
                self._twin.close()
            self._twin = sock.dup()

    def cut(self) -> None:
        """End the connection now, from any thread; later connects fail."""
        with self._lock:
            self.was_cut = True
            if self._twin:
                with suppress(OSError):
                    self._twin.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with self._lock:
            if self._twin:
                self._twin.close()
                self._twin = None

    def why(self, error: Exception) -> tuple[Reason, str]:
        """The class of a failure of this line, and a sentence without secrets."""
        if self.was_cut or not self.left_s or isinstance(error, TimeoutError):
            return Reason.TIMEOUT, f"{self.where} gave no answer within {self.timeout_s:g} s"
        if isinstance(error, ssl.SSLCertVerificationError):
            return Reason.TLS, f"{self.where} has a certificate that can't be trusted: {error.verify_message}"
        if isinstance(error, ssl.SSLError):
            return Reason.TLS, f"TLS with {self.where} failed: {error.reason or 'cut'}"
        if isinstance(error, socket.gaierror):
            return Reason.CONNECT, f"{self.where}: the name can't be resolved ({error.strerror})"
        if isinstance(error, OSError) and error.errno:
            return Reason.CONNECT, f"{self.where}: {os.strerror(error.errno).lower()}"
        return Reason.CONNECT, f"{self.where} closed the connection ({mask(type(error).__name__)})"


async def on_thread(work: Callable[[Line], T], timeout_s: float, threads: Executor | None = None) -> T:
    """What `work` answers, run on a thread (the loop's own where none is given). Raises what it raises.

    Its line is cut when `timeout_s` has passed or the caller is cancelled. TimeoutError if the thread has not even then
    come back (it hangs in the resolver); it can't connect any more.
    """
    loop, line = asyncio.get_running_loop(), Line(timeout_s)
    timer = loop.call_later(timeout_s, line.cut)
    future = loop.run_in_executor(threads, work, line)
    future.add_done_callback(lambda _: line.close())
    try:
        await asyncio.wait({future}, timeout=timeout_s + GRACE_S)
        if not future.done():
            raise TimeoutError(f"no answer within {timeout_s:g} s")
        return future.result()
    finally:
        timer.cancel()
        if not future.done():
            line.cut()
            future.cancel()


def trusted() -> ssl.SSLContext:
    """TLS that checks name and chain against this system's certificates (SSL_CERT_FILE names others).

    Reading them takes some 65 ms, so it belongs on a thread; they are read again when the file has changed.
    """
    paths = ssl.get_default_verify_paths()
    changed = Path(paths.cafile).stat().st_mtime_ns if paths.cafile else 0
    return _trusted(paths.cafile, paths.capath, changed)


@lru_cache(maxsize=2)
def _trusted(cafile: str | None, capath: str | None, _changed: int) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if cafile or capath:
        context.load_verify_locations(cafile, capath)  # unlike set_default_verify_paths() this lets the loop run meanwhile
    return context
