"""Where the system keeps the certificates that it trusts: the libraries' own builds know only the place of theirs."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",
)


def bundle(ca_file: Path | None) -> str | None:
    """The file of an option, or the system's; None: whatever the library knows."""
    return str(ca_file) if ca_file else _system()


@lru_cache(maxsize=1)
def _system() -> str | None:
    named = os.environ.get("SSL_CERT_FILE")
    return named or next((path for path in BUNDLES if Path(path).exists()), None)
