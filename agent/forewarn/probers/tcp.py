"""tcp: does a port take connections, and if asked: does it speak TLS, and does it say what it should. What people write."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path as File
from typing import Any

from pydantic import Field, field_validator

from forewarn.probers.options import Options
from forewarn.probers.patterns import compile_pattern

METRICS = {
    "resolve_s": "looking up the name",
    "connect_s": "TCP connection",
    "tls_s": "TLS handshake (with tls)",
    "first_byte_s": "until the first byte of what it says (with expect)",
    "total_s": "all of it",
    "certificate_s": "time until the end of the certificate (with tls and verify)",
}
MOST_READ = 65_536
_PLACE = re.compile(r"^(?:\[([0-9A-Fa-f:.%]+)\]|([^\s:/\[\]]+)):(\d{1,5})$")


class TcpOptions(Options):
    """Options of a probe of kind tcp. Targets are host:port, [IPv6]:port."""

    tls: bool = Field(default=False, description="speak TLS once connected")
    verify: bool = Field(default=True, description="with tls: check the certificate's chain, name and dates")
    name: str | None = Field(default=None, description="with tls: the name to ask for and to check, if it is not the host's")
    ca_file: File | None = Field(default=None, description="with tls: certificates to trust instead of the system's")
    send: str | None = Field(default=None, description="sent once connected; \\r and \\n mean line ends")
    expect: str | None = Field(default=None, description="an RE2 pattern that what it says must hold; else down")

    @field_validator("expect")
    @classmethod
    def _pattern(cls, given: str | None) -> str | None:
        if given is not None:
            compile_pattern(given)
        return given

    @cached_property
    def pattern(self) -> Any:
        return compile_pattern(self.expect) if self.expect is not None else None

    @property
    def to_send(self) -> bytes:
        return (self.send or "").replace("\\r", "\r").replace("\\n", "\n").encode()


def place(target: str) -> tuple[str, int] | None:
    """Host and port of a target; None where it is not one."""
    found = _PLACE.match(target)
    if not found or not 0 < int(found[3]) < 65536:
        return None
    return found[1] or found[2], int(found[3])


def check_address(target: str) -> None:
    """ValueError where a target is no place."""
    if place(target) is None:
        raise ValueError(f'"{target}" is not host:port; write e.g. db.example:5432 or [2001:db8::1]:443')
