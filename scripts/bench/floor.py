"""The floor: libcurl's multi interface driven by nothing but an epoll and a list of moments.

The same exchange as a probe (fresh connection, no session reuse, all times taken, status looked at), the same grid of
moments, and nothing else: no configuration, rules, windows or store. usage: floor.py ADDRESSES EVERY_S TIMEOUT_S [CA_FILE]
"""

from __future__ import annotations

import heapq
import select
import sys
import time
from pathlib import Path

import pycurl

TIMES = (
    pycurl.NAMELOOKUP_TIME_T, pycurl.CONNECT_TIME_T, pycurl.APPCONNECT_TIME_T, pycurl.PRETRANSFER_TIME_T,
    pycurl.STARTTRANSFER_TIME_T, pycurl.TOTAL_TIME_T, pycurl.RESPONSE_CODE,
)  # fmt: skip
PER_GROUP, PER_TLS_GROUP = 10, 2
MASKS = {pycurl.POLL_IN: select.EPOLLIN, pycurl.POLL_OUT: select.EPOLLOUT, pycurl.POLL_INOUT: select.EPOLLIN | select.EPOLLOUT}


class Floor:
    def __init__(self, addresses: list[str], every_s: float, timeout_s: float, ca_file: str | None) -> None:
        self._every_s, self._timeout_ms, self._ca_file = every_s, int(timeout_s * 1000), ca_file
        self._epoll, self._free, self._watched = select.epoll(), [], set()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._want)
        self._wanted_at: float | None = None
        group = PER_TLS_GROUP if addresses[0].startswith("https") else PER_GROUP
        groups = [addresses[at : at + group] for at in range(0, len(addresses), group)]
        now = time.monotonic() + 0.2
        self._due = [(now + at * every_s / len(groups), at) for at in range(len(groups))]
        self._groups = groups
        heapq.heapify(self._due)

    def run(self) -> None:
        while True:
            now = time.monotonic()
            if self._due[0][0] <= now:
                self._begin(now)
            if self._wanted_at is not None and self._wanted_at <= now:
                self._wanted_at = None
                self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
            until = min(self._due[0][0], self._wanted_at if self._wanted_at is not None else self._due[0][0])
            for fd, event in self._epoll.poll(max(0.0, until - time.monotonic()), 256):
                flags = (pycurl.CSELECT_IN if event & ~select.EPOLLOUT else 0) | (
                    pycurl.CSELECT_OUT if event & select.EPOLLOUT else 0
                )
                self._multi.socket_action(fd, flags)
            self._reap()

    def _begin(self, now: float) -> None:
        while self._due[0][0] <= now:
            at_s, at = heapq.heappop(self._due)
            for address in self._groups[at]:
                handle = self._free.pop() if self._free else self._handle()
                handle.setopt(pycurl.URL, address)
                self._multi.add_handle(handle)
            heapq.heappush(self._due, (at_s + self._every_s, at))
        self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)

    def _handle(self) -> pycurl.Curl:
        handle = pycurl.Curl()
        for option, value in {
            pycurl.NOSIGNAL: 1, pycurl.FRESH_CONNECT: 1, pycurl.FORBID_REUSE: 1, pycurl.SSL_SESSIONID_CACHE: 0, pycurl.PROXY: "",
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1, pycurl.WRITEFUNCTION: len, pycurl.TIMEOUT_MS: self._timeout_ms,
            pycurl.IPRESOLVE: pycurl.IPRESOLVE_V4,
        }.items():  # fmt: skip
            handle.setopt(option, value)
        if self._ca_file:
            handle.setopt(pycurl.CAINFO, self._ca_file)
        return handle

    def _socket(self, what: int, fd: int, multi: object, data: object) -> None:
        if what == pycurl.POLL_REMOVE:
            if fd in self._watched:
                self._watched.discard(fd)
                try:
                    self._epoll.unregister(fd)
                except OSError:
                    return
        elif fd in self._watched:
            self._epoll.modify(fd, MASKS[what])
        else:
            self._watched.add(fd)
            self._epoll.register(fd, MASKS[what])

    def _want(self, ms: int) -> None:
        self._wanted_at = None if ms < 0 else time.monotonic() + ms / 1000

    def _reap(self) -> None:
        queued = 1
        while queued:
            queued, good, bad = self._multi.info_read()
            for handle in good:
                if [handle.getinfo(which) for which in TIMES][-1] != 200:
                    raise SystemExit("a target answers wrongly")
            for handle in (*good, *(one for one, _, _ in bad)):
                self._multi.remove_handle(handle)
                self._free.append(handle)


if __name__ == "__main__":
    Floor(Path(sys.argv[1]).read_text().split(), float(sys.argv[2]), float(sys.argv[3]), *(sys.argv[4:5] or [None])).run()
