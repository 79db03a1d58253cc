"""The long way of an http probe, by libcurl: handles that are set up and pooled, addresses that it is told, certificates.

Imported with the first request that needs it: libcurl and its own OpenSSL take 6 MB, and simple probes go without.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from typing import Any

import pycurl

from forewarn.probers.answer import Answer, Broken, bare
from forewarn.probers.curl import Curl, Exchange
from forewarn.probers.curl_setup import Unusable, configure, secret_of
from forewarn.probers.ends import Ends
from forewarn.probers.http import HttpOptions
from forewarn.probers.names import TTL_S
from forewarn.probers.reasons import Failure, Reason, unknown


class LongWay:
    """`begin` some, then `go`. `ended` takes each job once, with what came of it, or an exception of ours."""

    def __init__(self, ended: Callable[[Any, Answer | Broken | Exception], None], ends: Ends) -> None:
        self._ended, self._ends = ended, ends
        self._curl = Curl(self._over)
        self._pins: dict[str, float] = {}  # host:port that libcurl was told an address of -> monotonic end
        self._free: list[Exchange] = []
        self._busy: set[Exchange] = set()
        self._added = False  # to libcurl, and not begun yet

    def __len__(self) -> int:
        return len(self._busy)

    def begin(self, job: Any, place: str | None, addresses: tuple[str, ...]) -> Failure | None:
        """Prepare an exchange; answers why that can't be. `place`: host:port of a name, and what it was resolved to."""
        exchange = self._free.pop() if self._free else Exchange()
        url = job.target.address
        try:
            _prepare(exchange, job, self._pinned(place, addresses))
            if url.startswith("https://"):
                exchange.reads_certificate = self._ends.wanted(url, job.at_s)
                exchange.handle.setopt(pycurl.OPT_CERTINFO, int(exchange.reads_certificate))
            self._curl.add(exchange)
        except Unusable as error:
            self._free.append(exchange)
            return error.failure
        except (pycurl.error, UnicodeError, ValueError) as error:
            exchange.setup = None  # half of it may be set
            self._free.append(exchange)
            return unknown(Reason.CONFIG, f"the target or an option can't be used: {error.args[-1]}")
        self._busy.add(exchange)
        self._added = True
        return None

    def go(self) -> None:
        """Let all that was begun be on its way, in this one wake-up."""
        if self._added:
            self._added = False
            self._curl.go()

    def close(self) -> list[Any]:
        """Give everything back; answers the jobs that were under way."""
        jobs = [exchange.job for exchange in self._busy]
        for exchange in list(self._busy):
            self._curl.drop(exchange)
            self._release(exchange)
        self._curl.close()
        return jobs

    def _pinned(self, place: str | None, addresses: tuple[str, ...]) -> list[str]:
        """What libcurl is told of addresses: those of this target, and no more of those that are too old."""
        now = time.monotonic()
        told = [f"-{place}" for place, until in self._pins.items() if until <= now]
        for old in told:
            del self._pins[old[1:]]
        if place is not None and addresses:
            self._pins[place] = now + TTL_S
            told.append(f"{place}:{','.join(f'[{one}]' if ':' in one else one for one in addresses)}")
        return told

    def _over(self, exchange: Exchange, code: int, message: str) -> None:
        job = exchange.job
        came: Answer | Broken | Exception
        try:
            came = exchange.broken(code, message) if code else exchange.answer(self._certificate_s(exchange, job.at_s))
        except Exception as error:  # the bug of one exchange must not cost the others of this wake-up their results
            came = error
        self._release(exchange)
        self._ended(job, came)

    def _certificate_s(self, exchange: Exchange, at_s: float) -> float | None:
        """Seconds until the end of the target's own certificate; None without TLS."""
        if not exchange.url.startswith("https://"):
            return None
        if exchange.reads_certificate and (end := _ends_at(exchange)) is not None:
            self._ends.read(exchange.url, at_s, end)
        return self._ends.left_s(exchange.url, at_s)

    def _release(self, exchange: Exchange) -> None:
        self._busy.discard(exchange)
        exchange.job, exchange.body, exchange.head = None, bytearray(), []
        self._free.append(exchange)


def _prepare(exchange: Exchange, job: Any, told: list[str]) -> None:
    options: HttpOptions = job.probe.options
    url = job.target.address
    if not url.startswith(("http://", "https://")):
        raise Unusable(unknown(Reason.CONFIG, f'the target "{bare(url)}" is not an address; write http://... or https://...'))
    secret = secret_of(options)
    setup = (options.request, secret)
    if exchange.setup != setup:
        configure(exchange, options, secret)
        exchange.setup = setup
    if told or exchange.told:
        exchange.handle.setopt(pycurl.RESOLVE, told)
        exchange.told = bool(told)
    exchange.begin(job, url, job.probe.timeout_s, options.max_body, options.reads_body)


def _ends_at(exchange: Exchange) -> float | None:
    """When the target's own certificate ends, in epoch seconds."""
    for chain in exchange.handle.getinfo(pycurl.INFO_CERTINFO)[:1]:
        for name, value in chain:
            if name == "Expire date":
                return float(ssl.cert_time_to_seconds(value))
    return None
