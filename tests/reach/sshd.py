"""Real sshd processes on loopback, and hosts of them; and sockets that only look like one."""

from __future__ import annotations

import getpass
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from forewarn.model.map import Host
from forewarn.model.probe import Source

SSHD = next((path for path in ("/usr/sbin/sshd", "/usr/local/sbin/sshd") if os.access(path, os.X_OK)), None)
ME = getpass.getuser()
SOURCE = Source("config/hosts.yaml", 3)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def new_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    rounds = ["-a", "1"] if passphrase else []
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, *rounds, "-f", path], check=True)
    return path


def fingerprint(public: Path) -> str:
    said = subprocess.run(["ssh-keygen", "-lf", public], check=True, capture_output=True, text=True).stdout
    return said.split()[1]


def running(*argv: str) -> bool:
    """Whether a program runs that was started with exactly these arguments."""
    wanted = "\0".join(argv).encode() + b"\0"
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if path.read_bytes() == wanted:
                return True
    return False


def children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


class Sshd:
    """One daemon: its host key, the keys that it lets in, and extra lines of its configuration."""

    def __init__(self, folder: Path, *lines: str, kind: str = "ed25519", under: Sequence[str] = (), user: str = ME) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.port, self.user = folder, free_port(), user
        self.host_key = folder / "host_key"
        if not self.host_key.exists():
            new_key(self.host_key, kind)
        self.allowed = folder / "authorized_keys"
        self.allowed.touch()
        self.allowed.chmod(0o644)
        config = folder / "sshd_config"
        config.write_text(
            "\n".join(
                [
                    *lines,
                    f"Port {self.port}",
                    "ListenAddress 127.0.0.1",
                    f"HostKey {self.host_key}",
                    f"PidFile {folder}/pid",
                    f"AuthorizedKeysFile {self.allowed}",
                    "UsePAM no",
                    "StrictModes no",
                    "PasswordAuthentication no",
                    "MaxStartups 500",
                    "",
                ]
            )
        )
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        assert SSHD
        self.process = subprocess.Popen([*under, SSHD, "-D", "-f", config, "-E", folder / "log"])
        self._up()

    def _up(self) -> None:
        for _ in range(500):
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.01)
        raise AssertionError((self.folder / "log").read_text())

    def let_in(self, public: Path) -> None:
        with self.allowed.open("a") as file:
            file.write(public.read_text())

    def connections(self) -> list[int]:
        """The process of each connection."""
        return children(self.process.pid)

    def cut(self) -> None:
        """End all connections, and what runs on them: of each the process with the rights, and what it began."""
        ours = self.connections()
        for pid in ours:
            ours += children(pid)
        for pid in ours:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        self.cut()
        self.process.kill()
        self.process.wait()

    def host(self, key: Path, name: str = "web-1", **more: object) -> Host:
        """This daemon as a host whose key is known."""
        known = self.folder / "known_hosts"
        if not known.exists():
            known.write_text(f"[127.0.0.1]:{self.port} {' '.join(self.host_key.with_suffix('.pub').read_text().split()[:2])}\n")
        made = Host(
            name=name, address="127.0.0.1", port=self.port, user=self.user, key=str(key), known_hosts=(str(known),), source=SOURCE
        )  # fmt: skip
        return replace(made, **more)  # type: ignore[arg-type]


@contextmanager
def silent(answer: bytes = b"") -> Iterator[int]:
    """A port that takes connections and says `answer`, and then nothing more."""
    with socket.create_server(("127.0.0.1", 0), backlog=200) as server:
        import threading

        taken: list[socket.socket] = []

        def take() -> None:
            while True:
                try:
                    one, _ = server.accept()
                except OSError:
                    return
                taken.append(one)
                if answer:
                    one.sendall(answer)

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5)
            for one in taken:
                one.close()
