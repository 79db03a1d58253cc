"""All machines of a configuration, by name: this one, and its hosts, each with one kept connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from forewarn.model.map import Host
from forewarn.model.probe import Source
from forewarn.reach.connection import Connection, Shared
from forewarn.reach.machine import HERE, Here, Machine, Unknown
from forewarn.reach.remote import RemoteMachine

NOWHERE = Source("", 0)


class Fleet:
    """The Machines of a daemon or a command: `fleet("web-1")`. Opens nothing before it is needed; `close` at the end."""

    def __init__(self, hosts: Mapping[str, Host], shared: Shared | None = None) -> None:
        self._shared = shared or Shared()
        self._hosts = dict(hosts)
        self._connections: dict[str, Connection] = {}

    def __call__(self, where: str) -> Machine:
        if where == HERE:
            return Here()
        return RemoteMachine(self.connection(where)) if where in self._hosts else Unknown(where)

    def connection(self, name: str) -> Connection:
        """That of a host of the configuration."""
        if name not in self._connections:
            host = self._hosts[name]
            jump = self.connection(host.jump) if host.jump else None
            self._connections[name] = Connection(host, self._shared, jump)
        return self._connections[name]

    def apply(self, hosts: Mapping[str, Host]) -> None:
        """Other files: hosts whose way did not change keep their connection; those of the others are closed."""
        before, self._hosts = self._hosts, dict(hosts)
        for name in [name for name in self._connections if self._way(name, before) != self._way(name, self._hosts)]:
            self._connections.pop(name).close()

    def _way(self, name: str, hosts: Mapping[str, Host]) -> list[Host]:
        """What a connection depends on: the host and those before it, without what is only said about them."""
        found: list[Host] = []
        at = name
        while at in hosts and len(found) <= len(hosts):
            found.append(replace(hosts[at], groups=(), source=NOWHERE))
            at = hosts[at].jump or ""
        return found

    def close(self) -> None:
        """Cut everything."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()
        self._shared.pool.shutdown(wait=False, cancel_futures=True)
