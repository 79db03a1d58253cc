"""Looking up names of hosts, several at once and never for long."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Mapping

RESOLVE_S = 3.0
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def unresolved(hosts: Iterable[str], within_s: float = RESOLVE_S) -> Mapping[str, str]:
    """Those that have no address, with the reason. Threads that hang in the resolver are left behind (they end with us)."""
    answers: dict[str, str | None] = {}
    threads = {host: threading.Thread(target=_ask, args=(host, answers), daemon=True) for host in set(hosts) - LOOPBACK}
    for thread in threads.values():
        thread.start()
    left_s = within_s
    for thread in threads.values():
        thread.join(left_s)
        left_s = left_s if not thread.is_alive() else 0.0
    found = {host: answers.get(host, f"{within_s:g} s") for host in sorted(threads)}
    return {host: why for host, why in found.items() if why is not None}


def _ask(host: str, answers: dict[str, str | None]) -> None:
    try:
        socket.getaddrinfo(host, None)
    except (OSError, UnicodeError) as error:
        answers[host] = getattr(error, "strerror", None) or type(error).__name__
    else:
        answers[host] = None
