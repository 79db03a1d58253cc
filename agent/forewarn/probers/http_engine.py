"""The engine behind kind http: takes jobs, keeps a bound on open exchanges, and delivers each job exactly once."""

from __future__ import annotations

import asyncio
import os
import resource
import ssl
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pycurl
import structlog

from forewarn import __version__
from forewarn.model.probe import Probe, Target
from forewarn.model.series import ProbeRun
from forewarn.ports import Deliver
from forewarn.probers.answer import bare, explain
from forewarn.probers.curl import Curl, Exchange
from forewarn.probers.http import HttpOptions, answered
from forewarn.probers.reasons import Failure, Reason, failed, unknown

log = structlog.get_logger(__name__)

HTTPAUTH_BEARER = 1 << 6  # CURLAUTH_BEARER, which pycurl does not name
MOST = 512  # exchanges that are open at once, file descriptors permitting
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",
)


@dataclass(slots=True)
class Job:
    probe: Probe
    target: Target
    due_s: float
    deliver: Deliver
    at_s: float = 0.0
    begun: float = 0.0  # monotonic

    @property
    def lateness_s(self) -> float:
        return max(0.0, self.at_s - self.due_s)

    @property
    def took_s(self) -> float:
        return time.monotonic() - self.begun


class Unusable(Exception):
    """A job that can't be begun; carries why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.detail)
        self.failure = failure


class HttpEngine:
    """Runs http probes. Made once for the process; used on one event loop, which it learns at the first submit."""

    def __init__(self, most: int | None = None) -> None:
        self._most = most or _room()
        self._curl: Curl | None = None
        self._waiting: deque[Job] = deque()
        self._free: list[Exchange] = []
        self._busy: set[Exchange] = set()
        self._refilling: asyncio.Handle | None = None

    def submit(self, jobs: Sequence[tuple[Probe, Target, float]], deliver: Deliver) -> None:
        """Begin what there is room for, all in one go; the rest waits its turn (and its lateness shows it)."""
        self._waiting.extend(Job(probe, target, due_s, deliver) for probe, target, due_s in jobs)
        self._fill()

    async def close(self) -> None:
        """Deliver all that is under way as unknown (stopped)."""
        self._waiting, waiting = deque(), self._waiting
        stopped = unknown(Reason.STOPPED, "stopped while the run was under way")
        for exchange in list(self._busy):
            if self._curl:
                self._curl.drop(exchange)
            self._release(exchange)
            waiting.append(exchange.job)
        if self._curl:
            self._curl.close()
            self._curl = None
        for job in waiting:
            self._deliver(job, failed(job.probe, job.target, stopped, job.at_s or time.time()))

    def _fill(self) -> None:
        if not self._waiting:
            return
        curl = self._curl = self._curl or Curl(self._ended)
        while self._waiting and len(self._busy) < self._most:
            self._begin(self._waiting.popleft(), curl)
        curl.go()

    def _begin(self, job: Job, curl: Curl) -> None:
        job.at_s, job.begun = time.time(), time.monotonic()
        exchange = self._free.pop() if self._free else Exchange()
        try:
            _prepare(exchange, job)
            curl.add(exchange)
        except Unusable as error:
            self._refuse(job, exchange, error.failure)
        except (pycurl.error, UnicodeError, ValueError) as error:
            exchange.setup = None  # half of it may be set
            self._refuse(job, exchange, unknown(Reason.CONFIG, f"the target or an option can't be used: {error.args[-1]}"))
        else:
            self._busy.add(exchange)

    def _refuse(self, job: Job, exchange: Exchange, failure: Failure) -> None:
        self._free.append(exchange)
        self._deliver(job, failed(job.probe, job.target, failure, job.at_s, job.lateness_s))

    def _ended(self, exchange: Exchange, code: int, message: str) -> None:
        job: Job = exchange.job
        try:
            if code:
                run = failed(job.probe, job.target, explain(exchange.broken(code, message)), job.at_s, job.lateness_s, job.took_s)
            else:
                answer = exchange.answer(_certificate_s(exchange, job.at_s))
                run = answered(job.probe, job.target, answer, job.at_s, job.lateness_s, job.took_s)
        except Exception as error:
            log.exception("probe_bug", probe=job.probe.name, target=job.target.name)
            said = unknown(Reason.BUG, f"our own code failed: {type(error).__name__}; the trace is in the log")
            run = failed(job.probe, job.target, said, job.at_s, job.lateness_s)
        self._release(exchange)
        self._deliver(job, run)
        if self._waiting and not self._refilling:
            self._refilling = asyncio.get_running_loop().call_soon(self._refill)

    def _refill(self) -> None:
        self._refilling = None
        self._fill()

    def _release(self, exchange: Exchange) -> None:
        self._busy.discard(exchange)
        exchange.body, exchange.head = bytearray(), []
        self._free.append(exchange)

    def _deliver(self, job: Job, run: ProbeRun) -> None:
        try:
            job.deliver(run)
        except Exception:  # the taker's bug must not cost the other jobs of this wake-up their results
            log.exception("deliver_bug", probe=job.probe.name, target=job.target.name)


def _prepare(exchange: Exchange, job: Job) -> None:
    options: HttpOptions = job.probe.options  # type: ignore[assignment]
    url = job.target.address
    if not url.startswith(("http://", "https://")):
        raise Unusable(unknown(Reason.CONFIG, f'the target "{bare(url)}" is not an address; write http://... or https://...'))
    secret = _secret(options)
    setup = (options.request, secret)
    if exchange.setup != setup:
        _configure(exchange, options, secret)
        exchange.setup = setup
    exchange.begin(job, url, job.probe.timeout_s, options.max_body, options.reads_body)


def _configure(exchange: Exchange, options: HttpOptions, secret: str | None) -> None:
    """Set a handle for requests of this kind; nothing of an earlier one stays."""
    handle = exchange.handle
    handle.reset()
    settings: dict[int, object] = {
        pycurl.NOSIGNAL: 1,
        pycurl.FRESH_CONNECT: 1,
        pycurl.FORBID_REUSE: 1,
        pycurl.SSL_SESSIONID_CACHE: 0,
        pycurl.DNS_CACHE_TIMEOUT: 0,  # the name is looked up each time: that is a phase too
        pycurl.PROXY: "",  # the target itself is looked at, whatever the environment says
        pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
        pycurl.REDIR_PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
        pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
        pycurl.USERAGENT: f"forewarn/{__version__}",
        pycurl.WRITEFUNCTION: exchange.write,
        pycurl.FOLLOWLOCATION: int(options.redirects > 0),
        pycurl.MAXREDIRS: options.redirects,
        pycurl.SSL_VERIFYPEER: int(options.verify),
        pycurl.SSL_VERIFYHOST: 2 if options.verify else 0,
        pycurl.OPT_CERTINFO: 1,
    }
    settings |= _method(options) | _trust(options) | _authentication(options, secret)
    if options.ip:
        settings[pycurl.IPRESOLVE] = pycurl.IPRESOLVE_V4 if options.ip == 4 else pycurl.IPRESOLVE_V6
    if options.expect.headers:
        settings[pycurl.HEADERFUNCTION] = exchange.write_head
    headers = [f"{name}: {value}" if value else f"{name};" for name, value in options.headers.items()]
    settings[pycurl.HTTPHEADER] = ["Expect:", *(header.encode() for header in headers)]
    for option, value in settings.items():
        handle.setopt(option, value)


def _method(options: HttpOptions) -> dict[int, object]:
    body = options.body.encode() if options.body is not None else None
    match options.method:
        case "GET" if body is None:
            return {pycurl.HTTPGET: 1}
        case "HEAD":
            return {pycurl.NOBODY: 1}
        case "POST":
            return {pycurl.POST: 1, pycurl.POSTFIELDS: body or b""}
        case other:
            sent: dict[int, object] = {} if body is None else {pycurl.POSTFIELDS: body}
            return {**sent, pycurl.CUSTOMREQUEST: other}


def _trust(options: HttpOptions) -> dict[int, object]:
    if not options.verify:
        return {}
    bundle = str(options.ca_file) if options.ca_file else _bundle()
    return {pycurl.CAINFO: bundle} if bundle else {}


@lru_cache(maxsize=1)
def _bundle() -> str | None:
    """The system's certificates: the library's own build knows only the place of the system that it was built on."""
    named = os.environ.get("SSL_CERT_FILE")
    return named or next((path for path in BUNDLES if Path(path).exists()), None)


def _authentication(options: HttpOptions, secret: str | None) -> dict[int, object]:
    """Given to libcurl as such and not as a header, so that a redirect to another host doesn't carry it there."""
    if options.basic:
        return {pycurl.HTTPAUTH: pycurl.HTTPAUTH_BASIC, pycurl.USERNAME: options.basic.user, pycurl.PASSWORD: secret or ""}
    if options.bearer_file:
        return {pycurl.HTTPAUTH: HTTPAUTH_BEARER, pycurl.XOAUTH2_BEARER: secret or ""}
    return {}


def _secret(options: HttpOptions) -> str | None:
    """First line of the secret's file, read at each run: secrets change while the daemon runs."""
    file = options.secret_file
    if not file:
        return None
    try:
        with file.open(encoding="utf-8") as text:
            return text.readline(4096).strip()
    except PermissionError:
        raise Unusable(unknown(Reason.PERMISSION, f"{file} can't be read: permission denied")) from None
    except (OSError, UnicodeError) as error:
        raise Unusable(unknown(Reason.MISSING, f"{file} can't be read: {getattr(error, 'strerror', None) or error}")) from None


def _certificate_s(exchange: Exchange, at_s: float) -> float | None:
    """Seconds until the end of the target's own certificate; None without TLS."""
    if not exchange.url.startswith("https://"):
        return None
    for chain in exchange.handle.getinfo(pycurl.INFO_CERTINFO)[:1]:
        for name, value in chain:
            if name == "Expire date":
                return ssl.cert_time_to_seconds(value) - at_s
    return None


def _room() -> int:
    """How many exchanges may be open at once: half of the file descriptors that we may have, MOST at the most."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else max(16, min(MOST, soft // 2))
