"""http: what people write for it, and what a run says. Pure; the network is in http_engine.py."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from pathlib import Path as File
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from forewarn.model.probe import Probe, Target
from forewarn.model.series import Column, Outcome, ProbeRun
from forewarn.probers.answer import Answer
from forewarn.probers.expect import (
    Expect,
    is_number,
    judge_body,
    judge_headers,
    judge_json,
    judge_status,
    read_json,
    shown,
)
from forewarn.probers.jsonpath import Path, find, parse_path
from forewarn.probers.options import Options, Size
from forewarn.probers.reasons import Failure
from forewarn.reach.mask import mask

METRICS = {
    "resolve_s": "looking up the name",
    "connect_s": "TCP connection",
    "tls_s": "TLS handshake (https only)",
    "first_byte_s": "from the request to the first byte of the answer",
    "total_s": "the whole exchange, with the rest of the body",
    "status": "HTTP status",
    "size_bytes": "size of the body",
    "certificate_s": "time until the end of the certificate (https only)",
}

PLAIN: tuple[Column, ...] = tuple((name, ()) for name in METRICS if name not in ("tls_s", "certificate_s"))
TLS: tuple[Column, ...] = tuple((name, ()) for name in METRICS if name != "certificate_s")

_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
_HEADER = re.compile(r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")  # RFC 9110, 5.6.2
_PROXY = re.compile(r"^(?:https?|socks4a?|socks5h?)://[!-~]+$")
_LIKE = "write e.g. https://shop.example:8443/health"
LARGEST_BODY = 16 * 1024**2


class Basic(Options):
    """Basic authentication; the password is the first line of a file that only the daemon can read."""

    user: str
    password_file: File


class HttpOptions(Options):
    """Options of a probe of kind http. Targets are addresses that begin with http:// or https://."""

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = "GET"
    headers: dict[str, str] = Field(default={}, description="sent with the request")
    body: str | None = Field(default=None, description="sent with the request")
    redirects: int = Field(default=0, ge=0, le=5, description="how many redirects are followed")
    ip: Literal[4, 6] | None = Field(default=None, description="only this version of IP")
    verify: bool = Field(default=True, description="check the certificate's chain, name and dates")
    ca_file: File | None = Field(default=None, description="certificates to trust instead of the system's")
    cert_file: File | None = Field(default=None, description="certificate that we show to the target (PEM)")
    key_file: File | None = Field(default=None, description="its key, if that is not in cert_file")
    basic: Basic | None = None
    bearer_file: File | None = Field(default=None, description="file whose first line is the token")
    max_body: Size = Field(default=1024**2, description="a larger answer is down (too_big)", le=LARGEST_BODY)
    compressed: bool = Field(default=False, description="ask for gzip or deflate; max_body bounds what is unpacked")
    http2: bool = Field(default=False, description="offer HTTP/2 (https only)")
    proxy: str | None = Field(default=None, description="address of an HTTP or SOCKS proxy to go through")
    expect: Expect = Expect()
    values: dict[str, str] = Field(default={}, description="series name -> path of a number in a JSON answer")

    @field_validator("headers")
    @classmethod
    def _headers(cls, given: dict[str, str]) -> dict[str, str]:
        for name, value in given.items():
            if not _HEADER.match(name):
                raise ValueError(f'"{name}" is not a header name; write e.g. X-Request-Source')
            if any(char in value for char in "\r\n\0"):
                raise ValueError(f"the header {name} holds a line break; write it on one line")
        return given

    @field_validator("proxy")
    @classmethod
    def _proxy(cls, given: str | None) -> str | None:
        if given is not None and not _PROXY.match(given):
            raise ValueError(f'"{given}" is not a proxy; write e.g. http://proxy.example:3128 or socks5h://127.0.0.1:1080')
        return given

    @field_validator("values")
    @classmethod
    def _values(cls, given: dict[str, str]) -> dict[str, str]:
        for name, path in given.items():
            if not _NAME.match(name):
                raise ValueError(f'"{name}" is not a series name; write lower case with _, e.g. orders_per_min')
            if name in METRICS or name == "up":
                raise ValueError(f'"{name}" is measured by the probe itself; choose another name')
            parse_path(path)
        return given

    @model_validator(mode="after")
    def _one_auth(self) -> HttpOptions:
        if self.basic and self.bearer_file:
            raise ValueError("basic and bearer_file exclude each other; keep one")
        if self.key_file and not self.cert_file:
            raise ValueError("key_file is the key of a cert_file; write that too")
        return self

    @cached_property
    def paths(self) -> tuple[tuple[str, Path], ...]:
        return tuple((name, parse_path(path)) for name, path in self.values.items())

    @property
    def reads_json(self) -> bool:
        return bool(self.values or self.expect.json_)

    @property
    def reads_body(self) -> bool:
        return self.reads_json or bool(self.expect.body)

    @cached_property
    def request(self) -> tuple[object, ...]:
        """All that a handle is set to, but for address, deadline and secret: equal for equal requests."""
        headers = tuple(f"{name}: {value}" if value else f"{name};" for name, value in self.headers.items())
        ca_file = str(self.ca_file) if self.ca_file else None
        user = self.basic.user if self.basic else None
        shown = (str(self.cert_file), str(self.key_file)) if self.cert_file else None
        asked = (self.method, headers, self.body, self.redirects, self.ip, self.compressed, self.http2, self.proxy)
        return (*asked, self.verify, ca_file, shown, user, bool(self.expect.headers))

    @property
    def secret_file(self) -> File | None:
        return self.basic.password_file if self.basic else self.bearer_file


def check_address(target: str) -> None:
    """ValueError where a target can't be asked."""
    if not target.startswith(("http://", "https://")):
        raise ValueError(f"{shown(mask(target))} is not an address; write http://... or https://...")
    try:
        parts = urlsplit(target)
        named = bool(parts.hostname)
    except ValueError as error:
        raise ValueError(f"{shown(mask(target))} is not an address; {_LIKE}") from error
    if not named:
        raise ValueError(f"{shown(mask(target))} names no host; {_LIKE}")
    try:
        _ = parts.port
    except ValueError as error:
        raise ValueError(f"{shown(mask(target))} has a port that is no number up to 65535; {_LIKE}") from error


def judge(options: HttpOptions, answer: Answer) -> tuple[Failure | None, tuple[tuple[str, float], ...], str | None]:
    """Which expectation fails first, the values of the answer, and a remark about values that are not there."""
    expect = options.expect
    if not options.values and expect.surely(answer.status, answer.body):
        return None, (), None
    failure = judge_status(answer.status, expect.status, answer.location) or judge_headers(answer.headers, expect.header_conditions)
    if not options.reads_body:
        return failure, (), None
    text = answer.text
    failure = failure or judge_body(text, expect.body)
    if not options.reads_json:
        return failure, (), None
    document, broken = read_json(text)
    if broken:
        return failure or broken, (), None
    values, remark = _numbers(document, options.paths)
    return failure or judge_json(document, expect.json_conditions), values, remark


def _numbers(document: object, paths: tuple[tuple[str, Path], ...]) -> tuple[tuple[tuple[str, float], ...], str | None]:
    values: list[tuple[str, float]] = []
    remark = None
    for name, path in paths:
        value = find(document, path)
        if is_number(value):
            values.append((name, float(value)))  # type: ignore[arg-type]
        else:
            remark = remark or f"no number for {name}: it is {shown(value)}"
    return tuple(values), remark


def answered(probe: Probe, target: Target, answer: Answer, at_s: float, lateness_s: float, took_s: float) -> ProbeRun:
    """The run of an exchange that got a complete answer. Phases are kept even when an expectation fails."""
    failure, extra, remark = judge(probe.options, answer)  # type: ignore[arg-type]
    phases = answer.phases
    head = (phases.resolve_s, phases.connect_s)
    tail = (phases.first_byte_s, phases.total_s, float(answer.status), float(answer.size_bytes))
    columns: tuple[Column, ...] = PLAIN if phases.tls_s is None else TLS
    values: tuple[float, ...] = head + tail if phases.tls_s is None else (*head, phases.tls_s, *tail)
    if answer.certificate_s is not None:
        extra = (("certificate_s", answer.certificate_s), *extra)
    if extra:
        columns, values = _columns(columns, tuple(name for name, _ in extra)), values + tuple(value for _, value in extra)
    return ProbeRun(
        probe=probe.name,
        target=target.name,
        at_s=at_s,
        outcome=failure.outcome if failure else Outcome.UP,
        columns=columns,
        values=values,
        reason=failure.reason if failure else None,
        detail=mask(failure.detail) if failure else remark and mask(remark),
        lateness_s=lateness_s,
        took_s=took_s,
    )


@lru_cache(maxsize=4096)
def _columns(base: tuple[Column, ...], names: tuple[str, ...]) -> tuple[Column, ...]:
    """The same tuple for the same names, run after run."""
    return (*base, *((name, ()) for name in names))
