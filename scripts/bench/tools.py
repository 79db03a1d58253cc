"""Where the programs are that the benchmark starts, ports that are free, and ending what was started."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "var" / "bench" / "tools"


def program(name: str) -> str | None:
    """The path of a program: on this machine, or as scripts/bench-tools.sh unpacked it."""
    places = [os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin", str(TOOLS / "usr/bin"), str(TOOLS / "usr/sbin")]
    return shutil.which(name, path=os.pathsep.join(places))


def free_ports(count: int) -> list[int]:
    """So many ports of loopback that nobody listens on."""
    doors = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [door.getsockname()[1] for door in doors]
    for door in doors:
        door.close()
    return ports


def start(command: list[str], log: Path, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """A process of our own, its words in a file."""
    with log.open("wb") as out:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env, cwd=log.parent)


def end(process: subprocess.Popen[bytes], patience_s: float = 15.0) -> None:
    """Ask it to stop, and insist after a while."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
