"""Which programs listen on which ports of this machine. Source: proc_net(5) (tcp, tcp6), proc_pid_fd(5), proc_pid_cgroup(5)."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

LISTENS = "0A"


@dataclass(frozen=True, slots=True)
class Listener:
    """`address` is where it can be reached from this machine. `program` and `unit` are None where nobody may tell us: without
    root only one's own processes can be seen through."""

    address: str
    port: int
    inode: str
    everywhere: bool
    program: str | None = None
    unit: str | None = None

    @property
    def place(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


def listeners(proc: Path = Path("/proc")) -> list[Listener]:
    """One for each port, by number: the way by IPv4 where there is one."""
    found: dict[int, Listener] = {}
    for name in ("tcp", "tcp6"):
        with suppress(OSError):
            for one in parse((proc / "net" / name).read_text(), name == "tcp6"):
                found.setdefault(one.port, one)
    owners = _owners(proc, {one.inode for one in found.values()})
    return [_owned(one, owners.get(one.inode), proc) for _, one in sorted(found.items())]


def parse(text: str, is_v6: bool) -> Iterator[Listener]:
    """Sockets that listen, of /proc/net/tcp or tcp6."""
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 9 and fields[3] == LISTENS:
            host, _, port = fields[1].rpartition(":")
            address, everywhere = _address(host, is_v6)
            yield Listener(address, int(port, 16), fields[9], everywhere)


def _address(host: str, is_v6: bool) -> tuple[str, bool]:
    """Where to reach it, and whether it listens on every address. The kernel writes words in its own byte order."""
    words = [struct.pack("=I", int(host[at : at + 8], 16)) for at in range(0, len(host), 8)]
    raw = b"".join(words)
    if not any(raw):
        return "127.0.0.1", True  # `::` takes IPv4 too, unless it was told not to
    text = socket.inet_ntop(socket.AF_INET6 if is_v6 else socket.AF_INET, raw)
    return text.removeprefix("::ffff:"), False


def _owners(proc: Path, inodes: set[str]) -> dict[str, int]:
    """Inode of a socket -> the first process that holds it."""
    found: dict[str, int] = {}
    for folder in sorted((path for path in proc.iterdir() if path.name.isdigit()), key=lambda path: int(path.name)):
        with suppress(OSError):
            for file in (folder / "fd").iterdir():
                with suppress(OSError):
                    held = re.fullmatch(r"socket:\[(\d+)\]", str(file.readlink()))
                    if held and held[1] in inodes:
                        found.setdefault(held[1], int(folder.name))
    return found


def _owned(one: Listener, pid: int | None, proc: Path) -> Listener:
    if pid is None:
        return one
    with suppress(OSError):
        program = (proc / str(pid) / "comm").read_text().strip()
        unit = unit_of((proc / str(pid) / "cgroup").read_text())
        return replace(one, program=program or None, unit=unit)
    return one


def unit_of(cgroup: str) -> str | None:
    """The systemd service of /proc/PID/cgroup; None for what a person started in a session."""
    found = re.search(r"/system\.slice/(?:[^/\n]+\.slice/)*([^/\n]+\.service)(?:/|$)", cgroup, re.MULTILINE)
    return found[1] if found else None
