"""A talk over TLS, for the short way of https: one context for all targets that are trusted alike, a full handshake each time.

libcurl makes a context for each connection, a third of what a handshake costs; Python's own ssl is as slow again with the
OpenSSL that most distributions have. pyOpenSSL brings a recent one (that of cryptography). It has no call for the name that
a certificate must hold, so that is set on the connection below it.
Source: https://docs.openssl.org/master/man3/SSL_set1_host/; RFC 9110, 4.3.4 (whose certificate it must be).
"""

from __future__ import annotations

import ipaddress
import socket
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from OpenSSL import SSL

from forewarn.probers.answer import Code
from forewarn.probers.talk import READS_AT_ONCE, Address, Reader, Spoilt, Talk

_LIB: Any = getattr(SSL, "_lib", None)
_FFI: Any = getattr(SSL, "_ffi", None)
SHARES = {
    "x25519": b"?*X25519:?secp256r1:?X448:?secp384r1:?secp521r1:?X25519MLKEM768:?ffdhe2048:?ffdhe3072",
    "secp256r1": b"?*secp256r1:?X25519:?X448:?secp384r1:?secp521r1:?X25519MLKEM768:?ffdhe2048:?ffdhe3072",
}
"""Groups that are offered where a target is known to choose the first: all that OpenSSL offers by itself, but keys are made for
this one alone. Those for ML-KEM, made in vain, are a fifth of a handshake."""
READ_SIZE = 16_384
"""The largest record: nothing is left inside the library that the epoll would not tell of."""
NO_PARTIAL_WILDCARDS = 0x4
"""X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS: f*.example is nobody's name."""
TRUSTED = 0
NEEDED = (
    "SSL_get0_param", "SSL_get_verify_result", "X509_VERIFY_PARAM_set1_host", "X509_VERIFY_PARAM_set1_ip",
    "X509_VERIFY_PARAM_set_hostflags", "X509_verify_cert_error_string", "SSL_CTX_set1_curves_list",
)  # fmt: skip


class TlsTalk(Talk):
    """`shaken`: when the handshake was done, monotonic."""

    __slots__ = ("_secure", "_writing", "shaken")

    def __init__(
        self,
        job: Any,
        family: int,
        address: Address,
        request: bytes,
        reader: Reader,
        timeout_s: float,
        host: str,
        trust: SSL.Context,
    ) -> None:
        super().__init__(job, family, address, request, reader, timeout_s)
        self.shaken = 0.0
        self._writing = True
        self._secure = _connection(trust, self.sock, host)

    def begin(self) -> bool:
        """Connect, and begin the handshake at once where that is possible."""
        self._connect()
        if self.error:
            return True
        try:
            self.sock.getpeername()
        except OSError:
            return False  # it is still on its way
        self.connected = time.monotonic()
        return self._shake()

    @property
    def asking(self) -> bool:
        return self._writing

    def go_on(self) -> bool:
        if not self.connected:
            self.error = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if self.error:
                return True
            self.connected = time.monotonic()
        if not self.shaken:
            return self._shake()
        return self._tell() if self.sent < len(self.request) else self._listen()

    def end_s(self) -> float | None:
        """When the other side's certificate ends, in epoch seconds."""
        shown = self._secure.get_peer_certificate(as_cryptography=True)
        return shown.not_valid_after_utc.timestamp() if shown else None

    def group(self) -> str:
        """In which keys were exchanged; "" where the library does not tell."""
        name = self._secure.get_group_name() if hasattr(self._secure, "get_group_name") else None
        return "secp256r1" if name in ("prime256v1", "P-256") else (name or "").lower()

    def close(self) -> None:
        """With the word that it is over, as far as the socket takes it."""
        if self.shaken and not (self.error or self.spoilt):
            with suppress(SSL.Error):  # the other side has gone, or does not listen
                self._secure.shutdown()
        self.sock.close()

    def _shake(self) -> bool:
        try:
            self._secure.do_handshake()
        except SSL.Error as error:
            return self._stopped(error)
        self.shaken = time.monotonic()
        return self._tell()

    def _tell(self) -> bool:
        try:
            self.sent += self._secure.send(self.request[self.sent :])
        except SSL.Error as error:
            return self._stopped(error)
        self._writing = self.sent < len(self.request)
        return False

    def _listen(self) -> bool:
        reader = self.reader
        assert reader is not None
        for _ in range(READS_AT_ONCE):
            try:
                data = self._secure.recv(READ_SIZE)
                self.first = self.first or time.monotonic()
                if reader.feed(data):
                    return True
            except SSL.ZeroReturnError:
                return self._last(reader)
            except SSL.Error as error:
                return self._stopped(error)
            except Spoilt as spoilt:
                self.spoilt = spoilt
                return True
        return False

    def _last(self, reader: Reader) -> bool:
        try:
            reader.end()
        except Spoilt as spoilt:
            self.spoilt = spoilt
        return True

    def _stopped(self, error: SSL.Error) -> bool:
        """False where it only waits; else what went wrong is kept, and it is over."""
        if isinstance(error, SSL.WantReadError | SSL.WantWriteError):
            self._writing = isinstance(error, SSL.WantWriteError)
            return False
        code = Code.RECEIVE if self.shaken else Code.TLS
        if isinstance(error, SSL.SysCallError):
            number = error.args[0]
            if number > 0:
                self.error = number
            else:
                self.spoilt = Spoilt(code, "unexpected eof while reading")
        elif not self.shaken and (verdict := _verdict(self._secure)):
            self.spoilt = Spoilt(Code.UNTRUSTED, f"certificate problem: {verdict}")
        else:
            self.spoilt = Spoilt(code, _words(error))
        return True


def usable() -> bool:
    """Whether the calls below pyOpenSSL are there."""
    return all(hasattr(_LIB, name) for name in NEEDED)


def trust(ca_file: str | None, verify: bool, group: str = "") -> SSL.Context:
    """Whom we trust: made once for a file as it is. `group`: the one that the target is known to choose. Raises OSError where the
    file can't be read, ValueError where it holds nothing."""
    share = group if group in SHARES else ""
    if not verify or ca_file is None:
        return _context(None, 0, 0, verify, share)
    found = Path(ca_file).stat()
    return _context(ca_file, found.st_mtime_ns, found.st_size, verify, share)


@lru_cache(maxsize=64)
def _context(ca_file: str | None, changed_ns: int, size: int, verify: bool, share: str) -> SSL.Context:
    made = SSL.Context(SSL.TLS_CLIENT_METHOD)
    made.set_min_proto_version(SSL.TLS1_2_VERSION)
    made.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    made.set_options(SSL.OP_NO_TICKET)
    made.set_alpn_protos([b"http/1.1"])
    if share and _LIB.SSL_CTX_set1_curves_list(made._context, SHARES[share]) != 1:
        return _context(ca_file, changed_ns, size, verify, "")  # an OpenSSL that does not know this way to say it
    if verify:
        try:
            made.load_verify_locations(ca_file) if ca_file else made.set_default_verify_paths()
        except SSL.Error as error:
            raise ValueError(f"{ca_file}: {_words(error)}") from None
    made.set_verify(SSL.VERIFY_PEER if verify else SSL.VERIFY_NONE)
    return made


def _connection(trust: SSL.Context, sock: Any, host: str) -> SSL.Connection:
    """With the name or address that the certificate must hold."""
    made = SSL.Connection(trust, sock)
    made.set_connect_state()
    rules = _LIB.SSL_get0_param(made._ssl)
    try:
        packed = ipaddress.ip_address(host).packed
    except ValueError:
        name = host.encode("ascii")
        made.set_tlsext_host_name(name)
        _LIB.X509_VERIFY_PARAM_set_hostflags(rules, NO_PARTIAL_WILDCARDS)
        done = _LIB.X509_VERIFY_PARAM_set1_host(rules, name, len(name))
    else:
        done = _LIB.X509_VERIFY_PARAM_set1_ip(rules, packed, len(packed))
    if done != 1:  # never go on with a name that is not looked at
        raise ValueError(f"{host} can't be looked for in a certificate")
    return made


def _verdict(secure: SSL.Connection) -> str | None:
    """What it has against the certificate, in OpenSSL's words; None: nothing."""
    result = _LIB.SSL_get_verify_result(secure._ssl)
    if result == TRUSTED:
        return None
    words: bytes = _FFI.string(_LIB.X509_verify_cert_error_string(result))
    return words.decode("ascii", "replace")


def _words(error: SSL.Error) -> str:
    """`[(library, function, reason), ...]`: the reasons."""
    found = error.args[0] if error.args else ()
    reasons = (
        [part[2] for part in found if isinstance(part, tuple) and len(part) == 3 and part[2]] if isinstance(found, list) else []
    )
    return "; ".join(reasons) or "TLS failed without a word"
