"""Reads certificates in files for kind certificate. Keys beside them in the same file are passed over and never kept."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from forewarn.model.probe import Probe, Target
from forewarn.model.series import Column, Outcome, ProbeRun
from forewarn.probers.certificate import CertificateOptions
from forewarn.probers.reasons import Reason, failed, unknown
from forewarn.reach.machine import Machines, only_here

CAP_BYTES = 262_144
PEM = re.compile(rb"-----BEGIN CERTIFICATE-----\s.+?-----END CERTIFICATE-----", re.DOTALL)
Found = tuple[str, str, float]
"""File, name of the certificate, and when it ends (epoch seconds)."""


class CertificateProber:
    """`machines` are those it may look at."""

    def __init__(self, machines: Machines = only_here) -> None:
        self._machines = machines
        self._columns: dict[tuple[str, str], tuple[Column, ...]] = {}

    async def __call__(self, probe: Probe, target: Target, at_s: float) -> ProbeRun:
        options: CertificateOptions = probe.options  # type: ignore[assignment]
        begun_s, begun = time.time(), time.monotonic()
        late_s = max(0.0, begun_s - at_s)
        try:
            raw = await self._machines(target.where).read(options.files, probe.timeout_s, CAP_BYTES)
        except TimeoutError:
            why = unknown(Reason.TIMEOUT, f"reading took longer than {probe.timeout_s:g} s")
            return failed(probe, target, why, begun_s, late_s, probe.timeout_s)
        kept = {path: text for path, text in raw.items() if not any(fnmatchcase(path, glob) for glob in options.skip)}
        found, troubles = await asyncio.to_thread(understood, kept)
        troubles += [f"{path} is missing or may not be read" for path in options.files if not _is_glob(path) and path not in raw]
        took_s = time.monotonic() - begun
        if not found and troubles:
            return failed(probe, target, unknown(Reason.MISSING, "; ".join(troubles)), begun_s, late_s, took_s)
        key = probe.name, target.name
        columns: tuple[Column, ...] = tuple(("certificate_s", (("file", file), ("name", name))) for file, name, _ in found)
        self._columns[key] = self._columns[key] if self._columns.get(key) == columns else columns
        return ProbeRun(
            probe=probe.name,
            target=target.name,
            at_s=begun_s,
            outcome=Outcome.UP,
            columns=self._columns[key],
            values=tuple(end_s - begun_s for _, _, end_s in found),
            detail="; ".join(troubles) or (None if found else "there is no certificate in the usual places"),
            lateness_s=late_s,
            took_s=took_s,
        )

    def close(self) -> None:
        """Nothing is held."""


def understood(files: Mapping[str, bytes]) -> tuple[list[Found], list[str]]:
    """The first certificate of each file, which is the server's own; and what could not be understood."""
    found: list[Found] = []
    troubles: list[str] = []
    for path, text in sorted(files.items()):
        block = PEM.search(text)
        if block is None:
            continue  # a key, or something else altogether
        try:
            found.append((path, *read(block[0])))
        except ValueError as error:
            troubles.append(f"{path} holds a certificate that can't be read: {str(error).partition(chr(10))[0][:100]}")
    return found, troubles


def read(pem: bytes) -> tuple[str, float]:
    """Name and end of a certificate: its first DNS name, else its common name. Raises ValueError."""
    from cryptography import x509

    certificate = x509.load_pem_x509_certificate(pem)
    return next(_names(certificate), "?"), certificate.not_valid_after_utc.timestamp()


def _names(certificate: object) -> Iterator[str]:
    from cryptography import x509

    assert isinstance(certificate, x509.Certificate)
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        yield from names.get_values_for_type(x509.DNSName)
    except (x509.ExtensionNotFound, ValueError):
        pass
    for attribute in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME):
        yield str(attribute.value)


def _is_glob(path: str) -> bool:
    return any(sign in path for sign in "*?[")
